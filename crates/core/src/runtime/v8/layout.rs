//! Where V8 keeps its own figures, per version: offsets in bytes, as data.
//!
//! Each row was measured on the official build of the Node.js version that it names and is proven anew in every
//! process that is read: a space must name its heap and its own id, a page its own address, and so on. The names are
//! those of V8's sources (src/heap/): `Heap`, `Space`, `PagedSpace`, `SemiSpace`, `MemoryChunk`.

use crate::waterfall::PartKind;

/// One version's layout.
#[derive(Debug)]
pub(super) struct Layout {
    /// Major and minor version of V8.
    pub v8: (u32, u32),
    /// The form of a page's header.
    pub header: Header,
    /// The spaces by `AllocationSpace`; `v8.getHeapSpaceStatistics()` prints them in this order.
    pub spaces: &'static [Space],
    /// `Heap::space_`: pointers to the spaces, by id.
    pub space_array: u64,
    /// `Heap::read_only_space_`, where it belongs to the heap alone and counts: up to V8 9.6.
    pub read_only: Option<u64>,
    /// `Heap::max_semi_space_size_`.
    pub max_semispace: u64,
    /// `Heap::max_old_generation_size_`.
    pub max_old: Limit,
    /// `SemiSpaceNewSpace::to_space_` and `from_space_`.
    pub semispaces: [u64; 2],
    /// In a `SemiSpace`: `current_capacity_` and `current_page_`.
    pub current: [u64; 2],
    /// `PagedSpace::accounting_stats_.size_`.
    pub paged_size: u64,
    /// `LargeObjectSpace::objects_size_`.
    pub large_size: u64,
    /// The linear allocation area of the new space: how far its current page is filled.
    pub new_area: Linear,
    /// That of the old space, whose rest V8 does not count as used from 12.4 on. Up to 11.8 it does.
    pub old_area: Option<Linear>,
    /// From `Heap` to `Isolate::array_buffer_allocator_`, which lies behind it.
    pub array_buffer_allocator: u64,
    /// `node::NodeArrayBufferAllocator::total_mem_usage_`.
    pub array_buffer_total: u64,
}

/// A form of page header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Header {
    /// All figures stand at the page's start, the size first.
    SizeFirst,
    /// The same, the flags first.
    FlagsFirst,
    /// The page holds flags and a pointer to its `MutablePageMetadata`, which is outside of the heap.
    Metadata,
}

/// Where a limit stands.
#[derive(Debug, Clone, Copy)]
pub(super) enum Limit {
    /// In `Heap`.
    Heap(u64),
    /// In an object that `Heap` points to and that points back in its first word: where the pointer is, where in it.
    Behind(u64, u64),
}

/// Where a linear allocation area is: start, top, limit.
#[derive(Debug, Clone, Copy)]
pub(super) enum Linear {
    /// In the space.
    Space(u64),
    /// Behind a pointer in the space.
    Behind(u64),
    /// In the isolate, that much in front of `Heap`.
    Isolate(u64),
}

/// What a space is; that tells how its memory is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Two halves between which the living move.
    New,
    /// Pages with free lists.
    Paged,
    /// An object has pages of its own.
    Large,
    /// Made at build time; or shared by all isolates: counted elsewhere.
    Apart,
}

/// A space.
#[derive(Debug, Clone, Copy)]
pub(super) struct Space {
    /// How it is counted.
    pub kind: Kind,
    /// It holds machine code.
    pub code: bool,
    /// In words: in the main thread's isolate, in those of worker threads.
    pub names: [&'static str; 2],
    /// What its objects take, in words; as before.
    pub used: [&'static str; 2],
}

impl Space {
    /// What its pages are.
    pub(super) const fn part(self) -> PartKind {
        if self.code { PartKind::V8Code } else { PartKind::V8Heap }
    }

    /// Its name.
    pub(super) const fn name(self) -> &'static str {
        self.names[0]
    }
}

macro_rules! space {
    ($kind:ident $code:literal $name:literal) => {
        Space {
            kind: Kind::$kind,
            code: $code,
            names: [$name, concat!("workers' ", $name)],
            used: [concat!("objects in ", $name), concat!("objects in workers' ", $name)],
        }
    };
}

const READ_ONLY: Space = space!(Apart false "read-only space");
const NEW: Space = space!(New false "new space");
pub(super) const OLD: Space = space!(Paged false "old space");
const CODE: Space = space!(Paged true "code space");
const MAP: Space = space!(Paged false "map space");
const SHARED: Space = space!(Apart false "shared space");
const TRUSTED: Space = space!(Paged false "trusted space");
const SHARED_TRUSTED: Space = space!(Apart false "shared trusted space");
const NEW_LARGE: Space = space!(Large false "new large object space");
const LARGE: Space = space!(Large false "large object space");
const CODE_LARGE: Space = space!(Large true "code large object space");
const SHARED_LARGE: Space = space!(Apart false "shared large object space");
const SHARED_TRUSTED_LARGE: Space = space!(Apart false "shared trusted large object space");
const TRUSTED_LARGE: Space = space!(Large false "trusted large object space");

/// V8 9.4 to 10.2.
const SPACES_9: &[Space] = &[READ_ONLY, OLD, CODE, MAP, LARGE, CODE_LARGE, NEW_LARGE, NEW];
/// V8 10.8.
const SPACES_10: &[Space] = &[READ_ONLY, OLD, CODE, MAP, SHARED, NEW, LARGE, CODE_LARGE, NEW_LARGE, SHARED_LARGE];
/// V8 11.
const SPACES_11: &[Space] = &[READ_ONLY, NEW, OLD, CODE, SHARED, NEW_LARGE, LARGE, CODE_LARGE, SHARED_LARGE];
/// V8 12.4.
const SPACES_12_4: &[Space] =
    &[READ_ONLY, NEW, OLD, CODE, SHARED, TRUSTED, NEW_LARGE, LARGE, CODE_LARGE, SHARED_LARGE, TRUSTED_LARGE];
/// V8 12.9 and later.
const SPACES_12_9: &[Space] = &[
    READ_ONLY,
    NEW,
    OLD,
    CODE,
    SHARED,
    TRUSTED,
    SHARED_TRUSTED,
    NEW_LARGE,
    LARGE,
    CODE_LARGE,
    SHARED_LARGE,
    SHARED_TRUSTED_LARGE,
    TRUSTED_LARGE,
];

/// Every layout that is known.
pub(super) const LAYOUTS: &[Layout] = &[
    // Node.js 16
    Layout {
        v8: (9, 4),
        header: Header::SizeFirst,
        spaces: SPACES_9,
        space_array: 0x168,
        read_only: Some(0x140),
        max_semispace: 0x60,
        max_old: Limit::Heap(0x78),
        semispaces: [0x178, 0x288],
        current: [0xd8, 0x108],
        paged_size: 0x128,
        large_size: 0xe8,
        new_area: Linear::Space(0xd8),
        old_area: None,
        array_buffer_allocator: 0x22a8,
        array_buffer_total: 16,
    },
    // Node.js 17
    Layout {
        v8: (9, 6),
        header: Header::SizeFirst,
        spaces: SPACES_9,
        space_array: 0x168,
        read_only: Some(0x140),
        max_semispace: 0x60,
        max_old: Limit::Heap(0x78),
        semispaces: [0x178, 0x288],
        current: [0xd8, 0x108],
        paged_size: 0x128,
        large_size: 0xe8,
        new_area: Linear::Space(0xd8),
        old_area: None,
        array_buffer_allocator: 0x2308,
        array_buffer_total: 16,
    },
    // Node.js 18
    Layout {
        v8: (10, 2),
        header: Header::SizeFirst,
        spaces: SPACES_9,
        space_array: 0x1d0,
        read_only: None,
        max_semispace: 0xc8,
        max_old: Limit::Heap(0xe0),
        semispaces: [0x160, 0x268],
        current: [0xc8, 0x100],
        paged_size: 0x110,
        large_size: 0xd8,
        new_area: Linear::Behind(0xc8),
        old_area: None,
        array_buffer_allocator: 0x2440,
        array_buffer_total: 16,
    },
    // Node.js 19
    Layout {
        v8: (10, 8),
        header: Header::SizeFirst,
        spaces: SPACES_10,
        space_array: 0x60,
        read_only: None,
        max_semispace: 0xe0,
        max_old: Limit::Heap(0xf8),
        semispaces: [0x180, 0x290],
        current: [0x50, 0x88],
        paged_size: 0x98,
        large_size: 0x60,
        new_area: Linear::Behind(0x50),
        old_area: None,
        array_buffer_allocator: 0x2438,
        array_buffer_total: 16,
    },
    // Node.js 20
    Layout {
        v8: (11, 3),
        header: Header::SizeFirst,
        spaces: SPACES_11,
        space_array: 0x1c8,
        read_only: None,
        max_semispace: 0xc8,
        max_old: Limit::Heap(0xe0),
        semispaces: [0x168, 0x278],
        current: [0x50, 0x88],
        paged_size: 0x98,
        large_size: 0x60,
        new_area: Linear::Behind(0x50),
        old_area: None,
        array_buffer_allocator: 0x23f0,
        array_buffer_total: 16,
    },
    // Node.js 21
    Layout {
        v8: (11, 8),
        header: Header::SizeFirst,
        spaces: SPACES_11,
        space_array: 0x28,
        read_only: None,
        max_semispace: 0x90,
        max_old: Limit::Heap(0xa8),
        semispaces: [0x170, 0x288],
        current: [0x58, 0x90],
        paged_size: 0xa0,
        large_size: 0x68,
        new_area: Linear::Isolate(0xd7c8),
        old_area: None,
        array_buffer_allocator: 0x2438,
        array_buffer_total: 16,
    },
    // Node.js 22
    Layout {
        v8: (12, 4),
        header: Header::FlagsFirst,
        spaces: SPACES_12_4,
        space_array: 0x138,
        read_only: None,
        max_semispace: 0x30,
        max_old: Limit::Heap(0x48),
        semispaces: [0x78, 0x108],
        current: [0x50, 0x88],
        paged_size: 0x70,
        large_size: 0x60,
        new_area: Linear::Isolate(0xdde0),
        old_area: Some(Linear::Isolate(0xddc8)),
        array_buffer_allocator: 0x2298,
        array_buffer_total: 16,
    },
    // Node.js 23
    Layout {
        v8: (12, 9),
        header: Header::Metadata,
        spaces: SPACES_12_9,
        space_array: 0x158,
        read_only: None,
        max_semispace: 0x30,
        max_old: Limit::Heap(0x48),
        semispaces: [0x78, 0x108],
        current: [0x50, 0x88],
        paged_size: 0x70,
        large_size: 0x60,
        new_area: Linear::Isolate(0xe178),
        old_area: Some(Linear::Isolate(0xe160)),
        array_buffer_allocator: 0x21c0,
        array_buffer_total: 16,
    },
    // Node.js 24
    Layout {
        v8: (13, 6),
        header: Header::Metadata,
        spaces: SPACES_12_9,
        space_array: 0x160,
        read_only: None,
        max_semispace: 0x30,
        max_old: Limit::Heap(0x50),
        semispaces: [0x60, 0xe0],
        current: [0x58, 0x70],
        paged_size: 0x78,
        large_size: 0x68,
        new_area: Linear::Isolate(0xef30),
        old_area: Some(Linear::Isolate(0xef18)),
        array_buffer_allocator: 0x2078,
        array_buffer_total: 8,
    },
    // Node.js 25
    Layout {
        v8: (14, 1),
        header: Header::Metadata,
        spaces: SPACES_12_9,
        space_array: 0x160,
        read_only: None,
        max_semispace: 0x30,
        max_old: Limit::Heap(0x50),
        semispaces: [0x60, 0xe0],
        current: [0x58, 0x70],
        paged_size: 0x78,
        large_size: 0x68,
        new_area: Linear::Isolate(0xd7e0),
        old_area: Some(Linear::Isolate(0xd7c8)),
        array_buffer_allocator: 0x2098,
        array_buffer_total: 8,
    },
    // Node.js 26
    Layout {
        v8: (14, 6),
        header: Header::Metadata,
        spaces: SPACES_12_9,
        space_array: 0x118,
        read_only: None,
        max_semispace: 0x20,
        max_old: Limit::Behind(0x7b8, 0x10),
        semispaces: [0x50, 0xc0],
        current: [0x48, 0x60],
        paged_size: 0x68,
        large_size: 0x58,
        new_area: Linear::Isolate(0xf2f8),
        old_area: Some(Linear::Isolate(0xf2e0)),
        array_buffer_allocator: 0x2060,
        array_buffer_total: 8,
    },
];

/// The layout of a version.
pub(super) fn of(v8: (u32, u32)) -> Option<&'static Layout> {
    LAYOUTS.iter().find(|layout| layout.v8 == v8)
}
