//! An isolate's heap, from V8's own figures: its spaces, its limit and its array buffers.

use std::collections::BTreeMap;

use super::layout::{Kind, Layout, Limit, Linear, OLD, Space};
use super::page::{ALIGNMENT, Page};
use crate::runtime::Memory;

/// Words of a space's object that are looked at; the largest, a new space with its two halves, fits.
const SPACE_WORDS: usize = 0x300 / 8;

/// How far, in bytes, the pointer to the allocator of array buffers may lie from where the table says, before or behind:
/// builds of one version differ by some words. What it points to proves it.
const ALLOCATOR_SHIFT_MAX: u64 = 0x80;
const ALLOCATOR_WORDS: usize = 2 * 0x80 / 8 + 1;

/// A space's memory, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SpaceSize {
    /// Which space, by its id.
    pub id: usize,
    /// What it has of the system: `space_size` of `v8.getHeapSpaceStatistics()`.
    pub committed: u64,
    /// What objects take: `space_used_size`. `None` where that cannot be told for certain.
    pub used: Option<u64>,
}

/// What one isolate has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Isolate {
    /// Its `Heap`, by which its pages know it.
    pub heap: u64,
    /// Its spaces.
    pub spaces: Vec<SpaceSize>,
    /// The limit of its old generation and of one half of the new space.
    pub limits: Option<Limits>,
    /// Where its `node::NodeArrayBufferAllocator` is, and what that has given out.
    pub array_buffers: Option<(u64, u64)>,
    /// What its objects take was read, and left out because it was another amount each time.
    pub used_changed: bool,
}

/// The limits in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Limits {
    /// `--max-old-space-size`, in bytes.
    pub old: u64,
    /// `--max-semi-space-size`, in bytes.
    pub semispace: u64,
}

impl Limits {
    /// `heap_size_limit` of `v8.getHeapStatistics()`: the new space's two halves and its large objects count three
    /// times (`Heap::MaxReserved`, src/heap/heap.cc).
    pub(super) const fn heap(self) -> u64 {
        self.semispace.saturating_mul(3).saturating_add(self.old)
    }
}

impl Isolate {
    /// What `heapTotal` of `process.memoryUsage()` says in that isolate.
    pub(super) fn committed(&self) -> u64 {
        self.spaces.iter().fold(0, |sum, space| sum.saturating_add(space.committed))
    }

    /// What `heapUsed` says.
    pub(super) fn used(&self) -> Option<u64> {
        self.spaces.iter().try_fold(0_u64, |sum, space| sum.checked_add(space.used?))
    }

    /// What objects take is known from both readings and differs by no more than `most` bytes.
    pub(super) fn used_agrees(&self, before: &Self, most: u64) -> bool {
        self.used().zip(before.used()).is_some_and(|(now, before)| now.abs_diff(before) <= most)
    }

    /// The same without what objects take.
    pub(super) fn without_used(mut self) -> Self {
        self.used_changed = self.used().is_some();
        self.spaces.iter_mut().for_each(|space| space.used = None);
        self
    }
}

/// What is needed to read an isolate.
pub(super) struct Reader<'a> {
    pub memory: &'a dyn Memory,
    pub layout: &'static Layout,
    /// All pages, by address.
    pub pages: &'a BTreeMap<u64, Page>,
    /// What an object of `node::NodeArrayBufferAllocator` begins with.
    pub allocator_table: Option<u64>,
}

impl Reader<'_> {
    /// The isolate is gone: none of its spaces names it. Pages that it has left are kept for others to use.
    pub(super) fn is_gone(&self, heap: u64) -> bool {
        let array = heap.saturating_add(self.layout.space_array);
        let names = |id: usize| {
            let words = self.words::<3>(self.memory.u64(array.saturating_add(id as u64 * 8))?)?;
            Some(is_of(&words, heap, id))
        };
        !(1..self.layout.spaces.len()).any(|id| names(id) == Some(true))
    }

    /// Reads the isolate whose `Heap` is at `heap`. The error says which of V8's figures is not what it must be.
    pub(super) fn isolate(&self, heap: u64) -> Result<Isolate, String> {
        let layout = self.layout;
        let count = layout.spaces.len();
        let array = heap.saturating_add(layout.space_array);
        let pointers: Option<Vec<u64>> =
            (0..count as u64).map(|id| self.memory.u64(array.saturating_add(id * 8))).collect();
        let pointers = pointers.ok_or("its list of spaces is not in memory")?;
        let mut spaces = Vec::new();
        for (id, (at, space)) in pointers.iter().zip(layout.spaces).enumerate() {
            if *at != 0 && space.kind != Kind::Apart {
                spaces.push(self.space(heap, id, *space, *at)?);
            }
        }
        if let Some(offset) = layout.read_only {
            spaces.push(self.read_only(heap, heap.saturating_add(offset))?);
        }
        let kinds = |kind| spaces.iter().any(|size| size.id != 0 && layout.spaces[size.id].kind == kind);
        if !kinds(Kind::New) || !kinds(Kind::Paged) || !kinds(Kind::Large) {
            return Err("it lacks a space".to_owned());
        }
        let (limits, array_buffers) = (self.limits(heap), self.array_buffers(heap));
        Ok(Isolate { heap, spaces, limits, array_buffers, used_changed: false })
    }

    /// A space at `at`, whose id must be `id`.
    fn space(&self, heap: u64, id: usize, space: Space, at: u64) -> Result<SpaceSize, String> {
        let wrong = |what: &str| format!("{what} of its {} is not what it must be", space.name());
        let words = self.words::<SPACE_WORDS>(at).ok_or_else(|| wrong("the object"))?;
        // Virtual functions, heap, id, committed memory, its maximum.
        if !is_of(&words, heap, id) {
            return Err(wrong("the name"));
        }
        let (committed, used) = match space.kind {
            Kind::New => {
                let halves = self.layout.semispaces.map(|offset| words.get(index(offset)..).unwrap_or_default());
                if halves.iter().any(|half| half.len() < 5 || !is_of(half, heap, id) || half[3] > half[4].max(half[3]))
                {
                    return Err(wrong("a half"));
                }
                (halves[0][3].saturating_add(halves[1][3]), self.used_of_new(heap, at, &words, halves[0]))
            }
            Kind::Large => (words[3], Some(words[index(self.layout.large_size)])),
            Kind::Paged => {
                let size = words[index(self.layout.paged_size)];
                let area = self.layout.old_area.filter(|_| space.name() == OLD.name());
                let unused =
                    area.map_or(Some(0), |area| self.linear(area, heap, at, &words).map(|[_, top, limit]| limit - top));
                (words[3], unused.and_then(|unused| size.checked_sub(unused)))
            }
            Kind::Apart => return Err(wrong("the kind")),
        };
        // A space in use consists of whole pages of the system, and no more is used than it has.
        if !committed.is_multiple_of(4096) || used.is_some_and(|used| used > committed) {
            return Err(wrong("the size"));
        }
        Ok(SpaceSize { id, committed, used })
    }

    /// What the half that is allocated from holds: whole pages and the current one up to where the next object goes
    /// (`SemiSpaceNewSpace::Size`, src/heap/new-spaces.h).
    fn used_of_new(&self, heap: u64, at: u64, words: &[u64], half: &[u64]) -> Option<u64> {
        let [capacity, current] = self.layout.current.map(|offset| half.get(index(offset)).copied());
        let [start, top, _] = self.linear(self.layout.new_area, heap, at, words)?;
        let page = self.pages.get(&(start & !(ALIGNMENT - 1)))?;
        let is_current = current? == page.at || self.memory.u64(page.at.checked_add(8)?)? == current?;
        if !is_current || page.heap != heap || top < page.area[0] {
            return None;
        }
        let full = (capacity? / ALIGNMENT).checked_sub(1)?;
        full.checked_mul(page.area[1] - page.area[0])?.checked_add(top - page.area[0])
    }

    /// The linear allocation area of a space: start, top and limit, inside of one of its heap's pages or all zero.
    fn linear(&self, area: Linear, heap: u64, at: u64, words: &[u64]) -> Option<[u64; 3]> {
        let area = match area {
            Linear::Space(offset) => at.checked_add(offset)?,
            Linear::Behind(offset) => *words.get(index(offset))?,
            Linear::Isolate(offset) => heap.checked_sub(offset)?,
        };
        let [start, top, limit] = self.words::<3>(area)?;
        if start == 0 && top == 0 && limit == 0 {
            return Some([0; 3]);
        }
        let page = self.pages.range(..=start).next_back().map(|(_, page)| page)?;
        let inside = page.area[0] <= start && start <= top && top <= limit && limit <= page.area[1];
        (inside && page.heap == heap).then_some([start, top, limit])
    }

    /// The read-only space, where each heap has its own: V8 before 9.7 counts it. `ReadOnlySpace::accounting_stats_`
    /// and its committed memory.
    fn read_only(&self, heap: u64, pointer: u64) -> Result<SpaceSize, String> {
        let read = || {
            let words = self.words::<9>(self.memory.u64(pointer)?)?;
            is_of(&words, heap, 0).then_some(SpaceSize { id: 0, committed: words[3], used: Some(words[8]) })
        };
        read().ok_or_else(|| "its read-only space is not what it must be".to_owned())
    }

    fn limits(&self, heap: u64) -> Option<Limits> {
        let semispace = self.memory.u64(heap.checked_add(self.layout.max_semispace)?)?;
        let old = match self.layout.max_old {
            Limit::Heap(offset) => self.memory.u64(heap.checked_add(offset)?)?,
            Limit::Behind(offset, inside) => {
                let object = self.memory.u64(heap.checked_add(offset)?)?;
                (self.memory.u64(object)? == heap).then_some(())?;
                self.memory.u64(object.checked_add(inside)?)?
            }
        };
        // Both are whole pages (`Heap::ConfigureHeap`); no machine has more.
        let plausible = |size: u64| (256 << 10..1 << 46).contains(&size) && size.is_multiple_of(ALIGNMENT);
        (plausible(semispace) && plausible(old)).then_some(Limits { old, semispace })
    }

    fn array_buffers(&self, heap: u64) -> Option<(u64, u64)> {
        let begin = heap.checked_add(self.layout.array_buffer_allocator)?.checked_sub(ALLOCATOR_SHIFT_MAX)?;
        let words = self.words::<ALLOCATOR_WORDS>(begin)?;
        let is_allocator = |at: &&u64| self.allocator_table.is_some() && self.memory.u64(**at) == self.allocator_table;
        let mut found = words.iter().filter(|at| **at != 0 && at.is_multiple_of(8)).filter(is_allocator);
        let allocator = *found.next()?;
        found.all(|other| *other == allocator).then_some(())?;
        Some((allocator, self.memory.u64(allocator.checked_add(self.layout.array_buffer_total)?)?))
    }

    fn words<const N: usize>(&self, at: u64) -> Option<[u64; N]> {
        let bytes = self.memory.bytes(at, N * 8)?;
        let mut words = [0; N];
        for (word, bytes) in words.iter_mut().zip(bytes.as_chunks::<8>().0) {
            *word = u64::from_le_bytes(*bytes);
        }
        Some(words)
    }
}

/// A `Space` names its heap and its id; the latter has four bytes.
fn is_of(space: &[u64], heap: u64, id: usize) -> bool {
    space[1] == heap && (space[2] & 0xffff_ffff) == id as u64
}

/// The word at an offset of the table, which is within [`SPACE_WORDS`].
const fn index(offset: u64) -> usize {
    (offset / 8) as usize
}
