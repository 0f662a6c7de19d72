//! Processes in cgroups named as Kubernetes names them, found from either side.
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "it is all test code, and a skipped test says why")]

use cgroup::Cgroup;
use oomph_node::containers;
use support::Started;

#[path = "support/cgroup.rs"]
mod cgroup;
mod support;

const UID: &str = "5e1f0000-2222-3333-4444-555555555555";
const ID: &str = "5e1f2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f9";

#[test]
fn a_process_leads_to_its_container_and_the_container_to_its_cgroup() {
    let Some(root) = Cgroup::new("containers") else { return support::missing("root and a memory cgroup") };
    let kubepods = root.child("kubepods");
    let pod = kubepods.child(&format!("pod{UID}"));
    let container = pod.child(ID);
    let own = container.child("worker");
    let target = Started::new(&mut own.python("import time\nprint('ready', flush=True)\ntime.sleep(600)"));

    assert_eq!(containers::cgroup_of(&root.hierarchy, target.pid()).unwrap(), own.path);
    let of_process = containers::of_process(&root.hierarchy, target.pid()).unwrap().unwrap();
    assert_eq!(of_process.cgroup, container.path);
    assert_eq!(of_process.subject.pod_uid.as_deref(), Some(UID));
    assert_eq!(of_process.subject.container_id.as_deref(), Some(ID));

    let found = containers::find(&root.hierarchy);
    assert_eq!(found.gaps, []);
    assert_eq!(found.with_id(&ID[..12]).collect::<Vec<_>>(), [&of_process]);
    assert_eq!(found.of_pod(UID).collect::<Vec<_>>(), [&of_process]);
    assert_eq!(found.pod(UID).unwrap().cgroup, pod.path);
    drop(target);
}
