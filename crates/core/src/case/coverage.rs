//! Whether silence proves anything: a source that covers the time of death completely and says nothing.

use jiff::{SignedDuration, Timestamp};

use crate::fact::{Coverage, CoverageOf, KernelKill, Locus};

use super::Case;

/// What the kernel log's silence is worth for a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Silence {
    /// A kernel log covers the moment without a hole and names no kill of it: proof that there was none.
    Proves(Locus),
    /// It proves nothing, for this reason.
    Worthless(String),
}

/// A kill is printed before the exit is seen; the log must reach a little past the end to have had the chance.
const MARGIN: SignedDuration = SignedDuration::from_secs(1);

/// A kill that ends the main process is at most this long before its end.
pub(super) const NEAR: SignedDuration = SignedDuration::from_secs(60);

/// A kill may be dated this much after the end that it made: by another clock, or only to the second.
pub(super) const LATE: SignedDuration = SignedDuration::from_secs(3);

/// A moment and some time; a file may date an end to where time itself ends.
fn shifted(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_add(by).unwrap_or(if by.is_negative() { Timestamp::MIN } else { Timestamp::MAX })
}

impl Case<'_> {
    /// What the kernel log's silence is worth.
    pub fn kernel_silence(&self) -> Silence {
        if let Some(class) = self.pod_spec().and_then(|pod| pod.runtime_class.as_deref())
            && ["kata", "gvisor", "runsc", "firecracker", "sandbox"].iter().any(|name| class.contains(name))
        {
            return Silence::Worthless(format!(
                "runtime class {class} has a kernel of its own; the node's log never sees its kills"
            ));
        }
        if self.is_windows() {
            return Silence::Worthless("a Windows node has no kernel log of this kind".into());
        }
        if self.engine.is_some_and(|engine| engine.it.host_rebooted) {
            return Silence::Worthless("the host was rebooted while it ran, and its end is not recorded".into());
        }
        let Some(finished) = self.finished().or_else(|| self.failed_start()?.it.at) else {
            return Silence::Worthless("the time of death is not known".into());
        };
        let started = self.started().unwrap_or(finished);
        let node = self.pod_spec().and_then(|pod| pod.node.as_deref());
        if let Some(at) = self.nameless_kill(node, finished) {
            return Silence::Worthless(format!("a kill at {at} names no cgroup, and may have been in this container"));
        }
        let logs = self.index.coverage.iter().filter(|coverage| coverage.of == CoverageOf::KernelLog);
        let mut because = "no kernel log of the node was given".to_owned();
        for log in logs {
            match judge(log, node, started, finished) {
                Ok(()) => return Silence::Proves(Locus::whole(log.artifact)),
                Err(why) => because = format!("{}: {why}", self.index.artifact_name(log.artifact)),
            }
        }
        Silence::Worthless(because)
    }

    /// A kill shortly before the end whose report names no cgroup: the kernel's rate limit left it out, or it is of a
    /// kernel before 4.19, which names no victim's cgroup where the node was out of memory.
    fn nameless_kill(&self, node: Option<&str>, finished: Timestamp) -> Option<Timestamp> {
        let elsewhere = |kill: &KernelKill| matches!((kill.node.as_deref(), node), (Some(log), Some(node)) if !is_of_node(log, node));
        let window = -NEAR..=LATE;
        let nameless = |kill: &KernelKill| {
            !kill.victims.is_empty()
                && kill.task_memcg.is_none()
                && kill.container_id.is_none()
                && kill.pod_uid.is_none()
                && !elsewhere(kill)
        };
        self.index
            .kills
            .iter()
            .filter(|(kill, _)| nameless(kill))
            .find_map(|(kill, _)| kill.at.filter(|at| window.contains(&at.duration_since(finished))))
    }

    /// It ran on Windows, where no OOM killer exists.
    pub fn is_windows(&self) -> bool {
        let pod = self.pod_spec().and_then(|pod| pod.os.as_deref());
        let node = self.node.and_then(|node| node.it.os.as_deref());
        pod.or(node).is_some_and(|os| os.eq_ignore_ascii_case("windows"))
    }

    /// Events were listed whole, and the moment lies within what they reach back to.
    pub fn events_cover_the_end(&self) -> bool {
        let Some(finished) = self.finished() else { return false };
        self.index.coverage.iter().any(|coverage| {
            coverage.of == CoverageOf::Events
                && coverage.holes.is_empty()
                && coverage.from.is_some_and(|from| from <= finished)
                && coverage.to.is_some_and(|to| to >= finished)
        })
    }
}

/// The log's name for its machine is the node's, or the part of it before the domain.
pub(super) fn is_of_node(log: &str, node: &str) -> bool {
    node.strip_prefix(log).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

fn judge(log: &Coverage, node: Option<&str>, started: Timestamp, finished: Timestamp) -> Result<(), String> {
    if let (Some(log), Some(node)) = (log.node.as_deref(), node)
        && !is_of_node(log, node)
    {
        return Err(format!("it is of node {log}, not {node}"));
    }
    if let Some(hole) = log.holes.iter().find(|hole| hole.touches(shifted(finished, -NEAR), shifted(finished, LATE))) {
        return Err(hole.to_string());
    }
    let (Some(from), Some(to)) = (log.from, log.to) else {
        return Err("its times cannot be placed on the clock".into());
    };
    if from > started && finished.duration_since(from) < NEAR {
        return Err(format!("it begins at {from}, after the end"));
    }
    if finished.duration_since(to) > MARGIN {
        return Err(format!("it ends at {to}, before the end at {finished}"));
    }
    Ok(())
}
