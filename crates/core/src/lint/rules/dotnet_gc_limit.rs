//! A heap of .NET that reaches the limit.

use super::{Finding, Level, Subject};
use crate::budget::{dotnet, percent};
use crate::units::Bytes;

super::rule!("dotnet-gc-limit", Warning, Program(judge));

/// Native memory of the runtime itself: assumed, not measured.
const NATIVE: Bytes = Bytes::mib(40);

fn judge<'a>(subject: &Subject<'_, 'a>) -> Vec<Finding<'a>> {
    let Some(limit) = subject.limit() else { return Vec::new() };
    let of = |name: &str| {
        ["DOTNET_", "COMPlus_"].iter().find_map(|prefix| {
            let set = subject.program.variable(&format!("{prefix}{name}"))?;
            let text = set.text()?;
            Some((set, text, hexadecimal(text)?))
        })
    };
    let given = of("GCHeapHardLimit").map(|(set, text, number)| (set, text, Bytes(number), String::new()));
    let share = || {
        let (set, text, number) = of("GCHeapHardLimitPercent")?;
        let bytes = Bytes(u64::try_from(u128::from(limit.bytes.0) * u128::from(number) / 100).unwrap_or(u64::MAX));
        Some((set, text, bytes, format!(" ({number} %)")))
    };
    let Some((set, text, heap, share)) = given.filter(|it| it.2.0 > 0).or_else(share).filter(|it| it.2.0 > 0) else {
        return Vec::new();
    };
    let need = Bytes(heap.0.saturating_add(NATIVE.0).saturating_add(subject.tmpfs().0));
    if need <= limit.bytes {
        return Vec::new();
    }
    let message = format!("the heap's limit of {heap}{share} leaves nothing of the container's {}", limit.bytes);
    let mut finding = Finding::new(Level::Warning, set.node, message)
        .label("the number is read as hexadecimal")
        .related(limit.place, limit.says())
        .note(format!("budget: heap {heap} + the runtime itself {NATIVE} = {need} of {}", limit.bytes))
        .assume(format!("{NATIVE} of native memory"));
    // Who wrote `75` meant 75 %, and got 117.
    let meant = text.parse::<u64>().ok().filter(|meant| *meant <= 100 && !share.is_empty());
    let fits = meant.filter(|meant| percent(limit.bytes, *meant as f64).0 + NATIVE.0 <= limit.bytes.0);
    finding = match (fits, dotnet::heap_percent(limit.bytes, NATIVE, Bytes(0))) {
        (Some(meant), _) => finding.help(format!("{meant} % is written {}", dotnet::variable(meant))),
        (None, Some(percent)) => finding
            .help(format!("DOTNET_GCHeapHardLimitPercent={} ({percent} %) for this limit", dotnet::variable(percent))),
        (None, None) => finding.help("raise the limit"),
    };
    vec![finding]
}

/// `C800000`, `0xC800000` (dotnet/docs, core/runtime-config/garbage-collector).
fn hexadecimal(text: &str) -> Option<u64> {
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).unwrap_or(text);
    u64::from_str_radix(digits, 16).ok()
}
