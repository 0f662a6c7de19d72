//! The class of a history: what grows without end, what presses against its limit, and what shape the rest has.

use std::ops::Range;

use super::floors::{Floors, median, quantile};
use super::history::{bytes_of, growing, pace, span, whole as rounded};
use super::onset::Onset;
use super::trend::{self, DAY, Trend};
use super::{Class, Growing, Judgement, Slope};
use super::{lives, onset, shape};
use crate::diagnosis::Confidence;
use crate::size::{History, MISSING};
use crate::units::Bytes;

/// Cells that are smoothed into one.
const SMOOTHED: usize = 8;

/// A life that grows at less than this share of the one before does not repeat it.
const REPEATED_LEAST: f64 = 0.25;

/// Growth of less than two days is no more than possibly a leak, whatever came before: seconds.
const TWO_DAYS: f64 = 2.0 * DAY;

/// A floor whose last quarter lies higher than its first by more than this has risen, whatever its shape.
const RISEN: f64 = 0.1;

/// From this share of the limit on it is near.
const NEAR: f64 = 0.9;

/// Classifies a history of which enough was sampled, from its first moment to its last, under the limit in force.
pub(super) fn classify(history: &History, whole: &Floors, from_to: (i64, i64), limit: Option<u64>) -> Judgement {
    let look = Look::of(history, whole, from_to, limit);
    if let Some(leak) = look.grows() {
        return leak;
    }
    let onset = onset::of(history, whole, look.to);
    let since = onset.as_ref().and_then(|onset| look.grows_since(onset));
    since.or_else(|| look.presses()).or_else(|| look.caches()).unwrap_or_else(|| look.shape(onset))
}

/// A history, and what was made of it.
struct Look<'h> {
    history: &'h History,
    /// The floors of all of it.
    whole: &'h Floors,
    /// The life that is judged, in cells, and its floors.
    life: Range<usize>,
    floors: Floors,
    /// What is neither page cache nor tmpfs of it.
    own: Option<Floors>,
    trend: Option<Trend>,
    from: i64,
    to: i64,
    limit: Option<u64>,
}

impl<'h> Look<'h> {
    fn of(history: &'h History, whole: &'h Floors, (from, to): (i64, i64), limit: Option<u64>) -> Self {
        // What a restart took back tells nothing of what came before: the last life is judged, and where it is short the
        // longest.
        let life = shape::life(whole);
        let floors = if life == (0..whole.len()) {
            whole.clone()
        } else {
            Floors::of(history, &history.used, whole.moment(life.start), whole.moment(life.end - 1).min(to))
        };
        let own = own(history, &floors, to);
        // What the next life does not repeat was no leak, or is mended.
        let trend =
            Trend::of(&floors).filter(|trend| !trend.is_endless() || !is_cured(history, whole, &life, *trend, to));
        Self { history, whole, life, floors, own, trend, from, to, limit }
    }

    fn lived(&self) -> String {
        format!("over {}", span(self.floors.at.last().copied().unwrap_or(0.0)))
    }

    /// What rises without end in the life that is judged, under its limit, or over many lives.
    fn grows(&self) -> Option<Judgement> {
        let Self { history, whole, floors, limit, .. } = self;
        if let Some(trend) = self.trend.filter(|trend| trend.leaks()) {
            let growing = growing(history, floors, self.from.max(floors.from), self.to, trend.slope);
            if growing == Some(Growing::Cache) && rises(history, &history.rss, floors, self.to) == Some(false) {
                let because = format!(
                    "page cache grows by {} {}, the program's own memory does not",
                    pace(trend.slope),
                    self.lived()
                );
                return Some(Judgement { growing, ..Judgement::new(Class::Cache, because) });
            }
            return Some(leak(floors, trend, growing, *limit, &self.lived()));
        }
        // A full cgroup hides what grows in it: page cache makes room for it.
        let full = limit.is_some_and(|limit| is_near(whole, limit) * 2 >= whole.len());
        let hidden = self.own.as_ref().filter(|_| full).and_then(|own| Some((own, Trend::of(own)?)));
        if let Some((own, trend)) = hidden.filter(|(_, trend)| trend.leaks()) {
            return Some(leak(own, trend, Some(Growing::Anon), *limit, &self.lived()));
        }
        lives::leak(history, *limit).or_else(|| self.grows_smoothed())
    }

    /// A leak whose floor varies too much to rise from one block to the next; smoothed, it does.
    fn grows_smoothed(&self) -> Option<Judgement> {
        let Self { history, floors, .. } = self;
        let trend = Trend::of(&floors.coarser(SMOOTHED))?;
        let proven = trend.above_yesterday.is_some() && trend.leaks() && trend.is_sure();
        if !proven || is_cured(history, self.whole, &self.life, trend, self.to) {
            return None;
        }
        let growing = growing(history, floors, floors.from, self.to, trend.slope);
        (growing != Some(Growing::Cache)).then(|| leak(floors, trend, growing, self.limit, &self.lived()))
    }

    /// A leak that began on the way.
    fn grows_since(&self, onset: &Onset) -> Option<Judgement> {
        let growing = growing(self.history, &onset.floors, onset.from, self.to, onset.trend.slope);
        if !onset.endless || growing == Some(Growing::Cache) {
            return None;
        }
        let it = leak(&onset.floors, onset.trend, growing, self.limit, &onset.since());
        let short = onset.floors.at.last().is_none_or(|lived| *lived < TWO_DAYS);
        let confidence = if short { Confidence::Possible } else { it.confidence };
        Some(Judgement { confidence, when: Some(onset.from), ..it })
    }

    /// It stands at its limit most of the time, or was killed there and comes back to it.
    fn presses(&self) -> Option<Judgement> {
        let Self { history, whole, .. } = self;
        let limit = self.limit.filter(|limit| *limit > 0)?;
        // Page cache and tmpfs are told apart from what the program itself needs, where the columns do.
        let own = self.own.as_ref().filter(|_| history.kills.is_empty());
        let near =
            own.map_or_else(|| is_near(whole, limit), |own| is_near(own, limit) * whole.len() / own.len().max(1));
        if near * 2 < whole.len() && (history.kills.is_empty() || near * 20 < whole.len()) {
            return None;
        }
        let killed = match history.kills.len() {
            0 => String::new(),
            kills => format!(", and it was killed {}", times(kills)),
        };
        let because = format!(
            "{} % of the time it stood within a tenth of its limit of {}{killed}; {}",
            100 * near / whole.len(),
            Bytes(limit),
            lives::between_kills(history).unwrap_or_else(|| floor_says(whole))
        );
        Some(Judgement { confidence: Confidence::Likely, ..Judgement::new(Class::LimitTooLow, because) })
    }

    /// Most of what was used is page cache.
    fn caches(&self) -> Option<Judgement> {
        let share = cached(self.history).filter(|share| *share >= 0.5)?;
        let because = format!("{:.0} % of what was used is page cache or tmpfs", share * 100.0);
        Some(Judgement { growing: Some(Growing::Cache), ..Judgement::new(Class::Cache, because) })
    }

    /// What neither grows without end nor presses against a limit, by how it goes up and down.
    fn shape(&self, onset: Option<Onset>) -> Judgement {
        let Self { history, whole, trend, .. } = self;
        let level = median(&whole.high);
        let peak = whole.high.iter().copied().fold(0.0, f64::max);
        let shown = |bytes: f64| bytes_of(bytes).to_string();
        // A level that was left for another is a step, though a line through both rises.
        if let Some(onset) = onset.filter(|_| shape::step(whole).is_none()) {
            let because = format!(
                "its floor grows by {} {}: it could be a leak, and so could more work; watch it for two days more",
                pace(onset.trend.slope),
                onset.since()
            );
            return Judgement { when: Some(onset.from), ..Judgement::new(Class::TooLittleData, because) };
        }
        if shape::starts_high(whole) {
            let later = quantile(&whole.high[whole.len() / 10..], 0.99);
            let because = format!("it needed {} while it started, and {} later", shown(peak), shown(later));
            return Judgement::new(Class::StartUpPeak, because);
        }
        if let Some(step) = shape::step(whole) {
            let because =
                format!("from one moment on it needed {}, before it {}", shown(step.after), shown(step.before));
            return Judgement { when: Some(whole.moment(step.at)), ..Judgement::new(Class::Step, because) };
        }
        if trend.is_some_and(Trend::settles) {
            let because = format!("it grew at first, and ever more slowly, to {}", shown(level));
            return Judgement::new(Class::WarmUp, because);
        }
        if let Some(trend) = trend.filter(|trend| trend.is_endless() && trend.slows()) {
            let because = format!(
                "its floor grows by {} {}, and ever more slowly, as a cache that fills; whether that ends is not seen yet: \
                 watch it for as long again",
                pace(trend.slope),
                self.lived()
            );
            return Judgement::new(Class::TooLittleData, because);
        }
        if let Some(spike) = shape::spike(whole, &history.used) {
            let because = format!("its peak of {} is far above the usual {}", shown(peak), shown(level));
            return Judgement { when: Some(whole.moment(spike)), ..Judgement::new(Class::Spike, because) };
        }
        if let Some(teeth) = shape::teeth(whole) {
            let because = format!(
                "it rose and fell {teeth} times over {}, between {} and {}; {}",
                span(whole.at.last().copied().unwrap_or(0.0)),
                shown(quantile(&whole.low, 0.1)),
                shown(quantile(&whole.high, 0.9)),
                floor_says(whole)
            );
            return Judgement::new(Class::Sawtooth, because);
        }
        if let Some(trend) = trend.filter(|trend| trend.may_be_endless()) {
            let other = if trend.above_yesterday.is_none() {
                "the morning of a day's wave; watch it for two days"
            } else {
                "days that are busier than the one before; watch it for a week"
            };
            let because = format!(
                "its floor grows by {} {lived}: a leak would, and so would {other}",
                pace(trend.slope),
                lived = self.lived()
            );
            return Judgement::new(Class::TooLittleData, because);
        }
        if let Some(because) = killed_in_force(history, self.limit) {
            let because = format!("{because}; no sample shows how much it then wanted: at most {}", shown(peak));
            return Judgement { confidence: Confidence::Likely, ..Judgement::new(Class::LimitTooLow, because) };
        }
        Judgement::new(Class::Steady, format!("it stayed near {}, at most {}", shown(level), shown(peak)))
    }
}

/// Whether the life after the one that grew is long enough to tell, and does not.
fn is_cured(history: &History, whole: &Floors, life: &Range<usize>, trend: Trend, to: i64) -> bool {
    let last = life.end + 1;
    if life.end == whole.len() || whole.len() - last < shape::CELLS_LEAST {
        return false;
    }
    let after = trend::slope(&Floors::of(history, &history.used, whole.moment(last), to));
    after.is_some_and(|after| after < trend.slope * REPEATED_LEAST)
}

/// What is said of the floor of a history that is no leak.
fn floor_says(whole: &Floors) -> String {
    let quarter = (whole.len() / 4).max(1);
    let (first, last) = (median(&whole.low[..quarter]), median(&whole.low[whole.len() - quarter..]));
    if last > first * (1.0 + RISEN) {
        return format!(
            "its floor rose from {} to {} and does not show whether it goes on: a leak may be behind it",
            bytes_of(first),
            bytes_of(last)
        );
    }
    "its floor does not rise without end".into()
}

/// Cells that come near the limit.
fn is_near(floors: &Floors, limit: u64) -> usize {
    floors.high.iter().filter(|high| **high >= limit as f64 * NEAR).count()
}

/// The floors of what is neither page cache nor tmpfs; none where the columns do not tell them apart.
fn own(history: &History, floors: &Floors, to: i64) -> Option<Floors> {
    if history.cache.is_empty() {
        return None;
    }
    let own = Floors::of(history, &history.own(), floors.from, to);
    (own.len() >= shape::CELLS_LEAST).then_some(own)
}

/// It was killed again and again at the limit that is still in force, or a higher one.
fn killed_in_force(history: &History, limit: Option<u64>) -> Option<String> {
    let limit = limit?;
    let kills = history.kills.iter().filter(|kill| history.limit_of_kill(kill).is_some_and(|died| died.0 >= limit));
    let kills = kills.count();
    (kills > 0).then(|| format!("it was killed {} at its limit of {}", times(kills), Bytes(limit)))
}

/// `once`, `3 times`.
fn times(number: usize) -> String {
    if number == 1 { "once".to_owned() } else { format!("{number} times") }
}

fn leak(floors: &Floors, trend: Trend, growing: Option<Growing>, limit: Option<u64>, lived: &str) -> Judgement {
    let (low, high) = trend.interval;
    let now = floors.high.iter().rev().take(2).copied().fold(0.0, f64::max);
    let to_limit = limit.map(|limit| ((limit as f64 - now).max(0.0) / trend.slope).min(1e15));
    let until = to_limit.map_or(String::new(), |seconds| format!("; the limit is {} away", span(seconds)));
    let because = format!(
        "its floor grows by {} (95 %: {} to {}) {lived}, in every third of it, and never goes back{until}",
        pace(trend.slope),
        pace(low),
        pace(high)
    );
    let per_day = |slope: f64| rounded(slope * DAY);
    Judgement {
        // A retaining allocator and a cache in the program look the same: it is never more than likely.
        confidence: if trend.growth >= 0.1 && floors.len() >= 96 { Confidence::Likely } else { Confidence::Possible },
        growing,
        slope: Some(Slope { per_day: per_day(trend.slope), low: per_day(low), high: per_day(high) }),
        seconds_to_limit: to_limit.map(|seconds| rounded(seconds).unsigned_abs()),
        ..Judgement::new(Class::Leak, because)
    }
}

/// Whether a column rises without end too; `None` where there is no such column.
fn rises(history: &History, column: &[u64], floors: &Floors, to: i64) -> Option<bool> {
    let floors = Floors::of(history, column, floors.from, to);
    trend::slope(&floors).map(|_| Trend::of(&floors).is_some_and(Trend::is_endless))
}

/// The share of page cache in what is used, most of the time.
fn cached(history: &History) -> Option<f64> {
    if history.cache.is_empty() {
        return None;
    }
    let own = history.own();
    let both = own.iter().zip(&history.used).filter(|(own, used)| **own != MISSING && **used != MISSING);
    let shares: Vec<f64> = both.map(|(own, used)| 1.0 - *own as f64 / (*used).max(1) as f64).collect();
    (!shares.is_empty()).then(|| median(&shares))
}
