//! What a cgroup's path tells: whose it is, at which level it stands, and who made it.
//!
//! The shapes are those of the kubelet (`pkg/kubelet/cm/pod_container_manager_linux.go`, both cgroup drivers), of
//! containerd, CRI-O, Docker and Podman, of LXC, of Amazon ECS and of systemd.

use crate::fact::{Level, Qos};

/// The names in a cgroup's path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CgroupNames {
    /// Which level of the hierarchy the path is. The root is the node.
    pub level: Level,
    /// Pod uid, with dashes.
    pub pod_uid: Option<String>,
    /// Container id, bare.
    pub container_id: Option<String>,
    /// `containerd`, `cri-o`, `docker` or `podman`, where the path tells.
    pub runtime: Option<&'static str>,
    /// QoS class of the pod.
    pub qos: Option<Qos>,
}

/// Reads a path such as `/kubepods/burstable/pod<uid>/<id>`, with or without `/sys/fs/cgroup` before it.
pub fn cgroup_names(path: &str) -> CgroupNames {
    let path = path.strip_prefix("/sys/fs/cgroup").unwrap_or(path);
    let mut names = CgroupNames::at(Level::Node);
    let mut above = "";
    for part in path.split('/').filter(|part| !part.is_empty()) {
        names.descend(above, part);
        above = part;
    }
    names
}

/// Names of a container's cgroup as its runtime writes them before the id; the longer ones first.
const RUNTIMES: [(&str, &str); 10] = [
    ("oomph-run-", "oomph"),
    ("cri-containerd-", "containerd"),
    ("crio-conmon-", "cri-o"),
    ("crio-", "cri-o"),
    ("docker-", "docker"),
    ("libpod-conmon-", "podman"),
    ("libpod-", "podman"),
    ("nerdctl-", "containerd"),
    ("containerd-", "containerd"),
    ("podman-", "podman"),
];

/// Cgroups under which a runtime puts containers by bare id.
const PARENTS: [(&str, &str); 5] = [
    ("docker", "docker"),
    ("moby", "docker"),
    ("k8s.io", "containerd"),
    ("libpod_parent", "podman"),
    ("buildkit", "docker"),
];

/// Endings of systemd units that own a cgroup.
const UNITS: [&str; 6] = [".slice", ".service", ".scope", ".mount", ".socket", ".swap"];

impl CgroupNames {
    const fn at(level: Level) -> Self {
        Self { level, pod_uid: None, container_id: None, runtime: None, qos: None }
    }

    /// Goes one cgroup deeper, from `above` to `part`.
    fn descend(&mut self, above: &str, part: &str) {
        if is_kubepods(part) {
            // Kubernetes nested in a container (kind, minikube) or in LXC: what is above is not the pod's.
            *self = Self::at(Level::NodeAllocatable);
        } else if let Some((slice, runtime, id)) = driver_mismatch(part) {
            self.enter_pod(slice);
            self.enter_container(runtime, Some(id));
        } else if self.enter_pod(part) {
        } else if self.level == Level::NodeAllocatable
            && let Some(qos) = qos_in(part)
        {
            self.level = Level::Slice;
            self.qos = Some(qos);
        } else if self.level == Level::Container && self.pod_uid.is_some() {
            // A cgroup that the pod's container made for itself, even one for a container of its own.
        } else if let Some((runtime, id)) = container(above, part) {
            self.enter_container(runtime, id);
        } else {
            self.level = self.other(above, part);
        }
    }

    /// Enters a pod's cgroup: `pod<uid>`, `kubepods-burstable-pod<uid>.slice`. False when `part` is none.
    fn enter_pod(&mut self, part: &str) -> bool {
        let name = part.strip_suffix(".slice").unwrap_or(part);
        let Some(at) = name.rfind("pod").filter(|at| *at == 0 || name[..*at].ends_with('-')) else { return false };
        let (before, uid) = (&name[..at], &name[at + 3..]);
        let uid = pod_uid(uid);
        let kubernetes =
            matches!(self.level, Level::NodeAllocatable) || self.qos.is_some() || before.contains("kubepods-");
        if uid.is_none() && !(kubernetes && name.len() > at + 3) {
            return false;
        }
        let qos = qos_in(before).or(self.qos).unwrap_or(Qos::Guaranteed);
        *self = Self { level: Level::Pod, pod_uid: uid, qos: Some(qos), container_id: None, runtime: None };
        true
    }

    fn enter_container(&mut self, runtime: Option<&'static str>, id: Option<&str>) {
        self.level = Level::Container;
        self.runtime = runtime;
        self.container_id = id.map(str::to_owned);
    }

    /// The level of a cgroup that is neither a pod's nor a container's.
    fn other(&self, above: &str, part: &str) -> Level {
        let unit = UNITS.iter().any(|ending| part.ends_with(ending));
        match self.level {
            // What stands in a pod is a container, whatever it is called.
            Level::Pod | Level::Container => Level::Container,
            _ if above == "lxc" || above == "lxc.payload" || part.starts_with("lxc.payload.") => Level::Lxc,
            _ if above == "ecs" || part.starts_with("ecstasks-") => Level::EcsTask,
            Level::EcsTask if is_fargate_container(part) => Level::Container,
            Level::EcsTask => Level::EcsTask,
            Level::UserUnit => Level::UserUnit,
            Level::Slice if above.starts_with("user-") => Level::UserUnit,
            _ if part.starts_with("user@") => Level::UserUnit,
            _ if unit => Level::Slice,
            // A cgroup inside a unit, or inside an LXC container (`ns`), is that one's own.
            Level::Slice | Level::Lxc => self.level,
            _ => Level::Other,
        }
    }
}

/// `kubepods`, `kubepods.slice`, and with a `--cgroup-root`: `kubelet-kubepods.slice`.
fn is_kubepods(part: &str) -> bool {
    let name = part.strip_suffix(".slice").unwrap_or(part);
    name == "kubepods" || name.ends_with("-kubepods")
}

fn qos_in(part: &str) -> Option<Qos> {
    let name = part.strip_suffix(".slice").unwrap_or(part).trim_end_matches('-');
    match name.rsplit('-').next()? {
        "burstable" => Some(Qos::Burstable),
        "besteffort" => Some(Qos::BestEffort),
        _ => None,
    }
}

/// `kubepods-burstable-pod<uid>.slice:cri-containerd:<id>`: the kubelet drives systemd, the runtime the cgroup files,
/// so that the name meant for systemd became the name of a directory.
fn driver_mismatch(part: &str) -> Option<(&str, Option<&'static str>, &str)> {
    let (rest, id) = part.rsplit_once(':')?;
    let (slice, name) = rest.rsplit_once(':')?;
    let runtime =
        RUNTIMES.iter().find(|(prefix, _)| prefix.strip_suffix('-') == Some(name)).map(|(_, runtime)| *runtime);
    let id = without_kata(id);
    is_id(id).then_some((slice, runtime, id))
}

/// Runtime and id of a container's cgroup. The id is missing where somebody cut it.
fn container<'a>(above: &str, part: &'a str) -> Option<(Option<&'static str>, Option<&'a str>)> {
    let part = without_kata(part);
    let name = part.strip_suffix(".scope").unwrap_or(part);
    for (prefix, runtime) in RUNTIMES {
        if let Some(id) = name.strip_prefix(prefix).map(without_kata)
            && (is_id(id) || part.len() > name.len())
        {
            return Some((Some(runtime), is_id(id).then_some(id)));
        }
    }
    if part.len() == 64 && is_id(part) {
        let runtime = PARENTS.iter().find(|(parent, _)| *parent == above).map(|(_, runtime)| *runtime);
        return Some((runtime, Some(part)));
    }
    None
}

/// The name that Kata Containers renamed, so that cAdvisor does not find it (src/runtime/pkg/resourcecontrol/cgroups.go
/// `RenameCgroupPath`, 3.0).
fn without_kata(name: &str) -> &str {
    name.strip_prefix("kata_").unwrap_or(name)
}

/// A container id, whole or the digits that tools print of it.
fn is_id(text: &str) -> bool {
    (12..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// `<task id>-<number>`, as Fargate names the containers of a task.
fn is_fargate_container(part: &str) -> bool {
    part.rsplit_once('-').is_some_and(|(task, number)| task.len() == 32 && is_id(task) && number.parse::<u64>().is_ok())
}

/// A pod's uid with dashes: a UUID with dashes or underscores (systemd), or 32 digits (the config hash of a static pod).
fn pod_uid(text: &str) -> Option<String> {
    const DASHES: [usize; 4] = [8, 13, 18, 23];
    let bytes = text.as_bytes();
    if bytes.len() == 32 && is_id(text) {
        return Some([&text[..8], &text[8..12], &text[12..16], &text[16..20], &text[20..]].join("-"));
    }
    let uuid = bytes.len() == 36
        && bytes.iter().enumerate().all(|(at, byte)| match byte {
            b'-' | b'_' => DASHES.contains(&at),
            digit => digit.is_ascii_hexdigit() && !DASHES.contains(&at),
        });
    uuid.then(|| text.replace('_', "-"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ID: &str = "0a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f9";
    const UID: &str = "11111111-2222-3333-4444-555555555555";
    const UNDERSCORED: &str = "11111111_2222_3333_4444_555555555555";

    fn names(path: &str) -> (Level, Option<String>, Option<String>, Option<&'static str>, Option<Qos>) {
        let path = path.replace("ID", ID).replace("U_U", UNDERSCORED).replace("UID", UID).replace("UUU", UID);
        let CgroupNames { level, pod_uid, container_id, runtime, qos } = cgroup_names(&path);
        (level, pod_uid, container_id, runtime, qos)
    }

    fn of_pod(
        runtime: Option<&'static str>,
        qos: Qos,
    ) -> (Level, Option<String>, Option<String>, Option<&'static str>, Option<Qos>) {
        (Level::Container, Some(UID.to_owned()), Some(ID.to_owned()), runtime, Some(qos))
    }

    #[test]
    fn containers_of_pods_are_told_in_both_drivers_and_every_nesting() {
        use Qos::{BestEffort, Burstable, Guaranteed};
        for (path, runtime, qos) in [
            ("/kubepods/burstable/podUUU/ID", None, Burstable),
            ("/kubepods/podUUU/ID", None, Guaranteed),
            ("/kubepods/besteffort/podUUU/crio-ID", Some("cri-o"), BestEffort),
            ("/kubepods.slice/kubepods-podU_U.slice/docker-ID.scope", Some("docker"), Guaranteed),
            (
                "/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-podU_U.slice/crio-ID.scope",
                Some("cri-o"),
                BestEffort,
            ),
            (
                "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-podU_U.slice/crio-conmon-ID.scope",
                Some("cri-o"),
                Burstable,
            ),
            ("/system.slice/kubepods-burstable-podU_U.slice:cri-containerd:ID", Some("containerd"), Burstable),
            ("/system.slice/k3s-agent.service/kubepods-podU_U.slice:cri-containerd:ID", Some("containerd"), Guaranteed),
            ("/kubepods.slice/kubepods-podU_U.slice:cri-containerd:kata_ID", Some("containerd"), Guaranteed),
            ("/kubepods/burstable/podUUU/kata_ID", None, Burstable),
            ("/docker/ID/kubelet/kubepods/burstable/podUUU/ID", None, Burstable),
            (
                "/docker/ID/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-burstable.slice/kubelet-kubepods-burstable-podU_U.slice/cri-containerd-ID.scope",
                Some("containerd"),
                Burstable,
            ),
            (
                "/lxc.payload.vm-1/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-podU_U.slice/cri-containerd-ID.scope",
                Some("containerd"),
                Burstable,
            ),
            ("/kubepods/burstable/podUUU/ID/init/worker.service", None, Burstable),
            ("/sys/fs/cgroup/kubepods/burstable/podUUU/ID", None, Burstable),
        ] {
            assert_eq!(names(path), of_pod(runtime, qos), "{path}");
        }
    }

    #[test]
    fn every_level_is_told() {
        for (path, level) in [
            ("/", Level::Node),
            ("/kubepods", Level::NodeAllocatable),
            ("/kubepods.slice", Level::NodeAllocatable),
            ("/kubelet.slice/kubelet-kubepods.slice", Level::NodeAllocatable),
            ("/kubepods/burstable", Level::Slice),
            ("/kubepods.slice/kubepods-besteffort.slice", Level::Slice),
            ("/kubepods/burstable/podUUU", Level::Pod),
            ("/kubepods.slice/kubepods-podU_U.slice", Level::Pod),
            ("/docker/ID", Level::Container),
            ("/system.slice/docker-ID.scope", Level::Container),
            ("/machine.slice/libpod-ID.scope/container", Level::Container),
            ("/libpod_parent/libpod-ID", Level::Container),
            ("/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-ID.scope", Level::Container),
            ("/lxc/101", Level::Lxc),
            ("/lxc/101/ns", Level::Lxc),
            ("/lxc.payload.web", Level::Lxc),
            ("/lxc/101/ns/system.slice/web.service", Level::Slice),
            ("/lxc/101/ns/system.slice/docker-ID.scope", Level::Container),
            ("/ecs/0123456789abcdef0123456789abcdef", Level::EcsTask),
            ("/ecs/0123456789abcdef0123456789abcdef/ID", Level::Container),
            ("/ecs/0123456789abcdef0123456789abcdef/0123456789abcdef0123456789abcdef-123456", Level::Container),
            ("/ecstasks.slice/ecstasks-0123456789abcdef0123456789abcdef.slice", Level::EcsTask),
            ("/ecstasks.slice/ecstasks-0123456789abcdef0123456789abcdef.slice/docker-ID.scope", Level::Container),
            ("/podruntime.slice", Level::Slice),
            ("/system.slice/kubelet.service", Level::Slice),
            ("/user.slice", Level::Slice),
            ("/user.slice/user-1000.slice/session-2.scope", Level::UserUnit),
            ("/user.slice/user-1000.slice/user@1000.service/app.slice/run-u1.service", Level::UserUnit),
            ("/batch", Level::Other),
        ] {
            assert_eq!(names(path).0, level, "{path}");
        }
    }

    #[test]
    fn a_static_pods_config_hash_gets_dashes() {
        let names = cgroup_names("/kubepods/burstable/pod0123456789abcdef0123456789abcdef");
        assert_eq!(names.pod_uid.as_deref(), Some("01234567-89ab-cdef-0123-456789abcdef"));
    }

    #[test]
    fn a_cut_uid_or_id_is_no_name() {
        let names = cgroup_names("/kubepods/burstable/pod1111-22");
        assert_eq!((names.level, names.pod_uid), (Level::Pod, None));
        let names = cgroup_names("/system.slice/docker-0a1b.scope");
        assert_eq!((names.level, names.container_id, names.runtime), (Level::Container, None, Some("docker")));
    }

    proptest! {
        #[test]
        fn no_path_panics(path in "(/(kubepods|docker|lxc|pod|ecs|user-1\\.slice|[a-f0-9]{64}|:|-|é|\\PC{0,8})){0,6}") {
            let _ = cgroup_names(&path);
        }
    }
}
