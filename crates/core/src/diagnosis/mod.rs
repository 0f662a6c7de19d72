//! What a run says: the document `oomph.dev/diagnosis/v1`.
//!
//! The field names and the meaning of `null` are a published contract; the JSON Schema in `schema/` is generated from
//! these types. An unknown value is `null`, never a guess; lists are always lists.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::fact::{ContainerKind, Gap, Level, Qos};
use crate::units::Bytes;

mod composition;
mod kill;
mod verdict;

pub use composition::Composition;
pub use kill::{CandidateReport, KillReport, TaskReport, VictimReport};
pub use verdict::Verdict;

/// The name and version of the document's shape.
pub const SCHEMA: &str = "oomph.dev/diagnosis/v1";

/// The JSON Schema of [`Document`].
pub fn schema() -> schemars::Schema {
    schemars::schema_for!(Document)
}

/// One run's answer.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Document {
    /// Always `oomph.dev/diagnosis/v1`.
    pub schema: &'static str,
    /// One per container that ended, lost a process or could not start, and per pod that was rejected or evicted; newest first.
    pub diagnoses: Vec<Diagnosis>,
    /// Every invocation of the kernel's OOM killer found, in the order of the evidence.
    pub kernel_kills: Vec<KillReport>,
    /// What was read, and what could not be.
    pub sources: Vec<SourceReport>,
    /// What was not learned.
    pub gaps: Vec<GapReport>,
    /// Where a pod or workload was named: what of it runs well, a sentence each. For people: what is well is no diagnosis.
    #[serde(skip)]
    pub named: Option<Vec<String>>,
}

/// Why one container ended.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Diagnosis {
    /// Whom it is about.
    pub subject: SubjectReport,
    /// What ended the container's main process (or the pod).
    pub verdict: Verdict,
    /// Whether the kernel's OOM killer killed a process of this container in the life that ended or runs; `null`: cannot be told.
    pub oom_kill: Option<bool>,
    /// How sure the verdict is, by the rule written on its page.
    pub confidence: Confidence,
    /// Which cgroup's limit fired.
    pub level: Option<Level>,
    /// How sure the level is.
    pub level_confidence: Option<Confidence>,
    /// Which process was killed.
    pub victim: Option<VictimKind>,
    /// One sentence.
    pub summary: String,
    /// How the life that is diagnosed ended; every field `null` where nothing ended.
    pub termination: TerminationReport,
    /// What proves it.
    pub evidence: Vec<Evidence>,
    /// What it was not, and by which fact.
    pub ruled_out: Vec<RuledOut>,
    /// What would tell more, and the command that shows it.
    pub missing: Vec<Missing>,
    /// What made it likely.
    pub contributors: Vec<Contributor>,
    /// What to do.
    pub advice: Vec<Advice>,
    /// Ids in `kernelKills`.
    pub kills: Vec<String>,
    /// Memory settings in force and what the memory consisted of.
    pub memory: MemoryReport,
    /// How its deaths repeat.
    pub pattern: Pattern,
    /// What changed shortly before.
    pub changes: Vec<Change>,
}

/// How sure a statement is. What counts is a rule for each verdict, not a feeling.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// It fits, and others fit as well.
    Possible,
    /// It is the ordinary explanation of what was seen; named evidence would prove it.
    Likely,
    /// The component that acted says so.
    Proven,
}

/// Names of the container or pod. Unknown names are `null`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SubjectReport {
    /// Namespace.
    pub namespace: Option<String>,
    /// Pod.
    pub pod: Option<String>,
    /// Pod uid, with dashes.
    pub pod_uid: Option<String>,
    /// Container.
    pub container: Option<String>,
    /// Which list of the pod it stands in.
    pub container_kind: Option<ContainerKind>,
    /// Bare container id.
    pub container_id: Option<String>,
    /// Node.
    pub node: Option<String>,
    /// `Kind/name` of the controlling owner.
    pub owner: Option<String>,
    /// `spec.runtimeClassName`.
    pub runtime_class: Option<String>,
}

/// Which process was killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum VictimKind {
    /// The container's first process.
    Main,
    /// Another process of the container.
    Child,
    /// The runtime's own process (`runc:[2:INIT]`), before the program ran.
    RuntimeInit,
    /// The pod's sandbox.
    Sandbox,
}

/// How a life ended.
#[derive(Debug, Clone, Default, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TerminationReport {
    /// Exit code as reported.
    pub exit_code: Option<i32>,
    /// The signal: reported, or exit code - 128 for 129..=159.
    pub signal: Option<i32>,
    /// Reason as reported.
    pub reason: Option<String>,
    /// Start.
    pub started_at: Option<Timestamp>,
    /// End.
    pub finished_at: Option<Timestamp>,
    /// Restarts of the container so far.
    pub restart_count: Option<u32>,
    /// It was asked to stop, did not within its grace period, and was killed for that; `null`: not known.
    pub grace_expired: Option<bool>,
}

/// A fact that speaks for the verdict, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Evidence {
    /// What it says, in a sentence.
    pub says: String,
    /// The artifact's name.
    pub source: String,
    /// `line 12`, or a JSON pointer.
    pub locator: String,
    /// The words themselves.
    pub excerpt: String,
}

/// A verdict that does not hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RuledOut {
    /// The verdict.
    pub verdict: Verdict,
    /// The fact that excludes it.
    pub because: String,
}

/// What was not seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Missing {
    /// What.
    pub what: String,
    /// The command that shows it.
    pub command: String,
}

/// What made it likely, found by the rules of lint on the spec in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Contributor {
    /// What, in a sentence.
    pub says: String,
    /// The artifact's name.
    pub source: String,
    /// Where in it.
    pub locator: String,
}

/// A change worth making.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Advice {
    /// What to do.
    #[serde(rename = "do")]
    pub action: String,
    /// Why.
    pub why: String,
    /// What it costs or breaks.
    pub risk: String,
    /// A ready command or patch; `null` where none can be given without guessing.
    pub patch: Option<String>,
}

/// Memory settings in force.
#[derive(Debug, Clone, Default, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MemoryReport {
    /// The container's request.
    pub request_bytes: Option<Bytes>,
    /// The container's limit at death.
    pub limit_bytes: Option<Bytes>,
    /// Who set the limit: `template`, `LimitRange`, `resize`, `VPA`, `engine`, `oomph run`, `kernel log`.
    pub limit_from: Option<String>,
    /// The pod's limit: its own resources, or the sum where every container has one.
    pub pod_limit_bytes: Option<Bytes>,
    /// QoS class.
    pub qos_class: Option<Qos>,
    /// The kubelet's `oom_score_adj` for it.
    pub oom_score_adj: Option<i32>,
    /// What the memory of the cgroup whose limit fired consisted of.
    pub composition: Composition,
}

/// How deaths repeat.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Pattern {
    /// Deaths known of: restarts and the present end.
    pub deaths: u32,
    /// Lifetimes in seconds, oldest first, where known.
    pub seconds_to_death: Vec<f64>,
    /// The shape of those lifetimes.
    pub kind: PatternKind,
    /// Other pods of the same node that died in the same minute.
    pub together: Vec<String>,
}

/// The shape of a container's lifetimes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum PatternKind {
    /// One death known.
    Single,
    /// Equal lifetimes: a start-up peak or a replay of the same work.
    Constant,
    /// Each shorter than the one before.
    Shrinking,
    /// Each longer than the one before.
    Growing,
    /// No order.
    Irregular,
}

/// Something that changed before the death.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Change {
    /// When.
    pub at: Option<Timestamp>,
    /// What.
    pub what: String,
}

/// What was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SourceReport {
    /// The artifact's or endpoint's name.
    pub name: String,
    /// What it is: `kernel log`, `pods`, ...
    pub kind: String,
    /// Whether it could be read.
    pub status: SourceState,
    /// First moment covered.
    pub from: Option<Timestamp>,
    /// Last moment covered.
    pub to: Option<Timestamp>,
    /// Why not, or why only in part.
    pub because: String,
}

/// Whether a source could be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SourceState {
    /// Whole.
    Read,
    /// In part.
    Partial,
    /// No permission.
    Forbidden,
    /// Not there.
    Absent,
}

/// What was not learned.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GapReport {
    /// What.
    pub what: String,
    /// Why.
    pub because: String,
    /// The command that would fill it.
    pub command: String,
}

impl From<Gap> for GapReport {
    fn from(Gap { what, because, command }: Gap) -> Self {
        Self { what, because, command }
    }
}
