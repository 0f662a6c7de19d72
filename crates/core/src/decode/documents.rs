//! JSON documents as people paste them: one or several, whole or cut, behind a prompt or without their outer braces.

use serde_json::Value;

use super::{Decoded, Input, repair};
use crate::fact::Gap;

/// Every object of the documents with its JSON pointer (`#N` before it for the N-th of several documents). The items
/// of an array at the top are objects of their own.
pub(super) fn objects(input: Input<'_>, out: &mut Decoded) -> Vec<(String, Value)> {
    let text = String::from_utf8_lossy(input.bytes);
    let documents = documents(&text, input, out);
    let several = documents.len() > 1;
    let mut objects = Vec::new();
    for (number, document) in documents.into_iter().enumerate() {
        let base = if several { format!("#{}", number + 1) } else { String::new() };
        match document {
            Value::Array(items) => {
                objects.extend(items.into_iter().enumerate().map(|(at, item)| (format!("{base}/{at}"), item)));
            }
            other => objects.push((base, other)),
        }
    }
    objects
}

/// How often something that looks like JSON and is none (`[root@host ~]#`) is passed over.
const TRIES: usize = 32;

fn documents(text: &str, input: Input<'_>, out: &mut Decoded) -> Vec<Value> {
    let mut documents = Vec::new();
    let mut rest = text;
    let mut tries = TRIES;
    while tries > 0 {
        rest = rest.trim_ascii_start();
        if !rest.starts_with(['{', '[', '"']) {
            let Some(at) = next_line_with_json(rest) else { break };
            rest = &rest[at..];
        }
        let mut stream = serde_json::Deserializer::from_str(rest).into_iter::<Value>();
        let error = match stream.next() {
            // A lone string is the name of a member whose braces are missing.
            Some(Ok(document)) if !document.is_string() => {
                documents.push(document);
                rest = &rest[stream.byte_offset()..];
                continue;
            }
            Some(Err(error)) => Some(error),
            _ => None,
        };
        if let Some(document) = repair::repair(rest) {
            documents.push(document);
            if let Some(error) = error.filter(|_| !rest.starts_with('"')) {
                out.gaps.push(Gap {
                    what: format!("the rest of {}", input.artifact.name),
                    because: format!("it is not complete JSON: {error}"),
                    command: String::new(),
                });
            }
            break;
        }
        let Some(at) = next_line_with_json(rest) else { break };
        rest = &rest[at..];
        tries -= 1;
    }
    documents
}

/// Where the next line begins that may be JSON. Prompts, comments and messages are passed over.
fn next_line_with_json(text: &str) -> Option<usize> {
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let blank = line.len() - line.trim_start().len();
        if at > 0 && line.trim_start().starts_with(['{', '[', '"']) {
            return Some(at + blank);
        }
        at += line.len();
    }
    None
}

/// A text that is there and not empty.
pub(super) fn text(value: &Value) -> Option<String> {
    value.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

/// A whole number, written as a number or as a string (as protobuf's JSON writes 64-bit numbers).
pub(super) fn number(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::{Artifact, ArtifactId};

    fn read(text: &str) -> (Vec<(String, Value)>, usize) {
        let artifact = Artifact::new("a.json", text);
        let mut out = Decoded::default();
        let input = Input::whole(ArtifactId(0), &artifact);
        (objects(input, &mut out), out.gaps.len())
    }

    fn pointers(text: &str) -> Vec<String> {
        read(text).0.into_iter().map(|(pointer, _)| pointer).collect()
    }

    #[test]
    fn every_object_has_a_pointer() {
        assert_eq!(pointers(r#"{"a": 1}"#), [""]);
        assert_eq!(pointers(r#"[{"a": 1}, {"a": 2}]"#), ["/0", "/1"]);
        assert_eq!(pointers("$ inspect x\n[{\"a\": 1}]\n# and then\n{\"a\": 2}\n"), ["#1/0", "#2"]);
    }

    #[test]
    fn a_cut_document_keeps_what_is_whole_and_says_that_the_rest_is_missing() {
        let (objects, gaps) = read(r#"[{"a": 1, "b": {"c": 2}}, {"a": 3, "b": {"c": 4, "d": "x"#);
        assert_eq!((objects.len(), gaps), (2, 1));
        assert_eq!(objects[1].1["b"]["c"], 4);
    }

    #[test]
    fn a_piece_without_braces_is_an_object() {
        let (objects, gaps) = read("\"State\": {\"a\": 1},\n# said somebody, later\n");
        assert_eq!((objects[0].1["State"]["a"].as_i64(), gaps), (Some(1), 0));
    }
}
