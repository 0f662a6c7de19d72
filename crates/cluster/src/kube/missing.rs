//! Why what was named is not there: no such namespace, no such kind, another kind's name.

use futures::future::join_all;
use tokio::time::Instant;

use super::api::{Api, Refusal};
use super::pods::Found;
use super::{Ask, Permission, Target, owners};

/// Whether a namespace exists: a list within one that does not is merely empty.
pub(super) const NAMESPACES: Permission = Permission {
    name: "namespaces",
    group: "",
    resource: "namespaces",
    verbs: &["get"],
    cluster_wide: true,
    without: "a namespace that does not exist looks like an empty one",
    risk: "",
};

/// Notes what of the question names nothing. Asked only where no pod was found; a refusal tells nothing.
pub(super) async fn explain(api: &Api, ask: &Ask, until: Instant, found: &mut Found) {
    let Some(namespace) = found.scope.namespace().map(str::to_owned) else { return };
    let path = format!("/api/v1/namespaces/{namespace}");
    if matches!(api.get(&path, until).await, Err(Refusal::Absent(message)) if message.contains("namespaces ")) {
        let unknown = format!("there is no namespace {namespace}; list them with kubectl get namespaces");
        found.captured.unknown.push(unknown);
        return;
    }
    if found.gone.is_none() {
        return;
    }
    match &ask.target {
        Some(Target::Pod(name)) => {
            let of_that_name = workloads(api, &namespace, name, until).await;
            let remedy = match of_that_name.first() {
                Some(kind) => format!("a {kind} has that name: oomph why {}/{name}", kind.to_ascii_lowercase()),
                None => "check its name and the namespace (-n)".to_owned(),
            };
            found.captured.unknown.push(format!("there is no pod {name} in namespace {namespace}; {remedy}"));
        }
        Some(Target::Workload { kind, name }) => {
            let what = match owners::kind(kind) {
                // One that has made no pod yet is there nevertheless.
                Some(built_in) => match api.get(&built_in.path(&namespace, name), until).await {
                    Err(Refusal::Absent(_)) => format!("there is no {kind} {name} in namespace {namespace}"),
                    _ => return,
                },
                None => format!("no pod in namespace {namespace} belongs to {kind}/{name}"),
            };
            found.captured.unknown.push(format!("{what}; check its type, its name and the namespace (-n)"));
        }
        None => {}
    }
}

/// The kinds of which one has this name.
async fn workloads(api: &Api, namespace: &str, name: &str, until: Instant) -> Vec<&'static str> {
    let asked = owners::kinds()
        .map(|kind| async move { api.get(&kind.path(namespace, name), until).await.is_ok().then_some(kind.name) });
    join_all(asked).await.into_iter().flatten().collect()
}
