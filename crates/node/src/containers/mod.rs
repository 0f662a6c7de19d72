//! The containers of this node by their cgroups, and the way back from a process to its container.
//!
//! Names come from the cgroups' paths, where Kubernetes keeps its logs also from these, and of Docker and
//! Podman from the files in which they keep their state: nobody is asked.

use std::fs;
use std::io;
use std::path::Path;

use oomph_core::cgroup_path::{CgroupNames, cgroup_names};
use oomph_core::fact::{Gap, Level, Subject};

use crate::hierarchy::{Hierarchy, Version};
use crate::tree::{self, CGROUPS_MAX};
use crate::{because, hostname, this_node};

mod engines;
mod names;

use names::Names;

/// A container's cgroup.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Container {
    /// Its path below the hierarchy's root, as the kernel log writes it.
    pub cgroup: String,
    /// Whose it is, as far as the node can tell.
    pub subject: Subject,
    /// `containerd`, `cri-o`, `docker` or `podman`, where the path tells.
    pub runtime: Option<&'static str>,
}

/// A pod's cgroup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pod {
    /// Its path below the hierarchy's root.
    pub cgroup: String,
    /// Its uid, with dashes, and its name where the node can tell.
    pub subject: Subject,
}

/// The containers and pods of this node.
#[derive(Debug, Default)]
pub struct Containers {
    /// By path. Sandboxes (pause) are among them, without a container's name.
    pub containers: Vec<Container>,
    /// By path.
    pub pods: Vec<Pod>,
    /// Why these may not be all.
    pub gaps: Vec<Gap>,
}

impl Containers {
    /// Those whose id is `id` or begins with it, as tools print it.
    pub fn with_id(&self, id: &str) -> impl Iterator<Item = &Container> {
        let known = move |container: &&Container| {
            container.subject.container_id.as_deref().is_some_and(|known| !id.is_empty() && known.starts_with(id))
        };
        self.containers.iter().filter(known)
    }

    /// Those of a pod, by its uid.
    pub fn of_pod(&self, uid: &str) -> impl Iterator<Item = &Container> {
        self.containers.iter().filter(move |container| container.subject.pod_uid.as_deref() == Some(uid))
    }

    /// The pod of a uid.
    pub fn pod(&self, uid: &str) -> Option<&Pod> {
        self.pods.iter().find(|pod| pod.subject.pod_uid.as_deref() == Some(uid))
    }
}

/// Where the kubelet keeps containers' logs, and the engines their state: here, or on the host when this is a container
/// that sees the host's processes.
const ROOTS: [&str; 2] = ["/", "/proc/1/root"];

/// Finds all of them.
pub fn find(hierarchy: &Hierarchy) -> Containers {
    find_with(hierarchy, &Names::read(ROOTS.map(Path::new)))
}

fn find_with(hierarchy: &Hierarchy, names: &Names) -> Containers {
    let mut found = Containers::default();
    let not_seen = tree::walk(hierarchy, &hierarchy.top, CGROUPS_MAX, |path, _| {
        let of_path = cgroup_names(path);
        if of_path.level == Level::Pod {
            found.pods.push(Pod { cgroup: path.to_owned(), subject: names.complete(subject(&of_path)) });
        } else if let Some(container) = container_of(path).filter(|container| container.cgroup == path) {
            found.containers.push(Container { subject: names.complete(container.subject), ..container });
        }
        Ok(())
    });
    found.containers.sort_unstable_by(|one, other| one.cgroup.cmp(&other.cgroup));
    found.pods.sort_unstable_by(|one, other| one.cgroup.cmp(&other.cgroup));
    if let Some(because) = not_seen.unwrap_or_else(|error| Some(because(&error))) {
        let command = format!("find {} -type d", hierarchy.mount.display());
        found.gaps.push(Gap { what: format!("all containers of {}", this_node()), because, command });
    }
    found
}

/// The cgroup of a process, by the host's pid. An error where the process is gone, or where its cgroup is outside of what
/// the hierarchy's mount shows.
pub fn cgroup_of(hierarchy: &Hierarchy, pid: u32) -> io::Result<String> {
    let text = fs::read(format!("/proc/{pid}/cgroup"))?;
    let path = cgroup_in(&String::from_utf8_lossy(&text), hierarchy.version).ok_or(io::ErrorKind::NotFound)?;
    if hierarchy.below(&path).is_none() {
        let because = format!("its cgroup {path} is outside of what {} shows", hierarchy.mount.display());
        return Err(io::Error::new(io::ErrorKind::NotFound, because));
    }
    Ok(path)
}

/// A line of `/proc/PID/cgroup` (cgroups(7)): `4:cpu,memory:/docker/0a1b`, of version 2 `0::/docker/0a1b`.
fn cgroup_in(text: &str, version: Version) -> Option<String> {
    text.lines().find_map(|line| {
        let mut fields = line.splitn(3, ':');
        let (number, controllers, path) = (fields.next()?, fields.next()?, fields.next()?);
        let ours = match version {
            Version::V1 => controllers.split(',').any(|controller| controller == "memory"),
            Version::V2 => number == "0" && controllers.is_empty(),
        };
        // A cgroup that was removed under its last process.
        ours.then(|| path.strip_suffix(" (deleted)").unwrap_or(path).to_owned())
    })
}

/// The container of a process, with all names that the node can tell; `None` for one that is in none.
pub fn of_process(hierarchy: &Hierarchy, pid: u32) -> io::Result<Option<Container>> {
    let container = container_of(&cgroup_of(hierarchy, pid)?);
    Ok(container.map(|it| Container { subject: Names::read(ROOTS.map(Path::new)).complete(it.subject), ..it }))
}

/// The innermost container that a cgroup is or belongs to, by its path alone. Cgroups that a container made for itself
/// are that container's.
pub fn container_of(cgroup: &str) -> Option<Container> {
    let mut above = cgroup_names("/");
    let mut innermost = None;
    let ends = cgroup.match_indices('/').map(|(at, _)| at).filter(|at| *at > 0).chain([cgroup.len()]);
    for end in ends {
        let path = &cgroup[..end];
        let names = cgroup_names(path);
        let begins = above.level != Level::Container || above.container_id != names.container_id;
        // conmon watches over a container from a cgroup of its own, whose name holds the container's id.
        let watcher = path.rsplit('/').next().is_some_and(|name| name.contains("conmon"));
        if names.level == Level::Container && begins && !watcher {
            let subject = subject(&names);
            innermost = Some(Container { cgroup: path.to_owned(), subject, runtime: names.runtime });
        } else if names.level != Level::Container || watcher {
            innermost = None;
        }
        above = names;
    }
    innermost
}

fn subject(names: &CgroupNames) -> Subject {
    Subject {
        pod_uid: names.pod_uid.clone(),
        container_id: names.container_id.clone(),
        node: hostname(),
        ..Subject::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f9";
    const OTHER: &str = "ff1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f9";
    const UID: &str = "11111111-2222-3333-4444-555555555555";

    fn container(path: &str) -> Option<(String, Option<String>)> {
        let path = path.replace("UID", UID).replace("ID", ID).replace("OTHER", OTHER);
        let container = container_of(&path)?;
        Some((
            container.cgroup.replace(ID, "ID").replace(OTHER, "OTHER").replace(UID, "UID"),
            container.subject.container_id,
        ))
    }

    #[test]
    fn the_innermost_container_is_found_from_anything_inside() {
        let found = |path: &str, id: &str| Some((path.to_owned(), Some(id.to_owned())));
        for (path, cgroup, id) in [
            ("/docker/ID", "/docker/ID", ID),
            ("/docker/ID/init.scope/x", "/docker/ID", ID),
            ("/kubepods/burstable/podUID/ID/worker", "/kubepods/burstable/podUID/ID", ID),
            ("/machine.slice/libpod-ID.scope/container", "/machine.slice/libpod-ID.scope", ID),
            ("/docker/ID/kubelet/kubepods/podUID/OTHER", "/docker/ID/kubelet/kubepods/podUID/OTHER", OTHER),
            ("/docker/ID/docker/OTHER/x", "/docker/ID/docker/OTHER", OTHER),
        ] {
            assert_eq!(container(path), found(cgroup, id), "{path}");
        }
        for path in ["/", "/system.slice/x.service", "/kubepods/podUID", "/machine.slice/libpod-conmon-ID.scope", ""] {
            assert_eq!(container(path), None, "{path}");
        }
        assert_eq!(container("/docker/ID/kubelet/kubepods/podUID"), None);
    }

    #[test]
    fn all_containers_and_pods_are_found_with_their_names() {
        let folder = tempfile::tempdir().unwrap();
        let pod = format!("kubepods/burstable/pod{UID}");
        let dirs = [format!("docker/{ID}/init"), format!("{pod}/{OTHER}/a/b"), "system.slice/x.service".to_owned()];
        for path in dirs {
            fs::create_dir_all(folder.path().join(path)).unwrap();
        }
        let root = tempfile::tempdir().unwrap();
        let logs = root.path().join("var/log");
        fs::create_dir_all(logs.join(format!("pods/shop_web-7d4b_{UID}/app"))).unwrap();
        fs::create_dir_all(logs.join("containers")).unwrap();
        fs::write(logs.join(format!("containers/web-7d4b_shop_app-{OTHER}.log")), "").unwrap();
        let docker = root.path().join(format!("var/lib/docker/containers/{ID}"));
        fs::create_dir_all(&docker).unwrap();
        fs::write(docker.join("config.v2.json"), r#"{"Name": "/shop-db"}"#).unwrap();
        let hierarchy = Hierarchy { version: Version::V2, mount: folder.path().to_owned(), top: "/".into() };
        let found = find_with(&hierarchy, &Names::read([root.path()]));
        assert!(found.gaps.is_empty());
        let paths: Vec<&str> = found.containers.iter().map(|container| container.cgroup.as_str()).collect();
        assert_eq!(paths, [format!("/docker/{ID}"), format!("/{pod}/{OTHER}")]);
        let of_pod: Vec<&Container> = found.of_pod(UID).collect();
        let subject = &of_pod[0].subject;
        assert_eq!((subject.namespace.as_deref(), subject.pod.as_deref()), (Some("shop"), Some("web-7d4b")));
        assert_eq!(subject.container.as_deref(), Some("app"));
        assert_eq!(found.pod(UID).unwrap().cgroup, format!("/{pod}"));
        assert_eq!(found.pod(UID).unwrap().subject.pod.as_deref(), Some("web-7d4b"));
        let of_docker: Vec<&Container> = found.with_id(&ID[..12]).collect();
        assert_eq!(of_docker.len(), 1);
        assert_eq!(of_docker[0].subject.container.as_deref(), Some("shop-db"));
        assert_eq!(found.with_id("").count(), 0);
    }

    #[test]
    fn the_memory_controllers_line_tells_the_cgroup() {
        let v1 = "5:cpuset:/x\n4:cpu,memory:/docker/0a:b\n1:name=memory:/y\n0::/unified\n";
        assert_eq!(cgroup_in(v1, Version::V1).as_deref(), Some("/docker/0a:b"));
        assert_eq!(cgroup_in(v1, Version::V2).as_deref(), Some("/unified"));
        assert_eq!(cgroup_in("0::/a (deleted)\n", Version::V2).as_deref(), Some("/a"));
        assert_eq!(cgroup_in("\n4\n::\n", Version::V1), None);
    }

    #[test]
    fn our_own_cgroup_is_there() {
        let Some(hierarchy) = crate::hierarchy::find() else { return };
        let cgroup = cgroup_of(&hierarchy, std::process::id()).unwrap();
        let procs = fs::read_to_string(hierarchy.folder(&cgroup).unwrap().join("cgroup.procs")).unwrap();
        assert!(procs.lines().any(|pid| pid == std::process::id().to_string()));
        assert_eq!(cgroup_of(&hierarchy, 4_194_305).unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
