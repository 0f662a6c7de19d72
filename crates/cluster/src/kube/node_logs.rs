//! A node's logs under /var/log, which the kubelet shows file by file: the kernel's words in whichever file holds them.

use std::collections::BTreeSet;

use futures::{StreamExt, stream};
use jiff::Timestamp;
use oomph_core::artifact::{Artifact, Captured, Kind, Status};
use oomph_core::fact::Subject;
use tokio::time::Instant;

use super::api::{Api, Refusal, Reply, query};
use super::journal;
use super::node::{Kernel, uids_of_pods};

/// Files under /var/log that hold the kernel's words, in the order of how little else they hold.
const FILES: [&str; 3] = ["kern.log", "syslog", "messages"];
/// A file shorter than this has been rotated lately: the kill may be in the one before.
const SHORT: usize = 64 << 10;
/// A journal shorter than this has been rotated lately.
const SHORT_JOURNAL: u64 = 1 << 20;
/// Bytes of a journal that hold a byte of kernel log: 10 to 20 where a node logs little else (measured).
const JOURNAL_BYTES: u64 = 4;
/// Fields fetched at most that kernel messages share with what was before them: a node has some dozens.
const SHARED_FIELDS: usize = 400;
/// Bytes kept of the kubelet's log file.
const KUBELET_TAIL: usize = 1 << 20;
/// Lines asked for of the kubelet's journal.
const KUBELET_LINES: &str = "5000";
/// The most that a folder's listing or a kubelet's metrics may weigh.
const LARGEST: usize = 64 << 20;

fn logs_path(node: &str) -> String {
    format!("/api/v1/nodes/{node}/proxy/logs/")
}

pub(super) fn logs_name(node: &str) -> String {
    format!("GET {}", logs_path(node))
}

pub(super) async fn list_logs(api: &Api, node: &str, until: Instant) -> Result<Vec<u8>, Refusal> {
    api.get_some(&logs_path(node), None, LARGEST, until).await.map(|reply| reply.bytes)
}

/// The kernel log among the files of /var/log, and the file before it where it is short.
pub(super) async fn kernel_log(
    api: &Api,
    node: &str,
    listing: &Result<Vec<u8>, Refusal>,
    tail: usize,
    until: Instant,
) -> Kernel {
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
            kernel.captured.not_read(logs_name(node), "kernel log", Status::Absent, refusal.because());
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
    if files.contains("journal/") {
        for (file, reply) in journals(api, node, tail, until).await {
            kernel.add(node, &file, reply);
        }
        if !kernel.captured.artifacts.is_empty() {
            return kernel;
        }
    }
    let because = "/var/log holds no kern.log, syslog, messages or journal that could be read";
    kernel.captured.not_read(logs_name(node), "kernel log", Status::Absent, because);
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

/// The kernel's messages in the node's journal: of the file in use, and of the one before where that is short.
async fn journals(api: &Api, node: &str, tail: usize, until: Instant) -> Vec<(String, Reply)> {
    let list = async |folder: &str| {
        let listing = api.get_some(&format!("{}{folder}", logs_path(node)), None, LARGEST, until).await;
        listing.map(|reply| linked(&reply.bytes)).unwrap_or_default()
    };
    let mut read = Vec::new();
    // A folder a machine id; a node has one, and an image that was cloned carelessly some more.
    for machine in list("journal/").await.iter().filter(|name| name.ends_with('/') && name.len() == 33).take(4) {
        let folder = format!("journal/{machine}");
        let files = list(&folder).await;
        let file = format!("{folder}system.journal");
        let Some((reply, used)) = read_journal(api, node, &file, tail, until).await else { continue };
        // `system@ID-SEQNUM-TIME.journal`: the last in order is the newest.
        let before = files.iter().rfind(|name| name.starts_with("system@") && name.ends_with(".journal"));
        if let Some(before) = before.filter(|_| used < SHORT_JOURNAL) {
            let before = format!("{folder}{before}");
            read.extend(read_journal(api, node, &before, tail, until).await.map(|(reply, _)| (before, reply)));
        }
        read.push((file, reply));
    }
    read.retain(|(_, reply)| !reply.bytes.is_empty());
    read
}

async fn read_journal(api: &Api, node: &str, file: &str, tail: usize, until: Instant) -> Option<(Reply, u64)> {
    let path = &format!("{}{file}", logs_path(node));
    let stretch = (tail as u64).saturating_mul(JOURNAL_BYTES);
    journal_end(node, stretch, |from, to| async move {
        let limit = usize::try_from(to - from).unwrap_or(LARGEST).saturating_add(1).min(LARGEST);
        api.get_some(path, Some(&format!("{from}-{to}")), limit, until).await.ok()
    })
    .await
}

/// The kernel's messages in the last `stretch` bytes of a journal file, as text, and how many bytes of the file are
/// used. `range` reads the file from an offset to another, both included.
async fn journal_end<R: Future<Output = Option<Reply>>>(
    node: &str,
    stretch: u64,
    range: impl Fn(u64, u64) -> R,
) -> Option<(Reply, u64)> {
    let head = range(0, journal::HEADER as u64 - 1).await?;
    let header = journal::header(&head.bytes)?;
    let from = header.tail.saturating_sub(stretch).max(header.size);
    // What was written since the header was read comes along.
    let Reply { bytes, cut } = range(from, header.tail.saturating_add(SHORT as u64)).await?;
    if bytes.starts_with(journal::SIGNATURE) {
        // The server takes no ranges: this is not the end of the file.
        return None;
    }
    let mut end = journal::Stretch::new(header, from, &bytes);
    let missing = end.missing().into_iter().take(SHARED_FIELDS);
    let fields = stream::iter(missing).map(|offset| {
        let field = range(offset, offset.saturating_add(journal::FIELD));
        async move { Some((offset, field.await?.bytes)) }
    });
    for (offset, field) in fields.buffered(8).filter_map(std::future::ready).collect::<Vec<_>>().await {
        end.add(offset, field);
    }
    let (text, unread) = end.render(node);
    let cut = cut.or_else(|| (unread > 0).then(|| format!("{unread} of its kernel messages could not be read")));
    let cut = cut.or_else(|| (from > header.size).then(|| format!("only its last {stretch} bytes were read")));
    Some((Reply { bytes: text.into_bytes(), cut }, header.tail))
}

/// The kubelet's own log: a file on some nodes; else from the journal, where the kubelet is configured to be asked for
/// it (`enableSystemLogQuery`, off by default; NodeLogQuery, stable in 1.36). Where it is not, it answers with the
/// folder's listing, and nothing is missed that events do not tell.
pub(super) async fn kubelet_log(api: &Api, node: &str, listing: &Result<Vec<u8>, Refusal>, until: Instant) -> Captured {
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
    let mut reply =
        api.get_some(&format!("{}{file}", logs_path(node)), Some(&format!("-{tail}")), LARGEST, until).await?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_end_of_a_journal_is_read_by_ranges() {
        let file = journal::tests::journal(2000);
        let read = std::sync::atomic::AtomicUsize::new(0);
        let range = |from: u64, to: u64| {
            let bytes = file[usize::try_from(from).unwrap()..file.len().min(usize::try_from(to).unwrap() + 1)].to_vec();
            read.fetch_add(bytes.len(), std::sync::atomic::Ordering::Relaxed);
            std::future::ready(Some(Reply { bytes, cut: None }))
        };
        let (reply, used) = journal_end("node-a", 20_000, range).await.unwrap();
        let text = String::from_utf8(reply.bytes).unwrap();
        assert!(text.lines().count() > 50 && text.ends_with(" node-a kernel: a message\n"), "{text}");
        assert!(reply.cut.unwrap().contains("only its last 20000 bytes"));
        assert!(used > 200_000 && read.load(std::sync::atomic::Ordering::Relaxed) < 30_000);

        let (reply, _) = journal_end("node-a", 10_000_000, range).await.unwrap();
        assert_eq!((memchr::memchr_iter(b'\n', &reply.bytes).count(), reply.cut), (2000, None));
        assert!(journal_end("node-a", 1, |_, _| std::future::ready(None)).await.is_none());
    }

    #[test]
    fn a_folder_lists_its_links() {
        let html =
            b"<!doctype html>\n<pre>\n<a href=\"journal/\">journal/</a>\n<a href=\"kern.log\">kern.log</a>\n</pre>";
        assert_eq!(linked(html).into_iter().collect::<Vec<_>>(), ["journal/", "kern.log"]);
        assert!(linked(b"method not allowed").is_empty());
    }
}
