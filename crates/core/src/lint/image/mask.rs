//! An inspection without what is nobody's business: an image's environment holds passwords as often as flags.

use super::super::tree::{self, At, Span};
use crate::memory_flags;

/// Keys whose texts name the image and nothing else.
const NAMES: [&str; 4] = ["Id", "RepoTags", "RepoDigests", "Digest"];

/// Keys whose items are words of a command line.
const COMMANDS: [&str; 2] = ["Entrypoint", "Cmd"];

/// Variables beside [`memory_flags::variables`] whose whole value a rule reads.
const NUMBERS: [&str; 8] = [
    "PM_MAX_CHILDREN",
    "PHP_FPM_PM_MAX_CHILDREN",
    "FPM_PM_MAX_CHILDREN",
    "ZK_SERVER_HEAP",
    "UWSGI_WORKERS",
    "GRANIAN_WORKERS",
    "CELERY_WORKER_CONCURRENCY",
    "COMPlus_gcServer",
];

/// The text of an inspection with an asterisk for every character that is neither a name of the image, a word of its
/// command line nor a memory flag; the rest stands where it stood. None of any other text.
pub fn masked(text: &str) -> Option<String> {
    if !text.contains("\"RepoTags\"") && !text.contains("\"RepoDigests\"") {
        return None;
    }
    let tree = tree::read(0, text);
    let roots = tree.documents.iter().map(|document| tree.root(document));
    let is_image = |node: At<'_>| super::read(node).is_some();
    let images: Vec<At<'_>> =
        roots.flat_map(|root| std::iter::once(root).chain(root.items())).filter(|node| is_image(*node)).collect();
    if images.is_empty() {
        return None;
    }
    let mut hidden: Vec<Span> = Vec::new();
    for image in images {
        walk(image, "", &mut hidden, 0);
    }
    hidden.sort_unstable();
    let (mut out, mut from) = (String::with_capacity(text.len()), 0);
    for span in hidden.into_iter().map(Span::range).filter(|span| !span.is_empty()) {
        if span.start < from {
            continue;
        }
        out.push_str(&text[from..span.start]);
        out.extend(text[span.clone()].chars().map(|c| if c == '\n' { c } else { '*' }));
        from = span.end;
    }
    out.push_str(&text[from..]);
    Some(out)
}

/// Inspections are not nested deeper.
const DEPTH: usize = 32;

fn walk(node: At<'_>, key: &str, hidden: &mut Vec<Span>, depth: usize) {
    if node.text().is_some() {
        hide(node, key, hidden);
    } else if depth == DEPTH {
        hidden.push(node.span());
    }
    if depth < DEPTH {
        node.own_entries().for_each(|(name, value)| walk(value, name.text().unwrap_or(""), hidden, depth + 1));
        node.items().for_each(|item| walk(item, key, hidden, depth + 1));
    }
}

fn hide(node: At<'_>, key: &str, hidden: &mut Vec<Span>) {
    let source = node.source();
    let quoted = source.len() > 1 && source.starts_with('"') && source.ends_with('"');
    // Numbers and truths hold no secret.
    if NAMES.contains(&key) || !quoted {
        return;
    }
    let inside = &source[1..source.len() - 1];
    let at = node.span().start as usize + 1;
    let mut push = |from: usize, to: usize| {
        // A text of 4 GiB or more was refused by the reader.
        let as_place = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        hidden.push(Span { start: as_place(at + from), end: as_place(at + to) });
    };
    let (value_from, is_kept): (usize, &dyn Fn(&str) -> bool) = match key {
        "Env" => {
            let Some((name, value)) = inside.split_once('=') else { return };
            let is_setting = memory_flags::is_variable(name) || NUMBERS.contains(&name);
            if is_setting && is_amount(value) {
                return;
            }
            let is_options = memory_flags::takes_options(name) || name == "GUNICORN_CMD_ARGS";
            (name.len() + 1, if is_options { &is_option } else { &is_flag })
        }
        _ if COMMANDS.contains(&key) => (0, &is_word),
        _ => (0, &|_| false),
    };
    let value = &inside[value_from..];
    if value_from == 0 && !COMMANDS.contains(&key) {
        push(0, inside.len());
        return;
    }
    let mut end = 0;
    for token in value.split_whitespace() {
        let start = end + value[end..].find(token).unwrap_or(0);
        end = start + token.len();
        if !is_kept(token) {
            // The name of an option that has a value may stay.
            let name = token.find('=').filter(|_| key != "Env").map_or(0, |equals| equals + 1);
            push(value_from + start + name, value_from + end);
        }
    }
}

/// A number, a size, a share, or a word that switches: `512m`, `4`, `75.0`, `off`.
fn is_amount(text: &str) -> bool {
    let letters = text.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.' || c == ',' || c == '-');
    let is_switch = ["off", "on", "true", "false", "malloc", "debug"].contains(&text);
    let is_hexadecimal = text.len() <= 18 && text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'x');
    is_switch || is_hexadecimal || text.len() <= 20 && letters.len() <= 3 && letters.len() < text.len().max(1)
}

/// A memory flag by itself. What runs on an error is a command.
fn is_flag(token: &str) -> bool {
    if token.len() > 128 || token.contains(['@', '\\']) || token.starts_with("-XX:On") {
        return false;
    }
    let heap = ["-Xmx", "-Xms", "-Xmn", "-Xss"].iter().find_map(|prefix| token.strip_prefix(prefix));
    let by_value = || token.split_once('=').is_none_or(|(_, value)| is_amount(value));
    token.starts_with("-XX:") || heap.is_some_and(is_amount) || memory_flags::is_flag(token) && by_value()
}

/// The same, or a number of its own: in a variable that holds options and nothing else.
fn is_option(token: &str) -> bool {
    let is_name = matches!(token, "--workers" | "-w");
    let is_count = token.len() <= 6 && token.bytes().all(|byte| byte.is_ascii_digit());
    is_flag(token) || is_name || is_count || token.strip_prefix("--workers=").is_some_and(is_amount)
}

/// A word of a command line, unless it gives something a value that is no amount, or is an address with a name in it.
fn is_word(token: &str) -> bool {
    let is_address = token.contains("://") || token.contains('@') && token.contains(':');
    match token.split_once('=') {
        _ if is_flag(token) => true,
        Some((_, value)) => !is_address && (is_amount(value) || is_flag(value)),
        None => !is_address,
    }
}
