//! A history of hours to weeks.

use super::floors::Floors;
use super::trend::{self, DAY, SHORT_GROWTH_LEAST};
use super::{Class, Growing, Judgement, classify::classify, of_run};
use super::{deploys, shape};
use crate::size::{History, MISSING};
use crate::units::Bytes;

/// A history shorter than this is one run of a program: seconds.
const SHORT: i64 = 3_600;

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

/// Which column accounts for at least half of the growth.
pub(super) fn growing(history: &History, floors: &Floors, from: i64, to: i64, slope: f64) -> Option<Growing> {
    let of = |column: &[u64]| Some(trend::slope(&Floors::of(history, column, from.max(floors.from), to))? / slope);
    let (heap, rss, cache) = (of(&history.heap), of(&history.rss), of(&history.cache));
    let half = |share: Option<f64>| share.is_some_and(|share| share >= 0.5);
    match heap {
        _ if half(cache) && !half(rss) => Some(Growing::Cache),
        Some(_) if half(heap) => Some(Growing::Heap),
        Some(_) => Some(Growing::Gap),
        None => half(rss).then_some(Growing::Anon),
    }
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
        s if s >= 2.0 * DAY => format!("{:.1} days", s / DAY),
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
