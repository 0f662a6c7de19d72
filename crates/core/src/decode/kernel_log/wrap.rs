//! Messages that were broken over several lines: by an editor, a mail program, a pager, or by printk itself where
//! several CPUs print at once.

use super::amount::place;
use super::message::{self, Message};
use super::prefix::Line;

/// Lines that one message may have been broken into.
pub(super) const MOST_LINES: usize = 8;

/// A message whose last value is a part of itself where the line was cut.
pub(super) fn ends_in_a_value(text: &str) -> bool {
    match text.as_bytes().first() {
        Some(b'o') => text.starts_with("oom-kill:"),
        Some(b'T') => text.starts_with("Task"),
        Some(b'K' | b'M' | b'O') => true,
        _ => false,
    }
}

/// Could the message go on in the next line? Most are whole, and the next line is not looked at twice.
pub(super) fn needs_more(text: &str, telling: bool) -> bool {
    match text.as_bytes().first() {
        Some(b'o') => lacks(text, ",uid="),
        Some(b'K' | b'M' | b'O') => lacks(text, "oom_score_adj:"),
        Some(b'T') => text.starts_with("Task in") || text.starts_with("Tasks in"),
        Some(b'm') => lacks(text, "failcnt"),
        Some(b'[') => {
            text.as_bytes().last().is_some_and(u8::is_ascii_digit) || text[1..].trim_ascii_start().starts_with("pid")
        }
        _ => telling && text.contains("invoked oom-killer") && !text.contains("oom_score_adj="),
    }
}

/// Is a key missing? Where it is not, it is most often the last one, before a number.
fn lacks(text: &str, key: &str) -> bool {
    let before = text.trim_end_matches(|letter: char| letter.is_ascii_digit());
    let before = before.strip_suffix(['-', ' ']).unwrap_or(before);
    !before.ends_with(key) && place(text, key).is_none()
}

/// The message `text` continued by the line `next`, or `None` where that line is another one.
pub(super) fn joined(text: &str, next: &Line<'_>) -> Option<String> {
    let rest = next.text.trim_ascii();
    if rest.is_empty() {
        return None;
    }
    let join = if next.marked { continued(text, rest) } else { wrapped(text, rest) }?;
    Some(format!("{}{}{rest}", text.trim_ascii_end(), join))
}

/// May what is missing of a message stand behind a clock of its own?
pub(super) fn goes_on_behind_clock(text: &str) -> bool {
    text.starts_with("oom-kill:") || text.starts_with("Task in")
}

/// What stands between `text` and a continuation that printk put on a line of its own, with a clock of its own
/// (`pr_cont` after another CPU's line, or a message longer than a record).
fn continued(text: &str, rest: &str) -> Option<&'static str> {
    if text.starts_with("oom-kill:") && !has_number(text, ",uid=") {
        const FIELDS: [&str; 7] = ["cpuset=", "mems_allowed=", "oom_memcg=", "task_memcg=", "task=", "pid=", "uid="];
        let field = rest.starts_with([',', '/']) || FIELDS.iter().any(|field| rest.starts_with(field));
        let tail = [",task_memcg=", ",task=", ",pid=", ",uid="].iter().any(|field| rest.contains(field));
        return (!rest.starts_with("oom-kill:") && (field || tail)).then_some("");
    }
    if text.starts_with("Task in") && !text.contains("limit of /") {
        return (rest.starts_with('/') || rest.starts_with("killed as a result")).then_some(" ");
    }
    None
}

/// The same for a line without any prefix, as wrapping leaves it.
fn wrapped(text: &str, rest: &str) -> Option<&'static str> {
    let headless = text.ends_with("out of memory:") || text.ends_with("Out of memory:") || text.ends_with(": Killed");
    if headless && (rest.starts_with("Kill") || rest.starts_with("process ")) {
        return Some(" ");
    }
    let starts_anew = !matches!(message::read(rest), None | Some(Message::StatPairs(_)));
    if starts_anew {
        return None;
    }
    if text.starts_with("oom-kill:") {
        return (!has_number(text, ",uid=") && !rest.contains(' ')).then_some("");
    }
    if let Some((_, after)) = text.split_once("illed process") {
        const FIELDS: [&str; 7] =
            ["total-vm:", "anon-rss:", "file-rss:", "shmem-rss:", "UID", "pgtables:", "oom_score_adj:"];
        let fits =
            FIELDS.iter().any(|field| rest.contains(field)) || rest.contains("kB") || after.trim_ascii().is_empty();
        return (!has_number(text, "oom_score_adj:") && fits).then(|| between(text, rest));
    }
    if text.starts_with("Task in") {
        let path = is_path(rest);
        let whole = text.contains("limit of /");
        if path && !text.contains(" killed") {
            return Some("");
        }
        return if whole || rest.contains("a result of limit of") {
            (path || !whole).then(|| if rest.starts_with("killed") { " " } else { "" })
        } else {
            ["killed", "as a", "result", "limit", "of", "/"].iter().any(|word| rest.starts_with(word)).then_some(" ")
        };
    }
    if text.starts_with("Tasks in ") && !text.contains("memory.oom.group") {
        let words = ["are", "going", "to", "be", "killed", "due", "memory.oom.group"];
        let goes_on = words.iter().any(|word| rest.split(' ').next() == Some(word));
        let path = !text.contains(" are") && is_path(rest.split(' ').next().unwrap_or_default());
        return (goes_on || path).then_some(if goes_on { " " } else { "" });
    }
    if text.starts_with("Memory cgroup stats") && !text.contains(':') {
        let path = rest.split([':', ' ']).next().unwrap_or_default();
        return is_path(path).then_some(if text.ends_with("for") { " " } else { "" });
    }
    if text.starts_with("Memory cgroup stats") {
        let begins = text.ends_with(':') && !text.contains("KB");
        if begins && rest.contains(':') && rest.contains("KB") {
            return Some(" ");
        }
        return (rest.contains(':') && rest.contains("KB")).then(|| between(text, rest));
    }
    if text.contains(": usage ") && !text.contains("failcnt ") {
        return (rest.contains("kB") || rest.contains("failcnt")).then(|| between(text, rest));
    }
    if text.contains("invoked oom-killer") && !text.contains("oom_score_adj=") {
        let fits =
            ["gfp_mask=", "order=", "oom_score_adj", "nodemask=", "GFP_"].iter().any(|field| rest.contains(field));
        return fits.then_some(" ");
    }
    if text.starts_with('[') {
        let title = text.contains("total_vm") && !text.ends_with("name") && rest.ends_with("name");
        let nameless = text.ends_with(|letter: char| letter.is_ascii_digit()) && !rest.contains(' ');
        return (title || nameless).then_some(" ");
    }
    None
}

/// Nothing but what cgroups' names are made of.
fn is_path(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/._:-@\\".contains(&byte))
}

fn has_number(text: &str, key: &str) -> bool {
    text.rfind(key).is_some_and(|at| {
        text[at + key.len()..].trim_start_matches(['-', ' ']).starts_with(|letter: char| letter.is_ascii_digit())
    })
}

/// A break within a number or behind a separator took nothing away; any other took a blank.
fn between(text: &str, rest: &str) -> &'static str {
    let last = text.trim_ascii_end().chars().next_back().unwrap_or(' ');
    let first = rest.chars().next().unwrap_or(' ');
    let in_number = last.is_ascii_digit() && (first.is_ascii_digit() || matches!(first, 'k' | 'K'));
    if in_number || matches!(last, '-' | ':' | '_') || (last == 'k' && first == 'B') { "" } else { " " }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::kernel_log::prefix;

    fn joined_all(lines: &[&str]) -> String {
        let mut text = prefix::line(lines[0]).text.into_owned();
        for next in &lines[1..] {
            match joined(&text, &prefix::line(next)) {
                Some(longer) => text = longer,
                None => return format!("{text} | {next}"),
            }
        }
        text
    }

    #[test]
    fn wrapped_messages_are_whole_again() {
        for (lines, whole) in [
            (
                &["[ 1.5] Killed process 274557 (app) ", "total-vm:9kB, anon-rss:6", "40kB, ", "UID:0 pgtables:1kB"][..],
                "Killed process 274557 (app) total-vm:9kB, anon-rss:640kB, UID:0 pgtables:1kB",
            ),
            (
                &["[ 1.5] Memory cgroup out of memory:", "Killed process 7 (app)"],
                "Memory cgroup out of memory: Killed process 7 (app)",
            ),
            (
                &[
                    "oom-kill:constraint=CONSTRAINT_MEMCG,cpuset=user.slice,",
                    "  mems_allowed=0,oom_memcg=/a,task_memcg=/a/b",
                    "c,task=app,pid=1,uid=0",
                ],
                "oom-kill:constraint=CONSTRAINT_MEMCG,cpuset=user.slice,mems_allowed=0,oom_memcg=/a,task_memcg=/a/bc,task=app,pid=1,uid=0",
            ),
            (
                &["[ 1.5] Task in ", "[ 1.5] /a/b", "[ 1.5]  killed as a result of limit of ", "[ 1.5] /a"],
                "Task in /a/b killed as a result of limit of /a",
            ),
            (
                &["Task in /docker/0a1b", "2c3d killed as a result of limit of /docker/0a1b", "2c3d"],
                "Task in /docker/0a1b2c3d killed as a result of limit of /docker/0a1b2c3d",
            ),
            (
                &["[ pid ] uid tgid total_vm rss", "pgtables_bytes swapents oom_score_adj name"],
                "[ pid ] uid tgid total_vm rss pgtables_bytes swapents oom_score_adj name",
            ),
            (
                &["[ 718] 0 718 40965 29598 368640 0 -250", "systemd-journal"],
                "[ 718] 0 718 40965 29598 368640 0 -250 systemd-journal",
            ),
        ] {
            assert_eq!(joined_all(lines), whole);
        }
    }

    #[test]
    fn the_next_message_is_no_continuation() {
        for lines in [
            &[
                "Killed process 7 (app) total-vm:9kB, anon-rss:6kB",
                "[ 2.5] oom_reaper: reaped process 7 (app), now anon-rss:0kB",
            ][..],
            &["Killed process 7 (app) total-vm:9kB, anon-rss:6kB", "Killed process 8 (app) total-vm:9kB, anon-rss:6kB"],
            &["oom-kill:constraint=CONSTRAINT_MEMCG,oom_memcg=/a,task_memcg=/a", "some text of the one who pasted"],
            &["Task in /a killed as a result of limit of /a", "memory: usage 5kB, limit 5kB, failcnt 1"],
        ] {
            assert!(joined_all(lines).contains(" | "), "{lines:?}");
        }
    }
}
