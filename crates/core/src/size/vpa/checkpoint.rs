//! What a VerticalPodAutoscalerCheckpoint keeps of a container (`pkg/apis/autoscaling.k8s.io/v1/types.go` of VPA 1.8.1,
//! `VerticalPodAutoscalerCheckpointStatus`); its histogram of CPU is not read.

use std::collections::BTreeMap;

/// The version that this model reads and upstream writes (`SupportedCheckpointVersion`).
pub const VERSION: &str = "v3";

/// The state of a container.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Checkpoint {
    /// The first and the last sample of CPU; seconds of Unix time.
    pub first_sample: Option<i64>,
    /// See above.
    pub last_sample: Option<i64>,
    /// Samples of CPU.
    pub samples: i64,
    /// Peaks of memory.
    pub memory: HistogramCheckpoint,
}

/// A histogram, its weights rounded.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct HistogramCheckpoint {
    /// The moment at which a peak weighs 1; seconds of Unix time.
    pub reference: Option<i64>,
    /// Weights of buckets, of which the largest is 10,000.
    pub bucket_weights: BTreeMap<usize, u32>,
    /// What they sum up to.
    pub total_weight: f64,
}
