//! Java objects: what a reference means, and whether what it points to is still the object.

use super::classes::Class;
use super::heap::Collector;
use super::perf;
use super::vm::{Read, Vm};
use crate::runtime::Memory;

/// The two lowest bits of an object's first word: it was moved, and the rest says where to (markWord.hpp).
const FORWARDED: u64 = 3;

/// With compact headers (JDK 24 on) the class stands in the upper 22 bits of the first word (markWord.hpp).
const COMPACT_CLASS_SHIFT: u32 = 42;

/// A compressed reference in the lower half of a word.
const NARROW: u64 = 0xffff_ffff;

/// Reads objects of one virtual machine.
pub(super) struct Objects<'v, 'a> {
    vm: &'v Vm<'a>,
    collector: Collector,
}

impl<'v, 'a> Objects<'v, 'a> {
    pub(super) const fn new(vm: &'v Vm<'a>, collector: Collector) -> Self {
        Self { vm, collector }
    }

    /// The mirror of a class, where its static fields are. It leads back to its class.
    pub(super) fn mirror(&self, class: Class) -> Read<u64> {
        let mirror = self.follow(self.mirror_reference(class)?)?;
        let back = self.vm.structs.address("java_lang_Class::_klass_offset").and_then(|at| self.vm.pages.u32(at));
        let back = back.ok_or("this version does not export java_lang_Class::_klass_offset")?;
        let is_of_class = self.word(mirror.saturating_add(u64::from(back)))? == class.at;
        if is_of_class { Ok(mirror) } else { Err("the mirror of a class was moved".to_owned()) }
    }

    /// Up to JDK 8 it stands in the class, since then the class knows where it stands.
    fn mirror_reference(&self, class: Class) -> Read<u64> {
        let mirror = self.vm.word(class.at, "Klass::_java_mirror")?;
        let by_handle = self.vm.structs.kind("Klass::_java_mirror") == Some("OopHandle");
        let reference = if by_handle { self.vm.target.memory.u64(mirror) } else { Some(mirror) };
        reference.ok_or_else(|| "the mirror of a class is not in memory".to_owned())
    }

    /// The static field at `at` of `class` leads to where its object is now, by the colours of the references on the
    /// way. Without ZGC it always does.
    pub(super) fn is_current(&self, class: Class, at: u64) -> Read<bool> {
        if !self.collector.is_zgc() {
            return Ok(true);
        }
        let bad = self.zgc_global(self.bad_mask())?;
        Ok((self.mirror_reference(class)? | self.word(at)?) & bad == 0)
    }

    /// The object that a field at `at` refers to, which is of the class `of`.
    pub(super) fn object(&self, at: u64, of: Class) -> Read<u64> {
        let object = if self.vm.flags.is_on("UseCompressedOops") {
            let base = self
                .vm
                .global("Universe::_narrow_oop._base|CompressedOops::_narrow_oop._base|CompressedOops::_base")?;
            let shift =
                self.shift("Universe::_narrow_oop._shift|CompressedOops::_narrow_oop._shift|CompressedOops::_shift")?;
            let narrow = self.word(at)? & NARROW;
            if narrow == 0 {
                return Err("the object is not made yet".to_owned());
            }
            self.unmoved(base.saturating_add(narrow << shift))?
        } else {
            self.follow(self.word(at)?)?
        };
        if self.class_of(object)? == of.at { Ok(object) } else { Err("the object is not what it should be".to_owned()) }
    }

    /// The field at `at` refers to nothing.
    pub(super) fn is_null(&self, at: u64) -> Read<bool> {
        let reference = self.word(at)?;
        Ok(match self.collector {
            _ if self.vm.flags.is_on("UseCompressedOops") => reference & NARROW == 0,
            // Null is coloured, too.
            Collector::GenerationalZgc => self.uncoloured(reference)? == 0,
            _ => reference == 0,
        })
    }

    /// Eight bytes of an object. ZGC without generations maps its heap in three places, and a page table knows only the
    /// places that were used.
    pub(super) fn word(&self, at: u64) -> Read<u64> {
        let memory = self.vm.target.memory;
        let elsewhere = || {
            let here = self.vm.target.mapping_at(at).filter(|_| self.collector.is_zgc())?;
            let offset = (at - here.start).saturating_add(here.offset);
            let views =
                self.vm.target.mappings.iter().filter(|view| view.inode == here.inode && view.name == here.name);
            let mut places = views
                .filter_map(|view| Some(view.start + offset.checked_sub(view.offset)?).filter(|at| view.holds(*at)));
            places.find_map(|at| memory.u64(at))
        };
        memory.u64(at).or_else(elsewhere).ok_or_else(|| "the object is not in memory".to_owned())
    }

    /// Where an uncompressed reference points to.
    fn follow(&self, reference: u64) -> Read<u64> {
        if reference == 0 {
            return Err("the object is not made yet".to_owned());
        }
        if !self.collector.is_zgc() {
            return self.unmoved(reference);
        }
        // A reference whose colour is not this phase's may lead to where its object was. While no collection is under
        // way it leads to the object itself or to memory that is free, which the object's class tells apart.
        if reference & self.zgc_global(self.bad_mask())? != 0 && perf::is_idle(self.vm) != Some(true) {
            return Err("a collection is under way, and the object may have been moved".to_owned());
        }
        if self.collector == Collector::GenerationalZgc { self.uncoloured(reference) } else { Ok(reference) }
    }

    /// The colours that are not this phase's.
    const fn bad_mask(&self) -> &'static str {
        match self.collector {
            Collector::GenerationalZgc => "ZGlobalsForVMStructs::_ZPointerLoadBadMask",
            _ => "XGlobalsForVMStructs::_XAddressBadMask|ZGlobalsForVMStructs::_ZAddressBadMask",
        }
    }

    /// The address in a reference of generational ZGC. Its low bits are its colour: exactly one of four tells in which
    /// phase it was made, and on x86-64 the address begins right above that bit (`ZPointerLoadShiftTable`, zAddress.hpp,
    /// JDK 21); elsewhere it begins at one place.
    fn uncoloured(&self, reference: u64) -> Read<u64> {
        let good = self.zgc_global("ZGlobalsForVMStructs::_ZPointerLoadGoodMask")?;
        let phases = good | self.zgc_global("ZGlobalsForVMStructs::_ZPointerLoadBadMask")?;
        let now = u32::try_from(self.zgc_global("ZGlobalsForVMStructs::_ZPointerLoadShift")?).unwrap_or(u32::MAX);
        let phase = reference & phases;
        let shift = match phase.count_ones() {
            // Null has none.
            0 => return Ok(0),
            1 if good.trailing_zeros() + 1 == now => phase.trailing_zeros() + 1,
            1 => now,
            _ => return Err("a reference of ZGC has two colours".to_owned()),
        };
        reference.checked_shr(shift).ok_or_else(|| "the shift of ZGC's references does not make sense".to_owned())
    }

    /// A variable of ZGC, which exports where it is.
    fn zgc_global(&self, names: &str) -> Read<u64> {
        let instance =
            self.vm.global(if names.starts_with('X') && self.vm.has("XGlobalsForVMStructs::_instance_p") {
                "XGlobalsForVMStructs::_instance_p"
            } else {
                "ZGlobalsForVMStructs::_instance_p"
            })?;
        let at = self.vm.word(instance, names)?;
        self.vm.target.memory.u64(at).ok_or_else(|| format!("the page of {names} is not in memory"))
    }

    /// Where the object is now: Shenandoah leaves its new place behind.
    fn unmoved(&self, object: u64) -> Read<u64> {
        let mark = self.word(object)?;
        Ok(if mark & FORWARDED == FORWARDED { mark & !FORWARDED } else { object })
    }

    /// The address of an object's class.
    fn class_of(&self, object: u64) -> Read<u64> {
        let compact = self.vm.flags.is_on("UseCompactObjectHeaders");
        let narrow = if compact {
            self.word(object)? >> COMPACT_CLASS_SHIFT
        } else {
            let word = self.word(object.saturating_add(8))?;
            if !self.vm.flags.is_on("UseCompressedClassPointers") {
                return Ok(word);
            }
            word & NARROW
        };
        let base = self.vm.global(
            "Universe::_narrow_klass._base|CompressedKlassPointers::_narrow_klass._base|CompressedKlassPointers::_base",
        )?;
        let shift = self.shift(
            "Universe::_narrow_klass._shift|CompressedKlassPointers::_narrow_klass._shift|CompressedKlassPointers::_shift",
        )?;
        Ok(base.saturating_add(narrow << shift))
    }

    /// A C `int`, less than 32.
    fn shift(&self, names: &str) -> Read<u32> {
        let at = self.vm.structs.address(names).ok_or_else(|| format!("this version does not export {names}"))?;
        let shift = self.vm.target.memory.u32(at).filter(|shift| *shift < 32);
        shift.ok_or_else(|| format!("{names} does not make sense"))
    }
}
