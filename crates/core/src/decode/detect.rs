//! What an artifact holds: kinds are told by content, never by file name; several may stand in one file.
//!
//! JSON documents are segments of their own. In the text around them each kind that shows itself gets one segment over
//! the whole stretch: its decoder passes over the lines of the others. A name counts only for the last fallback, a log
//! without any telling line.

use std::ops::Range;

use memchr::memmem;

use super::columns::columns;
use super::{container_log, event_row, table};
use crate::artifact::{Artifact, Kind};

/// A stretch of an artifact that is of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// Its kind.
    pub kind: Kind,
    /// Its bytes within the artifact.
    pub bytes: Range<usize>,
    /// The line on which it begins, from 1.
    pub first_line: usize,
}

/// How much of a large artifact is looked at for what every part of it would show.
const HEAD: usize = 64 << 10;

/// The segments of an artifact, in order. Segments may overlap: a syslog holds the kernel's lines and the kubelet's.
pub fn segments(artifact: &Artifact) -> Vec<Segment> {
    let bytes = &artifact.bytes;
    if let Some(kind) = artifact.kind {
        return vec![Segment { kind, bytes: 0..bytes.len(), first_line: 1 }];
    }
    if !bytes.starts_with(b"\x00") && memchr::memchr(0, &bytes[..bytes.len().min(HEAD)]).is_some() {
        return Vec::new();
    }
    let mut segments = Vec::new();
    let mut at = if bytes.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    let mut first_line = 1;
    while at < bytes.len() {
        let (stretch, json) = next_stretch(&bytes[at..]);
        let range = at..at + stretch;
        let kinds = if json { json_kinds(&bytes[range.clone()]) } else { text_kinds(&bytes[range.clone()]) };
        segments.extend(kinds.into_iter().map(|kind| Segment { kind, bytes: range.clone(), first_line }));
        at = range.end;
        if at < bytes.len() {
            first_line += memchr::memchr_iter(b'\n', &bytes[range]).count();
        }
    }
    if segments.is_empty() && is_log_name(&artifact.name) && !bytes.trim_ascii().is_empty() {
        segments.push(Segment { kind: Kind::ContainerLog, bytes: 0..bytes.len(), first_line: 1 });
    }
    segments
}

/// The next stretch of one nature: a JSON document that begins a line, or the text up to one.
fn next_stretch(bytes: &[u8]) -> (usize, bool) {
    let blank = bytes.len() - bytes.trim_ascii_start().len();
    if matches!(bytes.get(blank), Some(b'{' | b'[')) {
        if let Some(length) = document(&bytes[blank..]) {
            return (blank + length, true);
        }
    }
    // The lines of a log that is JSON line by line are one stretch of JSON.
    let mut at = 0;
    for end in memchr::memchr_iter(b'\n', bytes) {
        let rest = bytes[end + 1..].trim_ascii_start();
        let begins = matches!(bytes.get(end + 1), Some(b'{' | b'['));
        if begins && end + 1 < HEAD && looks_like_document(rest) && document(rest).is_some_and(|length| length > 40) {
            at = end + 1;
            break;
        }
    }
    (if at > 0 { at } else { bytes.len() }, false)
}

/// A bracket that may begin a document and not the `[ 123.456]` of a kernel's line.
fn looks_like_document(bytes: &[u8]) -> bool {
    let next = bytes[1..].trim_ascii_start().first();
    match bytes[0] {
        b'{' => matches!(next, Some(b'"' | b'}')),
        _ => matches!(next, Some(b'{' | b']')),
    }
}

/// The length of the JSON that begins here, with the documents that follow it at once; `None` where it is none.
/// A document that breaks off counts to the end.
fn document(bytes: &[u8]) -> Option<usize> {
    if !looks_like_document(bytes) {
        return None;
    }
    if bytes.len() > 4 * HEAD {
        // Not read twice: a large file that begins as JSON is JSON.
        return Some(bytes.len());
    }
    let mut stream = serde_json::Deserializer::from_slice(bytes).into_iter::<serde::de::IgnoredAny>();
    let mut end = 0;
    loop {
        match stream.next() {
            Some(Ok(_)) => end = stream.byte_offset(),
            Some(Err(error)) if error.is_eof() => return Some(bytes.len()),
            Some(Err(_)) | None => break,
        }
        if !matches!(bytes[end..].trim_ascii_start().first(), Some(b'{' | b'[')) {
            break;
        }
    }
    (end > 0).then_some(end)
}

fn has(bytes: &[u8], needle: &str) -> bool {
    memmem::find(bytes, needle.as_bytes()).is_some()
}

fn any(bytes: &[u8], needles: &[&str]) -> bool {
    needles.iter().any(|needle| has(bytes, needle))
}

/// Kinds of a JSON document.
fn json_kinds(bytes: &[u8]) -> Vec<Kind> {
    let head = &bytes[..bytes.len().min(HEAD)];
    let kind = if any(head, &["\"__REALTIME_TIMESTAMP\"", "\"_TRANSPORT\"", "\"SYSLOG_IDENTIFIER\""]) {
        return vec![Kind::KernelLog, Kind::NodeLog];
    } else if any(
        head,
        &["\"apiVersion\"", "\"involvedObject\"", "\"containerStatuses\"", "\"lastState\"", "\"managedFields\""],
    ) {
        Kind::KubernetesJson
    } else if any(head, &["\"HostConfig\"", "\"OOMKilled\"", "\"OciVersion\""]) {
        Kind::EngineInspect
    } else if any(
        head,
        &["\"runtimeSpec\"", "\"CONTAINER_EXITED\"", "\"CONTAINER_RUNNING\"", "\"runtimeType\"", "\"SANDBOX_"],
    ) {
        Kind::CriInspect
    } else if has(head, "\"Action\"") && has(head, "\"Actor\"")
        || has(head, "\"Status\"") && has(head, "\"Type\"") && has(head, "\"Time\"")
    {
        Kind::EngineEvents
    } else if any(
        head,
        &["\"terminated\"", "\"termination\"", "\"exitCode\"", "\"phase\"", "\"nodeInfo\"", "\"items\""],
    ) {
        Kind::KubernetesJson
    } else if container_log::tells(bytes) || has(head, "{\"log\":\"") {
        Kind::ContainerLog
    } else {
        return Vec::new();
    };
    vec![kind]
}

/// Kinds that show themselves in a text.
fn text_kinds(bytes: &[u8]) -> Vec<Kind> {
    let head = &bytes[..bytes.len().min(HEAD)];
    let text = String::from_utf8_lossy(head);
    if text.trim_start().starts_with('"') {
        let inspect = has(head, "\"OOMKilled\"");
        let status = any(head, &["\"exitCode\"", "\"terminated\"", "\"phase\"", "\"termination\""]);
        let piece = inspect.then_some(Kind::EngineInspect).or(status.then_some(Kind::KubernetesJson));
        let notes = is_node_log(bytes).then_some(Kind::NodeLog);
        if piece.is_some() {
            return piece.into_iter().chain(notes).collect();
        }
    }
    if is_metrics(&text) {
        return vec![Kind::Metrics];
    }
    let shapes = Shapes::of(&text);
    let shown = [
        (Kind::KubernetesYaml, shapes.yaml),
        (Kind::Describe, shapes.describe),
        (Kind::Table, shapes.table),
        (Kind::EngineEvents, shapes.engine_events),
        (Kind::MemoryEvents, shapes.memory_events),
        (Kind::MemoryStat, shapes.memory_stat && !shapes.memory_events),
        (Kind::KernelLog, is_kernel_log(bytes, &text)),
        (Kind::NodeLog, is_node_log(bytes)),
        (Kind::ContainerLog, !shapes.yaml_document && container_log::tells(bytes)),
    ];
    shown.into_iter().filter(|(_, shown)| *shown).map(|(kind, _)| kind).collect()
}

/// The kernel's words, or its lines' dress.
fn is_kernel_log(bytes: &[u8], head: &str) -> bool {
    const WORDS: [&str; 9] = [
        "oom-killer",
        "oom-kill:",
        "Killed process ",
        "Kill process ",
        "oom_reaper",
        "ut of memory",
        "killed as a result of limit",
        "Memory cgroup stats for",
        "pids controller",
    ];
    const KILLERS: [&str; 4] = ["systemd-oomd", "earlyoom", "OOMController", "nohang"];
    let dressed = head.lines().take(200).filter(|line| is_kernel_line(line)).count() >= 2;
    dressed || any(bytes, &WORDS) && !only_prose(bytes) || any(bytes, &KILLERS)
}

/// A describe text or a container's log may hold the words in a sentence of its own; a kill line has sizes.
fn only_prose(bytes: &[u8]) -> bool {
    !any(
        bytes,
        &[
            "oom-killer",
            "oom-kill:",
            "total-vm",
            "anon-rss",
            "oom_reaper",
            "invoked oom",
            "killed as a result",
            "sacrifice child",
            "Memory cgroup",
            "Killed process",
            "pids controller",
            "no killable",
        ],
    )
}

/// `[ 123.456789] `, `6,123,456789,-;`, `... kernel: `.
fn is_kernel_line(line: &str) -> bool {
    let line = line.trim_start();
    if line.contains(" kernel: ") {
        return true;
    }
    if let Some(rest) = line.strip_prefix('[') {
        let stamp = rest.split(']').next().unwrap_or_default().trim();
        return stamp.split_once('.').is_some_and(|(seconds, rest)| {
            rest.len() == 6 && (seconds.to_owned() + rest).bytes().all(|c| c.is_ascii_digit())
        });
    }
    let head = line.split(';').next().unwrap_or_default();
    let numbers: Vec<&str> = head.split(',').collect();
    line.contains(';') && numbers.len() >= 4 && numbers[..3].iter().all(|number| number.parse::<u64>().is_ok())
}

/// Words of the kubelet, runtimes, systemd and orchestrators.
fn is_node_log(bytes: &[u8]) -> bool {
    const WORDS: [&str; 14] = [
        "kubelet[",
        "kubelet:",
        "kubelet.go",
        "kuberuntime_",
        "prober.go",
        "eviction_manager",
        "containerd[",
        "containerd:",
        "crio[",
        "dockerd[",
        "TaskOOM",
        "liveness probe, will be restarted",
        "force killing",
        "Created an OOM event",
    ];
    any(bytes, &WORDS) || any(bytes, &["System OOM encountered", "oom-kill'.", "killed by the OOM killer"])
}

/// Prometheus' text exposition.
fn is_metrics(head: &str) -> bool {
    head.lines().take(50).filter(|line| !line.is_empty()).any(|line| {
        line.starts_with("# TYPE ")
            || line.starts_with("# HELP ")
            || line.starts_with("container_") && line.contains('{')
    })
}

/// What single lines of a text show.
#[derive(Default)]
struct Shapes {
    yaml: bool,
    yaml_document: bool,
    describe: bool,
    table: bool,
    engine_events: bool,
    memory_events: bool,
    memory_stat: bool,
}

impl Shapes {
    fn of(text: &str) -> Self {
        let mut shapes = Self::default();
        for line in text.lines() {
            let bare = line.trim().trim_start_matches("- ").trim_start_matches(['*', '#', '>']).trim_start();
            shapes.yaml_document |= line.starts_with("apiVersion:") || line.starts_with("- apiVersion:");
            shapes.yaml |= shapes.yaml_document || is_yaml_key(bare);
            shapes.describe |= is_describe(line, bare);
            let row = event_row::event(line);
            shapes.describe |= matches!(row, Some((_, false)));
            shapes.table |= matches!(row, Some((_, true))) || table::pod(line).is_some();
            shapes.engine_events |= is_engine_event(bare);
            let counter = bare.rsplit([':', '/']).next().unwrap_or(bare);
            shapes.memory_events |= number_after(counter, "oom_kill ") || number_after(counter, "under_oom ");
            shapes.memory_stat |= number_after(counter, "inactive_file ") || number_after(counter, "total_rss ");
        }
        // A describe text's keys are words with capitals; a YAML fragment has neither.
        shapes.yaml &= shapes.yaml_document || !shapes.describe || !text.contains("State:  ");
        shapes
    }
}

/// Keys that only Kubernetes' own YAML has.
fn is_yaml_key(bare: &str) -> bool {
    const KEYS: [&str; 12] = [
        "exitCode:",
        "containerStatuses:",
        "initContainerStatuses:",
        "lastState:",
        "terminated:",
        "phase:",
        "finishedAt:",
        "startedAt:",
        "involvedObject:",
        "qosClass:",
        "hostIP:",
        "containerID:",
    ];
    KEYS.iter().any(|key| bare.starts_with(key))
}

/// Labels of `kubectl describe`, and other ways of listing a status.
fn is_describe(line: &str, bare: &str) -> bool {
    const LABELS: [&str; 12] = [
        "State:",
        "Last State:",
        "Exit Code:",
        "Controlled By:",
        "QoS Class:",
        "Restart Count:",
        "Status:",
        "Kubelet Version:",
        "Container ID:",
        "Start Time:",
        "Liveness:",
        "Termination Grace Period:",
    ];
    LABELS.iter().any(|label| bare.starts_with(label))
        || bare.starts_with("Reason:") && columns(line).len() >= 2
        || bare.starts_with("Message:")
        || bare.starts_with("`exitCode=")
        || bare.starts_with("`reason=")
        || bare.contains("brief reason:")
        || bare.contains("Exit Code: ") && bare.contains("Exit Message:")
}

/// `2026-11-25T22:00:00.1Z container die ID (exitCode=137, ...)`.
fn is_engine_event(bare: &str) -> bool {
    bare.contains(" container ") && bare.contains('(') && bare.starts_with("20") && bare.contains("image=")
}

fn number_after(text: &str, key: &str) -> bool {
    text.strip_prefix(key).is_some_and(|number| number.trim().parse::<u64>().is_ok())
}

/// The last fallback: a file that is named as logs are.
fn is_log_name(name: &str) -> bool {
    name.ends_with(".log") || name.contains("/containers/") || name.contains("/pods/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<Kind> {
        segments(&Artifact::new("-", text)).into_iter().map(|segment| segment.kind).collect()
    }

    #[test]
    fn kinds_are_told_by_content() {
        assert_eq!(kinds("{\"apiVersion\": \"v1\", \"items\": [], \"kind\": \"List\"}"), [Kind::KubernetesJson]);
        assert_eq!(kinds("[{\"Id\": \"x\", \"HostConfig\": {}, \"State\": {}}]"), [Kind::EngineInspect]);
        assert_eq!(kinds("apiVersion: v1\nkind: Pod\n"), [Kind::KubernetesYaml]);
        assert_eq!(
            kinds("    State:          Running\n    Last State:     Terminated\n      Exit Code:    1\n"),
            [Kind::Describe]
        );
        assert_eq!(kinds("[   12.345678] usb 1-1: new device\n[   12.345679] done\n"), [Kind::KernelLog]);
        assert_eq!(kinds("low 0\nhigh 0\nmax 3\noom 1\noom_kill 1\n"), [Kind::MemoryEvents]);
        assert_eq!(kinds("# TYPE container_oom_events_total counter\n"), [Kind::Metrics]);
        assert_eq!(kinds("java.lang.OutOfMemoryError: Java heap space\n"), [Kind::ContainerLog]);
        assert_eq!(kinds("Just a note about nothing.\n"), []);
        assert_eq!(kinds(""), []);
    }

    #[test]
    fn a_page_with_several_kinds_is_split() {
        let page = "$ kubectl get pod web -o json\n{\"apiVersion\": \"v1\", \"kind\": \"Pod\", \"metadata\": {}}\n\
            web   0/1   OOMKilled   1   3m\n";
        let found = segments(&Artifact::new("-", page));
        let kinds: Vec<_> = found.iter().map(|segment| (segment.kind, segment.first_line)).collect();
        assert_eq!(kinds, [(Kind::KubernetesJson, 2), (Kind::Table, 2)]);
    }

    #[test]
    fn a_syslog_is_both_the_kernels_and_the_kubelets() {
        let log = "Nov 25 22:00:00 n kernel: [  1.000000] a\nNov 25 22:00:00 n kernel: [  1.000000] b\nNov 25 22:00:01 n kubelet[1]: x\n";
        assert_eq!(kinds(log), [Kind::KernelLog, Kind::NodeLog]);
    }
}
