//! What the memory of a cgroup consisted of when it was full.

use schemars::JsonSchema;
use serde::Serialize;

use crate::fact::KernelKill;
use crate::units::Bytes;

/// Parts of a cgroup's memory at the kill.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Composition {
    /// Anonymous memory.
    pub anon_bytes: Option<Bytes>,
    /// File pages, shared memory included (as the kernel counts).
    pub file_bytes: Option<Bytes>,
    /// Shared memory and tmpfs.
    pub shmem_bytes: Option<Bytes>,
    /// Kernel memory.
    pub kernel_bytes: Option<Bytes>,
    /// Swapped out.
    pub swap_bytes: Option<Bytes>,
}

impl Composition {
    /// Parts by the names that `memory.stat` of v1 and v2 gives them in the report; of v1 those that count what is
    /// below, too (mm/memcontrol-v1.c `memcg1_stat_format`, Linux 6.12).
    pub(crate) fn of(kill: &KernelKill) -> Self {
        let stat = |names: &[&str]| {
            names.iter().find_map(|name| kill.stats.iter().find(|(key, _)| key == name)).map(|(_, bytes)| *bytes)
        };
        let sum = |names: &[&str]| {
            let parts: Vec<Bytes> = names.iter().filter_map(|name| stat(&[name])).collect();
            (!parts.is_empty()).then(|| Bytes(parts.iter().map(|part| part.0).sum()))
        };
        Self {
            anon_bytes: stat(&["anon", "total_rss", "rss"]),
            file_bytes: stat(&["file", "total_cache", "cache"]),
            shmem_bytes: stat(&["total_shmem", "shmem"]),
            kernel_bytes: stat(&["kernel"])
                .or_else(|| sum(&["kernel_stack", "pagetables", "percpu", "slab", "vmalloc"]))
                .or_else(|| kill.kmem.and_then(|kmem| kmem.usage)),
            swap_bytes: stat(&["total_swap", "swap"]).or_else(|| swapped(kill)),
        }
    }
}

/// What was swapped out: v2 has a line of its own for it, v1 counts it together with memory.
fn swapped(kill: &KernelKill) -> Option<Bytes> {
    let usage = kill.swap?.usage?;
    let together = kill.kmem.is_some();
    let memory = kill.memory.and_then(|memory| memory.usage);
    if together { memory.map(|memory| Bytes(usage.0.saturating_sub(memory.0))) } else { Some(usage) }
}
