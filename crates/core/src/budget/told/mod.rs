//! A runtime as a manifest sets it up: how much its own limit allows under a container's, what comes on top of it, and
//! which limit and which flag fit each other where nobody has measured the parts.

mod workers;

pub use workers::Workers;

use super::jvm::{self, BesideHeap, Caps, Collector, Percentages};
use super::{FlagProposal, dotnet, golang, limit_for_growing, margin_within, round_down, round_up, scaled, v8};
use crate::units::Bytes;

/// A runtime, and the flag that bounds its memory.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    /// Which one, with what its flags say.
    pub runtime: Runtime,
    /// The flag; none where the runtime's default counts.
    pub flag: Option<Given>,
    /// No proposal is smaller: the JVM ends as it starts where `-Xms` is above `-Xmx`.
    pub least: Bytes,
    /// What was taken for granted.
    pub assumed: Vec<String>,
}

/// A flag as it is given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Given {
    /// The flag alone: `-Xmx900m`; of a variable that holds nothing else its value.
    pub text: String,
    /// The variable that it stands in; none: the command line.
    pub variable: Option<String>,
    /// Where the manifest has the whole text that it stands in.
    pub within: Option<Within>,
}

/// The text of a manifest that a flag stands in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Within {
    /// The value of the variable.
    Value(String),
    /// `command` or `args`, word by word.
    List(&'static str, Vec<String>),
}

impl Given {
    /// The text with another flag in the place of this one; none where it is not known, or the flag stands in it twice.
    fn with(&self, flag: &str) -> Option<Within> {
        match self.within.as_ref()? {
            Within::Value(text) => {
                let [at] = self.places(text)[..] else { return None };
                Some(Within::Value(self.replaced(text, at, flag)))
            }
            Within::List(name, words) => {
                let found = words
                    .iter()
                    .enumerate()
                    .flat_map(|(word, text)| self.places(text).into_iter().map(move |at| (word, at)));
                let (inside, apart) = (found.collect::<Vec<_>>(), self.apart(words));
                let mut words = words.clone();
                match (&inside[..], &apart[..]) {
                    ([(word, at)], []) => words[*word] = self.replaced(&words[*word], *at, flag),
                    ([], [at]) => {
                        let next = *at + self.text.split(' ').count();
                        words.splice(*at..next, flag.split(' ').map(str::to_owned));
                    }
                    _ => return None,
                }
                Some(Within::List(name, words))
            }
        }
    }

    /// Where the flag stands as a word of its own: `-Xmx9m` is in `-Dopts=-Xmx9m`, and is another's.
    fn places(&self, text: &str) -> Vec<usize> {
        let parts = |c: char| matches!(c, ' ' | '\n' | '\t' | '"' | '\'');
        let is_word = |at: &usize| {
            let (before, after) = (&text[..*at], &text[*at + self.text.len()..]);
            (before.is_empty() || before.ends_with(parts)) && (after.is_empty() || after.starts_with(parts))
        };
        text.match_indices(&self.text).map(|(at, _)| at).filter(is_word).collect()
    }

    /// Where the flag begins that is several words of the list: `-w`, `4`.
    fn apart(&self, words: &[String]) -> Vec<usize> {
        let own: Vec<&str> = self.text.split(' ').collect();
        let is_it = |at: &usize| own.len() > 1 && words[*at..*at + own.len()] == own;
        (0..(words.len() + 1).saturating_sub(own.len())).filter(is_it).collect()
    }

    fn replaced(&self, text: &str, at: usize, flag: &str) -> String {
        format!("{}{flag}{}", &text[..at], &text[at + self.text.len()..])
    }
}

/// What the flags of a runtime say.
#[derive(Debug, Clone, PartialEq)]
pub enum Runtime {
    /// HotSpot.
    Jvm {
        /// `-Xmx`.
        heap: Option<Bytes>,
        /// What counts without it.
        percentages: Percentages,
        /// `-XX:MaxRAM`, in the place of the limit.
        max_ram: Option<Bytes>,
        /// The one that is asked for.
        collector: Option<Collector>,
        /// CPUs that it sees.
        cpus: u32,
        /// What is capped beside the heap.
        caps: Caps,
    },
    /// Node.js.
    Node {
        /// Its version, assumed where nobody says it.
        major: u32,
        /// `--max-old-space-size`.
        old: Option<Bytes>,
        /// `--max-old-space-size-percentage`.
        share: Option<f64>,
        /// `--max-semi-space-size`.
        semi_space: Option<Bytes>,
    },
    /// Go, with `GOMEMLIMIT`.
    Go(Bytes),
    /// Go, whose `GOMEMLIMIT` is a field of the container's own resources and moves with them.
    GoField,
    /// .NET, with `GCHeapHardLimit`.
    Dotnet(Bytes),
    /// .NET, with `GCHeapHardLimitPercent`.
    DotnetShare(u64),
    /// A flag bounds it whose amount is not in the manifest.
    Unknown,
}

/// A limit that fits a runtime, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fitted {
    /// The limit.
    pub limit: Bytes,
    /// Why it is not what the peaks ask for; none where it is.
    pub because: Option<String>,
}

/// Native memory of .NET itself: assumed, not measured.
const DOTNET_NATIVE: Bytes = Bytes::mib(40);

/// From this share of the limit on a heap leaves nothing for the rest of its runtime: such a limit does not stay.
const WHOLE_PERCENT: u64 = 95;

impl Told {
    /// What the runtime's own limit allows it under a limit of the container.
    pub fn allowed(&self, limit: Bytes) -> Option<Bytes> {
        match &self.runtime {
            Runtime::Jvm { heap, percentages, max_ram, .. } => {
                Some(heap.unwrap_or_else(|| jvm::default_heap(max_ram.unwrap_or(limit), *percentages)))
            }
            Runtime::Node { major, old, share, .. } => {
                let given = old.or_else(|| share.map(|share| v8::old_space_of_percentage(limit, share)));
                // Node 18 and older see the machine.
                given.or_else(|| (*major >= 20).then(|| v8::default_heap(*major, limit)))
            }
            Runtime::Go(bytes) | Runtime::Dotnet(bytes) => Some(*bytes),
            Runtime::GoField => Some(limit),
            Runtime::DotnetShare(share) if *share < 100 => Some(scaled(limit, *share, 100)),
            Runtime::DotnetShare(_) => Some(dotnet::default_heap(limit)),
            Runtime::Unknown => None,
        }
    }

    /// What comes on top of so much, by what is usual.
    fn beside(&self, own: Bytes, limit: Bytes) -> Bytes {
        match &self.runtime {
            Runtime::Jvm { caps, .. } => {
                let gc = scaled(own, self.collector(limit).overhead(), 1000);
                Bytes(gc.0.saturating_add(BesideHeap::usual(caps).planned().0))
            }
            Runtime::Node { major, semi_space, old, share } => {
                let young = match semi_space {
                    Some(semi) => Bytes(semi.0.saturating_mul(3)),
                    // The default counts it in.
                    None if old.is_none() && share.is_none() => Bytes(0),
                    None => v8::young_beside(*major, limit),
                };
                Bytes(young.0.saturating_add(v8::NATIVE_BASE.0))
            }
            Runtime::Dotnet(_) | Runtime::DotnetShare(_) => DOTNET_NATIVE,
            // Its count is of nearly everything.
            Runtime::Go(_) | Runtime::GoField | Runtime::Unknown => Bytes(0),
        }
    }

    fn collector(&self, limit: Bytes) -> Collector {
        match &self.runtime {
            Runtime::Jvm { collector, cpus, .. } => collector.unwrap_or_else(|| jvm::default_collector(limit, *cpus)),
            _ => Collector::Serial,
        }
    }

    /// All that it may come to need under a limit.
    fn need(&self, limit: Bytes) -> Option<Bytes> {
        let own = self.allowed(limit)?;
        Some(Bytes(own.0.saturating_add(self.beside(own, limit).0)))
    }

    /// What its own limit must go on to allow: what it allows now, but no more than was ever used in all, for no part is
    /// more than the whole.
    fn kept(&self, peak: Bytes, now: Option<Bytes>) -> Bytes {
        let now = now.and_then(|now| self.allowed(now));
        now.map_or(peak, |now| now.min(peak)).max(self.least)
    }

    /// It stands in the way of nothing under this limit: it fits, and allows what it has to.
    fn holds(&self, limit: Bytes, peak: Bytes, now: Option<Bytes>) -> bool {
        match self.runtime {
            Runtime::GoField => true,
            // The collector works harder near it and the program goes on, but behind the limit it never does.
            Runtime::Go(bytes) => golang::memory_limit(limit, Bytes(0), Bytes(0)).is_some_and(|most| bytes <= most),
            _ => {
                let roomy = |need: Bytes| super::limit_for_peak(need, Bytes(0), Bytes(0)) <= limit;
                let enough = self.allowed(limit).is_some_and(|allowed| allowed >= self.kept(peak, now));
                enough && self.need(limit).is_some_and(roomy)
            }
        }
    }

    /// Can a flag be proposed in the place of the one that is there? Images have variables of their own for a heap, which
    /// hold a number alone, and tools hand flags on; a variable of one value may be set by a script or by another object.
    fn is_settable(&self) -> bool {
        let Some(flag) = &self.flag else { return true };
        match self.runtime {
            Runtime::Jvm { .. } => flag.text.starts_with("-X"),
            Runtime::Node { .. } => flag.text.replace('_', "-").starts_with("--max-old-space-size"),
            _ => flag.within.is_some(),
        }
    }

    /// The limit that peaks ask for, raised until the runtime fits it: with its flag as it is, or with a lower one that
    /// still allows all that was ever used. `peak` is what was used in all, `now` the limit in force. No limit that has
    /// held is raised by what is only assumed.
    pub fn fit(&self, asked: Bytes, peak: Bytes, now: Option<Bytes>) -> Fitted {
        let name = self.name();
        if self.runtime == Runtime::Unknown {
            let stays = now.filter(|now| *now > asked);
            let because = stays.map(|now| {
                format!(
                    "{now} as it is: how much {name} allows is not in the manifest, and a lower limit may be below it"
                )
            });
            return Fitted { limit: stays.unwrap_or(asked), because };
        }
        if !self.is_settable() && !self.holds(asked, peak, now) {
            let stays = now.filter(|now| *now > asked);
            let because = stays.map(|now| format!("{now} as it is: {name} has to be lowered first, and by hand"));
            return Fitted { limit: stays.unwrap_or(asked), because };
        }
        if self.holds(asked, peak, now) || matches!(self.runtime, Runtime::Go(_) | Runtime::GoField) {
            return Fitted { limit: asked, because: None };
        }
        let kept = self.kept(peak, now);
        let as_it_is = limit_for_growing(asked, |limit| self.need(limit).unwrap_or_default())
            .filter(|limit| self.holds(*limit, peak, now));
        let lowered =
            limit_for_growing(asked, |limit| Bytes(kept.0.saturating_add(self.beside(kept, limit).0))).unwrap_or(asked);
        let limit = as_it_is.map_or(lowered, |it| it.min(lowered));
        let leaves_room = |now: Bytes| self.allowed(now).is_some_and(|own| own < scaled(now, WHOLE_PERCENT, 100));
        if let Some(now) = now.filter(|now| limit > *now && *now >= asked && leaves_room(*now)) {
            let allowed = self.allowed(now).unwrap_or_default();
            let because = format!(
                "{now} as it is: {name} allows {allowed}, beside which such a runtime usually needs {}; what of the peak of \
                 {peak} was which is not known",
                self.beside(allowed, now)
            );
            return Fitted { limit: now, because: Some(because) };
        }
        if limit <= asked {
            return Fitted { limit: asked, because: None };
        }
        let because = format!(
            "raised to {limit}, to hold {} of the runtime's own and the {} that such a runtime usually needs beside",
            kept.min(self.allowed(limit).unwrap_or(kept)),
            self.beside(kept, limit)
        );
        Fitted { limit, because: Some(because) }
    }

    /// The flag that belongs to a limit, or why none has to be set.
    pub fn flag_for(&self, limit: Bytes, peak: Bytes, now: Option<Bytes>) -> Result<FlagProposal, String> {
        let name = self.name();
        match self.runtime {
            Runtime::Unknown => {
                return Err(format!("how much {name} allows is not in the manifest; compare it with the limit"));
            }
            Runtime::GoField => {
                return Err(
                    "GOMEMLIMIT is a field of the container's resources and moves with them; all of a limit leaves \
                            nothing for what Go does not count: a twentieth less is safer"
                        .into(),
                );
            }
            _ => {}
        }
        let before = self.allowed(limit).unwrap_or_default();
        if self.holds(limit, peak, now) {
            return Err(format!("{name} allows {before} under this limit, which fits as it is"));
        }
        if !self.is_settable() {
            return Err(format!("{name} allows {before} of this limit, and has to be changed by hand where it is set"));
        }
        let stays = now == Some(limit) && before < scaled(limit, WHOLE_PERCENT, 100);
        let room = self.room(limit).filter(|room| *room >= self.least);
        let most = now.and_then(|now| self.allowed(now)).unwrap_or(Bytes(u64::MAX));
        // What was used in all is enough for any of its parts; less may end the program at its own limit.
        let own = room.map(|room| room.min(most)).filter(|own| !stays || *own >= self.kept(peak, now));
        let Some(own) = own.filter(|own| own.0 > 0) else {
            return Err(if stays {
                format!("{name} allows {before}, as until now; the history does not tell how much less would do")
            } else {
                format!("{name} allows {before}, and this limit leaves no room for less beside the rest of the runtime")
            });
        };
        let beside = match self.beside(own, limit) {
            Bytes(0) => String::new(),
            beside => format!("{beside} are planned for the rest of the runtime, as is usual, and "),
        };
        let why = format!(
            "{name} would allow {before} of the limit of {limit}; {beside}{} are a margin. All of it together never used \
             more than {peak}",
            margin_within(limit, Bytes(0))
        );
        Ok(self.proposal(own, limit, why))
    }

    /// The most that fits a limit beside the rest.
    fn room(&self, limit: Bytes) -> Option<Bytes> {
        match &self.runtime {
            Runtime::Jvm { caps, .. } => {
                jvm::heap_for_limit(limit, &BesideHeap::usual(caps), self.collector(limit), Bytes(0))
            }
            Runtime::Node { .. } => {
                let beside = self.beside(Bytes(0), limit);
                let room = limit.0.checked_sub(beside.0)?.checked_sub(margin_within(limit, Bytes(0)).0)?;
                Some(round_down(Bytes(room)))
            }
            Runtime::Dotnet(_) | Runtime::DotnetShare(_) => {
                let room = limit.0.checked_sub(DOTNET_NATIVE.0)?.checked_sub(margin_within(limit, Bytes(0)).0)?;
                Some(round_down(Bytes(room)))
            }
            Runtime::Go(_) => golang::memory_limit(limit, Bytes(0), Bytes(0)),
            Runtime::GoField | Runtime::Unknown => None,
        }
    }

    /// The flag for so much.
    fn proposal(&self, own: Bytes, limit: Bytes, why: String) -> FlagProposal {
        let (usual, value) = match &self.runtime {
            Runtime::Jvm { .. } => ("JAVA_TOOL_OPTIONS", jvm::heap_flag(own)),
            Runtime::Node { .. } => ("NODE_OPTIONS", format!("--max-old-space-size={}", round_down(own).0 >> 20)),
            Runtime::DotnetShare(_) => {
                let percent = u128::from(own.0) * 100 / u128::from(limit.0.max(1));
                ("DOTNET_GCHeapHardLimitPercent", dotnet::variable(u64::try_from(percent).unwrap_or(75)))
            }
            Runtime::Dotnet(_) => ("DOTNET_GCHeapHardLimit", format!("0x{:X}", round_up(own).0)),
            Runtime::Go(_) | Runtime::GoField | Runtime::Unknown => ("GOMEMLIMIT", golang::variable(own)),
        };
        let replaces = self.flag.as_ref().filter(|flag| flag.variable.is_none()).map(|flag| flag.text.clone());
        let variable = match &self.flag {
            Some(Given { variable: None, .. }) => super::proposal::COMMAND_LINE,
            Some(Given { variable: Some(name), .. }) => name,
            None => usual,
        };
        let within = self.flag.as_ref().and_then(|flag| flag.with(&value));
        FlagProposal { variable: variable.to_owned(), value, replaces, why, within }
    }

    /// What bounds it, for a sentence.
    fn name(&self) -> String {
        match (&self.flag, &self.runtime) {
            (Some(Given { text, variable: None, .. }), _) => text.clone(),
            (Some(Given { text, variable: Some(name), .. }), Runtime::Jvm { .. } | Runtime::Node { .. }) => {
                format!("{text} in {name}")
            }
            (Some(Given { text, variable: Some(name), .. }), _) => format!("{name}={text}"),
            (None, Runtime::Jvm { .. }) => "the JVM's default".to_owned(),
            (None, Runtime::Node { .. }) => "V8's default".to_owned(),
            (None, _) => "the runtime's flag".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests;
