//! The judgement of oomph, without any I/O: bytes in, a verdict out.
//!
//! ```text
//! Artifact ─ decode ─▶ Fact*, Gap*, Coverage* ─ case::assemble ─▶ Case* ─ diagnose ─▶ Diagnosis ─ report ─▶ text, JSON, markdown
//! ```
//!
//! Nothing here fails: what cannot be read becomes a [`fact::Gap`], and what cannot be known is `None`.
#![forbid(unsafe_code)]

/// The image that `cargo xtask dist` writes and that messages name: it becomes a real one where somebody serves it.
pub const IMAGE: &str = concat!("oomph:", env!("CARGO_PKG_VERSION"));

pub mod artifact;
mod ask;
pub mod budget;
mod calibrate;
pub mod case;
pub mod cause;
pub mod cgroup_path;
pub mod decode;
pub mod diagnose;
pub mod diagnosis;
mod digits;
pub mod explain;
pub mod fact;
pub mod growth;
pub mod kubelet;
pub mod lint;
pub mod memory_flags;
pub mod naming;
pub mod process;
pub mod recording;
pub mod report;
pub mod run;
pub mod runtime;
mod signal;
pub mod size;
pub mod units;
pub mod waterfall;
pub mod why;
