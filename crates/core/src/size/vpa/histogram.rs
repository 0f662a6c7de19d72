//! The decaying histogram of memory peaks (`pkg/recommender/util/histogram.go`, `decaying_histogram.go`,
//! `histogram_options.go`, `model/aggregations_config.go` of VPA 1.8.1).

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::arithmetic::{logarithm, power, power_of_two, scaled};
use super::checkpoint::HistogramCheckpoint;
use crate::units::DAY;

/// The first bucket's size in bytes; each is larger than the one before by [`RATIO`].
const FIRST: f64 = 1e7;
const RATIO: f64 = 1.05;
/// Buckets up to 1 TB: `ceil(log(1e12 * 0.05 / 1e7 + 1) / log(1.05)) + 1`.
pub(in super::super) const BUCKETS: usize = 176;
/// A bucket with less weight is empty: 0.001 of the smallest weight of a sample, 0.1.
const EPSILON: f64 = 0.001 * 0.1;
/// Seconds in which a weight halves (`--memory-histogram-decay-half-life`).
const HALF_LIFE: i64 = DAY;
/// The reference moves when weights have grown by this power of two.
const LARGEST_EXPONENT: i64 = 100;
/// The largest weight of a bucket in a checkpoint.
const LARGEST_SAVED: f64 = 10_000.0;
/// Go's zero time, 1 January of the year 1, in seconds of Unix time.
pub(super) const NEVER: i64 = -62_135_596_800;

/// Where each bucket starts.
static STARTS: LazyLock<[f64; BUCKETS]> = LazyLock::new(|| {
    std::array::from_fn(|bucket| match i32::try_from(bucket) {
        Ok(number) if number > 0 => FIRST * (power(RATIO, number) - 1.0) / (RATIO - 1.0),
        _ => 0.0,
    })
});

/// The bucket that a value falls into.
pub(in super::super) fn bucket_of(value: f64) -> usize {
    if value < FIRST {
        return 0;
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "not negative, and below a thousand")]
    let bucket = (logarithm(value * (RATIO - 1.0) / FIRST + 1.0) / logarithm(RATIO)) as usize;
    bucket.min(BUCKETS - 1)
}

/// What stands for everything in a bucket: its end, and of the last, which has none, its start.
pub(in super::super) fn end_of(bucket: usize) -> f64 {
    STARTS[(bucket + 1).min(BUCKETS - 1)]
}

/// A time between two moments as Go counts it: nanoseconds, at most 292 years.
pub(super) fn nanoseconds(from: i64, to: i64) -> f64 {
    to.saturating_sub(from).saturating_mul(1_000_000_000) as f64
}

/// Weights of peaks; a younger one weighs more.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Histogram {
    weights: Box<[f64; BUCKETS]>,
    total: f64,
    first: usize,
    last: usize,
    /// The moment at which a peak weighs 1; seconds.
    reference: i64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { weights: Box::new([0.0; BUCKETS]), total: 0.0, first: BUCKETS - 1, last: 0, reference: NEVER }
    }
}

impl Histogram {
    /// A peak at a moment.
    pub(super) fn add(&mut self, value: f64, at: i64) {
        let weight = self.weight(at);
        let bucket = bucket_of(value);
        self.weights[bucket] += weight;
        self.total += weight;
        if self.weights[bucket] >= EPSILON {
            self.first = self.first.min(bucket);
            self.last = self.last.max(bucket);
        }
    }

    /// Takes a peak back.
    pub(super) fn subtract(&mut self, value: f64, at: i64) {
        let less = |from: f64, weight: f64| {
            let left = from - weight;
            if left < EPSILON { 0.0 } else { left }
        };
        let weight = self.weight(at);
        let bucket = bucket_of(value);
        self.total = less(self.total, weight);
        self.weights[bucket] = less(self.weights[bucket], weight);
        self.trim();
    }

    /// Adds another, whose reference moves with ours where it is older: upstream changes it as well.
    pub(super) fn merge(&mut self, other: &mut Self) {
        if self.reference < other.reference {
            self.shift(other.reference);
        } else if other.reference < self.reference {
            other.shift(self.reference);
        }
        for bucket in other.first..=other.last {
            self.weights[bucket] += other.weights[bucket];
        }
        self.total += other.total;
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
    }

    /// The end of the bucket in which so large a share of the weight is reached; 0 of nothing.
    pub(super) fn percentile(&self, share: f64) -> f64 {
        if self.weights[self.first] < EPSILON {
            return 0.0;
        }
        let wanted = share * self.total;
        let mut sum = 0.0;
        let mut bucket = self.first;
        while bucket < self.last {
            sum += self.weights[bucket];
            if sum >= wanted {
                break;
            }
            bucket += 1;
        }
        end_of(bucket)
    }

    /// What a sample at a moment weighs. One that is far ahead moves the reference first.
    fn weight(&mut self, at: i64) -> f64 {
        if at > self.reference.saturating_add(HALF_LIFE * LARGEST_EXPONENT) {
            self.shift(at);
        }
        power_of_two(nanoseconds(self.reference, at) / nanoseconds(0, HALF_LIFE))
    }

    fn shift(&mut self, to: i64) {
        // A multiple of the half-life since the year 1, half of it rounded up; Unix time began at such a multiple.
        let past = to.rem_euclid(HALF_LIFE);
        let to = if past + past < HALF_LIFE { to - past } else { to + (HALF_LIFE - past) };
        let exponent = (nanoseconds(to, self.reference) / nanoseconds(0, HALF_LIFE) + 0.5).floor();
        #[expect(clippy::cast_possible_truncation, reason = "292 years have 106,752 days")]
        let exponent = exponent as i32;
        for bucket in self.first..=self.last {
            self.weights[bucket] = scaled(self.weights[bucket], exponent);
        }
        self.total = scaled(self.total, exponent);
        self.trim();
        self.reference = to;
    }

    /// The range of buckets that are not empty.
    fn trim(&mut self) {
        while self.weights[self.first] < EPSILON && self.first < BUCKETS - 1 {
            self.first += 1;
        }
        while self.weights[self.last] < EPSILON && self.last > 0 {
            self.last -= 1;
        }
    }

    /// As a checkpoint keeps it: weights as whole numbers, the largest 10,000.
    pub(super) fn save(&self) -> HistogramCheckpoint {
        let range = || self.first..=self.last;
        let largest = range().map(|bucket| self.weights[bucket]).fold(0.0, f64::max);
        let ratio = LARGEST_SAVED / largest;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 10,000")]
        let saved = |bucket: usize| (bucket, (self.weights[bucket] * ratio + 0.5).floor() as u32);
        let bucket_weights: BTreeMap<usize, u32> = range().map(saved).filter(|(_, weight)| *weight > 0).collect();
        HistogramCheckpoint {
            reference: Some(self.reference).filter(|it| *it != NEVER),
            bucket_weights,
            total_weight: self.total,
        }
    }

    /// The histogram of a checkpoint, or why it is none.
    pub(super) fn load(saved: &HistogramCheckpoint) -> Result<Self, String> {
        let mut it = Self::default();
        if saved.total_weight < 0.0 {
            return Err(format!("its total weight of {} is negative", saved.total_weight));
        }
        if let Some(bucket) = saved.bucket_weights.keys().find(|bucket| **bucket >= BUCKETS) {
            return Err(format!("there is no bucket {bucket}; the last is {}", BUCKETS - 1));
        }
        let sum: u64 = saved.bucket_weights.values().map(|weight| u64::from(*weight)).sum();
        if sum > 0 {
            let ratio = saved.total_weight / sum as f64;
            for (bucket, weight) in &saved.bucket_weights {
                it.first = it.first.min(*bucket);
                it.last = it.last.max(*bucket);
                it.weights[*bucket] += f64::from(*weight) * ratio;
            }
            it.total += saved.total_weight;
            it.trim();
        }
        it.reference = saved.reference.unwrap_or(NEVER);
        Ok(it)
    }

    /// Peaks by bucket, as shares of the whole, the lowest first.
    pub(super) fn shares(&self) -> impl Iterator<Item = (f64, f64)> + '_ {
        let filled = (self.first..=self.last).filter(|bucket| self.weights[*bucket] >= EPSILON);
        filled.map(|bucket| (end_of(bucket), self.weights[bucket] / self.total))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_grow_by_a_twentieth_from_ten_megabytes() {
        assert_eq!((bucket_of(0.0), bucket_of(9.9e6), bucket_of(1e7), bucket_of(1e30)), (0, 0, 1, BUCKETS - 1));
        for bucket in 1..BUCKETS - 1 {
            let inside = f64::midpoint(STARTS[bucket], STARTS[bucket + 1]);
            assert_eq!(bucket_of(inside), bucket, "{inside}");
        }
        assert!(STARTS[BUCKETS - 1] < 1.05e12 && STARTS[BUCKETS - 1] > 0.9e12);
    }

    #[test]
    fn a_peak_of_yesterday_weighs_half() {
        let mut it = Histogram::default();
        it.add(1e8, 1_700_000_000);
        it.add(2e8, 1_700_000_000 + HALF_LIFE);
        let shares: Vec<f64> = it.shares().map(|(_, share)| share).collect();
        assert!((shares[0] - 1.0 / 3.0).abs() < 1e-12, "{shares:?}");
        it.subtract(2e8, 1_700_000_000 + HALF_LIFE);
        assert_eq!(it.shares().count(), 1);
        assert_eq!(it.percentile(0.9).to_bits(), end_of(bucket_of(1e8)).to_bits());
    }

    #[test]
    fn what_is_saved_is_loaded() {
        let mut it = Histogram::default();
        (0..20).for_each(|day| it.add(f64::from(day % 5) * 1e8, 1_700_000_000 + i64::from(day) * HALF_LIFE));
        let saved = it.save();
        assert_eq!(saved.bucket_weights.values().max(), Some(&10_000));
        let loaded = Histogram::load(&saved).unwrap();
        assert_eq!(loaded.percentile(0.9).to_bits(), it.percentile(0.9).to_bits());
        let bad = HistogramCheckpoint { bucket_weights: [(176, 1)].into(), ..saved };
        assert!(Histogram::load(&bad).unwrap_err().contains("no bucket 176"));
    }
}
