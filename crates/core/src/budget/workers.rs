//! Servers of several processes (gunicorn, uWSGI, Puma): how many of them fit.

use super::proposal::COMMAND_LINE;
use super::{FlagProposal, margin_within};
use crate::memory_flags;
use crate::units::Bytes;
use crate::waterfall::{Flag, Process, Waterfall};

/// How many workers fit a limit; `private` is what a worker comes to need (its 95th percentile), `shared` is charged
/// once for all of them.
pub fn fitting(limit: Bytes, private: Bytes, shared: Bytes, noise: Bytes) -> u64 {
    let room = limit.0.saturating_sub(margin_within(limit, noise).0).saturating_sub(shared.0);
    room.checked_div(private.0).unwrap_or(0)
}

/// How many workers a limit holds that does not hold what all of them had at the peak. None where it does, and where
/// nobody said how many there are to be.
pub fn flag(peak: &Waterfall, limit: Bytes) -> Option<FlagProposal> {
    let room = limit.0.saturating_sub(margin_within(limit, Bytes(0)).0);
    if peak.unreclaimable_bytes.0 <= room {
        return None;
    }
    let mut given = peak.processes.iter().flat_map(|process| &process.runtime.flags);
    let (given, number) = given.find_map(|flag| Some((flag, count(flag)?)))?;
    // The server that starts them has the same command line, and less memory of its own.
    let mut private: Vec<u64> =
        peak.processes.iter().filter(|it| it.runtime.flags.contains(given)).map(|it| private(peak, it)).collect();
    private.sort_unstable_by(|a, b| b.cmp(a));
    private.truncate(number);
    let shared = Bytes(peak.unreclaimable_bytes.0.saturating_sub(private.iter().sum()));
    let each = Bytes(*private.first().filter(|_| private.len() > 1)?);
    let fitting = fitting(limit, each, shared, Bytes(0));
    let fewer = usize::try_from(fitting).ok().filter(|fitting| (1..number).contains(fitting))?;
    let written = |count: usize| {
        if given.from == COMMAND_LINE { format!("{} {count}", given.name) } else { count.to_string() }
    };
    let why = format!(
        "each of {} workers came to need up to {each}, beside {shared} that they have in common; the limit holds {fewer}",
        private.len()
    );
    Some(FlagProposal::new(&given.name, Some(given), written(fewer), |_| written(number), why))
}

/// How many workers a flag asks for.
fn count(flag: &Flag) -> Option<usize> {
    flag.value.parse().ok().filter(|_| memory_flags::counts_workers(&flag.name))
}

/// What of a process is charged to it alone and cannot be taken back.
fn private(peak: &Waterfall, process: &Process) -> u64 {
    let own = peak.parts.iter().filter(|part| part.pid == Some(process.pid) && !part.reclaimable);
    own.map(|part| part.bytes.0).sum()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::budget::limit_for_peak;

    /// gunicorn with a master of 20 MiB and four workers of 100 MiB, and 40 MiB that they share.
    fn gunicorn(name: &str, from: &str) -> Waterfall {
        let part = |pid: u32| {
            let bytes = if pid == 1 { 20 << 20 } else { 100 << 20 };
            json!({"kind": "anonymous", "name": "", "bytes": bytes, "exact": true, "reclaimable": false, "pid": pid,
                "from": "", "parts": []})
        };
        let process = |pid: u32| {
            json!({"pid": pid, "comm": "gunicorn", "rssBytes": 1, "runtime": {"name": "cpython", "resolved": true,
                "heap": {}, "flags": [{"name": name, "value": "4", "from": from}]}})
        };
        serde_json::from_value(json!({"subject": {}, "cgroupVersion": 2, "source": "node",
            "chargedBytes": 460 << 20, "unreclaimableBytes": 460 << 20, "limits": [], "events": {}, "pressure": {},
            "outside": {}, "views": [], "unexplainedBytes": 0, "gaps": [],
            "parts": (1..=5).map(part).collect::<Vec<_>>(), "processes": (1..=5).map(process).collect::<Vec<_>>()}))
        .unwrap()
    }

    #[test]
    fn a_limit_that_does_not_hold_all_workers_is_given_fewer() {
        let peak = gunicorn("--workers", "command line");
        let it = flag(&peak, Bytes::mib(400)).unwrap();
        assert_eq!(it.setting(), "--workers 2 in the place of --workers 4 on the command line");
        assert_eq!(
            it.why,
            "each of 4 workers came to need up to 100 MiB, beside 60 MiB that they have in common; the limit holds 2"
        );
        assert_eq!(crate::budget::flags(&peak, Bytes::mib(400)), [it]);
        let by_variable = flag(&gunicorn("WEB_CONCURRENCY", "environment WEB_CONCURRENCY"), Bytes::mib(400));
        assert_eq!(by_variable.unwrap().setting(), "WEB_CONCURRENCY=2");
    }

    #[test]
    fn a_limit_that_holds_them_or_not_one_says_nothing_of_workers() {
        let peak = gunicorn("-w", "command line");
        assert_eq!(flag(&peak, limit_for_peak(peak.unreclaimable_bytes, Bytes(0), Bytes(0))), None);
        assert_eq!(flag(&peak, Bytes::mib(150)), None);
        assert_eq!(flag(&gunicorn("--max-old-space-size", "command line"), Bytes::mib(400)), None);
    }

    #[test]
    fn as_many_workers_fit_as_their_limit_was_made_for() {
        let limit = limit_for_peak(Bytes::mib(4 * 120 + 60), Bytes(0), Bytes(0));
        assert_eq!(fitting(limit, Bytes::mib(120), Bytes::mib(60), Bytes(0)), 4);
        assert_eq!(fitting(limit, Bytes(0), Bytes::mib(60), Bytes(0)), 0);
    }
}
