//! Kubernetes events, from the API, `kubectl get events` or the foot of a describe text.

use jiff::Timestamp;

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
