//! `oomph why -w`: goes on, and prints only what is new.

use std::collections::HashSet;
use std::rc::Rc;

use anyhow::{Error, Result, bail};
use futures::stream::{self, StreamExt};
use oomph_core::diagnosis::{Diagnosis, Document, KillReport};
use oomph_core::report;

use super::why::{Answer, Question, render};
use super::{Exit, Output};
use crate::ui::Ui;

/// Prints what is there, then every new death, until interrupted.
pub(super) async fn follow(question: &mut Question, output: Output, ui: Ui) -> Result<Exit> {
    let live = Rc::clone(&question.live);
    let mut changes = live.follow().await.map_err(Error::msg)?;
    // The watch runs beside the first look, so that no death falls between the two.
    let mut early = Vec::new();
    let look = ui.waiting("gathering evidence", Box::pin(live.gather()));
    tokio::pin!(look);
    let first = loop {
        tokio::select! {
            first = &mut look => break first,
            Some(change) = changes.next() => early.push(change),
        }
    };
    let mut answer = question.answer(first);
    if let Some(failure) = answer.failures.first() {
        bail!("{failure}");
    }
    let mut seen = Seen::default();
    let any = seen.keep_new(&mut answer.document);
    if any || output == Output::Text {
        ui.print(&one_of_many(&answer.document, output, ui))?;
    }
    let mut changes = stream::iter(early).chain(changes);
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
}

impl Seen {
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
    let finished = diagnosis.termination.as_ref().and_then(|termination| termination.finished_at);
    let kills: Vec<_> = kills.iter().filter(|kill| diagnosis.kills.contains(&kill.id)).map(identity).collect();
    let pod = subject.pod_uid.as_ref().or(subject.pod.as_ref());
    format!("{:?} {pod:?} {:?} {finished:?} {} {kills:?}", subject.namespace, subject.container, diagnosis.verdict)
}

/// One kill, whatever number it got this time.
fn identity(kill: &KillReport) -> String {
    let victim = kill.victims.first().and_then(|victim| victim.pid);
    format!("{:?} {:?} {:?} {:?} {victim:?}", kill.node, kill.boot_id, kill.at, kill.uptime_seconds)
}
