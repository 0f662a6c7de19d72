//! Stacks: of Java threads by the virtual machine's own list, of its other threads by their stack pointers.

use std::ops::Range;

use super::vm::{Read, Vm};
use crate::process::Mapping;

/// More threads than Linux allows (`PID_MAX_LIMIT`, include/linux/threads.h).
const THREADS_MAX: u32 = 4 << 20;

/// The stacks of all threads that run Java code, guard pages included. Threads that start or end meanwhile may be missed.
pub(super) fn java(vm: &Vm<'_>) -> Read<Vec<Range<u64>>> {
    Ok(threads(vm)?.into_iter().filter_map(|thread| stack(vm, thread)).collect())
}

/// An array that is replaced as a whole; up to JDK 11 a list is all that is exported.
fn threads(vm: &Vm<'_>) -> Read<Vec<u64>> {
    let mut threads = Vec::new();
    if vm.has("ThreadsSMRSupport::_java_thread_list") {
        let list = vm.global("ThreadsSMRSupport::_java_thread_list")?;
        let count = vm.half(list, "ThreadsList::_length")?.min(THREADS_MAX);
        let first = vm.word(list, "ThreadsList::_threads")?;
        let places = (0..u64::from(count)).map(|index| first.saturating_add(8 * index));
        threads.extend(places.filter_map(|at| vm.target.memory.u64(at)));
        return Ok(threads);
    }
    let mut thread = vm.global("Threads::_thread_list")?;
    while thread != 0 && threads.len() < usize::try_from(THREADS_MAX).unwrap_or(usize::MAX) {
        threads.push(thread);
        thread = vm.word(thread, "JavaThread::_next")?;
    }
    Ok(threads)
}

/// Its base is its highest address. A range that is not one of writable anonymous memory at its upper end is no stack.
fn stack(vm: &Vm<'_>, thread: u64) -> Option<Range<u64>> {
    let base = vm.word(thread, "JavaThread::_stack_base|Thread::_stack_base").ok()?;
    let size = vm.word(thread, "JavaThread::_stack_size|Thread::_stack_size").ok()?;
    let at = base.checked_sub(size)?..base;
    let holds = vm.target.mapping_at(base.checked_sub(1)?).is_some_and(is_stack_memory);
    (holds && !at.is_empty()).then_some(at)
}

fn is_stack_memory(mapping: &Mapping) -> bool {
    mapping.writable && mapping.inode == 0 && (mapping.name.is_empty() || mapping.name.starts_with("[stack"))
}

/// The stacks of the virtual machine's other threads (collectors, compilers without Java, the watcher). Their size is
/// `VMThreadStackSize`, and right below lies a guard page that may not be touched: so much above that page is a stack if
/// the thread's stack pointer lies there. Stacks of other sizes are left out, since the kernel merges what lies side by
/// side and nothing tells where they end.
pub(super) fn native(vm: &Vm<'_>, java: &[Range<u64>]) -> Vec<Range<u64>> {
    // On Linux 1 MiB where the flag is 0 (os_linux_x86.cpp, os_linux_aarch64.cpp: 2 MiB).
    let size = vm.flags.bytes("VMThreadStackSize").unwrap_or(0).saturating_mul(1024).max(1 << 20);
    let pointers = vm.target.threads.iter().filter_map(|thread| thread.stack_pointer);
    let of_others = pointers.filter(|pointer| !java.iter().any(|stack| stack.contains(pointer)));
    let stack = |pointer: u64| {
        let mapping = vm.target.mapping_at(pointer).filter(|mapping| is_stack_memory(mapping))?;
        if mapping.name.starts_with("[stack") {
            return Some(mapping.start..mapping.end);
        }
        let guard = vm.target.mapping_at(mapping.start.checked_sub(1)?)?;
        let at = mapping.start..mapping.end.min(mapping.start.saturating_add(size));
        let guarded = !guard.readable && !guard.writable && !guard.executable && guard.inode == 0;
        (guarded && at.contains(&pointer)).then_some(at)
    };
    of_others.filter_map(stack).collect()
}
