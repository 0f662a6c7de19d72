//! Where the charged memory of a cgroup went: the kernel's counters and the pages of the processes, as one list of
//! parts that adds up to the kernel's own number.

use std::collections::BTreeMap;

use crate::diagnosis::GapReport;
use crate::fact::Gap;

mod charge;
mod descriptors;
mod document;
pub mod inside;
mod kernel;
mod measure;
mod moment;
mod pages;
mod part;
mod views;
mod zgc;

pub use charge::{Charge, Version};
pub use document::{
    DescriptorTable, Document, Events, Flag, Growth, Heap, LevelLimit, Outside, Part, Pressure, Process, Runtime,
    SCHEMA, Source, Subject, Told, ToldAmount, View, Waterfall, schema,
};
pub use measure::{Level, Measured, Seen, measure};
pub use moment::{Moment, charged_ahead};
pub use part::PartKind;

/// The document of some waterfalls: the one with the least headroom first, those without a limit last by size.
pub fn document(mut waterfalls: Vec<Waterfall>, gaps: &[Gap]) -> Document {
    waterfalls.sort_by_key(|it| (it.headroom_bytes.is_none(), it.headroom_bytes, std::cmp::Reverse(it.charged_bytes)));
    Document { schema: SCHEMA, waterfalls, gaps: gaps.iter().cloned().map(GapReport::from).collect() }
}

/// What changed from one waterfall of a cgroup to a later one, the largest change first.
pub fn grown(before: &Waterfall, later: &Waterfall) -> Vec<Growth> {
    let mut changes: BTreeMap<(PartKind, &str, Option<u32>), i64> = BTreeMap::new();
    let signed = |part: &Part| i64::try_from(part.bytes.0).unwrap_or(i64::MAX);
    for part in &later.parts {
        *changes.entry((part.kind, &part.name, part.pid)).or_default() += signed(part);
    }
    for part in &before.parts {
        *changes.entry((part.kind, &part.name, part.pid)).or_default() -= signed(part);
    }
    let mut grown: Vec<Growth> = changes
        .into_iter()
        .filter(|(_, bytes)| *bytes != 0)
        .map(|((kind, name, pid), bytes)| Growth { kind, name: name.to_owned(), pid, bytes })
        .collect();
    grown.sort_by_key(|growth| std::cmp::Reverse(growth.bytes.unsigned_abs()));
    grown
}
