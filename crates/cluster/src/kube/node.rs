//! Through the node proxy: the kernel's own words and the kubelet's counters, without any agent.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::future::OptionFuture;
use futures::{StreamExt, stream};
use jiff::Timestamp;
use oomph_core::artifact::{Artifact, Kind};
use oomph_core::fact::Subject;
use tokio::time::Instant;

use super::api::{Api, Refusal, Reply, query};
use super::cadvisor;
use super::pods::Found;
use super::{Clock, Missing, Permission, refused};
use crate::{Captured, ReadStatus};

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

/// Files under /var/log that hold the kernel's words, in the order of how little else they hold.
const FILES: [&str; 3] = ["kern.log", "syslog", "messages"];
/// Nodes read at most; those of troubled pods come first.
const MOST: usize = 50;
/// Nodes read at once.
const CONCURRENT: usize = 8;
/// Bytes of kernel log kept, over all nodes.
const BUDGET: usize = 32 << 20;
/// Bytes of kernel log kept of one node.
const TAIL: usize = 4 << 20;
/// A file shorter than this has been rotated lately: the kill may be in the one before.
const SHORT: usize = 64 << 10;
/// Bytes kept of the kubelet's log file.
const KUBELET_TAIL: usize = 1 << 20;
/// Lines asked for of the kubelet's journal.
const KUBELET_LINES: &str = "5000";
/// The most that a folder's listing or a kubelet's metrics may weigh.
const LARGEST: usize = 64 << 20;

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
        kernel.captured.join(kubelet.unwrap_or_default());
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
        self.captured.join(other.captured);
        self.named_uids.extend(other.named_uids);
    }
}

fn logs_path(node: &str) -> String {
    format!("/api/v1/nodes/{node}/proxy/logs/")
}

fn logs_name(node: &str) -> String {
    format!("GET {}", logs_path(node))
}

async fn list_logs(api: &Api, node: &str, until: Instant) -> Result<Vec<u8>, Refusal> {
    api.get_some(&logs_path(node), None, LARGEST, until).await.map(|reply| reply.bytes)
}

/// The kernel log among the files of /var/log, and the file before it where it is short.
async fn kernel_log(api: &Api, node: &str, listing: &Result<Vec<u8>, Refusal>, tail: usize, until: Instant) -> Kernel {
    let mut kernel = Kernel::default();
    // The wait lets kubectl attach before the output is over.
    let by_hand = format!(
        "kubectl debug node/{node} --profile=sysadmin -q --attach --image=busybox -- \
         chroot /host /bin/sh -c 'sleep 2; dmesg -T' | oomph why -f -"
    );
    let what = format!("the kernel log of node {node}");
    let files = match listing {
        Ok(html) => linked(html),
        Err(refusal) => {
            kernel.captured.status(logs_name(node), "kernel log", ReadStatus::Absent, refusal.because());
            // 405: enableSystemLogHandler is off.
            kernel.captured.gap(what, format!("the kubelet does not show it: {}", refusal.because()), by_hand);
            return kernel;
        }
    };
    for file in FILES.iter().filter(|file| files.contains(**file)) {
        let Ok(reply) = read_tail(api, node, file, tail, until).await else { continue };
        if reply.bytes.is_empty() {
            continue;
        }
        let before = format!("{file}.1");
        if reply.bytes.len() < SHORT.min(tail)
            && files.contains(&before)
            && let Ok(reply) = read_tail(api, node, &before, tail, until).await
        {
            kernel.add(node, &before, reply);
        }
        kernel.add(node, file, reply);
        return kernel;
    }
    let because = if files.contains("journal/") {
        "its words are in the journal, of which the kubelet shows services only"
    } else {
        "/var/log holds no kern.log, syslog or messages that could be read"
    };
    kernel.captured.status(logs_name(node), "kernel log", ReadStatus::Absent, because);
    kernel.captured.gap(what, because, by_hand);
    kernel
}

impl Kernel {
    fn add(&mut self, node: &str, file: &str, reply: Reply) {
        uids_of_pods(&reply.bytes, &mut self.named_uids);
        let artifact = Artifact {
            kind: Some(Kind::KernelLog),
            about: Subject { node: Some(node.to_owned()), ..Subject::default() },
            at: Some(Timestamp::now()),
            ..Artifact::new(format!("{}{file}", logs_name(node)), reply.bytes)
        };
        match reply.cut {
            None => self.captured.read("kernel log", artifact),
            Some(because) => self.captured.partial("kernel log", artifact, because),
        }
    }
}

/// The kubelet's own log: a file on some nodes; else from the journal, where the kubelet is configured to be asked for
/// it (`enableSystemLogQuery`, off by default; NodeLogQuery, stable in 1.36). Where it is not, it answers with the
/// folder's listing, and nothing is missed that events do not tell.
async fn kubelet_log(api: &Api, node: &str, listing: &Result<Vec<u8>, Refusal>, until: Instant) -> Captured {
    let mut captured = Captured::default();
    let Ok(listing) = listing else { return captured };
    let query = query(&[("query", "kubelet"), ("tailLines", KUBELET_LINES)]);
    let (below, reply) = if linked(listing).contains("kubelet.log") {
        ("kubelet.log".to_owned(), read_tail(api, node, "kubelet.log", KUBELET_TAIL, until).await)
    } else {
        (query.clone(), api.get_some(&format!("{}{query}", logs_path(node)), None, LARGEST, until).await)
    };
    let Ok(reply) = reply else { return captured };
    // A journal without the unit says so in one line; a listing is HTML.
    let lines = memchr::memchr_iter(b'\n', &reply.bytes).count();
    if reply.bytes.starts_with(b"<") || lines < 2 || reply.bytes.starts_with(b"\n") {
        return captured;
    }
    let artifact = Artifact {
        kind: Some(Kind::NodeLog),
        about: Subject { node: Some(node.to_owned()), ..Subject::default() },
        at: Some(Timestamp::now()),
        ..Artifact::new(format!("{}{below}", logs_name(node)), reply.bytes)
    };
    match reply.cut {
        None => captured.read("kubelet log", artifact),
        Some(because) => captured.partial("kubelet log", artifact, because),
    }
    captured
}

/// The last `tail` bytes of a file, from the first whole line.
async fn read_tail(api: &Api, node: &str, file: &str, tail: usize, until: Instant) -> Result<Reply, Refusal> {
    // A server that takes no ranges sends the whole: bounded all the same.
    let mut reply = api.get_some(&format!("{}{file}", logs_path(node)), Some(tail), LARGEST, until).await?;
    if reply.bytes.len() >= tail {
        let from = reply.bytes.len() - tail;
        let line = memchr::memchr(b'\n', &reply.bytes[from..]).map_or(from, |newline| from + newline + 1);
        reply.bytes.drain(..line);
        reply.cut.get_or_insert_with(|| format!("only its last {tail} bytes were read"));
    }
    Ok(reply)
}

/// The names that a folder's listing links to (`net/http.FileServer`: one `<a href="NAME">` a line).
fn linked(html: &[u8]) -> BTreeSet<String> {
    let html = String::from_utf8_lossy(html);
    html.split("href=\"").skip(1).filter_map(|rest| rest.split_once('"')).map(|(name, _)| name.to_owned()).collect()
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

    #[test]
    fn a_folder_lists_its_links() {
        let html =
            b"<!doctype html>\n<pre>\n<a href=\"journal/\">journal/</a>\n<a href=\"kern.log\">kern.log</a>\n</pre>";
        assert_eq!(linked(html).into_iter().collect::<Vec<_>>(), ["journal/", "kern.log"]);
        assert!(linked(b"method not allowed").is_empty());
    }
}
