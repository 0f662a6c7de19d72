//! The workloads that own the pods, and their revisions: what changed shortly before.

use std::collections::{BTreeMap, BTreeSet};

use futures::{StreamExt, stream};
use oomph_core::artifact::Captured;
use oomph_core::naming;
use serde::Deserialize;
use tokio::time::Instant;

use super::api::Api;
use super::glance::Metadata;
use super::list::{list, request_name};
use super::permission::permission;
use super::pods::{Found, Gone};
use super::{Clock, Missing, Permission, Scope, fetch, refused};

const CHANGES: &str = "it is not known what changed before the death";

pub(super) const DEPLOYMENTS: Permission = permission("deployments", "apps", "deployments", &["get"], CHANGES);
pub(super) const REPLICA_SETS: Permission =
    permission("replica sets", "apps", "replicasets", &["get", "list"], CHANGES);
pub(super) const STATEFUL_SETS: Permission = permission("stateful sets", "apps", "statefulsets", &["get"], CHANGES);
pub(super) const DAEMON_SETS: Permission = permission("daemon sets", "apps", "daemonsets", &["get"], CHANGES);
pub(super) const CONTROLLER_REVISIONS: Permission =
    permission("controller revisions", "apps", "controllerrevisions", &["list"], CHANGES);
pub(super) const REPLICATION_CONTROLLERS: Permission =
    permission("replication controllers", "", "replicationcontrollers", &["get"], CHANGES);
pub(super) const JOBS: Permission =
    permission("jobs", "batch", "jobs", &["get", "list"], "a job's deadline and retries are not known");
pub(super) const CRON_JOBS: Permission =
    permission("cron jobs", "batch", "cronjobs", &["get"], "it is not known which cron job made a job");

/// A kind that owns pods.
pub(super) struct Kind {
    /// As owner references write it.
    pub(super) name: &'static str,
    api: &'static str,
    resource: &'static str,
    /// What reading it takes.
    pub(super) permission: &'static Permission,
}

const KINDS: [Kind; 7] = [
    Kind { name: "ReplicaSet", api: "/apis/apps/v1", resource: "replicasets", permission: &REPLICA_SETS },
    Kind { name: "Deployment", api: "/apis/apps/v1", resource: "deployments", permission: &DEPLOYMENTS },
    Kind { name: "StatefulSet", api: "/apis/apps/v1", resource: "statefulsets", permission: &STATEFUL_SETS },
    Kind { name: "DaemonSet", api: "/apis/apps/v1", resource: "daemonsets", permission: &DAEMON_SETS },
    Kind { name: "Job", api: "/apis/batch/v1", resource: "jobs", permission: &JOBS },
    Kind { name: "CronJob", api: "/apis/batch/v1", resource: "cronjobs", permission: &CRON_JOBS },
    Kind {
        name: "ReplicationController",
        api: "/api/v1",
        resource: "replicationcontrollers",
        permission: &REPLICATION_CONTROLLERS,
    },
];

/// The kind of that name; `None` for one that is not built in.
pub(super) fn kind(name: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.name == name)
}

/// Every kind that is built in.
pub(super) fn kinds() -> impl Iterator<Item = &'static Kind> {
    KINDS.iter()
}

impl Kind {
    /// The path of one of them.
    pub(super) fn path(&self, namespace: &str, name: &str) -> String {
        format!("{}/namespaces/{namespace}/{}/{name}", self.api, self.resource)
    }
}

/// Workloads read at most.
const MOST: usize = 100;

/// Kind, namespace and name of an owner.
type Owner = (String, String, String);

/// Reads the owners of the troubled pods, the owners of those, and the revisions of the workloads.
pub(super) async fn capture(api: &Api, scope: &Scope, found: &Found, clock: Clock) -> Captured {
    let until = clock.source();
    let mut wanted = BTreeSet::new();
    for pod in &found.troubled {
        for owner in &pod.metadata.owner_references {
            wanted.insert((owner.kind.clone(), pod.metadata.namespace.clone(), owner.name.clone()));
        }
    }
    if let (Some(gone), Some(namespace)) = (&found.gone, scope.namespace()) {
        wanted.extend(guesses(gone).into_iter().map(|(kind, name)| (kind.to_owned(), namespace.to_owned(), name)));
    }
    // What a name suggests need not exist, and an owner may have gone before its pods.
    let missing = Missing::Quiet;
    let mut captured = Captured::default();
    if wanted.len() > MOST {
        let because = format!("of {} owners {MOST} were read", wanted.len());
        captured.gap("the other workloads", because, "oomph why -n NAMESPACE TYPE/NAME");
    }
    let wanted: BTreeSet<_> = wanted.into_iter().take(MOST).collect();
    let (sets, rest): (BTreeSet<Owner>, BTreeSet<Owner>) =
        wanted.into_iter().partition(|(kind, ..)| kind == "ReplicaSet");

    let mut read = read_each(api, found, &rest, missing, until).await;
    let (part, deployments) = replica_sets(api, &sets, until).await;
    captured.append(part);
    read.above.extend(deployments);
    let above = read_each(api, found, &read.above.difference(&rest).cloned().collect(), missing, until).await;
    let revised: BTreeSet<Owner> =
        rest.iter().filter(|(kind, ..)| matches!(kind.as_str(), "StatefulSet" | "DaemonSet")).cloned().collect();
    captured.append(read.captured);
    captured.append(above.captured);
    captured.append(revisions(api, &revised, until).await);
    captured
}

/// Owners that were read, and the owners of those.
#[derive(Default)]
struct Read {
    captured: Captured,
    above: BTreeSet<Owner>,
}

#[derive(Deserialize)]
struct Named {
    metadata: Metadata,
}

async fn read_each(api: &Api, found: &Found, owners: &BTreeSet<Owner>, missing: Missing, until: Instant) -> Read {
    let known: BTreeSet<_> = found.captured.artifacts.iter().map(|artifact| artifact.name.as_str()).collect();
    let paths: Vec<_> = owners
        .iter()
        .filter_map(|(name, namespace, object)| {
            Some((*kind(name)?.permission, namespace.clone(), kind(name)?.path(namespace, object)))
        })
        // The target itself was read already.
        .filter(|(.., path)| !known.contains(format!("GET {path}").as_str()))
        .collect();
    let mut read = Read::default();
    let answers = stream::iter(paths).map(|(permission, namespace, path)| async move {
        let fetched = fetch(api, &path, &permission, Some(&namespace), missing, until).await;
        (namespace, fetched)
    });
    for (namespace, (part, bytes)) in answers.buffered(8).collect::<Vec<_>>().await {
        read.captured.append(part);
        let Some(object) = bytes.and_then(|bytes| serde_json::from_slice::<Named>(&bytes).ok()) else { continue };
        let above = object.metadata.owner_references.into_iter();
        read.above.extend(above.map(|owner| (owner.kind, namespace.clone(), owner.name)));
    }
    read
}

/// The ReplicaSets wanted with their brothers, which are the Deployment's revisions, and the Deployments.
async fn replica_sets(api: &Api, sets: &BTreeSet<Owner>, until: Instant) -> (Captured, BTreeSet<Owner>) {
    // A Deployment names its sets after itself and a hash (pkg/controller/deployment/sync.go, v1.37).
    let deployment = |name: &str| name.rsplit_once('-').map(|(name, _)| name.to_owned());
    let mut above = BTreeSet::new();
    let captured = list_each(api, sets, "replicasets", &REPLICA_SETS, until, |namespace, wanted, set| {
        let owners = &set.metadata.owner_references;
        let brother =
            owners.iter().any(|owner| wanted.iter().any(|name| deployment(name).as_ref() == Some(&owner.name)));
        if wanted.contains(set.metadata.name.as_str()) {
            above.extend(owners.iter().map(|owner| (owner.kind.clone(), namespace.to_owned(), owner.name.clone())));
        }
        brother || wanted.contains(set.metadata.name.as_str())
    })
    .await;
    (captured, above)
}

/// The revisions of StatefulSets and DaemonSets.
async fn revisions(api: &Api, owners: &BTreeSet<Owner>, until: Instant) -> Captured {
    list_each(api, owners, "controllerrevisions", &CONTROLLER_REVISIONS, until, |_, wanted, revision| {
        revision.metadata.owner_references.iter().any(|owner| wanted.contains(owner.name.as_str()))
    })
    .await
}

/// Lists a resource in every namespace of `owners`; `keep` gets the namespace, the names wanted there, and the object.
async fn list_each(
    api: &Api,
    owners: &BTreeSet<Owner>,
    resource: &str,
    permission: &Permission,
    until: Instant,
    mut keep: impl FnMut(&str, &BTreeSet<&str>, &Named) -> bool,
) -> Captured {
    let mut by_namespace: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (_, namespace, name) in owners {
        by_namespace.entry(namespace).or_default().insert(name);
    }
    let mut captured = Captured::default();
    for (namespace, wanted) in by_namespace {
        let path = format!("/apis/apps/v1/namespaces/{namespace}/{resource}");
        let name = request_name(&path, &[]);
        let wanted = |json: &str| serde_json::from_str(json).is_ok_and(|object| keep(namespace, &wanted, &object));
        match list(api, &path, &[], until, wanted).await {
            Ok(listing) => captured.append(listing.into_captured(permission.name, &name)),
            Err(refusal) => refused(&mut captured, &name, permission, Some(namespace), &refusal, Missing::Tell),
        }
    }
    captured
}

/// Who may have owned a pod, by the shape of its name: `web-7f9c-abcde`, `agent-abcde`, `db-0`.
pub(super) fn guesses(gone: &Gone) -> Vec<(&'static str, String)> {
    if !gone.is_pod {
        return Vec::new();
    }
    let Some((owner, suffix)) = gone.name.rsplit_once('-') else { return Vec::new() };
    if naming::is_ordinal(suffix) {
        return vec![("StatefulSet", owner.to_owned())];
    }
    if !naming::is_random(suffix) {
        return Vec::new();
    }
    let mut guesses =
        vec![("ReplicaSet", owner.to_owned()), ("DaemonSet", owner.to_owned()), ("Job", owner.to_owned())];
    // A ReplicaSet goes with its Deployment's old revisions; the Deployment stays.
    guesses.extend(owner.rsplit_once('-').map(|(name, _)| ("Deployment", name.to_owned())));
    guesses
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_pod_that_is_gone_suggests_its_owner() {
        let of = |name: &str| guesses(&Gone { name: name.into(), is_pod: true });
        assert_eq!(of("db-0"), [("StatefulSet", "db".to_owned())]);
        let web = of("web-7f9c5d-x2b4z");
        assert!(web.contains(&("ReplicaSet", "web-7f9c5d".into())) && web.contains(&("Deployment", "web".into())));
        assert!(of("plain").is_empty() && of("web-canary").is_empty() && of("x-").is_empty());
    }
}
