//! A piece of YAML whose indentation no parser accepts: keys and values by their depth, whatever the depth of the rest.

use serde_json::{Map, Value};

/// The tree that the lines suggest. Values stay text but for plain numbers and booleans.
pub(super) fn tree(text: &str) -> Value {
    let lines: Vec<Line<'_>> = joined(text);
    let mut position = 0;
    let mut roots = Vec::new();
    // A piece may begin deeper than it goes on: every stretch that the one before cannot hold is a root of its own.
    while position < lines.len() {
        let depth = lines[position].depth;
        roots.push(block(&lines, &mut position, depth));
    }
    if roots.len() == 1 { roots.remove(0) } else { Value::Array(roots) }
}

struct Line<'a> {
    depth: usize,
    item: bool,
    key: Option<&'a str>,
    value: String,
}

/// Lines with a key or item; a quoted or plain value that goes on over lines is joined.
fn joined(text: &str) -> Vec<Line<'_>> {
    let mut lines: Vec<Line<'_>> = Vec::new();
    let mut over = false;
    for raw in text.lines() {
        let trimmed = raw.trim();
        if trimmed.is_empty() {
            // What follows a blank line without a key is talk, not the rest of a value.
            over = true;
            continue;
        }
        if trimmed.starts_with('#') || trimmed.starts_with("```") || trimmed == "---" {
            continue;
        }
        let mut depth = raw.len() - raw.trim_start().len();
        let (item, rest) = match trimmed.strip_prefix("- ") {
            Some(rest) => {
                depth += trimmed.len() - rest.trim_start().len();
                (true, rest.trim_start())
            }
            None => (false, trimmed),
        };
        match key_value(rest) {
            Some((key, value)) => {
                over = false;
                lines.push(Line { depth, item, key: Some(key), value: value.to_owned() });
            }
            None if item => lines.push(Line { depth, item, key: None, value: rest.to_owned() }),
            // A continued value.
            None => {
                if let Some(last) = lines.last_mut().filter(|_| !over) {
                    last.value.push(' ');
                    last.value.push_str(trimmed);
                }
            }
        }
    }
    lines
}

/// `key: value`, where the key is a plain word.
fn key_value(text: &str) -> Option<(&str, &str)> {
    let (key, value) = text.split_once(':')?;
    let key = key.trim().trim_matches('"');
    let plain =
        !key.is_empty() && key.len() < 64 && key.chars().all(|c| c.is_ascii_alphanumeric() || "._-/".contains(c));
    (plain && (value.is_empty() || value.starts_with(' '))).then(|| (key, value.trim()))
}

/// Everything from here on that is at least this deep, as an object, or as a list where its lines are items.
fn block(lines: &[Line<'_>], position: &mut usize, depth: usize) -> Value {
    if lines[*position].item {
        let mut items = Vec::new();
        while *position < lines.len() && lines[*position].depth == depth && lines[*position].item {
            items.push(object(lines, position, depth));
        }
        return Value::Array(items);
    }
    object(lines, position, depth)
}

fn object(lines: &[Line<'_>], position: &mut usize, depth: usize) -> Value {
    let mut map = Map::new();
    let mut first = true;
    while *position < lines.len() {
        let line = &lines[*position];
        if line.depth < depth || line.depth == depth && line.item && !first {
            break;
        }
        if line.depth > depth {
            // Deeper than its elders without a key that holds it: keep what it says at this level.
            if let Value::Object(inner) = block(lines, position, line.depth) {
                map.extend(inner);
            }
            continue;
        }
        first = false;
        *position += 1;
        let Some(key) = line.key else {
            return scalar(&line.value);
        };
        let deeper =
            lines.get(*position).filter(|next| next.depth > depth || next.depth == depth && next.item && !line.item);
        let value = match deeper.map(|next| next.depth).filter(|_| line.value.is_empty() || line.value == "|") {
            Some(next) => block(lines, position, next),
            None => scalar(&line.value),
        };
        map.insert(key.to_owned(), value);
    }
    Value::Object(map)
}

fn scalar(text: &str) -> Value {
    let bare = text.trim().trim_matches(['\'', '"']).trim();
    if bare.len() == text.trim().len() {
        if let Ok(number) = bare.parse::<i64>() {
            return Value::from(number);
        }
        match bare {
            "true" => return Value::from(true),
            "false" => return Value::from(false),
            "" | "null" | "~" => return Value::Null,
            "{}" => return Value::Object(Map::new()),
            _ => {}
        }
    }
    Value::from(bare)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_that_begins_deeper_than_it_goes_on_is_read() {
        let tree = tree("      terminated:\n        exitCode: 137\n        reason: Error\n    ready: false\n");
        assert_eq!(tree[0]["terminated"]["exitCode"], 137);
        assert_eq!(tree[1]["ready"], false);
    }

    #[test]
    fn a_value_that_goes_on_over_lines_is_one_value() {
        let tree = tree(
            "message: 'The node was low on resource: memory. Container a was using 3Ki,\n    which exceeds its request of 0. '\nreason: Evicted\n",
        );
        assert_eq!(
            tree["message"],
            "The node was low on resource: memory. Container a was using 3Ki, which exceeds its request of 0."
        );
        assert_eq!(tree["reason"], "Evicted");
    }

    #[test]
    fn items_of_a_list_stay_apart() {
        let tree = tree("containerStatuses:\n- name: a\n  state:\n    running: {}\n- name: b\n");
        assert_eq!(tree["containerStatuses"][1]["name"], "b");
        assert!(tree["containerStatuses"][0]["state"]["running"].is_object());
    }
}
