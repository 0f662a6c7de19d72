//! Images on disk: the folder of an OCI layout, and the archives of docker save, podman save and skopeo. Only names and
//! small files are read, never a layer.

use std::collections::HashMap;
use std::fs::File;
use std::io::{Cursor, Read, Seek};
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use flate2::read::MultiGzDecoder;
use oomph_core::diagnosis::GapReport;
use oomph_core::lint::Source;
use oomph_core::lint::image::layout::{TOPS, inspection};
use tar::{Archive, Entries};

/// Configurations and manifests are some kilobytes.
const MOST: u64 = 1 << 20;

/// All that is kept of an archive.
const ALTOGETHER: u64 = 64 << 20;

/// Where the magic of a tar stands (POSIX.1-1988, `ustar`).
const MAGIC: (usize, &[u8]) = (257, b"ustar");

/// It is a folder that holds images, and no manifests.
pub(super) fn is_layout(folder: &Path) -> bool {
    let saved = folder.join("manifest.json").is_file();
    folder.join("oci-layout").is_file()
        || saved && (folder.join("blobs").is_dir() || folder.join("repositories").is_file())
}

/// It is an archive, packed or not, by how it begins.
pub(super) fn is_archive(bytes: &[u8]) -> bool {
    bytes.get(MAGIC.0..).is_some_and(|rest| rest.starts_with(MAGIC.1)) || bytes.starts_with(&[0x1f, 0x8b])
}

/// It is an archive with images in it. Of one that cannot be read that is not so.
pub(super) fn holds_images(path: &Path) -> bool {
    let is_top = |name: &str| TOPS.contains(&name);
    let read = File::open(path).ok().map(unpacked);
    read.is_some_and(|read| read.files.keys().any(|name| is_top(name)))
}

/// The images of a folder.
pub(super) fn of_folder(folder: &Path, name: &str) -> (Source, Vec<GapReport>) {
    let mut read = |file: &str| {
        let file = File::open(folder.join(file)).ok()?;
        let mut bytes = Vec::new();
        file.take(MOST + 1).read_to_end(&mut bytes).ok()?;
        Some(bytes)
    };
    let (text, gaps) = inspection(name, &mut read);
    (Source { name: name.to_owned(), text }, gaps)
}

/// The images of an archive in a file.
pub(super) fn of_file(path: &Path, name: &str) -> Result<(Source, Vec<GapReport>)> {
    let mut file = File::open(path).with_context(|| format!("cannot read {name}"))?;
    let mut begin = Vec::new();
    Read::by_ref(&mut file).take(2).read_to_end(&mut begin).with_context(|| format!("cannot read {name}"))?;
    file.rewind().with_context(|| format!("cannot read {name}"))?;
    of_files(&if begin == [0x1f, 0x8b] { packed(file) } else { unpacked(file) }, name)
}

/// The images of an archive that is in memory.
pub(super) fn of_bytes(bytes: Vec<u8>, name: &str) -> Result<(Source, Vec<GapReport>)> {
    let is_packed = bytes.starts_with(&[0x1f, 0x8b]);
    of_files(&if is_packed { packed(Cursor::new(bytes)) } else { unpacked(Cursor::new(bytes)) }, name)
}

/// What was read of an archive.
#[derive(Default)]
struct Contents {
    /// Small files by their names.
    files: HashMap<String, Vec<u8>>,
    /// Why it was not read to its end.
    broken: Option<String>,
}

fn of_files(Contents { files, broken }: &Contents, name: &str) -> Result<(Source, Vec<GapReport>)> {
    if !TOPS.iter().any(|top| files.contains_key(*top)) {
        if let Some(because) = broken {
            bail!("cannot read {name} as an archive: {because}; write it anew with docker save or skopeo copy");
        }
        bail!(
            "there is no image in {name}: name what docker save or skopeo copy wrote; of a chart's archive --helm lints \
             what it renders"
        );
    }
    let (text, mut gaps) = inspection(name, &mut |file| files.get(file).cloned());
    gaps.extend(broken.iter().map(|because| GapReport {
        what: format!("the rest of {name}"),
        because: because.clone(),
        command: String::new(),
    }));
    Ok((Source { name: name.to_owned(), text }, gaps))
}

fn unpacked(file: impl Read + Seek) -> Contents {
    let mut archive = Archive::new(file);
    small(archive.entries_with_seek())
}

fn packed(file: impl Read) -> Contents {
    let mut archive = Archive::new(MultiGzDecoder::new(file));
    small(archive.entries())
}

/// The small files, as far as the archive can be read.
fn small<R: Read>(entries: std::io::Result<Entries<'_, R>>) -> Contents {
    let mut it = Contents::default();
    if let Err(error) = entries.and_then(|entries| collect(entries, &mut it.files)) {
        it.broken = Some(error.to_string());
    }
    it
}

fn collect<R: Read>(entries: Entries<'_, R>, files: &mut HashMap<String, Vec<u8>>) -> std::io::Result<()> {
    let mut altogether = 0;
    for entry in entries {
        let mut entry = entry?;
        let size = entry.size();
        if !entry.header().entry_type().is_file() || size > MOST || altogether + size > ALTOGETHER {
            continue;
        }
        altogether += size;
        let name = String::from_utf8_lossy(&entry.path_bytes()).trim_start_matches("./").to_owned();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes)?;
        files.insert(name, bytes);
    }
    Ok(())
}
