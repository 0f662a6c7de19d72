//! Kubernetes events, from the API, `kubectl get events` or the foot of a describe text.

use jiff::Timestamp;

use super::Task;

/// An event.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Event {
    /// The object it is about.
    pub object: ObjectRef,
    /// `Warning` (true) or `Normal`.
    pub warning: bool,
    /// `Killing`, `Unhealthy`, `Evicted`, `OOMKilling`, ...
    pub reason: String,
    /// Free text.
    pub message: String,
    /// First time seen.
    pub first: Option<Timestamp>,
    /// Last time seen. `None` in texts that print ages only, unless the age's zero point is known.
    pub last: Option<Timestamp>,
    /// Age in seconds as printed (`35s`, `4m11s`), where only that is known.
    pub age_seconds: Option<i64>,
    /// How often.
    pub count: u32,
    /// `kubelet`, `default-scheduler`, `taint-eviction-controller`, ...
    pub component: Option<String>,
    /// The node that reported it.
    pub host: Option<String>,
}

impl Event {
    /// The node that its object was on: where it was reported from, or where the scheduler sent the pod
    /// (`Successfully assigned shop/web-0 to node-a`, pkg/scheduler/schedule_one.go, v1.37).
    pub fn node(&self) -> Option<&str> {
        let assigned = || {
            let (_, node) = self.message.strip_prefix("Successfully assigned ")?.rsplit_once(" to ")?;
            Some(node.trim())
        };
        let scheduled = (self.reason == "Scheduled").then(assigned).flatten();
        scheduled.or(self.host.as_deref())
    }

    /// The process that the kernel killed by the words of a node's event: the kubelet's `System OOM encountered, victim
    /// process: java, pid: 1234` (pkg/kubelet/oom/oom_watcher_linux.go, v1.37), or the kernel's own line, which
    /// node-problem-detector repeats (config/kernel-monitor.json, v0.8): `Killed process 1234 (java) total-vm:...`.
    pub fn victim(&self) -> Option<Task> {
        let message = self.message.as_str();
        let kubelets = || {
            let (comm, pid) = message.split_once("victim process: ")?.1.rsplit_once(", pid: ")?;
            Some((pid, comm))
        };
        let kernels = || {
            let rest = message.split_once("Killed process ").or_else(|| message.split_once("Kill process "))?.1;
            let (pid, rest) = rest.split_once(" (")?;
            let end = rest.find(") total-vm:").or_else(|| rest.find(") score ")).or_else(|| rest.rfind(')'))?;
            Some((pid, &rest[..end]))
        };
        let (pid, comm) = kubelets().or_else(kernels)?;
        // Old kernels print `Killed process 1234, UID 0, (java)`.
        let digits = pid.split(|c: char| !c.is_ascii_digit()).next()?;
        Some(Task { pid: Some(digits.parse().ok()?), comm: Some(comm.to_owned()).filter(|comm| !comm.is_empty()) })
    }
}

/// `involvedObject`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ObjectRef {
    /// `Pod`, `Node`, `ReplicaSet`, `Job`, ...
    pub kind: Option<String>,
    /// Namespace.
    pub namespace: Option<String>,
    /// Name.
    pub name: Option<String>,
    /// Uid. For the events of a static pod it is the config hash; for nodes the kubelet writes the node's name.
    pub uid: Option<String>,
    /// Container named by `fieldPath: spec.containers{app}`.
    pub container: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_victim_stands_in_the_words_of_the_kubelet_and_in_the_kernels() {
        for message in [
            "System OOM encountered, victim process: java, pid: 1234",
            "Memory cgroup out of memory: Killed process 1234 (java) total-vm:9kB, anon-rss:8kB, file-rss:0kB",
            "Memory cgroup out of memory: Kill process 1234 (java) score 9 or sacrifice child\nKilled process 1234 (java) total-vm:9kB",
            "Kill process 1234 (java) score 1000 or sacrifice child",
            "Killed process 1234, UID 0, (java) total-vm:9kB",
        ] {
            let victim = Event { message: message.into(), ..Event::default() }.victim().unwrap();
            assert_eq!((victim.pid, victim.comm.as_deref()), (Some(1234), Some("java")), "{message}");
        }
        for message in ["System OOM encountered", "Killed process", "Killed process x (y)"] {
            assert_eq!(Event { message: message.into(), ..Event::default() }.victim(), None, "{message}");
        }
    }
}
