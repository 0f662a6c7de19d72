//! The rules of the house, as ordinary tests.
#![allow(clippy::print_stdout, reason = "tests print their figures")]

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
fn long_files_are_reported() {
    println!("{}", house::size_report().unwrap());
}

#[test]
fn generated_files_are_fresh() {
    let stale = generate::stale().unwrap();
    assert!(stale.is_empty(), "stale: {stale:?}; run: cargo xtask gen");
}
