//! From a memory history to the request, the limit and the flags: what `oomph size` decides.

pub mod censor;
pub mod document;
pub mod history;
pub mod observed;
pub mod replay;
pub mod risk;
pub mod workload;

pub use document::{Document, SCHEMA, Setting, Sizing, schema};
pub use history::{History, Kill, MISSING, Subject};
pub use workload::{Workload, workloads};
