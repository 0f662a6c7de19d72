//! The hidden `oomph schema`: the published shape of a document, generated from its types.

use anyhow::Result;
use clap::{Args, ValueEnum};
use oomph_core::{diagnosis, lint, run, size, waterfall};

use super::Exit;
use crate::ui::Ui;

#[derive(Debug, Args)]
pub(super) struct Schema {
    /// Which document
    #[arg(value_enum, default_value_t)]
    document: Document,
}

/// The documents that oomph prints.
#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum Document {
    /// Of `oomph why`.
    #[default]
    Diagnosis,
    /// Of `oomph inspect`.
    Waterfall,
    /// Of `oomph run`.
    Run,
    /// Of `oomph lint`.
    Lint,
    /// Of `oomph size`.
    Sizing,
    /// Of `oomph size backtest`.
    Backtest,
}

impl Schema {
    pub(super) fn run(self, ui: Ui) -> Result<Exit> {
        let schema = match self.document {
            Document::Diagnosis => diagnosis::schema(),
            Document::Waterfall => waterfall::schema(),
            Document::Run => run::schema(),
            Document::Lint => lint::schema(),
            Document::Sizing => size::schema(),
            Document::Backtest => size::backtest::schema(),
        };
        ui.print(&(serde_json::to_string_pretty(&schema)? + "\n"))?;
        Ok(Exit::Nothing)
    }
}
