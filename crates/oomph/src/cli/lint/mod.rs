//! `oomph lint`: reads manifests, and says which of them will be killed for memory.

use std::path::{Path, PathBuf};

use anyhow::{Error, Result, bail};
use clap::{Args, ValueEnum};
use oomph_core::diagnosis::GapReport;
use oomph_core::lint::{Document, Level, Source, Workers as _, lint_with};

use super::{Exit, Global};
use crate::ui::Ui;

mod baseline;
mod files;
mod fix;
mod layout;
mod live;
mod outputs;
mod parallel;
mod rendered;
mod settings;

use files::Files;
use live::Live;
use outputs::Wanted;
use parallel::Processors;
use rendered::Rendered;
use settings::Settings;

pub(super) const EXAMPLES: &str = "  \
  oomph lint deploy/                     every manifest in a folder
  oomph lint --helm . --helm-values prod.yaml
                                         what a chart renders
  oomph lint --kustomize overlays/prod   what an overlay becomes
  docker image inspect app:1 | oomph lint - deploy/
                                         with what is baked into an image
  oomph lint --live -n shop              what runs in a namespace, as it was admitted
  oomph lint --fix deploy/               mend what has one reading only
  oomph lint --format sarif=oomph.sarif --format github .
                                         for a pipeline, in two forms at once

Exit codes: 0 nothing was found at the level of --fail-on or above, 1 something was, 2 the work could not be done, or
something could not be read.";

#[derive(Debug, Args)]
pub(super) struct Lint {
    /// Files and folders with manifests and images; - reads stdin; without any, and nothing else to lint, this folder
    ///
    /// Manifests of Kubernetes, Compose files, Dockerfiles, rule files and dashboards. Of images the JSON of docker or
    /// podman image inspect, an OCI layout (a folder) or what docker save writes (*.tar): their environment, entrypoint
    /// and command count for the containers that name them.
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    rendered: Rendered,
    /// Lint the workloads of the cluster, with the limits that their pods were admitted with (-n, -A, -l)
    #[arg(long)]
    live: bool,
    /// Exit with 1 on findings from this level on: error, warning, info or never
    #[arg(long, value_enum, value_name = "LEVEL", hide_possible_values = true)]
    fail_on: Option<FailOn>,
    /// Write the result in this form too: text, json, yaml, markdown, sarif, junit, github or gitlab
    ///
    /// With =FILE into a file, otherwise on stdout in place of -o. May be given several times.
    #[arg(long, value_name = "FORM[=FILE]", value_parser = outputs::wanted)]
    format: Vec<Wanted>,
    /// Mend the files where the text has one reading only; =suggest prints every change as a patch instead
    #[arg(
        long,
        value_enum,
        value_name = "HOW",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "safe",
        conflicts_with_all = ["helm", "kustomize", "live"]
    )]
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

/// What is linted.
struct Gathered {
    /// The files first, in the order of their paths, then what was rendered, then the cluster's.
    sources: Vec<Source>,
    paths: Vec<PathBuf>,
    gaps: Vec<GapReport>,
    /// The cluster was asked, and nothing of it may be read.
    nothing: bool,
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
        let named = self.named();
        let Files { paths, mut unread } = files::files(&named);
        // What is asked of a repository holds for the cluster too that one works on from there.
        let here = self.live.then(|| PathBuf::from("."));
        let folders = [named.clone(), self.rendered.folders(), here.iter().cloned().collect()].concat();
        let mut settings = Settings::read(&folders, &paths, self.config.as_deref(), self.fail_on)?;
        if self.print_config {
            ui.print(&settings.shown())?;
            return Ok(Exit::Nothing);
        }
        // Where there is nothing else to read there is nothing else to report.
        if paths.is_empty() && self.rendered.is_empty() && !self.live && !unread.is_empty() {
            return Err(unread.swap_remove(0));
        }
        if paths.is_empty() && !named.is_empty() && unread.is_empty() {
            let shown = files::shown(&named);
            bail!("no manifest among {shown}: name files, or folders with *.yaml, *.yml, *.json or Dockerfiles");
        }
        let fails = settings.fail_on().level();
        let Some(Gathered { mut sources, paths, gaps, nothing }) =
            self.gather(paths, &mut unread, &mut settings, global, ui)?
        else {
            return Err(unread.swap_remove(0));
        };
        let mut document = self.lint(&sources, &settings)?;
        document.gaps.clone_from(&gaps);
        match self.fix {
            Some(Fix::Suggest) => {
                ui.print(&fix::patch(&document, &sources))?;
                return Ok(if unread.is_empty() { exit(&document, fails) } else { Exit::Failed });
            }
            Some(Fix::Safe) if fix::mend(&document, &mut sources, &paths, ui)? => {
                document = self.lint(&sources, &settings)?;
                document.gaps = gaps;
            }
            Some(Fix::Safe) | None => {}
        }
        outputs::write(&self.format, &document, &sources, fails, global, ui)?;
        // Where nothing may be read, nothing was looked at; and what cannot be read may be anything.
        if nothing || !unread.is_empty() { Ok(Exit::Failed) } else { Ok(exit(&document, fails)) }
    }

    /// Reads what is linted. `None` where nothing of it could be read, and that is all that was asked for.
    fn gather(
        &self,
        paths: Vec<PathBuf>,
        unread: &mut Vec<Error>,
        settings: &mut Settings,
        global: &Global,
        ui: Ui,
    ) -> Result<Option<Gathered>> {
        let (mut sources, mut gaps, mut read) = (Vec::new(), Vec::new(), Vec::new());
        for (source, path) in Processors.each(paths, |_, path: PathBuf| (files::source(&path), path)) {
            if path != Path::new("-") {
                ui.detail(path.display());
            }
            match source {
                Ok((source, of_image)) => {
                    sources.push(source);
                    gaps.extend(of_image);
                    read.push(path);
                }
                Err(error) => unread.push(error),
            }
        }
        if sources.is_empty() && self.rendered.is_empty() && !self.live && !unread.is_empty() {
            return Ok(None);
        }
        gaps.extend(unread.iter().map(files::gap));
        for piece in self.rendered.read(global, ui)? {
            settings.hold(&piece.source.0, &piece.folder);
            sources.push(piece.into_source());
        }
        let live = if self.live { live::read(global, ui)? } else { Live::default() };
        for source in live.sources {
            settings.hold(&source.name, Path::new("."));
            sources.push(source);
        }
        gaps.extend(live.gaps);
        Ok(Some(Gathered { sources, paths: read, gaps, nothing: live.nothing }))
    }

    /// The files and folders that are meant.
    fn named(&self) -> Vec<PathBuf> {
        if self.paths.is_empty() && self.rendered.is_empty() && !self.live {
            vec![PathBuf::from(".")]
        } else {
            self.paths.clone()
        }
    }

    fn lint(&self, sources: &[Source], settings: &Settings) -> Result<Document> {
        let mut document = lint_with(&Processors, sources, !self.no_inline_ignores);
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
