//! A suppression that does not say why. It is found where suppressions are applied.

use super::{Level, Rule};

/// Its name.
pub(in crate::lint) const ID: &str = "suppression-without-reason";

pub(super) const RULE: Rule =
    Rule { id: ID, level: Level::Warning, page: include_str!("pages/suppression-without-reason.md"), judges: &[] };
