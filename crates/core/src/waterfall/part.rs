//! The kinds of part that memory is divided into: one line each, with a page of its own.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

macro_rules! parts {
    ($($variant:ident $id:literal $title:literal $reclaimable:literal)*) => {
        /// What a part of the memory is.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        pub enum PartKind {
            $(#[doc = $title] #[serde(rename = $id)] $variant,)*
        }

        impl PartKind {
            /// All kinds, in the order in which a waterfall shows them.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// Its id: `jvm-heap`.
            pub const fn id(self) -> &'static str {
                match self { $(Self::$variant => $id),* }
            }

            /// In words: `JVM heap`.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$variant => $title),* }
            }

            /// Its page, in markdown.
            pub const fn page(self) -> &'static str {
                match self { $(Self::$variant => include_str!(concat!("pages/", $id, ".md"))),* }
            }

            /// The kernel can take it back under pressure.
            pub const fn is_reclaimable(self) -> bool {
                match self { $(Self::$variant => $reclaimable),* }
            }
        }
    };
}

parts! {
    JvmHeap "jvm-heap" "JVM heap" false
    JvmMetaspace "jvm-metaspace" "JVM metaspace" false
    JvmClassSpace "jvm-class-space" "JVM compressed class space" false
    JvmCodeCache "jvm-code-cache" "JVM code cache" false
    JvmGc "jvm-gc" "JVM collector and other mappings" false
    GoHeap "go-heap" "Go heap" false
    GoStacks "go-stacks" "Go stacks" false
    GoRuntime "go-runtime" "Go runtime" false
    V8Heap "v8-heap" "V8 heap" false
    V8Code "v8-code" "V8 code" false
    Pymalloc "pymalloc" "Python objects" false
    ThreadStacks "thread-stacks" "thread stacks" false
    Malloc "malloc" "malloc" false
    Anonymous "anonymous" "other anonymous memory" false
    Code "code" "programs and libraries" true
    MappedFiles "mapped-files" "mapped files" true
    PageCache "page-cache" "page cache" true
    SharedMemory "shared-memory" "shared memory" false
    Tmpfs "tmpfs" "tmpfs files" false
    KernelStacks "kernel-stacks" "kernel stacks" false
    PageTables "page-tables" "page tables" false
    SlabReclaimable "slab-reclaimable" "reclaimable slab" true
    Slab "slab" "slab" false
    PerCpu "per-cpu" "per-CPU memory" false
    Vmalloc "vmalloc" "vmalloc" false
    KernelOther "kernel-other" "other kernel memory" false
    Sockets "sockets" "TCP and UDP buffers" false
    Orphaned "orphaned" "left behind by dead containers" false
}

impl fmt::Display for PartKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.id())
    }
}
