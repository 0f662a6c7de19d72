//! The ELF files that a process maps: their symbols, as addresses in it, and their constants.
//!
//! Only the tables that are asked for are read: images of 100 MB are ordinary.

use std::io::SeekFrom;

use aho_corasick::packed;
use object::elf::{
    EM_X86_64, FileHeader64, PT_LOAD, SHF_EXECINSTR, SHN_UNDEF, SHT_DYNSYM, SHT_SYMTAB, STB_LOCAL, SectionHeader64,
    Sym64,
};
use object::read::elf::{FileHeader, ProgramHeader, SectionHeader, SectionTable, Sym};
use object::read::{ReadCache, ReadRef};
use object::{LittleEndian, SectionIndex};

use super::exports::{Exports, SYMBOL};
use super::{Image, Target};
use crate::process::Mapping;

/// The file behind a mapping, with what was read of it.
pub(super) type File<'a> = ReadCache<Box<dyn Image + 'a>>;

/// Tables larger than this are left alone: those of real programs stay far below.
const TABLE_MAX: u64 = 256 << 20;

/// Read and searched at once: it fits into the processor's cache.
const WINDOW: usize = 128 << 10;

/// Opens the file behind `mapping`.
pub(super) fn open<'a>(target: &Target<'a>, mapping: &Mapping) -> Option<File<'a>> {
    target.images.open(mapping).map(ReadCache::new)
}

/// An ELF file as it is loaded.
pub(super) struct Elf<'a, 'f> {
    file: &'a File<'f>,
    sections: SectionTable<'a, FileHeader64<LittleEndian>, &'a File<'f>>,
    bias: u64,
    amd64: bool,
}

/// A table of symbols.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Table {
    /// `.dynsym`: what is exported; it survives stripping.
    Exported,
    /// `.symtab`: all, where it was not stripped.
    All,
}

/// Something that the file defines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Symbol {
    /// Its address in the process.
    pub address: u64,
    /// Its size in bytes, where the file tells.
    pub size: u64,
}

impl<'a, 'f> Elf<'a, 'f> {
    /// Reads the headers. `first` maps the file's beginning. `None` for what is no little-endian 64-bit ELF file.
    pub(super) fn parse(file: &'a File<'f>, first: &Mapping) -> Option<Self> {
        let header = FileHeader64::<LittleEndian>::parse(file).ok()?;
        let endian = header.endian().ok()?;
        let segments = header.program_headers(endian, file).ok()?;
        let loaded = segments.iter().find(|segment| segment.p_type(endian) == PT_LOAD)?;
        // Below the first address by as much as the segment lies behind the file's beginning.
        let begins_at = loaded.p_vaddr(endian).checked_sub(loaded.p_offset(endian))?;
        let bias = first.start.wrapping_sub(begins_at);
        (first.offset == 0).then_some(())?;
        let amd64 = header.e_machine(endian) == EM_X86_64;
        Some(Self { file, sections: header.sections(endian, file).ok()?, bias, amd64 })
    }

    /// The symbols of these names that the file defines for others, in the order of the names.
    pub(super) fn symbols<const N: usize>(&self, table: Table, names: [&str; N]) -> [Option<Symbol>; N] {
        if table == Table::Exported
            && let Some(exports) = Exports::of(&self.sections)
        {
            return names.map(|name| exports.find(self.file, name).map(|symbol| self.symbol(symbol)));
        }
        let mut found = [None; N];
        let Some((symbols, strings)) = self.table(table) else { return found };
        // One pass over the strings tells for most files that there is nothing to look for.
        let wanted = names.map(|name| memchr::memmem::find(strings, terminated(name).as_slice()).is_some());
        if !wanted.contains(&true) {
            return found;
        }
        let endian = LittleEndian;
        for symbol in symbols {
            if symbol.st_shndx(endian) == SHN_UNDEF || symbol.st_bind() == STB_LOCAL {
                continue;
            }
            let name =
                usize::try_from(symbol.st_name(endian)).ok().and_then(|at| strings.get(at..)).unwrap_or_default();
            for position in (0..N).filter(|position| wanted[*position]) {
                let is = name.strip_prefix(names[position].as_bytes()).is_some_and(|rest| rest.first() == Some(&0));
                if is {
                    found[position] = Some(self.symbol(symbol));
                }
            }
        }
        found
    }

    fn symbol(&self, symbol: &Sym64<LittleEndian>) -> Symbol {
        let address = self.bias.wrapping_add(symbol.st_value(LittleEndian));
        Symbol { address, size: symbol.st_size(LittleEndian) }
    }

    /// Whether the table's strings hold any of these names, whatever it is of. They are read piece by piece from
    /// `image`, the same file, and not kept: those of a large program take many megabytes.
    pub(super) fn mentions(&self, image: &mut dyn Image, table: Table, names: &[&str]) -> bool {
        let Some(strings) = self.strings(table) else { return false };
        let (start, size) = (strings.sh_offset(LittleEndian), strings.sh_size(LittleEndian));
        if size > TABLE_MAX || image.seek(SeekFrom::Start(start)).is_err() {
            return false;
        }
        // What ends with another name is found with that.
        let shortest = names.iter().filter(|name| !names.iter().any(|it| it != *name && name.ends_with(it)));
        let needles: Vec<Vec<u8>> = shortest.map(|name| terminated(name)).collect();
        // All of them in one pass, where the processor can: a quarter of the time of a pass for each.
        let together = packed::Searcher::new(&needles);
        let finders: Vec<_> = needles.iter().map(memchr::memmem::Finder::new).collect();
        let holds_one = |text: &[u8]| match &together {
            Some(searcher) => searcher.find(text).is_some(),
            None => finders.iter().any(|finder| finder.find(text).is_some()),
        };
        let overlap = needles.iter().map(Vec::len).max().unwrap_or(0);
        let mut window = vec![0; WINDOW + overlap];
        let (mut kept, mut left) = (0, size);
        while left > 0 {
            let length = usize::try_from(left).unwrap_or(WINDOW).min(WINDOW);
            if image.read_exact(&mut window[kept..kept + length]).is_err() {
                return false;
            }
            let filled = &window[..kept + length];
            if holds_one(filled) {
                return true;
            }
            let from = filled.len().saturating_sub(overlap);
            kept = filled.len() - from;
            window.copy_within(from..from + kept, 0);
            left -= length as u64;
        }
        false
    }

    /// All that is global in the file is exported too, so that the table of all symbols hides none: programs that others
    /// load themselves into are linked like this (`ld --export-dynamic`). A copied variable is exported by each of its
    /// names, so that the exported ones may be some more.
    pub(super) fn exports_all(&self) -> bool {
        let globals = |table| {
            let section = self.symbols_of(table)?;
            (section.sh_size(LittleEndian) / SYMBOL).checked_sub(u64::from(section.sh_info(LittleEndian)))
        };
        globals(Table::Exported).zip(globals(Table::All)).is_some_and(|(exported, all)| exported >= all)
    }

    /// A section by its name, where it is loaded.
    pub(super) fn section(&self, name: &str) -> Option<Symbol> {
        let (_, section) = self.sections.section_by_name(LittleEndian, name.as_bytes())?;
        let address = self.bias.wrapping_add(section.sh_addr(LittleEndian));
        Some(Symbol { address, size: section.sh_size(LittleEndian) })
    }

    /// Code is loaded at `address`.
    pub(super) fn is_code(&self, address: u64) -> bool {
        let section = self.section_at(address);
        section.is_some_and(|section| section.sh_flags(LittleEndian).contains(SHF_EXECINSTR))
    }

    /// It is for x86-64.
    pub(super) const fn is_amd64(&self) -> bool {
        self.amd64
    }

    /// It has a section of this name.
    pub(super) fn has_section(&self, name: &str) -> bool {
        self.sections.section_by_name(LittleEndian, name.as_bytes()).is_some()
    }

    /// The constants: `.rodata`.
    pub(super) fn constants(&self) -> Option<&'a [u8]> {
        let (_, section) = self.sections.section_by_name(LittleEndian, b".rodata")?;
        (section.sh_size(LittleEndian) <= TABLE_MAX).then(|| section.data(LittleEndian, self.file).ok())?
    }

    /// The bytes of a constant as the file holds them: they need not be in the process's memory.
    pub(super) fn constant(&self, symbol: Symbol, length: usize) -> Option<&'a [u8]> {
        let address = symbol.address.wrapping_sub(self.bias);
        let section = self.section_at(symbol.address)?;
        let (offset, _) = section.file_range(LittleEndian)?;
        let at = offset.checked_add(address - section.sh_addr(LittleEndian))?;
        self.file.read_bytes_at(at, length as u64).ok()
    }

    /// The section that is loaded at `address`.
    fn section_at(&self, address: u64) -> Option<&'a SectionHeader64<LittleEndian>> {
        let address = address.wrapping_sub(self.bias);
        self.sections.iter().find(|section| {
            let start = section.sh_addr(LittleEndian);
            start != 0 && start <= address && address - start < section.sh_size(LittleEndian)
        })
    }

    fn symbols_of(&self, table: Table) -> Option<&'a SectionHeader64<LittleEndian>> {
        let kind = if table == Table::Exported { SHT_DYNSYM } else { SHT_SYMTAB };
        self.sections.iter().find(|section| section.sh_type(LittleEndian) == kind)
    }

    /// The names of the symbols of a table.
    fn strings(&self, table: Table) -> Option<&'a SectionHeader64<LittleEndian>> {
        let link = self.symbols_of(table)?.sh_link(LittleEndian);
        self.sections.section(SectionIndex(usize::try_from(link).ok()?)).ok()
    }

    fn table(&self, table: Table) -> Option<(&'a [Sym64<LittleEndian>], &'a [u8])> {
        let endian = LittleEndian;
        let (section, strings) = (self.symbols_of(table)?, self.strings(table)?);
        if section.sh_size(endian).max(strings.sh_size(endian)) > TABLE_MAX {
            return None;
        }
        Some((section.data_as_array(endian, self.file).ok()?, strings.data(endian, self.file).ok()?))
    }
}

fn terminated(name: &str) -> Vec<u8> {
    name.bytes().chain([0]).collect()
}
