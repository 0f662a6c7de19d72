//! Where glibc keeps what it knows of its heaps: `struct malloc_state`, `struct _heap_info` and `struct malloc_par` of
//! malloc/malloc.c and malloc/arena.c, on 64-bit machines, by release.

/// The layout of one range of releases. Offsets and sizes are bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Layout {
    /// The first and the last release (of 2.x) that has it.
    pub releases: (u32, u32),
    /// `malloc_state.fastbinsY`: ten lists of free chunks that count as in use for their neighbours.
    pub fastbins: Option<Fastbins>,
    /// `malloc_state.top`: the chunk at the end of the newest heap.
    pub top: usize,
    /// `malloc_state.bins`: 127 lists, each a pointer forth and one back.
    pub bins: usize,
    /// `malloc_state.next`: the arenas, in a circle.
    pub next: usize,
    /// `malloc_state.system_mem`.
    pub system_mem: usize,
    /// `sizeof (struct malloc_state)`.
    pub state: usize,
    /// `sizeof (struct _heap_info)`; it begins with `ar_ptr`, `prev`, `size` in all releases.
    pub heap_header: u64,
    /// `mp_`.
    pub parameters: Parameters,
    /// What the header of a chunk with a mapping of its own says.
    pub mapped: Mapped,
}

/// Fast bins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fastbins {
    /// Where they are in `malloc_state`.
    pub at: usize,
    /// Their links are scrambled with their own address (`PROTECT_PTR`, since 2.32).
    pub protected: bool,
}

/// Offsets in `struct malloc_par`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Parameters {
    /// `n_mmaps`, an int: how many chunks have a mapping of their own.
    pub mapped_chunks: usize,
    /// `mmapped_mem`: the sum of their mappings.
    pub mapped_bytes: usize,
    /// `sbrk_base`: where the main heap begins.
    pub heap_base: usize,
}

/// The header of a chunk that has a mapping of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mapped {
    /// `prev_size` 0 and a `size` that is the mapping's (until 2.41).
    WholeSize,
    /// `prev_size` 0 and a `size` that is the mapping's less the header (since 2.43, `mmap_set_chunk`). `mmapped_mem` is
    /// off by a header for each `mremap` there, as is what mallinfo2 makes of it.
    LessHeader,
}

impl Mapped {
    /// The mapping's length, from the `size` without its flags.
    pub(super) const fn length(self, size: u64) -> u64 {
        match self {
            Self::WholeSize => size,
            Self::LessHeader => size.saturating_add(CHUNK_HEADER),
        }
    }

    /// `mmapped_mem` may be `counted` where the mappings are `mapped` bytes together.
    pub(super) const fn agrees(self, counted: u64, mapped: u64) -> bool {
        let off = counted.abs_diff(mapped);
        match self {
            Self::WholeSize => off == 0,
            Self::LessHeader => off.is_multiple_of(CHUNK_HEADER) && off <= DRIFT_MAX,
        }
    }
}

/// `CHUNK_HDR_SZ`.
const CHUNK_HEADER: u64 = 16;
/// 65 536 times mremap.
const DRIFT_MAX: u64 = 1 << 20;

/// Bins in `malloc_state.bins` (`NBINS - 1`).
pub(super) const BINS: usize = 127;
/// Fast bins (`NFASTBINS` for 8-byte sizes).
pub(super) const FASTBINS: usize = 10;
/// Heaps beside the main one are aligned to this (`HEAP_MAX_SIZE` without huge pages).
pub(super) const HEAP_MAX: u64 = 64 << 20;

const BEFORE_HUGE_PAGES: Parameters = Parameters { mapped_chunks: 40, mapped_bytes: 56, heap_base: 72 };
const WITH_HUGE_PAGES: Parameters = Parameters { mapped_chunks: 60, mapped_bytes: 80, heap_base: 96 };
const WITH_HUGE_PAGE_MODE: Parameters = Parameters { mapped_chunks: 68, mapped_bytes: 88, heap_base: 104 };

const WITH_FASTBINS: Layout = Layout {
    releases: (27, 31),
    fastbins: Some(Fastbins { at: 16, protected: false }),
    top: 96,
    bins: 112,
    next: 2160,
    system_mem: 2184,
    state: 2200,
    heap_header: 32,
    parameters: BEFORE_HUGE_PAGES,
    mapped: Mapped::WholeSize,
};

const PROTECTED: Option<Fastbins> = Some(Fastbins { at: 16, protected: true });

/// All that are known; 2.42 was never seen.
const LAYOUTS: [Layout; 4] = [
    WITH_FASTBINS,
    Layout { releases: (32, 34), fastbins: PROTECTED, ..WITH_FASTBINS },
    Layout { releases: (35, 41), fastbins: PROTECTED, heap_header: 48, parameters: WITH_HUGE_PAGES, ..WITH_FASTBINS },
    Layout {
        releases: (43, 43),
        fastbins: None,
        top: 8,
        bins: 24,
        next: 2072,
        system_mem: 2096,
        state: 2112,
        heap_header: 48,
        parameters: WITH_HUGE_PAGE_MODE,
        mapped: Mapped::LessHeader,
    },
];

/// The layout of glibc `2.minor`.
pub(super) fn of(minor: u32) -> Option<&'static Layout> {
    LAYOUTS.iter().find(|layout| (layout.releases.0..=layout.releases.1).contains(&minor))
}
