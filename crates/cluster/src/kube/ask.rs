//! The question: whose deaths, in which cluster.

use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;

/// What to capture.
#[derive(Debug, Clone)]
pub struct Ask {
    /// One pod or workload; `None`: every death in the namespace.
    pub target: Option<Target>,
    /// `None`: the context's namespace, as kubectl does.
    pub namespace: Option<String>,
    /// Every namespace.
    pub all_namespaces: bool,
    /// A label selector for pods.
    pub selector: Option<String>,
    /// Only the logs of containers of this name.
    pub container: Option<String>,
    /// Logs of containers that ended before are not fetched.
    pub since: Option<Timestamp>,
    /// How long one source may take. The whole takes at most twice that, and a moment.
    pub deadline: Duration,
    /// A kubeconfig file in place of `$KUBECONFIG` and `~/.kube/config`.
    pub kubeconfig: Option<PathBuf>,
    /// A context in place of the kubeconfig's current one.
    pub context: Option<String>,
}

impl Default for Ask {
    fn default() -> Self {
        Self {
            target: None,
            namespace: None,
            all_namespaces: false,
            selector: None,
            container: None,
            since: None,
            deadline: Duration::from_secs(5),
            kubeconfig: None,
            context: None,
        }
    }
}

/// Whom the question is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A pod by name.
    Pod(String),
    /// The pods of a workload, or those on a node.
    Workload {
        /// The kind as manifests write it: `Deployment`, `Node`. One that is not built in stands as it was typed.
        kind: String,
        /// Its name.
        name: String,
    },
}

/// A target that cannot be meant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} names no pod or workload; write POD or TYPE/NAME, such as deploy/checkout")]
pub struct NotATarget(String);

/// Kinds that own pods, with the names kubectl knows them by (`kubectl api-resources`, 1.37).
const KINDS: [(&str, &[&str]); 9] = [
    ("Pod", &["po", "pod", "pods"]),
    ("Node", &["no", "node", "nodes"]),
    ("Deployment", &["deploy", "deployment", "deployments"]),
    ("StatefulSet", &["sts", "statefulset", "statefulsets"]),
    ("DaemonSet", &["ds", "daemonset", "daemonsets"]),
    ("ReplicaSet", &["rs", "replicaset", "replicasets"]),
    ("ReplicationController", &["rc", "replicationcontroller", "replicationcontrollers"]),
    ("Job", &["job", "jobs"]),
    ("CronJob", &["cj", "cronjob", "cronjobs"]),
];

impl std::str::FromStr for Target {
    type Err = NotATarget;

    /// `POD` or `TYPE/NAME`, the type short, plural or with its group (`deployments.apps/checkout`), as kubectl takes it.
    fn from_str(text: &str) -> Result<Self, NotATarget> {
        let (kind, name) = text.split_once('/').unwrap_or(("pod", text));
        let is_name = |name: &str| {
            !name.is_empty()
                && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b':'))
        };
        if !is_name(kind) || !is_name(name) {
            return Err(NotATarget(text.to_owned()));
        }
        let bare = kind.split('.').next().unwrap_or(kind).to_ascii_lowercase();
        let known = KINDS.iter().find(|(_, names)| names.contains(&bare.as_str()));
        Ok(match known {
            Some(("Pod", _)) => Self::Pod(name.to_owned()),
            Some((kind, _)) => Self::Workload { kind: (*kind).to_owned(), name: name.to_owned() },
            None => Self::Workload { kind: kind.to_owned(), name: name.to_owned() },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, kind: &str, name: &str) {
        let expected = Target::Workload { kind: kind.into(), name: name.into() };
        assert_eq!(text.parse(), Ok(expected), "{text}");
    }

    #[test]
    fn a_bare_name_is_a_pod() {
        for text in ["checkout-7f9", "po/checkout-7f9", "pods/checkout-7f9", "Pod/checkout-7f9"] {
            assert_eq!(text.parse(), Ok(Target::Pod("checkout-7f9".into())), "{text}");
        }
    }

    #[test]
    fn kinds_go_by_every_name_that_kubectl_takes() {
        check("deploy/checkout", "Deployment", "checkout");
        check("deployments.apps/checkout", "Deployment", "checkout");
        check("StatefulSet/db", "StatefulSet", "db");
        check("ds/agent", "DaemonSet", "agent");
        check("cj/nightly", "CronJob", "nightly");
        check("no/node-a.example", "Node", "node-a.example");
        check("rollouts.argoproj.io/shop", "rollouts.argoproj.io", "shop");
    }

    #[test]
    fn what_names_nothing_is_refused() {
        for text in ["", "/", "deploy/", "/x", "a/b/c", "a b", "po/../../secrets", "x?y=1"] {
            assert!(text.parse::<Target>().is_err(), "{text}");
        }
    }
}
