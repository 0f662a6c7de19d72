//! The flags that bound or shape memory, as they are in force, and where each came from.

use super::flags::{Flag, Flags, Origin, Value};
use crate::memory_flags::JAVA_WITH_VALUE;
use crate::runtime::{EffectiveFlag, Target};

/// What a flag's number means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Bytes; always told.
    Size,
    /// KiB; always told.
    Kib,
    /// Told where it is not the default, as it shapes the heap only then.
    Rare,
    /// A switch, told where it is on.
    On,
    /// A switch, told where it is off.
    Off,
}

/// All that is told, with other spellings under which an argument may set it.
const FLAGS: &[(&str, Kind, &[&str])] = &[
    ("MaxHeapSize", Kind::Size, &["-Xmx"]),
    ("InitialHeapSize", Kind::Size, &["-Xms"]),
    ("SoftMaxHeapSize", Kind::Rare, &[]),
    ("NewSize", Kind::Rare, &["-Xmn"]),
    ("MaxNewSize", Kind::Rare, &["-Xmn"]),
    ("MaxRAM", Kind::Rare, &[]),
    ("MaxRAMPercentage", Kind::Rare, &[]),
    ("InitialRAMPercentage", Kind::Rare, &[]),
    ("MinRAMPercentage", Kind::Rare, &[]),
    ("MaxRAMFraction", Kind::Rare, &[]),
    ("MaxMetaspaceSize", Kind::Size, &[]),
    ("CompressedClassSpaceSize", Kind::Size, &[]),
    ("ReservedCodeCacheSize", Kind::Size, &["-Xmaxjitcodesize"]),
    ("ThreadStackSize", Kind::Kib, &["-Xss"]),
    ("ActiveProcessorCount", Kind::Rare, &[]),
    ("UseSerialGC", Kind::On, &[]),
    ("UseParallelGC", Kind::On, &[]),
    ("UseConcMarkSweepGC", Kind::On, &["-Xconcgc"]),
    ("UseG1GC", Kind::On, &[]),
    ("UseShenandoahGC", Kind::On, &[]),
    ("UseZGC", Kind::On, &[]),
    ("UseEpsilonGC", Kind::On, &[]),
    ("UseContainerSupport", Kind::Off, &[]),
    ("UseCompressedOops", Kind::Off, &[]),
    ("UseCompressedClassPointers", Kind::Off, &[]),
    ("UseCompactObjectHeaders", Kind::On, &[]),
    ("AlwaysPreTouch", Kind::On, &[]),
    ("UseTransparentHugePages", Kind::On, &[]),
    ("UseLargePages", Kind::On, &[]),
    ("ExitOnOutOfMemoryError", Kind::On, &[]),
    ("CrashOnOutOfMemoryError", Kind::On, &[]),
    ("HeapDumpOnOutOfMemoryError", Kind::On, &[]),
    ("NativeMemoryTracking", Kind::Rare, &[]),
    // Who asks the virtual machine itself (`--attach`) must know these.
    ("DisableAttachMechanism", Kind::On, &[]),
    ("ReduceSignalUsage", Kind::On, &["-Xrs"]),
];

/// Larger values mean that there is no bound.
const UNLIMITED: u64 = 1 << 62;

/// The flags in force. `direct_max` is what `java.nio` allows itself, which without the flag follows the heap.
pub(super) fn effective(flags: &Flags, target: &Target<'_>, direct_max: Option<u64>) -> Vec<EffectiveFlag> {
    let mut told: Vec<EffectiveFlag> = FLAGS
        .iter()
        .filter_map(|(name, kind, spellings)| {
            let flag = flags.get(name)?;
            Some(EffectiveFlag {
                name: (*name).to_owned(),
                value: text(flag, *kind)?,
                from: from(flag.origin, name, spellings, target),
            })
        })
        .collect();
    let direct = flags.get("MaxDirectMemorySize");
    let set = direct.and_then(|flag| text(flag, Kind::Rare)).filter(|value| value != "0");
    if let Some(value) = set.or_else(|| direct_max.map(|max| max.to_string())) {
        let from = direct.map_or_else(String::new, |flag| from(flag.origin, "MaxDirectMemorySize", &[], target));
        told.push(EffectiveFlag { name: "MaxDirectMemorySize".to_owned(), value, from });
    }
    told
}

/// The value, where the flag is worth telling.
fn text(flag: &Flag, kind: Kind) -> Option<String> {
    let is_default = flag.origin == Origin::Default;
    match (&flag.value, kind) {
        (Value::Bool(on), Kind::On) => on.then(|| "true".to_owned()),
        (Value::Bool(on), Kind::Off) => (!on).then(|| "false".to_owned()),
        (_, Kind::Rare) if is_default => None,
        (Value::Bool(on), _) => Some(on.to_string()),
        (Value::Unsigned(value), _) if *value >= UNLIMITED => Some("unlimited".to_owned()),
        (Value::Unsigned(value), Kind::Kib) => Some(value.saturating_mul(1024).to_string()),
        (Value::Signed(value), Kind::Kib) => Some(value.saturating_mul(1024).to_string()),
        (Value::Unsigned(value), _) => Some(value.to_string()),
        (Value::Signed(value), _) => Some(value.to_string()),
        (Value::Double(value), _) => Some(value.to_string()),
        (Value::Text(value), _) => Some(value.clone()),
    }
}

/// Where it came from. The virtual machine notes which of its sources it was, but takes `-Xmx` for an argument wherever
/// it stood, and the launcher puts `JDK_JAVA_OPTIONS` before the arguments; so the one that has the last word and names
/// the flag is looked for.
fn from(origin: Origin, name: &str, spellings: &[&str], target: &Target<'_>) -> String {
    let text = match origin {
        Origin::Default => "default",
        Origin::Ergonomics => "ergonomics",
        Origin::ConfigFile => "file of flags",
        Origin::Management => "management at run time",
        Origin::Attach => "attached tool",
        Origin::Internal => "runtime",
        Origin::CommandLine | Origin::Environment => {
            let names = |word: &str| {
                let flag = word.strip_prefix("-XX:").map(|flag| flag.trim_start_matches(['+', '-']));
                let flag = flag.map(|flag| flag.split('=').next().unwrap_or(flag));
                flag == Some(name) || spellings.iter().any(|spelling| word.starts_with(spelling))
            };
            let by_variable =
                |variable: &str| target.variable(variable).is_some_and(|options| options.split_whitespace().any(names));
            let by_argument = || virtual_machine_arguments(target.arguments).any(names);
            match origin {
                _ if by_variable("_JAVA_OPTIONS") => "environment _JAVA_OPTIONS",
                Origin::CommandLine if by_argument() => "command line",
                Origin::CommandLine if by_variable("JDK_JAVA_OPTIONS") => "environment JDK_JAVA_OPTIONS",
                _ if by_variable("JAVA_TOOL_OPTIONS") => "environment JAVA_TOOL_OPTIONS",
                Origin::CommandLine => "command line",
                _ => "environment",
            }
        }
    };
    text.to_owned()
}

/// The arguments up to the main class, module or archive; the program's own behind it may look alike.
fn virtual_machine_arguments(arguments: &[String]) -> impl Iterator<Item = &str> {
    let mut words = arguments.iter().skip(1).map(String::as_str);
    std::iter::from_fn(move || {
        let word = words.next()?;
        if JAVA_WITH_VALUE.contains(&word) {
            words.next();
        }
        let is_option = word.starts_with('-') && word != "-jar" && word != "-m" && word != "--module";
        (is_option || word.starts_with('@')).then_some(word)
    })
}

/// How much memory the virtual machine took the machine to have when it chose the heap's largest size, where it did so
/// and that size tells: `Arguments::set_heap_size` (runtime/arguments.cpp, 8u191 to 25) takes `MaxRAMPercentage` of it,
/// or on small ones `MinRAMPercentage`, rounded up to the heap's alignment.
pub(super) fn memory_seen(flags: &Flags) -> Option<u64> {
    /// Around the default of `MaxHeapSize` many sizes of memory give the same heap.
    const FLAT: std::ops::RangeInclusive<u64> = 112 << 20..=132 << 20;
    /// From here on compressed references bound the heap.
    const BOUNDED: u64 = 24 << 30;
    let percentage = |name: &str| match flags.get(name)?.value {
        Value::Double(value) if value > 0.0 && value <= 100.0 => Some(value),
        _ => None,
    };
    let heap = flags.get("MaxHeapSize").filter(|flag| flag.origin == Origin::Ergonomics)?;
    let Value::Unsigned(bytes) = heap.value else { return None };
    let ram_is_told = flags.get("MaxRAM").is_none_or(|flag| flag.origin == Origin::Default);
    if !ram_is_told || FLAT.contains(&bytes) || bytes > BOUNDED {
        return None;
    }
    let name = if bytes < *FLAT.start() { "MinRAMPercentage" } else { "MaxRAMPercentage" };
    let seen = bytes as f64 * 100.0 / percentage(name)?;
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "positive, and below 24 GiB by 100 percent"
    )]
    Some(seen as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_of_the_program_are_not_the_virtual_machines() {
        let words = ["java", "-Xmx1g", "-cp", "-Xss1m", "-ea", "Main", "-Xmx2g"].map(str::to_owned);
        assert_eq!(virtual_machine_arguments(&words).collect::<Vec<_>>(), ["-Xmx1g", "-cp", "-ea"]);
        let words = ["java", "@options", "-jar", "-Xmx2g"].map(str::to_owned);
        assert_eq!(virtual_machine_arguments(&words).collect::<Vec<_>>(), ["@options"]);
        let words = ["java", "--limit-modules", "java.base", "-Xmx1g", "Main"].map(str::to_owned);
        assert_eq!(virtual_machine_arguments(&words).collect::<Vec<_>>(), ["--limit-modules", "-Xmx1g"]);
    }
}
