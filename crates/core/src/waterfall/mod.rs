//! Where the charged memory of a cgroup went.

mod document;
mod part;

pub use document::{
    Document, Events, Flag, Heap, LevelLimit, Outside, Part, Pressure, Process, Runtime, SCHEMA, Source, Subject, View,
    Waterfall, schema,
};
pub use part::PartKind;
