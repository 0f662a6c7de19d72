//! From a memory history to the request, the limit and the flags: what `oomph size` decides.

mod advice;
pub mod autoscaler;
pub mod backtest;
pub mod censor;
pub mod curve;
pub mod days;
pub mod document;
mod enough;
mod flags;
pub mod history;
pub mod judged;
pub mod limit;
mod modelled;
pub mod observed;
pub mod policy;
pub mod prometheus;
pub(crate) mod rank;
pub mod recorded;
pub mod replay;
pub mod risk;
pub mod runs;
mod sizing;
pub mod trace;
pub mod usage;
pub mod vpa;
pub mod wishes;
pub mod workload;

pub use advice::time;
pub use curve::{Curve, curve};
pub use document::{Document, SCHEMA, Setting, Sizing, schema};
pub use history::{History, Kill, MISSING, STEP, Subject};
pub use recorded::Recorded;
pub use sizing::{size, size_one};
pub use wishes::{Qos, Wishes};
pub use workload::{Workload, workloads};
