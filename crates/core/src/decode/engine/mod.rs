//! What Docker and Podman say: inspect documents and events.

mod container;
mod event;
mod signal;

pub(super) use container::inspect;
pub(super) use event::events;
