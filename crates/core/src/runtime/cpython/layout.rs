//! Sizes and offsets of CPython's object allocator (Objects/obmalloc.c; Include/internal/pycore_obmalloc.h since 3.12),
//! on 64-bit machines.

/// How pymalloc divides memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Layout {
    /// The first and the last release (of 3.x) that has it.
    pub releases: (u32, u32),
    /// `POOL_SIZE`: a pool holds blocks of one size. Aligned to it.
    pub pool: u64,
    /// `ARENA_SIZE`: what is taken from the system at once. Aligned to a page.
    pub arena: u64,
}

/// All that are known; 3.10 brought the radix tree and larger arenas.
const LAYOUTS: [Layout; 2] = [
    Layout { releases: (8, 9), pool: 4 << 10, arena: 256 << 10 },
    Layout { releases: (10, 14), pool: 16 << 10, arena: 1 << 20 },
];

/// The first and the last of the known releases of 3.x.
pub(super) fn known() -> (u32, u32) {
    (LAYOUTS[0].releases.0, LAYOUTS[1].releases.1)
}

/// The layout of CPython `3.minor`.
pub(super) fn of(minor: u32) -> Option<&'static Layout> {
    LAYOUTS.iter().find(|layout| (layout.releases.0..=layout.releases.1).contains(&minor))
}

/// Sizes of blocks are multiples of this (`ALIGNMENT`); the largest is 512 bytes (`SMALL_REQUEST_THRESHOLD`).
pub(super) const BLOCK: u64 = 16;
pub(super) const CLASSES: u32 = 32;

/// `struct pool_header`: `ref.count` 0, `freeblock` 8, `nextpool` 16, `prevpool` 24, `arenaindex` 32, `szidx` 36,
/// `nextoffset` 40, `maxnextoffset` 44.
pub(super) const POOL_HEADER: usize = 48;

/// `struct arena_object`: `address` 0, `pool_address` 8, `nfreepools` 16, `ntotalpools` 20, three pointers.
pub(super) const ARENA_OBJECT: usize = 48;
/// `INITIAL_ARENA_OBJECTS`: the array of arena objects begins with so many and doubles.
pub(super) const ARENA_OBJECTS_MIN: u64 = 16;
