//! Which addresses are V8's, by space and kind of isolate.

use std::collections::BTreeMap;

use super::layout::Layout;
use super::page::Page;
use super::rank;
use crate::runtime::{Area, Memory, Reading};
use crate::waterfall::PartKind;

/// Adds every page.
pub(super) fn fill(reading: &mut Reading, memory: &dyn Memory, pages: &[Page], layout: &Layout, main: Option<u64>) {
    let mut ids: BTreeMap<u64, Option<usize>> = BTreeMap::new();
    for page in pages {
        let id = *ids.entry(page.owner).or_insert_with(|| id_of(memory, page));
        let space = id.and_then(|id| layout.spaces.get(id));
        let (part, name) = match space {
            _ if page.heap == 0 => (PartKind::V8Heap, "read-only space"),
            Some(space) => (space.part(), space.names[rank(page.heap, main)]),
            None => (PartKind::V8Heap, "pages kept for reuse"),
        };
        reading.areas.push(Area { at: page.at..page.at.saturating_add(page.size), part, name });
    }
}

/// The id of the space that owns a page, if it is there and names the same heap.
fn id_of(memory: &dyn Memory, page: &Page) -> Option<usize> {
    let owned = memory.u64(page.owner.checked_add(8)?)? == page.heap;
    let id = memory.u32(page.owner.checked_add(16)?)?;
    if owned { usize::try_from(id).ok() } else { None }
}
