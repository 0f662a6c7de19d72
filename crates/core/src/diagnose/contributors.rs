//! What made a kill likely, read off the spec that was in force.

use super::memory::composition;
use crate::case::{Case, Life};
use crate::diagnosis::Contributor;
use crate::units::{Bytes, Quantity};

/// Share of the limit from which on a heap leaves too little for the rest of a JVM or Node.js process.
const CLOSE: f64 = 0.75;

/// Share of the usage from which on a part that is no heap is worth a word.
const LARGE: f64 = 0.2;

/// Contributors of a case; none where no limit of the container or pod was hit.
pub(super) fn of(case: &Case<'_>, limit_was_hit: bool) -> Vec<Contributor> {
    if !limit_was_hit {
        return Vec::new();
    }
    let mut list = by_composition(case);
    let (Some(view), Some(container)) = (case.pod, case.container) else { return list };
    let source = case.index.artifact_name(view.from.artifact).to_owned();
    let locator = view.from.join(&container.spec_path).locator();
    let mut say = |says: String| {
        list.push(Contributor { says, source: source.clone(), locator: locator.clone() });
    };
    let limit = container.resources.limit_bytes().or(view.pod.resources.limit_bytes());
    if let Some(limit) = limit {
        for flag in &container.flags {
            if let Some(says) = close_to(&flag.text, limit) {
                say(format!("{says} (from {})", flag.from));
            }
        }
    }
    let heap =
        container.flags.iter().any(|flag| flag.text.starts_with("-Xmx") || flag.text.contains("MaxRAMPercentage"));
    if heap && !container.flags.iter().any(|flag| flag.text.contains("MaxDirectMemorySize")) {
        say("no cap on direct memory: the JVM lets it grow to the size of the heap again (-XX:MaxDirectMemorySize)"
            .into());
    }
    for volume in &container.tmpfs_mounts {
        let bound = view.pod.tmpfs.iter().find(|tmpfs| &tmpfs.volume == volume).and_then(|tmpfs| tmpfs.size_limit);
        say(match bound {
            Some(size) => format!("memory-backed volume {volume} may take {size} of the limit"),
            None => format!(
                "memory-backed volume {volume} has no size limit of its own; its files are charged to the container"
            ),
        });
    }
    list
}

/// Memory that is not the victim's heap: what the kernel's report says was charged beside anonymous memory.
fn by_composition(case: &Case<'_>) -> Vec<Contributor> {
    let Some(kill) = case.kills.iter().find(|kill| kill.life == Life::This).map(|kill| kill.kill) else {
        return Vec::new();
    };
    let Some(usage) = kill.memory.and_then(|memory| memory.usage).filter(|usage| usage.0 > 0) else {
        return Vec::new();
    };
    let parts = composition(kill.it);
    let large = |part: Option<Bytes>| part.filter(|part| part.0 as f64 >= LARGE * usage.0 as f64);
    let (from, _) = kill.lines.first().map_or((kill.from, ""), |(from, line)| (from, line.as_str()));
    let sentence = |says: String| Contributor {
        says,
        source: case.index.artifact_name(from.artifact).to_owned(),
        locator: from.locator(),
    };
    let shmem = large(parts.shmem_bytes).map(|part| {
        format!("{part} of {usage} were tmpfs files and shared memory, which survive a container's restart and no heap graph shows")
    });
    let kernel = large(parts.kernel_bytes).map(|part| {
        format!("{part} of {usage} were kernel memory (page tables, stacks, slab, pipes), which is charged to the container too")
    });
    shmem.into_iter().chain(kernel).map(sentence).collect()
}

/// A flag that takes nearly all of the limit, in a sentence.
fn close_to(flag: &str, limit: Bytes) -> Option<String> {
    let share = |bytes: u64| bytes as f64 / limit.0 as f64;
    let sentence = |what: &str, bytes: Bytes| {
        let part = share(bytes.0);
        (part >= CLOSE)
            .then(|| format!("{flag}: {what} of {bytes} takes {:.0} % of the limit of {limit}", part * 100.0))
    };
    if let Some(size) = flag.strip_prefix("-Xmx") {
        return sentence("a heap", jvm_size(size)?);
    }
    if let Some(percent) = flag.split_once("MaxRAMPercentage=").map(|(_, value)| value) {
        let percent: f64 = percent.parse().ok()?;
        return (percent >= CLOSE * 100.0)
            .then(|| format!("{flag}: the heap may take {percent} % of the limit of {limit}"));
    }
    if let Some(mebibytes) = flag.split_once("max-old-space-size=").map(|(_, value)| value) {
        return sentence("V8's old space", Bytes::mib(mebibytes.parse().ok()?));
    }
    let go = flag.strip_prefix("GOMEMLIMIT=")?;
    let bytes = go.trim_end_matches('B').parse::<Quantity>().ok()?.bytes();
    (bytes.0 >= limit.0)
        .then(|| format!("{flag} is not below the limit of {limit}: the collector never comes under pressure"))
}

/// `512m`, `2g`, `524288k`, plain bytes: the JVM's suffixes are binary.
fn jvm_size(text: &str) -> Option<Bytes> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let shift = match text[digits.len()..].to_ascii_lowercase().as_str() {
        "" => 0,
        "k" => 10,
        "m" => 20,
        "g" => 30,
        "t" => 40,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_shl(shift).map(Bytes)
}
