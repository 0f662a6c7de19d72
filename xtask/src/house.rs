//! The rules of the house that no compiler checks: who may import whom, where unsafe code and writing to a cluster stand,
//! file sizes, formatting, fuzz targets.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::root;

/// Which crates of ours each crate may depend on.
const MAY_IMPORT: [(&str, &[&str]); 5] = [
    ("oomph-core", &[]),
    ("oomph-node", &["oomph-core"]),
    ("oomph-cluster", &["oomph-core"]),
    ("oomph", &["oomph-core", "oomph-node", "oomph-cluster"]),
    ("xtask", &["oomph-core", "oomph-cluster", "oomph"]),
];

/// Lines from which on a file needs a reason.
const LONG: usize = 400;

/// Files that are longer, each with its reason.
const MAY_BE_LONG: [(&str, &str); 2] = [
    ("crates/core/tests/lint_queries.rs", "a table of queries, with what is true of each"),
    ("crates/core/tests/texts/fragments.rs", "a table of texts as people paste them"),
];

/// The one file that writes to a cluster.
const WRITES: &str = "crates/cluster/src/kube/apply.rs";

/// Other files with requests that would write if they went elsewhere, each with its reason.
const MAY_SEND: [(&str, &str); 1] =
    [("crates/cluster/src/prometheus/ask.rs", "a query is posted: it may be longer than an address")];

/// What stands in code that writes through an API: the verbs of requests, and the parameters that the client's own
/// writing functions ask for.
const WRITING: [&str; 16] = [
    "Request::post(",
    "Request::put(",
    "Request::patch(",
    "Request::delete(",
    "Method::POST",
    "Method::PUT",
    "Method::PATCH",
    "Method::DELETE",
    "\"POST",
    "\"PUT ",
    "\"PATCH",
    "\"DELETE ",
    "PostParams",
    "PatchParams",
    "DeleteParams",
    "EvictParams",
];

/// Every breach of the import rules, as sentences.
pub fn forbidden_imports() -> Result<Vec<String>> {
    let output = std::process::Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--format-version", "1", "--offline"])
        .current_dir(root())
        .output()
        .context("cannot run cargo metadata")?;
    let metadata: Value = serde_json::from_slice(&output.stdout).context("cargo metadata printed no JSON")?;
    let mut breaches = Vec::new();
    for package in metadata["packages"].as_array().into_iter().flatten() {
        let name = package["name"].as_str().unwrap_or_default();
        let allowed = MAY_IMPORT.iter().find(|(known, _)| *known == name).map(|(_, allowed)| *allowed);
        let Some(allowed) = allowed else {
            breaches.push(format!("crate {name} has no line in the table of imports"));
            continue;
        };
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let other = dependency["name"].as_str().unwrap_or_default();
            let ours = MAY_IMPORT.iter().any(|(known, _)| *known == other);
            if ours && !allowed.contains(&other) && other != name {
                breaches.push(format!("{name} imports {other}"));
            }
        }
    }
    Ok(breaches)
}

/// Tables whose entries are one file each: where they are declared, and by which macro.
const TABLES: [(&str, &str); 2] =
    [("crates/core/src/lint/rules/mod.rs", "rules!"), ("crates/core/src/cause/mod.rs", "causes!")];

/// Entries of a table that import one of its entries, as sentences: what two of them share stands beside the table, so
/// that each can be read, changed and removed alone.
pub fn entangled_entries() -> Result<Vec<String>> {
    let mut breaches = Vec::new();
    for (table, by) in TABLES {
        let table = root().join(table);
        let text = fs::read_to_string(&table)?;
        let list = text.split(&format!("\n{by} {{")).nth(1).and_then(|rest| rest.split('}').next());
        let list = list.with_context(|| format!("{} declares nothing by {by}", table.display()))?;
        let entries: Vec<&str> = words(list).collect();
        for path in rust_files(table.parent().context("a file lies in a folder")?)? {
            let file = path.file_stem().unwrap_or_default().to_string_lossy();
            let text = fs::read_to_string(&path)?;
            for entry in entries.iter().filter(|entry| path != table && **entry != file && imports(&text, entry)) {
                breaches.push(format!("{file} imports {entry}"));
            }
        }
    }
    Ok(breaches)
}

/// A file names a module beside it: `super::NAME`, alone or in braces.
fn imports(text: &str, name: &str) -> bool {
    text.split("super::").skip(1).any(|rest| match rest.strip_prefix('{') {
        Some(list) => words(list.split(';').next().unwrap_or_default()).any(|word| word == name),
        None => words(rest).next() == Some(name),
    })
}

/// Words as Rust has them.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').filter(|word| !word.is_empty())
}

/// Hand-written Rust files with their line counts, longest first.
pub fn sizes() -> Result<Vec<(PathBuf, usize)>> {
    let mut sizes = Vec::new();
    for path in rust_files(&root().join("crates"))?.into_iter().chain(rust_files(&root().join("xtask"))?) {
        let lines = fs::read_to_string(&path)?.lines().count();
        sizes.push((path, lines));
    }
    sizes.sort_by_key(|(_, lines)| std::cmp::Reverse(*lines));
    Ok(sizes)
}

/// What is wrong with the sizes of files: one that is too long without a reason, and a reason that nothing needs.
pub fn too_long() -> Result<Vec<String>> {
    let long: Vec<(PathBuf, usize)> = sizes()?.into_iter().filter(|(_, lines)| *lines > LONG).collect();
    let is = |path: &Path, known: &str| path == root().join(known);
    let unexplained = long
        .iter()
        .filter(|(path, _)| !MAY_BE_LONG.iter().any(|(known, _)| is(path, known)))
        .map(|(path, lines)| format!("{} has {lines} lines", path.display()));
    let needless = MAY_BE_LONG
        .iter()
        .filter(|(known, _)| !long.iter().any(|(path, _)| is(path, known)))
        .map(|(known, _)| format!("{known} needs no reason any more"));
    Ok(unexplained.chain(needless).collect())
}

/// Files outside the one allowed module that hold the word `unsafe` as code.
pub fn unsafe_files() -> Result<Vec<PathBuf>> {
    let is_allowed = |path: &Path| path.ends_with("crates/node/src/sys.rs");
    with_code(&["crates"], &["unsafe {", "unsafe fn", "unsafe impl"], is_allowed)
}

/// Files of the program outside the one allowed module that could write to a cluster.
pub fn writing_files() -> Result<Vec<PathBuf>> {
    let is_allowed = |path: &Path| path.ends_with(WRITES) || MAY_SEND.iter().any(|(known, _)| path.ends_with(known));
    with_code(&["crates/cluster/src", "crates/node/src", "crates/oomph/src"], &WRITING, is_allowed)
}

/// Files of these folders whose code holds one of the words, but for those that are allowed to.
fn with_code(folders: &[&str], words: &[&str], is_allowed: impl Fn(&Path) -> bool) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for folder in folders {
        for path in rust_files(&root().join(folder))? {
            let text = fs::read_to_string(&path)?;
            let mut code = text.lines().map(str::trim_start).filter(|line| !line.starts_with("//"));
            if code.any(|line| words.iter().any(|word| line.contains(word))) && !is_allowed(&path) {
                found.push(path);
            }
        }
    }
    Ok(found)
}

/// Files that rustfmt would change. Each is named to it: what a macro declares as a module, as the table of causes does,
/// `cargo fmt` never sees.
pub fn unformatted() -> Result<Vec<PathBuf>> {
    let mut files = rust_files(&root().join("crates"))?;
    files.extend(rust_files(&root().join("xtask"))?);
    files.extend(rust_files(&root().join("fuzz/fuzz_targets"))?);
    let output = std::process::Command::new("rustfmt")
        .args(["--check", "--files-with-diff", "--edition", "2024"])
        .args(&files)
        .current_dir(root())
        .output()
        .context("cannot run rustfmt; add it with: rustup component add rustfmt")?;
    let names = String::from_utf8_lossy(&output.stdout);
    let mut found: Vec<PathBuf> = names.lines().map(PathBuf::from).collect();
    found.sort();
    found.dedup();
    Ok(found)
}

/// Kinds of artifacts, by the table of decoders, that no fuzz target decodes.
pub fn kinds_without_target() -> Result<Vec<String>> {
    let mut targets = String::new();
    for path in rust_files(&root().join("fuzz/fuzz_targets"))? {
        targets.push_str(&fs::read_to_string(path)?);
    }
    let table = fs::read_to_string(root().join("crates/core/src/decode/mod.rs"))?;
    let row = |line: &str| Some(line.trim().strip_prefix("Kind::")?.split_once(" => ")?.0.to_owned());
    let kinds: Vec<String> = table.lines().filter_map(row).collect();
    ensure!(!kinds.is_empty(), "the table of decoders was not found in crates/core/src/decode/mod.rs");
    Ok(kinds.into_iter().filter(|kind| !targets.contains(&format!("Kind::{kind},"))).collect())
}

fn rust_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(rust_files(&path)?);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            files.push(path);
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_import_is_seen_alone_and_in_braces() {
        for text in
            ["use super::kill::of;", "use super::{\n    Cause, kill::{self, Kill},\n};", "let it = super::kill(1);"]
        {
            assert!(imports(text, "kill"), "{text}");
        }
        for text in ["use super::killing;", "use super::{Cause, killing};\nmod kill;", "super::rule!(kill)"] {
            assert!(!imports(text, "kill"), "{text}");
        }
    }
}
