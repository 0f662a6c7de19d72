//! A running command, sampled until it ends, and looked at where it is worth it.

use std::process::{Child, ExitStatus};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use oomph_core::recording::Sample;
use oomph_core::units::Bytes;
use oomph_core::waterfall::Waterfall;
use oomph_node::hierarchy::Hierarchy;
use oomph_node::sampler::{Sampler, Triggers};
use oomph_node::scope::Scope;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, pidfd_open};

use super::live::Live;
use super::looks::{Look, Looker, is_of_one_moment, look};
use crate::ui::Ui;

/// Samples kept; a longer run keeps every second one, the larger of two.
const SAMPLES_MAX: usize = 36_000;

/// Whether `memory.high` holds the command back, so that it can be looked at before it is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hold {
    /// It will, near the limit.
    Near,
    /// A look near the limit is being taken.
    UntilLookedAt,
    /// No more, or never.
    Over,
}

/// A running command, looked at.
pub(super) struct Watch<'a> {
    hierarchy: &'a Hierarchy,
    scope: &'a Scope,
    limit: Option<Bytes>,
    sampler: Sampler,
    triggers: Triggers,
    pub(super) samples: Vec<Sample>,
    pub(super) peak: Option<Waterfall>,
    live: Live,
    hold: Hold,
}

impl<'a> Watch<'a> {
    pub(super) fn new(hierarchy: &'a Hierarchy, scope: &'a Scope, limit: Option<Bytes>, ui: Ui) -> Self {
        let high = limit.map(|limit| Bytes(limit.0 / 20 * 19));
        scope.slow_above(high);
        Self {
            hierarchy,
            scope,
            limit,
            sampler: Sampler::new(hierarchy.version, scope.folder.clone(), limit),
            triggers: Triggers::default(),
            samples: Vec::new(),
            peak: None,
            live: Live::new(limit, ui),
            hold: if high.is_some() { Hold::Near } else { Hold::Over },
        }
    }

    /// Samples until the command's own process ends.
    pub(super) fn until_end(&mut self, child: &mut Child) -> Result<ExitStatus> {
        let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw).context("the child has no pid")?;
        let pidfd = pidfd_open(pid, PidfdFlags::empty());
        let (hierarchy, scope) = (self.hierarchy, self.scope);
        thread::scope(|threads| {
            let mut looker = Looker::begin(threads, || look(hierarchy, &scope.path));
            loop {
                let sample = self.sampler.sample();
                if let Some(sample) = sample {
                    self.take(sample, &mut looker);
                }
                if let Some(status) = child.try_wait().context("cannot wait for the command")? {
                    self.live.end();
                    if let Some(look) = looker.end() {
                        self.keep(look);
                    }
                    return Ok(status);
                }
                let pause = sample.map_or(Duration::from_millis(10), |sample| self.sampler.pause(&sample));
                match &pidfd {
                    Ok(pidfd) => {
                        let timeout = Timespec::try_from(pause).unwrap_or(Timespec { tv_sec: 0, tv_nsec: 10_000_000 });
                        let _ = poll(&mut [PollFd::new(pidfd, PollFlags::IN)], Some(&timeout));
                    }
                    Err(_) => thread::sleep(pause),
                }
            }
        })
    }

    fn take(&mut self, sample: Sample, looker: &mut Looker<Look>) {
        self.live.show(&sample);
        self.samples.push(sample);
        thin(&mut self.samples);
        if let Some(look) = looker.done() {
            self.keep(look);
            if self.hold == Hold::UntilLookedAt {
                // It has been looked at this close to the limit: from here on nothing holds it back.
                self.scope.slow_above(None);
                self.hold = Hold::Over;
            }
        }
        let near = self.limit.is_some_and(|limit| sample.usage.0 >= limit.0 / 100 * 94);
        let is_held = near && self.hold == Hold::Near;
        if !looker.is_busy() && (is_held || self.triggers.is_due(&sample)) {
            looker.ask();
            if is_held {
                self.hold = Hold::UntilLookedAt;
            }
        }
    }

    /// The waterfall with the most out of the kernel's reach is kept, but none whose runtimes could not be read (the
    /// process was on its way out) in place of one whose could.
    fn keep(&mut self, Look { waterfall, took }: Look) {
        self.triggers.looked(waterfall.unreclaimable_bytes, took);
        let better = self.peak.as_ref().is_none_or(|peak| worth(&waterfall) >= worth(peak));
        if !waterfall.processes.is_empty() && better {
            self.peak = Some(waterfall);
        }
    }
}

/// What a waterfall tells: whether it fits together, runtimes that were read, then how much memory it is of.
fn worth(waterfall: &Waterfall) -> (bool, usize, Bytes) {
    let read = waterfall.processes.iter().filter(|process| process.runtime.resolved).count();
    (is_of_one_moment(waterfall), read, waterfall.unreclaimable_bytes)
}

/// Halves a long history, keeping the larger of two neighbours: peaks are what counts.
pub(super) fn thin(samples: &mut Vec<Sample>) {
    if samples.len() >= SAMPLES_MAX {
        let larger = |two: &[Sample]| two.iter().copied().max_by_key(|sample| sample.unreclaimable);
        *samples = samples.chunks(2).filter_map(larger).collect();
    }
}
