//! What Docker and Podman say: inspect documents and events.

mod container;
mod event;

pub(super) use container::inspect;
pub(super) use event::events;
