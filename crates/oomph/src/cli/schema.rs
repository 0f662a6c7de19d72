//! The hidden `oomph schema`: the published shape of a document, generated from its types.

use anyhow::Result;
use clap::Args;
use oomph_core::diagnosis::Document;

use super::Exit;
use crate::ui::Ui;

#[derive(Debug, Args)]
pub(super) struct Schema {}

impl Schema {
    #[expect(clippy::unused_self, reason = "the other commands run the same way")]
    pub(super) fn run(self, ui: Ui) -> Result<Exit> {
        let schema = schemars::schema_for!(Document);
        ui.print(&(serde_json::to_string_pretty(&schema)? + "\n"))?;
        Ok(Exit::Nothing)
    }
}
