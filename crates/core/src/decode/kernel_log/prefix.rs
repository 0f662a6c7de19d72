//! What stands before a kernel message: time, host, program, and whatever the way of pasting added.

use std::borrow::Cow;

use super::date::{self, Date};
use super::origin::{facility, host_and_tag, kernel_tag, word_end};

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
fn elements<'a>(mut line: Line<'a>, text: &'a str) -> Line<'a> {
    let mut rest = text.trim_ascii_start();
    // Every element is taken once or a few times; the bound only stops what no log has.
    for _ in 0..24 {
        match element(&mut line, rest) {
            Some(after) => rest = after.trim_ascii_start(),
            None => break,
        }
    }
    line.text = Cow::Borrowed(rest);
    line
}

/// What the last lines began with. Lines of the same second bear the same date, host and tag, which are then not read
/// anew.
#[derive(Debug, Default)]
pub(super) struct Head<'a> {
    text: &'a str,
    line: Line<'a>,
}

impl<'a> Head<'a> {
    /// Takes a line apart: the same as [`line`].
    pub(super) fn line(&mut self, text: &'a str) -> Line<'a> {
        let text = text.trim_ascii_start();
        if let Some(rest) = text.strip_prefix(self.text).filter(|_| !self.text.is_empty()) {
            return elements(self.line.clone(), rest);
        }
        let mut line = Line::default();
        let Some(rest) = element(&mut line, text) else { return elements(line, text) };
        // Up to the blank behind its tag nothing that follows changes how a head is read.
        if line.program.is_some() && rest.starts_with(' ') {
            self.text = &text[..=text.len() - rest.len()];
            self.line = line.clone();
        }
        elements(line, rest)
    }
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
fn element<'a>(line: &mut Line<'a>, rest: &'a str) -> Option<&'a str> {
    match *rest.as_bytes().first()? {
        b'[' => bracket(line, &rest[1..]),
        b'0'..=b'9' => kmsg(line, rest)
            .or_else(|| dated(line, rest))
            .or_else(|| unix(line, rest))
            .or_else(|| broken_bracket(line, rest).or_else(|| number_before_prefix(rest))),
        b'>' | b'`' => Some(&rest[1..]),
        b'|' | b'*' | b'-' | b'+' | b'$' => rest[1..].strip_prefix(' '),
        b'<' => angle(line, rest),
        b'"' => ["\"MESSAGE\"", "\"msg\""]
            .iter()
            .find_map(|key| rest.strip_prefix(key))
            .map(|rest| rest.trim_start_matches([' ', ':', '"'])),
        byte if byte.is_ascii_alphabetic() || byte >= 0x80 || matches!(byte, b'/' | b'.') => dated(line, rest)
            .or_else(|| facility(line, rest))
            .or_else(|| kernel_tag(line, rest))
            .or_else(|| rest.strip_prefix("MESSAGE="))
            .or_else(|| broken_bracket(line, rest))
            .or_else(|| file_before_prefix(rest)),
        _ => None,
    }
}

/// `[ 8523.347168] `, `[   T71] `, `[Thu Dec  7 00:05:14 2017] `, `[2026-01-12T20:27:31.9Z]: `; the `[` is taken.
pub(super) fn bracket<'a>(line: &mut Line<'a>, rest: &'a str) -> Option<&'a str> {
    let end = memchr::memchr(b']', &rest.as_bytes()[..rest.len().min(80)])?;
    inside_bracket(line, &rest[..end])?;
    let rest = &rest[end + 1..];
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
fn uptime(text: &str) -> Option<f64> {
    const SCALES: [f64; 10] = [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9];
    let (mut digits, mut point) = (0_u64, None);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'0'..=b'9' => digits = digits.wrapping_mul(10).wrapping_add(u64::from(byte - b'0')),
            b'.' if point.is_none() => point = Some(at),
            _ => return None,
        }
    }
    let whole = point.filter(|whole| (1..=10).contains(whole))?;
    let fraction = text.len() - whole - 1;
    let scale = SCALES.get(fraction).filter(|_| fraction > 0)?;
    // Both are exact below 2^53, so that the quotient is the number that the digits are closest to.
    if digits < 1 << 53 { Some(digits as f64 / scale) } else { text.parse().ok() }
}

/// A bracket whose beginning was lost in selecting the text: `41066.536886] `, `Thu May 23 18:40:42 2024] `.
fn broken_bracket<'a>(line: &mut Line<'a>, rest: &'a str) -> Option<&'a str> {
    let end = rest
        .bytes()
        .take(40)
        .position(|byte| matches!(byte, b']' | b'['))
        .filter(|end| rest.as_bytes()[*end] == b']')?;
    inside_bracket(line, &rest[..end])?;
    Some(&rest[end + 1..])
}

/// `6,22743,6115623303887,-;`: a record of `/dev/kmsg` (Documentation/ABI/testing/dev-kmsg).
fn kmsg<'a>(line: &mut Line<'a>, rest: &'a str) -> Option<&'a str> {
    let end = rest.bytes().take(90).position(|byte| byte == b';')?;
    let mut fields = rest[..end].split(',');
    let level: u32 = fields.next()?.parse().ok()?;
    let sequence: u64 = fields.next()?.parse().ok()?;
    let microseconds: u64 = fields.next()?.parse().ok()?;
    fields.next()?;
    line.sequence = Some(sequence);
    line.uptime = Some(microseconds as f64 / 1e6);
    // Facility 0 is the kernel's; programs write into the ring as another.
    line.voice = if level >> 3 == 0 { Voice::Kernel } else { Voice::Program };
    line.marked = true;
    Some(&rest[end + 1..])
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
        return Some(&rest[end + 1..]);
    }
    let tag = inside.trim_start_matches('/');
    let name = &tag[..tag.find(|letter: char| !letter.is_ascii_alphanumeric()).unwrap_or(tag.len())];
    ["p", "pre", "code", "br", "span", "div", "td", "tr", "li", "tt"].contains(&name).then(|| &rest[end + 1..])
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
    for (at, _) in word.match_indices([':', '-']).take(8) {
        let after = rest[at + 1..].trim_ascii_start();
        let number = after.bytes().take_while(u8::is_ascii_digit).count();
        let numbered = number > 0 && number_before_prefix(after).is_some();
        // `postgres: [12] ...` and the like are messages: only a name of a file stands before a prefix.
        let file = word[..at].contains(['.', '/']) || matches!(&word[..at], "messages" | "syslog" | "dmesg");
        if file && (numbered || begins_prefix(after)) {
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
mod tests {
    use super::*;

    fn parts(text: &str) -> (String, String, Voice, bool) {
        let line = line(text);
        (
            line.text.to_string(),
            line.node.map(|node| node.to_string()).unwrap_or_default(),
            line.voice,
            line.date.is_some(),
        )
    }

    #[test]
    fn every_prefix_is_taken_off() {
        const KILL: &str = "Out of memory: Killed process 7 (tmux: server) total-vm:1kB";
        for (prefix, node, dated) in [
            ("[ 8523.347168] ", "", false),
            ("[   31.935015][   T71] ", "", false),
            ("    [41368.535735] ", "", false),
            ("[Thu Dec  7 00:05:14 2017] ", "", true),
            ("[二 9月  3 05:57:48 2024] ", "", true),
            ("Thu May 23 18:40:42 2024] ", "", true),
            ("41066.536886] ", "", false),
            ("kern  :err   : [Thu Aug 17 17:29:27 2023] ", "", true),
            ("kern  :warn  : 2025-01-21T04:41:44,287197+00:00 ", "", true),
            ("2024-04-29T14:55:41,678628+02:00 ", "", true),
            ("kern: warning: [2026-01-12T20:27:31.913975631Z]: ", "", true),
            ("Oct 12 19:00:20 web-1 kernel: [ 8523.347168] ", "web-1", true),
            ("Oct 12 19:00:20 web-1 kernel: ", "web-1", true),
            ("Oct 12 19:00:20.123456 web-1 kernel: ", "web-1", true),
            ("2026-09-02T09:08:50.903138+00:00 web-1 kernel: ", "web-1", true),
            ("2026-09-02 09:08:50 web-1 kernel[0]: ", "web-1", true),
            ("Wed 2024-05-01 12:00:00 UTC web-1 kernel: ", "web-1", true),
            ("[12345.678901] web-1 kernel: ", "web-1", false),
            ("1500316299.123456 web-1 kernel: ", "web-1", true),
            ("1720128512 web-1 [42201.484624] ", "web-1", true),
            ("6,22743,6115623303887,-;", "", false),
            ("6,22743,6115623303887,-,caller=T12;", "", false),
            ("> Nov 30 10:17:44 web-1 kernel: ", "web-1", true),
            ("166233 Apr 18 00:37:34   kernel: [14049899.298694] ", "", true),
            ("12:[ 8523.347168] ", "", false),
            ("/var/log/messages-2024:Oct 12 19:00:20 web-1 kernel: ", "web-1", true),
            ("kern.log:77:Oct 12 19:00:20 web-1 kernel: [1.5] ", "web-1", true),
            ("<4>[ 8523.347168] ", "", false),
            ("<pre><code>[ 8523.347168] ", "", false),
            ("Mon May  1 12:00:00 2023 kern.err kernel: [123.4] ", "", true),
            ("kernel: ", "", false),
            ("| `[ 8523.347168] ", "", false),
            ("[  +0.000123] ", "", false),
            ("[Oct12 19:00] ", "", false),
            ("[ 8523.347168 <    0.000007>] ", "", false),
            ("      \"msg\": \"", "", false),
        ] {
            let text = format!("{prefix}{KILL}");
            let quoted = prefix.ends_with('"');
            let voice = if quoted { Voice::Unknown } else { Voice::Kernel };
            let expected = (KILL.to_owned(), node.to_owned(), voice, dated);
            assert_eq!(parts(&text), expected, "{text}");
        }
    }

    #[test]
    fn messages_lose_nothing_to_the_prefix() {
        for text in [
            "tmux: server invoked oom-killer: gfp_mask=0xcc0",
            "8379834 pages RAM",
            "[ 1381]     0  1381   530382     5191      34       4     5489             0 app",
            "memory: usage 980kB, limit 980kB, failcnt 4152239",
            "CPU: 5 PID: 13536 Comm: app Tainted: P",
            "runc:[1:CHILD] invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=-999",
            "oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null)",
            "kernel_stack 5242880",
        ] {
            assert_eq!(line(text).text, text);
            assert_eq!(line(&format!("[  1.25] {text}")).text, text);
            assert_eq!(line(&format!("2024-04-29T14:55:41,678628+02:00 {text}")).text, text);
            assert_eq!(line(&format!("Oct 12 19:00:20 web kernel: {text}")).text, text);
        }
    }

    #[test]
    fn programs_are_told_from_the_kernel() {
        let line =
            line("Oct 12 19:00:20 web-1 node-problem-detector[3240]: Memory cgroup out of memory: Killed process 1");
        assert_eq!(line.voice, Voice::Program);
        assert_eq!(line.program.as_deref(), Some("node-problem-detector"));
        assert_eq!(parts("5,12,34,-;text").2, Voice::Kernel);
        assert_eq!(parts("30,12,34,-;text").2, Voice::Program);
    }
}
