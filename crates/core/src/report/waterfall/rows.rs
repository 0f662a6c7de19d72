//! What a waterfall's report says, whichever form it takes: rows, facts, sentences.

use std::collections::BTreeMap;

use super::super::clean::one_line;
use crate::cgroup_path::cgroup_names;
use crate::fact::Level;
use crate::units::Bytes;
use crate::waterfall::{Growth, Part, PartKind, Process, Source, Told, Waterfall};

/// A line of the waterfall.
#[derive(Debug, PartialEq)]
pub(super) struct Row {
    /// 0 for a part, 1 for what is inside it.
    pub(super) depth: usize,
    /// What it is.
    pub(super) name: String,
    /// How much; negative for the unexplained alone.
    pub(super) bytes: i64,
    /// Whose it is, and how sure.
    pub(super) note: String,
}

/// The parts, the largest first, those of one kind in one row, and what is unexplained at the end.
pub(super) fn rows(waterfall: &Waterfall) -> Vec<Row> {
    let mut groups: BTreeMap<(PartKind, &str), Vec<&Part>> = BTreeMap::new();
    for part in &waterfall.parts {
        groups.entry((part.kind, &part.name)).or_default().push(part);
    }
    let total = |parts: &[&Part]| parts.iter().map(|part| part.bytes.0).sum::<u64>();
    let mut groups: Vec<_> = groups.into_values().collect();
    groups.sort_by_key(|parts| std::cmp::Reverse(total(parts)));
    let mut rows = Vec::new();
    for parts in groups {
        let first = parts[0];
        rows.push(Row {
            depth: 0,
            name: first.name.clone(),
            bytes: signed(total(&parts)),
            note: note(waterfall, &parts),
        });
        let mut inside: Vec<(&str, u64)> = Vec::new();
        for part in parts.iter().flat_map(|part| &part.parts) {
            match inside.iter_mut().find(|(name, _)| *name == part.name) {
                Some((_, bytes)) => *bytes += part.bytes.0,
                None => inside.push((&part.name, part.bytes.0)),
            }
        }
        rows.extend(inside.into_iter().map(|(name, bytes)| Row {
            depth: 1,
            name: name.to_owned(),
            bytes: signed(bytes),
            note: String::new(),
        }));
    }
    rows.push(Row {
        depth: 0,
        name: "unexplained".into(),
        bytes: waterfall.unexplained_bytes,
        note: "stock per CPU, races".into(),
    });
    rows
}

fn signed(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

/// An amount that may be negative.
pub(super) fn amount(bytes: i64) -> String {
    let size = Bytes(bytes.unsigned_abs());
    if bytes < 0 { format!("-{size}") } else { size.to_string() }
}

/// A change between two looks.
pub(super) fn growth(growth: &Growth) -> String {
    let sign = if growth.bytes > 0 { "+" } else { "" };
    let of = growth.pid.map(|pid| format!(" of {pid}")).unwrap_or_default();
    format!("{sign}{} {}{of}", amount(growth.bytes), one_line(&growth.name))
}

/// Buffers that runtimes keep beside their heaps, by their own count: which pages they lie in is not known.
pub(super) fn buffers(waterfall: &Waterfall) -> Vec<String> {
    let line = |process: &Process| {
        let runtime = &process.runtime;
        let counts = [("direct buffers", runtime.direct_bytes), ("external buffers", runtime.external_bytes)];
        let (kind, bytes) = counts.into_iter().find_map(|(kind, bytes)| Some((kind, bytes.filter(|it| it.0 > 0)?)))?;
        let whose = named(waterfall, process.pid);
        Some(format!("of which {kind} {bytes} ({whose}), by its runtime's count, in malloc and other anonymous memory"))
    };
    waterfall.processes.iter().filter_map(line).collect()
}

/// Whose a part is, whether the kernel can take it back, and whether it is an estimate.
fn note(waterfall: &Waterfall, parts: &[&Part]) -> String {
    let mut words = Vec::new();
    match parts {
        [one] => {
            if let Some(pid) = one.pid {
                words.push(named(waterfall, pid));
            }
        }
        many => words.push(format!("{} processes", many.len())),
    }
    if parts[0].reclaimable {
        words.push("reclaimable".into());
    }
    if parts.iter().any(|part| !part.exact) {
        words.push("estimated".into());
    }
    words.join(", ")
}

fn named(waterfall: &Waterfall, pid: u32) -> String {
    let process = waterfall.processes.iter().find(|process| process.pid == pid);
    process.map_or_else(|| pid.to_string(), |process| format!("{} {pid}", process.comm))
}

/// What to call the container.
pub(super) fn title(waterfall: &Waterfall) -> String {
    let subject = &waterfall.subject;
    let place = [&subject.namespace, &subject.pod, &subject.container];
    let named: Vec<&str> = place.into_iter().filter_map(|name| name.as_deref()).collect();
    if named.is_empty() { subject.cgroup.clone().unwrap_or_else(|| "this container".into()) } else { named.join("/") }
}

/// How it stands, in a sentence.
pub(super) fn summary(waterfall: &Waterfall) -> String {
    let title = title(waterfall);
    let charged = waterfall.charged_bytes;
    let past = waterfall.source == Source::Recording;
    let is = if past { "was" } else { "is" };
    let Some(headroom) = waterfall.headroom_bytes else {
        let bounds = if past { "bounded" } else { "bounds" };
        return format!("{title} {is} charged {charged}; no limit {bounds} it but the node's memory.");
    };
    let binding = waterfall
        .limits
        .iter()
        .min_by_key(|limit| limit.limit_bytes.0.saturating_sub(limit.usage_bytes.unwrap_or_default().0));
    let limit = waterfall.limit_bytes.or(binding.map(|limit| limit.limit_bytes)).unwrap_or_default();
    let of = if waterfall.limit_bytes.is_some() { "its limit of" } else { "a limit above it of" };
    let nearest = nearest_above(waterfall).map(|limit| format!(" The nearest limit {is} that of {limit}."));
    let state = match (is_thrashing(waterfall), past) {
        (false, _) => "",
        (true, false) => " It is stalling: the kernel reclaims and reads back the same pages.",
        (true, true) => " It was stalling: the kernel reclaimed and read back the same pages.",
    };
    let kill = if past { "would have killed" } else { "would kill" };
    format!(
        "{title} {is} charged {charged} of {of} {limit}; {headroom} more that cannot be reclaimed {kill} it.{}{state}",
        nearest.unwrap_or_default()
    )
}

/// The level whose limit is nearest, where that is not the cgroup's own: what the others below it use counts too.
fn nearest_above(waterfall: &Waterfall) -> Option<String> {
    let nearest = waterfall.limits.iter().filter(|limit| limit.headroom_bytes.is_some());
    // Of two that leave the same the lower one is met first.
    let nearest = nearest.min_by_key(|limit| limit.headroom_bytes)?;
    if waterfall.subject.cgroup.as_ref() == Some(&nearest.cgroup) {
        return None;
    }
    let level = match cgroup_names(&nearest.cgroup).level {
        Level::Container => "the container around it",
        Level::Pod => "its pod",
        Level::NodeAllocatable => "all pods of the node (/kubepods)",
        _ => "a cgroup above it",
    };
    let usage = nearest.usage_bytes.map(|usage| format!("{usage} of ")).unwrap_or_default();
    Some(format!("{level}, {usage}{} in {}", nearest.limit_bytes, nearest.cgroup))
}

/// The kernel's own measure of a stall: every task waited for memory a tenth of the time, close to a limit.
fn is_thrashing(waterfall: &Waterfall) -> bool {
    let close = |limit: &crate::waterfall::LevelLimit| {
        limit.usage_bytes.is_some_and(|usage| usage.0 / 9 >= limit.limit_bytes.0 / 10)
    };
    let high = waterfall.high_bytes.is_some_and(|high| waterfall.charged_bytes.0 / 9 >= high.0 / 10);
    waterfall.pressure.full_avg10.is_some_and(|full| full >= 10.0) && (high || waterfall.limits.iter().any(close))
}

/// How much of the limit is out of the kernel's reach, in percent.
pub(super) fn risk(waterfall: &Waterfall) -> Option<u64> {
    let headroom = waterfall.headroom_bytes?.0;
    let needed = waterfall.unreclaimable_bytes.0;
    Some(u64::try_from(u128::from(needed) * 100 / u128::from(needed.saturating_add(headroom)).max(1)).unwrap_or(100))
}

/// Labelled facts.
pub(super) fn facts(waterfall: &Waterfall) -> Vec<(&'static str, String)> {
    let mut facts = Vec::new();
    let mut add = |label, text: Option<String>| facts.extend(text.map(|text| (label, text)));
    add(
        "cgroup",
        waterfall.subject.cgroup.clone().map(|path| format!("{path} (version {})", waterfall.cgroup_version)),
    );
    let inside = "by a command inside the container, which is in the charge while it reads";
    add("read", (waterfall.source == Source::Exec).then(|| inside.to_owned()));
    add("not reclaimable", Some(waterfall.unreclaimable_bytes.to_string()));
    add("peak", waterfall.peak_bytes.map(|peak| peak.to_string()));
    for limit in waterfall.limits.iter().skip(usize::from(waterfall.limit_bytes.is_some())) {
        let usage = limit.usage_bytes.map(|usage| format!("{usage} of ")).unwrap_or_default();
        add("limit above", Some(format!("{usage}{} in {}", limit.limit_bytes, limit.cgroup)));
    }
    add("memory.high", waterfall.high_bytes.map(|high| high.to_string()));
    let outside = &waterfall.outside;
    let beside = |bytes: Option<Bytes>| bytes.filter(|bytes| bytes.0 > 0).map(|bytes| bytes.to_string());
    add("in swap", beside(outside.swap_bytes));
    add("in zswap", beside(outside.zswap_bytes));
    add("hugetlb", beside(outside.hugetlb_bytes));
    let events = &waterfall.events;
    let counted =
        [("limit met", events.max), ("over high", events.high), ("OOM", events.oom), ("killed", events.oom_kill)];
    let told: Vec<String> = counted
        .into_iter()
        .filter_map(|(name, count)| count.filter(|count| *count > 0).map(|count| format!("{name} {count} times")))
        .collect();
    add("events", (!told.is_empty()).then(|| told.join(", ")));
    let pressure = &waterfall.pressure;
    add(
        "pressure",
        pressure
            .some_avg10
            .zip(pressure.full_avg10)
            .filter(|(some, _)| *some > 0.0)
            .map(|(some, full)| format!("some task waited {some} % of the last ten seconds, all tasks {full} %")),
    );
    facts
}

/// A process and its runtime: heads and cells.
pub(super) fn processes(waterfall: &Waterfall) -> Vec<Vec<String>> {
    waterfall
        .processes
        .iter()
        .map(|process| {
            let runtime = &process.runtime;
            let name = serde_json::to_value(runtime.name).ok().and_then(|name| name.as_str().map(str::to_owned));
            let version = runtime.version.as_deref().unwrap_or("");
            let bytes = |bytes: Option<Bytes>| bytes.map(|bytes| bytes.to_string()).unwrap_or_default();
            vec![
                process.pid.to_string(),
                process.comm.clone(),
                bytes(process.rss_bytes),
                process.threads.map(|threads| threads.to_string()).unwrap_or_default(),
                format!("{} {version}", name.unwrap_or_default()).trim_end().to_owned(),
                bytes(runtime.heap.used_bytes),
                bytes(runtime.heap.max_bytes),
            ]
        })
        .collect()
}

/// The heads of [`processes`].
pub(super) const PROCESS_HEAD: [&str; 7] = ["PID", "NAME", "RESIDENT", "THREADS", "RUNTIME", "HEAP USED", "HEAP MAX"];
/// Which of its columns are numbers.
pub(super) const PROCESS_RIGHT: [bool; 7] = [true, false, true, true, false, true, true];

/// What programs make of how many files they may open, a line each.
pub(super) fn descriptor_tables(waterfall: &Waterfall) -> Vec<String> {
    let line = |process: &Process| {
        let table = process.descriptor_table.as_ref()?;
        let limit = process.file_descriptor_limit.filter(|limit| *limit < u64::MAX);
        let limit = limit.map_or_else(|| "any number of".to_owned(), |limit| limit.to_string());
        Some(format!(
            "{} ({}) may open {limit} files and makes a table for all of them, {}: {} B a file, {} in all ({}). Bound it \
             by {}.",
            one_line(&process.comm),
            process.pid,
            table.name,
            table.bytes_each.0,
            table.bytes,
            table.from,
            table.knob
        ))
    };
    waterfall.processes.iter().filter_map(line).collect()
}

/// How a runtime was asked, and what that changed.
pub(super) fn asked(told: &Told) -> String {
    let rss = if told.rss_change_bytes == 0 { "the same".into() } else { amount(told.rss_change_bytes) };
    format!("Asked by {}. Its resident memory after less before: {rss}; threads: {:+}.", told.by, told.thread_change)
}

/// What it said, a line an amount.
pub(super) fn told(told: &Told) -> Vec<String> {
    let line = |amount: &crate::waterfall::ToldAmount| {
        let reserved = amount.reserved_bytes.map(|reserved| format!(" committed, {reserved} reserved"));
        format!("{}: {}{}", amount.name, amount.bytes, reserved.unwrap_or_default())
    };
    told.amounts.iter().map(line).collect()
}

/// Settings in force that somebody set: defaults say nothing about this container.
pub(super) fn flags(waterfall: &Waterfall) -> Vec<String> {
    let mut flags: Vec<String> = Vec::new();
    for process in &waterfall.processes {
        for flag in process.runtime.flags.iter().filter(|flag| flag.from != "default") {
            let text = format!("{} = {} ({})", flag.name, flag.value, flag.from);
            if !flags.contains(&text) {
                flags.push(text);
            }
        }
    }
    flags
}
