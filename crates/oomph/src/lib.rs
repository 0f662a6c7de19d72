//! The command line of oomph: it finds evidence, hands it to `oomph-core`, and prints the answer.
//!
//! One module prints ([`ui`]); everything else returns values. Each subcommand is a file in [`cli`], each source of
//! evidence a file in `sources`.
#![forbid(unsafe_code)]

pub mod cli;
mod files;
mod sources;
pub mod trace;
pub mod ui;

/// The image that `cargo xtask dist` writes and that messages name: it becomes a real one where somebody serves it.
pub const IMAGE: &str = concat!("oomph:", env!("CARGO_PKG_VERSION"));
