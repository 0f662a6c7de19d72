//! `oomph lint`: reads manifests, and says which of them will be killed for memory.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context as _, Result, bail};
use clap::{Args, ValueEnum};
use oomph_core::lint::{self, Document, Level, Source};
use oomph_core::report;

use super::{Exit, Global, Output};
use crate::ui::Ui;

pub(super) const EXAMPLES: &str = "  \
  oomph lint deploy/                     every manifest in a folder
  helm template . | oomph lint -         what a chart renders
  oomph lint --fail-on warning -o json . for a pipeline";

#[derive(Debug, Args)]
pub(super) struct Lint {
    /// Files and folders with manifests; - reads stdin
    #[arg(value_name = "PATH", default_value = ".")]
    paths: Vec<PathBuf>,
    /// Exit with 1 on findings from this level on: error, warning, info or never
    #[arg(long, value_enum, default_value_t, value_name = "LEVEL", hide_possible_values = true)]
    fail_on: FailOn,
    /// Report also what comments and annotations in the manifests suppress
    #[arg(long)]
    no_inline_ignores: bool,
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
        let paths = files(&self.paths)?;
        if paths.is_empty() {
            bail!("no manifest among {}: name files, or folders with *.yaml, *.yml or *.json", shown(&self.paths));
        }
        let sources = paths.iter().map(|path| source(path, ui)).collect::<Result<Vec<Source>>>()?;
        let document = lint(&sources, !self.no_inline_ignores);
        let text = match global.output {
            Output::Text => {
                lint::report::text(&document, &sources, ui.style(), ui.width(), global.verbose && !ui.is_quiet())
            }
            Output::Markdown => lint::report::markdown(&document),
            Output::Json => report::json(&document),
            Output::Yaml => report::yaml(&document),
        };
        ui.print(&text)?;
        Ok(exit(&document, self.fail_on))
    }
}

/// A document that could not be read is a failure whatever else was found.
fn exit(document: &Document, fail_on: FailOn) -> Exit {
    if !document.parse_errors.is_empty() {
        return Exit::Failed;
    }
    match (document.gravest(), fail_on.level()) {
        (Some(gravest), Some(from)) if gravest >= from => Exit::Found,
        _ => Exit::Nothing,
    }
}

/// Files are read side by side: each by itself takes nearly all of the time.
fn lint(sources: &[Source], inline: bool) -> Document {
    let reads = side_by_side(sources, |index| lint::read(index, &sources[index]));
    let found = side_by_side(&reads, |index| reads[index].found());
    let surroundings = lint::Surroundings::gather(found.iter().flat_map(|found| found.objects.iter()));
    let judged = side_by_side(&found, |index| lint::judge_file(&reads[index], &found[index], &surroundings, inline));
    lint::document(&reads, &found, &judged)
}

/// `work` for every item, on all processors, in order.
fn side_by_side<I: Sync, T: Send>(items: &[I], work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let workers = std::thread::available_parallelism().map_or(1, usize::from).min(items.len() / 4).max(1);
    if workers == 1 {
        return (0..items.len()).map(work).collect();
    }
    let next = AtomicUsize::new(0);
    let some = || {
        let mut done = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= items.len() {
                return done;
            }
            done.push((index, work(index)));
        }
    };
    let mut done: Vec<(usize, T)> = std::thread::scope(|scope| {
        let handles: Vec<_> = (0..workers).map(|_| scope.spawn(some)).collect();
        handles.into_iter().flat_map(|handle| handle.join().expect("no work panics")).collect()
    });
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, it)| it).collect()
}

fn source(path: &Path, ui: Ui) -> Result<Source> {
    let (name, bytes) = if path == Path::new("-") {
        let mut bytes = Vec::new();
        std::io::stdin().lock().read_to_end(&mut bytes).context("cannot read stdin")?;
        ("<stdin>".to_owned(), bytes)
    } else {
        ui.detail(path.display());
        let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        (path.display().to_string().trim_start_matches("./").to_owned(), bytes)
    };
    // A byte that is no UTF-8 stands as a replacement character: the rest of the file is read all the same.
    let text = String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
    Ok(Source { name, text })
}

/// Files as they are named, and those of folders by their names, in order.
fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for path in paths {
        if path == Path::new("-") {
            files.push(path.clone());
            continue;
        }
        let metadata = std::fs::metadata(path).with_context(|| format!("cannot read {}", path.display()))?;
        if metadata.is_dir() {
            let from = files.len();
            walk(path, &mut files)?;
            files[from..].sort();
        } else {
            files.push(path.clone());
        }
    }
    Ok(files)
}

/// Hidden folders and links to folders are not entered.
fn walk(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    for entry in entries {
        let entry = entry.with_context(|| format!("cannot read {}", folder.display()))?;
        let (path, kind) = (entry.path(), entry.file_type()?);
        let hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
        if kind.is_dir() && !hidden {
            walk(&path, files)?;
        } else if !kind.is_dir() && !hidden && is_manifest(&path) {
            files.push(path);
        }
    }
    Ok(())
}

fn is_manifest(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or("");
    ["yaml", "yml", "json"].iter().any(|known| extension.eq_ignore_ascii_case(known))
}

fn shown(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
}
