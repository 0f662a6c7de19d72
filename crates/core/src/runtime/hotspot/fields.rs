//! Where a class's fields are in its objects (static ones: in its mirror, the object of `java.lang.Class`).

use super::classes::{Class, symbol_is};
use super::vm::{Read, Vm};
use crate::runtime::Memory;

/// Longer than the fields of any class: 65 535 of them.
const STREAM_MAX: u32 = 4 << 20;

/// The offset of the field called by one of `names` (between `|`, as they changed with versions).
pub(super) fn offset(vm: &Vm<'_>, class: Class, names: &str) -> Read<u64> {
    let offset = if vm.has("InstanceKlass::_fields") { tuples(vm, class, names) } else { stream(vm, class, names) };
    offset?.ok_or_else(|| format!("the class has no field {names}"))
}

/// The constant at `index` is a symbol that says one of `names`.
fn is_called(vm: &Vm<'_>, class: Class, index: u64, names: &str) -> bool {
    let header = vm.structs.size("ConstantPool");
    let at = header.and_then(|header| class.constants.checked_add(header)?.checked_add(index.checked_mul(8)?));
    // Bit 0 marks what is no symbol.
    let symbol = at.and_then(|at| vm.pages.u64(at)).map(|symbol| symbol & !1);
    symbol.is_some_and(|symbol| names.split('|').any(|name| symbol_is(vm, symbol, name)))
}

/// Up to JDK 20: six shorts each, access flags, name, signature, initial value, and an offset in two halves whose lowest
/// two bits are a tag (`FieldInfo`, oops/fieldInfo.hpp).
fn tuples(vm: &Vm<'_>, class: Class, names: &str) -> Read<Option<u64>> {
    let array = vm.kept(class.at, "InstanceKlass::_fields")?;
    let shorts = array_of(vm, array, "Array<u2>::_data", 2)?;
    let shorts: Vec<u64> = shorts.chunks_exact(2).map(|two| u64::from(u16::from_le_bytes([two[0], two[1]]))).collect();
    let count = vm.place(class.at, "InstanceKlass::_java_fields_count").ok().and_then(|at| vm.pages.u16(at));
    let fields = shorts.chunks_exact(6).take(usize::from(count.unwrap_or(0)));
    let mut called = fields.filter(|field| is_called(vm, class, field[1], names));
    Ok(called.next().map(|field| (field[4] | field[5] << 16) >> 2))
}

/// From JDK 21 on: a stream of compressed numbers (`FieldInfoStream`, oops/fieldInfo.hpp): how many fields, how many
/// injected ones, then for each name, signature, offset, access flags and flags that tell which numbers follow.
fn stream(vm: &Vm<'_>, class: Class, names: &str) -> Read<Option<u64>> {
    /// Flags after which one more number follows: an initial value, a generic signature, a contended group.
    const MORE: [u32; 3] = [1 << 0, 1 << 2, 1 << 4];
    let array = vm.kept(class.at, "InstanceKlass::_fieldinfo_stream")?;
    let bytes = array_of(vm, array, "Array<u1>::_data", 1)?;
    let mut numbers = Unsigned5(&bytes);
    let broken = || "the fields of a class do not make sense".to_owned();
    let count = numbers.next().ok_or_else(broken)?;
    let _injected = numbers.next().ok_or_else(broken)?;
    for _ in 0..count {
        let mut number = || numbers.next().ok_or_else(broken);
        let (name, _signature, offset, _access, flags) = (number()?, number()?, number()?, number()?, number()?);
        for _ in MORE.iter().filter(|bit| flags & **bit != 0) {
            number()?;
        }
        if is_called(vm, class, u64::from(name), names) {
            return Ok(Some(u64::from(offset)));
        }
    }
    Ok(None)
}

/// The elements of a HotSpot `Array`: its length stands in front.
fn array_of(vm: &Vm<'_>, array: u64, data: &str, size: u32) -> Read<Vec<u8>> {
    let length = vm.pages.u32(array).filter(|length| *length <= STREAM_MAX / size);
    let length = length.ok_or("the fields of a class are not in memory")?;
    let bytes = vm.pages.bytes(vm.place(array, data)?, usize::try_from(length * size).unwrap_or(usize::MAX));
    bytes.ok_or_else(|| "the fields of a class are not in memory".to_owned())
}

/// HotSpot's compressed numbers (utilities/unsigned5.hpp): bytes 1 to 191 end a number, those above go on, each six bits
/// higher; no byte is zero; five bytes at most.
struct Unsigned5<'a>(&'a [u8]);

impl Iterator for Unsigned5<'_> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        const LAST: u32 = 191;
        let mut number = 0_u32;
        for place in 0..5 {
            let (byte, rest) = self.0.split_first()?;
            let digit = u32::from(*byte).checked_sub(1)?;
            self.0 = rest;
            number = number.wrapping_add(digit << (6 * place));
            if digit < LAST {
                break;
            }
        }
        Some(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compressed_numbers_are_decoded_as_hotspot_encodes_them() {
        // 0; 190; 191 as two bytes (191 + 0 << 6); 255 (191 + 1 << 6); a zero byte ends it.
        let bytes = [1, 191, 192, 1, 192, 2, 0];
        assert_eq!(Unsigned5(&bytes).collect::<Vec<_>>(), [0, 190, 191, 255]);
        assert_eq!(Unsigned5(&[255, 255, 255, 255, 255]).next().map(|number| number > 1 << 24), Some(true));
        assert_eq!(Unsigned5(&[255]).next(), None);
    }
}
