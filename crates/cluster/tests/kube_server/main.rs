//! What a real API server cannot be made to do on demand: lists that expire midway, answers that never come, refusals
//! of chosen paths, thousands of pods, watches that break. A server of our own on loopback speaks the wire format.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "tests print their figures, and their scaffolding may fail"
)]

mod autoscalers;
mod connection;
mod lists;
mod manifests;
mod nodes;
mod selection;
mod server;
mod watch;
