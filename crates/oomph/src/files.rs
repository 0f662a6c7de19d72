//! Evidence in files: paths as `-f` gives them become artifacts, or a word on why not.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use oomph_core::artifact::{Artifact, Captured, SourceStatus, Status};
use oomph_core::fact::Gap;

/// A file found in a folder is passed over beyond this size.
const FOUND_LIMIT: u64 = 128 << 20;

/// A file that was named is refused beyond this size.
const NAMED_LIMIT: u64 = 1 << 30;

/// Folders inside folders are followed so far.
const DEPTH: u32 = 32;

/// What files gave.
#[derive(Debug, Default)]
pub(crate) struct Files {
    /// The artifacts, and what was passed over.
    pub(crate) captured: Captured,
    /// The names of the artifacts that were asked for by name, and not found in a folder.
    pub(crate) named: Vec<String>,
    /// What was asked for by name and could not be read, each ending in the remedy.
    pub(crate) failures: Vec<String>,
}

/// Reads files, folders (whole, in the order of names) and `-` (stdin).
pub(crate) fn read(paths: &[PathBuf]) -> Files {
    let mut files = Files::default();
    for path in paths {
        if path.as_os_str() == "-" {
            files.named_source("stdin", text_of(io::stdin().lock(), NAMED_LIMIT));
        } else if path.is_dir() {
            files.folder(path, DEPTH);
        } else {
            let bytes = File::open(path).map_err(Refusal::from).and_then(|file| text_of(file, NAMED_LIMIT));
            files.named_source(&path.to_string_lossy(), bytes);
        }
    }
    files
}

impl Files {
    /// A file that the user named: that it cannot be read is an error.
    fn named_source(&mut self, name: &str, bytes: Result<Vec<u8>, Refusal>) {
        match bytes {
            Ok(bytes) => {
                self.named.push(name.to_owned());
                self.captured.artifacts.push(Artifact::new(name, bytes));
            }
            Err(refusal) => {
                self.failures.push(format!("cannot read {name}: {}", refusal.because));
                self.pass_over(name, refusal);
            }
        }
    }

    /// Everything in a folder. What cannot be read in it is a gap: half of the evidence is the normal case.
    fn folder(&mut self, path: &Path, depth: u32) {
        let name = path.to_string_lossy();
        let entries = match fs::read_dir(path).and_then(Iterator::collect::<io::Result<Vec<_>>>) {
            Ok(entries) => entries,
            Err(error) if depth == DEPTH => return self.named_source(&name, Err(error.into())),
            Err(error) => return self.pass_over(&name, error.into()),
        };
        let mut paths: Vec<PathBuf> = entries.iter().map(fs::DirEntry::path).collect();
        paths.sort();
        for path in paths {
            let name = path.to_string_lossy().into_owned();
            match fs::symlink_metadata(&path) {
                Ok(metadata) if metadata.is_dir() => match depth.checked_sub(1) {
                    Some(depth) => self.folder(&path, depth),
                    None => self.pass_over(&name, Refusal::skipped("it lies too deep; name it with -f")),
                },
                // A link to a folder may lead around in a circle; a link to a file is a file.
                Ok(_) if path.is_dir() => {
                    self.pass_over(&name, Refusal::skipped("it is a link to a folder; name it with -f"));
                }
                Ok(_) => match found(&path) {
                    Ok(bytes) => self.captured.artifacts.push(Artifact::new(name, bytes)),
                    Err(refusal) => self.pass_over(&name, refusal),
                },
                Err(error) => self.pass_over(&name, error.into()),
            }
        }
    }

    fn pass_over(&mut self, name: &str, refusal: Refusal) {
        let Refusal { status, because } = refusal;
        self.captured.sources.push(SourceStatus::not_read(name, "file", status, &because));
        self.captured.gaps.push(Gap { what: name.to_owned(), because, command: String::new() });
    }
}

/// Why a file is not read.
#[derive(Debug)]
struct Refusal {
    status: Status,
    because: String,
}

impl Refusal {
    fn skipped(because: impl Into<String>) -> Self {
        Self { status: Status::Partial, because: because.into() }
    }
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Self {
        let (status, because) = match error.kind() {
            io::ErrorKind::NotFound => (Status::Absent, "there is no such file; check the path".to_owned()),
            io::ErrorKind::PermissionDenied => {
                (Status::Forbidden, "permission denied; run as a user who may read it".to_owned())
            }
            _ => (Status::Absent, error.to_string()),
        };
        Self { status, because }
    }
}

/// A file found in a folder: only regular ones, for a pipe or device in it could block for ever.
fn found(path: &Path) -> Result<Vec<u8>, Refusal> {
    let file = File::open(path).map_err(Refusal::from)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(Refusal::skipped("it is no regular file"));
    }
    text_of(file, FOUND_LIMIT)
}

/// All of a source as UTF-8 text, as far as it is text.
fn text_of(source: impl Read, limit: u64) -> Result<Vec<u8>, Refusal> {
    let mut bytes = Vec::new();
    source.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        let limit = oomph_core::units::Bytes(limit);
        return Err(Refusal::skipped(format!("it is larger than {limit}; cut out the time in question")));
    }
    if let Some(what) = binary(&bytes) {
        return Err(Refusal::skipped(what));
    }
    Ok(from_utf16(&bytes).unwrap_or(bytes))
}

/// First bytes of formats that people have at hand instead of the text inside, and the way to that text.
const FORMATS: [(&[u8], &str); 8] = [
    (b"\x1f\x8b", "it is compressed; unpack it with gunzip"),
    (b"\xfd7zXZ\0", "it is compressed; unpack it with unxz"),
    (b"\x28\xb5\x2f\xfd", "it is compressed; unpack it with unzstd"),
    (b"BZh", "it is compressed; unpack it with bunzip2"),
    (b"PK\x03\x04", "it is an archive; unpack it with unzip"),
    (b"LPKSHHRH", "it is a journal; print it with: journalctl --file PATH -o short-iso"),
    (b"\x7fELF", "it is a program or core file, not text"),
    (b"\x89PNG", "it is a picture; paste the text"),
];

/// Bytes that are looked at to tell text from other content.
const SAMPLE: usize = 8192;

/// Why bytes are no text. Runs of zeros alone do not count: a log has them after a crash of the machine.
fn binary(bytes: &[u8]) -> Option<&'static str> {
    if let Some((_, what)) = FORMATS.iter().find(|(magic, _)| bytes.starts_with(magic)) {
        return Some(what);
    }
    if bytes.get(257..262) == Some(b"ustar") {
        return Some("it is an archive; unpack it with tar -x");
    }
    if starts_utf16(bytes).is_some() {
        return None;
    }
    let sample = &bytes[..bytes.len().min(SAMPLE)];
    let is_odd = |byte: &&u8| matches!(byte, 0x01..=0x08 | 0x0e..=0x1a | 0x1c..=0x1f | 0x7f);
    let odd = sample.iter().filter(is_odd).count();
    (sample.contains(&0) && odd * 50 > sample.len()).then_some("it is binary, not text")
}

/// PowerShell's `>` writes UTF-16 with a byte order mark.
fn from_utf16(bytes: &[u8]) -> Option<Vec<u8>> {
    let unit = starts_utf16(bytes)?;
    let units = bytes[2..].chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
    let text: String = char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
    Some(text.into_bytes())
}

/// How to read two bytes of UTF-16, where `bytes` begin with its byte order mark.
fn starts_utf16(bytes: &[u8]) -> Option<fn([u8; 2]) -> u16> {
    match bytes {
        [0xff, 0xfe, ..] => Some(u16::from_le_bytes),
        [0xfe, 0xff, ..] => Some(u16::from_be_bytes),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(files: &Files) -> Vec<&str> {
        files.captured.artifacts.iter().map(|artifact| artifact.name.rsplit('/').next().unwrap_or("")).collect()
    }

    #[test]
    fn a_folder_is_read_whole_in_the_order_of_names() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("b")).unwrap();
        for name in ["c.txt", "a.txt", "b/z", "b/y"] {
            fs::write(folder.path().join(name), "x").unwrap();
        }
        let files = read(&[folder.path().to_owned()]);
        assert_eq!(names(&files), ["a.txt", "y", "z", "c.txt"]);
        assert!(files.named.is_empty() && files.failures.is_empty());
    }

    #[test]
    fn what_is_no_text_in_a_folder_is_a_gap_and_not_an_error() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("dmesg.gz"), b"\x1f\x8b\x08junk").unwrap();
        fs::write(folder.path().join("core"), [1, 0, 2, 3].repeat(40)).unwrap();
        fs::write(folder.path().join("dmesg"), "ok").unwrap();
        std::os::unix::fs::symlink(folder.path(), folder.path().join("loop")).unwrap();
        let files = read(&[folder.path().to_owned()]);
        assert_eq!(names(&files), ["dmesg"]);
        assert_eq!(files.captured.gaps.len(), 3);
        assert!(files.failures.is_empty());
    }

    #[test]
    fn a_named_file_that_cannot_be_read_is_an_error_that_names_it() {
        let files = read(&["/nowhere/pods.json".into()]);
        assert_eq!(files.failures, ["cannot read /nowhere/pods.json: there is no such file; check the path"]);
        assert_eq!(files.captured.gaps.len(), 1);
    }

    #[test]
    fn a_log_with_the_zeros_of_a_crash_is_text() {
        let mut log = b"kernel: Out of memory\n".to_vec();
        log.extend([0; 4096]);
        log.extend(b"kernel: Linux version\n");
        assert_eq!(binary(&log), None);
    }

    #[test]
    fn what_powershell_wrote_is_text() {
        let mut bytes = vec![0xff, 0xfe];
        bytes.extend("{\"kind\": \"Pod\"} é\r\n".encode_utf16().flat_map(u16::to_le_bytes));
        assert_eq!(text_of(&bytes[..], 1000).unwrap(), "{\"kind\": \"Pod\"} é\r\n".as_bytes());
    }

    #[test]
    fn more_than_the_limit_is_refused_and_not_cut() {
        assert!(text_of(&b"12345"[..], 4).is_err());
        assert_eq!(text_of(&b"1234"[..], 4).unwrap(), b"1234");
    }
}
