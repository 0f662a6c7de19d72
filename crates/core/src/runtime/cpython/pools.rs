//! Pools, recognised by their headers at every boundary where one may begin.

use super::layout::{BLOCK, CLASSES, Layout, POOL_HEADER};
use crate::process::{Backing, Mapping};
use crate::runtime::Target;

/// Headers read in one call.
const HEADERS: usize = 4096;

/// What a pool's header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pool {
    /// Where it begins.
    pub address: u64,
    /// The number of its arena.
    pub arena: u32,
    /// Blocks in use.
    pub blocks: u32,
    /// The size of each.
    pub size: u64,
}

/// All pools whose header is in memory, by address.
pub(super) fn all(target: &Target<'_>, layout: &Layout) -> Vec<Pool> {
    let mut pools = Vec::new();
    let mut places = Vec::with_capacity(HEADERS);
    let mut headers = Vec::new();
    let mut read = |places: &mut Vec<u64>| {
        let there = target.memory.gather(places, POOL_HEADER, &mut headers);
        let found = places.iter().zip(headers.chunks_exact(POOL_HEADER)).zip(there);
        pools.extend(found.filter_map(|((at, header), there)| there.then(|| pool(*at, header, layout))?));
        places.clear();
    };
    for mapping in target.mappings.iter().filter(|mapping| may_hold(mapping)) {
        for run in target.residency.within(mapping.start..mapping.end) {
            let mut at = run.at.start.next_multiple_of(layout.pool);
            while at < run.at.end {
                places.push(at);
                if places.len() == HEADERS {
                    read(&mut places);
                }
                at += layout.pool;
            }
        }
    }
    read(&mut places);
    pools
}

fn may_hold(mapping: &Mapping) -> bool {
    let named = !mapping.name.is_empty() && !mapping.name.starts_with("[anon:");
    mapping.backing() == Backing::Anonymous && mapping.readable && mapping.writable && !mapping.shared && !named
}

/// A header that is one in all its fields.
fn pool(address: u64, header: &[u8], layout: &Layout) -> Option<Pool> {
    let half = |at: usize| Some(u32::from_le_bytes(header.get(at..)?.first_chunk::<4>().copied()?));
    let word = |at: usize| Some(u64::from_le_bytes(header.get(at..)?.first_chunk::<8>().copied()?));
    let (blocks, free, arena, class) = (half(0)?, word(8)?, half(32)?, half(36)?);
    let (next, next_max) = (u64::from(half(40)?), u64::from(half(44)?));
    let overhead = POOL_HEADER as u64;
    (class < CLASSES).then_some(())?;
    let size = (u64::from(class) + 1) * BLOCK;
    let inside = |at: u64| at > address && at < address + layout.pool;
    let is = next_max == layout.pool - size
        && u64::from(blocks) <= (layout.pool - overhead) / size
        && (overhead..=layout.pool + u64::from(CLASSES) * BLOCK).contains(&next)
        && (next - overhead).is_multiple_of(size)
        && (free == 0 || inside(free));
    is.then_some(Pool { address, arena, blocks, size })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::cpython::layout;

    fn header(fields: [u32; 12]) -> Vec<u8> {
        fields.iter().flat_map(|field| field.to_le_bytes()).collect()
    }

    #[test]
    fn a_header_counts_only_when_all_of_it_fits() {
        let layout = layout::of(12).unwrap();
        // 100 blocks of 64 bytes, in arena 3; the next that was never used is the 101st.
        let fields = [100, 0, 0x1_0040, 0, 0, 0, 0, 0, 3, 3, 48 + 64 * 100, (16 << 10) - 64];
        let found = pool(0x1_0000, &header(fields), layout);
        assert_eq!(found, Some(Pool { address: 0x1_0000, arena: 3, blocks: 100, size: 64 }));
        for (field, value) in [(0, 256), (2, 0x4_0000), (9, 32), (9, 4), (10, 49), (11, 16 << 10)] {
            let mut broken = fields;
            broken[field] = value;
            assert_eq!(pool(0x1_0000, &header(broken), layout), None, "field {field} = {value}");
        }
        assert_eq!(pool(0, &[0; POOL_HEADER], layout), None);
    }
}
