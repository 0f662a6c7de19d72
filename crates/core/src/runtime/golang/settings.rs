//! GOMEMLIMIT and GOGC in force, and where they came from.

use super::statistics::Statistics;
use crate::runtime::{EffectiveFlag, Target};
use crate::units::Bytes;

/// Both, always: that no limit is set is the first thing to know.
pub(super) fn settings(target: &Target<'_>, statistics: &Statistics) -> Vec<EffectiveFlag> {
    let limit = statistics.memory_limit;
    let percent = statistics.gc_percent;
    let flag = |name: &str, value: Option<u64>, from: String| EffectiveFlag {
        name: name.to_owned(),
        value: value.map_or("off".to_owned(), |value| value.to_string()),
        from,
    };
    let limit_from = from(target, "GOMEMLIMIT", limit, None, memory_limit);
    let percent_from = from(target, "GOGC", percent, Some(100), gc_percent);
    vec![flag("GOMEMLIMIT", limit.map(|limit| limit.0), limit_from), flag("GOGC", percent.map(u64::from), percent_from)]
}

/// Where the value in force came from: the environment at the start if it says the same, the default if it says
/// nothing, else `debug.SetMemoryLimit` or `debug.SetGCPercent` in the program.
fn from<T: PartialEq>(
    target: &Target<'_>,
    name: &str,
    value: Option<T>,
    default: Option<T>,
    parse: impl Fn(&str) -> Option<Option<T>>,
) -> String {
    let said = target.variable(name).filter(|text| !text.is_empty()).and_then(parse);
    match said {
        Some(said) if said == value => format!("environment {name}"),
        None if value == default => "default".to_owned(),
        _ => "runtime".to_owned(),
    }
}

/// `parseByteCount` and `readGOMEMLIMIT` (src/runtime/string.go, mgcpacer.go): `off`, `B`, `KiB` to `TiB`, or bytes.
fn memory_limit(text: &str) -> Option<Option<Bytes>> {
    if text == "off" {
        return Some(None);
    }
    let text = text.strip_suffix('B').unwrap_or(text);
    let units = [("Ki", 10), ("Mi", 20), ("Gi", 30), ("Ti", 40)];
    let unit = units.iter().find_map(|(unit, shift)| Some((text.strip_suffix(unit)?, *shift)));
    let (digits, shift) = unit.unwrap_or((text, 0));
    let limit = digits.parse::<u64>().ok()?.checked_mul(1 << shift)?;
    // The largest value is none.
    Some((limit != i64::MAX.unsigned_abs()).then_some(Bytes(limit)))
}

/// `readGOGC` (src/runtime/mgcpacer.go): `off` or a percentage; anything else is 100.
fn gc_percent(text: &str) -> Option<Option<u32>> {
    match text {
        "off" => Some(None),
        _ => text.parse::<i32>().ok().map(|percent| u32::try_from(percent).ok()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_read_as_go_reads_them() {
        assert_eq!(memory_limit("300MiB"), Some(Some(Bytes::mib(300))));
        assert_eq!(memory_limit("1048576"), Some(Some(Bytes::mib(1))));
        assert_eq!(memory_limit("1048576B"), Some(Some(Bytes::mib(1))));
        assert_eq!(memory_limit("off"), Some(None));
        assert_eq!(["300M", "x", "", "99999999999TiB"].map(memory_limit), [None; 4]);
        assert_eq!(["off", "-1", "50", "x"].map(gc_percent), [Some(None), Some(None), Some(Some(50)), None]);
    }
}
