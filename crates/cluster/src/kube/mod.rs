//! A live Kubernetes cluster: what its API server tells about deaths, as bytes.
//!
//! The capture goes in three looks, each of concurrent requests with a deadline:
//! 1. the pods, of which the troubled ones are kept;
//! 2. what surrounds them: events, nodes, limit ranges, owners, usage, the dead instances' logs, the nodes' kernel logs
//!    and counters;
//! 3. the pods that look healthy and yet are named by a node's kills.
//!
//! What is forbidden, absent or slow becomes a gap with the command that would fill it. What writes to a
//! cluster stands in `apply` alone, what runs a command in a container in `inside`.

use std::time::Duration;

use futures::future::OptionFuture;
use jiff::Timestamp;
use oomph_core::artifact::{Artifact, Captured, Kind, Status};
use oomph_core::fact::Subject;
use tokio::time::Instant;

use api::{Api, Refusal};

mod api;
mod apply;
mod ask;
mod autoscalers;
mod cadvisor;
mod connect;
mod events;
mod follow;
mod glance;
mod inside;
mod journal;
mod kills;
mod list;
mod logs;
mod manifests;
mod missing;
mod node;
mod node_logs;
mod owners;
mod permission;
mod pods;
mod prometheus;
mod selection;
mod surroundings;
mod watch;

pub use apply::{APPLY, NotApplied, Preview, Writer, open};
pub use ask::{Ask, NotATarget, Target};
pub use autoscalers::{BESIDE, autoscalers, usage};
pub use connect::ConnectError;
pub(crate) use connect::innermost;
pub use inside::{Found, Inside, Pods, Printed, pods_of};
pub use manifests::manifests;
pub use permission::Permission;
pub use prometheus::{FIND, NotFound, find};
pub use watch::watch;

/// Everything that the live source may ask of an API server. Each stands beside the call that needs it.
pub static PERMISSIONS: &[&Permission] = &[
    &pods::PODS,
    &events::EVENTS,
    &logs::LOGS,
    &missing::NAMESPACES,
    &surroundings::NODES,
    &surroundings::LIMIT_RANGES,
    &surroundings::POD_METRICS,
    &surroundings::NODE_METRICS,
    &owners::REPLICA_SETS,
    &owners::DEPLOYMENTS,
    &owners::STATEFUL_SETS,
    &owners::DAEMON_SETS,
    &owners::CONTROLLER_REVISIONS,
    &owners::REPLICATION_CONTROLLERS,
    &owners::JOBS,
    &owners::CRON_JOBS,
    &node::NODE_PROXY,
];

/// What `oomph lint --live` asks for.
pub static LINT_PERMISSIONS: &[&Permission] = &[
    &manifests::DEPLOYMENTS,
    &manifests::STATEFUL_SETS,
    &manifests::DAEMON_SETS,
    &manifests::JOBS,
    &manifests::CRON_JOBS,
    &manifests::REPLICA_SETS,
    &manifests::REPLICATION_CONTROLLERS,
    &manifests::PODS,
    &manifests::LIMIT_RANGES,
    &manifests::RESOURCE_QUOTAS,
    &manifests::HORIZONTAL_AUTOSCALERS,
    &manifests::VERTICAL_AUTOSCALERS,
    &manifests::CONFIG_MAPS,
];

/// What is asked for only where the user wants it, and by no deployment of oomph: it runs commands in containers.
pub static ON_REQUEST: &[&Permission] = &[&inside::EXEC];

/// Where pods are looked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
enum Scope {
    #[default]
    All,
    Namespace(String),
}

impl Scope {
    fn of(ask: &Ask, default: &str) -> Self {
        if ask.all_namespaces {
            Self::All
        } else {
            Self::Namespace(ask.namespace.as_deref().unwrap_or(default).to_owned())
        }
    }

    fn namespace(&self) -> Option<&str> {
        match self {
            Self::All => None,
            Self::Namespace(namespace) => Some(namespace),
        }
    }

    /// The path of a namespaced resource: `path("/api/v1", "pods")`.
    fn path(&self, api: &str, resource: &str) -> String {
        match self {
            Self::All => format!("{api}/{resource}"),
            Self::Namespace(namespace) => format!("{api}/namespaces/{namespace}/{resource}"),
        }
    }
}

/// When requests must end: each source has its own deadline inside the one of the whole.
#[derive(Debug, Clone, Copy)]
struct Clock {
    each: Duration,
    end: Instant,
}

impl Clock {
    fn start(each: Duration) -> Self {
        Self { each, end: Instant::now() + each * 2 }
    }

    /// The deadline of a source that begins now.
    fn source(&self) -> Instant {
        (Instant::now() + self.each).min(self.end)
    }
}

/// Reads what the cluster has about the deaths asked for. An error only when there is no cluster to ask.
pub async fn capture(ask: &Ask) -> Result<Captured, ConnectError> {
    let connect::Connected { api, namespace } = connect::connect(ask).await?;
    let scope = Scope::of(ask, &namespace);
    Ok(look(&api, ask, &scope, Clock::start(ask.deadline)).await)
}

async fn look(api: &Api, ask: &Ask, scope: &Scope, clock: Clock) -> Captured {
    let mut found = pods::find(api, ask, scope, clock).await;
    let mut captured = std::mem::take(&mut found.captured);
    let scope = &found.scope.clone();

    // The node of a pod that is gone is known from its events alone, so they come first.
    let mut seen = events::Seen::default();
    let first = found.gone.is_some() || found.workload.is_some();
    if first {
        seen = events::capture(api, scope, &found, clock).await;
        seen.nodes.retain(|node| !found.nodes.contains(node));
        found.nodes.append(&mut seen.nodes);
    }
    let events: OptionFuture<_> = (!first).then(|| events::capture(api, scope, &found, clock)).into();
    let (events, nodes, limits, usage, owners, logs, kernel) = futures::join!(
        events,
        surroundings::nodes(api, &found, clock),
        surroundings::limit_ranges(api, &found, clock),
        surroundings::usage(api, &found, clock),
        owners::capture(api, scope, &found, clock),
        logs::capture(api, ask, &found.troubled, found.running, clock),
        node::capture(api, &found, clock),
    );
    let seen = events.unwrap_or(seen);
    let second = pods::look_again(api, ask, &found.healthy, &kernel.named_uids, clock).await;
    for part in [second, seen.captured, nodes, limits, owners, logs, kernel.captured, usage] {
        captured.append(part);
    }
    captured
}

/// Whether a refusal is worth a gap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Missing {
    /// It was expected to be there.
    Tell,
    /// It may well not be there: then only the source's status says so.
    Quiet,
    /// It adds little: never a gap.
    Silent,
}

/// Fetches one object.
async fn fetch(
    api: &Api,
    path: &str,
    permission: &Permission,
    namespace: Option<&str>,
    missing: Missing,
    until: Instant,
) -> (Captured, Option<Vec<u8>>) {
    let mut captured = Captured::default();
    let name = format!("GET {path}");
    match api.get(path, until).await {
        Ok(bytes) => {
            let about = Subject { namespace: namespace.map(str::to_owned), ..Subject::default() };
            captured.read(
                permission.name,
                Artifact {
                    kind: Some(Kind::KubernetesJson),
                    about,
                    at: Some(Timestamp::now()),
                    ..Artifact::new(name, bytes.clone())
                },
            );
            (captured, Some(bytes))
        }
        Err(refusal) => {
            refused(&mut captured, &name, permission, namespace, &refusal, missing);
            (captured, None)
        }
    }
}

/// Notes why a source gave nothing, and the command that would show it or the rule that would grant it.
fn refused(
    captured: &mut Captured,
    name: &str,
    permission: &Permission,
    namespace: Option<&str>,
    refusal: &Refusal,
    missing: Missing,
) {
    let (status, because) = match refusal {
        Refusal::Forbidden { .. } => (Status::Forbidden, refusal.because()),
        _ => (Status::Absent, refusal.because()),
    };
    captured.not_read(name, permission.name, status, because.clone());
    match refusal {
        Refusal::Forbidden { user, .. } if missing != Missing::Silent => {
            let gap = permission.gap(namespace, user.as_deref());
            captured.gap(gap.what, gap.because, gap.command);
        }
        Refusal::Absent(_) if missing == Missing::Quiet => {}
        _ if missing == Missing::Silent => {}
        _ => {
            let path = name.trim_start_matches("GET ");
            let because = format!("{because}; without it {}", permission.without);
            captured.gap(format!("{} ({path})", permission.name), because, format!("kubectl get --raw '{path}'"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_capture_may_be_spawned() {
        fn send<T: Send>(_: &T) {}
        let ask = Ask::default();
        send(&capture(&ask));
        send(&watch(ask));
    }
}
