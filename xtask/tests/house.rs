//! The rules of the house, as ordinary tests.

use xtask::{generate, house};

#[test]
fn crates_import_only_what_they_may() {
    assert_eq!(house::forbidden_imports().unwrap(), Vec::<String>::new());
}

#[test]
fn no_rule_and_no_cause_imports_another() {
    assert_eq!(house::entangled_entries().unwrap(), Vec::<String>::new());
}

#[test]
fn unsafe_code_stands_in_one_module() {
    assert_eq!(house::unsafe_files().unwrap(), Vec::<std::path::PathBuf>::new());
}

#[test]
fn every_file_is_formatted() {
    let unformatted = house::unformatted().unwrap();
    assert!(unformatted.is_empty(), "run rustfmt --edition 2024 on: {unformatted:?}");
}

#[test]
fn one_module_writes_to_a_cluster() {
    assert_eq!(house::writing_files().unwrap(), Vec::<std::path::PathBuf>::new());
}

#[test]
fn every_file_over_400_lines_has_a_reason() {
    assert_eq!(house::too_long().unwrap(), Vec::<String>::new());
}

#[test]
fn every_kind_of_artifact_has_a_fuzz_target() {
    assert_eq!(house::kinds_without_target().unwrap(), Vec::<String>::new());
}

#[test]
fn generated_files_are_fresh() {
    let stale = generate::stale().unwrap();
    assert!(stale.is_empty(), "stale: {stale:?}; run: cargo xtask gen");
}
