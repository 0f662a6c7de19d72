//! What all replicas of a container have shown (`pkg/recommender/model/aggregate_container_state.go` of VPA 1.8.1).

use super::checkpoint::Checkpoint;
use super::histogram::{Histogram, NEVER};

/// Peaks of memory, and how much was sampled.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Aggregate {
    /// One peak per container and day.
    pub(super) peaks: Histogram,
    /// The first and the last sample of CPU: upstream counts no others.
    pub(super) first: i64,
    pub(super) last: i64,
    /// Samples of CPU.
    pub(super) samples: i64,
}

impl Default for Aggregate {
    fn default() -> Self {
        Self { peaks: Histogram::default(), first: NEVER, last: NEVER, samples: 0 }
    }
}

impl Aggregate {
    pub(super) fn cpu(&mut self, at: i64) {
        self.last = self.last.max(at);
        if self.first == NEVER || at < self.first {
            self.first = at;
        }
        self.samples += 1;
    }

    pub(super) fn merge(&mut self, other: &mut Self) {
        self.peaks.merge(&mut other.peaks);
        if self.first == NEVER || (other.first != NEVER && other.first < self.first) {
            self.first = other.first;
        }
        self.last = self.last.max(other.last);
        self.samples = self.samples.saturating_add(other.samples);
    }

    pub(super) fn save(&self) -> Checkpoint {
        let known = |at: i64| Some(at).filter(|it| *it != NEVER);
        Checkpoint {
            first_sample: known(self.first),
            last_sample: known(self.last),
            samples: self.samples,
            memory: self.peaks.save(),
        }
    }

    pub(super) fn load(saved: &Checkpoint) -> Result<Self, String> {
        Ok(Self {
            peaks: Histogram::load(&saved.memory)?,
            first: saved.first_sample.unwrap_or(NEVER),
            last: saved.last_sample.unwrap_or(NEVER),
            samples: saved.samples,
        })
    }
}
