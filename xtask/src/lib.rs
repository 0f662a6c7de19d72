//! The project's own tasks, as a library so that ordinary tests can run the checks.
#![allow(clippy::print_stderr, reason = "tasks speak on standard error")]

use std::path::PathBuf;

pub mod accuracy;
pub mod dist;
pub mod fuzz;
pub mod generate;
pub mod house;
pub mod test;

/// The repository's root.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).parent().expect("the task runner lies in the workspace").to_path_buf()
}

/// Says something to the person at the terminal.
pub fn say(text: &str) {
    eprintln!("{text}");
}
