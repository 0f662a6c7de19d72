//! Ends that a runtime calls OOM kills because of a kill next door.
//!
//! Where the limit of a cgroup fires, version 1 tells every cgroup below it (mm/memcontrol.c `mem_cgroup_oom_notify`,
//! Linux 6.12, walks the whole tree). containerd and Docker listen there, and call every later end of a container of
//! that pod OOMKilled, whichever container lost a process (seen on Kubernetes 1.37 with containerd 1.6).

use super::coverage::{LATE, Silence};
use super::matching::is_uid_of;
use super::{Case, Life, Seen};
use crate::fact::{KernelKill, Level};

impl<'a> Case<'a> {
    /// The kill that explains the word where it was none of this container: of another container, in this life, by the
    /// limit of a cgroup above both. `None` unless the log that names it covers this end and names no kill of it.
    pub(crate) fn killed_next_door(&self) -> Option<Seen<'a, KernelKill>> {
        let Silence::Proves(log) = self.kernel_silence() else { return None };
        let (pod, finished) = (self.pod_spec()?, self.finished()?);
        let began = self.started().unwrap_or(finished);
        let in_this_life = |kill: &KernelKill| {
            let at = kill.at.filter(|_| kill.at_zone_known && kill.at_year_known);
            at.is_some_and(|at| at.duration_since(began) >= -LATE && at.duration_since(finished) <= LATE)
        };
        let above_both = |kill: &KernelKill| match kill.level {
            Some(Level::Pod) => is_uid_of(pod, kill.pod_uid.as_deref()),
            Some(Level::NodeAllocatable) => kill.pod_uid.is_some(),
            _ => false,
        };
        // Also one of which neither id nor time tells the life may be this one's.
        let ours = |number: usize| self.kills.iter().any(|kill| kill.number == number && kill.life != Life::Earlier);
        let kills = self.index.kills.iter().enumerate().filter(|(number, (kill, from))| {
            from.artifact == log.artifact
                && !kill.victims.is_empty()
                && kill.container_id.is_some()
                && above_both(kill)
                && in_this_life(kill)
                && !ours(*number)
        });
        kills.map(|(_, (it, from))| Seen { it, from }).next_back()
    }
}
