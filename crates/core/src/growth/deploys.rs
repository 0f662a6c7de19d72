//! A new version that needs another amount than the one before it.

use std::collections::BTreeMap;

use super::floors::median;
use super::history::bytes_of;
use super::{Class, Judgement};
use crate::size::{History, MISSING, observed};
use crate::units::DAY;

/// A version that was seen for less than a day is not compared: the time of day would be taken for the version.
const LEAST: i64 = DAY;

/// As with a step within one history (`shape::step`).
const LARGE: f64 = 0.15;
const EXPLAINED: f64 = 0.85;

struct Version<'a> {
    name: &'a str,
    from: i64,
    level: f64,
    weight: f64,
}

/// Whether one deploy explains how the versions differ.
pub(super) fn judge(histories: &[&History]) -> Option<Judgement> {
    let versions = versions(histories);
    let weight: f64 = versions.iter().map(|it| it.weight).sum();
    let mean_of = |some: &[Version]| {
        let weight: f64 = some.iter().map(|it| it.weight).sum();
        some.iter().map(|it| it.level * it.weight).sum::<f64>() / weight
    };
    let mean = mean_of(&versions);
    let all: f64 = versions.iter().map(|it| it.weight * (it.level - mean).powi(2)).sum();
    let between = |at: usize| {
        let part = |some: &[Version]| some.iter().map(|it| it.weight).sum::<f64>() * (mean_of(some) - mean).powi(2);
        part(&versions[..at]) + part(&versions[at..])
    };
    let (at, explained) = (1..versions.len()).map(|at| (at, between(at))).max_by(|(_, a), (_, b)| a.total_cmp(b))?;
    let (before, after) = (mean_of(&versions[..at]), mean_of(&versions[at..]));
    let large = (after - before).abs() >= LARGE * before.min(after).max(1.0);
    if !large || explained < EXPLAINED * all || weight <= 0.0 {
        return None;
    }
    let (old, new) = (&versions[at - 1], &versions[at]);
    let date = observed::date(new.from).map(|date| format!(", since {date}")).unwrap_or_default();
    let because = format!(
        "a deploy changed what it needs: {} with {}, {} with {}{date}",
        bytes_of(before),
        old.name,
        bytes_of(after),
        new.name
    );
    Some(Judgement { when: Some(new.from), ..Judgement::new(Class::Step, because) })
}

/// The versions that can be compared, by when they began.
fn versions<'a>(histories: &[&'a History]) -> Vec<Version<'a>> {
    let mut replicas: BTreeMap<&str, Vec<&History>> = BTreeMap::new();
    for history in histories.iter().filter(|it| !it.revision.is_empty()) {
        replicas.entry(history.revision.as_str()).or_default().push(history);
    }
    let version = |(name, replicas): (&'a str, Vec<&History>)| {
        let from = replicas.iter().filter_map(|it| it.at.first()).min()?;
        let to = replicas.iter().filter_map(|it| it.at.last()).max()?;
        let used: Vec<f64> =
            replicas.iter().flat_map(|it| &it.used).filter(|used| **used != MISSING).map(|used| *used as f64).collect();
        let long = to.saturating_sub(*from) >= LEAST && !used.is_empty();
        long.then(|| Version { name, from: *from, level: median(&used), weight: used.len() as f64 })
    };
    let mut versions: Vec<_> = replicas.into_iter().filter_map(version).collect();
    versions.sort_by_key(|it| it.from);
    versions
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A pod of a version that was there for so many days from a day on, at a level.
    fn pod(revision: &str, day: i64, days: i64, level: u64) -> History {
        let at: Vec<i64> = (0..days * 24)
            .map(|hour| 1_800_000_000 + day * LEAST + hour * 3600)
            .chain([1_800_000_000 + (day + days) * LEAST])
            .collect();
        let used = at.iter().map(|at| level + at.rem_euclid(7) as u64).collect();
        History { at, used, revision: revision.into(), ..History::default() }
    }

    fn judged(pods: &[History]) -> Option<String> {
        judge(&pods.iter().collect::<Vec<_>>()).map(|it| it.because)
    }

    #[test]
    fn a_version_that_needs_more_is_named_with_the_one_before() {
        let pods = [pod("b", 3, 3, 100 << 20), pod("c", 6, 4, 150 << 20), pod("a", 0, 3, 100 << 20)];
        assert_eq!(
            judged(&pods).unwrap(),
            "a deploy changed what it needs: 100 MiB with b, 150 MiB with c, since 2027-01-21T08:00:00Z"
        );
    }

    #[test]
    fn versions_that_need_the_same_that_vary_or_that_were_short_are_no_step() {
        assert_eq!(judged(&[pod("a", 0, 3, 100 << 20), pod("b", 3, 3, 110 << 20)]), None);
        let varying: Vec<_> =
            [100, 150, 100, 150].iter().zip(0_i64..).map(|(mib, n)| pod(&n.to_string(), n * 2, 2, mib << 20)).collect();
        assert_eq!(judged(&varying), None);
        let short =
            History { at: vec![1_800_300_000], used: vec![900 << 20], revision: "b".into(), ..History::default() };
        assert_eq!(judged(&[pod("a", 0, 3, 100 << 20), short]), None);
        assert_eq!(judged(&[History { revision: String::new(), ..pod("", 0, 9, 5 << 20) }]), None);
    }
}
