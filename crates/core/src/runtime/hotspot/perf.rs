//! The counters that the virtual machine keeps for `jstat`, read from its memory (`PerfMemory`; they are there also with
//! `-XX:+PerfDisableSharedMem`, and nowhere with `-XX:-UsePerfData`).

use super::vm::Vm;
use crate::units::Bytes;

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

/// What contradicts the version and the largest size of the heap as they were read: a second opinion, of counters that
/// are copied at collections and twenty times a second, so that no more can be demanded of them.
pub(super) fn contradiction(vm: &Vm<'_>, max: u64) -> Option<String> {
    let memory = memory(vm)?;
    let ours = vm.text("Abstract_VM_Version::_s_vm_release");
    if let (Some(Counter::Text(theirs)), Some(ours)) = (counter(&memory, "java.property.java.vm.version"), ours)
        && theirs != ours
    {
        return Some(format!("the version is {ours}, its performance counters say {theirs}"));
    }
    let spaces = (0..2).flat_map(|generation| (0..3).map(move |space| (generation, space)));
    let used = spaces.filter_map(|(generation, space)| {
        match counter(&memory, &format!("sun.gc.generation.{generation}.space.{space}.used"))? {
            Counter::Long(used) => u64::try_from(used).ok(),
            Counter::Text(_) => None,
        }
    });
    let used = used.fold(0, u64::saturating_add);
    (used > max).then(|| format!("its performance counters say that {} are used", Bytes(used)))
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Two entries behind a prologue, as version 2.0 lays them out.
    fn sample() -> Vec<u8> {
        let mut memory = vec![0xca, 0xfe, 0xc0, 0xc0, 1, 2, 0, 1];
        memory.extend([0; 16]);
        memory.extend([32_u32, 2].iter().flat_map(|word| word.to_le_bytes()));
        let mut entry = |name: &[u8; 8], vector: u32, kind: u8, data: &[u8; 8]| {
            memory.extend([36, 20, vector].iter().flat_map(|word| word.to_le_bytes()));
            memory.extend([kind, 0, 0, 0]);
            memory.extend(28_u32.to_le_bytes());
            memory.extend(name);
            memory.extend(data);
        };
        entry(b"gc.used\0", 0, b'J', &7_i64.to_le_bytes());
        entry(b"gc.name\0", 8, b'B', b"No GC\0\0\0");
        memory
    }

    #[test]
    fn counters_are_found_by_their_names() {
        let memory = sample();
        assert_eq!(counter(&memory, "gc.used"), Some(Counter::Long(7)));
        assert_eq!(counter(&memory, "gc.name"), Some(Counter::Text("No GC".to_owned())));
        assert_eq!(counter(&memory, "gc.nam"), None);
        for end in 0..memory.len() {
            let _ = counter(&memory[..end], "gc.name");
        }
    }
}
