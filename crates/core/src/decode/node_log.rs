//! The kubelet's, the runtime's and orchestrators' own log lines that tell how a container ended.

use jiff::Timestamp;
use memchr::memmem;

use super::{Decoded, Input};
use crate::fact::{Locus, NodeNote, NodeNoteKind, Subject, What};

/// Characters kept of a line.
const WIDTH: usize = 300;
/// Lines kept of one kind: a node's log of a month holds thousands.
const KEPT: usize = 2000;

/// Words and what they mean, the more telling first.
const TABLE: &[(&str, NodeNoteKind)] = &[
    ("failed liveness probe, will be restarted", NodeNoteKind::LivenessFailed),
    ("failed startup probe, will be restarted", NodeNoteKind::StartupFailed),
    ("is unhealthy, it will be killed and re-created", NodeNoteKind::LivenessFailed),
    ("System OOM encountered", NodeNoteKind::SystemOom),
    ("Created an OOM event", NodeNoteKind::SystemOom),
    ("TaskOOM event", NodeNoteKind::RuntimeOom),
    ("/tasks/oom", NodeNoteKind::RuntimeOom),
    ("killed by the OOM killer", NodeNoteKind::RuntimeOom),
    ("result 'oom-kill'", NodeNoteKind::RuntimeOom),
    ("OOM event detected", NodeNoteKind::RuntimeOom),
    ("pods ranked for eviction", NodeNoteKind::Evicting),
    ("must evict pod(s)", NodeNoteKind::Evicting),
    ("pod evicted successfully", NodeNoteKind::Evicting),
    ("is evicted successfully", NodeNoteKind::Evicting),
    ("Shutdown manager detected new shutdown event", NodeNoteKind::Shutdown),
    ("Shutdown manager processing shutdown event", NodeNoteKind::Shutdown),
    ("before force killing", NodeNoteKind::ForceKill),
    ("using the force", NodeNoteKind::ForceKill),
    ("Preempted in order to admit critical pod", NodeNoteKind::Preempting),
    ("Killing container with a grace period", NodeNoteKind::Killing),
    ("ExecSync for ", NodeNoteKind::ExecFailed),
];

/// Decodes a segment.
pub(super) fn decode(input: Input<'_>, out: &mut Decoded) {
    let bytes = input.bytes;
    let mut found: Vec<(usize, usize, NodeNoteKind)> = Vec::new();
    for (words, kind) in TABLE {
        for at in memmem::find_iter(bytes, words).take(KEPT) {
            let start = memchr::memrchr(b'\n', &bytes[..at]).map_or(0, |end| end + 1);
            let end = memchr::memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |length| at + length);
            if !found.iter().any(|(known, _, _)| *known == start) {
                found.push((start, end, *kind));
            }
        }
    }
    found.sort_unstable_by_key(|(start, _, _)| *start);
    let (mut counted, mut line) = (0, input.first_line);
    for (start, end, kind) in found {
        line += memchr::memchr_iter(b'\n', &bytes[counted..start]).count();
        counted = start;
        let text = String::from_utf8_lossy(&bytes[start..end]);
        if is_kernel_line(&text) {
            continue;
        }
        let note = NodeNote {
            subject: subject(&text, &input.artifact.about),
            kind,
            at: time(&text, input.clock.read_at),
            grace_seconds: field(&text, "gracePeriod=").and_then(|value| value.parse().ok()),
            process: None,
            line: text.trim().chars().take(WIDTH).collect(),
        };
        out.fact(What::NodeNote(Box::new(note)), Locus::line(input.id, line));
    }
}

/// The kernel's own words are another decoder's.
fn is_kernel_line(text: &str) -> bool {
    text.contains(" kernel: ") || text.trim_start().starts_with('[')
}

/// The value of `key=value`, `key="value"`, or, within a message that is quoted itself, `key=\"value\"`.
fn field<'t>(text: &'t str, key: &str) -> Option<&'t str> {
    let at = text.find(key)?;
    if at > 0 && text.as_bytes()[at - 1].is_ascii_alphanumeric() {
        return None;
    }
    let rest = &text[at + key.len()..];
    match rest.strip_prefix('"').or_else(|| rest.strip_prefix("\\\"")) {
        Some(quoted) => quoted.split(['"', '\\']).next(),
        None => rest.split([' ', ',', '\n']).next(),
    }
}

/// Whom the line names: the kubelet's structured fields, containerd's, or a sentence.
fn subject(text: &str, about: &Subject) -> Subject {
    let pod = field(text, "pod=").or_else(|| field(text, "pods=[\""));
    let (namespace, name) = match pod.and_then(|pod| pod.split_once('/')) {
        Some((namespace, name)) => (Some(namespace.to_owned()), Some(name.to_owned())),
        None => (None, None),
    };
    let sentence = || {
        let rest = text.split_once("ontainer ")?.1;
        let name = rest.split_once(" failed ")?.0.trim_matches('"');
        super::columns::is_name(name).then(|| name.to_owned())
    };
    // containerd prints the event's fields; until 1.6 as a Go struct.
    let keys = ["containerID=", "container_id:", "container-id=", "ContainerID:"];
    let id = keys.iter().find_map(|key| field(text, key));
    let id = id.map(|id| id.rsplit("://").next().unwrap_or(id)).filter(|id| id.len() >= 12);
    Subject {
        namespace: namespace.or_else(|| about.namespace.clone()),
        pod: name.or_else(|| about.pod.clone()),
        pod_uid: field(text, "podUID=").map(str::to_owned).or_else(|| about.pod_uid.clone()),
        container: field(text, "containerName=").map(str::to_owned).or_else(sentence).filter(|name| name != "xxx"),
        container_id: id.map(str::to_owned),
        restart: None,
        node: about.node.clone(),
    }
}

/// The line's own time: ISO at its beginning or in `time="..."`, or klog's `I0516 18:34:49.885628` with the year of the reading.
fn time(text: &str, read: Option<Timestamp>) -> Option<Timestamp> {
    if let Some(at) = field(text, "time=").and_then(|value| value.parse().ok()) {
        return Some(at);
    }
    if let Some(at) = text.split_whitespace().next().and_then(|word| word.parse().ok()) {
        return Some(at);
    }
    let year = read?.strftime("%Y").to_string();
    let words: Vec<&str> = text.split_whitespace().collect();
    words.windows(2).find_map(|pair| {
        let [date, clock] = pair else { return None };
        let digits = date.strip_prefix(['I', 'W', 'E', 'F'])?;
        let (month, day) = (digits.get(..2)?, digits.get(2..4)?);
        (digits.len() == 4).then(|| format!("{year}-{month}-{day}T{clock}Z").parse().ok()).flatten()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::{Artifact, ArtifactId, Kind};
    use crate::decode::decode as decode_artifact;
    use proptest::prelude::*;

    fn notes(text: &str) -> Vec<NodeNote> {
        let artifact = Artifact { kind: Some(Kind::NodeLog), ..Artifact::new("x", text) };
        let facts = decode_artifact(ArtifactId(0), &artifact).facts;
        facts
            .into_iter()
            .filter_map(|fact| match fact.what {
                What::NodeNote(note) => Some(*note),
                _ => None,
            })
            .collect()
    }

    #[test]
    fn containerds_event_names_its_container_within_a_quoted_message_and_as_a_struct() {
        let id = "25a38b5b8d556d7983d975577f5ac75ebbcfb4b269e6deaa0a0440c1ffc969ca";
        for event in
            [format!("container_id:\\\"{id}\\\""), format!("&TaskOOM{{ContainerID:{id},XXX_unrecognized:[],}}")]
        {
            let line = format!("time=\"2026-03-01T10:05:00.1Z\" level=info msg=\"TaskOOM event {event}\"");
            let note = &notes(&line)[0];
            assert_eq!((note.kind, note.subject.container_id.as_deref()), (NodeNoteKind::RuntimeOom, Some(id)));
        }
    }

    #[test]
    fn the_kubelets_structured_lines_name_pod_and_container() {
        let line = "May 16 18:34:49 n kubelet[4052]: I0516 18:34:49.885628 4052 kuberuntime_container.go:808] \
            \"Killing container with a grace period\" pod=\"shop/web-1\" podUID=\"93e1\" containerName=\"app\" \
            containerID=\"containerd://0123456789abcdef\" gracePeriod=30";
        let note = &notes(line)[0];
        assert_eq!((note.kind, note.grace_seconds), (NodeNoteKind::Killing, Some(30)));
        assert_eq!((note.subject.pod.as_deref(), note.subject.container.as_deref()), (Some("web-1"), Some("app")));
        assert_eq!(note.subject.container_id.as_deref(), Some("0123456789abcdef"));
    }

    #[test]
    fn a_quoted_sentence_names_its_container() {
        let note = &notes("# 'containerMessage=\"Container app failed liveness probe, will be restarted\"'")[0];
        assert_eq!((note.kind, note.subject.container.as_deref()), (NodeNoteKind::LivenessFailed, Some("app")));
    }

    #[test]
    fn an_orchestrators_kill_timeout_is_a_stop_by_force() {
        assert_eq!(notes("Killing: Sent interrupt. Waiting 5s before force killing")[0].kind, NodeNoteKind::ForceKill);
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let artifact = Artifact { kind: Some(Kind::NodeLog), ..Artifact::new("x", bytes) };
            let _ = decode_artifact(ArtifactId(0), &artifact);
        }
    }
}
