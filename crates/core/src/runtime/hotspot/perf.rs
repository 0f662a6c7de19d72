//! The counters that the virtual machine keeps for `jstat`, read from its memory (`PerfMemory`; they are there also with
//! `-XX:+PerfDisableSharedMem`, and nowhere with `-XX:-UsePerfData`).

use super::vm::Vm;

/// `PerfDataPrologue::magic`, big-endian whatever the machine (perfMemory.hpp).
const MAGIC: [u8; 4] = [0xca, 0xfe, 0xc0, 0xc0];

/// `PerfDataMemorySize` is 32 KiB by default and may be more.
const CAPACITY_MAX: u64 = 16 << 20;

/// One counter, a copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Counter {
    Long(i64),
    Text(String),
}

/// Whether no collection is under way; `None` where it is not told. Every collector names the cause while it works.
pub(super) fn is_idle(vm: &Vm<'_>) -> Option<bool> {
    match counter(&memory(vm)?, "sun.gc.cause")? {
        Counter::Text(cause) => Some(cause == "No GC"),
        Counter::Long(_) => None,
    }
}

/// The counters' memory.
pub(super) fn memory(vm: &Vm<'_>) -> Option<Vec<u8>> {
    let start = vm.global("PerfMemory::_start").ok().filter(|start| *start != 0)?;
    // Only what was used is in memory.
    let used = vm.global("PerfMemory::_top").ok()?.checked_sub(start).filter(|used| *used <= CAPACITY_MAX)?;
    vm.target.memory.bytes(start, usize::try_from(used).ok()?)
}

/// One counter out of the counters' memory: 32 bytes of prologue, then entries (perfMemory.hpp, version 2.0).
pub(super) fn counter(memory: &[u8], name: &str) -> Option<Counter> {
    let half = |at: usize| memory.get(at..at.checked_add(4)?)?.try_into().ok().map(u32::from_le_bytes);
    let index = |at: usize| half(at).and_then(|value| usize::try_from(value).ok());
    if memory.get(..4)? != MAGIC || memory.get(4) != Some(&1) {
        return None;
    }
    let mut entry = index(24)?;
    for _ in 0..index(28)?.min(memory.len() / 20) {
        let length = index(entry)?;
        let found = memory.get(entry.checked_add(index(entry + 4)?)?..)?;
        if found.get(..name.len()) == Some(name.as_bytes()) && found.get(name.len()) == Some(&0) {
            let data = entry.checked_add(index(entry + 16)?)?;
            let vector = index(entry + 8)?;
            return match memory.get(entry + 12)? {
                b'J' if vector == 0 => {
                    memory.get(data..data.checked_add(8)?)?.try_into().ok().map(i64::from_le_bytes).map(Counter::Long)
                }
                b'B' => {
                    let text = memory.get(data..data.checked_add(vector)?)?;
                    let text = text.split(|byte| *byte == 0).next()?;
                    Some(Counter::Text(String::from_utf8_lossy(text).into_owned()))
                }
                _ => None,
            };
        }
        entry = entry.checked_add(length).filter(|_| length >= 20)?;
    }
    None
}
