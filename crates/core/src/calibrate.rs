//! Logs whose dates lack a year or a zone, or count seconds since boot, placed on the clock by other evidence: the API
//! and the engines say when the containers ended that such a log says were killed.

use std::collections::{BTreeMap, HashMap};

use jiff::{SignedDuration, Timestamp};

use crate::artifact::{Artifact, Kind};
use crate::case::is_oom_reason;
use crate::decode::{Decoded, LogClock};
use crate::fact::{Coverage, CoverageOf, KernelKill, State, What};

/// A log is of the year in which the newest API moment lies, a day's slack for clocks and late readings.
const SLACK: SignedDuration = SignedDuration::from_hours(24);
/// Zones are whole quarters of an hour.
const QUARTER: i64 = 900;
/// Zones in use that are no whole hours, in quarters: from the Marquesas to the Chathams in summer.
const BROKEN_ZONES: [i64; 13] = [-38, -14, -10, 14, 18, 22, 23, 26, 35, 38, 42, 51, 55];
/// How sure it must be that kills and ends belong together, before another zone than UTC is believed: one end that the
/// API calls an OOM kill, or two that it does not.
const ENOUGH: usize = 2;
/// A kill is seen as an end within this time.
const PROMPT: i64 = 60;
/// The last line of a log that is being written is at most this old when it is read.
const FRESH: SignedDuration = SignedDuration::from_mins(10);

/// The clock of each artifact that other evidence knows better than its source did; `None`: nothing to add.
pub(crate) fn clocks(artifacts: &[Artifact], decoded: &[Decoded], now: Option<Timestamp>) -> Vec<Option<LogClock>> {
    let ends = ends(decoded);
    let newest = ends.values().map(|end| end.at).max().max(newest_event(decoded));
    let reference = newest.and_then(|at| at.checked_add(SLACK).ok()).or(now);
    artifacts
        .iter()
        .zip(decoded)
        .map(|(artifact, decoded)| {
            let logs = decoded.kinds.iter().any(|kind| matches!(kind, Kind::KernelLog | Kind::NodeLog));
            let own = LogClock::of(artifact);
            let better = LogClock {
                read_at: own.read_at.or(reference),
                booted: own.booted.or_else(|| booted(decoded, &ends)),
                ahead: ahead(artifact, decoded, &ends),
            };
            (logs && better != own).then_some(better)
        })
        .collect()
}

/// The end of a container.
#[derive(Debug, Clone, Copy)]
struct End {
    at: Timestamp,
    /// The API or engine calls it an OOM kill.
    oom: bool,
}

/// How each container ended, by its id.
fn ends(decoded: &[Decoded]) -> HashMap<&str, End> {
    let mut ends = HashMap::new();
    for fact in decoded.iter().flat_map(|decoded| &decoded.facts) {
        match &fact.what {
            What::Pod(pod) => {
                for status in pod.containers.iter().filter_map(|container| container.status.as_ref()) {
                    let current = match &status.state {
                        Some(State::Terminated(end)) => Some(end),
                        _ => None,
                    };
                    // Beside a container that runs, a describe text gives its id and not that of the end before.
                    let runs = matches!(status.state, Some(State::Running { .. }));
                    for end in current.into_iter().chain(&status.last) {
                        let id = end.container_id.as_deref().or(status.id.as_deref().filter(|_| !runs));
                        let oom = end.reason.as_deref().is_some_and(is_oom_reason);
                        ends.extend(id.zip(end.finished.map(|at| End { at, oom })));
                    }
                }
            }
            What::EngineContainer(engine) => {
                let oom = engine.oom_killed == Some(true);
                ends.extend(engine.subject.container_id.as_deref().zip(engine.finished.map(|at| End { at, oom })));
            }
            _ => {}
        }
    }
    ends
}

fn newest_event(decoded: &[Decoded]) -> Option<Timestamp> {
    let facts = decoded.iter().flat_map(|decoded| &decoded.facts);
    facts
        .filter_map(|fact| match &fact.what {
            What::Event(event) => event.last.or(event.first),
            What::EngineEvent(event) => event.at,
            _ => None,
        })
        .max()
}

/// Kills of a container whose end is known.
fn known_kills<'d>(decoded: &'d Decoded, ends: &HashMap<&str, End>) -> Vec<(&'d KernelKill, End)> {
    let kills = decoded.facts.iter().filter_map(|fact| match &fact.what {
        What::Kill(kill) => Some(kill.as_ref()),
        _ => None,
    });
    kills.filter_map(|kill| Some((kill, *ends.get(kill.container_id.as_deref()?)?))).collect()
}

/// The boot that puts most kills of a log that counts from boot right before the ends that they caused.
fn booted(decoded: &Decoded, ends: &HashMap<&str, End>) -> Option<Timestamp> {
    let boots =
        known_kills(decoded, ends).into_iter().filter(|(kill, _)| kill.at.is_none()).filter_map(|(kill, end)| {
            let uptime = SignedDuration::try_from_secs_f64(kill.uptime_seconds?).ok()?;
            end.at.checked_sub(uptime).ok()
        });
    let mut boots: Vec<Timestamp> = boots.collect();
    boots.sort_unstable();
    let middle = *boots.get(boots.len() / 2)?;
    // Half of them must agree to the second or two that statuses and reaction take: else the log is of several boots.
    let near = boots.iter().filter(|boot| boot.duration_since(middle).abs() <= SignedDuration::from_secs(3)).count();
    (near * 2 > boots.len()).then_some(middle)
}

/// How far the dates of a log without a zone are ahead of UTC: by kills whose ends are known, else by its last line
/// being as fresh as that of a log that is still written.
fn ahead(artifact: &Artifact, decoded: &Decoded, ends: &HashMap<&str, End>) -> Option<SignedDuration> {
    let unzoned = |coverage: &&Coverage| coverage.holes.iter().any(|hole| hole.because == Coverage::NO_ZONE);
    let covered = decoded.coverage.iter().filter(|coverage| coverage.of == CoverageOf::KernelLog).find(unzoned);
    let mut votes: BTreeMap<i64, usize> = BTreeMap::new();
    for (kill, end) in known_kills(decoded, ends) {
        let Some(at) = kill.at.filter(|_| !kill.at_zone_known) else { continue };
        let Some(gap) = gap(at, end.at, kill.at_year_known) else { continue };
        let quarters = (gap + QUARTER / 2).div_euclid(QUARTER);
        let is_zone = quarters % 4 == 0 && (-48..=56).contains(&quarters) || BROKEN_ZONES.contains(&quarters);
        if is_zone && (gap - quarters * QUARTER).abs() <= PROMPT {
            *votes.entry(quarters).or_default() += if end.oom { ENOUGH } else { 1 };
        }
    }
    // A child's kill may be any time before the end, an hour too.
    votes.retain(|quarters, votes| *quarters == 0 || *votes >= ENOUGH);
    // Of two zones as far from UTC, the one ahead of it: more people live there.
    let surest = |(quarters, votes): &(i64, usize)| (*votes, -quarters.abs(), *quarters);
    if let Some((quarters, _)) = votes.into_iter().max_by_key(surest) {
        return Some(SignedDuration::from_secs(quarters * QUARTER));
    }
    let (read, last) = (artifact.at?, covered?.to?);
    let age = read.duration_since(last);
    (age >= SignedDuration::ZERO && age <= FRESH).then_some(SignedDuration::ZERO)
}

/// Seconds that a date is ahead of the end it belongs to; a date without year is compared within the year of the end.
fn gap(at: Timestamp, end: Timestamp, year_known: bool) -> Option<i64> {
    let at = if year_known {
        at
    } else {
        let utc = jiff::tz::TimeZone::UTC;
        let year = end.to_zoned(utc.clone()).year();
        let moved = |year| {
            Some(
                at.to_zoned(utc.clone())
                    .datetime()
                    .with()
                    .year(year)
                    .build()
                    .ok()?
                    .to_zoned(utc.clone())
                    .ok()?
                    .timestamp(),
            )
        };
        let years = [year - 1, year, year + 1].into_iter().filter_map(moved);
        years.min_by_key(|moved| moved.duration_since(end).abs())?
    };
    let seconds = at.duration_since(end).as_secs();
    (seconds.abs() <= 15 * 3600).then_some(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::ArtifactId;
    use crate::fact::{Fact, Locus};

    #[test]
    fn of_zones_with_as_many_votes_the_same_one_is_chosen_in_every_run() {
        let artifact = Artifact::new("kern.log", "");
        let end: Timestamp = "2026-11-25T12:00:00Z".parse().unwrap();
        let mut decoded = Decoded::default();
        let mut ends = HashMap::new();
        for (id, hours) in [("a", 1), ("b", -1), ("c", 2), ("d", -2)] {
            let at = Some(end + SignedDuration::from_hours(hours));
            let kill =
                KernelKill { at, at_year_known: true, container_id: Some(id.to_owned()), ..KernelKill::default() };
            decoded.facts.push(Fact { what: What::Kill(Box::new(kill)), from: Locus::whole(ArtifactId(0)) });
            ends.insert(id, End { at: end, oom: true });
        }
        for _ in 0..32 {
            assert_eq!(ahead(&artifact, &decoded, &ends), Some(SignedDuration::from_hours(1)));
        }
    }
}
