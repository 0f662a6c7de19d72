//! `oomph why -w`: asks again and again, and prints only what is new.

use std::collections::HashSet;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use jiff::Timestamp;
use oomph_core::diagnosis::{Diagnosis, Document, KillReport};
use oomph_core::report;

use super::why::{Question, render};
use super::{Exit, Output};
use crate::ui::Ui;

/// Between two looks. A restart is visible in the API a second or so after it, and events live an hour.
const INTERVAL: Duration = Duration::from_secs(5);

/// Prints what is there, then every new death, until interrupted.
pub(super) fn follow(question: &mut Question, output: Output, ui: Ui) -> Result<Exit> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the network's event loop")?;
    let mut seen = Seen::default();
    for round in 0_u64.. {
        let gathered = runtime.block_on(question.live.gather(Timestamp::now()));
        let mut answer = question.answer(gathered);
        if let Some(failure) = answer.failures.first() {
            if round == 0 {
                bail!("{failure}");
            }
            ui.note(format_args!("{failure}; trying again"));
        }
        let any = seen.keep_new(&mut answer.document);
        if round > 0 {
            answer.document.sources.clear();
            answer.document.gaps.clear();
        }
        if any || (round == 0 && output == Output::Text) {
            ui.print(&one_of_many(&answer.document, output, ui))?;
        }
        runtime.block_on(tokio::time::sleep(INTERVAL));
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
