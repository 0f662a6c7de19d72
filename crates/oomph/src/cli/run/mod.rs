//! `oomph run`: a command under a limit, and what became of it.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Args;
use oomph_core::diagnosis::GapReport;
use oomph_core::report;
use oomph_core::run::{Document, explain};
use oomph_core::units::{Bytes, Quantity};

use super::{Global, Output};
use crate::ui::Ui;

mod command;
mod destination;
mod leftovers;
mod live;
mod looks;
mod signals;
mod stderr;
mod unlimited;
mod user_scope;
mod watch;

use destination::Destination;

pub(super) const EXAMPLES: &str = "  \
  oomph run --memory 512Mi -- java -Xmx512m -jar app.jar    will it survive?
  oomph run --memory 256Mi --record app.oomph -- ./app      keep the recording for why, inspect and size
  oomph run -o json --memory 1Gi -- make test               the document last on stdout
  oomph run --watch-only -- ./app                           without a limit and without a cgroup

Exit codes: the command's own, or 128 and the signal that ended it; 125 the work could not be done, 126 the command cannot
be executed, 127 it is not there.";

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
    #[arg(required_unless_present = "leftovers", trailing_var_arg = true, value_name = "CMD")]
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

/// The most that the kernel takes as a limit: `LONG_MAX` (`PAGE_COUNTER_MAX`, include/linux/page_counter.h, v6.18).
const MOST: Bytes = Bytes(u64::MAX / 2);

impl std::str::FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let quantity: Quantity = text.parse().map_err(|error: oomph_core::units::NotAQuantity| error.to_string())?;
        if quantity.is_negative() || quantity.is_zero() {
            return Err(format!("{text} leaves no memory to run in; write an amount such as 512Mi"));
        }
        if quantity.is_fractional() {
            return Err(format!(
                "{text} is no amount of memory; did you mean {}Mi?",
                text.trim_end_matches(['m', 'n', 'u'])
            ));
        }
        let bytes = quantity.bytes();
        if bytes > MOST {
            return Err(format!("{text} is more than any machine has, and than a cgroup's limit can be"));
        }
        Ok(Self(bytes))
    }
}

/// oomph itself failed.
pub(super) const FAILED: u8 = 125;

impl Run {
    pub(super) fn run(self, global: &Global, ui: Ui) -> ExitCode {
        if let Some(folder) = &self.leftovers {
            return leftovers::remove(folder);
        }
        match self.watch(global, ui) {
            Ok(code) => ExitCode::from(code),
            Err(error) => {
                ui.error(format_args!("{error:#}"));
                let document = failed(format!("{error:#}"));
                let report = self.report.as_deref().filter(|_| is_for_machines(global.output));
                if let Some(Ok(report)) = report.map(Destination::open) {
                    let _ = report.write(&render(&document, global.output, ui, true));
                } else {
                    print_failed(&document, global.output, ui);
                }
                ExitCode::from(FAILED)
            }
        }
    }

    fn watch(&self, global: &Global, ui: Ui) -> Result<u8> {
        let record = self.record.as_deref().map(Destination::open).transpose()?;
        let report = self.report.as_deref().map(Destination::open).transpose()?;
        let ran = if self.watch_only { unlimited::run(&self.command, ui)? } else { command::run(self, ui)? };
        let recording = match ran {
            command::Ran::Recorded(recording) => recording,
            command::Ran::Elsewhere(code) => return Ok(code),
        };
        // What cannot be written takes neither the command's code nor the report away.
        let kept = |written: Result<()>| written.map_err(|error| ui.error(format_args!("{error:#}"))).is_ok();
        if let Some(record) = record {
            kept(record.write(&recording));
        }
        let name =
            self.record.as_ref().map_or_else(|| "the recording".into(), |path| path.to_string_lossy().into_owned());
        let document = explain(&name, recording.as_bytes());
        let in_file = report.is_some_and(|report| kept(report.write(&render(&document, global.output, ui, true))));
        if !in_file {
            kept(ui.print(&render(&document, global.output, ui, false)).context("cannot print the report"));
        }
        let Some(code) = document.exit_code else {
            ui.error("the command's end was not seen");
            return Ok(FAILED);
        };
        Ok(u8::try_from(code & 0xff).unwrap_or(FAILED))
    }
}

/// The document of a run that could not be: nothing is known, and why.
fn failed(because: String) -> Document {
    let gap = GapReport { what: "the run".into(), because: because.clone(), command: String::new() };
    Document { proposal_missing: Some(because), gaps: vec![gap], ..explain("the recording", &[]) }
}

fn is_for_machines(output: Output) -> bool {
    matches!(output, Output::Json | Output::Yaml)
}

/// Whoever asked for a document gets one, also where it says only why there is nothing in it.
fn print_failed(document: &Document, output: Output, ui: Ui) {
    if is_for_machines(output) {
        let _ = ui.print(&render(document, output, ui, false));
    }
}

/// The same of a command line that could not be understood.
pub(super) fn misused(because: String, output: Output, ui: Ui) {
    print_failed(&failed(because), output, ui);
}

fn render(document: &Document, output: Output, ui: Ui, into_file: bool) -> String {
    let style = if into_file { report::Style::Plain } else { ui.style() };
    match output {
        Output::Text if ui.is_quiet() => report::run_brief(document, style, ui.width()),
        Output::Text => report::run_text(document, style, ui.width()),
        Output::Markdown => report::run_markdown(document),
        Output::Json => report::json(document),
        Output::Yaml => report::yaml(document),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_that_is_none_is_refused_with_what_is_wrong_with_it() {
        let said = |text: &str| text.parse::<Size>().map(Size::bytes);
        assert_eq!(said("512Mi"), Ok(Bytes::mib(512)));
        for (text, says) in [
            ("0", "leaves no memory"),
            ("-5", "leaves no memory"),
            ("-5Mi", "leaves no memory"),
            ("512m", "did you mean 512Mi?"),
            ("9999999999999Gi", "more than any machine has"),
            ("10x", "is not a quantity"),
        ] {
            let error = said(text).unwrap_err();
            assert!(error.contains(says), "{text}: {error}");
        }
    }

    #[test]
    fn a_file_that_cannot_be_written_is_found_out_when_it_is_opened() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report");
        std::fs::write(&path, "a longer one of before").unwrap();
        let destination = Destination::open(&path).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "a longer one of before");
        destination.write("short").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "short");
        assert!(Destination::open(&folder.path().join("none/report")).is_err());
    }
}
