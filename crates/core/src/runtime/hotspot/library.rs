//! libjvm.so as it is mapped: where its exported symbols stand in the process, and its constants.
//!
//! Names of fields and flags lie in pages that the process itself hardly ever touches, so they may be nowhere in its
//! memory; the file has them all.

use std::collections::HashMap;

use object::read::elf::{ElfFile64, FileHeader, ProgramHeader};
use object::{Endianness, Object, ObjectSymbol, ReadCache, ReadRef};

use crate::process::Mapping;
use crate::runtime::{Image, Target};

/// Bytes of the file read at once.
const BLOCK: u64 = 16 << 10;

/// The longest constant that is read.
const TEXT_MAX: usize = 4096;

/// A mapped ELF file.
pub(super) struct Library<'a> {
    file: ReadCache<Box<dyn Image + 'a>>,
    length: u64,
    /// What is added to an address of the file.
    base: u64,
    /// Its parts that are never written to: address in the file, length, place in the file.
    constants: Vec<(u64, u64, u64)>,
    symbols: HashMap<String, u64>,
}

impl<'a> Library<'a> {
    /// Opens the file behind `mapping`, the one of its offset 0, and keeps the symbols whose names begin with `prefix`.
    pub(super) fn open(target: &'a Target<'a>, mapping: &Mapping, prefix: &str) -> Result<Self, String> {
        let mut image = target.images.open(mapping).ok_or_else(|| format!("{} cannot be opened", mapping.name))?;
        let length = image.seek(std::io::SeekFrom::End(0)).map_err(|e| format!("{}: {e}", mapping.name))?;
        let file = ReadCache::new(image);
        let broken = |e: object::Error| format!("{} is no ELF file that can be read: {e}", mapping.name);
        let elf = ElfFile64::<Endianness, _>::parse(&file).map_err(broken)?;
        let endian = elf.endian();
        let headers = elf.elf_header().program_headers(endian, &file).map_err(broken)?;
        let loaded = || headers.iter().filter(|header| header.p_type(endian) == object::elf::PT_LOAD);
        let first = loaded().next().ok_or_else(|| format!("{} has nothing to load", mapping.name))?;
        let page = target.page.max(1);
        let (address, offset) = (first.p_vaddr(endian), first.p_offset(endian));
        let base = (mapping.start.wrapping_sub(mapping.offset)).wrapping_sub(address - address % page);
        let base = base.wrapping_add(offset - offset % page);
        let constants = loaded()
            .filter(|header| header.p_flags(endian) & object::elf::PF_W == object::elf::ProgramFlags::default())
            .map(|header| (header.p_vaddr(endian), header.p_filesz(endian), header.p_offset(endian)))
            .collect();
        let symbols = elf
            .dynamic_symbols()
            .filter_map(|symbol| Some((symbol.name().ok()?.to_owned(), base.wrapping_add(symbol.address()))))
            .filter(|(name, _)| name.starts_with(prefix))
            .collect();
        Ok(Self { file, length, base, constants, symbols })
    }

    /// Where a symbol stands in the process.
    pub(super) fn symbol(&self, name: &str) -> Option<u64> {
        self.symbols.get(name).copied()
    }

    /// The text at an address of the process, if that is one of the library's constants.
    pub(super) fn text(&self, address: u64) -> Option<String> {
        let here = address.wrapping_sub(self.base);
        let (start, length, offset) =
            self.constants.iter().copied().find(|(start, length, _)| here.wrapping_sub(*start) < *length)?;
        let mut at = offset.checked_add(here - start)?;
        let end = offset.checked_add(length)?.min(self.length);
        let mut text = Vec::new();
        while at < end && text.len() < TEXT_MAX {
            let block = at - at % BLOCK;
            // Aligned and of one size, so that it is kept and found again.
            let bytes = (&self.file).read_bytes_at(block, BLOCK.min(self.length - block)).ok()?;
            let rest = bytes.get(usize::try_from(at - block).ok()?..)?;
            if let Some(end) = memchr::memchr(0, rest) {
                text.extend_from_slice(&rest[..end]);
                return String::from_utf8(text).ok();
            }
            text.extend_from_slice(rest);
            at = block + BLOCK;
        }
        None
    }
}
