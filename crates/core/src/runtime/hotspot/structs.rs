//! The table of its own fields that HotSpot exports for its serviceability agent: `gHotSpotVMStructs`, in every version
//! since JDK 6 (src/hotspot/share/runtime/vmStructs.cpp).

use std::collections::HashMap;

use super::library::Library;
use crate::runtime::Memory;

/// More entries than any version has (JDK 11: 837).
const ENTRIES_MAX: usize = 8192;

/// Larger than any version's entry, in bytes.
const STRIDE_MAX: u64 = 256;

/// A C `int` in the lower half of a word.
const INT: u64 = 0xffff_ffff;

/// Where the fields of HotSpot's types are, under names such as `CollectedHeap::_reserved`.
#[derive(Debug, Default)]
pub(super) struct Structs {
    offsets: HashMap<String, u64>,
    statics: HashMap<String, u64>,
    kinds: HashMap<String, String>,
    sizes: HashMap<String, u64>,
}

impl Structs {
    pub(super) fn read(library: &Library<'_>, memory: &dyn Memory) -> Result<Self, String> {
        let mut structs = Self::default();
        let constant = |name: &str| {
            let at = library.symbol(name).ok_or_else(|| format!("{name} is not exported"))?;
            memory.u64(at).ok_or_else(|| format!("{name} is not in memory"))
        };
        let column = |name: &str| constant(name).and_then(|offset| usize::try_from(offset).map_err(|e| e.to_string()));
        let [type_name, field_name, kind, is_static, offset, address] =
            ["TypeName", "FieldName", "TypeString", "IsStatic", "Offset", "Address"]
                .map(|name| column(&format!("gHotSpotVMStructEntry{name}Offset")));
        let (type_name, field_name, kind) = (type_name?, field_name?, kind?);
        let (is_static, offset, address) = (is_static?, offset?, address?);
        let text = |at: u64| library.text(at).or_else(|| memory.text(at));
        let table = constant("gHotSpotVMStructs")?;
        for entry in entries(memory, table, constant("gHotSpotVMStructEntryArrayStride")?, type_name)? {
            let (Some(owner), Some(field)) = (text(word(&entry, type_name)), text(word(&entry, field_name))) else {
                continue;
            };
            let name = format!("{owner}::{field}");
            structs.kinds.insert(name.clone(), text(word(&entry, kind)).unwrap_or_default());
            if word(&entry, is_static) & INT == 0 {
                structs.offsets.insert(name, word(&entry, offset));
            } else {
                structs.statics.insert(name, word(&entry, address));
            }
        }
        let (type_name, size) =
            (column("gHotSpotVMTypeEntryTypeNameOffset")?, column("gHotSpotVMTypeEntrySizeOffset")?);
        let table = constant("gHotSpotVMTypes")?;
        for entry in entries(memory, table, constant("gHotSpotVMTypeEntryArrayStride")?, type_name)? {
            if let Some(name) = text(word(&entry, type_name)) {
                structs.sizes.insert(name, word(&entry, size));
            }
        }
        Ok(structs)
    }

    /// The offset of a field in its object. `names` are its names in different versions, between `|`.
    pub(super) fn offset(&self, names: &str) -> Option<u64> {
        names.split('|').find_map(|name| self.offsets.get(name).copied())
    }

    /// The address of a static field.
    pub(super) fn address(&self, names: &str) -> Option<u64> {
        names.split('|').find_map(|name| self.statics.get(name).copied())
    }

    /// The field's type in C++.
    pub(super) fn kind(&self, name: &str) -> Option<&str> {
        self.kinds.get(name).map(String::as_str)
    }

    /// The size of a type in bytes.
    pub(super) fn size(&self, names: &str) -> Option<u64> {
        names.split('|').find_map(|name| self.sizes.get(name).copied())
    }
}

/// The entries of a table up to the one without a name.
fn entries(memory: &dyn Memory, table: u64, stride: u64, name: usize) -> Result<Vec<Vec<u8>>, String> {
    let length = usize::try_from(stride).unwrap_or(usize::MAX);
    if !(16..=STRIDE_MAX).contains(&stride) || name.saturating_add(8) > length {
        return Err(format!("a table of vmStructs with entries of {stride} bytes is not known"));
    }
    let mut entries = Vec::new();
    let mut at = table;
    while entries.len() < ENTRIES_MAX {
        let entry = memory.bytes(at, length).ok_or("the table of vmStructs is not in memory")?;
        if word(&entry, name) == 0 {
            return Ok(entries);
        }
        entries.push(entry);
        at = at.saturating_add(stride);
    }
    Err("the table of vmStructs does not end".to_owned())
}

/// Eight bytes; zero where the entry ends before.
fn word(entry: &[u8], at: usize) -> u64 {
    let bytes = at.checked_add(8).and_then(|end| entry.get(at..end));
    bytes.and_then(|bytes| bytes.try_into().ok()).map_or(0, u64::from_le_bytes)
}
