//! `oomph why -w`: goes on, and prints only what is new.

use std::collections::HashSet;
use std::rc::Rc;

use anyhow::{Error, Result, bail};
use futures::StreamExt;
use oomph_core::diagnosis::{Diagnosis, Document, GapReport, KillReport};
use oomph_core::report;

use super::question::{Answer, Question};
use super::why::render;
use super::{Exit, Output};
use crate::ui::Ui;

/// Prints what is there, then every new death, until interrupted.
pub(super) async fn follow(question: &mut Question, output: Output, ui: Ui) -> Result<Exit> {
    let live = Rc::clone(&question.live);
    let mut followed = live.follow().await.map_err(Error::msg)?;
    let first = ui.waiting("gathering evidence", Box::pin(followed.first())).await;
    let mut answer = question.answer(first);
    if let Some(failure) = answer.failures.first() {
        bail!("{failure}");
    }
    let mut seen = Seen::default();
    seen.new_gaps(&answer.document);
    let any = seen.keep_new(&mut answer.document);
    if any || output == Output::Text {
        ui.print(&one_of_many(&answer.document, output, ui))?;
    }
    let changes = followed.changes();
    tokio::pin!(changes);
    while let Some(change) = changes.next().await {
        let Answer { mut document, failures, .. } = question.answer(change);
        for failure in failures {
            ui.note(failure);
        }
        if seen.keep_new(&mut document) {
            // What was read is told once; it would bury the news.
            document.sources.clear();
            document.gaps.clear();
            ui.print(&one_of_many(&document, output, ui))?;
        } else {
            // What tells of no death tells of one that might be missed.
            for gap in seen.new_gaps(&document) {
                ui.note(format_args!("{}: {}", gap.what, gap.because));
            }
        }
    }
    Ok(Exit::Nothing)
}

/// A document in a stream of documents: JSON one a line, YAML and text with a mark between.
fn one_of_many(document: &Document, output: Output, ui: Ui) -> String {
    match output {
        Output::Json => report::json_line(document),
        Output::Yaml => format!("---\n{}", report::yaml(document)),
        Output::Text | Output::Markdown => render(document, output, ui) + "\n",
    }
}

/// What was printed before.
#[derive(Debug, Default)]
struct Seen {
    deaths: HashSet<String>,
    kills: HashSet<String>,
    gaps: HashSet<GapReport>,
}

impl Seen {
    /// The gaps that no earlier document had.
    fn new_gaps<'a>(&mut self, document: &'a Document) -> Vec<&'a GapReport> {
        document.gaps.iter().filter(|gap| self.gaps.insert((*gap).clone())).collect()
    }

    /// Drops from a document what an earlier one had; whether anything is left. The kill of a diagnosis that is
    /// printed stays with it.
    fn keep_new(&mut self, document: &mut Document) -> bool {
        let kills = document.kernel_kills.clone();
        document.diagnoses.retain(|diagnosis| self.deaths.insert(death(diagnosis, &kills)));
        let claimed: HashSet<&String> = document.diagnoses.iter().flat_map(|diagnosis| &diagnosis.kills).collect();
        let is_new = |kill: &KillReport, seen: &mut Self| seen.kills.insert(identity(kill));
        let mut kept = Vec::new();
        for kill in kills {
            let new = is_new(&kill, self);
            if new || claimed.contains(&kill.id) {
                kept.push(kill);
            }
        }
        document.kernel_kills = kept;
        !document.diagnoses.is_empty() || !document.kernel_kills.is_empty()
    }
}

/// One death: whose, when, and by what. A verdict that changes as evidence comes in is told again.
fn death(diagnosis: &Diagnosis, kills: &[KillReport]) -> String {
    let subject = &diagnosis.subject;
    let finished = diagnosis.termination.finished_at;
    let kills: Vec<_> = kills.iter().filter(|kill| diagnosis.kills.contains(&kill.id)).map(identity).collect();
    let pod = subject.pod_uid.as_ref().or(subject.pod.as_ref());
    format!("{:?} {pod:?} {:?} {finished:?} {} {kills:?}", subject.namespace, subject.container, diagnosis.verdict)
}

/// One kill, whatever number it got this time. Its moment by the clock is boot time and uptime added, and the boot
/// time comes out a little different each time it is read; seconds since boot stay what they are.
fn identity(kill: &KillReport) -> String {
    let victim = kill.victims.first().and_then(|victim| victim.pid);
    let at = if kill.uptime_seconds.is_some() { None } else { kill.at };
    format!("{:?} {:?} {at:?} {:?} {victim:?}", kill.node, kill.boot_id, kill.uptime_seconds)
}

#[cfg(test)]
mod tests {
    use super::*;
    use oomph_core::artifact::{Artifact, Kind};
    use oomph_core::why::{Ask, why};

    /// A kernel log of two kills outside Kubernetes, `shift` seconds later than the first.
    fn kills(shift: u32) -> Document {
        let log: String = [10, 20]
            .map(|at| {
                let at = at + shift;
                format!(
                    "[{at}.000001] oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,\
                     oom_memcg=/batch/{at},task_memcg=/batch/{at},task=hog,pid={at},uid=0\n[{at}.000002] Memory cgroup out of \
                     memory: Killed process {at} (hog) total-vm:2000kB, anon-rss:1000kB, file-rss:4kB, shmem-rss:0kB, \
                     UID:0 pgtables:40kB oom_score_adj:0\n"
                )
            })
            .concat();
        let artifact = Artifact { kind: Some(Kind::KernelLog), ..Artifact::new("dmesg", log) };
        why(&[artifact], Vec::new(), Vec::new(), &Ask::default())
    }

    #[test]
    fn what_was_told_is_not_told_again() {
        let mut seen = Seen::default();
        let mut first = kills(0);
        assert!(seen.keep_new(&mut first));
        assert_eq!(first.kernel_kills.len(), 2);
        assert!(!seen.keep_new(&mut kills(0)), "the same log again");
        let mut later = kills(10);
        assert!(seen.keep_new(&mut later), "one of its two kills is new");
        assert_eq!(later.kernel_kills.len(), 1);
        assert_eq!(later.kernel_kills[0].victims[0].pid, Some(30));
    }
}
