//! A container's runtime in words that outlive its manifest: what `size` sets a limit beside.

use super::go;
use super::jvm;
use super::node::Node;
use crate::budget::jvm::Collector;
use crate::budget::told::{Given, Runtime, Told, Within, Workers};
use crate::lint::program::{Part, Set};
use crate::lint::subject::Subject;
use crate::lint::workload::VariableSource;
use crate::runtime::flags::size;
use crate::units::Bytes;

/// The runtime of a container; none where nothing speaks of one that takes a limit of its own.
pub(crate) fn read(subject: &Subject<'_, '_>) -> Option<Told> {
    of_jvm(subject).or_else(|| of_node(subject)).or_else(|| of_go(subject)).or_else(|| of_dotnet(subject))
}

/// How many workers its server is told to start; none of one that starts no other, or does not say how many.
pub(crate) fn workers(subject: &Subject<'_, '_>) -> Option<Workers> {
    let it = super::workers::stated(subject.program).filter(|it| it.count > 1)?;
    let flag = written(subject, &format!("{}{}", it.before, it.count), it.variable);
    Some(Workers { count: it.count, before: it.before, flag })
}

fn of_jvm(subject: &Subject<'_, '_>) -> Option<Told> {
    let it = subject.jvm()?;
    let heap = it.max_heap();
    let initial = it.last(&["-Xms", "-XX:InitialHeapSize="]).and_then(|it| size(&it.value)).map(Bytes);
    let told = |runtime, part: Option<&Part<'_>>| {
        let flag = part.map(|part| given(subject, part));
        Told { runtime, flag, least: initial.unwrap_or_default(), assumed: it.assumed() }
    };
    if it.is_heap_unknown() {
        let flags = ["-Xmx", "-XX:MaxHeapSize=", "-XX:MaxRAMPercentage=", "-XX:MaxRAM=", "-XX:MinRAMPercentage="];
        return Some(told(Runtime::Unknown, it.last(&flags).as_ref().map(|it| &it.part)));
    }
    let asked = [Collector::Serial, Collector::Parallel, Collector::G1, Collector::Z, Collector::Shenandoah];
    // The collector that is chosen for a small and for a large container is the one that is asked for.
    let (small, large) = (it.collector(Bytes(0), 1), it.collector(Bytes(u64::MAX), 2));
    let part = heap.as_ref().map(|it| it.part.clone()).or_else(|| it.percentage().map(|it| it.part));
    let runtime = Runtime::Jvm {
        heap: heap.map(|it| it.value),
        percentages: it.percentages(),
        max_ram: it.max_ram().map(|it| it.value),
        collector: asked.into_iter().find(|asked| *asked == small && *asked == large),
        cpus: jvm::cpus(subject),
        caps: it.caps(Bytes(0)),
    };
    Some(told(runtime, part.as_ref()))
}

fn of_node(subject: &Subject<'_, '_>) -> Option<Told> {
    let it = Node::read(subject)?;
    let part = it.old_space.as_ref().map(|it| &it.1).or(it.percentage.as_ref().map(|it| &it.1));
    let unread = it.unread.as_ref().map(|it| &it.1);
    let runtime = if unread.is_some() {
        Runtime::Unknown
    } else {
        Runtime::Node {
            // Without a version and without a flag nothing is known of the heap.
            major: if part.is_some() { it.assumed_major() } else { it.major? },
            old: it.old_space.as_ref().map(|it| it.0),
            share: it.percentage.as_ref().map(|it| it.0),
            semi_space: it.semi_space,
        }
    };
    let flag = unread.or(part).map(|part| given(subject, part));
    Some(Told { runtime, flag, least: Bytes(0), assumed: Vec::new() })
}

fn of_go(subject: &Subject<'_, '_>) -> Option<Told> {
    let set = subject.program.variable("GOMEMLIMIT")?;
    let runtime = match go::memory_limit(subject) {
        Some(it) if it.field.is_some() => Runtime::GoField,
        Some(it) => Runtime::Go(it.bytes.filter(|bytes| bytes.0 > 0)?),
        None => Runtime::Unknown,
    };
    Some(Told { runtime, flag: Some(whole(subject, set)), least: Bytes(0), assumed: Vec::new() })
}

fn of_dotnet(subject: &Subject<'_, '_>) -> Option<Told> {
    let of = |name: &str| {
        let is_it =
            |set: &&Set<'_>| ["DOTNET_", "COMPlus_"].iter().any(|prefix| set.name.strip_prefix(prefix) == Some(name));
        subject.program.environment.iter().rev().find(is_it)
    };
    // Only without a limit in bytes is a share looked at.
    let (set, is_share) =
        of("GCHeapHardLimit").map(|set| (set, false)).or_else(|| Some((of("GCHeapHardLimitPercent")?, true)))?;
    let number = set.text().and_then(hexadecimal);
    let runtime = match number {
        Some(0) => return None,
        Some(number) if is_share => Runtime::DotnetShare(number),
        Some(number) => Runtime::Dotnet(Bytes(number)),
        None => Runtime::Unknown,
    };
    Some(Told { runtime, flag: Some(whole(subject, set)), least: Bytes(0), assumed: Vec::new() })
}

/// `C800000`, `0xC800000` (dotnet/docs, core/runtime-config/garbage-collector).
pub(crate) fn hexadecimal(text: &str) -> Option<u64> {
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).unwrap_or(text);
    u64::from_str_radix(digits, 16).ok()
}

/// A word of a variable or of the command line.
fn given(subject: &Subject<'_, '_>, part: &Part<'_>) -> Given {
    written(subject, &part.text, part.from)
}

/// The same of one word or several: `-w 4`.
fn written(subject: &Subject<'_, '_>, text: &str, variable: Option<&str>) -> Given {
    let container = subject.container;
    let first = text.split(' ').next();
    let within = match variable {
        Some(name) => value(subject, name),
        None => {
            [("command", &container.command), ("args", &container.arguments)].into_iter().find_map(|(name, words)| {
                let stands = words.iter().any(|word| word.text.split_ascii_whitespace().any(|it| Some(it) == first));
                stands.then(|| Within::List(name, words.iter().map(|word| word.text.to_owned()).collect()))
            })
        }
    };
    Given { text: text.to_owned(), variable: variable.map(str::to_owned), within }
}

/// A variable that holds one value and nothing else.
fn whole(subject: &Subject<'_, '_>, set: &Set<'_>) -> Given {
    let text = set.text().unwrap_or_default().to_owned();
    Given { text, variable: Some(set.name.to_owned()), within: value(subject, set.name) }
}

/// The value of a variable that the container itself is given.
fn value(subject: &Subject<'_, '_>, name: &str) -> Option<Within> {
    subject.container.variables.iter().rev().find(|variable| variable.name == name).and_then(|it| match it.source {
        VariableSource::Value(text) => Some(Within::Value(text.to_owned())),
        _ => None,
    })
}
