//! Values that HotSpot refuses: it ends as it starts.

use super::Jvm;
use crate::lint::expansion::is_open;
use crate::lint::program::Part;
use crate::runtime::flags::size;

/// A flag that ends the JVM.
#[derive(Debug)]
pub(crate) struct Refused<'a> {
    pub part: Part<'a>,
    /// What the JVM finds wrong with it.
    pub why: &'static str,
    /// The flag as it was probably meant.
    pub meant: Option<String>,
}

/// Flags that are a size (`src/hotspot/share/runtime/arguments.cpp`, `parse_memory_size`, JDK 8 to 25).
const SIZES: [&str; 7] = [
    "-Xmx",
    "-Xms",
    "-Xss",
    "-XX:MaxHeapSize=",
    "-XX:MaxMetaspaceSize=",
    "-XX:MaxDirectMemorySize=",
    "-XX:ReservedCodeCacheSize=",
];

/// `src/hotspot/share/gc/shared/gc_globals.hpp` gives their range; the JVM checks it before anything else.
const SHARES: [&str; 3] = ["-XX:MaxRAMPercentage=", "-XX:MinRAMPercentage=", "-XX:InitialRAMPercentage="];

/// A heap has to hold two of its smallest generations (`genArguments.cpp`, "Too small maximum heap", JDK 17): 2 MiB.
const LEAST_HEAP: u64 = 2 << 20;

pub(super) fn of<'a>(jvm: &Jvm<'a>) -> Vec<Refused<'a>> {
    jvm.flags.iter().filter_map(look).collect()
}

fn look<'a>(part: &Part<'a>) -> Option<Refused<'a>> {
    let value_of = |prefixes: &[&'static str]| {
        prefixes.iter().find_map(|prefix| Some((*prefix, super::value(part.text.strip_prefix(prefix)?))))
    };
    if let Some((prefix, value)) = value_of(&SIZES).filter(|(_, value)| !is_open(value)) {
        let is_heap = matches!(prefix, "-Xmx" | "-XX:MaxHeapSize=");
        let meant = |value: String| Some(format!("{prefix}{value}"));
        return match size(&value) {
            None => {
                let why = "not a whole number with k, m, g or t behind it";
                Some(Refused { part: part.clone(), why, meant: meant_size(&value).and_then(meant) })
            }
            Some(bytes) if is_heap && (1..LEAST_HEAP).contains(&bytes) => {
                let meant = value.parse::<u32>().ok().and_then(|number| meant(format!("{number}m")));
                Some(Refused { part: part.clone(), why: "too small a heap: a number without a unit is bytes", meant })
            }
            Some(_) => None,
        };
    }
    let (_, value) = value_of(&SHARES)?;
    let share: f64 = value.parse().ok()?;
    let is_share = (0.0..=100.0).contains(&share);
    (!is_share).then(|| Refused { part: part.clone(), why: "outside of the range of 0 to 100", meant: None })
}

/// `512Mi`, `512MB`, `0.5g`: whole numbers of the unit, or of the next smaller one.
fn meant_size(value: &str) -> Option<String> {
    let digits = value.trim_end_matches(|it: char| it.is_ascii_alphabetic());
    let unit = value[digits.len()..].chars().next()?.to_ascii_lowercase();
    let smaller = match unit {
        'k' => None,
        'm' => Some('k'),
        'g' => Some('m'),
        't' => Some('g'),
        _ => return None,
    };
    if digits.parse::<u64>().is_ok() {
        return Some(format!("{digits}{unit}"));
    }
    let in_smaller = digits.parse::<f64>().ok()? * 1024.0;
    (in_smaller.fract() == 0.0 && in_smaller >= 1.0).then(|| smaller.map(|unit| format!("{in_smaller}{unit}")))?
}
