//! The kernel's messages about its OOM killer, in the words of every version (mm/oom_kill.c, mm/memcontrol.c).

use super::amount::{self, place};
use super::summary::{self, Summary};
use super::table::{self, Column};
use super::victim;
use crate::fact::{MemoryLine, Victim};

/// One message.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Message<'a> {
    /// `app invoked oom-killer: gfp_mask=..., order=0, ...`: the first line of a report.
    Invoked { comm: &'a str, sysrq: bool },
    /// `CPU: 5 PID: 13536 Comm: app Not tainted ...`.
    Cpu { pid: Option<u32>, comm: &'a str },
    /// `sysrq: Manual OOM execution`.
    SysRq,
    /// `Workqueue: events moom_callback`: the worker that SysRq-f starts.
    SysRqWorker,
    /// A frame of the call trace that only a memory cgroup's OOM has.
    MemcgFrame,
    /// `Task in /a killed as a result of limit of /b` (until 4.20).
    TaskIn { task: Option<String>, limit: Option<String> },
    /// `memory: usage ..., limit ..., failcnt ...` and its siblings.
    Amount(Counter, MemoryLine),
    /// `Memory cgroup stats for /b:` and what stands on the same line.
    Stats { path: &'a str, pairs: &'a str },
    /// `anon 98742272`.
    StatPairs(&'a str),
    /// `1048438 pages RAM`.
    Ram(Ram, u64),
    /// The table's header.
    Columns(Vec<Column>),
    /// A row of the table; it is read when the report knows its columns.
    Row,
    /// `oom-kill:constraint=...` (from 5.0).
    Summary(Summary),
    /// `Out of memory: Kill process 1 (app) score 5 or sacrifice child` (until 4.20).
    Chosen { scope: Scope, victim: Victim },
    /// `Killed process 1 (app) ...`, from 5.1 on behind its scope.
    Killed { scope: Scope, victim: Victim },
    /// `Kill process 2 (app) sharing same memory` (until 4.3): it is killed too.
    SharesMemory(Victim),
    /// `OOM victim 1 (app) is already exiting. Skip killing the task`: it gets no signal and is not counted
    /// (mm/oom_kill.c `__oom_kill_process`, v6.6).
    Skipped(Victim),
    /// `oom_reaper: reaped process 1 (app), now ...`.
    Reaped(Victim),
    /// `Tasks in /a are going to be killed due to memory.oom.group set`.
    Group(&'a str),
    /// `Out of memory and no killable processes...`, `panic_on_oom`.
    NoVictim { panic: bool },
}

/// The counter of a line `...: usage ..., limit ...`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Counter {
    Memory,
    /// `memory+swap:` (v1).
    MemorySwap,
    /// `swap:` (v2).
    Swap,
    Kernel,
}

/// Lines of `show_mem` that tell what a node has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ram {
    Pages,
    ReservedPages,
    SwapKib,
}

/// What the kernel says was out of memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    Memcg,
    Global,
    /// The line does not say.
    Unknown,
}

/// Reads a message from its beginning.
pub(super) fn read(text: &str) -> Option<Message<'_>> {
    leading(text).or_else(|| elsewhere(text))
}

/// Reads a message that begins with its own words. A line that holds none of the scan's words is of no other kind.
pub(super) fn leading(text: &str) -> Option<Message<'_>> {
    // A patch on its way into the kernel numbers reports: `OOM[1]: `.
    let text = match text.strip_prefix("OOM[") {
        Some(rest) => rest.split_once("]: ").map_or(text, |(_, rest)| rest),
        None => text,
    };
    match *text.as_bytes().first()? {
        b'[' => match table::header(text) {
            Some(columns) => Some(Message::Columns(columns)),
            None if text.starts_with("[<") => is_memcg_frame(text).then_some(Message::MemcgFrame),
            None => table::is_row(text).then_some(Message::Row),
        },
        b'0'..=b'9' => ram(text),
        b'o' if text.starts_with("oom-kill:") => summary::read(text).map(Message::Summary),
        b'o' if text.starts_with("oom_reaper:") => reaped(text),
        // `Out of Memory` until 2.6.10.
        b'O' if text.starts_with("Out of memory") || text.starts_with("Out of Memory") => {
            out_of_memory(&text["Out of memory".len()..], Scope::Global)
        }
        b'M' => {
            if let Some(rest) = text.strip_prefix("Memory cgroup out of memory") {
                out_of_memory(rest, Scope::Memcg)
            } else if let Some(rest) = text.strip_prefix("Memory cgroup stats") {
                let rest = rest.strip_prefix(" for").unwrap_or(rest).trim_ascii_start();
                let (path, pairs) = path_and_pairs(rest);
                Some(Message::Stats { path, pairs })
            } else {
                let path = text.strip_prefix("Memory limit reached of cgroup ")?;
                Some(Message::TaskIn { task: None, limit: summary::path(path) })
            }
        }
        b'K' | b'k' => kill(text, Scope::Unknown).or_else(|| {
            if text.starts_with("Kernel panic - not syncing: ") && text.contains("ut of memory") {
                return Some(Message::NoVictim { panic: true });
            }
            counter(text).or_else(|| is_stat_pairs(text).then_some(Message::StatPairs(text)))
        }),
        b'T' => tasks(text).or_else(|| ram(text)),
        b'm' | b's' if text.starts_with("memory") || text.starts_with("swap:") => counter(text),
        b'C' if text.starts_with("CPU:") => cpu(text, "PID: ", "Comm: "),
        b'P' if text.starts_with("Pid: ") => cpu(text, "Pid: ", "comm: "),
        b'W' if text.starts_with("Workqueue:") && text.contains("moom_callback") => Some(Message::SysRqWorker),
        b'a'..=b'z' => is_stat_pairs(text).then_some(Message::StatPairs(text)),
        _ => None,
    }
}

/// Messages that do not begin with their own words.
fn elsewhere(text: &str) -> Option<Message<'_>> {
    // A frame of a call trace is one word, unless it is a guess or of a module.
    if memchr::memchr(b' ', text.as_bytes()).is_some() {
        if let Some(at) = place(text, "invoked oom-killer") {
            let comm = trigger(text[..at].trim_ascii_end());
            let sysrq = text[at..].contains("order=-1");
            return Some(Message::Invoked { comm, sysrq });
        }
        if place(text, "Manual OOM execution").is_some() {
            return Some(Message::SysRq);
        }
    }
    if is_memcg_frame(text) {
        return Some(Message::MemcgFrame);
    }
    frames(text).any(|name| name.ends_with("moom_callback")).then_some(Message::SysRqWorker)
}

/// What stands before the offsets in a line: names of functions, as frames of a call trace end in.
fn frames(text: &str) -> impl Iterator<Item = &str> {
    memchr::memchr_iter(b'+', text.as_bytes()).filter(|at| text[at + 1..].starts_with("0x")).map(|at| &text[..at])
}

/// A frame that only the OOM killer of a memory cgroup goes through. Before 3.19 the charge itself called it; frames
/// with a question mark are leftovers on the stack.
fn is_memcg_frame(text: &str) -> bool {
    let of = |names: [&str; 2]| frames(text).any(|before| names.iter().any(|name| before.ends_with(name)));
    of(["mem_cgroup_out_of_memory", "mem_cgroup_oom_synchronize"])
        || of([" __mem_cgroup_try_charge", " mem_cgroup_do_charge"]) && !text.contains("? ")
}

/// The name of the process that invoked the killer: all of a kernel name's 15 bytes at most. Where something
/// unrecognised stands before it, what follows the last separator.
fn trigger(before: &str) -> &str {
    if before.len() <= 15 {
        return before;
    }
    let from = before.len() - 15;
    // After the first `: ` or `] ` in reach, else the last word: words before a name are more likely than in it.
    let separators = before.match_indices(": ").chain(before.match_indices("] "));
    let separated = separators.map(|(at, _)| at + 2).filter(|at| *at >= from).min();
    let start = separated.or_else(|| before.rfind(char::is_whitespace).map(|at| at + 1).filter(|at| *at >= from));
    before.get(start.unwrap_or(0)..).unwrap_or(before).trim_ascii_start()
}

/// What follows `Out of memory` or `Memory cgroup out of memory`.
fn out_of_memory(rest: &str, scope: Scope) -> Option<Message<'_>> {
    if rest.starts_with(" and no killable process") {
        return Some(Message::NoVictim { panic: false });
    }
    // `Out of memory (oom_kill_allocating_task): ...`
    let rest = match rest.strip_prefix(" (") {
        Some(why) => why.split_once(')')?.1,
        None => rest,
    };
    let rest = rest.strip_prefix(':')?.trim_ascii_start();
    if rest.contains("panic_on_oom is enabled") {
        return Some(Message::NoVictim { panic: true });
    }
    if let Some(victim) = rest.strip_prefix("OOM victim ").filter(|rest| rest.contains(" is already exiting")) {
        return Some(Message::Skipped(victim::named(victim)));
    }
    kill(rest, scope)
}

/// Does a line of which nobody knows who wrote it tell of a kill in words that only the kernel has? Programs kill
/// processes of their own and say so.
pub(super) fn is_kernels(text: &str) -> bool {
    let words: &[&str] = if text.starts_with("Killed process") {
        &["total-vm:", "vsz:", ", UID"]
    } else if text.starts_with("Kill process") || text.starts_with("kill process") {
        &[" score ", " sharing same memory", "sacrifice child"]
    } else {
        return true;
    };
    words.iter().any(|word| place(text, word).is_some())
}

/// `Kill process ...`, `Killed process ...`.
fn kill(text: &str, scope: Scope) -> Option<Message<'_>> {
    if let Some(after) = text.strip_prefix("Killed process") {
        return Some(Message::Killed { scope, victim: victim::killed(after) });
    }
    let after = text.strip_prefix("Kill process").or_else(|| text.strip_prefix("kill process"))?;
    let victim = victim::named(after);
    if after.contains("sharing same memory") {
        return Some(Message::SharesMemory(victim));
    }
    Some(Message::Chosen { scope, victim })
}

fn reaped(text: &str) -> Option<Message<'_>> {
    // `reaped process 1 (app), now ...`; `unable to reap pid:1 (app)`: killed, but it would not go.
    let after = text.split_once("reaped process").or_else(|| text.split_once("unable to reap pid"))?.1;
    Some(Message::Reaped(victim::named(after)))
}

fn tasks(text: &str) -> Option<Message<'_>> {
    if let Some(rest) = text.strip_prefix("Tasks in ") {
        let (path, whole) = rest.split_once(" are").map_or((rest, false), |(path, _)| (path, true));
        return path.starts_with('/').then_some(Message::Group(if whole { path } else { "" }));
    }
    let rest = text.strip_prefix("Task in ")?;
    let (task, limit) = rest.split_once(" killed as a result of limit of")?;
    Some(Message::TaskIn { task: summary::path(task), limit: summary::path(limit) })
}

fn counter(text: &str) -> Option<Message<'_>> {
    let end = place(text, ": usage ")?;
    let counter = match &text[..end] {
        "memory" => Counter::Memory,
        "memory+swap" => Counter::MemorySwap,
        "swap" => Counter::Swap,
        "kmem" => Counter::Kernel,
        _ => return None,
    };
    Some(Message::Amount(counter, amount::memory_line(&text[end + ": ".len()..])))
}

/// `CPU: 5 PID: 13536 Comm: app Tainted: ...`; from 6.12 with `UID: 0` between.
fn cpu<'a>(text: &'a str, pid: &str, comm: &str) -> Option<Message<'a>> {
    let after = &text[place(text, pid)? + pid.len()..];
    let (pid, _) = amount::number(after)?;
    let comm = &after[place(after, comm)? + comm.len()..];
    Some(Message::Cpu { pid: u32::try_from(pid).ok(), comm })
}

fn ram(text: &str) -> Option<Message<'_>> {
    if let Some(rest) = text.strip_prefix("Total swap") {
        let (kib, unit) = amount::number(rest.trim_start_matches([' ', '=']))?;
        return unit.starts_with("kB").then_some(Message::Ram(Ram::SwapKib, kib));
    }
    let (pages, rest) = amount::number(text)?;
    match rest {
        " pages RAM" => Some(Message::Ram(Ram::Pages, pages)),
        " pages reserved" => Some(Message::Ram(Ram::ReservedPages, pages)),
        _ => None,
    }
}

/// The path in `/b: cache:0KB ...`, `/b:` or `/b:#012anon 5`: it ends at the first colon that pairs follow.
fn path_and_pairs(rest: &str) -> (&str, &str) {
    let end = rest
        .match_indices(':')
        .find(|(at, _)| matches!(rest.as_bytes().get(at + 1), None | Some(b' ' | b'#' | b'\\')))
        .map(|(at, _)| at);
    // Every kernel ends it with a colon; without one it was cut.
    let Some(end) = end else { return ("", "") };
    (rest[..end].trim_ascii_end(), rest.get(end + 1..).unwrap_or_default())
}

/// Letters that a key of such pairs has at least.
pub(super) const SHORTEST_KEY: usize = 3;

/// `anon 98742272`, or several such pairs: a name first, a number last.
pub(super) fn is_stat_pairs(text: &str) -> bool {
    let bytes = text.as_bytes();
    if !bytes.last().is_some_and(u8::is_ascii_digit) {
        return false;
    }
    let end = amount::key_end(text);
    end >= SHORTEST_KEY && bytes.get(end) == Some(&b' ') && bytes[end..].trim_ascii_start()[0].is_ascii_digit()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_trigger_is_what_stands_before_its_verb() {
        for (text, name) in [
            ("app invoked oom-killer: gfp_mask=0xd0, order=0", "app"),
            ("python batch/ke invoked oom-killer: gfp_mask=0xd0", "python batch/ke"),
            ("runc:[1:CHILD] invoked oom-killer: x", "runc:[1:CHILD]"),
            ("somebody wrote this: app invoked oom-killer: x", "app"),
            ("on a server of mine python3 invoked oom-killer: x", "python3"),
            ("OOM[1]: kworker/4:1 invoked oom-killer: gfp_mask=0xcc0", "kworker/4:1"),
        ] {
            assert_eq!(read(text), Some(Message::Invoked { comm: name, sysrq: false }), "{text}");
        }
        let sysrq = read("kworker/0:0 invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=-1, oom_score_adj=0");
        assert_eq!(sysrq, Some(Message::Invoked { comm: "kworker/0:0", sysrq: true }));
    }

    #[test]
    fn words_of_other_messages_are_no_kill() {
        for text in [
            "ODEBUG: Out of memory. ODEBUG disabled",
            "Out of memory: app crashed",
            "app: page allocation failure: order:0, mode:0x484020(GFP_ATOMIC|__GFP_COMP), nodemask=(null)",
            " oom_kill_process+0x1ce/0x330",
            "Killing process 12",
            "oom_score_adj is deprecated",
            "memory: 5 things",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn a_victim_that_is_exiting_already_is_not_killed() {
        let victim = Victim { pid: Some(4242), comm: Some("app (x)".into()), ..Victim::default() };
        for scope in ["Memory cgroup out of memory", "Out of memory", "Out of memory (oom_kill_allocating_task)"] {
            let text = format!("{scope}: OOM victim 4242 (app (x)) is already exiting. Skip killing the task");
            assert_eq!(read(&text), Some(Message::Skipped(victim.clone())), "{text}");
        }
    }

    #[test]
    fn stats_begin_behind_the_path() {
        for (text, path, pairs) in [
            ("Memory cgroup stats for /a/b:", "/a/b", ""),
            ("Memory cgroup stats for /a:x:9: cache:0KB", "/a:x:9", " cache:0KB"),
            ("Memory cgroup stats for /a:#012anon 5", "/a", "#012anon 5"),
            ("Memory cgroup stats : ", "", " "),
        ] {
            assert_eq!(read(text), Some(Message::Stats { path, pairs }), "{text}");
        }
    }

    #[test]
    fn every_end_without_a_victim_is_told() {
        for (text, panic) in [
            ("Out of memory and no killable processes...", false),
            ("Kernel panic - not syncing: Out of memory and no killable processes...", true),
            ("Kernel panic - not syncing: Out of memory: compulsory panic_on_oom is enabled", true),
            ("Kernel panic - not syncing: Out of memory: system-wide panic_on_oom is enabled", true),
        ] {
            assert_eq!(read(text), Some(Message::NoVictim { panic }), "{text}");
        }
    }
}
