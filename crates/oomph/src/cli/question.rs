//! What `oomph why` asks, put to the evidence, and what the answer is worth.

use std::rc::Rc;

use oomph_core::artifact::Captured;
use oomph_core::diagnosis::{Document, GapReport, SourceState, SubjectReport, Verdict};
use oomph_core::why::{Ask, why};

use super::Exit;
use crate::files::Files;
use crate::sources::{self, Gathered, Live};

/// The question, put to evidence as often as needed.
pub(super) struct Question {
    pub(super) ask: Ask,
    pub(super) live: Rc<Live>,
    pub(super) only: Only,
    pub(super) files: Files,
}

/// Whose deaths of those that the evidence tells are meant, beyond what the core is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Only {
    /// Everyone's.
    All,
    /// Those on this node.
    OnNode(String),
    /// The engine's container of this name or id: the kernel's log beside it tells of others, too.
    OfContainer(String),
}

impl Only {
    fn keeps(&self, subject: &SubjectReport) -> bool {
        match self {
            Self::All => true,
            Self::OnNode(node) => subject.node.as_ref() == Some(node),
            // The engine told of no other container; what has no name is from the kernel's log alone.
            Self::OfContainer(name) => {
                let id = subject.container_id.as_deref().unwrap_or_default();
                subject.container.is_some() || id.starts_with(name.as_str())
            }
        }
    }
}

/// One answer, and how it was reached.
pub(super) struct Answer {
    pub(super) document: Document,
    /// What had to be read and could not.
    pub(super) failures: Vec<String>,
    /// What was given and could not be understood, a pod's name included.
    pub(super) not_understood: Vec<String>,
}

/// Whether anything that was read has this name, as a word of its own: a healthy pod has no diagnosis, and neither has a
/// misspelt one.
fn speaks_of(captured: &Captured, name: &str) -> bool {
    let finder = memchr::memmem::Finder::new(name);
    let is_of_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let is_word = |bytes: &[u8], at: usize| {
        let before = at.checked_sub(1).and_then(|at| bytes.get(at));
        !before.is_some_and(is_of_name) && !bytes.get(at + name.len()).is_some_and(is_of_name)
    };
    captured.artifacts.iter().any(|artifact| {
        artifact.about.pod.as_deref() == Some(name)
            || finder.find_iter(&artifact.bytes).any(|at| is_word(&artifact.bytes, at))
    })
}

impl Question {
    /// Joins the files with what the live sources gave, and judges. The files' bytes are not copied for it: they may
    /// be large.
    pub(super) fn answer(&mut self, gathered: Gathered) -> Answer {
        let captured = &mut self.files.captured;
        let of_files = (captured.artifacts.len(), captured.sources.len(), captured.gaps.len());
        captured.append(gathered.captured);
        let (sources, gaps) = sources::reports(captured);
        let known = gaps.len();
        let mut document = why(&captured.artifacts, sources, gaps, &self.ask);
        let mut unheard_of = std::mem::take(&mut captured.unknown);
        if unheard_of.is_empty() {
            unheard_of.extend(
                self.ask
                    .pod
                    .as_ref()
                    .filter(|pod| !speaks_of(captured, pod))
                    .map(|pod| format!("no evidence speaks of pod {pod}; check its name and the namespace (-n)")),
            );
            // Of pods that nobody named the healthy ones were not read, nor the names of their containers.
            let named = self.ask.pod.is_some() || self.ask.owner.is_some();
            let container = self.ask.container.as_ref().filter(|container| named && !speaks_of(captured, container));
            unheard_of.extend(container.map(|container| {
                format!("no evidence speaks of container {container}; check its name (-c), or leave it out for all")
            }));
        }
        // What is left of one that is gone may be enough for an answer.
        unheard_of.retain(|_| document.diagnoses.is_empty());
        captured.artifacts.truncate(of_files.0);
        captured.sources.truncate(of_files.1);
        captured.gaps.truncate(of_files.2);
        document.diagnoses.retain(|diagnosis| self.only.keeps(&diagnosis.subject));
        let mut failures = self.files.failures.clone();
        failures.extend(gathered.failures);
        let mut not_understood = self.not_understood(&document, known);
        not_understood.extend(unheard_of);
        Answer { document, failures, not_understood }
    }

    /// The files, or parts of them, that could not be understood. In a folder a file of no known kind is nothing
    /// special, unless all are.
    fn not_understood(&self, document: &Document, known_gaps: usize) -> Vec<String> {
        let artifacts = &self.files.captured.artifacts;
        let unknown = |name: &str| document.sources.iter().any(|source| source.name == name && source.kind == UNKNOWN);
        let none = artifacts.iter().all(|artifact| unknown(&artifact.name));
        let mut out: Vec<String> = artifacts
            .iter()
            .filter(|artifact| unknown(&artifact.name) && self.files.named.contains(&artifact.name))
            .map(|artifact| {
                if artifact.bytes.iter().all(u8::is_ascii_whitespace) {
                    format!("{} is empty", artifact.name)
                } else {
                    format!("nothing in {} was recognised; {KINDS}", artifact.name)
                }
            })
            .collect();
        if none && out.is_empty() && !artifacts.is_empty() {
            let number = artifacts.len();
            out.push(format!("nothing in the files of the folder was recognised ({number} looked at); {KINDS}"));
        }
        let in_part = document.gaps.iter().skip(known_gaps).filter(|gap| !unknown(&gap.what) && !artifacts.is_empty());
        out.extend(in_part.map(|GapReport { what, because, .. }| format!("{what}: {because}")));
        out
    }
}

/// How the core reports the kind of a source in which nothing was recognised.
const UNKNOWN: &str = "unknown";

const KINDS: &str = "give pods or events as JSON or YAML, `kubectl describe`, a kernel log, `docker inspect` or a \
                     container's log";

impl Answer {
    pub(super) fn found(&self) -> bool {
        self.document.diagnoses.iter().any(|diagnosis| diagnosis.verdict != Verdict::Completed)
    }

    pub(super) fn has_read(&self) -> bool {
        let read = |state| matches!(state, SourceState::Read | SourceState::Partial);
        self.document.sources.iter().any(|source| read(source.status) && source.kind != UNKNOWN)
    }

    /// What was named and could not be read outweighs what was found: the answer may be wrong for it.
    pub(super) fn exit(&self) -> Exit {
        if !self.failures.is_empty() {
            Exit::Failed
        } else if self.found() {
            Exit::Found
        } else if !self.not_understood.is_empty() || !self.has_read() {
            Exit::Failed
        } else {
            Exit::Nothing
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use oomph_core::artifact::{Artifact, Kind};

    /// The question put to files, as if `files::read` had read them from the command line.
    fn question(files: &[(&str, Option<Kind>, &str)], named: &[&str]) -> Question {
        let artifacts =
            files.iter().map(|(name, kind, text)| Artifact { kind: *kind, ..Artifact::new(*name, *text) }).collect();
        let captured = Captured { artifacts, ..Captured::default() };
        let named = named.iter().map(|name| (*name).to_owned()).collect();
        let files = Files { captured, named, failures: Vec::new() };
        Question { ask: Ask::default(), live: Rc::new(Live::default()), only: Only::All, files }
    }

    fn answer(files: &[(&str, Option<Kind>, &str)], named: &[&str]) -> Answer {
        question(files, named).answer(Gathered::default())
    }

    const QUIET_LOG: (&str, Option<Kind>, &str) =
        ("dmesg", Some(Kind::KernelLog), "[    1.000000] Linux version 6.12.0\n[    2.000000] eth0: link up\n");

    const KILL: (&str, Option<Kind>, &str) = (
        "kern.log",
        Some(Kind::KernelLog),
        "[10.000001] oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=/batch,\
         task_memcg=/batch,task=hog,pid=10,uid=0\n[10.000002] Memory cgroup out of memory: Killed process 10 (hog) \
         total-vm:2000kB, anon-rss:1000kB, file-rss:4kB, shmem-rss:0kB, UID:0 pgtables:40kB oom_score_adj:0\n",
    );

    #[test]
    fn a_log_without_kills_needs_no_action() {
        let answer = answer(&[QUIET_LOG], &["dmesg"]);
        assert_eq!(answer.not_understood, [""; 0]);
        assert_eq!(answer.exit(), Exit::Nothing);
    }

    #[test]
    fn a_kill_is_found() {
        assert_eq!(answer(&[QUIET_LOG, KILL], &["dmesg", "kern.log"]).exit(), Exit::Found);
    }

    #[test]
    fn a_named_file_of_no_known_kind_is_a_failure_and_one_in_a_folder_is_not() {
        let readme = ("README", None, "how these files were made\n");
        assert_eq!(answer(&[QUIET_LOG, readme], &["dmesg", "README"]).exit(), Exit::Failed);
        assert_eq!(answer(&[QUIET_LOG, readme], &["dmesg"]).exit(), Exit::Nothing);
        assert_eq!(answer(&[readme], &[]).exit(), Exit::Failed, "nothing in the folder was recognised");
    }

    #[test]
    fn what_was_named_and_not_read_outweighs_what_was_found() {
        let mut answer = answer(&[KILL], &["kern.log"]);
        answer.failures.push("cannot read pods.json: there is no such file; check the path".into());
        assert_eq!(answer.exit(), Exit::Failed);
    }

    #[test]
    fn a_pod_that_no_evidence_names_is_a_failure_and_a_healthy_one_is_not() {
        let events = ("events", Some(Kind::KernelLog), "[    1.000000] Linux version 6.12.0 on checkout-7d9f\n");
        for (pod, exit) in [("checkout-7d9f", Exit::Nothing), ("chekcout-7d9f", Exit::Failed)] {
            let mut question = question(&[events], &["events"]);
            question.ask.pod = Some(pod.into());
            assert_eq!(question.answer(Gathered::default()).exit(), exit, "{pod}");
        }
    }

    #[test]
    fn a_name_is_a_word_of_its_own() {
        let pod = r#"{"kind": "Pod", "metadata": {"name": "db-0"}, "spec": {"containers": [{"name": "app"}]}}"#;
        let pod = ("pod.json", Some(Kind::KubernetesJson), pod);
        for (name, container, exit) in
            [("db-0", "app", Exit::Nothing), ("db", "app", Exit::Failed), ("db-0", "ap", Exit::Failed)]
        {
            let mut question = question(&[pod], &["pod.json"]);
            question.ask.pod = Some(name.into());
            question.ask.container = Some(container.into());
            assert_eq!(question.answer(Gathered::default()).exit(), exit, "{name} {container}");
        }
    }

    #[test]
    fn what_a_source_does_not_know_is_a_failure_where_nothing_is_left_of_it() {
        for (file, exit) in [(QUIET_LOG, Exit::Failed), (KILL, Exit::Found)] {
            let unknown = vec!["there is no Deployment nosuch in namespace shop".to_owned()];
            let gathered = Gathered { captured: Captured { unknown, ..Captured::default() }, ..Gathered::default() };
            assert_eq!(question(&[file], &[]).answer(gathered).exit(), exit);
        }
    }

    #[test]
    fn a_container_that_was_named_is_found_by_id_and_others_of_the_log_are_left_out() {
        let only = Only::OfContainer("5f0c".into());
        let of = |container: Option<&str>, id: &str| SubjectReport {
            container: container.map(str::to_owned),
            container_id: Some(id.into()),
            ..SubjectReport::default()
        };
        assert!(only.keeps(&of(Some("web"), "5f0c7d4d")));
        assert!(only.keeps(&of(None, "5f0c7d4d")));
        assert!(!only.keeps(&of(None, "77777777")));
        assert!(!only.keeps(&SubjectReport::default()));
    }

    #[test]
    fn a_node_as_target_leaves_the_deaths_of_others_out() {
        let mut question = question(&[KILL], &[]);
        question.only = Only::OnNode("node-b".into());
        assert!(question.answer(Gathered::default()).document.diagnoses.is_empty());
    }
}
