//! `oomph lint`: reads manifests, and says which of them will be killed for memory.

use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::{Args, ValueEnum};
use oomph_core::lint::{Document, Level, Source};

use super::{Exit, Global};
use crate::ui::Ui;

mod baseline;
mod files;
mod fix;
mod outputs;
mod parallel;
mod settings;

use outputs::Wanted;
use settings::Settings;

pub(super) const EXAMPLES: &str = "  \
  oomph lint deploy/                     every manifest in a folder
  helm template . | oomph lint -         what a chart renders
  oomph lint --fix deploy/               mend what has one reading only
  oomph lint --format sarif=oomph.sarif --format github .
                                         for a pipeline, in two forms at once";

#[derive(Debug, Args)]
pub(super) struct Lint {
    /// Files and folders with manifests; - reads stdin
    #[arg(value_name = "PATH", default_value = ".")]
    paths: Vec<PathBuf>,
    /// Exit with 1 on findings from this level on: error, warning, info or never
    #[arg(long, value_enum, value_name = "LEVEL", hide_possible_values = true)]
    fail_on: Option<FailOn>,
    /// Write the result in this form too: text, json, yaml, markdown, sarif, junit, github or gitlab
    ///
    /// With =FILE into a file, otherwise on stdout in place of -o. May be given several times.
    #[arg(long, value_name = "FORM[=FILE]", value_parser = outputs::wanted)]
    format: Vec<Wanted>,
    /// Mend the files where the text has one reading only; =suggest prints every change as a patch instead
    #[arg(long, value_enum, value_name = "HOW", num_args = 0..=1, require_equals = true, default_missing_value = "safe")]
    fix: Option<Fix>,
    /// Report only what is not in this earlier result (the document of -o json)
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// Report also what comments and annotations in the manifests suppress
    #[arg(long)]
    no_inline_ignores: bool,
    /// Read this file in place of every .oomph.yaml above the manifests
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print the settings in force and where each comes from, and do nothing else
    #[arg(long)]
    print_config: bool,
}

/// What `--fix` does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Fix {
    /// Changes the files, where the text has one reading only.
    Safe,
    /// Prints a patch of all changes that are known.
    Suggest,
}

/// From which level on findings make a failure.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum FailOn {
    /// Errors.
    #[default]
    Error,
    /// Warnings too.
    Warning,
    /// Everything.
    Info,
    /// Nothing: only what could not be read.
    Never,
}

impl FailOn {
    fn level(self) -> Option<Level> {
        match self {
            Self::Error => Some(Level::Error),
            Self::Warning => Some(Level::Warning),
            Self::Info => Some(Level::Info),
            Self::Never => None,
        }
    }
}

impl Lint {
    pub(super) fn run(self, global: &Global, ui: Ui) -> Result<Exit> {
        let paths = files::files(&self.paths)?;
        let mut settings = Settings::read(&self.paths, &paths, self.config.as_deref(), self.fail_on)?;
        if self.print_config {
            ui.print(&settings.shown())?;
            return Ok(Exit::Nothing);
        }
        if paths.is_empty() {
            let shown = files::shown(&self.paths);
            bail!("no manifest among {shown}: name files, or folders with *.yaml, *.yml or *.json");
        }
        let fails = settings.fail_on().level();
        let mut sources = paths.iter().map(|path| files::source(path, ui)).collect::<Result<Vec<Source>>>()?;
        let mut document = self.lint(&sources, &settings)?;
        match self.fix {
            Some(Fix::Suggest) => {
                ui.print(&fix::patch(&document, &sources))?;
                return Ok(exit(&document, fails));
            }
            Some(Fix::Safe) if fix::mend(&document, &mut sources, &paths, ui)? => {
                document = self.lint(&sources, &settings)?;
            }
            Some(Fix::Safe) | None => {}
        }
        outputs::write(&self.format, &document, &sources, fails, global, ui)?;
        Ok(exit(&document, fails))
    }

    fn lint(&self, sources: &[Source], settings: &Settings) -> Result<Document> {
        let mut document = parallel::lint(sources, !self.no_inline_ignores);
        settings.apply(&mut document);
        if let Some(path) = &self.baseline {
            baseline::subtract(&mut document, path)?;
        }
        Ok(document)
    }
}

/// A document that could not be read is a failure whatever else was found.
fn exit(document: &Document, fails: Option<Level>) -> Exit {
    if !document.parse_errors.is_empty() {
        return Exit::Failed;
    }
    match (document.gravest(), fails) {
        (Some(gravest), Some(from)) if gravest >= from => Exit::Found,
        _ => Exit::Nothing,
    }
}
