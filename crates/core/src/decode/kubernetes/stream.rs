//! JSON documents one after another; the items of a list one by one, each dropped when its facts are taken.

use std::fmt;

use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::{fragment, object, shape::Object};
use crate::decode::{Decoded, Input};

/// Where facts of a document go, and how its places are called.
pub(super) struct Sink<'o, 'i> {
    pub(super) input: Input<'i>,
    pub(super) out: &'o mut Decoded,
    /// What stands before every pointer: `#2` for the second of several documents.
    pub(super) prefix: String,
}

/// Decodes every document of `bytes`. On an error what came before it is kept.
pub(super) fn documents(
    input: Input<'_>,
    bytes: &[u8],
    prefix: &str,
    out: &mut Decoded,
) -> Result<(), serde_json::Error> {
    let mut rest = bytes;
    let mut number = 0;
    loop {
        rest = rest.trim_ascii_start();
        if rest.is_empty() {
            return Ok(());
        }
        number += 1;
        let prefix = match (prefix, number) {
            (own, 1) => own.to_owned(),
            ("", number) => format!("#{number}"),
            (own, _) => own.to_owned(),
        };
        let mut documents = serde_json::Deserializer::from_slice(rest);
        let mut sink = Sink { input, out: &mut *out, prefix };
        let begun = sink.out.facts.len();
        let outcome = DocumentSeed(&mut sink).deserialize(&mut documents);
        if let Err(error) = outcome {
            // A shape that does not fit (a custom resource): the same items again, one at a time.
            if error.is_data() {
                out.facts.truncate(begun);
                return one_by_one(input, rest, out);
            }
            return Err(error);
        }
        let mut stream = serde_json::Deserializer::from_slice(rest).into_iter::<IgnoredAny>();
        if rest.len() < 1 << 16 {
            let _ = stream.next();
            rest = &rest[stream.byte_offset().min(rest.len())..];
        } else {
            rest = after(rest, documents);
        }
    }
}

/// What is left behind the document just read.
fn after<'b>(bytes: &'b [u8], mut documents: serde_json::Deserializer<serde_json::de::SliceRead<'b>>) -> &'b [u8] {
    // Nothing but white space is the rule for a large document, and `end` says so without reading it again.
    if documents.end().is_ok() {
        return &[];
    }
    let mut stream = serde_json::Deserializer::from_slice(bytes).into_iter::<IgnoredAny>();
    let _ = stream.next();
    &bytes[stream.byte_offset().min(bytes.len())..]
}

/// Every item by itself, so that one of an unexpected shape costs no other.
fn one_by_one(input: Input<'_>, bytes: &[u8], out: &mut Decoded) -> Result<(), serde_json::Error> {
    #[derive(serde::Deserialize)]
    struct Raw<'a> {
        #[serde(borrow)]
        items: Option<Vec<&'a RawValue>>,
        #[serde(borrow)]
        kind: Option<std::borrow::Cow<'a, str>>,
    }
    for document in serde_json::Deserializer::from_slice(bytes).into_iter::<&RawValue>() {
        let document = document?;
        let list = serde_json::from_str::<Raw<'_>>(document.get()).ok();
        let kind = list.as_ref().and_then(|list| list.kind.as_deref()).and_then(|kind| kind.strip_suffix("List"));
        let mut sink = Sink { input, out: &mut *out, prefix: String::new() };
        match list.as_ref().and_then(|list| list.items.as_ref()) {
            Some(items) => {
                for (position, item) in items.iter().enumerate() {
                    if let Ok(item) = serde_json::from_str::<Object<'_>>(item.get()) {
                        object::decode(&item, kind, &format!("/items/{position}"), &mut sink);
                    }
                }
            }
            None => {
                if let Ok(value) = serde_json::from_str(document.get()) {
                    fragment::read(&value, input, "", out);
                }
            }
        }
    }
    Ok(())
}

/// A document: a list, an object, an array of objects, or a piece of a status.
struct DocumentSeed<'s, 'o, 'i>(&'s mut Sink<'o, 'i>);

impl<'de> DeserializeSeed<'de> for DocumentSeed<'_, '_, '_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for DocumentSeed<'_, '_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a Kubernetes object or list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<(), A::Error> {
        visit_items(items, None, "", self.0)
    }

    /// Reads a list's items as they come. An object's own fields are gathered first, since they may come in any order.
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut kind: Option<String> = None;
        let mut listed = false;
        let mut fields: Vec<(String, &'de RawValue)> = Vec::new();
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "items" => {
                    listed = true;
                    let kind = kind.as_deref().and_then(|kind| kind.strip_suffix("List"));
                    map.next_value_seed(ItemsSeed { kind, sink: &mut *self.0 })?;
                }
                "kind" => kind = map.next_value::<Option<String>>()?,
                _ if listed => {
                    map.next_value::<IgnoredAny>()?;
                }
                _ => fields.push((key, map.next_value()?)),
            }
        }
        if !listed {
            object::decode_fields(kind.as_deref(), &fields, self.0);
        }
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

struct ItemsSeed<'k, 's, 'o, 'i> {
    kind: Option<&'k str>,
    sink: &'s mut Sink<'o, 'i>,
}

impl<'de> DeserializeSeed<'de> for ItemsSeed<'_, '_, '_, '_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ItemsSeed<'_, '_, '_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of objects")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<(), A::Error> {
        visit_items(items, self.kind, "/items", self.sink)
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

fn visit_items<'de, A: SeqAccess<'de>>(
    mut items: A,
    kind: Option<&str>,
    base: &str,
    sink: &mut Sink<'_, '_>,
) -> Result<(), A::Error> {
    let mut position = 0;
    while let Some(item) = items.next_element::<Object<'de>>()? {
        object::decode(&item, kind, &format!("{base}/{position}"), sink);
        position += 1;
    }
    Ok(())
}
