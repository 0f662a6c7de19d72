//! A piece of JSON, cut out of a document: braces and commas are put where they are missing.

use serde_json::Value;

/// The value that the piece holds, or `None` where it holds none.
pub(super) fn repair(text: &str) -> Option<Value> {
    let begin = text.find(['"', '{', '['])?;
    let body = text[begin..].trim_end().trim_end_matches(',');
    for candidate in [closed(body), closed(&format!("{{{body}"))] {
        if let Some(value) = candidate
            .and_then(|text| serde_json::from_str::<Value>(&text).ok())
            .filter(|it| it.is_object() || it.is_array())
        {
            return Some(value);
        }
    }
    None
}

/// The text with every open bracket closed; cut where a bracket closes that was never opened, or where a value ends in
/// the middle.
fn closed(text: &str) -> Option<String> {
    let mut open: Vec<char> = Vec::new();
    let mut in_string = false;
    let mut escaped = false;
    // The end of the last complete member: everything after it is dropped where the text breaks off.
    let mut whole = 0;
    let mut open_at_whole: Vec<char> = Vec::new();
    let mut end = text.len();
    for (at, c) in text.char_indices() {
        if in_string {
            match c {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                '"' => in_string = false,
                _ => {}
            }
            continue;
        }
        match c {
            '"' => in_string = true,
            '{' | '[' => open.push(if c == '{' { '}' } else { ']' }),
            '}' | ']' => {
                if open.last() != Some(&c) {
                    end = at;
                    break;
                }
                open.pop();
                whole = at + 1;
                open_at_whole.clone_from(&open);
                if open.is_empty() {
                    end = at + 1;
                    break;
                }
            }
            ',' => {
                whole = at;
                open_at_whole.clone_from(&open);
            }
            _ => {}
        }
    }
    let close = |cut: &str, open: &[char]| {
        let cut = cut.trim_end().trim_end_matches(',');
        cut.chars().chain(open.iter().rev().copied()).collect::<String>()
    };
    let first = close(&text[..end], &open);
    if !in_string && serde_json::from_str::<serde::de::IgnoredAny>(&first).is_ok() {
        return Some(first);
    }
    (whole > 0).then(|| close(&text[..whole], &open_at_whole))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_without_its_braces_becomes_an_object() {
        let value = repair("   \"web\": {\n \"state\": {\"termination\": {\"exitCode\": 137}}\n},\n").unwrap();
        assert_eq!(value["web"]["state"]["termination"]["exitCode"], 137);
    }

    #[test]
    fn a_text_that_breaks_off_keeps_its_whole_members() {
        let value = repair(r#"{"phase": "Failed", "reason": "Evicted", "message": "The node w"#).unwrap();
        assert_eq!((value["reason"].as_str(), value.get("message")), (Some("Evicted"), None));
    }

    #[test]
    fn brackets_that_were_opened_before_the_piece_end_it() {
        let value = repair("\"exitCode\": 1, \"reason\": \"Error\"}}, \"other\": 2").unwrap();
        assert_eq!(value["exitCode"], 1);
    }

    #[test]
    fn plain_text_holds_nothing() {
        assert_eq!(repair("nothing of the kind"), None);
    }
}
