//! The settings that bound V8's heap: their values from its own memory, their origin from the words that were given.

use super::isolate::Limits;
use crate::runtime::{EffectiveFlag, Target};
use crate::units::Bytes;

const OLD: &str = "--max-old-space-size";
const PERCENTAGE: &str = "--max-old-space-size-percentage";
const SEMISPACE: &str = "--max-semi-space-size";
const HEAP: &str = "--max-heap-size";

/// Options of Node.js whose value may be the next word (`node --help`).
const WITH_VALUE: [&str; 16] = [
    "-r",
    "--require",
    "--import",
    "--loader",
    "--experimental-loader",
    "-C",
    "--conditions",
    "-e",
    "--eval",
    "-p",
    "--print",
    "-pe",
    "--title",
    "--icu-data-dir",
    "--openssl-config",
    "--env-file",
];

/// A memory flag as it was given.
#[derive(Debug, PartialEq, Eq)]
struct Given<'a> {
    name: &'static str,
    value: &'a str,
    from: &'static str,
}

impl Given<'_> {
    /// Its size in bytes; it counts mebibytes.
    fn size(&self) -> Option<u64> {
        self.value.parse::<u64>().ok()?.checked_mul(1 << 20)
    }

    fn effective(&self) -> EffectiveFlag {
        let value = if self.name == PERCENTAGE { None } else { self.size() };
        let value = value.map_or_else(|| self.value.to_owned(), |bytes| bytes.to_string());
        EffectiveFlag { name: self.name.to_owned(), value, from: self.from.to_owned() }
    }
}

/// The flags in force in the main thread's isolate, whose limits are `limits`; where those could not be read, the flags
/// as they were given.
pub(super) fn effective(target: &Target<'_>, limits: Option<Limits>) -> Vec<EffectiveFlag> {
    let given = given(target.arguments, target.variable("NODE_OPTIONS").unwrap_or_default());
    let Some(limits) = limits else {
        return given.iter().map(Given::effective).collect();
    };
    let find = |name| given.iter().find(|flag| flag.name == name);
    let flag = |name: &str, bytes: u64, from: &str| EffectiveFlag {
        name: name.to_owned(),
        value: bytes.to_string(),
        from: from.to_owned(),
    };
    let indirect = find(PERCENTAGE).or_else(|| find(HEAP));
    let old = match find(OLD) {
        Some(given) if given.size() == Some(limits.old) => given.from,
        Some(_) => "runtime",
        None => indirect.map_or_else(|| unasked(limits.old, target.limit), |given| given.from),
    };
    let semispace = find(SEMISPACE).or_else(|| find(HEAP)).map_or("default", |given| given.from);
    let others = given.iter().filter(|flag| flag.name == PERCENTAGE || flag.name == HEAP).map(Given::effective);
    [flag(OLD, limits.old, old), flag(SEMISPACE, limits.semispace, semispace)].into_iter().chain(others).collect()
}

/// Where an old generation of that size comes from if nobody asked for one: V8 takes half of the memory that it sees,
/// at least 256 MiB and at most 2 GiB, from 15 GiB on 4 GiB (`Heap::HeapSizeFromPhysicalMemory` and
/// `Heap::MaxOldGenerationSizeFromPhysicalMemory`, src/heap/heap.cc). Any other size was set by the program.
fn unasked(old: u64, limit: Option<Bytes>) -> &'static str {
    const MIB: u64 = 1 << 20;
    let rule = |seen: u64| (seen / 2).clamp(256 * MIB, if seen < 15 << 30 { 2048 * MIB } else { 4096 * MIB });
    // Node.js up to 18 does not see a limit of cgroup version 2, so the machine's size counts, which is not known here.
    let by_limit = limit.is_some_and(|limit| rule(limit.0).abs_diff(old) < MIB);
    if by_limit || [2048 * MIB, 4096 * MIB].contains(&old) { "default" } else { "runtime" }
}

/// The flags that were given, each once: the last word holds, and the command line before the environment.
fn given<'a>(arguments: &'a [String], options: &'a str) -> Vec<Given<'a>> {
    let mut found: Vec<Given<'a>> = Vec::new();
    let mut keep = |word: &'a str, from| {
        let Some((name, value)) = word.split_once('=') else { return };
        let dashed = name.replace('_', "-");
        if let Some(name) = [OLD, PERCENTAGE, SEMISPACE, HEAP].into_iter().find(|known| *known == dashed)
            && value.parse::<f64>().is_ok()
            && value.len() <= 32
        {
            found.retain(|flag| flag.name != name);
            found.push(Given { name, value, from });
        }
    };
    options.split_whitespace().for_each(|word| keep(word.trim_matches('"'), "environment NODE_OPTIONS"));
    let mut words = arguments.iter().skip(1).map(String::as_str);
    while let Some(word) = words.next().filter(|word| word.starts_with('-') && *word != "--") {
        keep(word, "command line");
        if WITH_VALUE.contains(&word) {
            words.next();
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn the_command_line_holds_before_the_environment_and_only_up_to_the_script() {
        let arguments = words("node -r x.js --max_old_space_size=400 app.js --max-semi-space-size=64 --token=secret");
        let found = given(&arguments, "--max-old-space-size=300 --max-semi-space-size=32 --require=secret");
        assert_eq!(
            found,
            [
                Given { name: SEMISPACE, value: "32", from: "environment NODE_OPTIONS" },
                Given { name: OLD, value: "400", from: "command line" },
            ]
        );
        assert_eq!(found[1].size(), Some(400 << 20));
    }

    #[test]
    fn values_that_are_no_numbers_do_not_leave() {
        assert!(given(&words("node --max-old-space-size=secret app.js"), "").is_empty());
    }

    #[test]
    fn a_size_that_the_rule_gives_is_a_default() {
        assert_eq!(unasked(256 << 20, Some(Bytes::mib(300))), "default");
        assert_eq!(unasked(512 << 20, Some(Bytes::mib(1024))), "default");
        assert_eq!(unasked(4 << 30, Some(Bytes::mib(512))), "default");
        assert_eq!(unasked(300 << 20, Some(Bytes::mib(512))), "runtime");
        assert_eq!(unasked(300 << 20, None), "runtime");
    }
}
