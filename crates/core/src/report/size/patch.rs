//! Proposals as patches that set what is proposed and keep every other field.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::budget::FlagProposal;
use crate::budget::told::Within;
use crate::size::workload::Stands;
use crate::size::{Document, Setting, Sizing};
use crate::units::Bytes;

/// The API version of an owner's kind; none where it is not known.
pub(super) fn api_version(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" => "apps/v1",
        "CronJob" | "Job" => "batch/v1",
        "Pod" | "ReplicationController" => "v1",
        _ => return None,
    })
}

/// An amount as a manifest has it: in the largest binary unit that keeps it whole.
pub(super) fn quantity(bytes: Bytes) -> String {
    for (unit, size) in [("Gi", 30), ("Mi", 20), ("Ki", 10)] {
        if bytes.0 > 0 && bytes.0.trailing_zeros() >= size {
            return format!("{}{unit}", bytes.0 >> size);
        }
    }
    bytes.0.to_string()
}

/// Variables that hold one value of ours alone. Others (`JAVA_TOOL_OPTIONS`, `NODE_OPTIONS`) may hold options of the
/// user's, which a patch would overwrite.
const WHOLE: [&str; 5] = [
    "GOMEMLIMIT",
    "DOTNET_GCHeapHardLimit",
    "DOTNET_GCHeapHardLimitPercent",
    "COMPlus_GCHeapHardLimit",
    "COMPlus_GCHeapHardLimitPercent",
];

/// Where a patch can write a flag: the whole value of a variable, or the whole list of a command line. None where what
/// else stands there is not known, and in a pod, whose containers keep what they were started with.
fn place(flag: &FlagProposal, sizing: &Sizing) -> Option<Within> {
    let whole = || WHOLE.contains(&flag.variable.as_str()).then(|| Within::Value(flag.value.clone()));
    flag.within.clone().or_else(whole).filter(|_| sizing.kind.as_deref() != Some("Pod"))
}

/// The strategic merge patch of a workload: lists of containers and variables are merged by name, so that everything
/// that is not named stays.
pub(super) fn patch(sizing: &Sizing, proposed: &Setting) -> Option<Value> {
    let mut resources = json!({});
    if let Some(request) = proposed.request_bytes {
        resources["requests"] = json!({"memory": quantity(request)});
    }
    if let Some(limit) = proposed.limit_bytes {
        resources["limits"] = json!({"memory": quantity(limit)});
    }
    let mut container = json!({"name": sizing.container.as_deref()?, "resources": resources});
    let mut env = Vec::new();
    for (flag, place) in proposed.flags.iter().filter_map(|flag| Some((flag, place(flag, sizing)?))) {
        match place {
            Within::Value(value) => env.push(json!({"name": flag.variable, "value": value})),
            // Lists of words are replaced, not merged.
            Within::List(name, words) => container[name] = words.into(),
        }
    }
    if !env.is_empty() {
        container["env"] = env.into();
    }
    let list = if sizing.stands == Stands::AmongInit { "initContainers" } else { "containers" };
    let spec = json!({list: [container]});
    Some(match sizing.kind.as_deref()? {
        "Pod" => json!({"spec": spec}),
        "CronJob" => json!({"spec": {"jobTemplate": {"spec": {"template": {"spec": spec}}}}}),
        _ => json!({"spec": {"template": {"spec": spec}}}),
    })
}

/// Why a workload cannot be patched.
pub(super) fn obstacle(sizing: &Sizing) -> Option<String> {
    let kind = sizing.kind.as_deref();
    if sizing.proposed.is_none() {
        return Some(sizing.proposed_missing.clone().unwrap_or_else(|| "nothing is proposed".into()));
    }
    match kind {
        None => Some("the history does not tell the object that owns it".into()),
        Some("Job") => Some("the template of a Job cannot be changed; change what makes it".into()),
        Some(kind) if api_version(kind).is_none() => Some(format!("{kind} is no kind that can be patched here")),
        Some(_) if sizing.container.is_none() => Some("the history does not name the container".into()),
        // The API server would take it for a new container, and refuse it without an image.
        Some(_) if sizing.stands == Stands::Nowhere => Some(
            "its pod template has no container of that name: it is gone, or injected as pods are made; set it where it is \
             injected"
                .into(),
        ),
        Some(_) => None,
    }
}

/// Flags that have to be set by hand: `variable=value`, or where they stand on the command line.
pub(super) fn by_hand(sizing: &Sizing, proposed: &Setting) -> Vec<String> {
    let by_hand = proposed.flags.iter().filter(|flag| place(flag, sizing).is_none());
    by_hand.map(FlagProposal::setting).collect()
}

/// One line, so that a name cannot end a comment.
fn comment(text: &str) -> String {
    format!("# {}\n", text.replace(['\n', '\r'], " "))
}

/// A word as a shell takes it.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}

/// Commands of kubectl, one per container of a workload. What cannot be patched, and what must be set by hand, is a
/// comment.
pub fn patches(document: &Document) -> String {
    let patched = || document.workloads.iter().filter(|it| obstacle(it).is_none());
    let flags =
        patched().flat_map(|it| it.proposed.iter().flat_map(move |set| set.flags.iter().map(move |flag| (it, flag))));
    let flags: BTreeSet<&str> =
        flags.filter(|(it, flag)| place(flag, it).is_some()).map(|(_, flag)| flag.variable.as_str()).collect();
    let all: Vec<&str> = ["request", "limit"].into_iter().chain(flags).collect();
    let (last, others) = all.split_last().unwrap_or((&"", &[]));
    let mut out = match patched().next() {
        Some(_) => comment(&format!(
            "sets {} and {last}, and keeps every other field; for kustomize: -o kustomize",
            others.join(", ")
        )),
        None => String::new(),
    };
    for sizing in &document.workloads {
        out.push_str(&command(sizing));
    }
    out
}

fn command(sizing: &Sizing) -> String {
    let title = super::title(sizing);
    let ready = match obstacle(sizing) {
        Some(because) => return comment(&format!("{title}: {because}")),
        None => sizing.proposed.as_ref().zip(sizing.kind.as_deref()),
    };
    let Some((proposed, kind)) = ready else { return String::new() };
    let Some(patch) = patch(sizing, proposed) else { return String::new() };
    let mut out = String::new();
    for flag in by_hand(sizing, proposed) {
        out.push_str(&comment(&format!("{title}: add to the options that are there: {flag}")));
    }
    let namespace = sizing.namespace.as_deref().map(|it| format!(" -n {}", quoted(it))).unwrap_or_default();
    // A running pod is resized in place through its subresource (Kubernetes 1.33 and later).
    let how = if kind == "Pod" { "--subresource resize" } else { "--type strategic" };
    out.push_str(&format!(
        "kubectl{namespace} patch {} {} {how} -p {}\n",
        kind.to_ascii_lowercase(),
        quoted(&sizing.name),
        quoted(&patch.to_string())
    ));
    out
}

/// A kustomization whose patches set the same.
pub fn kustomization(document: &Document) -> String {
    let mut comments = String::new();
    let mut patches = Vec::new();
    for sizing in &document.workloads {
        if let Some(because) = obstacle(sizing) {
            comments.push_str(&comment(&format!("{}: {because}", super::title(sizing))));
            continue;
        }
        let Some((proposed, kind)) = sizing.proposed.as_ref().zip(sizing.kind.as_deref()) else { continue };
        let Some(mut patch) = patch(sizing, proposed) else { continue };
        for flag in by_hand(sizing, proposed) {
            comments
                .push_str(&comment(&format!("{}: add to the options that are there: {flag}", super::title(sizing))));
        }
        patch["apiVersion"] = api_version(kind).into();
        patch["kind"] = kind.into();
        patch["metadata"] = json!({"name": sizing.name});
        let mut target = json!({"kind": kind, "name": sizing.name});
        if let Some(namespace) = &sizing.namespace {
            target["namespace"] = namespace.as_str().into();
            patch["metadata"]["namespace"] = namespace.as_str().into();
        }
        patches.push(json!({"target": target, "patch": super::super::yaml(&patch)}));
    }
    let kustomization = json!({
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "patches": patches,
    });
    comments + &super::super::yaml(&kustomization)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{kustomization, patches, vpas};
    use crate::size::{History, Subject, Wishes, Workload, size};

    fn document(kind: &str) -> Document {
        let subject = Subject {
            namespace: "shop".into(),
            kind: kind.into(),
            name: "cart".into(),
            container: "app".into(),
            ..Subject::default()
        };
        let history =
            History { at: (0..30).map(|it| it * 300).collect(), used: vec![100 << 20; 30], ..History::default() };
        let workload = Workload { subject, replicas: vec![history], ..Workload::default() };
        let mut document = size(&[workload], &Wishes::default(), Vec::new(), Vec::new());
        let flag = |variable: &str, value: &str| FlagProposal {
            replaces: None,
            within: None,
            variable: variable.into(),
            value: value.into(),
            why: String::new(),
        };
        let proposed = document.workloads[0].proposed.as_mut().unwrap();
        proposed.flags = vec![flag("GOMEMLIMIT", "90MiB"), flag("JAVA_TOOL_OPTIONS", "-Xmx64m")];
        document
    }

    #[test]
    fn a_patch_names_what_it_sets_and_nothing_else() {
        let text = patches(&document("Deployment"));
        let command = text.lines().last().unwrap();
        assert_eq!(
            command,
            "kubectl -n shop patch deployment cart --type strategic -p '{\"spec\":{\"template\":{\"spec\":{\"containers\":[{\"env\":\
             [{\"name\":\"GOMEMLIMIT\",\"value\":\"90MiB\"}],\"name\":\"app\",\"resources\":{\"limits\":{\"memory\":\"164Mi\"},\
             \"requests\":{\"memory\":\"100Mi\"}}}]}}}}'"
        );
        assert!(
            text.contains("# shop/cart/app: add to the options that are there: JAVA_TOOL_OPTIONS=-Xmx64m"),
            "{text}"
        );
    }

    #[test]
    fn each_kind_has_its_template_where_it_keeps_it() {
        assert!(patches(&document("CronJob")).contains("{\"spec\":{\"jobTemplate\":{\"spec\":{\"template\":"));
        assert!(
            patches(&document("Pod")).contains("patch pod cart --subresource resize -p '{\"spec\":{\"containers\":")
        );
        assert!(patches(&document("Job")).ends_with("cannot be changed; change what makes it\n"));
        assert!(patches(&document("Widget")).ends_with("Widget is no kind that can be patched here\n"));
    }

    #[test]
    fn a_kustomization_and_a_vpa_read_back() {
        let yaml: Value = serde_saphyr::from_str(&kustomization(&document("StatefulSet"))).unwrap();
        assert_eq!(yaml["patches"][0]["target"], json!({"kind": "StatefulSet", "name": "cart", "namespace": "shop"}));
        let patch: Value = serde_saphyr::from_str(yaml["patches"][0]["patch"].as_str().unwrap()).unwrap();
        assert_eq!((&patch["apiVersion"], &patch["metadata"]["name"]), (&"apps/v1".into(), &"cart".into()));
        let vpa: Value = serde_saphyr::from_str(&vpas(&document("Deployment"))).unwrap();
        assert_eq!(vpa["spec"]["updatePolicy"]["updateMode"], "Off");
        let policy = &vpa["spec"]["resourcePolicy"]["containerPolicies"][0];
        assert_eq!(
            (&policy["minAllowed"]["memory"], &policy["maxAllowed"]["memory"]),
            (&"100Mi".into(), &"164Mi".into())
        );
    }

    #[test]
    fn amounts_are_written_whole() {
        assert_eq!([1 << 30, 3 << 19, 1500, 0].map(|it| quantity(Bytes(it))), ["1Gi", "1536Ki", "1500", "0"]);
    }
}
