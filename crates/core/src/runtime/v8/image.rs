//! The program behind a process: what it exports tells whether it is Node.js, and where its versions stand.

use object::LittleEndian;
use object::elf::{FileHeader64, PT_LOAD};
use object::read::elf::{FileHeader, ProgramHeader};

use crate::process::Mapping;
use crate::runtime::elf::{self, File};
use crate::runtime::exports::Exports;
use crate::runtime::{Memory, Target, file_name};

/// A program's exported symbols, by name, and where it is loaded.
pub(super) struct Program<'a> {
    file: File<'a>,
    /// Its name in `/proc/PID/maps`.
    pub name: &'a str,
    /// What is added to addresses in the file.
    bias: u64,
    exports: Exports,
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
        let file = elf::open(target, first)?;
        let (bias, exports) = {
            let e = LittleEndian;
            let header = FileHeader64::<LittleEndian>::parse(&file).ok()?;
            let endian: LittleEndian = header.endian().ok()?;
            let segments = header.program_headers(endian, &file).ok()?;
            let loaded = segments.iter().find(|segment| segment.p_type(e) == PT_LOAD)?;
            let begins_at = loaded.p_vaddr(e).wrapping_sub(loaded.p_offset(e));
            let sections = header.sections(endian, &file).ok()?;
            (first.start.wrapping_sub(begins_at), Exports::of(&sections)?)
        };
        Some(Self { file, name: &first.name, bias, exports })
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

    /// Where an exported symbol lies in the process.
    pub(super) fn symbol(&self, name: &str) -> Option<u64> {
        let symbol = self.exports.find(&self.file, name)?;
        Some(self.bias.wrapping_add(symbol.st_value.get(LittleEndian)))
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
