//! A running command, sampled until it ends, and looked at where it is worth it.

use std::process::{Child, ExitStatus};
use std::time::Duration;

use anyhow::{Context, Result};
use oomph_core::recording::Sample;
use oomph_core::units::Bytes;
use oomph_core::waterfall::{Subject, Waterfall};
use oomph_node::clock::processor_time;
use oomph_node::hierarchy::Hierarchy;
use oomph_node::sampler::{Sampler, Triggers};
use oomph_node::scope::Scope;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, pidfd_open};

use super::live::Live;
use crate::ui::Ui;

/// Samples kept; a longer run keeps every second one, the larger of two.
const SAMPLES_MAX: usize = 36_000;

/// A running command, looked at.
pub(super) struct Watch<'a> {
    hierarchy: &'a Hierarchy,
    scope: &'a Scope,
    limit: Option<Bytes>,
    sampler: Sampler,
    triggers: Triggers,
    pub(super) samples: Vec<Sample>,
    pub(super) peak: Option<Waterfall>,
    live: Live,
    /// `memory.high` is in force.
    slowed: bool,
}

impl<'a> Watch<'a> {
    pub(super) fn new(hierarchy: &'a Hierarchy, scope: &'a Scope, limit: Option<Bytes>, ui: Ui) -> Self {
        let high = limit.map(|limit| Bytes(limit.0 / 20 * 19));
        scope.slow_above(high);
        Self {
            hierarchy,
            scope,
            limit,
            sampler: Sampler::new(hierarchy.version, scope.folder.clone(), limit),
            triggers: Triggers::default(),
            samples: Vec::new(),
            peak: None,
            live: Live::new(limit, ui),
            slowed: high.is_some(),
        }
    }

    /// Samples until the command's own process ends.
    pub(super) fn until_end(&mut self, child: &mut Child) -> Result<ExitStatus> {
        let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw).context("the child has no pid")?;
        let pidfd = pidfd_open(pid, PidfdFlags::empty());
        loop {
            let sample = self.sampler.sample();
            if let Some(sample) = sample {
                self.take(sample);
            }
            if let Some(status) = child.try_wait().context("cannot wait for the command")? {
                self.live.end();
                return Ok(status);
            }
            let pause = sample.map_or(Duration::from_millis(10), |sample| self.sampler.pause(&sample));
            match &pidfd {
                Ok(pidfd) => {
                    let timeout = Timespec::try_from(pause).unwrap_or(Timespec { tv_sec: 0, tv_nsec: 10_000_000 });
                    let _ = poll(&mut [PollFd::new(pidfd, PollFlags::IN)], Some(&timeout));
                }
                Err(_) => std::thread::sleep(pause),
            }
        }
    }

    fn take(&mut self, sample: Sample) {
        self.live.show(&sample);
        self.samples.push(sample);
        thin(&mut self.samples);
        let near = self.limit.is_some_and(|limit| sample.usage.0 >= limit.0 / 100 * 94);
        if self.triggers.is_due(&sample) || (self.slowed && near) {
            self.look();
        }
        if self.slowed && near {
            // It has been looked at this close to the limit: from here on nothing holds it back.
            self.scope.slow_above(None);
            self.slowed = false;
        }
    }

    /// The waterfall now; the one with the most out of the kernel's reach is kept, but none whose runtimes could not be
    /// read (the process was on its way out) in place of one whose could.
    fn look(&mut self) {
        let began = processor_time();
        // Once: a command that grows is looked at again before long. What was freed meanwhile is in no part: again.
        let glance = || oomph_node::inspect::glance(self.hierarchy, &self.scope.path, &Subject::default());
        let first = glance();
        let waterfall = if is_of_one_moment(&first) { first } else { glance() };
        self.triggers.looked(waterfall.unreclaimable_bytes, processor_time().saturating_sub(began));
        let better = self.peak.as_ref().is_none_or(|peak| worth(&waterfall) >= worth(peak));
        if !waterfall.processes.is_empty() && better {
            self.peak = Some(waterfall);
        }
    }
}

/// What a waterfall tells: whether it fits together, runtimes that were read, then how much memory it is of.
fn worth(waterfall: &Waterfall) -> (bool, usize, Bytes) {
    let read = waterfall.processes.iter().filter(|process| process.runtime.resolved).count();
    (is_of_one_moment(waterfall), read, waterfall.unreclaimable_bytes)
}

/// Whether charge and parts are of the same moment, as far as their sums tell: all but an eighth has a place. The stock
/// of pages that every processor holds is some megabytes of a small cgroup.
fn is_of_one_moment(waterfall: &Waterfall) -> bool {
    waterfall.unexplained_bytes.unsigned_abs() <= (waterfall.charged_bytes.0 / 8).max(4 << 20)
}

/// Halves a long history, keeping the larger of two neighbours: peaks are what counts.
pub(super) fn thin(samples: &mut Vec<Sample>) {
    if samples.len() >= SAMPLES_MAX {
        let larger = |two: &[Sample]| two.iter().copied().max_by_key(|sample| sample.unreclaimable);
        *samples = samples.chunks(2).filter_map(larger).collect();
    }
}
