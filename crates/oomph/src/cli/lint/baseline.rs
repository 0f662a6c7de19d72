//! What was found before, and is known: an earlier result as a baseline.

use std::collections::HashSet;
use std::path::Path;

use anyhow::{Context as _, Result};
use oomph_core::lint::Document;

/// Takes away the findings of an earlier document, by their fingerprints.
pub(super) fn subtract(document: &mut Document, path: &Path) -> Result<()> {
    let shown = path.display();
    let bytes = std::fs::read(path).with_context(|| format!("cannot read the baseline {shown}"))?;
    let earlier: Document = serde_json::from_slice(&bytes).with_context(|| {
        format!("{shown} is no result of oomph lint -o json; make one with oomph lint -o json > {shown}")
    })?;
    let known: HashSet<String> = earlier.findings.into_iter().map(|finding| finding.fingerprint).collect();
    let before = document.findings.len();
    document.findings.retain(|finding| !known.contains(&finding.fingerprint));
    document.checked.suppressed += before - document.findings.len();
    Ok(())
}
