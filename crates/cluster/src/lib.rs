//! What remote sources say: they fetch bytes, never judge them.
#![forbid(unsafe_code)]

mod captured;
pub mod docker;
pub mod kube;

pub use captured::{Captured, ReadStatus, SourceStatus};
