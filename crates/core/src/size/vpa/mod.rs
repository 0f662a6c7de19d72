//! The recommender of the Vertical Pod Autoscaler 1.8.1 with its defaults, for the memory of one container: what it
//! recommends on a history, bit for bit. `tests/vpa-oracle` holds it against upstream's own code.

mod aggregate;
mod arithmetic;
mod checkpoint;
mod container;
pub(super) mod histogram;
mod recommendation;

pub use checkpoint::{Checkpoint, HistogramCheckpoint, VERSION};
pub use recommendation::{Recommendation, least};

use aggregate::Aggregate;
use container::Container;

/// No amount is larger (`MaxResourceAmount`, `pkg/recommender/model/types.go`).
const LARGEST: i64 = 100_000_000_000_000;

/// A computed number as an amount (`resourceAmountFromFloat`, the same file).
#[expect(clippy::cast_possible_truncation, reason = "it is bounded, and cut off as upstream does")]
fn amount(bytes: f64) -> i64 {
    if bytes > LARGEST as f64 { LARGEST } else { bytes.max(0.0) as i64 }
}

/// A recommender that watches one container of a workload. Moments are seconds of Unix time, amounts bytes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Recommender {
    replicas: Vec<Container>,
    seen: Aggregate,
    loaded: Option<Aggregate>,
}

impl Recommender {
    /// One that knows a checkpoint alone, as after a restart; or why it cannot be read.
    ///
    /// # Errors
    ///
    /// The checkpoint has a weight or a bucket that upstream refuses as well.
    pub fn load(saved: &Checkpoint) -> Result<Self, String> {
        Ok(Self { loaded: Some(Aggregate::load(saved)?), ..Self::default() })
    }

    /// A sample of memory of a replica. One that is older than the last is dropped.
    pub fn used(&mut self, replica: usize, at: i64, bytes: i64) {
        let (container, seen) = self.at(replica);
        container.used(at, bytes, seen);
    }

    /// A sample of CPU of a replica: confidence counts these alone.
    pub fn cpu(&mut self, replica: usize, at: i64) {
        let (container, seen) = self.at(replica);
        container.cpu(at, seen);
    }

    /// A kill for memory of a replica with this request. One that is older than a day is dropped.
    pub fn killed(&mut self, replica: usize, at: i64, request: i64) {
        let (container, seen) = self.at(replica);
        container.killed(at, request, seen);
    }

    /// What is recommended for the container, in a pod of so many.
    pub fn recommend(&mut self, containers: u32) -> Recommendation {
        if self.loaded.is_none() {
            // To merge into what is empty changes nothing.
            return Recommendation::of(&self.seen, containers);
        }
        Recommendation::of(&self.merged(), containers)
    }

    /// What a checkpoint at this moment keeps: all but the peaks of the running intervals.
    pub fn save(&mut self, now: i64) -> Checkpoint {
        let mut all = self.merged();
        for (peak, end) in self.replicas.iter().filter_map(Container::under_way).filter(|(_, end)| now < *end) {
            all.peaks.subtract(peak as f64, end);
        }
        all.save()
    }

    /// The peaks as shares of their weight, the lowest first: the end of a bucket in bytes, and its share.
    pub fn peaks(&mut self) -> Vec<(f64, f64)> {
        self.merged().peaks.shares().collect()
    }

    fn merged(&mut self) -> Aggregate {
        let mut all = Aggregate::default();
        all.merge(&mut self.seen);
        if let Some(loaded) = &mut self.loaded {
            all.merge(loaded);
        }
        all
    }

    fn at(&mut self, replica: usize) -> (&mut Container, &mut Aggregate) {
        if self.replicas.len() <= replica {
            self.replicas.resize(replica + 1, Container::default());
        }
        (&mut self.replicas[replica], &mut self.seen)
    }
}
