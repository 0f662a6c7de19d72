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
    let all: Vec<_> = jvm.flags.iter().filter_map(look).collect();
    if all.is_empty() { initial(jvm).into_iter().collect() } else { all }
}

/// A heap that begins larger than its maximum (`arguments.cpp`, "Initial heap size set to a larger value than the maximum
/// heap size", JDK 17).
fn initial<'a>(jvm: &Jvm<'a>) -> Option<Refused<'a>> {
    let (initial, most) = (jvm.said.initial.as_ref()?, jvm.said.max_flag.as_ref()?);
    let why = "the heap begins larger than its maximum";
    (initial.value > most.value).then(|| Refused { part: initial.part.clone(), why, meant: None })
}

fn look<'a>(part: &Part<'a>) -> Option<Refused<'a>> {
    let value_of = |prefixes: &[&'static str]| {
        prefixes.iter().find_map(|prefix| Some((*prefix, super::value(part.text.strip_prefix(prefix)?))))
    };
    let is_percent = |value: &str| value.strip_suffix('%').is_some_and(|number| number.parse::<f64>().is_ok());
    if let Some((prefix, value)) = value_of(&SIZES).filter(|(_, value)| !is_open(value) || is_percent(value)) {
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
    let (prefix, value) = value_of(&SHARES)?;
    let (prefix, value) = (prefix, value.as_str());
    if is_open(value) && !is_percent(value) {
        return None;
    }
    let refused = |why, meant| Some(Refused { part: part.clone(), why, meant });
    let is_number = |text: &str| !text.starts_with('.') && text.bytes().all(|it| b"0123456789.eE+-".contains(&it));
    match value.parse::<f64>() {
        Ok(share) if is_number(value) && (0.0..=100.0).contains(&share) => None,
        Ok(_) if is_number(value) => refused("outside of the range of 0 to 100", None),
        _ => {
            let meant = value.trim_end_matches(['%', 'f', 'F', 'd', 'D']).replace(',', ".");
            let meant = Some(meant).filter(|it| is_number(it) && it.parse::<f64>().is_ok());
            refused("not a plain number", meant.map(|it| format!("{prefix}{it}")))
        }
    }
}

/// `512Mi`, `512MB`, `0.5g`: whole numbers of the unit, or of the next smaller one.
fn meant_size(value: &str) -> Option<String> {
    if let Some(size) = value.strip_prefix('=').filter(|it| size(it).is_some()) {
        return Some(size.to_owned());
    }
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
