//! `oomph completions` and the hidden `oomph man`: what packages ship beside the program.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;
use clap_complete::Shell;

use super::{Exit, command};
use crate::ui::Ui;

pub(super) const EXAMPLES: &str = "  \
  oomph completions bash > /etc/bash_completion.d/oomph
  oomph completions zsh > ~/.zfunc/_oomph";

#[derive(Debug, Args)]
pub(super) struct Completions {
    /// The shell
    #[arg(value_enum, value_name = "SHELL")]
    shell: Shell,
}

impl Completions {
    pub(super) fn run(self, ui: Ui) -> Result<Exit> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut command("oomph"), "oomph", &mut script);
        ui.print(&String::from_utf8_lossy(&script))?;
        Ok(Exit::Nothing)
    }
}

#[derive(Debug, Args)]
pub(super) struct Man {
    /// The folder
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

impl Man {
    pub(super) fn run(self) -> Result<Exit> {
        let folder = self.folder.display();
        std::fs::create_dir_all(&self.folder).with_context(|| format!("cannot make the folder {folder}"))?;
        clap_mangen::generate_to(command("oomph"), &self.folder)
            .with_context(|| format!("cannot write into {folder}"))?;
        Ok(Exit::Nothing)
    }
}
