//! Mending files, or showing how they would be mended.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use oomph_core::lint::fix::fixed;
use oomph_core::lint::{Document, Source};
use similar::TextDiff;

use crate::ui::Ui;

/// Applies the safe fixes to the files and to `sources`, and says whether any was.
pub(super) fn mend(document: &Document, sources: &mut [Source], paths: &[PathBuf], ui: Ui) -> Result<bool> {
    let mut any = false;
    for (number, (source, path)) in sources.iter_mut().zip(paths).enumerate() {
        let (text, applied) = fixed(document, number, &source.text, false);
        if applied == 0 {
            continue;
        }
        if path == Path::new("-") {
            bail!("stdin cannot be mended in place: --fix=suggest prints the changes as a patch");
        }
        // A file that is not UTF-8 was read with replacement characters, which must not be written back.
        let before = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        if before != source.text.as_bytes() {
            ui.note(format_args!("{} is not UTF-8 or changed meanwhile: it is left as it is", path.display()));
            continue;
        }
        std::fs::write(path, &text).with_context(|| format!("cannot write {}", path.display()))?;
        ui.note(format_args!("{}: {applied} mended", source.name));
        source.text = text;
        any = true;
    }
    Ok(any)
}

/// Every change that is known, as a patch for `patch -p1` or `git apply`.
pub(super) fn patch(document: &Document, sources: &[Source]) -> String {
    let mut out = String::new();
    for (number, source) in sources.iter().enumerate() {
        let (text, applied) = fixed(document, number, &source.text, true);
        if applied > 0 {
            let diff = TextDiff::from_lines(source.text.as_str(), text.as_str());
            let (from, to) = (format!("a/{}", source.name), format!("b/{}", source.name));
            out.push_str(&diff.unified_diff().header(&from, &to).to_string());
        }
    }
    out
}
