//! Where a pager, a terminal or an editor cut every line at the same width, without a mark.

use super::clean::clean;
use super::prefix;

/// Bytes looked at to either side of a line.
const REACH: usize = 32 * 1024;

/// Nobody cuts kernel lines narrower than this.
const NARROWEST: usize = 60;

/// Lines of the greatest length that are looked at.
const MOST: usize = 32;

/// The width at which lines around this place end, if they were cut there: no line is longer, and lines of several
/// kinds, which by themselves would differ in length, are exactly as long.
pub(super) fn of(bytes: &[u8], at: usize) -> Option<usize> {
    let around = bytes.get(at.saturating_sub(REACH)..at.saturating_add(REACH).min(bytes.len()))?;
    let lines = || around.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let widest = lines().map(<[u8]>::len).max().filter(|width| *width >= NARROWEST)?;
    let mut kinds: Vec<String> = Vec::new();
    let mut broken = false;
    for line in lines().filter(|line| line.len() == widest).take(MOST) {
        let text = clean(line);
        let message = prefix::line(&text).text;
        broken |= is_broken(&message);
        let kind: String = message.chars().take(6).collect();
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    (kinds.len() >= if broken { 2 } else { 3 }).then_some(widest)
}

/// A message that no kernel ends so.
fn is_broken(message: &str) -> bool {
    let open = message.matches('(').count() > message.matches(')').count();
    // The sizes of version 1, and the colon before them.
    let stats = message.starts_with("Memory cgroup stats for /") && !message.contains(['#', '\\']);
    let whole = message.ends_with("KB") || message.ends_with(':') && message.matches(':').count() == 1;
    open || message.starts_with("oom-kill:") && !message.contains(",uid=") || stats && !whole
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_width_is_told_by_lines_of_several_kinds_that_end_there() {
        let cut = |width: usize, lines: &[&str]| {
            let cut: Vec<&str> = lines.iter().map(|line| &line[..line.len().min(width)]).collect();
            cut.join("\n")
        };
        let path = "/kubepods/burstable/pod12345678-1234-1234-1234-123456789012/0123456789abcdef0123456789abcdef";
        let task = format!("Task in {path} killed as a result of limit of {path}");
        let stats = format!("Memory cgroup stats for {path}: cache:0KB rss:9KB");
        let short = "memory: usage 9kB, limit 9kB, failcnt 7";
        assert_eq!(of(cut(90, &[&task, short, &stats]).as_bytes(), 0), Some(90));
        assert_eq!(of(cut(900, &[&task, short, &stats]).as_bytes(), 0), None);
        assert_eq!(of(cut(90, &[&task, short, &task]).as_bytes(), 0), None, "one kind may be as long as itself");
    }
}
