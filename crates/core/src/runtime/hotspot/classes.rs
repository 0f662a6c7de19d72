//! All classes that are loaded: where they are and what they are called.

use std::collections::HashSet;

use super::vm::{Read, Vm};
use crate::runtime::Memory;

/// More class loaders than any program has.
const LOADERS_MAX: usize = 1 << 18;

/// More classes than fit into a class space of 3 GiB.
const CLASSES_MAX: usize = 4 << 20;

/// An `InstanceKlass`; arrays have no constants and are left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Class {
    /// The address of its `Klass`.
    pub(super) at: u64,
    /// Its constant pool.
    pub(super) constants: u64,
    /// Its name's `Symbol`.
    name: u64,
}

/// Walks all class loaders. JDK 8 does not export the list of a loader's classes, but has one dictionary of all.
pub(super) fn classes(vm: &Vm<'_>) -> Read<Vec<Class>> {
    let klasses = if vm.has("ClassLoaderData::_klasses") { by_loader(vm)? } else { by_dictionary(vm)? };
    let classes = klasses.into_iter().filter_map(|klass| class(vm, klass));
    Ok(classes.collect())
}

/// Loaders and classes are added in front while the walk goes on; these are missed.
fn by_loader(vm: &Vm<'_>) -> Read<Vec<u64>> {
    let mut klasses = Vec::new();
    let mut loaders = 0;
    let mut loader = vm.global("ClassLoaderDataGraph::_head")?;
    while loader != 0 {
        loaders += 1;
        let mut klass = vm.kept(loader, "ClassLoaderData::_klasses")?;
        while klass != 0 {
            klasses.push(klass);
            klass = vm.kept(klass, "Klass::_next_link")?;
            if klasses.len() > CLASSES_MAX {
                return Err("the list of classes does not end".to_owned());
            }
        }
        if loaders > LOADERS_MAX {
            return Err("the list of class loaders does not end".to_owned());
        }
        loader = vm.kept(loader, "ClassLoaderData::_next")?;
    }
    Ok(klasses)
}

/// `SystemDictionary`, a hash table from name and loader to class: a class stands in it once for each loader that was
/// asked for it.
fn by_dictionary(vm: &Vm<'_>) -> Read<Vec<u64>> {
    let dictionary = vm.global("SystemDictionary::_dictionary")?;
    let count = vm.half(dictionary, "BasicHashtable<mtInternal>::_table_size")?;
    let buckets = vm.word(dictionary, "BasicHashtable<mtInternal>::_buckets")?;
    let stride = vm.structs.size("HashtableBucket<mtInternal>").unwrap_or(8);
    let mut seen = HashSet::new();
    let mut klasses = Vec::new();
    for bucket in 0..u64::from(count).min(1 << 20) {
        let bucket = buckets.saturating_add(bucket.saturating_mul(stride));
        let mut entry = vm.kept(bucket, "HashtableBucket<mtInternal>::_entry")?;
        // The lowest bit marks entries of the shared archive.
        while entry & !1 != 0 {
            let klass = vm.kept(entry & !1, "IntptrHashtableEntry::_literal")?;
            if seen.insert(klass) {
                klasses.push(klass);
            }
            if klasses.len() > CLASSES_MAX {
                return Err("the dictionary of classes does not end".to_owned());
            }
            entry = vm.kept(entry & !1, "BasicHashtableEntry<mtInternal>::_next")?;
        }
    }
    Ok(klasses)
}

/// The class at `klass`, if it is one with fields and methods: the layout of arrays is negative.
fn class(vm: &Vm<'_>, klass: u64) -> Option<Class> {
    let layout = vm.pages.u32(vm.place(klass, "Klass::_layout_helper").ok()?)?;
    let constants = vm.kept(klass, "InstanceKlass::_constants").ok()?;
    let name = vm.kept(klass, "Klass::_name").ok()?;
    (layout.cast_signed() >= 0 && constants != 0 && name != 0).then_some(Class { at: klass, constants, name })
}

/// The first class of that name, with `/` between its packages, whichever loader it is of.
pub(super) fn find(vm: &Vm<'_>, classes: &[Class], name: &str) -> Option<Class> {
    classes.iter().find(|class| symbol_is(vm, class.name, name)).copied()
}

/// The `Symbol` says `text`.
pub(super) fn symbol_is(vm: &Vm<'_>, symbol: u64, text: &str) -> bool {
    let length = vm.place(symbol, "Symbol::_length").ok().and_then(|at| vm.pages.u16(at));
    if length.map(usize::from) != Some(text.len()) {
        return false;
    }
    let body = vm.place(symbol, "Symbol::_body[0]|Symbol::_body").ok();
    body.and_then(|at| vm.pages.bytes(at, text.len())).is_some_and(|bytes| bytes == text.as_bytes())
}
