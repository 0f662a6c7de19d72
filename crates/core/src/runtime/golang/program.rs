//! A Go program's file, and where it is loaded.

use object::read::elf::ElfFile64;
use object::{LittleEndian, Object, ObjectSection, ObjectSegment, ReadCache, ReadRef};

use crate::process::Mapping;
use crate::runtime::{Image, Target};

type Cache<'a> = ReadCache<Box<dyn Image + 'a>>;
type Elf<'a> = ElfFile64<'a, LittleEndian, &'a Cache<'a>>;

/// A part of the file that is loaded.
#[derive(Debug, Clone, Copy)]
pub(super) struct Section {
    /// Its first address, as the file says.
    pub(super) address: u64,
    /// Its length.
    pub(super) size: u64,
}

/// The file. Its addresses are the file's own; [`Program::bias`] is what is added to them in the process.
pub(super) struct Program<'a> {
    elf: Elf<'a>,
    cache: &'a Cache<'a>,
    /// How far from its own addresses it is loaded: 0 unless it is position-independent.
    pub(super) bias: u64,
}

/// The mapping that begins the program that was started: the lowest file that is mapped to be executed. Interpreters
/// and libraries are mapped above it (Linux `ELF_ET_DYN_BASE`, fs/binfmt_elf.c).
pub(super) fn mapping<'a>(target: &'a Target<'_>) -> Option<&'a Mapping> {
    let code = target.mappings.iter().find(|mapping| mapping.executable && mapping.inode != 0)?;
    target
        .mappings
        .iter()
        .find(|mapping| mapping.inode == code.inode && mapping.name == code.name && mapping.offset == 0)
}

impl<'a> Program<'a> {
    /// The file behind `mapping`, which is its beginning; `None` where it is no ELF file of 64 bits.
    pub(super) fn parse(cache: &'a Cache<'a>, mapping: &Mapping) -> Option<Self> {
        let elf = Elf::parse(cache).ok()?;
        let first = elf.segments().next()?;
        let bias = match elf.kind() {
            object::ObjectKind::Dynamic => mapping.start.checked_sub(first.address() & !0xfff)?,
            _ => 0,
        };
        Some(Self { elf, cache, bias })
    }

    /// It is a program for x86-64.
    pub(super) fn is_amd64(&self) -> bool {
        self.elf.architecture() == object::Architecture::X86_64
    }

    /// A section by its name.
    pub(super) fn section(&self, name: &str) -> Option<Section> {
        let section = self.elf.section_by_name(name)?;
        Some(Section { address: section.address(), size: section.size() })
    }

    /// `size` bytes of the file that are loaded at `address`.
    pub(super) fn bytes(&self, address: u64, size: u64) -> Option<&'a [u8]> {
        let end = address.checked_add(size)?;
        let holds = |start: u64, length: u64| address >= start && start.checked_add(length).is_some_and(|it| end <= it);
        let segment = self.elf.segments().find(|segment| holds(segment.address(), segment.file_range().1))?;
        let offset = segment.file_range().0.checked_add(address - segment.address())?;
        self.cache.read_bytes_at(offset, size).ok()
    }

    /// `address` lies in code.
    pub(super) fn is_code(&self, address: u64) -> bool {
        self.elf.segments().any(|segment| {
            let length = segment.size();
            let executable = matches!(segment.flags(), object::SegmentFlags::Elf { p_flags } if p_flags & object::elf::PF_X != 0);
            executable && address >= segment.address() && address - segment.address() < length
        })
    }
}

/// The little-endian number of eight bytes at `at`.
pub(super) fn u64_at(bytes: &[u8], at: u64) -> Option<u64> {
    let bytes = bytes.get(usize::try_from(at).ok()?..)?.first_chunk()?;
    Some(u64::from_le_bytes(*bytes))
}

/// The little-endian number of four bytes at `at`.
pub(super) fn u32_at(bytes: &[u8], at: u64) -> Option<u32> {
    let bytes = bytes.get(usize::try_from(at).ok()?..)?.first_chunk()?;
    Some(u32::from_le_bytes(*bytes))
}
