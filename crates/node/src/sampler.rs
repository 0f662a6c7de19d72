//! A cgroup's charge, read again and again.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use oomph_core::recording::Sample;
use oomph_core::units::Bytes;
use oomph_core::waterfall::{Charge, Version};

/// Reads one cgroup's charge.
#[derive(Debug)]
pub struct Sampler {
    folder: PathBuf,
    version: Version,
    began: Instant,
    /// The limit.
    limit: Option<Bytes>,
}

/// Far from the limit: ten times a second.
const FAR: Duration = Duration::from_millis(100);
/// Near it a program needs only milliseconds to the kill.
const NEAR: Duration = Duration::from_millis(10);

impl Sampler {
    /// For the cgroup in `folder`.
    pub fn new(version: Version, folder: PathBuf, limit: Option<Bytes>) -> Self {
        Self { folder, version, began: Instant::now(), limit }
    }

    /// What is charged now; `None` when the cgroup is gone.
    pub fn sample(&self) -> Option<Sample> {
        let names: &[&str] = match self.version {
            Version::V1 => &["memory.usage_in_bytes", "memory.kmem.usage_in_bytes", "memory.stat"],
            Version::V2 => &["memory.current", "memory.stat"],
        };
        let files = names.iter().filter_map(|name| Some((*name, fs::read(self.folder.join(name)).ok()?)));
        let files: Vec<(&str, Vec<u8>)> = files.collect();
        let charge = Charge::from_files(self.version, files.iter().map(|(name, bytes)| (*name, bytes.as_slice())));
        Some(Sample {
            at: u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX),
            usage: charge.usage?,
            anon: charge.anon.unwrap_or_default(),
            file: charge.file.unwrap_or_default(),
            shmem: charge.shmem.unwrap_or_default(),
            kernel: charge.kernel.unwrap_or_default(),
            // Without swap: what a command needs is to be planned in memory.
            unreclaimable: charge.unreclaimable(Bytes(0)).unwrap_or_default(),
        })
    }

    /// How long to wait for the next sample.
    pub fn pause(&self, last: &Sample) -> Duration {
        let near = self.limit.is_some_and(|limit| last.unreclaimable.0 > limit.0 / 10 * 7);
        if near { NEAR } else { FAR }
    }
}

/// When to look at the whole waterfall: it costs some ten milliseconds, so each look must be worth it.
#[derive(Debug, Default)]
pub struct Triggers {
    seen: Bytes,
    last: Option<(Instant, Duration)>,
}

/// Looks may take this share of a processor at most: one part in so many. Counted in processor time, so that on a busy
/// machine, where a look lasts longer, no fewer are taken.
const SHARE: u32 = 5;

/// By then a program has started: one that never grows is looked at once.
const STARTED: Duration = Duration::from_millis(250);

impl Triggers {
    /// Whether memory has grown enough since the last look, by a sixteenth and 1 MiB, and that one was long enough ago;
    /// or the command runs for a while and was not looked at yet.
    pub fn is_due(&self, sample: &Sample) -> bool {
        let grown = sample.unreclaimable.0 > self.seen.0 + (self.seen.0 / 16).max(1 << 20);
        match self.last {
            None => grown || u128::from(sample.at) >= STARTED.as_millis(),
            Some((at, took)) => grown && at.elapsed() > took * SHARE,
        }
    }

    /// A look was taken, which took so much processor time.
    pub fn looked(&mut self, unreclaimable: Bytes, took: Duration) {
        self.seen = self.seen.max(unreclaimable);
        self.last = Some((Instant::now(), took));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_is_due_when_memory_has_grown_and_not_sooner() {
        let sample = |mib| Sample { unreclaimable: Bytes::mib(mib), ..Sample::default() };
        let mut triggers = Triggers::default();
        assert!(triggers.is_due(&sample(2)));
        assert!(!triggers.is_due(&sample(1)), "it only starts");
        assert!(triggers.is_due(&Sample { at: 300, ..sample(1) }), "it never grows, and is looked at once");
        triggers.looked(Bytes::mib(100), Duration::ZERO);
        std::thread::sleep(Duration::from_millis(1));
        assert!(!triggers.is_due(&sample(104)));
        assert!(triggers.is_due(&sample(108)));
        triggers.looked(Bytes::mib(108), Duration::from_mins(1));
        assert!(!triggers.is_due(&sample(500)), "the last look took too long");
    }
}
