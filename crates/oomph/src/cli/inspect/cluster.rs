//! Pods of a cluster: read from inside where that is asked for, else told how to be read.

use anyhow::Result;
use oomph_cluster::kube::{self, ConnectError, Found, Inside, Printed, Target};
use oomph_core::fact::{Container, ContainerKind, Gap, Pod, State};
use oomph_core::waterfall::inside::{self, Place, from_outside};
use oomph_core::waterfall::{Document, Subject, Waterfall, document};

use super::{Inspect, show};
use crate::cli::{Exit, Global, Output, event_loop};
use crate::ui::Ui;

/// Containers read at most: each costs a command inside of it.
const CONTAINERS_MAX: usize = 200;

impl Inspect {
    /// What no node can answer by itself.
    pub(super) fn is_of_cluster(&self, global: &Global) -> bool {
        let workload = matches!(self.pod, Some(Target::Workload { .. }));
        workload || global.selector.is_some() || global.context.is_some() || global.kubeconfig.is_some()
    }

    /// The cluster's pods, read by a command inside each container.
    pub(super) fn read_inside(&self, global: &Global, ui: Ui) -> Result<Exit> {
        let runtime = event_loop()?;
        let inside = runtime.block_on(find(self.pod.as_ref(), global))?;
        let read = || runtime.block_on(ui.waiting("reading inside of containers", read(&inside, global)));
        self.look_again(read, || true, global, ui)
    }

    /// Says how the pods can be read, which is not done here.
    pub(super) fn advise(&self, global: &Global, ui: Ui) -> Result<Exit> {
        let inside = event_loop()?.block_on(find(self.pod.as_ref(), global))?;
        let advice = advice(&inside);
        if global.output == Output::Text {
            for Gap { what, because, command } in &advice {
                ui.error(format_args!("{what} was not read: {because}\n  {command}"));
            }
            if advice.is_empty() {
                ui.error("no pod matches; list them with: kubectl get pods -A");
            }
        } else {
            show(&document(Vec::new(), &advice), global.output, ui)?;
        }
        Ok(Exit::Failed)
    }

    /// The same of a pod that is not on this node; where no cluster is configured, why it was not found here.
    pub(super) fn advise_or(&self, error: anyhow::Error, global: &Global, ui: Ui) -> Result<Exit> {
        let advised = self.advise(global, ui);
        match advised {
            Err(of_cluster) if of_cluster.is::<ConnectError>() => Err(error),
            advised => advised,
        }
    }
}

/// The pods that are asked for, as the cluster tells of them.
async fn find(target: Option<&Target>, global: &Global) -> Result<Inside> {
    let ask = kube::Ask {
        target: target.cloned(),
        namespace: global.namespace.clone(),
        all_namespaces: global.all_namespaces,
        selector: global.selector.clone(),
        container: global.container.clone(),
        kubeconfig: global.kubeconfig.clone(),
        context: global.context.clone(),
        ..kube::Ask::default()
    };
    Ok(kube::pods_of(&ask).await?)
}

/// How the memory of these pods can be read: on their nodes in full, or from inside.
fn advice(inside: &Inside) -> Vec<Gap> {
    let mut gaps = inside.found.gaps.clone();
    for Found { pod, .. } in &inside.found.pods {
        let (namespace, name) = names(pod);
        let Some(node) = &pod.node else {
            gaps.push(Gap {
                what: format!("the memory of pod {namespace}/{name}"),
                because: "it is on no node yet".into(),
                command: format!("kubectl describe pod {name} -n {namespace}"),
            });
            continue;
        };
        gaps.push(Gap {
            what: format!("the memory of pod {namespace}/{name}"),
            because: format!(
                "it runs on node {node}, and memory is read there; or read the cgroup's counters with a command inside \
                 the container, which is charged to it: oomph inspect {name} -n {namespace} --exec"
            ),
            command: from_outside(node, namespace, name),
        });
    }
    gaps
}

fn names(pod: &Pod) -> (&str, &str) {
    (pod.namespace.as_deref().unwrap_or("default"), pod.name.as_deref().unwrap_or_default())
}

/// Whether a container runs; else its state in words.
fn runs(container: &Container) -> Result<(), String> {
    match container.status.as_ref().and_then(|status| status.state.as_ref()) {
        Some(State::Running { .. }) => Ok(()),
        Some(State::Waiting { reason, .. }) => {
            Err(format!("it is waiting: {}", reason.as_deref().unwrap_or("no reason is given")))
        }
        Some(State::Terminated(end)) => {
            Err(format!("it has ended: {}", end.reason.as_deref().unwrap_or("no reason is given")))
        }
        None => Err("it has no status yet".into()),
    }
}

/// Every running container of the pods, from inside.
async fn read(inside: &Inside, global: &Global) -> Document {
    let mut gaps = inside.found.gaps.clone();
    let mut wanted: Vec<(&Found, &Container)> = Vec::new();
    for found in &inside.found.pods {
        for container in &found.pod.containers {
            let Some(name) = &container.name else { continue };
            let named = global.container.as_ref() == Some(name);
            if global.container.is_some() && !named {
                continue;
            }
            match runs(container) {
                Ok(()) => wanted.push((found, container)),
                // An init container that is done is how every pod begins.
                Err(_) if matches!(container.kind, ContainerKind::Init | ContainerKind::Ephemeral) && !named => {}
                Err(because) => {
                    let (namespace, pod) = names(&found.pod);
                    let command = format!("oomph why {pod} -n {namespace}");
                    gaps.push(Gap { what: format!("the memory of {namespace}/{pod}/{name}"), because, command });
                }
            }
        }
    }
    if wanted.len() > CONTAINERS_MAX {
        let because = format!("of {} running containers the first {CONTAINERS_MAX} were read", wanted.len());
        gaps.push(Gap {
            what: "the other containers".into(),
            because,
            command: "oomph inspect -n NAMESPACE --exec".into(),
        });
        wanted.truncate(CONTAINERS_MAX);
    }
    let asked = wanted.iter().map(|(found, container)| {
        let (namespace, pod) = names(&found.pod);
        (namespace.to_owned(), pod.to_owned(), container.name.clone().unwrap_or_default())
    });
    let asked: Vec<_> = asked.collect();
    let mut waterfalls = Vec::new();
    for ((found, container), printed) in wanted.iter().zip(inside.read(&asked).await) {
        let (namespace, pod) = names(&found.pod);
        let outside = found.pod.node.as_ref().map(|node| from_outside(node, namespace, pod)).unwrap_or_default();
        match printed.and_then(|printed| explain(found, container, &printed, &outside)) {
            Ok(waterfall) => waterfalls.push(waterfall),
            Err(gap) if gap.command.is_empty() => gaps.push(Gap { command: outside, ..gap }),
            // One forbids as many as were asked for.
            Err(gap) if gaps.contains(&gap) => {}
            Err(gap) => gaps.push(gap),
        }
    }
    document(waterfalls, &gaps)
}

fn explain(found: &Found, container: &Container, printed: &Printed, outside: &str) -> Result<Waterfall, Gap> {
    let (namespace, pod) = names(&found.pod);
    let place = Place {
        subject: Subject {
            cgroup: None,
            namespace: Some(namespace.to_owned()),
            pod: Some(pod.to_owned()),
            pod_uid: found.pod.uid.clone(),
            container: container.name.clone(),
            container_id: container.status.as_ref().and_then(|status| status.id.clone()),
        },
        at: Some(printed.at),
        resources: container.applied.clone().unwrap_or_else(|| container.resources.clone()),
        shares_processes: found.shares_processes,
        outside: outside.to_owned(),
    };
    inside::explain(&place, printed.by, &printed.bytes)
}
