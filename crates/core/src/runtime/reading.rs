//! What a probe learned of one process.

use std::ops::Range;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::fact::Gap;
use crate::units::Bytes;
use crate::waterfall::PartKind;

/// What a runtime's memory is, read from outside. Amounts are `None` where they could not be read for certain.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// Which runtime.
    pub name: Name,
    /// Its version as it calls itself: `17.0.9+9`, `v20.11.0`, `go1.22.1`, `3.11.7`.
    pub version: Option<String>,
    /// The amounts were read and passed the probe's own checks. False: recognised only.
    pub resolved: bool,
    /// The heap.
    pub heap: Heap,
    /// HotSpot's "direct" buffer pool.
    pub direct: Option<Bytes>,
    /// V8's array buffers.
    pub external: Option<Bytes>,
    /// Which malloc serves the process.
    pub allocator: Option<Allocator>,
    /// Settings in force that bound or shape memory.
    pub flags: Vec<EffectiveFlag>,
    /// Which addresses belong to which part. Where two overlap, the earlier one holds.
    pub areas: Vec<Area>,
    /// Amounts inside a part that are no ranges of whole pages: used and free memory of malloc.
    pub inside: Vec<Inside>,
    /// What could not be read.
    pub gaps: Vec<Gap>,
    /// Some of that may be because the process ran meanwhile.
    pub tear: Option<Tear>,
}

/// Figures that belong together and did not agree, although all of their kind is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tear {
    /// These were seen to change all the time.
    Moving(&'static str),
    /// They say that.
    Contradiction(String),
}

impl Reading {
    /// Nothing but the name: recognised, not resolved.
    pub fn unresolved(name: Name) -> Self {
        Self {
            name,
            version: None,
            resolved: false,
            heap: Heap::default(),
            direct: None,
            external: None,
            allocator: None,
            flags: Vec::new(),
            areas: Vec::new(),
            inside: Vec::new(),
            gaps: Vec::new(),
            tear: None,
        }
    }
}

/// Runtimes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Name {
    /// OpenJDK's virtual machine.
    Hotspot,
    /// Node.js.
    V8,
    /// Go.
    Go,
    /// Python.
    Cpython,
    /// .NET.
    Dotnet,
    /// Ruby.
    Ruby,
    /// PHP.
    Php,
    /// None that is known: C, C++, Rust, or a runtime that cannot be read (OpenJ9, GraalVM native images).
    Native,
}

/// A runtime's heap.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Heap {
    /// HotSpot: what MemoryMXBean calls used. Go: HeapAlloc. CPython: bytes in allocated pymalloc blocks. V8: used heap.
    pub used: Option<Bytes>,
    /// HotSpot: committed. V8: the total heap. CPython: its arenas. Go: HeapSys less what was released.
    pub committed: Option<Bytes>,
    /// The most that it may become; `None` where nothing bounds it or the bound is not known.
    pub max: Option<Bytes>,
}

/// Implementations of malloc.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Allocator {
    /// The GNU C library's.
    Glibc,
    /// musl's.
    Musl,
    /// jemalloc.
    Jemalloc,
    /// tcmalloc, gperftools' or Google's.
    Tcmalloc,
    /// mimalloc.
    Mimalloc,
}

/// A setting that is in force, and where it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EffectiveFlag {
    /// As the runtime calls it: `MaxHeapSize`, `GOMEMLIMIT`, `--max-old-space-size`.
    pub name: String,
    /// Its value; sizes are whole bytes.
    pub value: String,
    /// `command line`, `environment JAVA_TOOL_OPTIONS`, `default`, `runtime`.
    pub from: String,
}

/// A range of addresses that belongs to one part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Area {
    /// The addresses.
    pub at: Range<u64>,
    /// The part of the waterfall that its resident pages are.
    pub part: PartKind,
    /// A name inside the part, where that tells more: `eden`, `profiled code`; else empty.
    pub name: &'static str,
}

/// An amount inside a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inside {
    /// The part that holds it.
    pub part: PartKind,
    /// What it is.
    pub name: &'static str,
    /// How much.
    pub bytes: Bytes,
}
