//! A Prometheus-compatible server: Prometheus, Thanos, Mimir, VictoriaMetrics, by its HTTP API.
//!
//! Requests go through kube's client, which brings TLS, tokens, proxies, compression and the URL's path prefix.

mod ask;
mod read;

pub use ask::{Address, NoServer, Server};
pub use read::{Progress, Read, plan, read};
