//! A history of hours to weeks.

use std::ops::Range;

use super::floors::{Floors, median, quantile};
use super::trend::{DAY, SHORT_GROWTH_LEAST, Trend};
use super::{Class, Growing, Judgement, Slope, of_run};
use super::{deploys, lives, onset, shape};
use crate::diagnosis::Confidence;
use crate::size::{History, MISSING};
use crate::units::Bytes;

/// A history shorter than this is one run of a program: seconds.
const SHORT: i64 = 3_600;

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

/// Judges the history of one container of one replica.
pub fn of_history(history: &History) -> Judgement {
    let mut times = history.at.iter().zip(&history.used).filter(|(_, used)| **used != MISSING).map(|(at, _)| *at);
    let (first, last) = (times.next(), times.next_back());
    let (Some(from), Some(to)) = (first, last) else {
        return Judgement::new(Class::TooLittleData, "it was sampled once or never".into());
    };
    // A container that runs uses something: a zero among amounts is a sample that failed.
    if history.used.contains(&0) && history.used.iter().any(|used| *used != 0 && *used != MISSING) {
        let used = history.used.iter().map(|used| if *used == 0 { MISSING } else { *used }).collect();
        return of_history(&History { used, ..history.clone() });
    }
    let limit = history.limit.iter().rev().find(|limit| **limit != MISSING).copied();
    if from == to {
        return Judgement::new(Class::TooLittleData, "all samples are of one moment".into());
    }
    if to.saturating_sub(from) < SHORT {
        return of_short(history, from, limit);
    }
    let whole = Floors::of(history, &history.used, from, to);
    if whole.len() < shape::CELLS_LEAST {
        return Judgement::new(
            Class::TooLittleData,
            format!("samples in {} of {} stretches of {}", whole.len(), super::floors::CELLS, span(whole.cell)),
        );
    }
    let mut it = classify(history, &whole, (from, to), limit);
    it.censored = is_cut(history, &whole, limit);
    it
}

fn classify(history: &History, whole: &Floors, (from, to): (i64, i64), limit: Option<u64>) -> Judgement {
    // What a restart took back tells nothing of what came before: the last life is judged, and where it is short the
    // longest.
    let life = shape::life(whole);
    let floors = if life == (0..whole.len()) {
        whole.clone()
    } else {
        Floors::of(history, &history.used, whole.moment(life.start), whole.moment(life.end - 1).min(to))
    };
    let own = own(history, &floors, to);
    let full = limit.is_some_and(|limit| is_near(whole, limit) * 2 >= whole.len());
    // What the next life does not repeat was no leak, or is mended.
    let trend = Trend::of(&floors).filter(|trend| !trend.is_endless() || !is_cured(history, whole, &life, *trend, to));
    let lived = format!("over {}", span(floors.at.last().copied().unwrap_or(0.0)));
    if let Some(trend) = trend.filter(|trend| trend.is_endless()) {
        let growing = growing(history, &floors, from.max(floors.from), to, trend.slope);
        if growing == Some(Growing::Cache) && rises(history, &history.rss, &floors, to) == Some(false) {
            let because =
                format!("page cache grows by {} {lived}, the program's own memory does not", pace(trend.slope));
            return Judgement { growing, ..Judgement::new(Class::Cache, because) };
        }
        return leak(&floors, trend, growing, limit, &lived);
    }
    // A full cgroup hides what grows in it: page cache makes room for it.
    let hidden = own.as_ref().filter(|_| full).and_then(|own| Some((own, Trend::of(own)?)));
    if let Some((own, trend)) = hidden.filter(|(_, trend)| trend.is_endless()) {
        return leak(own, trend, Some(Growing::Anon), limit, &lived);
    }
    if let Some(leak) = lives::leak(history, limit) {
        return leak;
    }
    if let Some(leak) = hidden_leak(history, whole, &floors, (&life, to), limit) {
        return leak;
    }
    let onset = onset::of(history, whole, to);
    if let Some(onset) = onset.as_ref().filter(|it| it.endless) {
        let growing = growing(history, &onset.floors, onset.from, to, onset.trend.slope);
        if growing != Some(Growing::Cache) {
            let it = leak(&onset.floors, onset.trend, growing, limit, &onset.since());
            let short = onset.floors.at.last().is_none_or(|lived| *lived < TWO_DAYS);
            let confidence = if short { Confidence::Possible } else { it.confidence };
            return Judgement { confidence, when: Some(onset.from), ..it };
        }
    }
    let level = median(&whole.high);
    let peak = whole.high.iter().copied().fold(0.0, f64::max);
    let shown = |bytes: f64| bytes_of(bytes).to_string();
    if let Some(limit) = limit.filter(|limit| *limit > 0) {
        // Page cache and tmpfs are told apart from what the program itself needs, where the columns do.
        let own = own.as_ref().filter(|_| history.kills.is_empty());
        let near =
            own.map_or_else(|| is_near(whole, limit), |own| is_near(own, limit) * whole.len() / own.len().max(1));
        if near * 2 >= whole.len() || (!history.kills.is_empty() && near * 20 >= whole.len()) {
            let killed = match history.kills.len() {
                0 => String::new(),
                kills => format!(", and it was killed {}", times(kills)),
            };
            let share = 100 * near / whole.len();
            return Judgement {
                confidence: Confidence::Likely,
                ..Judgement::new(
                    Class::LimitTooLow,
                    format!(
                        "{share} % of the time it stood within a tenth of its limit of {}{killed}; {}",
                        Bytes(limit),
                        lives::between_kills(history).unwrap_or_else(|| floor_says(whole))
                    ),
                )
            };
        }
    }
    if let Some(share) = cached(history).filter(|share| *share >= 0.5) {
        let because = format!("{:.0} % of what was used is page cache or tmpfs", share * 100.0);
        return Judgement { growing: Some(Growing::Cache), ..Judgement::new(Class::Cache, because) };
    }
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
        let because = format!("from one moment on it needed {}, before it {}", shown(step.after), shown(step.before));
        return Judgement { when: Some(whole.moment(step.at)), ..Judgement::new(Class::Step, because) };
    }
    if trend.is_some_and(Trend::settles) {
        let because = format!("it grew at first, and ever more slowly, to {}", shown(level));
        return Judgement::new(Class::WarmUp, because);
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
        let because = format!("its floor grows by {} {lived}: a leak would, and so would {other}", pace(trend.slope));
        return Judgement::new(Class::TooLittleData, because);
    }
    if let Some(because) = killed_in_force(history, limit) {
        let because = format!("{because}; no sample shows how much it then wanted: at most {}", shown(peak));
        return Judgement { confidence: Confidence::Likely, ..Judgement::new(Class::LimitTooLow, because) };
    }
    Judgement::new(Class::Steady, format!("it stayed near {}, at most {}", shown(level), shown(peak)))
}

/// A leak whose floor varies too much to rise from one block to the next; smoothed, it does.
fn hidden_leak(
    history: &History,
    whole: &Floors,
    floors: &Floors,
    (life, to): (&Range<usize>, i64),
    limit: Option<u64>,
) -> Option<Judgement> {
    let trend = Trend::of(&floors.coarser(SMOOTHED))?;
    let proven = trend.above_yesterday.is_some() && trend.is_endless() && trend.is_sure();
    if !proven || is_cured(history, whole, life, trend, to) {
        return None;
    }
    let growing = growing(history, floors, floors.from, to, trend.slope);
    let lived = format!("over {}", span(floors.at.last().copied().unwrap_or(0.0)));
    (growing != Some(Growing::Cache)).then(|| leak(floors, trend, growing, limit, &lived))
}

/// Whether the life after the one that grew is long enough to tell, and does not.
fn is_cured(history: &History, whole: &Floors, life: &Range<usize>, trend: Trend, to: i64) -> bool {
    let last = life.end + 1;
    if life.end == whole.len() || whole.len() - last < shape::CELLS_LEAST {
        return false;
    }
    let after = Trend::of(&Floors::of(history, &history.used, whole.moment(last), to));
    after.is_some_and(|after| after.slope < trend.slope * REPEATED_LEAST)
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
    let per_day = |slope: f64| whole(slope * DAY);
    Judgement {
        // A retaining allocator and a cache in the program look the same: it is never more than likely.
        confidence: if trend.growth >= 0.1 && floors.len() >= 96 { Confidence::Likely } else { Confidence::Possible },
        growing,
        slope: Some(Slope { per_day: per_day(trend.slope), low: per_day(low), high: per_day(high) }),
        seconds_to_limit: to_limit.map(|seconds| whole(seconds).unsigned_abs()),
        ..Judgement::new(Class::Leak, because)
    }
}

/// Which column accounts for at least half of the growth.
pub(super) fn growing(history: &History, floors: &Floors, from: i64, to: i64, slope: f64) -> Option<Growing> {
    let of = |column: &[u64]| Some(Trend::of(&Floors::of(history, column, from.max(floors.from), to))?.slope / slope);
    let (heap, rss, cache) = (of(&history.heap), of(&history.rss), of(&history.cache));
    let half = |share: Option<f64>| share.is_some_and(|share| share >= 0.5);
    match heap {
        _ if half(cache) && !half(rss) => Some(Growing::Cache),
        Some(_) if half(heap) => Some(Growing::Heap),
        Some(_) => Some(Growing::Gap),
        None => half(rss).then_some(Growing::Anon),
    }
}

/// Whether a column rises without end too; `None` where there is no such column.
fn rises(history: &History, column: &[u64], floors: &Floors, to: i64) -> Option<bool> {
    Trend::of(&Floors::of(history, column, floors.from, to)).map(Trend::is_endless)
}

/// The share of page cache in what is used, most of the time.
fn cached(history: &History) -> Option<f64> {
    let own = history.own();
    let both = own.iter().zip(&history.used).filter(|(own, used)| **own != MISSING && **used != MISSING);
    let shares: Vec<f64> = both.map(|(own, used)| 1.0 - *own as f64 / (*used).max(1) as f64).collect();
    (!shares.is_empty()).then(|| median(&shares))
}

/// The limit cut the history off: it was killed, or lay flat at its limit again and again.
fn is_cut(history: &History, floors: &Floors, limit: Option<u64>) -> bool {
    let at_limit = |limit: u64| floors.high.iter().filter(|high| **high >= limit as f64 * 0.99).count();
    !history.kills.is_empty() || limit.is_some_and(|limit| limit > 0 && at_limit(limit) >= 2)
}

/// A history of less than an hour, as a run is judged.
fn of_short(history: &History, from: i64, limit: Option<u64>) -> Judgement {
    let known = history.at.iter().zip(&history.used).filter(|(_, used)| **used != MISSING);
    let points: Vec<(u64, Bytes)> =
        known.map(|(at, used)| (at.saturating_sub(from).unsigned_abs().saturating_mul(1000), Bytes(*used))).collect();
    let mut it = of_run(&points, limit.map(Bytes), Bytes(0), None);
    // Less evidence makes no surer verdict: what is not enough for hours is not enough for minutes.
    let (first, last) = (points.first().map_or(0, |it| it.1.0), points.last().map_or(0, |it| it.1.0));
    if it.class == Class::Leak && (last as f64) < first as f64 * (1.0 + SHORT_GROWTH_LEAST) {
        let because =
            format!("{}: a program that starts or fills its heap would as well; watch it for two days", it.because);
        it = Judgement::new(Class::TooLittleData, because);
    }
    it.censored = !history.kills.is_empty();
    it
}

#[expect(clippy::cast_possible_truncation, reason = "bytes a day, and seconds, far below 2^63")]
pub(super) fn whole(value: f64) -> i64 {
    value as i64
}

pub(super) fn bytes_of(bytes: f64) -> Bytes {
    Bytes(whole(bytes.max(0.0)).unsigned_abs())
}

/// `12.3 MiB a day`.
pub(super) fn pace(slope: f64) -> String {
    let a_day = slope * DAY;
    format!("{}{} a day", if a_day < 0.0 { "-" } else { "" }, bytes_of(a_day.abs()))
}

pub(super) fn span(seconds: f64) -> String {
    match seconds {
        s if s >= TWO_DAYS => format!("{:.1} days", s / DAY),
        s if s >= 7_200.0 => format!("{:.1} h", s / 3_600.0),
        s => format!("{:.0} min", s / 60.0),
    }
}

/// Judges the histories of the replicas of one container together: the worst class is theirs, and where one replica
/// grows and others do not, that is said. `None` where there is no history.
pub fn of_replicas(histories: &[&History]) -> Option<Judgement> {
    let judged: Vec<Judgement> = histories.iter().map(|history| of_history(history)).collect();
    let leaks = judged.iter().filter(|it| it.class == Class::Leak).count();
    let censored = judged.iter().any(|it| it.censored);
    // A limit that was raised since is not too low any more.
    let limit = |history: &History| history.limit.iter().rev().find(|limit| **limit != MISSING).copied();
    let last = histories.iter().filter_map(|it| Some((*it.at.last()?, limit(it)?))).max().map(|(_, limit)| limit);
    let outgrown = |index: usize| last > limit(histories[index]);
    let (worst, mut judgement) = judged.into_iter().enumerate().max_by_key(|(index, it)| {
        let too_low = it.class == Class::LimitTooLow;
        (it.class == Class::Leak, too_low && !outgrown(*index), !too_low && it.class != Class::TooLittleData)
    })?;
    if matches!(judgement.class, Class::Steady | Class::WarmUp | Class::Step | Class::TooLittleData) {
        judgement = deploys::judge(histories).unwrap_or(judgement);
    }
    judgement.censored = censored;
    if leaks == 1 && histories.len() > 1 {
        judgement.growing = Some(Growing::Replica);
        judgement.replica = histories.get(worst).map(|history| history.subject.replica.clone());
    }
    Some(judgement)
}
