//! Kubernetes objects, as JSON or YAML: one, a list, a watch's events, a bare status, or a piece cut out of one.
//!
//! JSON is streamed: each item of a list is parsed into borrowed structs ([`shape`]), turned into facts, and dropped.
//! What does not parse is read again as a [`fragment`], which looks for anything that tells of a container's state.

use serde_json::Value;

use super::{Decoded, Input};
use crate::fact::{Coverage, CoverageOf, Gap};

mod convert;
mod event;
mod fragment;
mod indented;
mod object;
mod pod;
mod shape;
mod stream;
mod text;
mod workload;

pub(super) use event::container_of;

/// Decodes JSON: documents one after another, whole or cut.
pub(super) fn json(input: Input<'_>, out: &mut Decoded) {
    let before = out.facts.len();
    if let Err(error) = stream::documents(input, input.bytes, "", out) {
        let text = String::from_utf8_lossy(input.bytes);
        if out.facts.len() == before {
            // A piece of a document, or one that is broken at its beginning.
            let found = super::repair::repair(&text).is_some_and(|value| fragment::read(&value, input, "", out));
            if found {
                return;
            }
        }
        out.gaps.push(Gap {
            what: format!("the rest of {}", input.artifact.name),
            because: format!("it is not complete JSON: {error}"),
            command: String::new(),
        });
    } else if out.facts.len() == before {
        arrays_of_pieces(input, out);
    }
    cover(input, before, out);
}

/// Arrays of what is no object of the API: `kubectl get pod -o jsonpath='{.status.containerStatuses}'`.
fn arrays_of_pieces(input: Input<'_>, out: &mut Decoded) {
    if !input.bytes.trim_ascii_start().starts_with(b"[") {
        return;
    }
    let documents = serde_json::Deserializer::from_slice(input.bytes).into_iter::<Value>();
    for (number, document) in documents.map_while(Result::ok).enumerate() {
        let is_of_pieces = document.as_array().is_some_and(|items| items.iter().all(|item| item.get("kind").is_none()));
        if is_of_pieces {
            let prefix = if number > 0 { format!("#{}", number + 1) } else { String::new() };
            fragment::read(&document, input, &prefix, out);
        }
    }
}

/// Decodes YAML: documents separated by `---`, or a piece of one with whatever indentation is left.
pub(super) fn yaml(input: Input<'_>, out: &mut Decoded) {
    let text = String::from_utf8_lossy(input.bytes);
    let before = out.facts.len();
    match parsed(&text) {
        Ok(documents) => trees(&documents, input, out),
        Err(error) => {
            let because = error.lines().next().unwrap_or_default();
            if let Some((documents, line)) = cut_short(&text) {
                trees(&documents, input, out);
                out.gaps.push(Gap {
                    what: format!("the rest of {}", input.artifact.name),
                    because: format!("it breaks off in line {}: {because}", input.first_line + line),
                    command: String::new(),
                });
            } else if !fragment::read(&indented::tree(&text), input, "", out) {
                out.gaps.push(Gap {
                    what: input.artifact.name.clone(),
                    because: format!("it is not YAML: {because}"),
                    command: String::new(),
                });
            }
        }
    }
    cover(input, before, out);
}

/// The documents of a text.
fn parsed(text: &str) -> Result<Vec<Value>, String> {
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_events: 200_000_000,
            max_nodes: 100_000_000,
            max_total_scalar_bytes: 1 << 31,
            max_documents: 1_000_000,
            max_aliases: 1_000,
        },
    };
    serde_saphyr::from_multiple_with_options::<Value>(text, options).map_err(|error| error.to_string())
}

/// Whole objects whose last line is cut within quotes or brackets: the documents without it, and its place from 0.
fn cut_short(text: &str) -> Option<(Vec<Value>, usize)> {
    let end = text.trim_end().rfind('\n').filter(|_| text.contains("apiVersion:"))?;
    let documents = parsed(&text[..=end]).ok()?;
    let is_object = |document: &Value| document.get("apiVersion").is_some() && document.get("kind").is_some();
    documents.iter().any(is_object).then(|| (documents, text[..=end].lines().count()))
}

/// Decodes documents.
fn trees(documents: &[Value], input: Input<'_>, out: &mut Decoded) {
    let before = out.facts.len();
    let many = documents.len() > 1;
    for (number, document) in documents.iter().enumerate() {
        let prefix = if many { format!("#{}", number + 1) } else { String::new() };
        let bytes = serde_json::to_vec(document).unwrap_or_default();
        if stream::documents(input, &bytes, &prefix, out).is_err() || out.facts.len() == before {
            fragment::read(document, input, &prefix, out);
        }
    }
}

/// Events reach back as far as the oldest of them: the API keeps them for an hour unless told otherwise.
fn cover(input: Input<'_>, before: usize, out: &mut Decoded) {
    let moments = out.facts[before..].iter().filter_map(|fact| match &fact.what {
        crate::fact::What::Event(event) => Some((event.first.or(event.last)?, event.last.or(event.first)?)),
        _ => None,
    });
    let (mut from, mut to) = (None, None);
    for (first, last) in moments {
        from = Some(from.map_or(first, |known: jiff::Timestamp| known.min(first)));
        to = Some(to.map_or(last, |known: jiff::Timestamp| known.max(last)));
    }
    if from.is_some() {
        let to = input.artifact.at.or(to);
        out.coverage.push(Coverage {
            artifact: input.id,
            of: CoverageOf::Events,
            node: None,
            boot_id: None,
            from,
            to,
            holes: Vec::new(),
        });
    }
}
