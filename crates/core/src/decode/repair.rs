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
    // The ends of the last member and of the last closed one: what follows is dropped where the text breaks off, or
    // where something else (a remark, a prompt) comes after the piece.
    let mut member = (0, Vec::new());
    let mut bracket = (0, Vec::new());
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
                bracket = (at + 1, open.clone());
                if open.is_empty() {
                    end = at + 1;
                    break;
                }
            }
            ',' => member = (at, open.clone()),
            _ if c.is_whitespace() || c.is_ascii_alphanumeric() || matches!(c, ':' | '.' | '+' | '-') => {}
            _ => {
                end = at;
                break;
            }
        }
    }
    let first = (!in_string).then_some((end, open));
    let mut ends = [member, bracket];
    ends.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
    first.into_iter().chain(ends).filter(|(at, _)| *at > 0).find_map(|(at, open)| {
        let cut = text[..at].trim_end().trim_end_matches(',');
        let closed: String = cut.chars().chain(open.iter().rev().copied()).collect();
        serde_json::from_str::<serde::de::IgnoredAny>(&closed).is_ok().then_some(closed)
    })
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
    fn what_people_write_below_a_piece_is_no_part_of_it() {
        for below in ["# it restarted, again", "it restarted, again", "$ uptime"] {
            let value = repair(&format!("\"State\": {{\n\"ExitCode\": 137\n}}\n{below}\n")).unwrap();
            assert_eq!(value["State"]["ExitCode"], 137, "{below}");
        }
    }

    #[test]
    fn plain_text_holds_nothing() {
        assert_eq!(repair("nothing of the kind"), None);
    }
}
