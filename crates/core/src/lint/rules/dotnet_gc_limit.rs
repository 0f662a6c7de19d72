//! A heap of .NET that reaches the limit.

use super::{Finding, Level, Subject};
use crate::budget::dotnet;
use crate::lint::program::Set;
use crate::lint::runtime::told::hexadecimal;
use crate::units::Bytes;

super::rule!("dotnet-gc-limit", Warning, Program(judge));

/// Native memory of the runtime itself: assumed, not measured.
const NATIVE: Bytes = Bytes::mib(40);

fn judge<'a>(subject: &Subject<'_, 'a>) -> Vec<Finding<'a>> {
    let Some(limit) = subject.limit() else { return Vec::new() };
    let of = |name: &str| {
        ["DOTNET_", "COMPlus_"].iter().find_map(|prefix| {
            let is_it = |set: &&Set<'a>| set.name.strip_prefix(prefix) == Some(name);
            let set = subject.program.environment.iter().rev().find(is_it)?;
            let text = set.text()?;
            Some((set, text, hexadecimal(text)?))
        })
    };
    let tmpfs = subject.tmpfs();
    let needed = |heap: Bytes| Bytes(heap.0.saturating_add(NATIVE.0).saturating_add(tmpfs.0));
    let files = if tmpfs.0 > 0 { format!(" + files in memory {tmpfs}") } else { String::new() };
    let given = of("GCHeapHardLimit").map(|(set, text, number)| (set, text, Bytes(number), String::new()));
    let share = || {
        let (set, text, number) = of("GCHeapHardLimitPercent")?;
        let bytes = Bytes(u64::try_from(u128::from(limit.bytes.0) * u128::from(number) / 100).unwrap_or(u64::MAX));
        Some((set, text, bytes, format!(" ({number} %)")))
    };
    let Some((set, text, heap, share)) = given.filter(|it| it.2.0 > 0).or_else(share).filter(|it| it.2.0 > 0) else {
        return Vec::new();
    };
    // Only without a limit in bytes is a share looked at.
    let is_ignored = (!share.is_empty()).then(|| hexadecimal(text)).flatten().filter(|number| *number >= 100);
    let heap = if is_ignored.is_some() { dotnet::default_heap(limit.bytes) } else { heap };
    let need = needed(heap);
    let budget = format!("budget: heap {heap} + the runtime itself {NATIVE}{files} = {need} of {}", limit.bytes);
    let fitting = dotnet::heap_percent(limit.bytes, Bytes(NATIVE.0.saturating_add(tmpfs.0)), Bytes(0));
    if let Some(number) = is_ignored {
        let fits = need <= limit.bytes;
        let message = format!("`{text}` is {number} %, and .NET ignores a share of 100 and more");
        let finding = Finding::new(if fits { Level::Info } else { Level::Warning }, set.node, message)
            .label("the number is read as hexadecimal")
            .related(limit.place, limit.says())
            .note(format!("the heap may take three quarters of the limit instead, as without it: {heap}"))
            .note(budget);
        // Who wrote `75` meant 75 %.
        let meant = text.parse::<u64>().ok().filter(|meant| (1..100).contains(meant)).unwrap_or(75);
        let written = format!("{meant} % is written {}", dotnet::variable(meant));
        return vec![finding.help(match fitting.filter(|_| !fits) {
            Some(percent) => format!("{written}; {percent} % of this limit fit, written {}", dotnet::variable(percent)),
            None => written,
        })];
    }
    if need <= limit.bytes {
        return Vec::new();
    }
    let message = format!("the heap's limit of {heap}{share} leaves nothing of the container's {}", limit.bytes);
    let mut finding = Finding::new(Level::Warning, set.node, message)
        .label("the number is read as hexadecimal")
        .related(limit.place, limit.says())
        .note(budget)
        .assume(format!("{NATIVE} of native memory"));
    finding = match fitting {
        Some(percent) => finding
            .help(format!("DOTNET_GCHeapHardLimitPercent={} ({percent} %) for this limit", dotnet::variable(percent))),
        None => finding.help("raise the limit"),
    };
    vec![finding]
}
