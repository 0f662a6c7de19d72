use proptest::prelude::*;

use super::*;

/// Builds a journal in the manner of journald: fields once, entries that point at them.
struct Writer {
    compact: bool,
    bytes: Vec<u8>,
    fields: HashMap<Vec<u8>, u64>,
    tail: u64,
}

impl Writer {
    fn new(compact: bool) -> Self {
        Self { compact, bytes: vec![0; HEADER], fields: HashMap::new(), tail: 0 }
    }

    fn object(&mut self, kind: u8, flags: u8, body: &[u8]) -> u64 {
        self.bytes.resize(self.bytes.len().next_multiple_of(8), 0);
        self.tail = self.bytes.len() as u64;
        self.bytes.extend_from_slice(&[kind, flags, 0, 0, 0, 0, 0, 0]);
        self.bytes.extend_from_slice(&(16 + body.len() as u64).to_le_bytes());
        self.bytes.extend_from_slice(body);
        self.tail
    }

    fn field(&mut self, text: &[u8], flags: u8, stored: &[u8]) -> u64 {
        if let Some(offset) = self.fields.get(text) {
            return *offset;
        }
        let mut body = vec![0; if self.compact { 56 } else { 48 }];
        body.extend_from_slice(stored);
        let offset = self.object(DATA, flags, &body);
        self.fields.insert(text.to_vec(), offset);
        offset
    }

    fn entry(&mut self, micros: u64, fields: &[u64]) {
        let mut body = vec![0; 48];
        body[8..16].copy_from_slice(&micros.to_le_bytes());
        for offset in fields {
            if self.compact {
                body.extend_from_slice(&u32::try_from(*offset).unwrap().to_le_bytes());
            } else {
                body.extend_from_slice(&offset.to_le_bytes());
                body.extend_from_slice(&[0; 8]);
            }
        }
        self.object(ENTRY, 0, &body);
    }

    /// A message of the kernel at that second.
    fn kernel(&mut self, second: u64, message: &str) {
        let plain = |writer: &mut Self, text: String| writer.field(text.as_bytes(), 0, text.as_bytes());
        let fields = [
            plain(self, "_TRANSPORT=kernel".into()),
            plain(self, "SYSLOG_IDENTIFIER=kernel".into()),
            plain(self, format!("MESSAGE={message}")),
            plain(self, format!("_SOURCE_MONOTONIC_TIMESTAMP={second}")),
        ];
        self.entry(1_767_323_045_000_000 + second * 1_000_000, &fields);
    }

    fn finish(mut self) -> Vec<u8> {
        self.bytes[..8].copy_from_slice(SIGNATURE);
        self.bytes[12..16].copy_from_slice(&(if self.compact { INCOMPATIBLE_COMPACT } else { 0 }).to_le_bytes());
        self.bytes[88..96].copy_from_slice(&(HEADER as u64).to_le_bytes());
        self.bytes[136..144].copy_from_slice(&self.tail.to_le_bytes());
        self.bytes
    }
}

fn whole(bytes: &[u8]) -> (String, usize) {
    let header = header(bytes).unwrap();
    Stretch::new(header, header.size, &bytes[HEADER..]).render("node-a")
}

#[test]
fn kernel_messages_are_rendered_and_others_left_out() {
    for compact in [false, true] {
        let mut journal = Writer::new(compact);
        journal.kernel(0, "first");
        let message = journal.field(b"MESSAGE=of a service", 0, b"MESSAGE=of a service");
        journal.entry(7, &[message]);
        journal.kernel(61, "second");
        let expected = "2026-01-02T03:04:05.000000+0000 node-a kernel: first\n2026-01-02T03:05:06.000000+0000 node-a kernel: second\n";
        assert_eq!(whole(&journal.finish()), (expected.into(), 0), "compact: {compact}");
    }
}

#[test]
fn a_stretch_from_the_middle_finds_its_beginning_and_asks_for_what_is_shared() {
    let mut journal = Writer::new(true);
    for second in 0..200 {
        journal.kernel(second, if second % 2 == 0 { "Tasks state (memory values in pages):" } else { "odd" });
    }
    let bytes = journal.finish();
    let header = header(&bytes).unwrap();
    let offset = bytes.len() as u64 / 2 + 3;
    let mut stretch = Stretch::new(header, offset, &bytes[usize::try_from(offset).unwrap()..]);
    let missing = stretch.missing();
    assert_eq!(missing.len(), 4, "transport, identifier and the two messages");
    let (_, unread) = stretch.render("n");
    assert!(unread > 50);
    for offset in missing {
        let at = usize::try_from(offset).unwrap();
        stretch.add(offset, bytes[at..bytes.len().min(at + 1024)].to_vec());
    }
    let (text, unread) = stretch.render("n");
    assert_eq!(unread, 0);
    assert!(text.lines().count() > 90 && text.ends_with(" n kernel: odd\n") && text.contains("Tasks state"), "{text}");
}

#[test]
fn compressed_messages_are_read() {
    // The frame of `zstd` and the block of `lz4`, both of 600 times the letter x behind MESSAGE=.
    let zstd = b"\x28\xb5\x2f\xfd\x60\x60\x01\x85\x00\x00\x48MESSAGE=x\x01\x00\x54\x2a\x70\x04";
    let mut lz4 = 608_u64.to_le_bytes().to_vec();
    // Nine literals, then 594 bytes from one back, then five literals as a block must end.
    lz4.extend_from_slice(&[0x9f]);
    lz4.extend_from_slice(b"MESSAGE=x");
    lz4.extend_from_slice(&[1, 0, 255, 255, 65, 0x50]);
    lz4.extend_from_slice(b"xxxxx");
    for (flags, stored) in [(COMPRESSED_LZ4, lz4.as_slice()), (COMPRESSED_ZSTD, &zstd[..])] {
        let mut journal = Writer::new(true);
        let message = journal.field(b"long", flags, stored);
        let clock = journal.field(b"clock", 0, b"_SOURCE_MONOTONIC_TIMESTAMP=1");
        journal.entry(1, &[message, clock]);
        let (text, unread) = whole(&journal.finish());
        assert!(unread == 0 && text.contains(&format!("kernel: {}\n", "x".repeat(600))), "{flags}: {unread} {text}");
    }
}

/// A journal of so many messages of the kernel.
pub(in super::super) fn journal(messages: u64) -> Vec<u8> {
    let mut journal = Writer::new(true);
    for second in 0..messages {
        journal.kernel(second, "a message");
    }
    journal.finish()
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600), compact: bool, offset in 0_u64..5000) {
        let _ = header(&bytes);
        let header = Header { compact, size: 272, tail: 0 };
        let stretch = Stretch::new(header, offset, &bytes);
        let _ = (stretch.missing(), stretch.render("n"));
    }

    #[test]
    fn no_mutation_of_a_journal_panics(at in 0_usize..4000, byte: u8, cut in 0_usize..4000) {
        let mut bytes = journal(20);
        let at = at % bytes.len();
        bytes[at] = byte;
        bytes.truncate(bytes.len().saturating_sub(cut % 64));
        if let Some(header) = header(&bytes) {
            let from = usize::try_from(header.size).unwrap_or(0).min(bytes.len());
            let stretch = Stretch::new(header, header.size, &bytes[from..]);
            let _ = (stretch.missing(), stretch.render("n"));
        }
    }

    #[test]
    fn no_lz4_panics(bytes in proptest::collection::vec(any::<u8>(), 0..100), size in 0_u64..1000) {
        let _ = lz4(&bytes, size);
    }
}
