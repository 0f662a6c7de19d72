//! OpenJDK's virtual machine, JDK 8 to 25, through the table of fields that it exports for its serviceability agent.

use self::heap::Collector;
use self::library::Library;
use self::vm::Vm;
use super::{Name, Reading, Runtime, Target};
use crate::fact::Gap;
use crate::units::Bytes;

mod flags;
mod heap;
mod library;
mod pages;
mod structs;
mod vm;

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
    match heap::usage(vm, collector) {
        Ok(usage) => {
            reading.resolved = true;
            reading.heap.used = Some(Bytes(usage.used));
            reading.heap.committed = usage.committed.map(Bytes);
        }
        Err(because) => reading.gaps.push(gap("the Java heap", because)),
    }
}

/// The JDK's version, out of `OpenJDK 64-Bit Server VM (25.392-b08) for linux-amd64 JRE (1.8.0_392-b08), built on ..`.
fn version(vm: &Vm<'_>) -> Option<String> {
    let sentence = vm.text("Abstract_VM_Version::_s_internal_vm_info_string");
    let behind = sentence.as_deref().and_then(|sentence| sentence.split_once("JRE ("));
    let named = behind.and_then(|(_, behind)| behind.split_once(')')).map(|(version, _)| version.to_owned());
    named.or_else(|| vm.text("Abstract_VM_Version::_s_vm_release"))
}

fn gap(what: &str, because: String) -> Gap {
    Gap { what: what.to_owned(), because, command: String::new() }
}
