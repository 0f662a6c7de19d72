//! Numbers in kernel lines, and the lines `memory: usage ..., limit ..., failcnt ...`.

use std::borrow::Cow;

use crate::digits::digits;
use crate::fact::{LimitHit, MemoryLine};
use crate::units::Bytes;

/// The whole number at the beginning, and what follows. Nothing may have cut it: at the end of a text, or before a
/// mark of a cut, the digits may be the beginning of a longer number.
pub(super) fn number(text: &str) -> Option<(u64, &str)> {
    let end = text.bytes().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    let value = text[..end].parse().ok()?;
    Some((value, &text[end..]))
}

/// True where a number stops because the text was cut there: by a pager (`>`), by somebody's dots.
pub(super) fn is_cut(after: &str) -> bool {
    after.starts_with(['>', '…', '.', '<', '\\', '*'])
}

/// Where `key` begins. In the short texts of a kernel this is quicker than `str::find`, which first studies the key.
pub(super) fn place(text: &str, key: &str) -> Option<usize> {
    let (text, key) = (text.as_bytes(), key.as_bytes());
    let (first, last) = (*key.first()?, *key.last()?);
    memchr::memchr_iter(first, text)
        .find(|at| text.get(at + key.len() - 1) == Some(&last) && text[*at..].starts_with(key))
}

/// The size behind `key`: `anon-rss:920kB`. A size without its unit was cut and is unknown.
pub(super) fn size(text: &str, key: &str) -> Option<Bytes> {
    let after = &text[place(text, key)? + key.len()..];
    let (kib, unit) = number(after.trim_ascii_start())?;
    // 4.6 and 4.7 print `0lkB`.
    unit.trim_ascii_start().starts_with(['k', 'K', 'l']).then(|| Bytes::kib(kib))
}

/// Limits from here on (in kB) mean none: `PAGE_COUNTER_MAX` in pages of 4 and 64 KiB, `RES_COUNTER_MAX` before 3.19.
const NO_LIMIT_KIB: u64 = (1 << 53) - (1 << 20);

/// `usage 980kB, limit 980kB, failcnt 4152239`.
pub(super) fn memory_line(text: &str) -> MemoryLine {
    let limited = |limit: Bytes| limit < Bytes::kib(NO_LIMIT_KIB);
    if let Some([usage, limit, failcnt]) = as_printed(text) {
        let limit = Some(Bytes::kib(limit)).filter(|limit| limited(*limit));
        return MemoryLine { usage: Some(Bytes::kib(usage)), limit, failcnt: Some(failcnt) };
    }
    let failcnt = place(text, "failcnt").and_then(|at| number(text[at + "failcnt".len()..].trim_ascii_start()));
    MemoryLine {
        usage: size(text, "usage"),
        limit: size(text, "limit").filter(|limit| limited(*limit)),
        failcnt: failcnt.filter(|(_, after)| !is_cut(after)).map(|(count, _)| count),
    }
}

/// The three numbers of such a line where all of it is as every kernel prints it, and nothing else.
fn as_printed(text: &str) -> Option<[u64; 3]> {
    let (usage, rest) = number(text.strip_prefix("usage ")?)?;
    let (limit, rest) = number(rest.strip_prefix("kB, limit ")?)?;
    let (failcnt, rest) = number(rest.strip_prefix("kB, failcnt ")?)?;
    rest.is_empty().then_some([usage, limit, failcnt])
}

/// Which counter was full.
///
/// The kernel does not print it. A counter at its limit is full; where memory and memory+swap both are, the one that
/// refused charges (`failcnt`) is: 3.10 charges memory first, later kernels charge memory+swap first
/// (`try_charge`, mm/memcontrol.c). Other processes free memory while the report is being printed, so that a counter
/// close to its limit is taken for full when none is at it; far below it nothing can be said.
pub(super) fn limit_hit(
    memory: Option<MemoryLine>,
    memory_swap: Option<MemoryLine>,
    kernel: Option<MemoryLine>,
) -> Option<LimitHit> {
    let refused = |line: Option<MemoryLine>| line.and_then(|line| line.failcnt).unwrap_or(0) > 0;
    let room = |line: Option<MemoryLine>| {
        let MemoryLine { usage: Some(usage), limit: Some(limit), .. } = line? else { return None };
        Some((limit.0.saturating_sub(usage.0), limit.0))
    };
    let full = |line| room(line).is_some_and(|(room, limit)| room == 0 && limit > 0);
    if full(memory) && full(memory_swap) && !refused(memory) && refused(memory_swap) {
        return Some(LimitHit::MemorySwap);
    }
    let counters = [(memory, LimitHit::Memory), (memory_swap, LimitHit::MemorySwap), (kernel, LimitHit::KernelMemory)];
    counters.iter().find(|(line, _)| full(*line)).map(|(_, hit)| *hit).or_else(|| {
        counters
            .iter()
            .filter_map(|(line, hit)| room(*line).map(|(room, limit)| (room, limit, *hit)))
            .filter(|(room, limit, _)| room.saturating_mul(20) <= *limit)
            .min_by_key(|(room, ..)| *room)
            .map(|(.., hit)| hit)
    })
}

/// More sizes than any kernel prints of one cgroup (6.18: 60, of version 1).
const MOST_STATS: usize = 200;

/// As many sizes as version 1 prints.
const USUAL_STATS: usize = 32;

/// Pairs of `Memory cgroup stats`: `cache:32KB rss:524188KB` (v1) or `anon 98742272` (v2, one a line or many).
/// Counts of events and faults are left out: only sizes are bytes.
pub(super) fn stats(text: &str, into: &mut Vec<(String, Bytes)>) {
    // One pair, of which most lines are.
    if let Some((key, bytes)) = pair(text, text.len()) {
        size_of_pair(key, bytes, into);
        return;
    }
    let text = match memchr::memchr2(b'#', b'\\', text.as_bytes()) {
        Some(_) => Cow::Owned(text.replace("#012", " ").replace("\\x0a", " ").replace("\\n", " ")),
        None => Cow::Borrowed(text),
    };
    let mut words = text.split_ascii_whitespace().peekable();
    while let Some(word) = words.next() {
        if let Some(colon) = memchr::memchr(b':', word.as_bytes()) {
            if let Some((kib, _)) = number(&word[colon + 1..]).filter(|(_, unit)| unit.starts_with("KB")) {
                add_word(&word[..colon], Bytes::kib(kib), into);
            }
        } else if let Some(bytes) = words.peek().and_then(|value| value.parse().ok()) {
            words.next();
            add_word(word, Bytes(bytes), into);
        }
    }
}

/// The key and the number that stand in a text up to `end`, and nothing else.
#[inline]
pub(super) fn pair(text: &str, end: usize) -> Option<(&str, u64)> {
    let (key, rest) = text.split_at(key_end(text));
    let (value, length) = digits(rest.strip_prefix(' ')?.as_bytes())?;
    (key.len() + " ".len() + length == end).then_some((key, value))
}

/// Adds what a [`pair`] tells, if it is a size.
pub(super) fn size_of_pair(key: &str, value: u64, into: &mut Vec<(String, Bytes)>) {
    if is_size(key) {
        add(key, Bytes(value), into);
    }
}

/// Adds the size that a word names, if it is a key.
fn add_word(key: &str, value: Bytes, into: &mut Vec<(String, Bytes)>) {
    if is_size(key) && key.bytes().all(is_of_key) {
        add(key, value, into);
    }
}

/// Adds a size that is not there yet.
fn add(key: &str, value: Bytes, into: &mut Vec<(String, Bytes)>) {
    if into.len() < MOST_STATS && !into.iter().any(|(known, _)| known == key) {
        if into.is_empty() {
            into.reserve(USUAL_STATS);
        }
        into.push((key.to_owned(), value));
    }
}

/// Is a key of `memory.stat` a size in use (Documentation/admin-guide/cgroup-v2.rst, cgroup-v1/memory.rst)? Others
/// count events and faults, or repeat limits.
fn is_size(key: &str) -> bool {
    let of_tree = key.strip_prefix("total_").unwrap_or(key);
    let other = match of_tree.as_bytes() {
        [b'p', b'g', then, ..] => b"sfmradlpc".contains(then),
        [b'w', ..] => of_tree.starts_with("workingset_"),
        [b't', ..] => of_tree.starts_with("thp_"),
        [b'z', b's', b'w', b'p', ..] => ["zswpin", "zswpout", "zswpwb"].iter().any(|it| of_tree.starts_with(it)),
        [b'n', ..] => of_tree.starts_with("numa_"),
        [b'h', ..] => of_tree.starts_with("hierarchical_"),
        [b's', ..] => matches!(of_tree, "swpin" | "swpout"),
        _ => false,
    };
    !other && !key.is_empty()
}

/// Where the key ends that a text begins with.
#[inline]
pub(super) fn key_end(text: &str) -> usize {
    text.bytes().position(|byte| !is_of_key(byte)).unwrap_or(text.len())
}

/// What keys are made of.
#[inline]
fn is_of_key(byte: u8) -> bool {
    const OF_KEY: [bool; 256] = {
        let mut table = [false; 256];
        let letters = b"abcdefghijklmnopqrstuvwxyz_0123456789";
        let mut at = 0;
        while at < letters.len() {
            table[letters[at] as usize] = true;
            at += 1;
        }
        table
    };
    OF_KEY[usize::from(byte)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[allow(clippy::unnecessary_wraps, reason = "every use wants a line that was printed")]
    fn line(usage: u64, limit: u64, failcnt: u64) -> Option<MemoryLine> {
        Some(memory_line(&format!("usage {usage}kB, limit {limit}kB, failcnt {failcnt}")))
    }

    #[test]
    fn no_limit_is_none_on_every_kernel() {
        for limit in ["9007199254740988", "9007199254740991", "18014398509481983", "9007199254740928"] {
            let line = memory_line(&format!("usage 5kB, limit {limit}kB, failcnt 0"));
            assert_eq!(line, MemoryLine { usage: Some(Bytes::kib(5)), limit: None, failcnt: Some(0) });
        }
    }

    #[test]
    fn a_line_as_printed_is_read_as_key_by_key() {
        let printed = "usage 980kB, limit 980kB, failcnt 4152239";
        assert_eq!(as_printed(printed), Some([980, 980, 4_152_239]));
        let otherwise = printed.replace("usage", "usage ");
        assert_eq!((as_printed(&otherwise), memory_line(&otherwise)), (None, memory_line(printed)));
    }

    #[test]
    fn a_cut_size_is_unknown() {
        assert_eq!(memory_line("usage 1024kB, limit 10").limit, None);
        assert_eq!(size("anon-rss:3272096kB, shmem-rss:", "shmem-rss:"), None);
        assert_eq!(size("anon-rss:32", "anon-rss:"), None);
    }

    #[test]
    fn the_full_counter_is_found() {
        const NONE: u64 = 9_007_199_254_740_988;
        for (memory, swap, kernel, hit) in [
            (line(100, 100, 5), line(100, NONE, 0), None, Some(LimitHit::Memory)),
            (line(100, 100, 5), line(199, 200, 6), None, Some(LimitHit::Memory)),
            (line(99, 100, 5), line(200, 200, 6), None, Some(LimitHit::MemorySwap)),
            (line(100, 100, 0), line(100, 100, 7), None, Some(LimitHit::MemorySwap)),
            (line(100, 100, 3), line(100, 100, 0), None, Some(LimitHit::Memory)),
            (line(40, 100, 0), line(40, NONE, 0), line(20, 20, 9), Some(LimitHit::KernelMemory)),
            (line(99_990, 100_000, 3), None, None, Some(LimitHit::Memory)),
            (line(20, 100, 3), None, None, None),
            (None, None, None, None),
        ] {
            assert_eq!(limit_hit(memory, swap, kernel), hit, "{memory:?} {swap:?} {kernel:?}");
        }
    }

    #[test]
    fn stats_of_both_versions_are_bytes() {
        let mut found = Vec::new();
        stats("cache:32KB rss:5KB mapped_f", &mut found);
        assert_eq!(found, [("cache".to_owned(), Bytes::kib(32)), ("rss".to_owned(), Bytes::kib(5))]);
        found.clear();
        stats(
            "anon 4096#012file 8192#012pgfault 7#012workingset_refault_anon 3#012zswap 12\\x0azswpin 1\\x0aslab 1",
            &mut found,
        );
        let keys: Vec<_> = found.iter().map(|(key, value)| (key.as_str(), value.0)).collect();
        assert_eq!(keys, [("anon", 4096), ("file", 8192), ("zswap", 12), ("slab", 1)]);
    }
}
