//! What stands before a kernel message: time, host, program, and whatever the way of pasting added.

use std::borrow::Cow;

use super::date::{self, Date};
use super::origin::{facility, host_and_tag, kernel_tag, level, node_before_facility, tag_behind_clock, word_end};
use super::record::{self, Record};
use crate::digits::{after_blanks, digits};

/// Who speaks in a line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Voice {
    /// Not told.
    #[default]
    Unknown,
    /// The kernel: its tag, its clock, or `/dev/kmsg`.
    Kernel,
    /// Another program, named by a syslog tag.
    Program,
}

/// A line, taken apart.
#[derive(Debug, Clone, Default)]
pub(super) struct Line<'a> {
    /// The message.
    pub(super) text: Cow<'a, str>,
    /// The date before it.
    pub(super) date: Option<Date>,
    /// Seconds since boot.
    pub(super) uptime: Option<f64>,
    /// Sequence number in the kernel's ring (`/dev/kmsg`).
    pub(super) sequence: Option<u64>,
    /// The host.
    pub(super) node: Option<Cow<'a, str>>,
    /// The program whose tag it bears.
    pub(super) program: Option<Cow<'a, str>>,
    /// Boot id (journald's JSON).
    pub(super) boot: Option<String>,
    /// Who speaks.
    pub(super) voice: Voice,
    /// Something was recognised before the message; a line without is perhaps the rest of the one before.
    pub(super) marked: bool,
}

/// Takes a line apart.
pub(super) fn line(text: &str) -> Line<'_> {
    elements(Line::default(), text)
}

/// Takes a line apart of which the first elements may be known already.
pub(super) fn elements<'a>(mut line: Line<'a>, text: &'a str) -> Line<'a> {
    let mut rest = text.trim_ascii_start();
    // Every element is taken once or a few times; the bound only stops what no log has.
    for _ in 0..24 {
        // Behind date, tag and clock a word is the message.
        let whole = line.date.is_some() && line.program.is_some() && line.uptime.is_some();
        if whole && rest.starts_with(|letter: char| letter.is_ascii_alphabetic()) {
            break;
        }
        match element(&mut line, rest) {
            Some(after) => rest = after.trim_ascii_start(),
            None => break,
        }
    }
    line.text = Cow::Borrowed(rest);
    line
}

/// The same for a line of which the caller owns the text.
pub(super) fn owned(text: &str) -> Line<'static> {
    let parsed = line(text);
    Line {
        text: Cow::Owned(parsed.text.into_owned()),
        node: parsed.node.map(|node| Cow::Owned(node.into_owned())),
        program: parsed.program.map(|program| Cow::Owned(program.into_owned())),
        ..Line {
            date: parsed.date,
            uptime: parsed.uptime,
            sequence: parsed.sequence,
            boot: parsed.boot,
            voice: parsed.voice,
            marked: parsed.marked,
            ..Line::default()
        }
    }
}

/// Takes one element off the front.
pub(super) fn element<'a>(line: &mut Line<'a>, rest: &'a str) -> Option<&'a str> {
    match *rest.as_bytes().first()? {
        b'[' => bracket(line, &rest[1..]),
        b'0'..=b'9' => kmsg(line, rest)
            .or_else(|| dated(line, rest))
            .or_else(|| node_before_facility(line, rest))
            .or_else(|| tag_behind_clock(line, rest))
            .or_else(|| unix(line, rest))
            .or_else(|| broken_bracket(line, rest).or_else(|| number_before_prefix(rest))),
        b'>' | b'`' => Some(&rest[1..]),
        b'|' | b'*' | b'-' | b'+' | b'$' => rest[1..].strip_prefix(' '),
        b'<' => angle(line, rest),
        b'"' => ["\"MESSAGE\"", "\"msg\""]
            .iter()
            .find_map(|key| rest.strip_prefix(key))
            .map(|rest| rest.trim_start_matches([' ', ':', '"'])),
        byte if byte.is_ascii_alphabetic() || byte >= 0x80 || matches!(byte, b'/' | b'.') => {
            facility(line, rest).or_else(|| rest.strip_prefix("MESSAGE=")).or_else(|| worded(line, rest))
        }
        _ => None,
    }
}

/// An element that begins with a word.
fn worded<'a>(line: &mut Line<'a>, rest: &'a str) -> Option<&'a str> {
    let [one, two, three] = SIGNS;
    memchr::memchr3(one, two, three, rest.as_bytes())?;
    dated(line, rest)
        .or_else(|| kernel_tag(line, rest))
        .or_else(|| node_before_facility(line, rest))
        .or_else(|| tag_behind_clock(line, rest))
        .or_else(|| broken_bracket(line, rest))
        .or_else(|| file_before_prefix(rest))
}

/// Signs of a clock, a tag, a bracket, a file's name: most messages have none of these, and are told by that alone.
pub(super) const SIGNS: [u8; 3] = [b':', b']', b'-'];

/// Is a text behind a clock a message for certain, of which [`element`] would take nothing off? Many that are not told so
/// are messages, too.
#[inline]
pub(super) fn is_message(text: &str) -> bool {
    let [one, two, three] = SIGNS;
    text.as_bytes().first().is_some_and(|first| {
        // Behind a question mark a frame of a call trace.
        *first == b'?'
            || first.is_ascii_alphabetic() && is_word(text, memchr::memchr3(one, two, three, text.as_bytes()).is_some())
    })
}

/// The same of a text that begins with a letter, and holds a sign or none.
#[inline]
pub(super) fn is_word(text: &str, signed: bool) -> bool {
    level(text).is_none() && !text.starts_with("MESSAGE=") && (!signed || is_named(text) || is_known(text))
}

/// Messages that every report has.
fn is_known(text: &str) -> bool {
    let bytes = text.as_bytes();
    matches!(text, "Call Trace:" | "Tasks state (memory values in pages):")
        || (text.starts_with("Memory cgroup out of memory") || text.starts_with("Memory cgroup stats for "))
            && memchr::memchr(b']', &bytes[..bytes.len().min(40)]).is_none()
}

/// `RAX: 0000000000000000`, `memory: usage 9kB`: a name before what is told of it, and neither a tag nor a file's.
#[inline]
fn is_named(text: &str) -> bool {
    let bytes = text.as_bytes();
    let end = bytes.iter().take(16).take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'+').count();
    let other = ["kernel", "kern", "vmunix", "kmsg", "dmesg", "messages", "syslog"];
    bytes[end..].starts_with(b": ")
        && !other.contains(&&text[..end])
        && level(&text[end + 2..]).is_none()
        && memchr::memchr(b']', &bytes[..bytes.len().min(40)]).is_none()
}

/// `[ 8523.347168] `, `[   T71] `, `[Thu Dec  7 00:05:14 2017] `, `[2026-01-12T20:27:31.9Z]: `; the `[` is taken.
pub(super) fn bracket<'a>(line: &mut Line<'a>, rest: &'a str) -> Option<&'a str> {
    let rest = if let Some((seconds, after)) = clock(after_blanks(rest))
        && let Some(after) = after.strip_prefix(']')
    {
        (line.uptime, line.voice, line.marked) = (Some(seconds), Voice::Kernel, true);
        after
    } else {
        let end = memchr::memchr(b']', &rest.as_bytes()[..rest.len().min(80)])?;
        inside_bracket(line, &rest[..end])?;
        &rest[end + 1..]
    };
    Some(rest.strip_prefix(':').unwrap_or(rest))
}

/// What may stand in a bracket; the line learns it.
fn inside_bracket(line: &mut Line<'_>, inside: &str) -> Option<()> {
    let mut inside = inside.trim_ascii();
    if inside.bytes().all(|byte| byte.is_ascii_digit()) {
        // A pid: the row of a table.
        return None;
    }
    let mut seconds = uptime(inside);
    if seconds.is_none()
        && let Some((before, _)) = inside.split_once('<')
    {
        // `dmesg --show-delta`: `8523.347168 <    0.000007>`.
        inside = before.trim_ascii();
        seconds = uptime(inside);
    }
    if seconds.is_some() {
        line.uptime = seconds;
    } else if inside.len() > 1
        && matches!(inside.as_bytes()[0], b'T' | b'C')
        && inside.bytes().skip(1).all(|byte| byte.is_ascii_digit())
    {
        // The thread or CPU that printed (CONFIG_PRINTK_CALLER).
    } else if inside.strip_prefix('+').is_some_and(|delta| uptime(delta).is_some()) || is_minute(inside) {
        // `dmesg --human` counts from a line that may not be here.
    } else {
        let (date, after) = date::leading(inside)?;
        if !after.trim_ascii().is_empty() {
            return None;
        }
        line.date = Some(date);
    }
    line.voice = Voice::Kernel;
    line.marked = true;
    Some(())
}

/// `Oct12 19:00`: the minutes that `dmesg --human` prints now and then.
fn is_minute(inside: &str) -> bool {
    let bytes = inside.as_bytes();
    bytes.len() == 11
        && bytes[..3].iter().all(u8::is_ascii_alphabetic)
        && bytes[3..].iter().zip(b"00 00:00").all(|(byte, shape)| match shape {
            b'0' => byte.is_ascii_digit() || *byte == b' ',
            other => byte == other,
        })
}

/// `8523.347168`: seconds since boot, as printk writes them.
pub(super) fn uptime(text: &str) -> Option<f64> {
    clock(text).filter(|(_, after)| after.is_empty()).map(|(seconds, _)| seconds)
}

/// Seconds since boot at the beginning of a text, and what follows.
#[inline]
pub(super) fn clock(text: &str) -> Option<(f64, &str)> {
    const SCALES: [u64; 10] = [1, 10, 100, 1000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000];
    let (whole, length) = digits(text.as_bytes()).filter(|(_, length)| *length <= 10)?;
    let fraction = text[length..].strip_prefix('.')?;
    let (part, more) = digits(fraction.as_bytes())?;
    let scale = *SCALES.get(more)?;
    let number = whole * scale + part;
    // Both are exact below 2^53, so that the quotient is the number that the digits are closest to.
    let seconds =
        if number < 1 << 53 { number as f64 / scale as f64 } else { text[..length + 1 + more].parse().ok()? };
    Some((seconds, &fraction[more..]))
}

/// A bracket whose beginning was lost in selecting the text: `41066.536886] `, `Thu May 23 18:40:42 2024] `.
fn broken_bracket<'a>(line: &mut Line<'a>, rest: &'a str) -> Option<&'a str> {
    let bytes = rest.as_bytes();
    let end = memchr::memchr2(b']', b'[', &bytes[..bytes.len().min(40)]).filter(|end| bytes[*end] == b']')?;
    inside_bracket(line, &rest[..end])?;
    Some(&rest[end + 1..])
}

/// `6,22743,6115623303887,-;`: a record of `/dev/kmsg`.
fn kmsg<'a>(line: &mut Line<'a>, rest: &'a str) -> Option<&'a str> {
    let Record { priority, sequence, uptime, text } = record::read(rest)?;
    line.sequence = Some(sequence);
    line.uptime = Some(uptime);
    // Facility 0 is the kernel's; programs write into the ring as another.
    line.voice = if priority >> 3 == 0 { Voice::Kernel } else { Voice::Program };
    line.marked = true;
    Some(text)
}

/// `1720128512 host [42201.484624] `, `1500316299.123456 host kernel: `.
fn unix<'a>(line: &mut Line<'a>, rest: &'a str) -> Option<&'a str> {
    let end = rest.find(' ')?;
    let (whole, fraction) = rest[..end].split_once('.').unwrap_or((&rest[..end], ""));
    if whole.len() != 10 || fraction.len() > 9 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let nanosecond: i32 = format!("{fraction:0<9}").parse().ok()?;
    let after = rest[end..].trim_ascii_start();
    let after = host_and_tag(line, after)?;
    line.date = Some(Date::from_unix(whole.parse().ok()?, nanosecond)?);
    line.marked = true;
    Some(after)
}

/// A date, and the host and program that may follow.
fn dated<'a>(line: &mut Line<'a>, rest: &'a str) -> Option<&'a str> {
    if line.date.is_some() {
        return None;
    }
    let (date, after) = date::leading(rest)?;
    line.date = Some(date);
    line.marked = true;
    if let Some(after) = after.strip_prefix(']') {
        // The bracket before it was lost.
        line.voice = Voice::Kernel;
        return Some(after);
    }
    if date.comma {
        line.voice = Voice::Kernel;
        return Some(after);
    }
    let after = after.trim_ascii_start();
    Some(host_and_tag(line, after).unwrap_or(after))
}

/// `<4>`: syslog's priority; `<pre>`, `</code>`: HTML around a log.
fn angle<'a>(line: &mut Line<'a>, rest: &'a str) -> Option<&'a str> {
    let end = rest.bytes().take(80).position(|byte| byte == b'>')?;
    let inside = &rest[1..end];
    if !inside.is_empty() && inside.len() <= 3 && inside.bytes().all(|byte| byte.is_ascii_digit()) {
        line.marked = true;
        let after = &rest[end + 1..];
        return structured(line, after).or(Some(after));
    }
    let tag = inside.trim_start_matches('/');
    let name = &tag[..tag.find(|letter: char| !letter.is_ascii_alphanumeric()).unwrap_or(tag.len())];
    ["p", "pre", "code", "br", "span", "div", "td", "tr", "li", "tt"].contains(&name).then(|| &rest[end + 1..])
}

/// The rest of an RFC 5424 header: `1 2025-03-14T07:42:11Z web kernel - - [timeQuality tzKnown="1"] `.
fn structured<'a>(line: &mut Line<'a>, rest: &'a str) -> Option<&'a str> {
    let (date, after) = date::leading(rest.strip_prefix("1 ")?)?;
    let mut fields = after.trim_ascii_start().splitn(5, ' ');
    let (host, program) = (fields.next()?, fields.next()?);
    let (_process, _id, mut behind) = (fields.next()?, fields.next()?, fields.next()?);
    if let Some(text) = behind.strip_prefix("- ") {
        behind = text;
    } else {
        while let Some(element) = behind.strip_prefix('[') {
            behind = element.split_once(']')?.1;
        }
    }
    line.date = Some(date);
    line.node = (host != "-").then_some(Cow::Borrowed(host));
    line.voice = if program == "kernel" { Voice::Kernel } else { Voice::Program };
    line.program = Some(Cow::Borrowed(program));
    line.marked = true;
    Some(behind)
}

/// `166233 Apr 18 00:37:34 ...`, `12:[ 1.5] ...`: an editor's or grep's line number.
fn number_before_prefix(rest: &str) -> Option<&str> {
    let end = rest.bytes().take(9).position(|byte| !byte.is_ascii_digit())?;
    let after = rest[end..].strip_prefix([':', '-', ')', '|', '.', '\t', ' '])?.trim_start_matches([' ', '\t', '|']);
    begins_prefix(after).then_some(after)
}

/// `/var/log/messages-1:Oct 12 ...`, `kern.log: ...`: the file that grep names.
fn file_before_prefix(rest: &str) -> Option<&str> {
    let word = &rest[..word_end(rest)];
    memchr::memchr2(b':', b'-', word.as_bytes())?;
    let sign = memchr::memchr2(b'.', b'/', word.as_bytes());
    for at in memchr::memchr2_iter(b':', b'-', word.as_bytes()).take(8) {
        let after = rest[at + 1..].trim_ascii_start();
        let numbered =
            || after.starts_with(|first: char| first.is_ascii_digit()) && number_before_prefix(after).is_some();
        // `postgres: [12] ...` and the like are messages: only a name of a file stands before a prefix.
        let file = sign.is_some_and(|sign| sign < at) || matches!(&word[..at], "messages" | "syslog" | "dmesg");
        if file && (numbered() || begins_prefix(after)) {
            return Some(after);
        }
    }
    None
}

/// Does a date, clock, kmsg record or kernel tag begin here?
fn begins_prefix(text: &str) -> bool {
    let mut line = Line::default();
    match text.as_bytes().first() {
        Some(b'[') => bracket(&mut line, &text[1..]).is_some(),
        Some(b'0'..=b'9') => kmsg(&mut line, text).or_else(|| dated(&mut line, text)).is_some(),
        Some(_) => dated(&mut line, text)
            .or_else(|| kernel_tag(&mut line, text))
            .or_else(|| facility(&mut line, text))
            .is_some(),
        None => false,
    }
}

/// The message behind a kernel clock in the middle of a line, whatever stands before it
/// (`2019-10-06 ... com.docker.hyperkit: [47517.500417] Task in ...`). Not when it is quoted: then it is an echo.
pub(super) fn behind_clock<'a>(line: &Line<'_>, text: &'a str) -> Option<(f64, &'a str)> {
    if line.uptime.is_some() || line.voice == Voice::Kernel || !line.marked {
        return None;
    }
    for (at, _) in text.match_indices('[').take(6) {
        let before = &text[..at];
        if at > 250 || before.contains(['"', '{']) || before.contains("essage:") || before.contains("msg=") {
            return None;
        }
        let mut found = Line::default();
        if let Some(after) = bracket(&mut found, &text[at + 1..])
            && let Some(uptime) = found.uptime
        {
            return Some((uptime, after.trim_ascii_start()));
        }
    }
    None
}

#[cfg(test)]
mod tests;
