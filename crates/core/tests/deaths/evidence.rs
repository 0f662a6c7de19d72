//! Small evidence that many tests are about: one pod, web in shop, with one container, app.

use oomph_core::artifact::Artifact;
use oomph_core::diagnosis::Diagnosis;
use oomph_core::why::{Ask, why};
use serde_json::{Value, json};

/// The container's id.
pub(crate) const ID: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
/// That of the life before.
pub(crate) const EARLIER: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
/// The pod's uid.
pub(crate) const UID: &str = "11111111-2222-3333-4444-555555555555";

/// Objects as kubectl prints a list of them.
pub(crate) fn objects(items: &[Value]) -> Artifact {
    Artifact::new("objects.json", json!({"apiVersion": "v1", "items": items, "kind": "List"}).to_string())
}

/// A kernel's log.
pub(crate) fn log(text: impl Into<String>) -> Artifact {
    Artifact::new("kern.log", text.into())
}

/// Every diagnosis of the evidence.
pub(crate) fn explain(artifacts: &[Artifact]) -> Vec<Diagnosis> {
    why(artifacts, Vec::new(), Vec::new(), &Ask::default()).diagnoses
}

/// The only one.
#[track_caller]
pub(crate) fn only(artifacts: &[Artifact]) -> Diagnosis {
    let mut all = explain(artifacts);
    assert_eq!(all.len(), 1, "{:?}", all.iter().map(|it| (it.verdict, &it.summary)).collect::<Vec<_>>());
    all.remove(0)
}
