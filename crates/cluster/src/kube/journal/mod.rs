//! A journal file of systemd, as the kubelet serves it from /var/log: its kernel messages as `journalctl -k` prints them.
//!
//! The file is a heap of objects that only grows; an entry points at its fields, which are shared between entries.
//! Layout: systemd, src/libsystemd/sd-journal/journal-def.h, v252 (compact files since then).

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::fmt::Write;
use std::io::Read;

use jiff::Timestamp;

/// Bytes to read for the header.
pub(super) const HEADER: usize = 272;
/// Bytes to read for a field elsewhere in the file; longer ones are not shared between entries.
pub(super) const FIELD: u64 = 1024;

/// What every journal begins with.
pub(super) const SIGNATURE: &[u8] = b"LPKSHHRH";
const INCOMPATIBLE_COMPACT: u32 = 1 << 4;
const DATA: u8 = 1;
const ENTRY: u8 = 3;
const LAST_TYPE: u8 = 7;
const COMPRESSED_LZ4: u8 = 1 << 1;
const COMPRESSED_ZSTD: u8 = 1 << 2;
const OBJECT_HEADER: usize = 16;
/// Objects in a row that must fit for a place in the middle of a file to count as the beginning of one.
const IN_A_ROW: usize = 16;
/// A kernel message is at most 1 KiB or so (`CONSOLE_EXT_LOG_MAX` is 8 KiB); what claims more is broken.
const LARGEST_FIELD: u64 = 64 << 10;

/// What the head of the file says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    compact: bool,
    /// Where the objects begin.
    pub(super) size: u64,
    /// Where the last object begins.
    pub(super) tail: u64,
}

/// `None`: not a journal.
pub(super) fn header(bytes: &[u8]) -> Option<Header> {
    (bytes.get(..8)? == SIGNATURE).then_some(())?;
    let compact = u32_at(bytes, 12)? & INCOMPATIBLE_COMPACT != 0;
    Some(Header { compact, size: u64_at(bytes, 88)?, tail: u64_at(bytes, 136)? })
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
}

/// A stretch of the file.
#[derive(Debug)]
pub(super) struct Stretch<'a> {
    header: Header,
    /// Where in the file it begins.
    offset: u64,
    bytes: &'a [u8],
    /// Fields from elsewhere in the file, by their offsets.
    elsewhere: HashMap<u64, Vec<u8>>,
}

/// An object in a stretch: its place there and its length.
#[derive(Debug, Clone, Copy)]
struct Object {
    at: usize,
    size: usize,
    kind: u8,
}

impl<'a> Stretch<'a> {
    pub(super) fn new(header: Header, offset: u64, bytes: &'a [u8]) -> Self {
        Self { header, offset, bytes, elsewhere: HashMap::new() }
    }

    /// Adds the bytes at an offset that [`Self::missing`] named.
    pub(super) fn add(&mut self, offset: u64, bytes: Vec<u8>) {
        self.elsewhere.insert(offset, bytes);
    }

    fn object(&self, at: usize) -> Option<Object> {
        let head = self.bytes.get(at..at + OBJECT_HEADER)?;
        let size = usize::try_from(u64_at(head, 8)?).ok()?;
        let fits = at.checked_add(size).is_some_and(|end| end <= self.bytes.len());
        let plausible = (1..=LAST_TYPE).contains(&head[0]) && head[2..8] == [0; 6] && size >= OBJECT_HEADER && fits;
        plausible.then_some(Object { at, size, kind: head[0] })
    }

    fn objects_from(&self, at: usize) -> impl Iterator<Item = Object> + '_ {
        std::iter::successors(self.object(at), |object| self.object(object.at + object.size.next_multiple_of(8)))
    }

    /// All objects, from the first place where enough of them stand in a row.
    fn objects(&self) -> impl Iterator<Item = Object> + '_ {
        // Objects are aligned in the file, not in the stretch.
        let skew = usize::try_from(self.offset.wrapping_neg() % 8).unwrap_or(0);
        let begins = |at: &usize| {
            let row = self.objects_from(*at).take(IN_A_ROW);
            let (count, end) = row.fold((0, 0), |(count, _), object| (count + 1, object.at + object.size));
            count == IN_A_ROW || (count > 0 && end + OBJECT_HEADER > self.bytes.len())
        };
        let first =
            if self.offset == self.header.size { Some(0) } else { (skew..self.bytes.len()).step_by(8).find(begins) };
        first.into_iter().flat_map(|at| self.objects_from(at))
    }

    /// The offsets of an entry's fields.
    fn fields(&self, entry: Object) -> impl Iterator<Item = u64> + '_ {
        const ITEMS: usize = 64;
        let items = self.bytes.get(entry.at + ITEMS..entry.at + entry.size).unwrap_or_default();
        let (step, compact) = if self.header.compact { (4, true) } else { (16, false) };
        items
            .chunks_exact(step)
            .filter_map(move |item| if compact { u32_at(item, 0).map(u64::from) } else { u64_at(item, 0) })
    }

    /// `NAME=VALUE` of a field; `None`: it is elsewhere in the file, or broken.
    fn field(&self, offset: u64) -> Option<Cow<'_, [u8]>> {
        if let Some(bytes) = self.elsewhere.get(&offset) {
            return self.payload(bytes);
        }
        let at = usize::try_from(offset.checked_sub(self.offset)?).ok()?;
        self.payload(self.bytes.get(at..)?)
    }

    fn payload<'b>(&self, object: &'b [u8]) -> Option<Cow<'b, [u8]>> {
        let (kind, flags) = (*object.first()?, *object.get(1)?);
        let size = u64_at(object, 8).filter(|size| kind == DATA && *size <= LARGEST_FIELD)?;
        let from = if self.header.compact { 72 } else { 64 };
        let payload = object.get(from..usize::try_from(size).ok()?)?;
        Some(match flags & 7 {
            0 => Cow::Borrowed(payload),
            COMPRESSED_ZSTD => {
                let mut out = Vec::new();
                let decoder = ruzstd::decoding::StreamingDecoder::new(payload).ok()?;
                decoder.take(LARGEST_FIELD).read_to_end(&mut out).ok()?;
                Cow::Owned(out)
            }
            COMPRESSED_LZ4 => Cow::Owned(lz4(payload.get(8..)?, u64_at(payload, 0)?)?),
            _ => return None,
        })
    }

    /// Entries that came from the kernel: they alone carry the kernel's own clock (journald-kmsg.c).
    fn kernel_entries(&self) -> impl Iterator<Item = Object> + '_ {
        self.objects().filter(|object| object.kind == ENTRY).filter(|entry| {
            let is_clock = |field: Cow<'_, [u8]>| field.starts_with(b"_SOURCE_MONOTONIC_TIMESTAMP=");
            self.fields(*entry).any(|offset| self.field(offset).is_some_and(is_clock))
        })
    }

    /// Offsets of fields that the kernel's entries share with entries before the stretch.
    pub(super) fn missing(&self) -> BTreeSet<u64> {
        self.kernel_entries().flat_map(|entry| self.fields(entry)).filter(|offset| *offset < self.offset).collect()
    }

    /// The messages, one a line: `2026-01-02T03:04:05.678901+0000 NODE kernel: MESSAGE`, and how many could not be read.
    pub(super) fn render(&self, node: &str) -> (String, usize) {
        let (mut out, mut unread) = (String::new(), 0);
        for entry in self.kernel_entries() {
            let at = u64_at(self.bytes, entry.at + 24).and_then(|micros| i64::try_from(micros).ok());
            let at = at.and_then(|micros| Timestamp::from_microsecond(micros).ok());
            let fields: Vec<_> = self.fields(entry).filter_map(|offset| self.field(offset)).collect();
            let value =
                |name: &[u8]| fields.iter().find_map(|field| field.strip_prefix(name)).map(String::from_utf8_lossy);
            let (Some(at), Some(message)) = (at, value(b"MESSAGE=")) else {
                unread += 1;
                continue;
            };
            // Programs may write to /dev/kmsg too, as systemd does early on.
            let who = value(b"SYSLOG_IDENTIFIER=").unwrap_or(Cow::Borrowed("kernel"));
            let pid = value(b"SYSLOG_PID=").map(|pid| format!("[{pid}]")).unwrap_or_default();
            let at = at.strftime("%Y-%m-%dT%H:%M:%S%.6f+0000");
            for line in message.lines() {
                writeln!(out, "{at} {node} {who}{pid}: {line}").expect("writing to a string does not fail");
            }
        }
        (out, unread)
    }
}

/// One LZ4 block (<https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md>). `None`: it is broken.
fn lz4(mut input: &[u8], size: u64) -> Option<Vec<u8>> {
    fn length(input: &mut &[u8], nibble: u8) -> Option<usize> {
        let mut length = usize::from(nibble);
        if nibble == 15 {
            loop {
                let (byte, rest) = input.split_first()?;
                *input = rest;
                length += usize::from(*byte);
                if *byte != 255 {
                    break;
                }
            }
        }
        Some(length)
    }
    let size = usize::try_from(size).ok().filter(|_| size <= LARGEST_FIELD)?;
    let mut out = Vec::with_capacity(size);
    while let Some((token, rest)) = input.split_first() {
        input = rest;
        let literals = length(&mut input, token >> 4)?;
        out.extend_from_slice(input.get(..literals)?);
        input = &input[literals..];
        if input.is_empty() {
            break;
        }
        let back = usize::from(u16::from_le_bytes(input.get(..2)?.try_into().ok()?));
        input = &input[2..];
        let count = length(&mut input, token & 15)? + 4;
        let from = out.len().checked_sub(back).filter(|_| back > 0)?;
        if out.len() + count > size {
            return None;
        }
        for at in from..from + count {
            out.push(out[at]);
        }
    }
    (out.len() == size).then_some(out)
}

#[cfg(test)]
pub(super) mod tests;
