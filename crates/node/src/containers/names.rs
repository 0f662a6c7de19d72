//! Names of pods and containers, from where Kubernetes keeps their logs.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use oomph_core::fact::Subject;

use super::engines;

/// What the names of folders and links below `/var/log` tell.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// Namespace and name of pods, by uid without dashes.
    pods: HashMap<String, (String, String)>,
    /// Namespace, pod and name of containers, by id.
    containers: HashMap<String, (String, String, String)>,
    /// Names of Docker's and Podman's containers, by id.
    engines: HashMap<String, String>,
}

impl Names {
    /// Reads the first of `roots`, each a place where the host's files may be, that has any of Kubernetes, and the first
    /// that has any of the engines.
    pub(super) fn read<'a>(roots: impl IntoIterator<Item = &'a Path>) -> Self {
        let mut names = Self::default();
        for root in roots {
            let logs = root.join("var/log");
            if names.pods.is_empty() && names.containers.is_empty() {
                names.pods = entries(&logs.join("pods")).filter_map(|name| pod(&name)).collect();
                names.containers = entries(&logs.join("containers")).filter_map(|name| container(&name)).collect();
            }
            if names.engines.is_empty() {
                names.engines = engines::names(root);
            }
        }
        names
    }

    /// Adds what is known to a subject that has a uid or an id.
    pub(super) fn complete(&self, mut subject: Subject) -> Subject {
        let uid = subject.pod_uid.as_deref().map(without_dashes);
        if let Some((namespace, pod)) = uid.and_then(|uid| self.pods.get(&uid)) {
            subject.namespace = Some(namespace.clone());
            subject.pod = Some(pod.clone());
        }
        let id = subject.container_id.as_deref();
        if let Some((namespace, pod, container)) = id.and_then(|id| self.containers.get(id)) {
            subject.namespace = Some(namespace.clone());
            subject.pod = Some(pod.clone());
            subject.container = Some(container.clone());
        } else if let Some(name) = id.and_then(|id| self.engines.get(id)) {
            subject.container.get_or_insert_with(|| name.clone());
        }
        subject
    }
}

fn entries(folder: &Path) -> impl Iterator<Item = String> {
    fs::read_dir(folder).into_iter().flatten().flatten().filter_map(|entry| entry.file_name().into_string().ok())
}

/// `NAMESPACE_POD_UID` (pkg/kubelet/kuberuntime/helpers.go, `BuildPodLogsDirectory`, Kubernetes 1.36); names hold no
/// underscore. A static pod's uid is the hash of its configuration, without dashes.
fn pod(folder: &str) -> Option<(String, (String, String))> {
    let mut parts = folder.split('_');
    let (namespace, pod, uid) = (parts.next()?, parts.next()?, parts.next()?);
    let whole = parts.next().is_none() && !namespace.is_empty() && !pod.is_empty() && !uid.is_empty();
    whole.then(|| (without_dashes(uid), (namespace.to_owned(), pod.to_owned())))
}

/// `POD_NAMESPACE_CONTAINER-ID.log` (pkg/kubelet/kuberuntime/legacy.go, `legacyLogSymlink`, Kubernetes 1.36). What is
/// longer than a file's name may be loses the end of its id, and is then not found by it.
fn container(link: &str) -> Option<(String, (String, String, String))> {
    let (name, id) = link.strip_suffix(".log")?.rsplit_once('-')?;
    let mut parts = name.split('_');
    let (pod, namespace, container) = (parts.next()?, parts.next()?, parts.next()?);
    let whole = parts.next().is_none() && !id.is_empty() && !container.is_empty();
    whole.then(|| (id.to_owned(), (namespace.to_owned(), pod.to_owned(), container.to_owned())))
}

fn without_dashes(uid: &str) -> String {
    uid.replace('-', "")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn folders_of_pods_and_links_of_containers_are_taken_apart() {
        let (uid, names) = pod("kube-system_etcd-node-a_0123456789abcdef0123456789abcdef").unwrap();
        assert_eq!(uid, "0123456789abcdef0123456789abcdef");
        assert_eq!(names, ("kube-system".into(), "etcd-node-a".into()));
        let (id, names) = container("web-7d4b-x_shop_side-car-0a1b.log").unwrap();
        assert_eq!((id.as_str(), names), ("0a1b", ("shop".into(), "web-7d4b-x".into(), "side-car".into())));
        assert_eq!(pod("lost+found"), None);
        assert_eq!(container("x.log"), None);
    }

    proptest! {
        #[test]
        fn no_name_panics(name in "([a-z]|_|-|\\.log|é){0,20}") {
            let _ = (pod(&name), container(&name));
        }
    }
}
