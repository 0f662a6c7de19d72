//! Java programs whose virtual machine is another one: recognised, so that nobody waits for figures that cannot be had.

use object::read::elf::ElfFile64;
use object::{Endianness, Object, ReadCache};

use crate::runtime::Target;

/// OpenJ9's library, up to version 29 of its interface.
const OPENJ9: &str = "libj9vm";

/// The section that holds the objects that GraalVM's `native-image` made at build time, in every program it builds
/// (`SectionName.SVM_HEAP`, com.oracle.objectfile).
const NATIVE_IMAGE: &str = ".svm_heap";

/// What runs here instead of HotSpot; `None` where nothing of Java is seen.
pub(super) fn machine(target: &Target<'_>) -> Option<&'static str> {
    if target.mapping_of(|name| name.starts_with(OPENJ9)).is_some() {
        return Some("OpenJ9");
    }
    is_native_image(target).then_some("a GraalVM native image")
}

/// The program itself is one.
fn is_native_image(target: &Target<'_>) -> bool {
    let program = target.mappings.iter().find(|mapping| mapping.inode != 0 && mapping.offset == 0);
    let Some(image) = program.and_then(|program| target.images.open(program)) else { return false };
    let file = ReadCache::new(image);
    let Ok(elf) = ElfFile64::<Endianness, _>::parse(&file) else { return false };
    elf.section_by_name(NATIVE_IMAGE).is_some()
}
