//! The program behind a process: what it exports tells whether it is Node.js, and where its versions stand.

use object::elf::{FileHeader64, PT_LOAD, SHT_GNU_HASH, Sym64};
use object::read::elf::{FileHeader, ProgramHeader, SectionHeader};
use object::read::{ReadCache, ReadRef};
use object::{LittleEndian, SectionIndex};

use crate::process::Mapping;
use crate::runtime::{Image, Memory, Target, file_name};

/// A program's exported symbols, by name, and where it is loaded.
pub(super) struct Program<'a> {
    file: ReadCache<Box<dyn Image + 'a>>,
    /// Its name in `/proc/PID/maps`.
    pub name: &'a str,
    /// What is added to addresses in the file.
    bias: u64,
    hash: u64,
    symbols: u64,
    strings: u64,
}

/// Which program embeds V8, or another engine with its interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Embedder {
    /// Node.js, or what Node.js is part of (Electron).
    Node,
    /// V8's interface without V8's inside: Bun, whose engine is JavaScriptCore.
    Bun,
    /// Node-API without V8's interface: Deno.
    Deno,
    /// Another program that exports V8.
    Other,
}

/// The longest chain of symbols that share a bucket, for a file that is broken.
const CHAIN_MAX: u32 = 4096;

/// The programs and libraries of `target` that may hold V8: its executable, or Node.js built as a library.
pub(super) fn candidates<'t>(target: &'t Target<'_>) -> impl Iterator<Item = &'t Mapping> {
    let is_file = |mapping: &&Mapping| mapping.inode != 0 && mapping.offset == 0 && !mapping.shared;
    let runs = |first: &&Mapping| target.mappings.iter().any(|other| other.executable && other.inode == first.inode);
    let executable = target.mappings.iter().filter(is_file).find(runs);
    let library = target.mapping_of(|name| name.starts_with("libnode.so")).filter(|mapping| mapping.offset == 0);
    executable.into_iter().chain(library)
}

impl<'a> Program<'a> {
    /// Opens the file behind `first`, which maps its beginning. `None` where it is not ELF or exports nothing.
    pub(super) fn open(target: &'a Target<'_>, first: &'a Mapping) -> Option<Self> {
        let file = ReadCache::new(target.images.open(first)?);
        let e = LittleEndian;
        let (bias, hash, symbols, strings) = {
            let header = FileHeader64::<LittleEndian>::parse(&file).ok()?;
            let endian: LittleEndian = header.endian().ok()?;
            let segments = header.program_headers(endian, &file).ok()?;
            let loaded = segments.iter().find(|segment| segment.p_type(e) == PT_LOAD)?;
            let begins_at = loaded.p_vaddr(e).wrapping_sub(loaded.p_offset(e));
            let sections = header.sections(endian, &file).ok()?;
            let hash = sections.iter().find(|section| section.sh_type(e) == SHT_GNU_HASH)?;
            let section = |index: u32| sections.section(SectionIndex(usize::try_from(index).ok()?)).ok();
            let symbols = section(hash.sh_link(e))?;
            let strings = section(symbols.sh_link(e))?;
            (first.start.wrapping_sub(begins_at), hash.sh_offset(e), symbols.sh_offset(e), strings.sh_offset(e))
        };
        Some(Self { file, name: &first.name, bias, hash, symbols, strings })
    }

    /// Which program it is, by what it exports.
    pub(super) fn embedder(&self) -> Option<Embedder> {
        let exports = |name: &str| self.symbol(name).is_some();
        if !exports("_ZN2v87Isolate10GetCurrentEv") {
            return exports("napi_create_function").then_some(Embedder::Deno);
        }
        Some(match (exports("_ZN2v88internal7Version6major_E"), exports("_ZN4node11per_process8metadataE")) {
            (true, true) => Embedder::Node,
            // Bun's own V8 interface stands on Node-API too.
            (false, _) if exports("napi_create_function") && exports("_ZN2v811HandleScopeC1EPNS_7IsolateE") => {
                Embedder::Bun
            }
            _ => Embedder::Other,
        })
    }

    /// Where an exported symbol lies in the process, found by the file's GNU hash table with a few small reads
    /// (binutils, bfd/elf-bfd.h, `bfd_elf_gnu_hash`).
    pub(super) fn symbol(&self, name: &str) -> Option<u64> {
        let word = |at| self.bytes(at).map(u32::from_le_bytes);
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
        let bloom = u64::from_le_bytes(self.bytes(bloom_word)?);
        if bloom >> (hash % 64) & bloom >> ((hash >> shift) % 64) & 1 == 0 {
            return None;
        }
        let buckets_at = bloom_at.checked_add(u64::from(blooms) * 8)?;
        let chains_at = buckets_at.checked_add(u64::from(buckets) * 4)?;
        let begin = word(buckets_at.checked_add(u64::from(hash % buckets) * 4)?)?;
        for index in begin..begin.checked_add(CHAIN_MAX)? {
            let chain = word(chains_at.checked_add(u64::from(index.checked_sub(first)?) * 4)?)?;
            if chain | 1 == hash | 1
                && let Some(address) = self.named(index, name)
            {
                return Some(address);
            }
            if chain & 1 == 1 {
                break;
            }
        }
        None
    }

    fn bytes<const N: usize>(&self, at: u64) -> Option<[u8; N]> {
        self.file.read_bytes_at(at, N as u64).ok()?.try_into().ok()
    }

    /// The address of symbol `index` if that is its name.
    fn named(&self, index: u32, name: &str) -> Option<u64> {
        let e = LittleEndian;
        let at = self.symbols.checked_add(u64::from(index) * 24)?;
        let symbol = self.file.read_at::<Sym64<LittleEndian>>(at).ok()?;
        let text = self.strings.checked_add(u64::from(symbol.st_name.get(e)))?;
        let found = self.file.read_bytes_at(text, name.len() as u64 + 1).ok()?;
        (found.strip_suffix(&[0])? == name.as_bytes()).then(|| self.bias.wrapping_add(symbol.st_value.get(e)))
    }

    /// V8's version: major, minor, build, patch. Its constants, `v8::internal::Version` (src/utils/version.h).
    pub(super) fn v8_version(&self, memory: &dyn Memory) -> Option<[u32; 4]> {
        let number = |name| memory.u32(self.symbol(name)?);
        Some([
            number("_ZN2v88internal7Version6major_E")?,
            number("_ZN2v88internal7Version6minor_E")?,
            number("_ZN2v88internal7Version6build_E")?,
            number("_ZN2v88internal7Version6patch_E")?,
        ])
    }

    /// Node's version as `process.version` has it: the first text of `node::per_process::metadata`
    /// (src/node_metadata.h), which is filled when it starts.
    pub(super) fn node_version(&self, memory: &dyn Memory) -> Option<String> {
        let text = self.symbol("_ZN4node11per_process8metadataE")?;
        let bytes = memory.u64(text)?;
        let length = |at: Option<u64>| memory.u64(at?).filter(|length| (5..=64).contains(length));
        // A `std::string` is a pointer and a length, or, in builds with the old C++ ABI (the official ones up to 17), a
        // pointer behind a length, a capacity and a count (GCC, basic_string.h and cow_string.h).
        let length = length(text.checked_add(8)).or_else(|| length(bytes.checked_sub(24)))?;
        let bytes = memory.bytes(bytes, usize::try_from(length).ok()?)?;
        let version = String::from_utf8(bytes).ok()?;
        let is_version = version.split('.').count() >= 3
            && version.starts_with(|first: char| first.is_ascii_digit())
            && version.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-+".contains(&byte));
        is_version.then(|| format!("v{version}"))
    }

    /// The file's name alone.
    pub(super) fn file_name(&self) -> &str {
        file_name(self.name)
    }
}
