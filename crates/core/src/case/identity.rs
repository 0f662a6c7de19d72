//! Which uid a pod has whose text does not tell it, as a describe text does not: the kernel's path of a container of it does.

use super::index::PodView;
use super::matching::same_id;
use crate::fact::{Container, KernelKill, Locus, State};

/// Gives pods without a uid the one that stands beside the id of one of their containers in a kill's path.
pub(super) fn learn(pods: &mut [PodView], kills: &[(KernelKill, Locus)]) {
    for view in pods {
        if view.pod.uid.is_some() || view.pod.config_hash.is_some() {
            continue;
        }
        let own = |kill: &&(KernelKill, Locus)| {
            let id = kill.0.container_id.as_deref();
            id.is_some_and(|id| view.pod.containers.iter().any(|container| had(container, id)))
        };
        view.pod.uid = kills
            .iter()
            .filter(|(kill, _)| kill.pod_uid.is_some())
            .find(own)
            .and_then(|(kill, _)| kill.pod_uid.clone());
    }
}

/// A life of the container is known to have had this id.
pub(super) fn had(container: &Container, id: &str) -> bool {
    let Some(status) = &container.status else { return false };
    let end = match &status.state {
        Some(State::Terminated(end)) => end.container_id.as_deref(),
        _ => None,
    };
    let last = status.last.as_ref().and_then(|end| end.container_id.as_deref());
    [status.id.as_deref(), end, last].into_iter().flatten().any(|known| same_id(known, id))
}
