//! What a sizing says of the VPA of the same container.

use schemars::JsonSchema;
use serde::Serialize;

use crate::units::Bytes;

/// A VPA that is there for the same container, beside what we propose.
#[derive(Debug, Clone, Default, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Vpa {
    /// Its name.
    pub name: String,
    /// `updateMode` as it is written; null where it is not, or where only a checkpoint was read.
    pub update_mode: Option<String>,
    /// Whether it changes the memory of the container's pods; null where only a checkpoint was read.
    pub changes_memory: Option<bool>,
    /// `controlledValues` as it is written; null where it is not.
    pub controlled_values: Option<String>,
    /// `minAllowed`.
    pub min_allowed_bytes: Option<Bytes>,
    /// `maxAllowed`.
    pub max_allowed_bytes: Option<Bytes>,
    /// What its status recommends.
    pub recommended: Option<VpaBounds>,
    /// What the recommender 1.8.1 makes of the checkpoint, with its defaults and before the policy caps it.
    pub from_checkpoint: Option<VpaBounds>,
    /// The limit that a pod gets with the recommended target, where it scales limits along; null where it does not, or
    /// request and limit are not known.
    pub limit_bytes: Option<Bytes>,
    /// Days of samples that the checkpoint counts.
    pub days: Option<f64>,
    /// The daily peaks that the checkpoint remembers, the lowest first.
    pub peaks: Vec<Peak>,
    /// What is known to go wrong with it here.
    pub defects: Vec<Defect>,
}

/// A request as a VPA recommends it, and the bounds within which one is left as it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct VpaBounds {
    /// The request.
    pub target_bytes: Bytes,
    /// A lower request is raised.
    pub lower_bytes: Option<Bytes>,
    /// A higher one is lowered.
    pub upper_bytes: Option<Bytes>,
    /// The request before the policy capped it; null where it is not told.
    pub uncapped_target_bytes: Option<Bytes>,
}

/// Daily peaks of one size.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Peak {
    /// They were no higher: the end of a bucket, which is a twentieth above its start.
    pub up_to_bytes: Bytes,
    /// Their share of the weight of all, in percent; a younger peak weighs more.
    pub share_pct: f64,
}

/// What is known to go wrong with a VPA in such a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Defect {
    /// Which: `minimum`, `limit-scaled`, `peaks-above-target`, `young-upper-bound`, `kill-diluted`,
    /// `kill-from-request`, `maximum-too-low`, `leak-fed`, `memory-scaled-twice`.
    pub id: &'static str,
    /// What it does here, with the numbers.
    pub what: String,
}
