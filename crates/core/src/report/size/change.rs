//! What is to be changed in a cluster: one patch for each object, however many of its containers it is about.

use serde_json::Value;

use super::patch::{api_version, by_hand, obstacle, patch};
use crate::size::{Document, Sizing};

/// One object and what is to be set of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// Its namespace; none: that of the context.
    pub namespace: Option<String>,
    /// `apps/v1`.
    pub api_version: &'static str,
    /// `Deployment`.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// The strategic merge patch: requests, limits and runtime flags of its containers, nothing else.
    pub patch: Value,
    /// Why, a sentence for each container.
    pub because: Vec<String>,
    /// What has to be set by hand with it.
    pub by_hand: Vec<String>,
}

/// A workload that is left as it is, although it needs action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    /// `namespace/name/container`.
    pub title: String,
    /// Why.
    pub because: String,
}

/// A place where two versions of an object differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// `spec.template.spec.containers[app].resources.limits.memory`.
    pub place: String,
    /// The value before; none where it was not set.
    pub before: Option<String>,
    /// The value after; none where it is not set any more.
    pub after: Option<String>,
}

/// What the proposals of a document change, and what they cannot. A workload that needs no action is left alone: each
/// change is a rollout.
pub fn changes(document: &Document) -> (Vec<Change>, Vec<Left>) {
    let (mut changes, mut left): (Vec<Change>, _) = (Vec::new(), Vec::new());
    for sizing in document.workloads.iter().filter(|it| it.needs_action) {
        if let Some(because) = obstacle(sizing) {
            left.push(Left { title: super::title(sizing), because });
            continue;
        }
        let Some(new) = change(sizing) else { continue };
        let same = |old: &&mut Change| (&old.namespace, &old.kind, &old.name) == (&new.namespace, &new.kind, &new.name);
        match changes.iter_mut().find(same) {
            Some(old) => {
                merge(&mut old.patch, new.patch);
                old.because.extend(new.because);
                old.by_hand.extend(new.by_hand);
            }
            None => changes.push(new),
        }
    }
    (changes, left)
}

fn change(sizing: &Sizing) -> Option<Change> {
    let proposed = sizing.proposed.as_ref()?;
    let kind = sizing.kind.clone()?;
    let container = sizing.container.as_deref()?;
    let amount = |it: Option<crate::units::Bytes>| it.map_or("not known".to_owned(), |it| it.to_string());
    let (now, then) = (sizing.current.limit_bytes, proposed.limit_bytes);
    let because = format!(
        "container {container}: the memory limit from {} to {}, the request from {} to {}: {}, {}",
        amount(now),
        amount(then),
        amount(sizing.current.request_bytes),
        amount(proposed.request_bytes),
        sizing.class.id(),
        sizing.class_evidence
    );
    Some(Change {
        namespace: sizing.namespace.clone(),
        api_version: api_version(&kind)?,
        name: sizing.name.clone(),
        patch: patch(sizing, proposed)?,
        because: vec![because],
        by_hand: by_hand(sizing, proposed).into_iter().map(|flag| format!("container {container}: {flag}")).collect(),
        kind,
    })
}

/// Adds a patch to another of the same object: lists are of containers, each of which stands in one of them.
fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (Value::Array(into), Value::Array(from)) => into.extend(from),
        (into, from) => *into = from,
    }
}

/// Where two versions of an object differ in what they ask for; what the server writes beside is left out.
pub fn differences(before: &Value, after: &Value) -> Vec<Difference> {
    let mut found = Vec::new();
    compare("spec", &before["spec"], &after["spec"], &mut found);
    found
}

fn compare(place: &str, before: &Value, after: &Value, found: &mut Vec<Difference>) {
    match (before, after) {
        _ if before == after => {}
        (Value::Object(_) | Value::Null, Value::Object(_) | Value::Null) => {
            let none = serde_json::Map::new();
            let (old, new) = (before.as_object().unwrap_or(&none), after.as_object().unwrap_or(&none));
            let keys: std::collections::BTreeSet<_> = old.keys().chain(new.keys()).collect();
            for key in keys {
                compare(&format!("{place}.{key}"), &before[key], &after[key], found);
            }
        }
        (Value::Array(old), Value::Array(new)) => {
            let name = |it: &Value, index: usize| it["name"].as_str().map_or(index.to_string(), str::to_owned);
            let names = |list: &[Value]| list.iter().enumerate().map(|(at, it)| name(it, at)).collect::<Vec<_>>();
            let (olds, news) = (names(old), names(new));
            let mut all = olds.clone();
            all.extend(news.iter().filter(|name| !olds.contains(name)).cloned());
            for name in all {
                let of = |names: &[String], list: &[Value]| {
                    names.iter().position(|it| *it == name).map_or(Value::Null, |at| list[at].clone())
                };
                compare(&format!("{place}[{name}]"), &of(&olds, old), &of(&news, new), found);
            }
        }
        _ => {
            let shown = |value: &Value| match value {
                Value::Null => None,
                Value::String(text) => Some(text.clone()),
                other => Some(other.to_string()),
            };
            found.push(Difference { place: place.to_owned(), before: shown(before), after: shown(after) });
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::size::{History, Subject, Wishes, Workload, size};

    fn workload(name: &str, container: &str, kind: &str, limit: u64) -> Workload {
        let subject = Subject {
            namespace: "shop".into(),
            kind: kind.into(),
            name: name.into(),
            container: container.into(),
            ..Subject::default()
        };
        let history = History {
            at: (0..30).map(|step| step * 300).collect(),
            used: vec![100 << 20; 30],
            limit: vec![limit << 20; 30],
            ..History::default()
        };
        Workload { subject, replicas: vec![history], ..Workload::default() }
    }

    #[test]
    fn the_containers_of_an_object_are_changed_at_once_and_what_fits_is_left_alone() {
        let workloads = [
            workload("cart", "app", "Deployment", 1024),
            workload("cart", "proxy", "Deployment", 512),
            workload("fits", "app", "Deployment", 164),
            workload("import", "job", "Job", 1024),
        ];
        let (changes, left) = changes(&size(&workloads, &Wishes::default(), Vec::new(), Vec::new()));
        let [change] = changes.as_slice() else { panic!("{changes:#?}") };
        let containers = &change.patch["spec"]["template"]["spec"]["containers"];
        assert_eq!((&containers[0]["name"], &containers[1]["name"]), (&json!("app"), &json!("proxy")));
        assert_eq!(containers[1]["resources"]["limits"], json!({"memory": "164Mi"}));
        assert!(change.because[0].starts_with("container app: the memory limit from 1 GiB to 164 MiB"), "{change:#?}");
        assert_eq!((left.len(), left[0].title.as_str()), (1, "shop/import/job"));
    }

    #[test]
    fn a_difference_is_named_by_the_container_and_not_by_its_place_in_the_list() {
        let of = |limit: Value| {
            json!({"spec": {"replicas": 2, "containers": [{"name": "a"}, {"name": "b", "resources": {"limits": limit}}]},
                "status": {"x": limit}})
        };
        let found = differences(&of(json!({"memory": "1Gi"})), &of(json!({"memory": "2Gi", "cpu": "1"})));
        let difference = |key: &str, before: Option<&str>, after: &str| Difference {
            place: format!("spec.containers[b].resources.limits.{key}"),
            before: before.map(str::to_owned),
            after: Some(after.to_owned()),
        };
        assert_eq!(found, [difference("cpu", None, "1"), difference("memory", Some("1Gi"), "2Gi")]);
        assert_eq!(differences(&of(Value::Null), &of(json!({"memory": "1"})))[0].before, None);
        assert!(differences(&of(json!({})), &of(json!({}))).is_empty());
    }
}
