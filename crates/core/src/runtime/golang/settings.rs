//! GOMEMLIMIT and GOGC in force, and where they came from.

use super::statistics::Statistics;
use crate::runtime::{EffectiveFlag, Target};

/// Off, as the runtime writes it (`maxInt64` and -1).
const NO_LIMIT: i64 = i64::MAX;
const NO_PERCENT: i64 = -1;

/// Both, always: that no limit is set is the first thing to know.
pub(super) fn settings(target: &Target<'_>, statistics: &Statistics) -> Vec<EffectiveFlag> {
    let limit = statistics.memory_limit.and_then(|limit| i64::try_from(limit.0).ok()).unwrap_or(NO_LIMIT);
    let percent = statistics.gc_percent.map_or(NO_PERCENT, i64::from);
    let flag = |name: &str, value: i64, off: i64, default: i64, parse: fn(&str) -> Option<i64>| EffectiveFlag {
        name: name.to_owned(),
        value: if value == off { "off".to_owned() } else { value.to_string() },
        from: from(target.variable(name), name, value, default, parse),
    };
    vec![
        flag("GOMEMLIMIT", limit, NO_LIMIT, NO_LIMIT, memory_limit),
        flag("GOGC", percent, NO_PERCENT, 100, gc_percent),
    ]
}

/// Where the value in force came from: the environment at the start if it says the same, the default if it says
/// nothing, else `debug.SetMemoryLimit` or `debug.SetGCPercent` in the program.
fn from(said: Option<&str>, name: &str, value: i64, default: i64, parse: fn(&str) -> Option<i64>) -> String {
    match said.filter(|text| !text.is_empty()).and_then(parse) {
        Some(said) if said == value => format!("environment {name}"),
        None if value == default => "default".to_owned(),
        _ => "runtime".to_owned(),
    }
}

/// `parseByteCount` and `readGOMEMLIMIT` (src/runtime/string.go, mgcpacer.go): `off`, `B`, `KiB` to `TiB`, or bytes.
fn memory_limit(text: &str) -> Option<i64> {
    if text == "off" {
        return Some(NO_LIMIT);
    }
    let text = text.strip_suffix('B').unwrap_or(text);
    let units = [("Ki", 10), ("Mi", 20), ("Gi", 30), ("Ti", 40)];
    let unit = units.iter().find_map(|(unit, shift)| Some((text.strip_suffix(unit)?, *shift)));
    let (digits, shift) = unit.unwrap_or((text, 0));
    digits.parse::<i64>().ok()?.checked_mul(1 << shift).filter(|limit| *limit >= 0)
}

/// `readGOGC` (src/runtime/mgcpacer.go): `off` or a percentage, where less than 0 is off too; anything else is 100.
fn gc_percent(text: &str) -> Option<i64> {
    match text {
        "off" => Some(NO_PERCENT),
        _ => text.parse::<i32>().ok().map(|percent| i64::from(percent.max(-1))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_read_as_go_reads_them() {
        let limits = ["300MiB", "1048576", "1048576B", "off"].map(memory_limit);
        assert_eq!(limits, [300 << 20, 1 << 20, 1 << 20, NO_LIMIT].map(Some));
        assert_eq!(["300M", "x", "-1", "99999999999TiB"].map(memory_limit), [None; 4]);
        assert_eq!(["off", "-5", "50", "x"].map(gc_percent), [Some(-1), Some(-1), Some(50), None]);
    }

    #[test]
    fn what_the_environment_does_not_explain_was_set_by_the_program() {
        let from = |said, value| from(said, "GOGC", value, 100, gc_percent);
        assert_eq!(from(None, 100), "default");
        assert_eq!(from(Some("nonsense"), 100), "default");
        assert_eq!(from(Some("50"), 50), "environment GOGC");
        assert_eq!(from(Some("100"), 100), "environment GOGC");
        assert_eq!([from(None, 50), from(Some("50"), 100)], ["runtime", "runtime"]);
    }
}
