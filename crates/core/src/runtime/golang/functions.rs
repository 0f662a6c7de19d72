//! Where the runtime's functions are: Go's own function table, which stripping leaves in place because the runtime
//! itself needs it (src/runtime/symtab.go, src/debug/gosym/pclntab.go).

use std::ops::Range;

use memchr::memmem;

use super::words::{u32_at, u64_at};
use crate::runtime::Target;
use crate::runtime::elf::{Elf, Symbol};

/// The table's first four bytes since Go 1.18 and since Go 1.20.
const MAGICS: [u32; 2] = [0xffff_fff0, 0xffff_fff1];
/// The next four: nothing, the size of an instruction and of a pointer, on x86-64.
const SIZES: [u8; 4] = [0, 0, 1, 8];
/// A header is this long.
const HEADER: usize = 72;
/// The most that all names together may take: kubelet's take 4 MiB.
const NAMES_MAX: u64 = 64 << 20;
/// The most constants in which the table is looked for.
const CONSTANTS_MAX: u64 = 256 << 20;
/// Entries read at once.
const ENTRIES: u64 = 4096;
/// The most that the descriptions of so many functions may take.
const DESCRIPTIONS_MAX: u64 = 16 << 20;
/// In a function's description, behind the four bytes of its entry: where its name is.
const NAME: u64 = 4;

/// In `runtime.moduledata`: a pointer to the table, slices of it, `minpc` and `text`. They have stood there since 1.16.
const MODULE: u64 = 192;
const MODULE_NAMES: u64 = 8;
const MODULE_FIRST: u64 = 160;
const MODULE_TEXT: u64 = 176;

/// The table of a program's functions.
pub(super) struct Functions<'a, 'f> {
    program: &'a Elf<'a, 'f>,
    table: Symbol,
    count: u64,
    names: Range<u64>,
    entries: u64,
    text: u64,
}

impl<'a, 'f> Functions<'a, 'f> {
    /// Finds the table and, in the process's memory, the module that it belongs to.
    pub(super) fn of(program: &'a Elf<'a, 'f>, target: &Target<'_>) -> Result<Self, &'static str> {
        let tables = tables(program);
        let mut because = "it has no function table of a kind that is known";
        for table in tables {
            let Some((count, names, entries)) = header(program, table) else { continue };
            if let Some(text) = text(program, target, table, names.start) {
                return Ok(Self { program, table, count, names, entries, text });
            }
            because = "the description of its module was not found in memory that is present";
        }
        Err(because)
    }

    /// The code of `wanted`, each from its first address to the next function's; `None` for one that is not there.
    pub(super) fn code<const N: usize>(&self, wanted: [&str; N]) -> [Option<Range<u64>>; N] {
        let mut found = [const { None }; N];
        if let Some(names) = self.names(wanted) {
            self.walk(&names, &mut found);
        }
        found
    }

    /// Where in the names each of `wanted` stands.
    fn names<const N: usize>(&self, wanted: [&str; N]) -> Option<[Option<u32>; N]> {
        let names = self.part(self.names.start, self.names.end - self.names.start)?;
        Some(wanted.map(|name| {
            let needle = [b"\0", name.as_bytes(), b"\0"].concat();
            u32::try_from(memmem::find(names, &needle)? + 1).ok()
        }))
    }

    /// Goes through the table, which begins with the runtime's functions, until all are found.
    fn walk(&self, names: &[Option<u32>], found: &mut [Option<Range<u64>>]) -> Option<()> {
        let mut next = 0;
        while next < self.count && names.iter().zip(&*found).any(|(name, found)| name.is_some() && found.is_none()) {
            let count = ENTRIES.min(self.count - next);
            // One more: its end is the next one's beginning. The table closes with an entry that is only an end.
            let entries = self.part(self.entries.checked_add(next.checked_mul(8)?)?, (count + 1) * 8)?;
            let entry = |index: u64| Some((u32_at(entries, index * 8)?, u64::from(u32_at(entries, index * 8 + 4)?)));
            let first = entry(0)?.1;
            let length = entry(count - 1)?.1.checked_sub(first)?.checked_add(NAME + 4)?;
            if length > DESCRIPTIONS_MAX {
                return None;
            }
            let descriptions = self.part(self.entries.checked_add(first)?, length)?;
            for index in 0..count {
                let (start, at) = entry(index)?;
                let name = u32_at(descriptions, at.checked_sub(first)? + NAME)?;
                if let Some(which) = names.iter().position(|it| *it == Some(name)) {
                    let end = self.text.checked_add(u64::from(entry(index + 1)?.0))?;
                    found[which] = Some(self.text.checked_add(u64::from(start))?..end);
                }
            }
            next += count;
        }
        Some(())
    }

    fn part(&self, offset: u64, size: u64) -> Option<&'a [u8]> {
        let inside = offset.checked_add(size).is_some_and(|end| end <= self.table.size);
        let part = Symbol { address: self.table.address.checked_add(offset).filter(|_| inside)?, size };
        self.program.constant(part, usize::try_from(size).ok()?)
    }
}

/// What may be the table: a section of its own, or somewhere among the constants that are relocated, where the C linker
/// put it (position-independent programs with C code, until Go 1.25).
fn tables(program: &Elf<'_, '_>) -> Vec<Symbol> {
    if let Some(section) = [".gopclntab", ".data.rel.ro.gopclntab"].iter().find_map(|name| program.section(name)) {
        return vec![section];
    }
    let section = program.section(".data.rel.ro").filter(|section| section.size <= CONSTANTS_MAX);
    let Some((section, size)) = section.and_then(|it| Some((it, usize::try_from(it.size).ok()?))) else {
        return Vec::new();
    };
    let Some(bytes) = program.constant(section, size) else { return Vec::new() };
    let begins = |magic: u32| [magic.to_le_bytes(), SIZES].concat();
    let found = MAGICS.iter().flat_map(|magic| memmem::find_iter(bytes, &begins(*magic)).collect::<Vec<_>>());
    let table = |at: usize| Symbol { address: section.address + at as u64, size: section.size - at as u64 };
    found.map(table).collect()
}

/// Of the table that begins with it: how many functions there are, where their names are and where their entries.
fn header(program: &Elf<'_, '_>, table: Symbol) -> Option<(u64, Range<u64>, u64)> {
    let header = program.constant(table, HEADER)?;
    let known = MAGICS.contains(&u32_at(header, 0)?) && header[4..8] == SIZES;
    let word = |index: u64| u64_at(header, 8 + 8 * index).filter(|_| known);
    let names = word(3)?..word(4)?;
    let sane = names.start < names.end && names.end <= table.size && names.end - names.start <= NAMES_MAX;
    Some((word(0)?, names, word(7).filter(|entries| sane && *entries < table.size)?))
}

/// Where Go's code begins: `text` of the module whose description points to the table. The header of the table told it
/// until Go 1.25, but in position-independent programs only once they run; `.text` begins elsewhere where C code is
/// linked in.
fn text(program: &Elf<'_, '_>, target: &Target<'_>, table: Symbol, names: u64) -> Option<u64> {
    let table = table.address;
    let sections = [".go.module", ".noptrdata", ".data"].iter().filter_map(|name| program.section(name));
    let is_module = |module: &[u8]| {
        let text = u64_at(module, MODULE_TEXT)?;
        let first = u64_at(module, MODULE_FIRST)?;
        let points = u64_at(module, MODULE_NAMES)? == table.checked_add(names)?;
        (points && first >= text && program.is_code(text) && program.is_code(first)).then_some(text)
    };
    for section in sections {
        let mut page = section.address & !0xfff;
        let end = section.address.checked_add(section.size)?;
        while page < end {
            let bytes = target.memory.bytes(page, 0x1000).unwrap_or_default();
            let hits = (page..).step_by(8).zip(bytes.chunks_exact(8)).filter(|(_, word)| *word == table.to_le_bytes());
            let mut modules = hits.filter_map(|(at, _)| target.memory.bytes(at, usize::try_from(MODULE).ok()?));
            if let Some(text) = modules.find_map(|module| is_module(&module)) {
                return Some(text);
            }
            page += 0x1000;
        }
    }
    None
}
