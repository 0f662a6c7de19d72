//! The document `oomph.dev/sizing/v1`: its field names and the meaning of `null` are a published contract.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::autoscaler::Vpa;
use super::workload::Stands;
use crate::diagnosis::{Confidence, GapReport, SourceReport};
use crate::growth::Class;
use crate::units::Bytes;

/// The name and version of the document's shape.
pub const SCHEMA: &str = "oomph.dev/sizing/v1";

/// The JSON Schema of [`Document`].
pub fn schema() -> schemars::Schema {
    schemars::schema_for!(Document)
}

/// What workloads should be given.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Document {
    /// Always `oomph.dev/sizing/v1`.
    pub schema: &'static str,
    /// One per container of a workload: what needs action first.
    pub workloads: Vec<Sizing>,
    /// What was read.
    pub sources: Vec<SourceReport>,
    /// What was not learned.
    pub gaps: Vec<GapReport>,
}

impl Document {
    /// Something needs action.
    pub fn needs_action(&self) -> bool {
        self.workloads.iter().any(|it| it.needs_action)
    }
}

/// What one container of a workload should be given, and why.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Sizing {
    /// Namespace; null outside of a cluster.
    pub namespace: Option<String>,
    /// Kind of the owner: `Deployment`, `CronJob`; null where there is none.
    pub kind: Option<String>,
    /// Name of the owner, of a trace's series, or of a recorded command.
    pub name: String,
    /// Container; null where the source does not name it.
    pub container: Option<String>,
    /// Replicas or runs that the history is made of.
    pub replicas: usize,
    /// How its memory behaves.
    pub class: Class,
    /// What that rests on.
    pub class_evidence: String,
    /// Which part of its memory grows: `heap`, `outside-heap`, `anonymous`, `cache`, a part of the waterfall, or one
    /// replica; null where nothing grows, or it cannot be told.
    pub growing_part: Option<String>,
    /// What was used.
    pub observed: Observed,
    /// The history was cut off by the old limit: how much would have been used is not known.
    pub censored: bool,
    /// What is set now.
    pub current: Setting,
    /// Whose rule the proposal follows: `oomph`, or the policy that was asked for.
    pub policy: &'static str,
    /// What should be set; null for a leak, and where too little is known.
    pub proposed: Option<Setting>,
    /// Why there is no proposal.
    pub proposed_missing: Option<String>,
    /// Why no runtime flags are proposed.
    pub flags_missing: Option<String>,
    /// One sentence for each number that is proposed.
    pub reasons: Vec<String>,
    /// The same history under the old and under the new limit; null where it was cut off by the old one, or where there
    /// is none.
    pub replay: Option<Replay>,
    /// How often it may be killed under the proposed limit.
    pub risk: Risk,
    /// How long until it reaches its limit; null where it does not grow, or has no limit.
    pub seconds_to_limit: Option<u64>,
    /// How sure the class and the proposal are.
    pub confidence: Confidence,
    /// The VPA that is there for the same container; null where none was read.
    pub vpa: Option<Vpa>,
    /// What to do besides, the most useful first.
    pub advice: Vec<Advice>,
    /// A leak, a limit that is too low, a proposal that differs from what is set by more than a tenth, or one under which
    /// the same history would have been killed.
    pub needs_action: bool,
    /// Where in its pod template the container stands: for patches.
    #[serde(skip)]
    #[schemars(skip)]
    pub stands: Stands,
}

/// What was used, over all replicas.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Observed {
    /// The median.
    pub p50_bytes: Option<Bytes>,
    /// Used at most for 95 % of the time.
    pub p95_bytes: Option<Bytes>,
    /// Used at most for 99 % of the time.
    pub p99_bytes: Option<Bytes>,
    /// The most.
    pub max_bytes: Option<Bytes>,
    /// First moment; null where the source does not know the date. Of a VPA's checkpoint its first sample.
    pub from: Option<Timestamp>,
    /// Last moment.
    pub to: Option<Timestamp>,
    /// Between two samples, the median.
    pub step_seconds: Option<u64>,
    /// Samples of all replicas.
    pub samples: u64,
    /// Kills for memory that the history tells of.
    pub kills: u64,
}

/// Request, limit and flags.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Setting {
    /// The memory request; null where it is not known.
    pub request_bytes: Option<Bytes>,
    /// The memory limit; null where it is not known.
    pub limit_bytes: Option<Bytes>,
    /// Runtime flags that belong to the limit.
    pub flags: Vec<crate::budget::FlagProposal>,
}

/// The same history under two limits. Null where the limit is not known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Replay {
    /// Kills under the limits that were in force.
    pub oom_kills_before: Option<u64>,
    /// Kills under the proposed limit.
    pub oom_kills_after: Option<u64>,
    /// What the old limit left unused beside the 95th percentile of each day: mean of the days, in percent of the limit.
    pub slack_pct_before: Option<f64>,
    /// The same of the proposed limit.
    pub slack_pct_after: Option<f64>,
}

/// How often a limit will be met, judged by the peaks of the days seen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Risk {
    /// Expected kills in 30 days; null where fewer than seven days were seen.
    pub kills_per_month: Option<f64>,
    /// The same under the present limit.
    pub kills_per_month_before: Option<f64>,
}

/// What to do besides setting the proposal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Advice {
    /// What.
    #[serde(rename = "do")]
    pub what: String,
    /// Why.
    pub why: String,
}
