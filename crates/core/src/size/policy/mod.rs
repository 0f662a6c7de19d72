//! Policies: rules that set a memory limit from what was used so far. Ours and its peers', behind one trait.
//!
//! A policy sees one container through its limit: the maximum of every five minutes, and a word when the container was
//! killed. It decides once an hour. Amounts are bytes as `f64`, as the peers' own arithmetic has them.

mod autopilot;
mod ceiling;
mod crane;
mod krr;
mod oomph;
mod oracle;
mod percentile;
mod raised;
mod vpa;
mod window;

/// Steps of five minutes in an hour.
pub const HOUR: usize = 12;
/// Steps of five minutes in a day.
pub const DAY: usize = 24 * HOUR;

/// Bytes of a MiB.
const MIB: f64 = (1 << 20) as f64;

/// A rule that sets a limit. Steps are counted from the container's first sample.
pub trait Policy {
    /// The container was killed in this step, `seen` the most it was seen to use. Comes before [`Policy::observe`].
    fn killed(&mut self, step: usize, seen: f64);
    /// The most that was used in this step: never more than the limit in force.
    fn observe(&mut self, step: usize, peak: f64);
    /// An hour is full: the limit may change.
    fn decide(&mut self, step: usize);
    /// The limit in force is this, whoever set it.
    fn under(&mut self, limit: f64);
    /// The limit in force; asked for only after the first decision.
    fn limit(&self) -> f64;
}

/// A policy by its name.
#[derive(Debug, Clone, Copy)]
pub struct Known {
    /// As `--policy` takes it.
    pub name: &'static str,
    /// What it does, in one sentence.
    pub what: &'static str,
    /// It keeps one histogram of all replicas, in the VPA's own form, and not one state for each.
    pub of_vpa: bool,
    /// A fresh one for a container; its whole grid is given, which the oracle alone looks into.
    pub start: fn(grid: &[f64]) -> Box<dyn Policy>,
}

/// All policies, ours first.
pub const POLICIES: [Known; 9] = [
    Known {
        name: "oomph",
        what: "the highest past peak for as long as keeping it costs less than a kill, and a margin",
        of_vpa: false,
        start: |_| Box::new(oomph::Oomph::default()),
    },
    Known {
        name: "vpa",
        what: "VPA 1.8: p90 of decayed daily peaks + 15 %, bumped by kills, with the updater's rules",
        of_vpa: true,
        start: |_| Box::new(vpa::Vpa::default()),
    },
    Known {
        name: "autopilot-max",
        what: "Autopilot's moving window: highest of 7 days + 12 %",
        of_vpa: false,
        start: |_| Box::new(autopilot::Highest::default()),
    },
    Known {
        name: "autopilot-p98",
        what: "Autopilot's moving window: load-weighted p98, half-life 48 h, + 12 %",
        of_vpa: false,
        start: |_| Box::new(autopilot::LoadWeighted::default()),
    },
    Known {
        name: "krr",
        what: "KRR --use-oomkill-data: highest of 14 days + 15 %, or the limit of a kill + 25 %",
        of_vpa: false,
        start: |_| Box::new(krr::Krr::default()),
    },
    Known {
        name: "p99x1.25",
        what: "p99 of 7 days + 25 %, bumped by kills for 7 days",
        of_vpa: false,
        start: |_| Box::new(percentile::Percentile::default()),
    },
    Known {
        name: "crane",
        what: "Crane: p99 of 7 days with a half-life of 48 h + 15 %, bumped by kills for 7 days",
        of_vpa: false,
        start: |_| Box::new(crane::Crane::default()),
    },
    Known {
        name: "highest-ever",
        what: "the highest peak since the beginning + 15 %: what never forgetting costs",
        of_vpa: false,
        start: |_| Box::new(ceiling::Ceiling::default()),
    },
    Known {
        name: "oracle",
        what: "each day's own highest, known beforehand: what no rule can beat",
        of_vpa: false,
        start: |grid| Box::new(oracle::Oracle::new(grid)),
    },
];

/// The policy of that name; `autopilot` and `p99` are short for `autopilot-max` and `p99x1.25`.
pub fn named(name: &str) -> Option<Known> {
    let name = match name {
        "autopilot" => "autopilot-max",
        "p99" => "p99x1.25",
        whole => whole,
    };
    POLICIES.into_iter().find(|known| known.name == name)
}

/// What most peers raise a limit to after a kill: by a fifth, by 100 MiB at least (VPA 1.8, `oom-bump-up-ratio` and
/// `oom-min-bump-up-bytes`).
fn bumped(limit: f64) -> f64 {
    (limit * 1.2).max(limit + 100.0 * MIB)
}

/// Whether `next` differs from `limit` by more than `share` of it.
fn differs(limit: f64, next: f64, share: f64) -> bool {
    (next - limit).abs() / limit > share
}
