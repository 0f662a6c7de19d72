//! The kinds that show themselves in the lines of a text.

use std::borrow::Cow;

use super::{HEAD, any, has, yaml};
use crate::artifact::Kind;
use crate::decode::columns::columns;
use crate::decode::words::Words;
use crate::decode::{container_log, event_row, message, table};

/// Kinds that show themselves in a text.
pub(super) fn kinds(bytes: &[u8]) -> Vec<Kind> {
    let head = &bytes[..bytes.len().min(HEAD)];
    let text = String::from_utf8_lossy(head);
    if text.trim_start().starts_with('"') {
        let inspect = has(head, "\"OOMKilled\":");
        let ended = has(head, "\"exitCode\"") && any(head, &["\"reason\"", "\"finishedAt\"", "\"startedAt\""]);
        let status = ended || any(head, &["\"terminated\"", "\"phase\"", "\"termination\""]);
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
    // The words of an event's message are no log's.
    let spoken = if shapes.yaml_document { Cow::Owned(yaml::beside(bytes)) } else { Cow::Borrowed(bytes) };
    let shown = [
        (Kind::KubernetesYaml, shapes.yaml && !shapes.list),
        (Kind::Describe, shapes.describe),
        (Kind::Table, shapes.table),
        (Kind::EngineEvents, shapes.engine_events),
        (Kind::MemoryEvents, shapes.memory_events),
        (Kind::MemoryStat, shapes.memory_stat && !shapes.memory_events),
        (Kind::Message, shapes.message || shapes.list),
        (Kind::KernelLog, is_kernel_log(&spoken, &text)),
        (Kind::NodeLog, is_node_log(&spoken)),
        (Kind::ContainerLog, !shapes.yaml_document && container_log::tells(bytes)),
    ];
    shown.into_iter().filter(|(_, shown)| *shown).map(|(kind, _)| kind).collect()
}

/// The kernel's words, or its lines' dress.
fn is_kernel_log(bytes: &[u8], head: &str) -> bool {
    static WORDS: Words = Words::of(&[
        "oom-killer",
        "oom-kill:",
        "Killed process ",
        "Kill process ",
        "oom_reaper",
        "ut of memory",
        "killed as a result of limit",
        "Memory cgroup stats for",
        "killed due to memory.oom.group",
        "pids controller",
    ]);
    static KILLERS: Words = Words::of(&["systemd-oomd", "earlyoom", "OOMController", "nohang"]);
    // earlyoom's words, of which somebody left out its name.
    static SIGNALS: Words = Words::of(&["SIGTERM to process ", "SIGKILL to process ", "illing process "]);
    let dressed = head.lines().take(200).filter(|line| is_kernel_line(line)).count() >= 2;
    dressed
        || WORDS.any(bytes) && !only_prose(bytes)
        || KILLERS.any(bytes)
        || has(bytes, " badness") && SIGNALS.any(bytes)
}

/// A describe text or a container's log may hold the words in a sentence of its own; a kill line has sizes.
fn only_prose(bytes: &[u8]) -> bool {
    static WORDS: Words = Words::of(&[
        "oom-killer",
        "oom-kill:",
        "total-vm",
        "vsz:",
        "anon-rss",
        " kernel: ",
        "] Kill",
        "ut of memory: Kill",
        "ut of Memory: Kill",
        "oom_reaper",
        "invoked oom",
        "killed as a result",
        "killed due to memory.oom.group",
        "sacrifice child",
        "Memory cgroup",
        "pids controller",
        "no killable",
    ]);
    !WORDS.any(bytes)
}

/// `[ 123.456789] `, `6,123,456789,-;`, `... kernel: `.
fn is_kernel_line(line: &str) -> bool {
    let line = line.trim_start();
    if line.contains(" kernel: ") {
        return true;
    }
    if line.starts_with("kern  :") || is_comma_date(line) {
        return true;
    }
    if let Some(rest) = line.strip_prefix('[') {
        // `dmesg -T`; web servers put their level into a bracket behind the same date.
        if let Some((stamp, after)) = rest.split_once("] ").filter(|(stamp, _)| stamp.len() == 24) {
            let shape = |at: usize, of: fn(&u8) -> bool| stamp.as_bytes().get(at).is_some_and(of);
            let letters = [0, 1, 2, 4, 5, 6].iter().all(|at| shape(*at, u8::is_ascii_alphabetic));
            let digits = [9, 11, 12, 14, 15, 17, 18, 20, 21, 22, 23].iter().all(|at| shape(*at, u8::is_ascii_digit));
            return letters && digits && !after.starts_with('[');
        }
        let stamp = rest.split(']').next().unwrap_or_default().trim();
        return stamp.split_once('.').is_some_and(|(seconds, rest)| {
            rest.len() == 6 && (seconds.to_owned() + rest).bytes().all(|c| c.is_ascii_digit())
        });
    }
    let head = line.split(';').next().unwrap_or_default();
    let numbers: Vec<&str> = head.split(',').collect();
    line.contains(';') && numbers.len() >= 4 && numbers[..3].iter().all(|number| number.parse::<u64>().is_ok())
}

/// `2025-03-14T05:00:00,000000+00:00 `, as `dmesg --time-format iso` prints it.
fn is_comma_date(line: &str) -> bool {
    let bytes = line.as_bytes();
    bytes.len() > 33
        && bytes[10] == b'T'
        && bytes[19] == b','
        && bytes[20..26].iter().all(u8::is_ascii_digit)
        && matches!(bytes[26], b'+' | b'-')
        && bytes[32] == b' '
}

/// Words of the kubelet, runtimes, systemd and orchestrators.
fn is_node_log(bytes: &[u8]) -> bool {
    static WORDS: Words = Words::of(&[
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
        "System OOM encountered",
        "oom-kill'.",
        "killed by the OOM killer",
    ]);
    WORDS.lines(bytes).any(|line| {
        let line = String::from_utf8_lossy(&bytes[line]);
        // The scheme of a container's id is no daemon's name: `containerd://25a38b5b8d55`.
        line.split("containerd://").any(|part| WORDS.any(part.as_bytes())) && event_row::event(&line).is_none()
    })
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
#[allow(clippy::struct_excessive_bools, reason = "each is a kind that shows itself or not")]
struct Shapes {
    yaml: bool,
    yaml_document: bool,
    describe: bool,
    table: bool,
    engine_events: bool,
    memory_events: bool,
    memory_stat: bool,
    message: bool,
    list: bool,
}

impl Shapes {
    fn of(text: &str) -> Self {
        let (mut shapes, mut reason) = (Self::default(), false);
        for line in text.lines() {
            let bare = line.trim().trim_start_matches("- ").trim_start_matches(['*', '#', '>']).trim_start();
            shapes.yaml_document |= line.starts_with("apiVersion:") || line.starts_with("- apiVersion:");
            shapes.yaml |= shapes.yaml_document || is_yaml_key(bare) || reason && bare.starts_with("message:");
            reason |= is_reason(bare);
            shapes.describe |= is_describe(line, bare);
            let row = event_row::event(line);
            shapes.describe |= matches!(row, Some((_, false)));
            shapes.table |= matches!(row, Some((_, true))) || table::pod(line).is_some();
            shapes.engine_events |= is_engine_event(bare);
            shapes.list |= message::tells_as_list(line);
            shapes.message |= message::tells(line);
            let counter = bare.rsplit([':', '/']).next().unwrap_or(bare);
            shapes.memory_events |= number_after(counter, "oom_kill ") || number_after(counter, "under_oom ");
            shapes.memory_stat |= number_after(counter, "inactive_file ") || number_after(counter, "total_rss ");
        }
        // A describe text's keys are words with capitals; a YAML fragment has neither.
        shapes.yaml &= shapes.yaml_document || !shapes.describe || !text.contains("State:  ");
        shapes
    }
}

/// `reason: Evicted`, which with a `message:` below or above is a status.
fn is_reason(bare: &str) -> bool {
    bare.strip_prefix("reason: ").is_some_and(|reason| {
        reason.starts_with(|c: char| c.is_ascii_uppercase())
            && reason.trim_end().bytes().all(|c| c.is_ascii_alphanumeric())
    })
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
        "Last Termination State:",
        "Exit Code:",
        "Controlled By:",
        "QoS Class:",
        "Restart Count:",
        "Kubelet Version:",
        "Container ID:",
        "Start Time:",
        "Liveness:",
        "Termination Grace Period:",
    ];
    LABELS
        .iter()
        .any(|label| bare.strip_prefix(label).is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t'])))
        || bare.strip_prefix("Status:").is_some_and(|value| value.trim().starts_with(|c: char| c.is_ascii_uppercase()))
        || bare.starts_with("Reason:") && columns(line).len() >= 2
        || bare.starts_with("Message:")
}

/// `2026-11-25T22:00:00.1Z container die ID (exitCode=137, ...)`.
fn is_engine_event(bare: &str) -> bool {
    bare.contains(" container ") && bare.contains('(') && bare.starts_with("20") && bare.contains("image=")
}

fn number_after(text: &str, key: &str) -> bool {
    text.strip_prefix(key).is_some_and(|number| number.trim().parse::<u64>().is_ok())
}
