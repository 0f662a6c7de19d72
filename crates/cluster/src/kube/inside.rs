//! Running containers, read from inside by one command each: asked for only, since it runs in the container and its
//! memory is charged to it.

use futures::{StreamExt, stream};
use jiff::Timestamp;
use oomph_core::artifact::{Artifact, ArtifactId, Captured};
use oomph_core::decode::decode;
use oomph_core::fact::{self, Gap, What};
use oomph_core::waterfall::inside::{By, command};

use super::api::{Api, Ran, Refusal};
use super::{Ask, Clock, ConnectError, Permission, Scope, connect, pods};

/// Running a command in a container.
pub(super) const EXEC: Permission = Permission {
    name: "commands inside of containers",
    group: "",
    resource: "pods/exec",
    // The upgrade is a GET; servers since 1.35 want `create` for it too
    // (AuthorizePodWebsocketUpgradeCreatePermission, kubernetes/pkg/features/kube_features.go).
    verbs: &["create", "get"],
    cluster_wide: false,
    without: "no memory is read inside of containers",
    risk: "whoever may exec runs any command in the containers, with their identity and secrets",
};

/// Containers read at once.
const AT_ONCE: usize = 4;

/// Pods with what the API tells of them.
#[derive(Debug, Default)]
pub struct Pods {
    /// Those that were asked for.
    pub pods: Vec<Found>,
    /// What could not be read.
    pub gaps: Vec<Gap>,
}

/// A pod.
#[derive(Debug)]
pub struct Found {
    /// What it says.
    pub pod: fact::Pod,
    /// Its first process is not its container's own (`shareProcessNamespace`, `hostPID`).
    pub shares_processes: bool,
}

/// What one container printed.
#[derive(Debug)]
pub struct Printed {
    /// When.
    pub at: Timestamp,
    /// Which program read it.
    pub by: By,
    /// Its standard output.
    pub bytes: Vec<u8>,
}

/// A cluster that answered, and pods of it.
pub struct Inside {
    api: Api,
    clock: Clock,
    /// The pods.
    pub found: Pods,
}

/// Finds the pods that are asked for, the healthy ones too.
pub async fn pods_of(ask: &Ask) -> Result<Inside, ConnectError> {
    let connect::Connected { api, namespace } = connect::connect(ask).await?;
    let clock = Clock::start(ask.deadline);
    let scope = Scope::of(ask, &namespace);
    let found = pods::find_all(&api, ask, &scope, clock).await;
    let facts = facts(&found.captured);
    let shares = |uid: Option<&String>| {
        found.troubled.iter().any(|pod| Some(&pod.metadata.uid) == uid && pod.spec.shares_processes())
    };
    let pods = facts.into_iter().map(|pod| Found { shares_processes: shares(pod.uid.as_ref()), pod }).collect();
    let gaps = match found.gone {
        // Of what is gone the events still tell, but not where its memory went.
        Some(gone) => vec![Gap {
            what: format!("the memory of {}", gone.name),
            because: "there is no such pod, or none of the workload; check the name and the namespace (-n)".into(),
            command: "kubectl get pods -A".into(),
        }],
        None => found.captured.gaps,
    };
    Ok(Inside { api, clock, found: Pods { pods, gaps } })
}

fn facts(captured: &Captured) -> Vec<fact::Pod> {
    let decoded = |(id, artifact): (u32, &Artifact)| decode(ArtifactId(id), artifact).facts;
    let facts = (0..).zip(&captured.artifacts).flat_map(decoded);
    facts
        .filter_map(|fact| match fact.what {
            What::Pod(pod) => Some(*pod),
            _ => None,
        })
        .collect()
}

impl Inside {
    /// Reads containers, given as (namespace, pod, container), in their order.
    pub async fn read(&self, containers: &[(String, String, String)]) -> Vec<Result<Printed, Gap>> {
        let reads = containers.iter().map(|(namespace, pod, container)| self.one(namespace, pod, container));
        stream::iter(reads).buffered(AT_ONCE).collect().await
    }

    /// With a shell, or else by `cat` alone.
    async fn one(&self, namespace: &str, pod: &str, container: &str) -> Result<Printed, Gap> {
        let mut why = Vec::new();
        for by in [By::Shell, By::Cat] {
            let until = tokio::time::Instant::now() + self.clock.each;
            let at = Timestamp::now();
            match self.api.exec((namespace, pod, container), command(by), until).await {
                Ok(Ran { printed, .. }) if !printed.is_empty() => return Ok(Printed { at, by, bytes: printed }),
                Ok(Ran { because, .. }) => why.push(because),
                Err(Refusal::Forbidden { user, .. }) => return Err(EXEC.gap(Some(namespace), user.as_deref())),
                Err(refusal) => {
                    why.push(refusal.because());
                    break;
                }
            }
        }
        why.dedup();
        let hint = if why.len() > 1 { "the image may have neither sh nor cat: " } else { "" };
        Err(Gap {
            what: format!("the memory of {namespace}/{pod}/{container}, read from inside"),
            because: format!("{hint}{}", why.join("; ")),
            command: String::new(),
        })
    }
}
