//! The virtual machine's flags, as they stand.

use std::collections::HashMap;

use super::library::Library;
use super::structs::Structs;
use super::vm::Read;
use crate::runtime::Memory;

/// More flags than any version has (JDK 8, debug: about 1 300; JDK 25: about 1 500).
const FLAGS_MAX: u64 = 8192;

/// Larger than any version's `JVMFlag`, in bytes.
const FLAG_SIZE_MAX: u64 = 256;

/// JDK 8 to 11 name a flag's type; later ones number it (src/hotspot/share/runtime/flags/jvmFlag.hpp, 17).
const TYPES: [&str; 10] =
    ["bool", "int", "uint", "intx", "uintx", "uint64_t", "size_t", "double", "ccstr", "ccstrlist"];

/// Where a flag's value came from: the low four bits of `_flags` (`JVMFlagOrigin`, jvmFlag.hpp; the same numbers since
/// JDK 8's `Flag::Flags`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    Default,
    CommandLine,
    Environment,
    ConfigFile,
    Management,
    Ergonomics,
    Attach,
    Internal,
}

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Bool(bool),
    Signed(i64),
    Unsigned(u64),
    Double(f64),
    Text(String),
}

/// A flag.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Flag {
    pub(super) value: Value,
    pub(super) origin: Origin,
}

/// All flags that this build has, by name; a build without some collector lacks its flags.
#[derive(Debug, Default)]
pub(super) struct Flags(HashMap<String, Flag>);

impl Flags {
    pub(super) fn read(structs: &Structs, library: &Library<'_>, memory: &dyn Memory) -> Read<Self> {
        let offset = |names: &str| {
            let offset = structs.offset(names).and_then(|offset| usize::try_from(offset).ok());
            offset.ok_or_else(|| format!("this version does not export {names}"))
        };
        let global = |names: &str| structs.address(names).and_then(|at| memory.u64(at)).ok_or("no table of flags");
        let size = structs.size("JVMFlag|Flag").unwrap_or(0);
        let count = global("JVMFlag::numFlags|Flag::numFlags")?;
        if !(16..=FLAG_SIZE_MAX).contains(&size) || count > FLAGS_MAX {
            return Err(format!("{count} flags of {size} bytes each are not known"));
        }
        let size = usize::try_from(size).map_err(|e| e.to_string())?;
        let length = usize::try_from(count).map_err(|e| e.to_string())?.saturating_mul(size);
        let table = memory.bytes(global("JVMFlag::flags|Flag::flags")?, length).ok_or("the flags are not in memory")?;
        let name = offset("JVMFlag::_name|Flag::_name")?;
        let address = offset("JVMFlag::_addr|Flag::_addr")?;
        let origin = offset("JVMFlag::_flags|Flag::_flags")?;
        let kind = offset("JVMFlag::_type|Flag::_type")?;
        let numbered = structs.kind("JVMFlag::_type").is_some_and(|kind| kind == "int");
        let mut flags = HashMap::new();
        for entry in table.chunks_exact(size) {
            let text = |at: u64| library.text(at).or_else(|| memory.text(at));
            let Some(name) = word(entry, name).and_then(text) else { continue };
            let kind = if numbered {
                half(entry, kind).and_then(|kind| TYPES.get(usize::try_from(kind).ok()?)).map(|&kind| kind.to_owned())
            } else {
                word(entry, kind).and_then(text)
            };
            let value = word(entry, address).and_then(|at| value(kind.as_deref()?, at, memory));
            let origin = half(entry, origin).map(|bits| Origin::of(bits & 15));
            if let (Some(value), Some(origin)) = (value, origin) {
                flags.insert(name, Flag { value, origin });
            }
        }
        let flags = Self(flags);
        // Two that every version has, of types that are numbered far apart.
        let heap = flags.bytes("MaxHeapSize").unwrap_or(0);
        let switch = flags.get("UseCompressedOops");
        if heap == 0 || !matches!(switch, Some(Flag { value: Value::Bool(_), .. })) {
            return Err("the flags do not make sense".to_owned());
        }
        Ok(flags)
    }

    pub(super) fn get(&self, name: &str) -> Option<&Flag> {
        self.0.get(name)
    }

    /// The switch is there and on.
    pub(super) fn is_on(&self, name: &str) -> bool {
        matches!(self.get(name), Some(Flag { value: Value::Bool(true), .. }))
    }

    /// A size in bytes, or a count.
    pub(super) fn bytes(&self, name: &str) -> Option<u64> {
        match self.get(name)?.value {
            Value::Unsigned(value) => Some(value),
            Value::Signed(value) => u64::try_from(value).ok(),
            _ => None,
        }
    }
}

impl Origin {
    const fn of(bits: u32) -> Self {
        match bits {
            0 => Self::Default,
            1 => Self::CommandLine,
            2 => Self::Environment,
            3 => Self::ConfigFile,
            4 => Self::Management,
            5 => Self::Ergonomics,
            6 => Self::Attach,
            _ => Self::Internal,
        }
    }
}

/// The value at `at`, of HotSpot's type `kind` on a 64-bit machine. An unset text has none.
fn value(kind: &str, at: u64, memory: &dyn Memory) -> Option<Value> {
    Some(match kind {
        "bool" => match memory.u8(at)? {
            0 => Value::Bool(false),
            1 => Value::Bool(true),
            _ => return None,
        },
        "int" => Value::Signed(i64::from(memory.u32(at)?.cast_signed())),
        "uint" => Value::Unsigned(u64::from(memory.u32(at)?)),
        "intx" => Value::Signed(memory.u64(at)?.cast_signed()),
        "uintx" | "uint64_t" | "size_t" => Value::Unsigned(memory.u64(at)?),
        "double" => Value::Double(f64::from_bits(memory.u64(at)?)),
        "ccstr" => Value::Text(memory.u64(at).filter(|at| *at != 0).and_then(|at| memory.text(at))?),
        _ => return None,
    })
}

fn word(entry: &[u8], at: usize) -> Option<u64> {
    entry.get(at..at.checked_add(8)?)?.try_into().ok().map(u64::from_le_bytes)
}

fn half(entry: &[u8], at: usize) -> Option<u32> {
    entry.get(at..at.checked_add(4)?)?.try_into().ok().map(u32::from_le_bytes)
}
