//! Which Go built a program (`.go.buildinfo`, src/debug/buildinfo/buildinfo.go).

use crate::runtime::elf::Elf;

/// What the section begins with.
const MAGIC: &[u8] = b"\xff Go buildinf:";
/// The header's length; the version stands behind it.
const HEADER: usize = 32;
/// In the header's byte 15: the version stands there itself, since Go 1.18, not a pointer to it.
const INLINE: u8 = 2;

/// The version, `go1.22.1`, of a Go program; `Some` of an empty text where it is older than 1.18; `None` where the
/// program is not Go's.
pub(super) fn version(program: &Elf<'_, '_>) -> Option<String> {
    let section = program.section(".go.buildinfo")?;
    decode(program.constant(section, usize::try_from(section.size.min(4096)).ok()?)?)
}

fn decode(bytes: &[u8]) -> Option<String> {
    if !bytes.starts_with(MAGIC) {
        return None;
    }
    if bytes.get(15)? & INLINE == 0 {
        return Some(String::new());
    }
    // The length is a varint; a version is shorter than 128 bytes, or it is none that is known.
    let length = *bytes.get(HEADER).filter(|length| **length < 0x80)?;
    let text = bytes.get(HEADER + 1..)?.get(..usize::from(length))?;
    String::from_utf8(text.to_vec()).ok()
}

/// The 22 of `go1.22.1`, `go1.22rc1`, `go1.22.1 X:nocoverageredesign` and `go1.22.1-vendor`; `None` of what was built
/// between releases, whose structures may be anything.
pub(super) fn minor(version: &str) -> Option<u32> {
    let rest = version.strip_prefix("go1.")?;
    let digits = rest.find(|it: char| !it.is_ascii_digit()).unwrap_or(rest.len());
    let (minor, rest) = rest.split_at(digits);
    (!rest.starts_with("-devel")).then(|| minor.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_stands_behind_the_header() {
        let mut bytes = [MAGIC, &[8, 2], &[0; 16], b"\x08go1.22.1rest"].concat();
        assert_eq!(decode(&bytes).as_deref(), Some("go1.22.1"));
        bytes[15] = 0;
        assert_eq!(decode(&bytes).as_deref(), Some(""));
        bytes.truncate(20);
        bytes[15] = 2;
        assert_eq!(decode(&bytes), None);
        assert_eq!(decode(b"\x7fELF"), None);
    }

    #[test]
    fn releases_have_a_minor_version_and_what_lies_between_has_none() {
        let minors = ["go1.22.1", "go1.19", "go1.27rc2", "go1.25.1 X:nodwarf5", "go1.24.3-fips"].map(minor);
        assert_eq!(minors, [22, 19, 27, 25, 24].map(Some));
        assert_eq!(["devel go1.28-abc", "go1.27-devel_abc", "go1.x", "", "go2.1"].map(minor), [None; 5]);
    }
}
