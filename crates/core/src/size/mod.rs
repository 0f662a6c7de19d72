//! From a memory history to the request, the limit and the flags: what `oomph size` decides.

pub mod backtest;
pub mod history;
pub mod policy;
pub mod trace;

pub use history::{History, Kill, MISSING, Subject};
