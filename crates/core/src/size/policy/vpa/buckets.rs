//! The exponential buckets of the VPA's memory histogram (autoscaler 1.8, `pkg/recommender/model/aggregations_config.go`:
//! first bucket 10 MB, each 5 % larger than the one before).

const FIRST: f64 = 1e7;
const RATIO: f64 = 1.05;

/// The bucket that a value falls into.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "not negative, and below a thousand")]
pub(in super::super) fn of(value: f64) -> usize {
    if value < FIRST { 0 } else { ((value * (RATIO - 1.0) / FIRST + 1.0).ln() / RATIO.ln()) as usize }
}

/// The end of a bucket, which stands for everything in it.
pub(in super::super) fn end(bucket: usize) -> f64 {
    FIRST * (RATIO.powf((bucket + 1) as f64) - 1.0) / (RATIO - 1.0)
}
