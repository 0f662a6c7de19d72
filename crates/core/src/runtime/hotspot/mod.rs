//! OpenJDK's virtual machine, JDK 8 to 25, through the table of fields that it exports for its serviceability agent.

use self::areas::Areas;
use self::heap::Collector;
use self::library::Library;
use self::vm::Vm;
use super::{EffectiveFlag, Inside, Name, Reading, Runtime, Target, Tear};
use crate::fact::Gap;
use crate::units::Bytes;
use crate::waterfall::PartKind;

mod areas;
mod classes;
mod code;
mod direct;
mod fields;
mod flags;
mod heap;
mod library;
mod metaspace;
mod objects;
mod pages;
mod perf;
mod settings;
mod stacks;
mod structs;
mod vm;

/// What Netty calls its counter `usedDirectMemory`; it is allocated with malloc.
const NETTY: &str = "Netty's direct buffers outside of java.nio";

/// The memory that the virtual machine took the machine to have when it chose its heap; no flag of HotSpot's.
const MEMORY_SEEN: &str = "memory seen at start";

/// The probe.
#[derive(Debug)]
pub(super) struct Hotspot;

impl Runtime for Hotspot {
    fn read(&self, target: &Target<'_>) -> Option<Reading> {
        let mapping = target.mapping_of(|name| name == "libjvm.so")?;
        let mut reading = Reading::unresolved(Name::Hotspot);
        let vm = Library::open(target, mapping, "gHotSpot").and_then(|library| Vm::open(target, library));
        match vm {
            Ok(vm) => look(&vm, &mut reading),
            Err(because) => reading.gaps.push(gap("the Java virtual machine", because)),
        }
        Some(reading)
    }
}

/// Fills in all that can be read.
fn look(vm: &Vm<'_>, reading: &mut Reading) {
    reading.version = version(vm);
    reading.heap.max = vm.flags.bytes("MaxHeapSize").map(Bytes);
    let collector = match Collector::of(vm) {
        Ok(collector) => collector,
        Err(because) => return reading.gaps.push(gap("the Java heap", because)),
    };
    let usage = heap::usage(vm, collector);
    let contradiction = perf::contradiction(vm, reading.heap.max.map_or(u64::MAX, |max| max.0));
    match (&usage, contradiction) {
        (Ok(usage), None) => {
            reading.resolved = true;
            reading.heap.used = Some(Bytes(usage.used));
            reading.heap.committed = usage.committed.map(Bytes);
        }
        (Err(because), _) => reading.gaps.push(gap("the Java heap", because.clone())),
        (_, Some(because)) => reading.gaps.push(gap("the Java heap", because)),
    }
    let mut areas = Areas::default();
    areas.add_heap(vm, collector, usage.as_ref().ok());
    areas.add_machine(vm);
    let mut direct_max = None;
    match classes::classes(vm) {
        Ok(classes) => {
            match release(reading.version.as_deref()) {
                Some(release) => areas.add_metaspace(vm, &classes, release),
                None => areas.unknown.push(("where metaspace is", "the version is not told".to_owned())),
            }
            direct_max = buffers(vm, collector, &classes, reading);
        }
        Err(because) => {
            // Classes that were loaded since the page table was read are not in memory for us.
            vm.tore(Tear::Contradiction(because.clone()));
            reading.gaps.push(gap("classes, metaspace and direct buffers", because));
        }
    }
    reading.tear = vm.tear();
    reading.areas = areas.areas;
    reading.gaps.extend(areas.unknown.into_iter().map(|(what, because)| gap(what, because)));
    reading.flags = settings::effective(&vm.flags, vm.target, direct_max);
    reading.flags.extend(settings::memory_seen(&vm.flags).map(|seen| EffectiveFlag {
        name: MEMORY_SEEN.to_owned(),
        value: seen.to_string(),
        from: "ergonomics".to_owned(),
    }));
}

/// Direct buffers: java.nio's, and Netty's own beside. Gives the most that java.nio allows.
fn buffers(vm: &Vm<'_>, collector: Collector, classes: &[classes::Class], reading: &mut Reading) -> Option<u64> {
    match direct::netty(vm, collector, classes) {
        Some(Ok(bytes)) => reading.inside.push(Inside { part: PartKind::Malloc, name: NETTY, bytes: Bytes(bytes) }),
        Some(Err(because)) => reading.gaps.push(gap("Netty's direct buffers", because)),
        None => {}
    }
    match direct::direct(vm, collector, classes) {
        Ok(direct) => {
            reading.direct = Some(Bytes(direct.reserved));
            direct.max
        }
        Err(because) => {
            reading.gaps.push(gap("direct buffers", because));
            None
        }
    }
}

/// The JDK's version, out of `OpenJDK 64-Bit Server VM (25.392-b08) for linux-amd64 JRE (1.8.0_392-b08), built on ..`.
fn version(vm: &Vm<'_>) -> Option<String> {
    let sentence = vm.text("Abstract_VM_Version::_s_internal_vm_info_string");
    let behind = sentence.as_deref().and_then(|sentence| sentence.split_once("JRE ("));
    let named = behind.and_then(|(_, behind)| behind.split_once(')')).map(|(version, _)| version.to_owned());
    named.or_else(|| vm.text("Abstract_VM_Version::_s_vm_release"))
}

/// The feature release: 8 of `1.8.0_392`, 17 of `17.0.9+9`.
fn release(version: Option<&str>) -> Option<u32> {
    let version = version?;
    let version = version.strip_prefix("1.").unwrap_or(version);
    version.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

fn gap(what: &str, because: String) -> Gap {
    Gap { what: what.to_owned(), because, command: String::new() }
}
