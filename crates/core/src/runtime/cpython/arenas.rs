//! Arenas, from the interpreter's own array of them. A pointer to the array stands somewhere in CPython's variables; it
//! is the one whose array agrees with the pools that were found.

use super::image;
use super::layout::{ARENA_OBJECT, ARENA_OBJECTS_MIN, Layout};
use super::pools::Pool;
use crate::process::Mapping;
use crate::runtime::Target;

/// Arenas that an array may have: 16 TiB of them.
const ARENAS_MAX: u32 = 1 << 24;

/// What an `arena_object` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Arena {
    /// Its number.
    pub number: usize,
    /// Its first address.
    pub address: u64,
    /// The pool that is to be used for the first time next.
    pub next_pool: u64,
    /// Pools with no block in use, never used ones included.
    pub free_pools: u32,
    /// All of its pools.
    pub pools: u32,
}

/// The arenas in use; `None` where no pointer leads to them.
pub(super) fn all(target: &Target<'_>, layout: &Layout, image: &Mapping, pools: &[Pool]) -> Option<Vec<Arena>> {
    // The pool of the highest number: it is in the array's last used entry, and few other things are there.
    let probe = pools.iter().filter(|pool| pool.arena < ARENAS_MAX).max_by_key(|pool| pool.arena)?;
    let entry = u64::from(probe.arena) * ARENA_OBJECT as u64;
    let mut pointers: Vec<u64> = image::variables(target, image)
        .iter()
        .flat_map(|bytes| bytes.as_chunks::<8>().0.iter().map(|word| u64::from_le_bytes(*word)))
        .collect();
    let writable = |address: u64| target.mapping_at(address).is_some_and(|mapping| mapping.writable);
    pointers.retain(|pointer| *pointer != 0 && pointer.is_multiple_of(16));
    pointers.sort_unstable();
    pointers.dedup();
    pointers.retain(|pointer| writable(*pointer));
    let entries: Vec<u64> = pointers.iter().map(|pointer| pointer.saturating_add(entry)).collect();
    let mut addresses = Vec::new();
    let there = target.memory.gather(&entries, 8, &mut addresses);
    let found = pointers.iter().zip(addresses.chunks_exact(8)).zip(there).filter(|((_, address), there)| {
        let address = address.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
        *there
            && address.is_multiple_of(target.page)
            && (address..address.saturating_add(layout.arena)).contains(&probe.address)
    });
    let mut arrays = found.filter_map(|((pointer, _), _)| array(target, layout, *pointer, probe.arena));
    arrays.find(|arenas| agree(layout, arenas, pools))
}

fn array(target: &Target<'_>, layout: &Layout, at: u64, number_max: u32) -> Option<Vec<Arena>> {
    let count = (u64::from(number_max) + 1).next_power_of_two().max(ARENA_OBJECTS_MIN);
    let bytes = target.memory.bytes(at, usize::try_from(count).ok()?.checked_mul(ARENA_OBJECT)?)?;
    let entries = bytes.as_chunks::<ARENA_OBJECT>().0.iter().enumerate();
    let arena = |(number, entry): (usize, &[u8; ARENA_OBJECT])| {
        let word = |at: usize| entry[at..].first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
        let half = |at: usize| entry[at..].first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes));
        Arena { number, address: word(0), next_pool: word(8), free_pools: half(16), pools: half(20) }
    };
    let arenas: Vec<Arena> = entries.map(arena).filter(|arena| arena.address != 0).collect();
    let fits = arenas.iter().all(|arena| {
        let end = arena.address.saturating_add(layout.arena);
        let pools = (layout.arena / layout.pool).saturating_sub(u64::from(!arena.address.is_multiple_of(layout.pool)));
        arena.address.is_multiple_of(target.page)
            && arena.next_pool.is_multiple_of(layout.pool)
            && arena.address <= arena.next_pool
            && arena.next_pool <= end
            && u64::from(arena.pools) == pools
            && arena.free_pools <= arena.pools
    });
    fits.then_some(arenas)
}

/// Nearly every pool lies in the arena that it names; a process that runs may have changed some meanwhile.
fn agree(layout: &Layout, arenas: &[Arena], pools: &[Pool]) -> bool {
    let apart = pools.iter().filter(|pool| holder(layout, arenas, pool).is_none()).count();
    apart <= pools.len() / 2
}

/// The arena of a pool.
pub(super) fn holder<'a>(layout: &Layout, arenas: &'a [Arena], pool: &Pool) -> Option<&'a Arena> {
    let number = usize::try_from(pool.arena).ok()?;
    let at = arenas.binary_search_by_key(&number, |arena| arena.number).ok()?;
    let arena = &arenas[at];
    (arena.address..arena.address + layout.arena).contains(&pool.address).then_some(arena)
}
