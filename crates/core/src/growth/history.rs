//! A history of hours to weeks.

use super::{Class, Growing, Judgement, of_run};
use crate::size::{History, MISSING};
use crate::units::Bytes;

/// Judges the history of one container of one replica.
pub fn of_history(history: &History) -> Judgement {
    let from = history.at.first().copied().unwrap_or(0);
    let points: Vec<(u64, Bytes)> = history
        .at
        .iter()
        .zip(&history.used)
        .filter(|(_, used)| **used != MISSING)
        .map(|(at, used)| (at.saturating_sub(from).unsigned_abs().saturating_mul(1000), Bytes(*used)))
        .collect();
    let limit = history.limit.iter().rev().find(|limit| **limit != MISSING).map(|limit| Bytes(*limit));
    of_run(&points, limit, Bytes(0))
}

/// Judges the histories of the replicas of one container together: the worst class is theirs, and where one replica
/// grows and others do not, that is said. `None` where there is no history.
pub fn of_replicas(histories: &[&History]) -> Option<Judgement> {
    let judged: Vec<Judgement> = histories.iter().map(|history| of_history(history)).collect();
    let leaks = judged.iter().filter(|it| it.class == Class::Leak).count();
    let (worst, mut judgement) = judged
        .into_iter()
        .enumerate()
        .max_by_key(|(_, it)| (it.class == Class::Leak, it.class == Class::LimitTooLow))?;
    if leaks == 1 && histories.len() > 1 {
        judgement.growing = Some(Growing::Replica);
        judgement.replica = histories.get(worst).map(|history| history.subject.replica.clone());
    }
    Some(judgement)
}
