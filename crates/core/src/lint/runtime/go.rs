//! Go: GOMEMLIMIT and GOGC.

use crate::lint::program::Value;
use crate::lint::subject::Subject;
use crate::lint::tree::At;
use crate::units::Bytes;

/// Go's memory limit as a container sets it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MemoryLimit<'a> {
    /// How much; none where it is `off`.
    pub bytes: Option<Bytes>,
    /// It is the container's limit or request itself, by `resourceFieldRef`.
    pub field: Option<&'a str>,
    /// Where the variable's value stands.
    pub node: At<'a>,
}

/// `GOMEMLIMIT`, where the manifest says what it is.
pub(crate) fn memory_limit<'a>(subject: &Subject<'_, 'a>) -> Option<MemoryLimit<'a>> {
    let set = subject.program.variable("GOMEMLIMIT")?;
    let node = set.node;
    match &set.value {
        Value::Text(text) if matches!(&**text, "off" | "") => Some(MemoryLimit { bytes: None, field: None, node }),
        Value::Text(text) => Some(MemoryLimit { bytes: Some(size(text)?), field: None, node }),
        Value::Memory { number, resource, .. } => {
            Some(MemoryLimit { bytes: Some(Bytes(*number)), field: Some(*resource), node })
        }
        Value::Unknown => None,
    }
}

/// `512MiB`, `1GiB`, `100000000`: plain bytes or one of B, KiB, MiB, GiB, TiB (`runtime/string.go`, `parseByteCount`).
pub(crate) fn size(text: &str) -> Option<Bytes> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let shift = match &text[digits.len()..] {
        "" | "B" => 0,
        "KiB" => 10,
        "MiB" => 20,
        "GiB" => 30,
        "TiB" => 40,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(1 << shift).map(Bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn go_reads_binary_units_only() {
        assert_eq!(size("4GiB"), Some(Bytes::mib(4096)));
        assert_eq!(size("1073741824"), Some(Bytes::mib(1024)));
        assert_eq!((size("1Gi"), size("512MB"), size("1.5GiB")), (None, None, None));
    }
}
