//! Which CPython it is.

use super::image;
use crate::process::Mapping;
use crate::runtime::elf::{Elf, Symbol};
use crate::runtime::{Target, file_name};

/// A release, `3.minor`, and the whole version as Python prints it, where the image tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Version {
    /// The minor of 3.minor.
    pub minor: u32,
    /// `3.12.1`, `3.14.0rc2`.
    pub text: String,
}

/// From `Py_Version` (since 3.11), else from the file's name and the text that `sys.version` was made of.
pub(super) fn read(target: &Target<'_>, elf: &Elf<'_, '_>, image: &Mapping, symbol: Option<Symbol>) -> Option<Version> {
    let number = symbol.and_then(|symbol| elf.constant(symbol, 4)?.first_chunk().copied());
    if let Some(number) = number {
        return from_number(u32::from_le_bytes(number));
    }
    let release = release(file_name(&image.name))?;
    let minor = release.strip_prefix("3.")?.parse().ok()?;
    Some(Version { minor, text: whole(target, image, release) })
}

/// What an interpreter without `_PyRuntime` (before 3.7) is called, as far as its file tells.
pub(super) fn of_old(target: &Target<'_>, image: &Mapping) -> Option<String> {
    release(file_name(&image.name)).map(|release| whole(target, image, release))
}

/// The version as Python prints it, or else its release.
fn whole(target: &Target<'_>, image: &Mapping, release: &str) -> String {
    let text = image::variables(target, image).iter().find_map(|variables| text(variables, release));
    text.unwrap_or_else(|| release.to_owned())
}

/// `3.6` of `python3.6`, `libpython3.6m.so.1.0` and the like.
fn release(name: &str) -> Option<&str> {
    let behind = name.strip_prefix("libpython").or_else(|| name.strip_prefix("python"))?;
    let end = behind.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(behind.len());
    let release = behind[..end].trim_end_matches('.');
    let (major, minor) = release.split_once('.')?;
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    (is_number(major) && is_number(minor)).then_some(release)
}

/// `PY_VERSION_HEX` (Include/patchlevel.h): major, minor, micro, then level and serial in half a byte each.
fn from_number(number: u32) -> Option<Version> {
    let [last, micro, minor, major] = number.to_le_bytes();
    (major == 3).then_some(())?;
    let level = match last >> 4 {
        0xa => "a",
        0xb => "b",
        0xc => "rc",
        0xf => "",
        _ => return None,
    };
    let serial = if level.is_empty() { String::new() } else { (last & 0xf).to_string() };
    Some(Version { minor: minor.into(), text: format!("3.{minor}.{micro}{level}{serial}") })
}

/// `3.9.18 (main, Jan  1 2024, 00:00:00) [GCC 12.2.0]`: what `Py_GetVersion` keeps (Python/getversion.c).
fn text(variables: &[u8], release: &str) -> Option<String> {
    let beginning = format!("{release}.");
    memchr::memmem::find_iter(variables, beginning.as_bytes()).find_map(|at| {
        let rest = &variables[at..variables.len().min(at + 24)];
        let text = &rest[..memchr::memmem::find(rest, b" (")?];
        let micro = text[beginning.len()..].first()?;
        let is_version = text.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'+'));
        (micro.is_ascii_digit() && is_version).then(|| String::from_utf8(text.to_vec()).ok())?
    })
}

/// `_Py_DebugOffsets` at the beginning of `_PyRuntime` (Include/internal/pycore_debug_offsets.h, since 3.13) says
/// whether the build has no global lock: cookie, version, then that.
pub(super) fn is_free_threaded(target: &Target<'_>, runtime: Symbol) -> bool {
    let Some(offsets) = target.memory.bytes(runtime.address, 24) else { return false };
    offsets.starts_with(b"xdebugpy") && offsets[16..] != [0; 8]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_a_version() {
        let text = |number| from_number(number).map(|version| version.text);
        assert_eq!(text(0x030c_01f0).as_deref(), Some("3.12.1"));
        assert_eq!(text(0x030e_00c2).as_deref(), Some("3.14.0rc2"));
        assert_eq!(text(0x0207_12f0), None);
    }

    #[test]
    fn a_files_name_tells_the_release() {
        let names = ["python3.6", "libpython3.6m.so.1.0", "libpython2.7.so.1.0", "python2.7", "python3", "ruby2.7"];
        assert_eq!(names.map(release), [Some("3.6"), Some("3.6"), Some("2.7"), Some("2.7"), None, None]);
    }

    #[test]
    fn the_text_of_a_version_ends_before_the_build() {
        assert_eq!(text(b"\x003.9.x (\x003.9.18\x003.9.18 (main, Jan", "3.9").as_deref(), Some("3.9.18"));
        assert_eq!(text(b"\x003.9.18\x00", "3.9"), None);
    }
}
