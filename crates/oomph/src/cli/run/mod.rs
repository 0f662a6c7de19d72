//! `oomph run`: a command under a limit, and what became of it.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, anyhow};
use clap::Args;
use oomph_core::report;
use oomph_core::run::{Document, explain};
use oomph_core::units::{Bytes, Quantity};

use super::{Global, Output};
use crate::ui::Ui;

mod command;
mod leftovers;
mod live;
mod signals;
mod stderr;
mod unlimited;
mod user_scope;

pub(super) const EXAMPLES: &str = "  \
  oomph run --memory 512Mi -- java -Xmx512m -jar app.jar    will it survive?
  oomph run --memory 256Mi --record app.oomph -- ./app      keep the recording for why, inspect and size
  oomph run -o json --memory 1Gi -- make test               the document last on stdout
  oomph run --watch-only -- ./app                           without a limit and without a cgroup

Exits as the command does: its own code, or 128 and the signal that ended it; 125 when oomph itself could not do its
work, 126 when the command cannot be executed, 127 when it is not there.";

#[derive(Debug, Args)]
pub(super) struct Run {
    /// Limit on memory: 512Mi, 1Gi; without it the command is only watched
    #[arg(short, long, value_name = "SIZE")]
    memory: Option<Size>,
    /// How much may go to swap beside it; none, as in Kubernetes, when not given
    #[arg(long, value_name = "SIZE", requires = "memory")]
    swap: Option<Size>,
    /// Keep the recording
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    /// Write the report into a file, and leave stdout to the command
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Make no cgroup: watch the processes of the command only
    #[arg(long, conflicts_with_all = ["memory", "swap"])]
    watch_only: bool,
    /// Remove what a killed run left (oomph starts this itself)
    #[arg(long, hide = true, value_name = "FOLDER", exclusive = true)]
    leftovers: Option<PathBuf>,
    /// The command and its arguments
    #[arg(
        required_unless_present = "leftovers",
        trailing_var_arg = true,
        allow_hyphen_values = true,
        value_name = "CMD"
    )]
    command: Vec<OsString>,
}

/// An amount of memory as Kubernetes writes it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Size(Bytes);

impl Size {
    pub(super) fn bytes(self) -> Bytes {
        self.0
    }
}

impl std::str::FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let quantity: Quantity = text.parse().map_err(|error: oomph_core::units::NotAQuantity| error.to_string())?;
        if quantity.is_fractional() || quantity.is_zero() {
            return Err(format!(
                "{text} is no amount of memory; did you mean {}Mi?",
                text.trim_end_matches(['m', 'n', 'u'])
            ));
        }
        Ok(Self(quantity.bytes()))
    }
}

/// oomph itself failed.
const FAILED: u8 = 125;

impl Run {
    pub(super) fn run(self, global: &Global, ui: Ui) -> ExitCode {
        if let Some(folder) = &self.leftovers {
            return leftovers::remove(folder);
        }
        match self.watch(global, ui) {
            Ok(code) => ExitCode::from(code),
            Err(error) => {
                ui.error(format_args!("{error:#}"));
                ExitCode::from(FAILED)
            }
        }
    }

    fn watch(self, global: &Global, ui: Ui) -> Result<u8> {
        let ran = if self.watch_only { unlimited::run(&self.command, ui)? } else { command::run(&self, ui)? };
        let recording = match ran {
            command::Ran::Recorded(recording) => recording,
            command::Ran::NotStarted(code) => return Ok(code),
        };
        if let Some(path) = &self.record {
            std::fs::write(path, &recording).with_context(|| format!("cannot write {}", path.display()))?;
        }
        let name =
            self.record.as_ref().map_or_else(|| "the recording".into(), |path| path.to_string_lossy().into_owned());
        let document = explain(&name, recording.as_bytes());
        let text = render(&document, global.output, ui, self.report.is_some());
        match &self.report {
            Some(path) => std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?,
            None => ui.print(&text)?,
        }
        let code = document.exit_code.ok_or_else(|| anyhow!("the command's end was not seen"))?;
        Ok(u8::try_from(code & 0xff).unwrap_or(FAILED))
    }
}

fn render(document: &Document, output: Output, ui: Ui, into_file: bool) -> String {
    let style = if into_file { report::Style::Plain } else { ui.style() };
    match output {
        Output::Text => report::run_text(document, style, ui.width()),
        Output::Markdown => report::run_markdown(document),
        Output::Json => report::json(document),
        Output::Yaml => report::yaml(document),
    }
}
