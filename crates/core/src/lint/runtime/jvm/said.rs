//! What the flags of a JVM say of its memory: each is looked for once, however many rules ask.

use super::{Given, last};
use crate::lint::program::Part;
use crate::runtime::flags::size;
use crate::units::Bytes;

/// The heap's maximum as a flag says it.
const HEAP: [&str; 2] = ["-Xmx", "-XX:MaxHeapSize="];

/// What it begins with.
const INITIAL: [&str; 2] = ["-Xms", "-XX:InitialHeapSize="];

/// What the last flag of each kind says, or what a start script makes one of.
#[derive(Debug)]
pub(super) struct Said<'a> {
    pub max_heap: Option<Given<'a, Bytes>>,
    pub is_heap_unknown: bool,
    /// `-Xms` in any of its spellings.
    pub initial: Option<Given<'a, Bytes>>,
    /// The flag for the heap's maximum, in any of its spellings.
    pub max_flag: Option<Given<'a, Bytes>>,
    /// `-XX:MaxRAMPercentage`, or the fraction that it replaced.
    pub most: Option<Given<'a, f64>>,
    /// `-XX:MinRAMPercentage`.
    pub least: Option<Given<'a, f64>>,
    pub max_ram: Option<Given<'a, Bytes>>,
    pub metaspace: Option<Bytes>,
    pub code_cache: Option<Bytes>,
    pub direct: Option<Bytes>,
    pub stack: Option<Bytes>,
}

impl<'a> Said<'a> {
    /// From flags, and from a start script's own variables, which count where no flag does.
    pub(super) fn read(
        flags: &[Part<'a>],
        heap_variable: Option<Given<'a, Bytes>>,
        ratio: Option<Given<'a, f64>>,
    ) -> Self {
        let given = |name: &str| last(flags, &[name]);
        let bytes = |it: Given<'a, String>| Some(Given { value: Bytes(size(&it.value)?), part: it.part });
        let number = |it: Given<'a, String>| Some(Given { value: it.value.parse::<f64>().ok()?, part: it.part });
        let is_unread = |it: &Option<Given<'a, String>>| it.as_ref().is_some_and(|it| it.value.parse::<f64>().is_err());
        let cap = |name: &str| given(name).and_then(bytes).map(|it| it.value).filter(|bytes| bytes.0 > 0);

        let heap = last(flags, &HEAP);
        let max_flag = heap.clone().and_then(bytes).filter(|it| it.value.0 > 0);
        let (most, fraction) = (given("-XX:MaxRAMPercentage="), given("-XX:MaxRAMFraction="));
        let (least, ram) = (given("-XX:MinRAMPercentage="), given("-XX:MaxRAM="));
        let max_ram = ram.clone().and_then(bytes);
        let is_ram_unread = ram.is_some() && max_ram.is_none();
        let is_share_unread = is_ram_unread || [&most, &fraction, &least].into_iter().any(is_unread);
        let is_heap_unknown =
            heap.as_ref().map_or(heap_variable.is_none() && is_share_unread, |heap| size(&heap.value).is_none());
        let share = |it: Given<'a, f64>| (it.value >= 1.0).then(|| Given { value: 100.0 / it.value, part: it.part });
        Self {
            max_heap: match heap {
                Some(_) => max_flag.clone(),
                None => heap_variable,
            },
            is_heap_unknown,
            initial: last(flags, &INITIAL).and_then(bytes).filter(|it| it.value.0 > 0),
            max_flag,
            most: most.and_then(number).or_else(|| fraction.and_then(number).and_then(share)).or(ratio),
            least: least.and_then(number),
            max_ram: max_ram.filter(|it| it.value.0 > 0),
            metaspace: cap("-XX:MaxMetaspaceSize="),
            code_cache: cap("-XX:ReservedCodeCacheSize="),
            direct: cap("-XX:MaxDirectMemorySize="),
            stack: cap("-Xss").or_else(|| given("-XX:ThreadStackSize=")?.value.parse().ok().map(Bytes::kib)),
        }
    }
}
