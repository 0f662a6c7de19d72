//! The files of the input.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Error, Result};
use oomph_core::diagnosis::GapReport;
use oomph_core::lint::Source;
use oomph_core::lint::image::masked;
use oomph_core::lint::tree::is_dockerfile_name;

use super::layout;

/// A file as it is, an image as the inspection of it; and what of an image could not be read.
pub(super) fn source(path: &Path) -> Result<(Source, Vec<GapReport>)> {
    let is_stdin = path == Path::new("-");
    let shown = name(path);
    if !is_stdin {
        if path.is_dir() {
            return Ok(layout::of_folder(path, &shown));
        }
        if begins_archive(path) {
            return layout::of_file(path, &shown);
        }
    }
    let bytes = if is_stdin {
        let mut bytes = Vec::new();
        std::io::stdin().lock().read_to_end(&mut bytes).context("cannot read stdin")?;
        bytes
    } else {
        std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?
    };
    if layout::is_archive(&bytes) {
        return layout::of_bytes(bytes, &shown);
    }
    // A byte that is no UTF-8 stands as a replacement character: the rest of the file is read all the same.
    let text = String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
    let text = masked(&text).unwrap_or(text);
    Ok((Source { name: shown, text }, Vec::new()))
}

/// A large file is not read to tell that it is no manifest.
fn begins_archive(path: &Path) -> bool {
    let mut begin = Vec::new();
    let read = File::open(path).and_then(|file| file.take(512).read_to_end(&mut begin));
    read.is_ok() && layout::is_archive(&begin)
}

/// What findings call a file.
pub(super) fn name(path: &Path) -> String {
    if path == Path::new("-") {
        return "<stdin>".to_owned();
    }
    path.display().to_string().trim_start_matches("./").to_owned()
}

/// What there is to read.
#[derive(Debug, Default)]
pub(super) struct Files {
    /// Files as they are named, and those of folders by their names, in order.
    pub paths: Vec<PathBuf>,
    /// Paths that cannot be read, each with the reason: they hide nothing of the others.
    pub unread: Vec<Error>,
}

/// A path that cannot be read, as it is reported beside what is found in the others.
pub(super) fn gap(error: &Error) -> GapReport {
    let text = format!("{error:#}");
    let (what, because) = text.split_once(": ").unwrap_or(("the input", &text));
    GapReport { what: what.to_owned(), because: because.to_owned(), command: String::new() }
}

pub(super) fn files(paths: &[PathBuf]) -> Files {
    let mut files = Files::default();
    for path in paths {
        if path == Path::new("-") {
            files.paths.push(path.clone());
            continue;
        }
        let metadata = std::fs::metadata(path).with_context(|| format!("cannot read {}", path.display()));
        match metadata {
            Err(error) => files.unread.push(error),
            Ok(metadata) if metadata.is_dir() && !layout::is_layout(path) => {
                let from = files.paths.len();
                walk(path, &mut files);
                files.paths[from..].sort();
            }
            Ok(_) => files.paths.push(path.clone()),
        }
    }
    files
}

/// Hidden folders and links to folders are not entered.
fn walk(folder: &Path, files: &mut Files) {
    let unread = || format!("cannot read {}", folder.display());
    let entries = match std::fs::read_dir(folder).with_context(unread) {
        Ok(entries) => entries,
        Err(error) => {
            files.unread.push(error);
            return;
        }
    };
    for entry in entries {
        let entry = entry.and_then(|entry| Ok((entry.path(), entry.file_type()?, entry.file_name())));
        let (path, kind, name) = match entry.with_context(unread) {
            Ok(entry) => entry,
            Err(error) => {
                files.unread.push(error);
                continue;
            }
        };
        let hidden = name.as_encoded_bytes().starts_with(b".");
        if kind.is_dir() && !hidden {
            if layout::is_layout(&path) {
                files.paths.push(path);
            } else {
                walk(&path, files);
            }
        } else if !kind.is_dir() && !hidden && is_input(&path) {
            files.paths.push(path);
        }
    }
}

/// A manifest, or an archive with images: others of the name hold anything.
fn is_input(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or("");
    if extension.eq_ignore_ascii_case("tar") {
        return layout::holds_images(path);
    }
    ["yaml", "yml", "json"].iter().any(|known| extension.eq_ignore_ascii_case(known))
        || path.file_name().and_then(|name| name.to_str()).is_some_and(is_dockerfile_name)
}

pub(super) fn shown(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
}
