//! Memory settings of a process, as its command line and environment give them.

use super::{EffectiveFlag, Target};
use crate::memory_flags;

/// All that are known, of whichever runtime. Nothing else of the arguments and the environment is kept.
pub(super) fn given(target: &Target<'_>) -> Vec<EffectiveFlag> {
    let arguments = target.arguments.iter().map(String::as_str);
    let environment = target.environment.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let flag = |flag: crate::fact::Flag| {
        let (name, value) = split(&flag.text);
        let from = match flag.from.as_str() {
            "args" => "command line".to_owned(),
            variable => format!("environment {variable}"),
        };
        EffectiveFlag { name: name.to_owned(), value: in_bytes(name, value), from }
    };
    memory_flags::find([], arguments, environment).into_iter().map(flag).collect()
}

/// `-Xmx512m`, `-XX:MaxHeapSize=1g`, `--max-old-space-size 256`, `-XX:+UseG1GC`: a name and a value, if it has one.
fn split(text: &str) -> (&str, &str) {
    let joined = ["-Xmx", "-Xms", "-Xss", "-Xmn", "-Xmso", "-Xsoftmx"];
    let is_size = |value: &&str| value.starts_with(|c: char| c.is_ascii_digit());
    let behind = joined.iter().find_map(|name| Some((*name, text.strip_prefix(name).filter(is_size)?)));
    behind.or_else(|| text.split_once(['=', ' '])).unwrap_or((text, ""))
}

/// A size in whole bytes, where the flag's own way to write sizes is known; else as it stands.
fn in_bytes(name: &str, value: &str) -> String {
    let bytes = match name {
        // Hexadecimal, with or without 0x (dotnet/docs, core/runtime-config/garbage-collector).
        "DOTNET_GCHeapHardLimit" | "COMPlus_GCHeapHardLimit" => {
            u64::from_str_radix(value.trim_start_matches("0x").trim_start_matches("0X"), 16).ok()
        }
        name if name.starts_with("-X") && value.ends_with(|c: char| c.is_ascii_alphabetic()) => size(value),
        _ => None,
    };
    bytes.map_or_else(|| value.to_owned(), |bytes| bytes.to_string())
}

/// `512m`, `1G`, `64K`: binary units, as Java and PHP write them.
pub(crate) fn size(text: &str) -> Option<u64> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let factor: u64 = match &text[digits.len()..] {
        "" => 1,
        "k" | "K" => 1 << 10,
        "m" | "M" => 1 << 20,
        "g" | "G" => 1 << 30,
        "t" | "T" => 1 << 40,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_become_whole_bytes() {
        let given = |text| {
            let (name, value) = split(text);
            (name, in_bytes(name, value))
        };
        assert_eq!(given("-Xmx512m"), ("-Xmx", "536870912".into()));
        assert_eq!(given("-XX:MaxHeapSize=1g"), ("-XX:MaxHeapSize", "1073741824".into()));
        assert_eq!(given("-XX:MaxRAMPercentage=75.0"), ("-XX:MaxRAMPercentage", "75.0".into()));
        assert_eq!(given("-XX:+UseG1GC"), ("-XX:+UseG1GC", String::new()));
        assert_eq!(given("DOTNET_GCHeapHardLimit=C800000"), ("DOTNET_GCHeapHardLimit", "209715200".into()));
        assert_eq!(given("--max-old-space-size 256"), ("--max-old-space-size", "256".into()));
        assert_eq!(size("99999999999999999999g"), None);
    }
}
