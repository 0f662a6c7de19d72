//! Who wrote a line: the host and program of syslog and journald, the facility of `dmesg -x`.

use std::borrow::Cow;

use super::prefix::{Line, Voice, bracket};

/// Tags that mean the kernel.
const KERNEL_TAGS: [&str; 5] = ["kernel", "kern", "vmunix", "kmsg", "dmesg"];

/// Syslog's facilities and levels, as `dmesg -x` and BusyBox print them.
const FACILITIES: [&str; 8] = ["kern", "user", "daemon", "syslog", "mail", "auth", "authpriv", "local0"];
const LEVELS: [&str; 11] =
    ["emerg", "alert", "crit", "err", "error", "warn", "warning", "notice", "info", "debug", "panic"];

/// `host program[12]: `, `host kernel: `, `kernel: `, `host [12.5] `.
pub(super) fn host_and_tag<'a>(line: &mut Line<'a>, rest: &'a str) -> Option<&'a str> {
    if let Some(after) = kernel_tag(line, rest) {
        return Some(after);
    }
    let (first, after) = rest.split_once(' ')?;
    if let Some(name) = program(first).filter(|_| first.ends_with("]:")) {
        return Some(tagged(line, name, after));
    }
    let after = after.trim_ascii_start();
    let second_end = word_end(after);
    let second = &after[..second_end];
    let is_host = !first.contains([':', '(', '=', ',']) || first.contains('.');
    if let Some(name) = program(second)
        && is_host
    {
        line.node = host(first);
        return Some(tagged(line, name, &after[second_end..]));
    }
    if second.starts_with('[') && is_host && bracket(&mut Line::default(), &after[1..]).is_some() {
        line.node = host(first);
        return Some(after);
    }
    None
}

/// `kernel: ` within the first words, with the host before it: `web kernel: `, `web kern.err kernel: `.
pub(super) fn kernel_tag<'a>(line: &mut Line<'a>, rest: &'a str) -> Option<&'a str> {
    if line.voice != Voice::Unknown && line.program.is_some() {
        return None;
    }
    let mut before = None;
    let mut here = rest;
    for _ in 0..4 {
        let end = word_end(here);
        let word = &here[..end];
        if word.ends_with(':') && program(word).is_some_and(|name| KERNEL_TAGS.contains(&name)) {
            line.node = before.and_then(host).or(line.node.take());
            line.voice = Voice::Kernel;
            line.program = Some(Cow::Borrowed("kernel"));
            line.marked = true;
            return Some(&here[end..]);
        }
        // A colon ends a tag or a message's first part: what comes after is text.
        if word.is_empty() || word.ends_with([':', ',', ')']) {
            return None;
        }
        before = before.or(Some(word));
        here = here[end..].trim_ascii_start();
    }
    None
}

/// `kern  :warn  : `, `user: warning: `, `kern.err `.
pub(super) fn facility<'a>(line: &mut Line<'a>, rest: &'a str) -> Option<&'a str> {
    let (name, after) = level(rest)?;
    line.voice = if name == "kern" { Voice::Kernel } else { line.voice };
    line.marked = true;
    let after = after.trim_ascii_start();
    Some(after.strip_prefix(':').unwrap_or(after))
}

/// The facility that stands before a level, and what follows the two.
#[inline(always)]
#[expect(clippy::inline_always, reason = "called for every line, and most are told by their first letters")]
pub(super) fn level(rest: &str) -> Option<(&str, &str)> {
    // Most words are told from theirs by how they begin.
    let begins = matches!(
        rest.as_bytes(),
        [b'k', b'e', ..]
            | [b'u', b's', ..]
            | [b'd' | b'm', b'a', ..]
            | [b's', b'y', ..]
            | [b'a', b'u', ..]
            | [b'l', b'o', ..]
    );
    if begins { after_facility(rest) } else { None }
}

fn after_facility(rest: &str) -> Option<(&str, &str)> {
    // No name of theirs is longer.
    let name_end = rest.bytes().take(9).position(|byte| !byte.is_ascii_alphanumeric())?;
    let after = rest[name_end..].trim_ascii_start().strip_prefix([':', '.'])?.trim_ascii_start();
    let level_end = after.find(|letter: char| !letter.is_ascii_alphabetic())?;
    let (name, level) = (&rest[..name_end], &after[..level_end]);
    (FACILITIES.contains(&name) && LEVELS.contains(&level)).then_some((name, &after[level_end..]))
}

/// `10.0.0.1: kern:     err: [2024-05-01T11:00:00.1Z]: `: the node that `talosctl dmesg` prints first.
pub(super) fn node_before_facility<'a>(line: &mut Line<'a>, rest: &'a str) -> Option<&'a str> {
    let (node, after) = rest.split_at(word_end(rest));
    let (node, after) = (node.strip_suffix(':')?, after.strip_prefix(' ')?);
    if line.node.is_some() || line.date.is_some() || node.contains(['/', '[', '"']) {
        return None;
    }
    let behind = facility(&mut Line::default(), after)?;
    let clock = behind.trim_ascii_start().strip_prefix('[')?;
    bracket(&mut Line::default(), clock)?;
    line.node = host(node);
    line.marked = true;
    Some(after)
}

/// `web systemd[1]: ` behind a bare clock, as `journalctl -o short-monotonic` prints it. Of a process with its pid the
/// kernel says so only that it faulted, and its name may hold a blank (arch/x86/mm/fault.c `show_signal_msg`).
pub(super) fn tag_behind_clock<'a>(line: &mut Line<'a>, rest: &'a str) -> Option<&'a str> {
    if line.uptime.is_none() || line.date.is_some() || line.node.is_some() || line.program.is_some() {
        return None;
    }
    let (first, after) = rest.split_at(word_end(rest));
    let (tag, after) = after.strip_prefix(' ').map(|after| after.split_at(word_end(after)))?;
    if !tag.ends_with("]:") || first.contains([':', '(', '=', ',', '[']) {
        return None;
    }
    let faults = ["segfault at", "unhandled "].iter().any(|words| after.trim_ascii_start().starts_with(words));
    let name = program(tag).filter(|_| !faults)?;
    line.node = host(first);
    Some(tagged(line, name, after))
}

fn tagged<'a>(line: &mut Line<'a>, name: &'a str, after: &'a str) -> &'a str {
    line.voice = if KERNEL_TAGS.contains(&name) { Voice::Kernel } else { Voice::Program };
    line.program = Some(Cow::Borrowed(name));
    after
}

/// The name in a syslog tag `name:` or `name[12]:`.
fn program(word: &str) -> Option<&str> {
    let tag = word.strip_suffix(':')?;
    let name = match tag.strip_suffix(']') {
        Some(tag) => {
            let (name, pid) = tag.rsplit_once('[')?;
            pid.bytes().all(|byte| byte.is_ascii_digit()).then_some(name)?
        }
        None => tag,
    };
    let plain = name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'/' | b'@' | b'(' | b')'));
    (!name.is_empty() && plain).then_some(name)
}

/// Where the first word ends.
pub(super) fn word_end(text: &str) -> usize {
    memchr::memchr(b' ', text.as_bytes()).unwrap_or(text.len())
}

fn host(word: &str) -> Option<Cow<'_, str>> {
    let facility =
        word.split_once('.').is_some_and(|(name, level)| FACILITIES.contains(&name) && LEVELS.contains(&level));
    // klog's head, `I1012 19:00:20.884452`.
    let klog = word.len() == 5
        && word.starts_with(['I', 'W', 'E', 'F'])
        && word[1..].bytes().all(|byte| byte.is_ascii_digit());
    (!facility && !klog && !word.bytes().all(|byte| matches!(byte, b'.' | b'*' | b'-' | b'x' | b'X')))
        .then_some(Cow::Borrowed(word))
}
