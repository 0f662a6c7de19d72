//! A suppression that suppresses nothing. It is found where suppressions are applied.

use super::{Level, Rule};

/// Its name.
pub(in crate::lint) const ID: &str = "suppression-unused";

pub(super) const RULE: Rule =
    Rule { id: ID, level: Level::Warning, page: include_str!("pages/suppression-unused.md"), judges: &[] };
