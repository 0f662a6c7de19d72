//! The settings in force: what the command line says, else the nearest `.oomph.yaml` above each manifest.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow};
use oomph_core::lint::Document;
use oomph_core::lint::config::{self, Config};

use super::FailOn;

const NAME: &str = ".oomph.yaml";

/// Settings, and where they come from.
pub(super) struct Settings {
    /// By the file's path; in the order of the paths.
    configs: BTreeMap<PathBuf, Config>,
    /// Which of them is for a manifest, by the name that findings give it.
    of: HashMap<String, PathBuf>,
    asked: Option<FailOn>,
}

impl Settings {
    /// Reads every file of settings that is for one of the manifests.
    pub(super) fn read(
        named: &[PathBuf],
        files: &[PathBuf],
        only: Option<&Path>,
        asked: Option<FailOn>,
    ) -> Result<Self> {
        let mut settings = Self { configs: BTreeMap::new(), of: HashMap::new(), asked };
        let mut nearest: HashMap<PathBuf, Option<PathBuf>> = HashMap::new();
        // A folder without manifests has settings all the same, for --print-config.
        let folders = named.iter().filter(|path| path.is_dir()).map(|path| path.join("x"));
        for path in files.iter().cloned().chain(folders) {
            let folder = match path.parent() {
                Some(parent) if path != Path::new("-") => parent.to_path_buf(),
                _ => PathBuf::new(),
            };
            let found = match only {
                Some(only) => Some(only.to_path_buf()),
                None => nearest.entry(folder).or_insert_with_key(|folder| above(folder)).clone(),
            };
            let Some(found) = found else { continue };
            if !settings.configs.contains_key(&found) {
                let shown = found.display();
                let text = std::fs::read_to_string(&found).with_context(|| format!("cannot read {shown}"))?;
                let config = Config::read(&text).map_err(|error| anyhow!("{shown}: {error}"))?;
                settings.configs.insert(found.clone(), config);
            }
            settings.of.insert(super::files::name(&path), found);
        }
        Ok(settings)
    }

    /// What holds in a folder that was named holds for a source that is no file.
    pub(super) fn hold(&mut self, source: &str, folder: &Path) {
        if let Some(config) = self.of.get(&super::files::name(&folder.join("x"))).cloned() {
            self.of.insert(source.to_owned(), config);
        }
    }

    /// From which level on findings fail the run: of several files the strictest.
    pub(super) fn fail_on(&mut self) -> FailOn {
        let of_files = self.configs.values().filter_map(|config| config.lint.fail_on.as_deref()).map(fail_on);
        self.asked
            .or_else(|| of_files.min_by_key(|it| it.level().map_or(u8::MAX, |level| level as u8)))
            .unwrap_or_default()
    }

    /// Applies each file's settings to the findings in its manifests.
    pub(super) fn apply(&self, document: &mut Document) {
        for (path, config) in &self.configs {
            config.apply(document, |name| self.of.get(name) == Some(path));
        }
    }

    /// Each setting, and where it comes from.
    pub(super) fn shown(&self) -> String {
        let mut out = String::new();
        let mut say = |what: &str, from: &str| out.push_str(&format!("{what:<44} # {from}\n"));
        if let Some(asked) = self.asked {
            say(&format!("failOn: {}", word(asked)), "command line");
        }
        for (path, config) in &self.configs {
            let from = path.display().to_string();
            if let (Some(level), None) = (&config.lint.fail_on, self.asked) {
                say(&format!("failOn: {level}"), &from);
            }
            for (rule, level) in &config.lint.rules {
                say(&format!("rules.{rule}: {level}"), &from);
            }
            for (number, ignore) in config.lint.ignore.iter().enumerate() {
                say(&format!("ignore[{number}]: {}", ignore.reason), &from);
            }
        }
        if self.asked.is_none() && self.configs.values().all(|config| config.lint.fail_on.is_none()) {
            say("failOn: error", "default");
        }
        out
    }
}

fn fail_on(word: &str) -> FailOn {
    match config::level(word) {
        Some(oomph_core::lint::Level::Error) => FailOn::Error,
        Some(oomph_core::lint::Level::Warning) => FailOn::Warning,
        Some(oomph_core::lint::Level::Info) => FailOn::Info,
        None => FailOn::Never,
    }
}

fn word(fail_on: FailOn) -> &'static str {
    fail_on.level().map_or("never", oomph_core::lint::Level::word)
}

/// The nearest file of settings in a folder or above it.
fn above(folder: &Path) -> Option<PathBuf> {
    let start = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let absolute = std::path::absolute(start).ok()?;
    absolute.ancestors().map(|folder| folder.join(NAME)).find(|path| path.is_file())
}
