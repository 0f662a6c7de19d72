//! `--apply`: what is proposed is set in the cluster, after the server has said what would become of it.

use anyhow::{Result, bail};
use clap::{Args, ValueEnum};
use oomph_cluster::kube::{Preview, open};
use oomph_core::report::{Change, changes};
use oomph_core::size::Document;

use crate::cli::{Form, Global, event_loop};
use crate::ui::Ui;

#[derive(Debug, Args)]
pub(super) struct Apply {
    /// Set what is proposed in the cluster: show what it changes, ask, and leave an Event on each object
    #[arg(long = "apply", id = "apply")]
    asked: bool,
    /// With --apply: let the server say what would change, and change nothing
    #[arg(long, value_enum, value_name = "server", requires = "apply", hide_possible_values = true)]
    dry_run: Option<DryRun>,
    /// With --apply: do not ask
    #[arg(short = 'y', long, requires = "apply", conflicts_with = "dry_run")]
    yes: bool,
}

/// Who plays it through. The client alone cannot know: `-o patch` is what it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum DryRun {
    /// The API server, with admission and validation.
    Server,
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Applied {
    /// Nobody wanted it, or it was only looked at.
    No,
    /// All that needs action is set.
    All,
    /// Something is left that needs action.
    Some,
    /// Something could not be set.
    Failed,
}

impl Apply {
    /// Applies a document where that was asked for.
    pub(super) fn run(&self, document: &Document, global: &Global, ui: Ui) -> Result<Applied> {
        if !self.asked {
            return Ok(Applied::No);
        }
        if self.dry_run.is_none() && !self.yes && !ui.can_ask() {
            bail!("there is no terminal to ask on; look at it with --dry-run=server, then say --yes");
        }
        let (changes, left) = changes(document);
        for left in &left {
            ui.note(format_args!("{} is left as it is: {}", left.title, left.because));
        }
        if changes.is_empty() {
            ui.note("nothing is to be set");
            return Ok(if left.is_empty() { Applied::All } else { Applied::Some });
        }
        let runtime = event_loop()?;
        let applied = runtime.block_on(self.set(&changes, global, ui))?;
        Ok(if applied == Applied::All && !left.is_empty() { Applied::Some } else { applied })
    }

    async fn set(&self, changes: &[Change], global: &Global, ui: Ui) -> Result<Applied> {
        let writer = open(&super::cluster(global)).await?;
        let mut failed = false;
        let mut ready: Vec<(&Change, Preview)> = Vec::new();
        for change in changes {
            match writer.preview(change).await {
                Ok(preview) if preview.differences.is_empty() => {
                    ui.note(format_args!("{}: it is set already", preview.title));
                }
                Ok(preview) => {
                    show(change, &preview, global, ui)?;
                    ready.push((change, preview));
                }
                Err(error) => {
                    failed = true;
                    ui.error(error);
                }
            }
        }
        if self.dry_run.is_some() {
            ui.note("nothing was changed: the server played it through");
            return Ok(if failed { Applied::Failed } else { Applied::No });
        }
        if !ready.is_empty() && !self.yes && !ui.agrees("set this?")? {
            ui.note("nothing was changed");
            return Ok(if failed { Applied::Failed } else { Applied::No });
        }
        for (change, preview) in &ready {
            match writer.apply(change, preview).await {
                Ok(word) => {
                    ui.note(format_args!("{}: set", preview.title));
                    if let Some(word) = word {
                        ui.note(word);
                    }
                }
                Err(error) => {
                    failed = true;
                    ui.error(error);
                }
            }
        }
        Ok(if failed { Applied::Failed } else { Applied::All })
    }
}

/// What a change does: beside the sizing on stdout, where that is for people.
fn show(change: &Change, preview: &Preview, global: &Global, ui: Ui) -> Result<()> {
    let mut text = format!("\n{}\n", preview.title);
    for it in &preview.differences {
        for (sign, value) in [('-', &it.before), ('+', &it.after)] {
            if let Some(value) = value {
                text.push_str(&format!("{sign} {}: {value}\n", it.place));
            }
        }
    }
    for flag in &change.by_hand {
        text.push_str(&format!("  by hand, beside it: {flag}\n"));
    }
    if matches!(global.form, Form::Text | Form::Markdown) {
        ui.print(&text)?;
    } else {
        ui.note(text.trim());
    }
    Ok(())
}
