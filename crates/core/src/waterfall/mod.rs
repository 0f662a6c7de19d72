//! Where the charged memory of a cgroup went: the kernel's counters and the pages of the processes, as one list of
//! parts that adds up to the kernel's own number.

mod charge;
mod document;
mod measure;
mod pages;
mod part;
mod views;

pub use charge::{Charge, Version};
pub use document::{
    Document, Events, Flag, Heap, LevelLimit, Outside, Part, Pressure, Process, Runtime, SCHEMA, Source, Subject, View,
    Waterfall, schema,
};
pub use measure::{Level, Measured, Seen, measure};
pub use part::PartKind;
