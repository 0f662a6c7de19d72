//! Through the node proxy: the kernel's own words and the kubelet's counters, without any agent.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::future::OptionFuture;
use futures::{StreamExt, stream};
use oomph_core::artifact::Captured;
use tokio::time::Instant;

use super::api::{Api, Refusal};
use super::cadvisor;
use super::node_logs::{kernel_log, kubelet_log, list_logs, logs_name};
use super::pods::Found;
use super::{Clock, Missing, Permission, refused};

/// The kubelet behind the API server.
pub(super) const NODE_PROXY: Permission = Permission {
    name: "kernel logs and cAdvisor counters of nodes",
    group: "",
    resource: "nodes/proxy",
    verbs: &["get"],
    cluster_wide: true,
    without: "kills of children, the level whose limit fired and the node's own kills are not seen",
    risk: "nodes/proxy is as good as exec into every pod of every node, and admission does not see it; give it to \
           people, not to workloads, or read a node's log by hand: kubectl debug node/NODE --profile=sysadmin -q \
           --attach --image=busybox -- chroot /host /bin/sh -c 'sleep 2; dmesg -T'",
};

/// Nodes read at most; those of troubled pods come first.
const MOST: usize = 50;
/// Nodes read at once.
const CONCURRENT: usize = 8;
/// Bytes of kernel log kept, over all nodes.
const BUDGET: usize = 32 << 20;
/// Bytes of kernel log kept of one node.
const TAIL: usize = 4 << 20;
/// What the nodes brought.
#[derive(Debug, Default)]
pub(super) struct Kernel {
    /// The artifacts.
    pub(super) captured: Captured,
    /// Uids of pods that kernel logs and kill counters name.
    pub(super) named_uids: BTreeSet<String>,
}

/// Kernel logs and counters of the nodes that were found, and the kubelet's log where a pod is in trouble.
pub(super) async fn capture(api: &Api, found: &Found, clock: Clock) -> Kernel {
    let until = clock.source();
    let tail = (BUDGET / found.nodes.len().clamp(1, MOST)).min(TAIL);
    let pods: BTreeSet<_> =
        found.troubled.iter().map(|pod| (pod.metadata.namespace.clone(), pod.metadata.name.clone())).collect();
    let of_trouble: BTreeSet<_> = found.troubled.iter().filter_map(|pod| pod.spec.node_name.as_deref()).collect();
    // One refusal stands for all: it is told once, and nobody asks again.
    let denied = AtomicBool::new(false);
    let (denied, pods, of_trouble) = (&denied, &pods, &of_trouble);
    let reading = stream::iter(found.nodes.iter().take(MOST).cloned()).map(|node| async move {
        let mut kernel = Kernel::default();
        if denied.load(Ordering::Relaxed) {
            return kernel;
        }
        let listing = list_logs(api, &node, until).await;
        if let Err(refusal @ Refusal::Forbidden { .. }) = &listing {
            if !denied.swap(true, Ordering::Relaxed) {
                refused(&mut kernel.captured, &logs_name(&node), &NODE_PROXY, None, refusal, Missing::Tell);
            }
            return kernel;
        }
        let (log, counters, kubelet) = futures::join!(
            kernel_log(api, &node, &listing, tail, until),
            cadvisor::capture(api, &node, pods, until),
            OptionFuture::from(of_trouble.contains(node.as_str()).then(|| kubelet_log(api, &node, &listing, until))),
        );
        kernel.join(log);
        kernel.join(counters);
        kernel.captured.append(kubelet.unwrap_or_default());
        kernel
    });
    let mut kernel = Kernel::default();
    for part in reading.buffered(CONCURRENT).collect::<Vec<_>>().await {
        kernel.join(part);
    }
    if found.nodes.len() > MOST {
        let because = format!("of {} nodes {MOST} were read; those of pods in trouble came first", found.nodes.len());
        kernel.captured.gap("kernel logs of the other nodes", because, "oomph why node/NODE");
    }
    kernel
}

/// The end of one node's kernel log alone, as a new death needs it.
pub(super) async fn kernel_tail(api: &Api, node: &str, tail: usize, until: Instant) -> Captured {
    let listing = list_logs(api, node, until).await;
    if let Err(refusal @ Refusal::Forbidden { .. }) = &listing {
        let mut captured = Captured::default();
        refused(&mut captured, &logs_name(node), &NODE_PROXY, None, refusal, Missing::Tell);
        return captured;
    }
    kernel_log(api, node, &listing, tail, until).await.captured
}

impl Kernel {
    pub(super) fn join(&mut self, other: Self) {
        self.captured.append(other.captured);
        self.named_uids.extend(other.named_uids);
    }
}

/// Every pod uid in the path of a cgroup: `/kubepods/burstable/podUID/...`, or `...-podU_I_D.slice` with systemd
/// (`pkg/kubelet/cm/cgroup_manager_linux.go`, v1.37).
pub(super) fn uids_of_pods(text: &[u8], uids: &mut BTreeSet<String>) {
    const UID: usize = 36;
    for at in memchr::memmem::find_iter(text, b"pod") {
        let Some(uid) = text.get(at + 3..at + 3 + UID) else { continue };
        let is_uid = uid.iter().enumerate().all(|(index, byte)| match index {
            8 | 13 | 18 | 23 => matches!(byte, b'-' | b'_'),
            _ => byte.is_ascii_hexdigit(),
        });
        if is_uid {
            uids.insert(String::from_utf8_lossy(uid).replace('_', "-"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uids_are_found_in_both_spellings_of_a_cgroup() {
        let mut uids = BTreeSet::new();
        let text = b"oom_memcg=/kubepods/burstable/pod185d9cef-c3fa-4d6d-ba8c-832eec8ebdfc,task_memcg=/kubepods.slice/\
            kubepods-pod0db6928f_7e47_4f85_aab6_607738a61437.slice/x /pods/185d9cef podman pod12";
        uids_of_pods(text, &mut uids);
        let expected = ["0db6928f-7e47-4f85-aab6-607738a61437", "185d9cef-c3fa-4d6d-ba8c-832eec8ebdfc"];
        assert_eq!(uids.iter().collect::<Vec<_>>(), expected.iter().collect::<Vec<_>>());
    }
}
