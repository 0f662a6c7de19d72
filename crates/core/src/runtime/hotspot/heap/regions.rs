//! G1 and Shenandoah: regions, of which the collectors keep count.

use super::super::vm::{Read, Vm};
use super::Usage;

/// G1's monitoring counts, which its beans repeat: eden, survivors and old; named shorter up to JDK 11.
const G1: [(&str, &str); 3] = [
    (
        "G1MonitoringSupport::_eden_space_used|G1MonitoringSupport::_eden_used",
        "G1MonitoringSupport::_eden_space_committed|G1MonitoringSupport::_eden_committed",
    ),
    (
        "G1MonitoringSupport::_survivor_space_used|G1MonitoringSupport::_survivor_used",
        "G1MonitoringSupport::_survivor_space_committed|G1MonitoringSupport::_survivor_committed",
    ),
    (
        "G1MonitoringSupport::_old_gen_used|G1MonitoringSupport::_old_used",
        "G1MonitoringSupport::_old_gen_committed|G1MonitoringSupport::_old_committed",
    ),
];

pub(super) fn g1(vm: &Vm<'_>) -> Read<Usage> {
    let monitoring = vm.word(vm.heap()?, "G1CollectedHeap::_monitoring_support|G1CollectedHeap::_g1mm")?;
    let mut usage = Usage { committed: Some(0), ..Usage::default() };
    for (used, committed) in G1 {
        usage.used = usage.used.saturating_add(vm.word(monitoring, used)?);
        let committed = vm.word(monitoring, committed)?;
        usage.committed = usage.committed.map(|sum| sum.saturating_add(committed));
    }
    Ok(usage)
}

/// With generations (JDK 24 on) the count moved into the global one.
pub(super) fn shenandoah(vm: &Vm<'_>) -> Read<Usage> {
    let heap = vm.heap()?;
    let used = if vm.has("ShenandoahHeap::_used") {
        vm.word(heap, "ShenandoahHeap::_used")?
    } else {
        vm.word(vm.word(heap, "ShenandoahHeap::_global_generation")?, "ShenandoahGeneration::_used")?
    };
    let committed = Some(vm.word(heap, "ShenandoahHeap::_committed")?);
    Ok(Usage { used, committed, spaces: Vec::new() })
}
