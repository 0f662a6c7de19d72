//! A Prometheus-compatible server: Prometheus, Thanos, Mimir, VictoriaMetrics, by its HTTP API.
//!
//! Requests go through kube's client, which brings TLS, tokens, compression and the URL's path prefix.

mod address;
mod ask;
mod read;
mod refusal;

pub use address::{Address, NoServer};
pub use ask::Server;
pub use read::{Progress, Read, plan, read};
