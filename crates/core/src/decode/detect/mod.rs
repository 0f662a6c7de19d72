//! What an artifact holds: kinds are told by content, never by file name; several may stand in one file.
//!
//! JSON documents are segments of their own. In the text around them each kind that shows itself gets one segment over
//! the whole stretch: its decoder passes over the lines of the others. A name counts only for the last fallback, a log
//! without any telling line.

use std::ops::Range;

use memchr::memmem;

use super::{container_log, describe, paste};
use crate::artifact::{Artifact, Kind};
use crate::recording;

mod json;
mod text;
mod yaml;

/// A stretch of an artifact that is of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// Its kind.
    pub kind: Kind,
    /// Its bytes within the artifact, without what pasting added to it.
    pub bytes: Range<usize>,
    /// The line on which it begins, from 1.
    pub first_line: usize,
}

/// How much of a large artifact is looked at for what every part of it would show.
const HEAD: usize = 64 << 10;

/// The segments of an artifact, in order. Segments may overlap: a syslog holds the kernel's lines and the kubelet's.
pub fn segments(artifact: &Artifact) -> Vec<Segment> {
    segments_of(artifact, &paste::plain(&artifact.bytes))
}

/// The same, of a text from which the marks of pasting are gone already.
pub(super) fn segments_of(artifact: &Artifact, bytes: &[u8]) -> Vec<Segment> {
    if let Some(kind) = artifact.kind {
        return vec![Segment { kind, bytes: 0..bytes.len(), first_line: 1 }];
    }
    if recording::is_recording(bytes) {
        return vec![Segment { kind: Kind::Recording, bytes: 0..bytes.len(), first_line: 1 }];
    }
    if !bytes.starts_with(b"\x00") && memchr::memchr(0, &bytes[..bytes.len().min(HEAD)]).is_some() {
        return Vec::new();
    }
    let mut segments = Vec::new();
    let mut at = if bytes.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    let mut first_line = 1;
    while at < bytes.len() {
        let (stretch, is_json) = json::next_stretch(&bytes[at..]);
        let range = at..at + stretch;
        let kinds = if is_json { json::kinds(&bytes[range.clone()]) } else { text::kinds(&bytes[range.clone()]) };
        let of_describe = kinds.contains(&Kind::Describe);
        for kind in kinds {
            if of_describe && kind == Kind::ContainerLog {
                segments.extend(log_beside_describe(bytes, range.clone(), first_line));
            } else {
                segments.push(Segment { kind, bytes: range.clone(), first_line });
            }
        }
        at = range.end;
        if at < bytes.len() {
            first_line += memchr::memchr_iter(b'\n', &bytes[range]).count();
        }
    }
    // What tools say of an end is second-hand: it counts where nothing first-hand is there.
    if segments.iter().any(|segment| is_first_hand(segment.kind)) {
        segments.retain(|segment| segment.kind != Kind::Message);
    }
    if segments.is_empty() && is_log_name(&artifact.name) && !bytes.trim_ascii().is_empty() {
        segments.push(Segment { kind: Kind::ContainerLog, bytes: 0..bytes.len(), first_line: 1 });
    }
    segments
}

/// The kinds of a text that is JSON from end to end.
pub(super) fn json_kinds(bytes: &[u8]) -> Vec<Kind> {
    json::kinds(bytes)
}

/// The stretches of a describe text that may be a container's log: what is no part of the pod's template, as far as it
/// tells something.
fn log_beside_describe(bytes: &[u8], range: Range<usize>, first_line: usize) -> Vec<Segment> {
    let told = describe::template(&bytes[range.clone()]);
    let starts = std::iter::once(0).chain(told.iter().map(|part| part.end));
    let ends = told.iter().map(|part| part.start).chain([range.len()]);
    let stretches = starts.zip(ends).map(|(start, end)| range.start + start..range.start + end);
    stretches
        .filter(|stretch| container_log::tells(&bytes[stretch.clone()]))
        .map(|stretch| {
            let before = memchr::memchr_iter(b'\n', &bytes[range.start..stretch.start]).count();
            Segment { kind: Kind::ContainerLog, bytes: stretch, first_line: first_line + before }
        })
        .collect()
}

/// Kubernetes, an engine, the kernel or the container itself speak in it.
fn is_first_hand(kind: Kind) -> bool {
    !matches!(kind, Kind::Message | Kind::NodeLog)
}

fn has(bytes: &[u8], needle: &str) -> bool {
    memmem::find(bytes, needle.as_bytes()).is_some()
}

fn any(bytes: &[u8], needles: &[&str]) -> bool {
    needles.iter().any(|needle| has(bytes, needle))
}

/// The last fallback: a file that is named as logs are.
fn is_log_name(name: &str) -> bool {
    name.rsplit('.').next() == Some("log") || name.contains("/containers/") || name.contains("/pods/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<Kind> {
        segments(&Artifact::new("-", text)).into_iter().map(|segment| segment.kind).collect()
    }

    #[test]
    fn a_containers_id_and_an_events_message_are_no_log() {
        let pod = "apiVersion: v1\nkind: Pod\nstatus:\n  containerStatuses:\n  - containerID: containerd://25a38b\n";
        let killing =
            "---\napiVersion: v1\nkind: Event\nmessage: Container app failed liveness probe, will be restarted\n";
        let killed = "---\napiVersion: v1\nkind: Event\nmessage: |-\n  Kill process 7 (a) score 9 or sacrifice child\n  Killed process 7 (a) total-vm:9kB\n";
        assert_eq!(kinds(&format!("{pod}{killing}{killed}")), [Kind::KubernetesYaml]);
        let log = "May 16 18:34:49 n kubelet[4052]: a\nMay 16 18:34:49 n kernel: oom_reaper: reaped process 7 (a), now anon-rss:0kB\n";
        assert_eq!(kinds(&format!("{pod}{log}")), [Kind::KubernetesYaml, Kind::KernelLog, Kind::NodeLog]);
        assert_eq!(kinds("    Container ID:  containerd://25a38b\n    State:  Running\n"), [Kind::Describe]);
        assert_eq!(
            kinds("3m  Warning  SystemOOM  node/n1  System OOM encountered, victim process: a, pid: 7\n"),
            [Kind::Table]
        );
        assert_eq!(kinds("May 16 18:34:49 n containerd: TaskOOM\n"), [Kind::NodeLog]);
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
    fn a_command_in_a_describe_text_is_no_log_and_what_is_pasted_below_is() {
        let words = "java.lang.OutOfMemoryError: Java heap space";
        let text = format!(
            "Containers:\n  app:\n    Command:\n      sh\n      -c\n      echo '{words}'\n    Args:\n      State: {words}\n    \
             State:          Terminated\n      Exit Code:    1\n    Liveness:  exec [echo {words}] delay=0s\n"
        );
        assert_eq!(kinds(&text), [Kind::Describe]);
        let below = format!("{text}\n$ kubectl logs x\n{words}\n");
        let found = segments(&Artifact::new("-", below));
        let found: Vec<_> = found.iter().map(|segment| (segment.kind, segment.first_line)).collect();
        assert_eq!(found, [(Kind::Describe, 1), (Kind::ContainerLog, 12)]);
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
