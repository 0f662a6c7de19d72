//! What stands beside a YAML document in the same text.

/// The lines that are no part of a YAML document: neither an entry, nor the rest of a value that goes on below its own.
pub(super) fn beside(bytes: &[u8]) -> Vec<u8> {
    let mut rest = Vec::new();
    let mut entry: Option<usize> = None;
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let depth = line.len() - line.trim_ascii_start().len();
        let goes_on = entry.is_some_and(|above| depth > above || line.trim_ascii().is_empty());
        if is_entry(line.trim_ascii()) {
            entry = Some(depth);
        } else if !goes_on {
            entry = None;
            rest.extend_from_slice(line);
        }
    }
    rest
}

/// `key: value`, `- key: value`, `- value`, and the marks between documents.
fn is_entry(line: &[u8]) -> bool {
    let bare = line.strip_prefix(b"- ").map_or(line, <[u8]>::trim_ascii_start);
    let end = bare.iter().position(|byte| *byte == b':').unwrap_or_default();
    let (key, after) = bare.split_at(end);
    let is_key = !key.is_empty()
        && key
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'/' | b'"' | b'\''))
        && matches!(after, [b':'] | [b':', b' ', ..]);
    is_key || bare.len() < line.len() || line == b"---" || line == b"-"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_document_quotes_is_not_beside_it() {
        let text = "kind: Event\nmessage: |-\n  Memory cgroup out of memory: Kill process 7 (a)\n  Killed process 7 (a)\nitems:\n- a\n\
            Mar  1 10:05:00 n1 kernel: eth0: up\n  [    1.500000] indented\n";
        let rest = String::from_utf8(beside(text.as_bytes())).unwrap();
        assert_eq!(rest, "Mar  1 10:05:00 n1 kernel: eth0: up\n  [    1.500000] indented\n");
    }
}
