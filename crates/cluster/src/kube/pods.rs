//! The pods: the troubled ones whole, of the healthy ones no more than their names.

use std::collections::{BTreeSet, HashMap};

use futures::{StreamExt, stream};
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::time::Instant;

use super::api::Api;
use super::glance::{OwnerReference, Pod};
use super::list::{list, request_name};
use super::{Ask, Clock, Missing, Permission, Scope, Target, fetch, logs, owners, refused};
use crate::Captured;

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
    /// Nodes that run any of them, those of the troubled pods first.
    pub(super) nodes: Vec<String>,
    /// The name of the target that was not there.
    pub(super) gone: Option<Gone>,
    /// The pods were asked for by name, so all of them are of interest.
    pub(super) named: bool,
}

/// As much of a healthy pod as it takes to find it again.
#[derive(Debug, Clone)]
pub(super) struct Healthy {
    namespace: String,
    name: String,
    node: Option<String>,
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

/// Which pods are asked for.
#[derive(Debug, Clone)]
pub(super) struct Query {
    pub(super) scope: Scope,
    fields: String,
    labels: String,
    /// Keeps healthy pods too.
    all: bool,
    /// Where no selector can tell: kind and name of whose pods they are.
    owner: Option<(String, String)>,
}

impl Query {
    pub(super) fn path(&self) -> String {
        self.scope.path("/api/v1", "pods")
    }

    pub(super) fn selectors(&self) -> [(&'static str, &str); 2] {
        [("fieldSelector", &self.fields), ("labelSelector", &self.labels)]
    }

    /// Whether a pod that the selectors let through is meant.
    pub(super) fn wants(&self, pod: &Pod) -> bool {
        self.owner.as_ref().is_none_or(|(kind, name)| is_owned(&pod.metadata.owner_references, kind, name))
    }
}

/// Finds the pods that the question is about.
pub(super) async fn find(api: &Api, ask: &Ask, scope: &Scope, clock: Clock) -> Found {
    let until = clock.source();
    let mut found = Found { named: ask.target.is_some(), ..Found::default() };
    match (&ask.target, scope) {
        (Some(Target::Pod(name)), Scope::Namespace(namespace)) => {
            read_one(api, namespace, name, until, &mut found).await;
        }
        (target, _) => {
            if let Some(query) = query(api, ask, scope, until, &mut found).await {
                read_list(api, &query, until, &mut found).await;
                let place = query.scope.namespace().map_or("in any namespace".into(), |n| format!("in namespace {n}"));
                let nothing = found.troubled.is_empty() && found.captured.gaps.is_empty();
                match target {
                    Some(Target::Pod(name)) if nothing => gone(&mut found, name, true, &place),
                    Some(Target::Workload { name, .. }) if nothing && query.owner.is_some() => {
                        gone(&mut found, name, false, &place);
                    }
                    _ => {}
                }
            }
        }
    }
    order_nodes(&mut found);
    found
}

/// Which pods to list or watch. `None`: there can be none, and `found` says why.
pub(super) async fn query(api: &Api, ask: &Ask, scope: &Scope, until: Instant, found: &mut Found) -> Option<Query> {
    let labels = ask.selector.clone().unwrap_or_default();
    let query = Query { scope: scope.clone(), fields: String::new(), labels, all: false, owner: None };
    match &ask.target {
        None => Some(query),
        Some(Target::Pod(name)) => Some(Query { fields: format!("metadata.name={name}"), all: true, ..query }),
        Some(Target::Workload { kind, name }) if kind == "Node" => {
            found.nodes.push(name.clone());
            Some(Query { scope: Scope::All, fields: format!("spec.nodeName={name}"), ..query })
        }
        Some(Target::Workload { kind, name }) => of_workload(api, query, kind, name, until, found).await,
    }
}

async fn read_one(api: &Api, namespace: &str, name: &str, until: Instant, found: &mut Found) {
    let path = format!("/api/v1/namespaces/{namespace}/pods/{name}");
    let (captured, bytes) = fetch(api, &path, &PODS, Some(namespace), Missing::Quiet, until).await;
    found.captured.join(captured);
    match bytes.as_deref().map(String::from_utf8_lossy) {
        Some(json) => found.troubled.extend(Pod::parse(&json)),
        // A pod that may not be read is not a pod that is gone.
        None if found.captured.gaps.is_empty() => gone(found, name, true, &format!("in namespace {namespace}")),
        None => {}
    }
}

fn gone(found: &mut Found, name: &str, is_pod: bool, place: &str) {
    found.gone = Some(Gone { name: name.to_owned(), is_pod });
    let (what, word) = if is_pod { (format!("pod {name}"), "pod") } else { (name.to_owned(), "workload") };
    found.captured.gap(
        what,
        format!("there is no such {word} {place}: it is answered from what is left of it (events, owner, kernel log)"),
        format!("kubectl get pods -A | grep {name}"),
    );
}

/// The selector of a workload is the server's own answer to which pods are its.
async fn of_workload(
    api: &Api,
    mut query: Query,
    kind: &str,
    name: &str,
    until: Instant,
    found: &mut Found,
) -> Option<Query> {
    // kubectl, too, names an object in one namespace only.
    let Scope::Namespace(namespace) = query.scope.clone() else {
        let because = "a workload is found in one namespace only; all of them were asked for";
        found.captured.gap(format!("{kind}/{name}"), because, format!("oomph why {kind}/{name} -n NAMESPACE"));
        return None;
    };
    query.all = true;
    let mut selector = None;
    if let Some(workload) = owners::kind(kind) {
        let path = workload.path(&namespace, name);
        let (captured, bytes) = fetch(api, &path, workload.permission, Some(&namespace), Missing::Quiet, until).await;
        let allowed = captured.gaps.is_empty();
        found.captured.join(captured);
        match bytes {
            Some(bytes) if kind == "CronJob" => selector = cron_job_pods(api, &namespace, &bytes, until, found).await,
            Some(bytes) => selector = label_selector(&bytes),
            None if allowed => {
                gone(found, name, false, &format!("in namespace {namespace}"));
                return None;
            }
            None => {}
        }
    }
    match selector {
        Some(selector) if query.labels.is_empty() => query.labels = selector,
        Some(selector) => query.labels = format!("{},{selector}", query.labels),
        None => query.owner = Some((kind.to_owned(), name.to_owned())),
    }
    Some(query)
}

/// The pods of a CronJob are those of its Jobs.
async fn cron_job_pods(api: &Api, namespace: &str, bytes: &[u8], until: Instant, found: &mut Found) -> Option<String> {
    /// Selectors travel in the address, which servers cut at 8 KiB or so.
    const JOBS: usize = 50;
    #[derive(Deserialize)]
    struct Named {
        metadata: super::glance::Metadata,
    }
    let uid = serde_json::from_slice::<Named>(bytes).ok()?.metadata.uid;
    let path = format!("/apis/batch/v1/namespaces/{namespace}/jobs");
    let mut jobs = BTreeSet::new();
    let listing = list(api, &path, &[], until, |item| {
        let Ok(job) = serde_json::from_str::<Named>(item) else { return false };
        let owned = job.metadata.owner_references.iter().any(|owner| owner.uid == uid);
        if owned {
            jobs.insert(job.metadata.name);
        }
        owned
    })
    .await;
    match listing {
        Ok(listing) => found.captured.join(listing.into_captured("jobs", &request_name(&path, &[]))),
        Err(refusal) => {
            refused(
                &mut found.captured,
                &format!("GET {path}"),
                &owners::JOBS,
                Some(namespace),
                &refusal,
                Missing::Tell,
            );
        }
    }
    // Names of a CronJob's jobs end in the minute they were due: the last are the newest.
    let newest: Vec<_> = jobs.into_iter().rev().take(JOBS).collect();
    (!newest.is_empty()).then(|| format!("job-name in ({})", newest.join(",")))
}

/// `spec.selector` as a query takes it: `app=web,tier in (a,b),!canary`.
fn label_selector(workload: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Workload<'a> {
        #[serde(borrow)]
        spec: Spec<'a>,
    }
    #[derive(Deserialize)]
    struct Spec<'a> {
        #[serde(borrow)]
        selector: &'a RawValue,
    }
    #[derive(Deserialize, Default)]
    #[serde(rename_all = "camelCase", default)]
    struct Selector {
        match_labels: HashMap<String, String>,
        match_expressions: Vec<Expression>,
    }
    #[derive(Deserialize)]
    struct Expression {
        key: String,
        operator: String,
        #[serde(default)]
        values: Vec<String>,
    }
    let selector = serde_json::from_slice::<Workload<'_>>(workload).ok()?.spec.selector.get();
    let parsed: Selector = serde_json::from_str(selector).ok()?;
    let mut terms: Vec<String> = parsed.match_labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
    for Expression { key, operator, values } in parsed.match_expressions {
        let values = values.join(",");
        terms.push(match operator.as_str() {
            "In" => format!("{key} in ({values})"),
            "NotIn" => format!("{key} notin ({values})"),
            "Exists" => key,
            "DoesNotExist" => format!("!{key}"),
            _ => return None,
        });
    }
    if terms.is_empty() {
        // A ReplicationController's selector is the map itself.
        let plain: HashMap<String, String> = serde_json::from_str(selector).ok()?;
        terms.extend(plain.iter().map(|(key, value)| format!("{key}={value}")));
    }
    terms.sort();
    (!terms.is_empty()).then(|| terms.join(","))
}

async fn read_list(api: &Api, query: &Query, until: Instant, found: &mut Found) {
    let mut troubled: HashMap<String, Pod> = HashMap::new();
    let mut order = Vec::new();
    let healthy = &mut found.healthy;
    let (path, selectors) = (query.path(), query.selectors());
    let listing = list(api, &path, &selectors, until, |json| {
        // What cannot be read at a glance is kept: the decoder knows more.
        let Some(pod) = Pod::parse(json) else { return true };
        if !query.wants(&pod) {
            return false;
        }
        let uid = pod.metadata.uid.clone();
        if query.all || pod.has_trouble() {
            healthy.remove(&uid);
            if troubled.insert(uid.clone(), pod).is_none() {
                order.push(uid);
            }
            return true;
        }
        healthy.insert(uid, Healthy::of(pod));
        false
    })
    .await;
    let name = request_name(&path, &selectors);
    match listing {
        Ok(listing) => found.captured.join(listing.into_captured(PODS.name, &name)),
        Err(refusal) => {
            refused(&mut found.captured, &name, &PODS, query.scope.namespace(), &refusal, Missing::Tell);
        }
    }
    found.troubled.extend(order.iter().filter_map(|uid| troubled.remove(uid)));
}

/// Whether the pods of `kind/name` bear these references, also through a ReplicaSet or Job that it made:
/// those are called by its name and a suffix.
fn is_owned(owners: &[OwnerReference], kind: &str, name: &str) -> bool {
    let (bare, group) = kind.split_once('.').unwrap_or((kind, ""));
    owners.iter().any(|owner| {
        let kinds = owner.kind.to_ascii_lowercase();
        let same = kinds == bare.to_ascii_lowercase().trim_end_matches('s') && owner.api_version.starts_with(group);
        let through = matches!(owner.kind.as_str(), "ReplicaSet" | "Job")
            && owner
                .name
                .strip_prefix(name)
                .and_then(|rest| rest.strip_prefix('-'))
                .is_some_and(|rest| !rest.contains('-'));
        (same && owner.name == name) || through
    })
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
        captured.join(part);
        pods.extend(bytes.and_then(|bytes| Pod::parse(&String::from_utf8_lossy(&bytes))));
    }
    captured.join(logs::capture(api, ask, &pods, true, clock).await);
    captured
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_selector_is_written_as_queries_take_it() {
        let deployment = br#"{"spec":{"selector":{"matchLabels":{"app":"web"},"matchExpressions":[
            {"key":"tier","operator":"In","values":["a","b"]},{"key":"old","operator":"DoesNotExist"}]}}}"#;
        assert_eq!(label_selector(deployment).as_deref(), Some("!old,app=web,tier in (a,b)"));
        let controller = br#"{"spec":{"selector":{"app":"web","tier":"a"}}}"#;
        assert_eq!(label_selector(controller).as_deref(), Some("app=web,tier=a"));
        assert_eq!(label_selector(b"{}"), None);
    }

    #[test]
    fn ownership_goes_through_what_a_workload_makes() {
        let owner = |api_version: &str, kind: &str, name: &str| {
            [OwnerReference {
                api_version: api_version.into(),
                kind: kind.into(),
                name: name.into(),
                uid: String::new(),
            }]
        };
        assert!(is_owned(&owner("apps/v1", "ReplicaSet", "web-7f9c"), "Deployment", "web"));
        assert!(!is_owned(&owner("apps/v1", "ReplicaSet", "web-api-7f9c"), "Deployment", "web"));
        assert!(is_owned(&owner("kafka.example/v1", "Broker", "main"), "brokers.kafka.example", "main"));
        assert!(!is_owned(&owner("apps/v1", "StatefulSet", "other"), "StatefulSet", "main"));
    }
}
