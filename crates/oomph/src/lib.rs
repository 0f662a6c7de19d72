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

pub use oomph_core::IMAGE;
