//! Events: the only trace of evictions, probe failures, drains and pods that are gone.

use std::collections::BTreeSet;

use jiff::Timestamp;
use oomph_core::artifact::Captured;
use oomph_core::naming;
use serde::Deserialize;
use tokio::time::Instant;

use super::api::Api;
use super::glance::Metadata;
use super::list::{list, request_name};
use super::pods::Found;
use super::{Clock, Missing, Permission, Scope, owners, refused};

/// Events of pods, of their owners and of nodes.
pub(super) const EVENTS: Permission = Permission {
    name: "events",
    group: "",
    resource: "events",
    verbs: &["list", "watch"],
    cluster_wide: false,
    without: "evictions, probe failures, drains and pods that are gone cannot be told",
    risk: "",
};

/// What every start and every healthy day brings. Of pods such events are left out where the pod is there and well:
/// of one that is gone they may be all that tells its name, node and life.
const ROUTINE: [&str; 12] = [
    "Scheduled",
    "Pulling",
    "Pulled",
    "Created",
    "Started",
    "AddedInterface",
    "SuccessfulAttachVolume",
    "SuccessfulMountVolume",
    "LeaderElection",
    "Provisioning",
    "ExternalProvisioning",
    "ProvisioningSucceeded",
];

/// What the events brought.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// The artifacts.
    pub(super) captured: Captured,
    /// Nodes that events of the wanted objects name: where a pod that is gone has been.
    pub(super) nodes: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Event {
    pub(super) metadata: Metadata,
    last_timestamp: Option<String>,
    #[serde(rename = "eventTime")]
    at: Option<String>,
    pub(super) involved_object: Object,
    pub(super) r#type: String,
    pub(super) reason: String,
    pub(super) message: String,
    pub(super) source: Option<Source>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Object {
    pub(super) kind: String,
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) uid: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Source {
    pub(super) host: Option<String>,
}

/// Reads the events of the scope and, where it does not hold them, those of the nodes.
pub(super) async fn capture(api: &Api, scope: &Scope, found: &Found, clock: Clock) -> Seen {
    let until = clock.source();
    let wanted = Wanted::of(found);
    let mut nodes = BTreeSet::new();
    let of_scope = read(api, scope, "", until, |event| {
        let keep = wanted.keep(event);
        if keep && (found.gone.is_some() || found.workload.is_some()) {
            nodes.extend(event.node());
        }
        keep
    });
    let of_nodes = async {
        // Nodes live in no namespace; their events are written to `default`
        // (client-go tools/events and record use metav1.NamespaceDefault for them, v1.37).
        if scope.namespace().is_none_or(|namespace| namespace == "default") {
            return Captured::default();
        }
        // Before a pod that is gone was looked for, no node is known: then all are wanted.
        let wanted = |event: &Event| found.nodes.is_empty() || found.nodes.contains(&event.involved_object.name);
        read(api, &Scope::Namespace("default".into()), "involvedObject.kind=Node", until, wanted).await
    };
    let (mut captured, of_nodes) = futures::join!(of_scope, of_nodes);
    captured.append(of_nodes);
    Seen { captured, nodes: nodes.into_iter().collect() }
}

async fn read(
    api: &Api,
    scope: &Scope,
    fields: &str,
    until: Instant,
    mut keep: impl FnMut(&Event) -> bool,
) -> Captured {
    let path = scope.path("/api/v1", "events");
    let selectors = [("fieldSelector", fields)];
    let name = request_name(&path, &selectors);
    match list(api, &path, &selectors, until, |json| Event::parse(json).is_none_or(|event| keep(&event))).await {
        Ok(listing) => listing.into_captured(EVENTS.name, &name),
        Err(refusal) => {
            let mut captured = Captured::default();
            refused(&mut captured, &name, &EVENTS, scope.namespace(), &refusal, Missing::Tell);
            captured
        }
    }
}

/// The names that make an event worth keeping.
struct Wanted<'a> {
    pods: BTreeSet<(&'a str, &'a str)>,
    others: BTreeSet<String>,
    found: &'a Found,
}

impl<'a> Wanted<'a> {
    fn of(found: &'a Found) -> Self {
        let pods = found.troubled.iter().map(|pod| (pod.metadata.namespace.as_str(), pod.metadata.name.as_str()));
        let owners = found.troubled.iter().flat_map(|pod| &pod.metadata.owner_references);
        let mut others: BTreeSet<String> = found.nodes.iter().cloned().collect();
        for owner in owners {
            others.insert(owner.name.clone());
            // A Deployment by the name of its ReplicaSet, a CronJob by that of its Job.
            others.extend(owner.name.rsplit_once('-').map(|(name, _)| name.to_owned()));
        }
        if let Some(gone) = &found.gone {
            others.insert(gone.name.clone());
            others.extend(owners::guesses(gone).into_iter().map(|(_, name)| name));
        }
        Self { pods: pods.collect(), others, found }
    }

    fn keep(&self, event: &Event) -> bool {
        let object = &event.involved_object;
        let mentioned = || self.pods.iter().any(|(_, name)| event.message.contains(name));
        if self.pods.contains(&(object.namespace.as_str(), object.name.as_str())) || self.others.contains(&object.name)
        {
            return true;
        }
        // Its object is left out too: without it, what went wrong before it was well reads like the fate of a pod that
        // is gone. An earlier pod of the same name (a StatefulSet's) has another uid.
        if object.kind == "Pod" && self.found.healthy.contains_key(&object.uid) {
            return self.found.chosen && mentioned();
        }
        let healthy = object.kind == "Pod" && self.found.is_healthy(&object.namespace, &object.name);
        let telling = event.r#type == "Warning" || !ROUTINE.contains(&event.reason.as_str());
        if self.found.chosen {
            return mentioned() || healthy && telling || self.is_of_workload(object);
        }
        telling || object.kind == "Pod" && !healthy
    }

    /// It is the workload that was asked for, what it made to make its pods, or by its name a pod of it.
    fn is_of_workload(&self, object: &Object) -> bool {
        self.found.workload.as_ref().is_some_and(|(kind, name)| match object.kind.as_str() {
            "Pod" => naming::is_pod_of(kind, name, &object.name),
            own => own == kind && object.name == *name || naming::is_maker_of(kind, name, &object.name),
        })
    }
}

impl Event {
    pub(super) fn parse(json: &str) -> Option<Self> {
        serde_json::from_str(json).ok()
    }

    /// When it was last seen.
    pub(super) fn last(&self) -> Option<Timestamp> {
        self.last_timestamp.as_deref().or(self.at.as_deref())?.parse().ok()
    }

    /// The node it happened on: where the kubelet says so, or where the scheduler sent the pod
    /// (`Successfully assigned shop/web-0 to node-a`, pkg/scheduler/schedule_one.go, v1.37).
    pub(super) fn node(&self) -> Option<String> {
        if self.involved_object.kind == "Node" {
            return Some(self.involved_object.name.clone());
        }
        let host = self.source.as_ref().and_then(|source| source.host.clone()).filter(|host| !host.is_empty());
        let assigned = || {
            let (_, node) = self.message.strip_prefix("Successfully assigned ")?.rsplit_once(" to ")?;
            Some(node.trim().to_owned())
        };
        host.or_else(assigned)
    }
}

#[cfg(test)]
mod tests {
    use super::super::glance::Pod;
    use super::*;

    fn event(kind: &str, name: &str, warning: bool, reason: &str, message: &str) -> Event {
        Event {
            involved_object: Object {
                kind: kind.into(),
                namespace: "shop".into(),
                name: name.into(),
                uid: String::new(),
            },
            r#type: if warning { "Warning" } else { "Normal" }.into(),
            reason: reason.into(),
            message: message.into(),
            ..Event::default()
        }
    }

    fn found(chosen: bool) -> Found {
        let pod = r#"{"metadata":{"namespace":"shop","name":"web-7f9-abcde","ownerReferences":[{"kind":"ReplicaSet","name":"web-7f9"}]}}"#;
        Found { troubled: vec![Pod::parse(pod).unwrap()], chosen, ..Found::default() }
    }

    #[test]
    fn routine_events_are_left_out_of_pods_that_are_well() {
        let mut found = found(false);
        let well = r#"{"metadata":{"namespace":"shop","name":"other","uid":"u"}}"#;
        found.add_healthy(Pod::parse(well).unwrap());
        let wanted = Wanted::of(&found);
        assert!(wanted.keep(&event("Pod", "web-7f9-abcde", false, "Started", "")));
        assert!(!wanted.keep(&event("Pod", "other", false, "Started", "")));
        assert!(wanted.keep(&event("Pod", "gone", false, "Killing", "Stopping container app")));
        assert!(wanted.keep(&event("Pod", "gone", false, "Started", "")));
        assert!(wanted.keep(&event("Pod", "other", true, "Scheduled", "")));
    }

    #[test]
    fn for_a_named_pod_only_events_that_name_it_or_its_owners_are_kept() {
        let found = found(true);
        let wanted = Wanted::of(&found);
        assert!(wanted.keep(&event("Deployment", "web", false, "ScalingReplicaSet", "")));
        assert!(wanted.keep(&event("Job", "x", false, "SuccessfulDelete", "Deleted pod: web-7f9-abcde")));
        assert!(!wanted.keep(&event("Pod", "other", true, "BackOff", "")));
    }

    #[test]
    fn events_of_a_workload_tell_of_its_pods_that_are_gone() {
        let found = Found { workload: Some(("Deployment".into(), "web".into())), chosen: true, ..Found::default() };
        let wanted = Wanted::of(&found);
        assert!(wanted.keep(&event("Pod", "web-784969bd8-hjzsg", false, "Killing", "Stopping container app")));
        assert!(wanted.keep(&event("ReplicaSet", "web-784969bd8", true, "FailedCreate", "")));
        assert!(!wanted.keep(&event("Pod", "web-api-784969bd8-hjzsg", false, "Killing", "")));
        assert!(!wanted.keep(&event("StatefulSet", "web", false, "SuccessfulCreate", "")));
    }

    #[test]
    fn the_node_is_where_the_kubelet_was_or_the_scheduler_pointed() {
        let scheduled = event("Pod", "a", false, "Scheduled", "Successfully assigned shop/a to node-a");
        assert_eq!(scheduled.node().as_deref(), Some("node-a"));
        let killing =
            Event { source: Some(Source { host: Some("node-b".into()) }), ..event("Pod", "a", false, "Killing", "") };
        assert_eq!(killing.node().as_deref(), Some("node-b"));
        assert_eq!(event("Pod", "a", false, "BackOff", "to be").node(), None);
    }
}
