//! Which pods the question means, in the words of a list: a workload's own selector where it may be read.

use std::collections::{BTreeSet, HashMap};

use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::time::Instant;

use super::api::Api;
use super::glance::{Metadata, OwnerReference, Pod};
use super::list::{list, request_name};
use super::pods::{Found, gone};
use super::{Ask, Missing, Scope, Target, fetch, owners, refused};

/// Which pods are asked for.
#[derive(Debug, Clone)]
pub(super) struct Selection {
    pub(super) scope: Scope,
    fields: String,
    labels: String,
    /// Keeps healthy pods too.
    pub(super) all: bool,
    /// Where no selector can tell: kind and name of whose pods they are.
    pub(super) owner: Option<(String, String)>,
}

impl Selection {
    pub(super) fn path(&self) -> String {
        self.scope.path("/api/v1", "pods")
    }

    pub(super) fn selectors(&self) -> [(&'static str, &str); 2] {
        [("fieldSelector", &self.fields), ("labelSelector", &self.labels)]
    }

    /// As a watch needs it: the jobs that a CronJob will make have no name yet, so its pods go by their owner's.
    pub(super) fn lasting(self, ask: &Ask) -> Self {
        match &ask.target {
            Some(Target::Workload { kind, name }) if kind == "CronJob" => Self {
                labels: ask.selector.clone().unwrap_or_default(),
                owner: Some((kind.clone(), name.clone())),
                ..self
            },
            _ => self,
        }
    }

    /// Whether a pod that the selectors let through is meant.
    pub(super) fn wants(&self, pod: &Pod) -> bool {
        self.owner.as_ref().is_none_or(|(kind, name)| is_owned(&pod.metadata.owner_references, kind, name))
    }
}

/// Which pods to list or watch. `None`: there can be none, and `found` says why.
pub(super) async fn select(
    api: &Api,
    ask: &Ask,
    scope: &Scope,
    until: Instant,
    found: &mut Found,
) -> Option<Selection> {
    let labels = ask.selector.clone().unwrap_or_default();
    let selection = Selection { scope: scope.clone(), fields: String::new(), labels, all: false, owner: None };
    match &ask.target {
        None => Some(selection),
        Some(Target::Pod(name)) => Some(Selection { fields: format!("metadata.name={name}"), all: true, ..selection }),
        Some(Target::Workload { kind, name }) if kind == "Node" => {
            found.nodes.push(name.clone());
            Some(Selection { scope: Scope::All, fields: format!("spec.nodeName={name}"), ..selection })
        }
        Some(Target::Workload { kind, name }) => of_workload(api, selection, kind, name, until, found).await,
    }
}

/// The selector of a workload is the server's own answer to which pods are its.
async fn of_workload(
    api: &Api,
    mut selection: Selection,
    kind: &str,
    name: &str,
    until: Instant,
    found: &mut Found,
) -> Option<Selection> {
    // kubectl, too, names an object in one namespace only.
    let Scope::Namespace(namespace) = selection.scope.clone() else {
        let because = "a workload is found in one namespace only; all of them were asked for";
        found.captured.gap(format!("{kind}/{name}"), because, format!("oomph why {kind}/{name} -n NAMESPACE"));
        return None;
    };
    selection.all = true;
    let mut selector = None;
    if let Some(workload) = owners::kind(kind) {
        let path = workload.path(&namespace, name);
        let (captured, bytes) = fetch(api, &path, workload.permission, Some(&namespace), Missing::Quiet, until).await;
        let allowed = captured.gaps.is_empty();
        found.captured.append(captured);
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
        Some(selector) if selection.labels.is_empty() => selection.labels = selector,
        Some(selector) => selection.labels = format!("{},{selector}", selection.labels),
        None => selection.owner = Some((kind.to_owned(), name.to_owned())),
    }
    Some(selection)
}

/// The pods of a CronJob are those of its Jobs.
async fn cron_job_pods(api: &Api, namespace: &str, bytes: &[u8], until: Instant, found: &mut Found) -> Option<String> {
    /// Selectors travel in the address, which servers cut at 8 KiB or so.
    const JOBS: usize = 50;
    #[derive(Deserialize)]
    struct Named {
        metadata: Metadata,
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
        Ok(listing) => found.captured.append(listing.into_captured("jobs", &request_name(&path, &[]))),
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

/// `spec.selector` as a selection takes it: `app=web,tier in (a,b),!canary`.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_selector_is_written_as_lists_take_it() {
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
