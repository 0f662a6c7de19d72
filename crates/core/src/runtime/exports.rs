//! What an ELF file exports, found by its GNU hash table: a few small reads a name, where the names of Node.js alone take
//! five megabytes (binutils, bfd/elf-bfd.h, `bfd_elf_gnu_hash`).

use object::LittleEndian;
use object::SectionIndex;
use object::elf::{FileHeader64, SHT_GNU_HASH, Sym64};
use object::read::ReadRef;
use object::read::elf::{SectionHeader, SectionTable};

use super::elf::File;

/// Where the file has the three tables that it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Exports {
    hash: u64,
    symbols: u64,
    strings: u64,
}

/// The longest chain of symbols that share a bucket, for a file that is broken.
const CHAIN_MAX: u32 = 4096;

/// Bytes of an entry of the table of symbols.
pub(super) const SYMBOL: u64 = 24;

impl Exports {
    /// `None` where the file has no such table.
    pub(super) fn of<'a, R: ReadRef<'a>>(sections: &SectionTable<'a, FileHeader64<LittleEndian>, R>) -> Option<Self> {
        let e = LittleEndian;
        let hash = sections.iter().find(|section| section.sh_type(e) == SHT_GNU_HASH)?;
        let section = |index: u32| sections.section(SectionIndex(usize::try_from(index).ok()?)).ok();
        let symbols = section(hash.sh_link(e))?;
        let strings = section(symbols.sh_link(e))?;
        Some(Self { hash: hash.sh_offset(e), symbols: symbols.sh_offset(e), strings: strings.sh_offset(e) })
    }

    /// The symbol of this name, which the file defines for others.
    pub(super) fn find<'a>(&self, file: &'a File<'_>, name: &str) -> Option<&'a Sym64<LittleEndian>> {
        let word = |at| bytes(file, at).map(u32::from_le_bytes);
        let buckets = word(self.hash)?;
        let first = word(self.hash.checked_add(4)?)?;
        let blooms = word(self.hash.checked_add(8)?)?;
        let shift = word(self.hash.checked_add(12)?)?;
        if buckets == 0 || blooms == 0 || shift >= 32 {
            return None;
        }
        let hash = name.bytes().fold(5381_u32, |hash, byte| hash.wrapping_mul(33).wrapping_add(u32::from(byte)));
        let bloom_at = self.hash.checked_add(16)?;
        let bloom_word = bloom_at.checked_add(u64::from(hash / 64 % blooms) * 8)?;
        let bloom = u64::from_le_bytes(bytes(file, bloom_word)?);
        if bloom >> (hash % 64) & bloom >> ((hash >> shift) % 64) & 1 == 0 {
            return None;
        }
        let buckets_at = bloom_at.checked_add(u64::from(blooms) * 8)?;
        let chains_at = buckets_at.checked_add(u64::from(buckets) * 4)?;
        let begin = word(buckets_at.checked_add(u64::from(hash % buckets) * 4)?)?;
        for index in begin..begin.checked_add(CHAIN_MAX)? {
            let chain = word(chains_at.checked_add(u64::from(index.checked_sub(first)?) * 4)?)?;
            if chain | 1 == hash | 1
                && let Some(symbol) = self.named(file, index, name)
            {
                return Some(symbol);
            }
            if chain & 1 == 1 {
                break;
            }
        }
        None
    }

    /// Symbol `index`, if that is its name.
    fn named<'a>(&self, file: &'a File<'_>, index: u32, name: &str) -> Option<&'a Sym64<LittleEndian>> {
        let at = self.symbols.checked_add(u64::from(index) * SYMBOL)?;
        let symbol = file.read_at::<Sym64<LittleEndian>>(at).ok()?;
        let text = self.strings.checked_add(u64::from(symbol.st_name.get(LittleEndian)))?;
        let found = file.read_bytes_at(text, name.len() as u64 + 1).ok()?;
        (found.strip_suffix(&[0])? == name.as_bytes()).then_some(symbol)
    }
}

fn bytes<const N: usize>(file: &File<'_>, at: u64) -> Option<[u8; N]> {
    file.read_bytes_at(at, N as u64).ok()?.try_into().ok()
}
