//! The pods: the troubled ones whole, of the healthy ones no more than their names.

use std::collections::{BTreeSet, HashMap, HashSet};

use futures::{StreamExt, stream};
use oomph_core::artifact::Captured;
use tokio::time::Instant;

use super::api::{Api, Refusal};
use super::glance::Pod;
use super::list::{list, request_name};
use super::selection::{Selection, select};
use super::{Ask, Clock, Missing, Permission, Scope, Target, fetch, logs, missing, refused};

/// Pods are what the question is about.
pub(super) const PODS: Permission = Permission {
    name: "pods",
    group: "",
    resource: "pods",
    verbs: &["get", "list", "watch"],
    cluster_wide: false,
    without: "no container's end, exit code or limit is known",
    risk: "",
};

/// Healthy pods read again because a node's kills name them.
const SECOND_LOOKS: usize = 100;

/// What the first look found.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// The artifacts of it.
    pub(super) captured: Captured,
    /// The pods that are kept, each once.
    pub(super) troubled: Vec<Pod>,
    /// The rest, by uid.
    pub(super) healthy: HashMap<String, Healthy>,
    /// Their names, as `namespace/name`.
    pub(super) healthy_names: HashSet<String>,
    /// Nodes that run any of them, those of the troubled pods first.
    pub(super) nodes: Vec<String>,
    /// The name of the target that was not there.
    pub(super) gone: Option<Gone>,
    /// The pods were chosen, by name or by labels, so only what mentions them is of interest.
    pub(super) chosen: bool,
    /// Kind and name of the workload that was asked for: pods of it may be gone, of which events tell.
    pub(super) workload: Option<(String, String)>,
    /// They were asked for one by one, so what runs in them is of interest too.
    pub(super) running: bool,
    /// Where they were looked for in the end.
    pub(super) scope: Scope,
}

/// As much of a healthy pod as it takes to find it again.
#[derive(Debug, Clone)]
pub(super) struct Healthy {
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) node: Option<String>,
}

impl Found {
    /// Notes that a pod is there and well.
    pub(super) fn add_healthy(&mut self, pod: Pod) {
        self.healthy_names.insert(format!("{}/{}", pod.metadata.namespace, pod.metadata.name));
        self.healthy.insert(pod.metadata.uid.clone(), Healthy::of(pod));
    }

    pub(super) fn is_healthy(&self, namespace: &str, name: &str) -> bool {
        self.healthy_names.contains(&format!("{namespace}/{name}"))
    }
}

impl Healthy {
    pub(super) fn of(pod: Pod) -> Self {
        let Pod { metadata, spec, .. } = pod;
        Self { namespace: metadata.namespace, name: metadata.name, node: spec.node_name }
    }

    pub(super) fn runs_on(&self, node: &str) -> bool {
        self.node.as_deref() == Some(node)
    }
}

/// A target that no longer exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Gone {
    /// Its name.
    pub(super) name: String,
    /// Whether it is a pod, whose name tells its owner.
    pub(super) is_pod: bool,
}

/// Finds the pods that the question is about.
pub(super) async fn find(api: &Api, ask: &Ask, scope: &Scope, clock: Clock) -> Found {
    let until = clock.source();
    let on_node = matches!(&ask.target, Some(Target::Workload { kind, .. }) if kind == "Node");
    let named = ask.target.is_some();
    let chosen = named || ask.selector.is_some();
    let workload = match &ask.target {
        Some(Target::Workload { kind, name }) if !on_node => Some((kind.clone(), name.clone())),
        _ => None,
    };
    let running = named && !on_node;
    let mut found = Found { chosen, workload, running, scope: scope.clone(), ..Found::default() };
    match (&ask.target, scope) {
        (Some(Target::Pod(name)), Scope::Namespace(namespace)) => {
            read_one(api, namespace, name, until, &mut found).await;
        }
        (target, _) => {
            if let Some(mut selection) = select(api, ask, scope, until, &mut found).await {
                let forbidden = read_list(api, &selection, until, &mut found).await == Listed::Forbidden;
                if forbidden && on_node && selection.scope != *scope {
                    // Not those of every namespace, then those of the one that is the user's.
                    selection.scope = scope.clone();
                    read_list(api, &selection, until, &mut found).await;
                }
                found.scope = selection.scope.clone();
                let place =
                    selection.scope.namespace().map_or("in any namespace".into(), |n| format!("in namespace {n}"));
                let nothing = found.troubled.is_empty() && found.captured.gaps.is_empty();
                match target {
                    Some(Target::Pod(name)) if nothing => gone(&mut found, name, true, &place),
                    Some(Target::Workload { name, .. }) if nothing && selection.owner.is_some() => {
                        gone(&mut found, name, false, &place);
                    }
                    _ => {}
                }
            }
        }
    }
    if found.troubled.is_empty() && found.healthy.is_empty() {
        missing::explain(api, ask, until, &mut found).await;
    }
    order_nodes(&mut found);
    found
}

/// Finds the pods that are asked for, healthy or not.
pub(super) async fn find_all(api: &Api, ask: &Ask, scope: &Scope, clock: Clock) -> Found {
    let until = clock.source();
    let mut found = Found { chosen: true, scope: scope.clone(), ..Found::default() };
    match (&ask.target, scope) {
        (Some(Target::Pod(name)), Scope::Namespace(namespace)) => {
            read_one(api, namespace, name, until, &mut found).await;
        }
        (target, _) => {
            if let Some(mut selection) = select(api, ask, scope, until, &mut found).await {
                selection.all = true;
                read_list(api, &selection, until, &mut found).await;
                let nothing = found.troubled.is_empty() && found.captured.gaps.is_empty();
                match target {
                    Some(Target::Pod(name)) if nothing => gone(&mut found, name, true, "in any namespace"),
                    Some(Target::Workload { name, .. }) if nothing => gone(&mut found, name, false, "with pods"),
                    _ => {}
                }
            }
        }
    }
    found
}

async fn read_one(api: &Api, namespace: &str, name: &str, until: Instant, found: &mut Found) {
    let path = format!("/api/v1/namespaces/{namespace}/pods/{name}");
    let (captured, bytes) = fetch(api, &path, &PODS, Some(namespace), Missing::Quiet, until).await;
    found.captured.append(captured);
    match bytes.as_deref().map(String::from_utf8_lossy) {
        Some(json) => found.troubled.extend(Pod::parse(&json)),
        // A pod that may not be read is not a pod that is gone.
        None if found.captured.gaps.is_empty() => gone(found, name, true, &format!("in namespace {namespace}")),
        None => {}
    }
}

pub(super) fn gone(found: &mut Found, name: &str, is_pod: bool, place: &str) {
    found.gone = Some(Gone { name: name.to_owned(), is_pod });
    let (what, word) = if is_pod { (format!("pod {name}"), "pod") } else { (name.to_owned(), "workload") };
    found.captured.gap(
        what,
        format!("there is no such {word} {place}: it is answered from what is left of it (events, owner, kernel log)"),
        format!("kubectl get pods -A | grep {name}"),
    );
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Listed {
    AsFarAsPossible,
    Forbidden,
}

async fn read_list(api: &Api, selection: &Selection, until: Instant, found: &mut Found) -> Listed {
    let mut troubled: HashMap<String, Pod> = HashMap::new();
    let mut order = Vec::new();
    let (path, selectors) = (selection.path(), selection.selectors());
    let listing = list(api, &path, &selectors, until, |json| {
        // What cannot be read at a glance is kept: the decoder knows more.
        let Some(pod) = Pod::parse(json) else { return true };
        if !selection.wants(&pod) {
            return false;
        }
        let uid = pod.metadata.uid.clone();
        if selection.all || pod.has_trouble() {
            if troubled.insert(uid.clone(), pod).is_none() {
                order.push(uid);
            }
            return true;
        }
        found.add_healthy(pod);
        false
    })
    .await;
    let name = request_name(&path, &selectors);
    match listing {
        Ok(listing) => found.captured.append(listing.into_captured(PODS.name, &name)),
        Err(refusal) => {
            refused(&mut found.captured, &name, &PODS, selection.scope.namespace(), &refusal, Missing::Tell);
            if matches!(refusal, Refusal::Forbidden { .. }) {
                return Listed::Forbidden;
            }
        }
    }
    // A list that was begun anew may have seen a pod in both conditions.
    found.healthy.retain(|uid, _| !troubled.contains_key(uid));
    found.troubled.extend(order.iter().filter_map(|uid| troubled.remove(uid)));
    Listed::AsFarAsPossible
}

fn order_nodes(found: &mut Found) {
    let of_troubled = found.troubled.iter().filter_map(|pod| pod.spec.node_name.clone());
    let mut nodes: Vec<String> = found.nodes.drain(..).chain(of_troubled).collect();
    let rest: BTreeSet<_> = found.healthy.values().filter_map(|pod| pod.node.clone()).collect();
    nodes.extend(rest);
    let mut seen = BTreeSet::new();
    nodes.retain(|node| !node.is_empty() && seen.insert(node.clone()));
    found.nodes = nodes;
}

/// The healthy pods among `uids`, with the log of what runs in them: a child of theirs was killed.
pub(super) async fn look_again(
    api: &Api,
    ask: &Ask,
    healthy: &HashMap<String, Healthy>,
    uids: &BTreeSet<String>,
    clock: Clock,
) -> Captured {
    let until = clock.source();
    let hits: Vec<Healthy> = uids.iter().filter_map(|uid| healthy.get(uid)).cloned().collect();
    let mut captured = Captured::default();
    if hits.len() > SECOND_LOOKS {
        let because = format!("kernel kills name {} healthy pods; {SECOND_LOOKS} of them were read", hits.len());
        captured.gap("healthy pods with kernel kills", because, "oomph why -n NAMESPACE POD");
    }
    let read = stream::iter(hits.into_iter().take(SECOND_LOOKS)).map(|pod| async move {
        let path = format!("/api/v1/namespaces/{}/pods/{}", pod.namespace, pod.name);
        fetch(api, &path, &PODS, Some(&pod.namespace), Missing::Quiet, until).await
    });
    let mut pods = Vec::new();
    for (part, bytes) in read.buffered(8).collect::<Vec<_>>().await {
        captured.append(part);
        pods.extend(bytes.and_then(|bytes| Pod::parse(&String::from_utf8_lossy(&bytes))));
    }
    captured.append(logs::capture(api, ask, &pods, true, clock).await);
    captured
}
