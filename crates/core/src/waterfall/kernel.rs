//! The parts of kernel memory.

use super::charge::less;
use super::measure::{Level, Measured, counted};
use super::{Charge, Part, PartKind, Version};
use crate::units::Bytes;

/// The kernel's stack of a thread (`THREAD_SIZE`, x86-64 and arm64 without KASAN).
const KERNEL_STACK: u64 = 16 << 10;

/// What a level is charged. The root of version 1 is charged page cache and anonymous memory alone, whatever kernel memory
/// it counts (`mem_cgroup_usage`, mm/memcontrol-v1.c, Linux 6.18); the root that a namespace shows is a cgroup like any other.
pub(super) fn charged(version: Version, level: &Level) -> Charge {
    let mut charge = level.charge.clone();
    if let (true, Some(usage), Some(kernel)) =
        (level.cgroup == "/" && version == Version::V1, charge.usage, charge.kernel)
    {
        let pages = Bytes(charge.anon.unwrap_or_default().0.saturating_add(charge.file.unwrap_or_default().0));
        if usage.0.abs_diff(pages.0) < usage.0.abs_diff(pages.0.saturating_add(kernel.0)) {
            charge.kernel = None;
        }
    }
    charge
}

/// Kernel memory. Version 1 tells only the sum: its parts are rebuilt from the processes' page tables and threads.
pub(super) fn kernel(measured: &Measured<'_>, charge: &Charge) -> Vec<Part> {
    let Some(kernel) = charge.kernel else { return socket_buffers(charge) };
    let mut parts = Vec::new();
    let mut rest = kernel;
    let mut take = |kind, bytes: Option<Bytes>, from: &str, exact| {
        let bytes = Bytes(bytes.unwrap_or_default().0.min(rest.0));
        rest = less(rest, bytes);
        parts.push(Part { exact, ..counted(kind, "", bytes, from) });
    };
    match measured.version {
        Version::V2 => {
            take(PartKind::KernelStacks, charge.kernel_stacks, "memory.stat", true);
            take(PartKind::PageTables, charge.page_tables, "memory.stat", true);
            take(PartKind::SlabReclaimable, charge.slab_reclaimable, "memory.stat", true);
            take(PartKind::Slab, charge.slab, "memory.stat", true);
            take(PartKind::PerCpu, charge.per_cpu, "memory.stat", true);
            take(PartKind::Vmalloc, charge.vmalloc, "memory.stat", true);
            parts.push(counted(PartKind::KernelOther, "", rest, "memory.stat"));
        }
        Version::V1 => {
            let tables = measured.processes.iter().filter_map(|seen| seen.status.page_tables).map(|it| it.0).sum();
            let threads: u64 = measured.processes.iter().filter_map(|seen| seen.status.threads).map(u64::from).sum();
            take(PartKind::PageTables, Some(Bytes(tables)), "VmPTE of the processes", true);
            take(PartKind::KernelStacks, Some(Bytes(threads * KERNEL_STACK)), "16 KiB a thread", false);
            let name = "slab and other kernel memory";
            parts.push(Part {
                exact: false,
                ..counted(PartKind::KernelOther, name, rest, "memory.kmem.usage_in_bytes less the above")
            });
        }
    }
    parts.extend(socket_buffers(charge));
    parts
}

fn socket_buffers(charge: &Charge) -> Vec<Part> {
    charge.sockets.map(|bytes| counted(PartKind::Sockets, "", bytes, "memory.stat")).into_iter().collect()
}
