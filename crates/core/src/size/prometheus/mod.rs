//! Memory histories from a Prometheus-compatible server: what to ask, how it is split, and what the answers mean.
//!
//! The bytes come from elsewhere; here are the queries, their plan, the decoder and the assembly.

mod answer;
mod assemble;
mod kills;
mod plan;
mod query;

pub use answer::{Answer, Series};
pub use assemble::{Assembly, Histories};
pub use plan::{Plan, Size, Slice};
pub use query::{Range, Signal};
