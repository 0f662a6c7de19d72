//! The kubelet's, the runtime's and orchestrators' own log lines that tell how a container ended.

use std::ops::Range;

use jiff::Timestamp;
use memchr::memmem;

use super::kernel_log::Clock;
use super::words::Words;
use super::{Decoded, Input, event_row};
use crate::cgroup_path::{CgroupNames, cgroup_names};
use crate::fact::{Level, Locus, NodeNote, NodeNoteKind, Subject, What};

/// Characters kept of a line.
const WIDTH: usize = 300;
/// Lines kept of one kind: a node's log of a month holds thousands.
const KEPT: usize = 2000;

/// cAdvisor's words, before the path of the victim's cgroup (manager/manager.go `watchForNewOoms`; the path is what the
/// kernel's line names as the task's, utils/oomparser/oomparser.go, and `/` where it names none).
const CADVISOR: &str = "Created an OOM event in container ";

/// systemd's words behind the name of the unit that they are about (src/core/unit.c `unit_check_oom`, v259).
const KILLED_IN_UNIT: &str = ": A process of this unit has been killed by the OOM killer";
const FAILED_UNIT: &str = ": Failed with result 'oom-kill'";

/// Words and what they mean, the more telling first.
const TABLE: &[(&str, NodeNoteKind)] = &[
    ("failed liveness probe, will be restarted", NodeNoteKind::LivenessFailed),
    ("failed startup probe, will be restarted", NodeNoteKind::StartupFailed),
    ("is unhealthy, it will be killed and re-created", NodeNoteKind::LivenessFailed),
    ("System OOM encountered", NodeNoteKind::SystemOom),
    (CADVISOR, NodeNoteKind::SystemOom),
    ("TaskOOM event", NodeNoteKind::RuntimeOom),
    ("/tasks/oom", NodeNoteKind::RuntimeOom),
    (KILLED_IN_UNIT, NodeNoteKind::RuntimeOom),
    (FAILED_UNIT, NodeNoteKind::RuntimeOom),
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

/// The words of the table.
static TOLD: Words = Words::of(
    &const {
        let mut words = [""; TABLE.len()];
        let mut row = 0;
        while row < TABLE.len() {
            words[row] = TABLE[row].0;
            row += 1;
        }
        words
    },
);

/// Decodes a segment.
pub(super) fn decode(input: Input<'_>, out: &mut Decoded) {
    let bytes = input.bytes;
    let mut left = [KEPT; TABLE.len()];
    let found = TOLD.lines(bytes).filter_map(|line| {
        let row = TABLE.iter().position(|(words, _)| memmem::find(&bytes[line.clone()], words.as_bytes()).is_some())?;
        left[row] = left[row].checked_sub(1)?;
        Some((line, TABLE[row].1))
    });
    let clock = Clock::of_log(bytes, input.clock);
    let (mut counted, mut line) = (0, input.first_line);
    for (Range { start, end }, kind) in found {
        line += memchr::memchr_iter(b'\n', &bytes[counted..start]).count();
        counted = start;
        let text = String::from_utf8_lossy(&bytes[start..end]);
        // A row of events is read as one.
        if is_kernel_line(&text) || event_row::event(&text).is_some() {
            continue;
        }
        let Some((kind, subject)) = told(&text, kind, &input.artifact.about) else { continue };
        let note = NodeNote {
            subject,
            kind,
            at: time(&text, &clock),
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
    // One backslash a level: a message within a message within a journal's JSON has three.
    let quoted = rest.trim_start_matches(['"', '\\']);
    if quoted.len() < rest.len() { quoted.split(['"', '\\']).next() } else { rest.split([' ', ',', '\n']).next() }
}

/// What a line tells and of whom. `None`: of an OOM kill in no container and no pod, which explains no container's end.
fn told(text: &str, kind: NodeNoteKind, about: &Subject) -> Option<(NodeNoteKind, Subject)> {
    let mut subject = subject(text, about);
    let path =
        text.split_once(CADVISOR).and_then(|(_, path)| path.trim_start_matches(['\\', '"']).split(['\\', '"']).next());
    let unit = || [KILLED_IN_UNIT, FAILED_UNIT].iter().find_map(|words| last_word(text.split_once(words)?.0));
    let Some(CgroupNames { level, pod_uid, container_id, .. }) = path.or_else(unit).map(cgroup_names) else {
        let names = subject.container_id.is_some() || is_kubelets(text);
        return (kind != NodeNoteKind::RuntimeOom || names).then_some((kind, subject));
    };
    if path.is_some() && level == Level::Node {
        return Some((NodeNoteKind::SystemOom, subject));
    }
    if pod_uid.is_none() && container_id.is_none() {
        return None;
    }
    subject = Subject { pod_uid: pod_uid.or(subject.pod_uid), container_id, ..subject };
    Some((NodeNoteKind::RuntimeOom, subject))
}

/// The last word, also of a JSON string.
fn last_word(text: &str) -> Option<&str> {
    text.rsplit([' ', '\t', '"']).next().filter(|word| !word.is_empty())
}

/// The kubelet's structured fields name a pod in it.
fn is_kubelets(text: &str) -> bool {
    ["pod=", "podUID="].iter().any(|key| field(text, key).is_some())
}

/// Whom the line names: the kubelet's structured fields, containerd's, Docker's, or a sentence.
fn subject(text: &str, about: &Subject) -> Subject {
    let pod = field(text, "pod=").or_else(|| field(text, "pods=[\""));
    let (namespace, name) = match pod.and_then(|pod| pod.split_once('/')) {
        Some((namespace, name)) => (Some(namespace.to_owned()), Some(name.to_owned())),
        None => (None, None),
    };
    let sentence = text.split_once("ontainer ").and_then(|(_, rest)| Some(rest.split_once(" failed ")?.0));
    let sentence = sentence.map(|name| name.trim_matches('"'));
    // containerd prints the event's fields; until 1.6 as a Go struct. Docker prints `container=ID`, until 20.10 a
    // sentence (daemon/stop.go `containerStop`).
    let keys = ["containerID=", "container_id:", "container-id=", "ContainerID:"];
    let id = keys.iter().find_map(|key| field(text, key));
    let id = id.map(|id| id.rsplit("://").next().unwrap_or(id)).filter(|id| id.len() >= 12);
    let docker = || field(text, "container=").into_iter().chain(sentence).find(|word| is_id(word));
    let container =
        field(text, "containerName=").or(sentence.filter(|name| super::columns::is_name(name) && !is_id(name)));
    Subject {
        namespace: namespace.or_else(|| about.namespace.clone()),
        pod: name.or_else(|| about.pod.clone()),
        pod_uid: field(text, "podUID=").map(str::to_owned).or_else(|| about.pod_uid.clone()),
        container: container.filter(|name| *name != "xxx").map(str::to_owned),
        container_id: id.or_else(docker).map(str::to_owned),
        restart: None,
        node: about.node.clone(),
    }
}

/// A container id, whole or the digits that tools print of it.
fn is_id(text: &str) -> bool {
    (12..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The line's own time: in `time="..."`, the date at its beginning, or klog's `I0516 18:34:49.885628` with the year of
/// the reading.
fn time(text: &str, clock: &Clock<'_>) -> Option<Timestamp> {
    if let Some(at) = field(text, "time=").and_then(|value| value.parse().ok()) {
        return Some(at);
    }
    if let Some(at) = clock.of_line(text) {
        return Some(at);
    }
    let year = clock.known.read_at?.strftime("%Y").to_string();
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
        for event in [
            format!("container_id:\\\"{id}\\\""),
            format!("container_id:\\\\\\\"{id}\\\\\\\""),
            format!("&TaskOOM{{ContainerID:{id},XXX_unrecognized:[],}}"),
        ] {
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
    fn systemds_units_name_a_container_or_are_of_none() {
        let id = "c".repeat(64);
        for prefix in ["docker-", "cri-containerd-", "crio-", "libpod-"] {
            let line = format!(
                "Jan 14 03:00:00 n1 systemd[1]: {prefix}{id}.scope: A process of this unit has been killed by the OOM killer."
            );
            let note = &notes(&line)[0];
            assert_eq!(
                (note.kind, note.subject.container_id.as_ref()),
                (NodeNoteKind::RuntimeOom, Some(&id)),
                "{line}"
            );
        }
        assert_eq!(notes("Jan 14 03:00:00 n1 systemd[1]: nginx.service: Failed with result 'oom-kill'."), []);
        assert_eq!(notes("level=info msg=\"TaskOOM event\""), []);
    }

    #[test]
    fn cadvisors_path_is_whose_kill_it_was() {
        let kill = |path: &str| {
            let line = format!(
                "I0501 11:00:00.857758    4991 manager.go:1126] Created an OOM event in container \"{path}\" at 2024-05-01"
            );
            notes(&line).into_iter().next().map(|note| (note.kind, note.subject.pod_uid, note.subject.container_id))
        };
        let (uid, id) = ("99999999-2222-3333-4444-555555555555", "c".repeat(64));
        assert_eq!(kill("/"), Some((NodeNoteKind::SystemOom, None, None)));
        let of_pod = Some((NodeNoteKind::RuntimeOom, Some(uid.to_owned()), Some(id.clone())));
        assert_eq!(kill(&format!("/kubepods/burstable/pod{uid}/{id}")), of_pod);
        assert_eq!(kill(&format!("/docker/{id}")), Some((NodeNoteKind::RuntimeOom, None, Some(id))));
        assert_eq!(kill("/system.slice/nginx.service"), None);
    }

    #[test]
    fn docker_names_the_container_that_it_kills_in_both_its_ways() {
        let id = "c".repeat(64);
        for message in [
            format!("msg=\"Container failed to exit within 10s of signal 15 - using the force\" container={id}"),
            format!("msg=\"Container {id} failed to exit within 10 seconds of signal 15 - using the force\""),
        ] {
            let line = format!("dockerd[900]: time=\"2024-05-01T11:00:00.1Z\" level=info {message}");
            let note = &notes(&line)[0];
            assert_eq!((note.subject.container_id.as_ref(), &note.subject.container), (Some(&id), &None), "{line}");
        }
    }

    #[test]
    fn the_date_of_syslog_is_the_moment_where_its_year_is_known() {
        let line = "Jan 14 03:00:00 n1 kubelet[9]: System OOM encountered, victim process: app, pid: 4242";
        let at = |read: Option<&str>| {
            let at = read.map(|read| read.parse().unwrap());
            let artifact = Artifact { kind: Some(Kind::NodeLog), at, ..Artifact::new("x", line) };
            decode_artifact(ArtifactId(0), &artifact).facts.into_iter().find_map(|fact| match fact.what {
                What::NodeNote(note) => note.at.map(|at| at.to_string()),
                _ => None,
            })
        };
        assert_eq!(at(Some("2024-05-01T00:00:00Z")).as_deref(), Some("2024-01-14T03:00:00Z"));
        assert_eq!(at(None), None);
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
