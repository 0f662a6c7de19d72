//! Whose memory is asked for, and which cgroup that is.

use std::path::Path;

use anyhow::{Context, Result, bail};
use jiff::Timestamp;
use oomph_cluster::docker;
use oomph_core::artifact::ArtifactId;
use oomph_core::cgroup_path::cgroup_names;
use oomph_core::decode::decode;
use oomph_core::fact::{self, Gap, What};
use oomph_core::waterfall::Subject;
use oomph_node::containers::{self, Container, Containers};
use oomph_node::hierarchy::Hierarchy;

use crate::cli::{Global, event_loop};

/// Cgroups to look at, and what stands in the way of more.
#[derive(Debug, Default)]
pub(super) struct Subjects {
    /// Path below the hierarchy's root, and whose it is.
    pub(super) found: Vec<(String, Subject)>,
    /// Why these may not be all.
    pub(super) gaps: Vec<Gap>,
}

fn named(cgroup: &str, subject: &fact::Subject) -> (String, Subject) {
    let subject = Subject {
        cgroup: Some(cgroup.to_owned()),
        namespace: subject.namespace.clone(),
        pod: subject.pod.clone(),
        pod_uid: subject.pod_uid.clone(),
        container: subject.container.clone(),
        container_id: subject.container_id.clone(),
    };
    (cgroup.to_owned(), subject)
}

/// Every container of this node, without the sandboxes, narrowed by namespace and container.
pub(super) fn all(hierarchy: &Hierarchy, global: &Global) -> Subjects {
    let Containers { containers, gaps, .. } = containers::find(hierarchy);
    let found = containers.iter().filter(|it| is_wanted(it, global)).map(|it| named(&it.cgroup, &it.subject));
    Subjects { found: found.collect(), gaps }
}

fn is_wanted(container: &Container, global: &Global) -> bool {
    let subject = &container.subject;
    let agrees = |asked: Option<&String>, is: Option<&String>| asked.is_none() || asked == is;
    agrees(global.container.as_ref(), subject.container.as_ref())
        && (global.all_namespaces || agrees(global.namespace.as_ref(), subject.namespace.as_ref()))
}

/// The containers of a pod of this node, and the pod as a whole: what dead containers left stands there alone.
pub(super) fn of_pod(hierarchy: &Hierarchy, name: &str, global: &Global) -> Result<Subjects> {
    let all = containers::find(hierarchy);
    let is_it = |it: &fact::Subject| it.pod.as_deref() == Some(name) || it.pod_uid.as_deref() == Some(name);
    let pods = all.pods.iter().filter(|pod| is_it(&pod.subject)).map(|pod| named(&pod.cgroup, &pod.subject));
    let containers = all.containers.iter().filter(|it| is_it(&it.subject) && is_wanted(it, global));
    let found: Vec<_> = pods.chain(containers.map(|it| named(&it.cgroup, &it.subject))).collect();
    if found.is_empty() {
        bail!(
            "no pod {name:?} on this node, by the cgroups and /var/log/pods; look on the pod's own node with: \
             kubectl debug node/$(kubectl get pod {name} -o jsonpath={{.spec.nodeName}}) -it --profile=sysadmin \
             --image={image} -- oomph inspect {name}, with the image of `cargo xtask dist` on that node or in your registry",
            image = crate::IMAGE
        );
    }
    Ok(Subjects { found, gaps: all.gaps })
}

/// A container that Docker or Podman knows by this name.
pub(super) fn of_engine(hierarchy: &Hierarchy, name: &str) -> Result<Subjects> {
    let runtime = event_loop()?;
    let endpoints = docker::endpoints(|name| std::env::var(name).ok())?;
    let ask = docker::Ask {
        endpoints: &endpoints,
        names: &[name.to_owned()],
        now: Timestamp::now(),
        booted: None,
        within: std::time::Duration::from_secs(10),
    };
    let answered = runtime.block_on(docker::capture(&ask)).context("cannot find the container")?;
    let facts = (0..).zip(&answered.captured.artifacts).flat_map(|(id, it)| decode(ArtifactId(id), it).facts);
    let subjects: Vec<_> = facts
        .filter_map(|fact| match fact.what {
            What::EngineContainer(it) => Some(it.subject),
            _ => None,
        })
        .collect();
    let all = containers::find(hierarchy);
    let mut found = Vec::new();
    for subject in &subjects {
        let id = subject.container_id.as_deref().unwrap_or_default();
        found.extend(all.with_id(id).map(|it| named(&it.cgroup, subject)));
    }
    if found.is_empty() {
        bail!("container {name:?} has no cgroup on this machine: it does not run, or it runs elsewhere; see docker ps");
    }
    Ok(Subjects { found, gaps: Vec::new() })
}

/// The container of a process, or else its cgroup.
pub(super) fn of_process(hierarchy: &Hierarchy, pid: u32) -> Result<Subjects> {
    if let Some(because) = without_memory(pid) {
        bail!("{because}");
    }
    let cgroup =
        containers::cgroup_of(hierarchy, pid).with_context(|| format!("cannot tell the cgroup of pid {pid}"))?;
    let of_container = containers::container_of(&cgroup);
    let found = match of_container {
        Some(container) => named(&container.cgroup, &container.subject),
        None => named(&cgroup, &fact::Subject::default()),
    };
    Ok(Subjects { found: vec![found], gaps: Vec::new() })
}

/// Why a process has no memory of its own: then its cgroup is that of the kernel or of nobody, and not an answer.
pub(super) fn without_memory(pid: u32) -> Option<String> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    memoryless(pid, &stat)
}

/// The flag of a kernel thread (`PF_KTHREAD`, include/linux/sched.h, v6.18).
const KERNEL_THREAD: u32 = 0x0020_0000;

/// By its `stat` (proc_pid_stat(5)): `PID (COMM) STATE PPID PGRP SESSION TTY TPGID FLAGS ...`.
fn memoryless(pid: u32, stat: &str) -> Option<String> {
    let (named, rest) = stat.rsplit_once(')')?;
    let comm = named.split_once('(')?.1;
    let mut fields = rest.split_whitespace();
    let (state, parent) = (fields.next()?, fields.next()?);
    let flags: u32 = fields.nth(4)?.parse().ok()?;
    if flags & KERNEL_THREAD != 0 {
        return Some(format!(
            "pid {pid} ({comm}) is a thread of the kernel: it has no memory of its own and is in no container; the whole \
             node is: oomph inspect --cgroup /"
        ));
    }
    matches!(state, "Z" | "X").then(|| {
        format!(
            "pid {pid} ({comm}) has ended and waits for its parent, pid {parent}, to take note (a zombie): it has no \
             memory any more, and where it was is not told; look at its parent with: oomph inspect --pid {parent}"
        )
    })
}

/// A cgroup by its path, as the kernel writes it or as a directory of the mount.
pub(super) fn of_path(hierarchy: &Hierarchy, path: &Path) -> Result<Subjects> {
    let text = path.to_string_lossy();
    let below = path.strip_prefix(&hierarchy.mount).map(|below| below.to_string_lossy().into_owned());
    let cgroup = match below {
        Ok(below) => format!("{}/{below}", hierarchy.top.trim_end_matches('/')),
        Err(_) => format!("/{}", text.trim_start_matches('/')),
    };
    let is_there = hierarchy.below(&cgroup).is_some_and(|below| hierarchy.mount.join(below).is_dir());
    if !is_there {
        bail!(
            "no cgroup {text} below {}; list them with: systemd-cgls, or find {0} -type d",
            hierarchy.mount.display()
        );
    }
    let names = cgroup_names(&cgroup);
    let subject =
        fact::Subject { pod_uid: names.pod_uid, container_id: names.container_id, ..fact::Subject::default() };
    Ok(Subjects { found: vec![named(&cgroup, &subject)], gaps: Vec::new() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kernel_threads_and_zombies_have_no_memory_to_look_at() {
        let thread = memoryless(39, "39 (kswapd0) S 2 0 0 0 -1 10758208 0 0").unwrap();
        assert!(thread.contains("kswapd0") && thread.contains("thread of the kernel"), "{thread}");
        let zombie = memoryless(7, "7 (a) b) Z 5 7 7 0 -1 4228108 0").unwrap();
        assert!(zombie.contains("(a) b)") && zombie.contains("--pid 5"), "{zombie}");
        assert_eq!(memoryless(7, "7 (sleep) S 5 7 7 0 -1 4194304 0"), None);
        assert_eq!(memoryless(7, "7 (sle"), None);
    }
}
