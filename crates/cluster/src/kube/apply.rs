//! The only place that writes to a cluster: what `oomph size --apply` sets, one object at a time, after the server has
//! said what would become of it.
//!
//! A patch names requests, limits and GOMEMLIMIT of containers and keeps everything else. It carries the version of the
//! object that was looked at, so what is written is what was shown.

use std::time::Duration;

use http::Request;
use http::header::{ACCEPT, CONTENT_TYPE};
use jiff::Timestamp;
use kube::Client;
use oomph_core::report::{Change, Difference, differences};
use serde_json::{Value, json};
use tokio::time::timeout;

use super::api::{Refusal, refusal};
use super::connect;
use super::{Ask, ConnectError, Permission};

/// The name under which the server keeps what is set here (`metadata.managedFields`).
const MANAGER: &str = "oomph";

/// The longest message of an Event (kubernetes/pkg/apis/core/validation/events.go, 1.37: `NoteLengthLimit`).
const NOTE: usize = 1024;

macro_rules! sized {
    ($($constant:ident $name:literal $group:literal $resource:literal)*) => {
        /// What setting a proposal takes.
        pub static APPLY: &[&Permission] = &[$(&$constant,)* &RESIZE, &EVENTS];

        $(static $constant: Permission = Permission {
            name: $name,
            group: $group,
            resource: $resource,
            verbs: &["get", "patch"],
            cluster_wide: false,
            without: "their requests and limits cannot be set",
            risk: "whoever may patch a workload may run any image in it",
        };)*
    };
}

sized! {
    DEPLOYMENTS "deployments" "apps" "deployments"
    STATEFUL_SETS "stateful sets" "apps" "statefulsets"
    DAEMON_SETS "daemon sets" "apps" "daemonsets"
    REPLICA_SETS "replica sets" "apps" "replicasets"
    REPLICATION_CONTROLLERS "replication controllers" "" "replicationcontrollers"
    CRON_JOBS "cron jobs" "batch" "cronjobs"
}

static RESIZE: Permission = Permission {
    name: "resizes of running pods",
    group: "",
    resource: "pods/resize",
    verbs: &["get", "patch"],
    cluster_wide: false,
    without: "pods that nothing owns cannot be resized",
    risk: "",
};

static EVENTS: Permission = Permission {
    name: "events of our own",
    group: "",
    resource: "events",
    verbs: &["create"],
    cluster_wide: false,
    without: "nothing on the object says who set its memory, and why",
    risk: "",
};

/// A cluster that answered.
pub struct Writer {
    client: Client,
    namespace: String,
    deadline: Duration,
}

/// What the server says that a change would do.
#[derive(Debug)]
pub struct Preview {
    /// `deployment shop/cart`.
    pub title: String,
    /// What it changes; nothing where the object has it already.
    pub differences: Vec<Difference>,
    /// The version of the object that was looked at.
    version: String,
    uid: String,
}

/// Why a change is not made.
#[derive(Debug, thiserror::Error)]
pub enum NotApplied {
    /// Something of this kind is not set here.
    #[error("{title}: {kind} is no kind whose resources can be set; use -o patch")]
    Kind {
        /// The object.
        title: String,
        /// Its kind.
        kind: String,
    },
    /// The server forbids it.
    #[error("{title}: {because}; grant it: {command}")]
    Forbidden {
        /// The object.
        title: String,
        /// Who may not do what.
        because: String,
        /// The rule that would grant it.
        command: String,
    },
    /// Somebody else changed it after it was looked at.
    #[error("{title}: it was changed while you looked; run it again")]
    Changed {
        /// The object.
        title: String,
    },
    /// The server did not take it.
    #[error("{title}: {because}; see what is there: {command}")]
    Refused {
        /// The object.
        title: String,
        /// Its words.
        because: String,
        /// What shows the object.
        command: String,
    },
}

/// Finds the cluster, as every reading does.
pub async fn open(ask: &Ask) -> Result<Writer, ConnectError> {
    let connect::Connected { api, namespace } = connect::connect(ask).await?;
    Ok(Writer { client: api.client(), namespace, deadline: ask.deadline })
}

impl Writer {
    /// What a change would do, by the server's own word: it goes all the way but the last step (`dryRun=All`), through
    /// admission and validation.
    pub async fn preview(&self, change: &Change) -> Result<Preview, NotApplied> {
        let path = self.path(change)?;
        let before = self.send(change, Request::get(&path), None).await?;
        let text = |pointer: &str| before.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (version, uid) = (text("/metadata/resourceVersion"), text("/metadata/uid"));
        let after = self.patch(change, &path, &version, "&dryRun=All").await?;
        Ok(Preview { title: self.title(change), differences: differences(&before, &after), version, uid })
    }

    /// Makes a change that was looked at. A word where it was made and yet no Event tells of it.
    pub async fn apply(&self, change: &Change, preview: &Preview) -> Result<Option<String>, NotApplied> {
        self.patch(change, &self.path(change)?, &preview.version, "").await?;
        let events = format!("/api/v1/namespaces/{}/events", self.namespace_of(change));
        let request =
            Request::post(format!("{events}?fieldManager={MANAGER}")).header(CONTENT_TYPE, "application/json");
        let event = event(change, self.namespace_of(change), preview, Timestamp::now());
        Ok(self
            .ask(request, Some(&event))
            .await
            .err()
            .map(|refusal| format!("{}: it is set, but no Event tells of it: {}", preview.title, refusal.because())))
    }

    async fn patch(&self, change: &Change, path: &str, version: &str, dry: &str) -> Result<Value, NotApplied> {
        let mut body = change.patch.clone();
        body["metadata"] = json!({"resourceVersion": version});
        let request = Request::patch(format!("{path}?fieldManager={MANAGER}{dry}"))
            .header(CONTENT_TYPE, "application/strategic-merge-patch+json");
        self.send(change, request, Some(&body)).await
    }

    async fn send(
        &self,
        change: &Change,
        request: http::request::Builder,
        body: Option<&Value>,
    ) -> Result<Value, NotApplied> {
        let title = self.title(change);
        self.ask(request, body).await.map_err(|refusal| match &refusal {
            Refusal::Forbidden { user, .. } => {
                let permission = known(&change.kind).map_or(&RESIZE, |(_, permission)| permission);
                let gap = permission.gap(Some(self.namespace_of(change)), user.as_deref());
                NotApplied::Forbidden { title, because: gap.because, command: gap.command }
            }
            Refusal::Refused(because) if because.starts_with("409 ") => NotApplied::Changed { title },
            _ => {
                let (namespace, kind) = (self.namespace_of(change), change.kind.to_ascii_lowercase());
                let command = format!("kubectl get -n {namespace} {kind} {} -o yaml", change.name);
                NotApplied::Refused { title, because: refusal.because(), command }
            }
        })
    }

    async fn ask(&self, request: http::request::Builder, body: Option<&Value>) -> Result<Value, Refusal> {
        let body = body.map(|body| body.to_string().into_bytes()).unwrap_or_default();
        let request = request.header(ACCEPT, "application/json").body(body);
        let request = request.map_err(|error| Refusal::Failed(error.to_string()))?;
        let answer = timeout(self.deadline, self.client.request_text(request)).await.map_err(|_| Refusal::Slow)?;
        let text = answer.map_err(|error| refusal(&error))?;
        serde_json::from_str(&text).map_err(|error| Refusal::Failed(format!("the answer is no object: {error}")))
    }

    fn namespace_of<'a>(&'a self, change: &'a Change) -> &'a str {
        change.namespace.as_deref().unwrap_or(&self.namespace)
    }

    fn title(&self, change: &Change) -> String {
        format!("{} {}/{}", change.kind.to_ascii_lowercase(), self.namespace_of(change), change.name)
    }

    fn path(&self, change: &Change) -> Result<String, NotApplied> {
        let wrong = || NotApplied::Kind { title: self.title(change), kind: change.kind.clone() };
        let (resource, _) = known(&change.kind).ok_or_else(wrong)?;
        let word = |text: &str| {
            !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b':'))
        };
        let namespace = self.namespace_of(change);
        if !word(namespace) || !word(&change.name) {
            return Err(wrong());
        }
        let (api, (resource, sub)) = (change.api_version, resource.split_once('/').unwrap_or((resource, "")));
        let root = if api.contains('/') { "apis" } else { "api" };
        let sub = if sub.is_empty() { String::new() } else { format!("/{sub}") };
        Ok(format!("/{root}/{api}/namespaces/{namespace}/{resource}/{}{sub}", change.name))
    }
}

/// The resource of a kind, and what patching it takes.
fn known(kind: &str) -> Option<(&'static str, &'static Permission)> {
    let permission = match kind {
        "Deployment" => &DEPLOYMENTS,
        "StatefulSet" => &STATEFUL_SETS,
        "DaemonSet" => &DAEMON_SETS,
        "ReplicaSet" => &REPLICA_SETS,
        "ReplicationController" => &REPLICATION_CONTROLLERS,
        "CronJob" => &CRON_JOBS,
        // In place (KEP-1287, Kubernetes 1.33 and later).
        "Pod" => &RESIZE,
        _ => return None,
    };
    Some((permission.resource, permission))
}

/// What `kubectl describe` shows of it afterwards.
fn event(change: &Change, namespace: &str, preview: &Preview, now: Timestamp) -> Value {
    let now = format!("{now:.0}");
    let mut message = change.because.join("; ");
    message.truncate(message.floor_char_boundary(NOTE));
    json!({
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"generateName": "oomph-size-", "namespace": namespace},
        "involvedObject": {
            "apiVersion": change.api_version,
            "kind": change.kind,
            "name": change.name,
            "namespace": namespace,
            "uid": preview.uid,
        },
        "type": "Normal",
        "reason": "MemorySized",
        "action": "Size",
        "message": message,
        "source": {"component": "oomph"},
        "reportingComponent": "oomph.dev/size",
        "reportingInstance": "oomph",
        "firstTimestamp": now,
        "lastTimestamp": now,
        "count": 1,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change() -> Change {
        Change {
            namespace: Some("shop".into()),
            api_version: "apps/v1",
            kind: "Deployment".into(),
            name: "cart".into(),
            patch: json!({}),
            because: vec!["é".repeat(NOTE + 9)],
            by_hand: Vec::new(),
        }
    }

    #[test]
    fn an_event_names_the_object_and_fits() {
        let preview =
            Preview { title: String::new(), differences: Vec::new(), version: String::new(), uid: "u1".into() };
        let event = event(&change(), "shop", &preview, Timestamp::UNIX_EPOCH);
        assert_eq!(event["involvedObject"]["uid"], "u1");
        assert_eq!(
            (&event["reason"], &event["firstTimestamp"]),
            (&"MemorySized".into(), &"1970-01-01T00:00:00Z".into())
        );
        assert_eq!(event["message"].as_str().unwrap().len(), NOTE);
    }

    #[test]
    fn every_kind_that_can_be_patched_has_a_resource_and_only_pods_a_subresource() {
        for kind in ["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "CronJob", "Pod"]
        {
            let (resource, permission) = known(kind).unwrap();
            assert_eq!(resource.contains('/'), kind == "Pod", "{resource}");
            assert!(APPLY.iter().any(|it| it.resource == permission.resource));
        }
        assert!(known("Job").is_none());
    }
}
