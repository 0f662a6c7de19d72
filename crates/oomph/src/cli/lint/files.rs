//! The files of the input.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use oomph_core::lint::Source;

use crate::ui::Ui;

pub(super) fn source(path: &Path, ui: Ui) -> Result<Source> {
    let bytes = if path == Path::new("-") {
        let mut bytes = Vec::new();
        std::io::stdin().lock().read_to_end(&mut bytes).context("cannot read stdin")?;
        bytes
    } else {
        ui.detail(path.display());
        std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?
    };
    // A byte that is no UTF-8 stands as a replacement character: the rest of the file is read all the same.
    let text = String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
    Ok(Source { name: name(path), text })
}

/// What findings call a file.
pub(super) fn name(path: &Path) -> String {
    if path == Path::new("-") {
        return "<stdin>".to_owned();
    }
    path.display().to_string().trim_start_matches("./").to_owned()
}

/// Files as they are named, and those of folders by their names, in order.
pub(super) fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>> {
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

pub(super) fn shown(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
}
