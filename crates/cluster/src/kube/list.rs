//! Lists, page by page, in bounded memory: of each page only the items wanted are kept, as the server wrote them.

use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::time::Instant;

use jiff::Timestamp;
use oomph_core::artifact::{Artifact, Captured, Kind};

use super::api::{Api, Refusal, query};

/// Items a page. kubectl asks for as many (`--chunk-size`).
const PAGE: &str = "500";

/// Bytes kept of one list. Thousands of pods in trouble or tens of thousands of events fit.
const MOST: usize = 64 << 20;

/// A list that was read, at least in part.
#[derive(Debug, Default)]
pub(super) struct Listing {
    /// The pages, each a complete list of the items that were kept.
    pub(super) pages: Vec<Vec<u8>>,
    /// The resource version to watch from.
    pub(super) version: String,
    /// Why it is not the whole; `None`: it is.
    pub(super) cut: Option<String>,
}

#[derive(Deserialize)]
struct Page<'a> {
    #[serde(borrow, default)]
    kind: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "apiVersion")]
    api_version: Option<&'a RawValue>,
    #[serde(borrow, default)]
    metadata: Option<&'a RawValue>,
    #[serde(borrow, default)]
    items: Option<Vec<&'a RawValue>>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Meta {
    resource_version: String,
    r#continue: String,
}

/// Reads a list to its end or to the deadline; `keep` sees the JSON of every item once, or again where the list
/// had to be begun anew. The first page refused is an error; a later one leaves what was read.
pub(super) async fn list(
    api: &Api,
    path: &str,
    selectors: &[(&str, &str)],
    until: Instant,
    mut keep: impl FnMut(&str) -> bool,
) -> Result<Listing, Refusal> {
    let mut listing = Listing::default();
    let mut token = String::new();
    let (mut begun_anew, mut kept) = (false, 0);
    loop {
        let mut pairs = vec![("limit", PAGE)];
        pairs.extend_from_slice(selectors);
        pairs.push(("continue", &token));
        let bytes = match api.get(&format!("{path}{}", query(&pairs)), until).await {
            Ok(bytes) => bytes,
            // The token outlived etcd's compaction (5 minutes by default). The server may offer to go on in a later state.
            Err(Refusal::Gone { resume: Some(resume) }) if resume != token => {
                listing.cut = Some("the list changed while it was read: items that came or went may be missing".into());
                token = resume;
                continue;
            }
            Err(Refusal::Gone { .. }) if !begun_anew => {
                begun_anew = true;
                listing = Listing::default();
                kept = 0;
                token.clear();
                continue;
            }
            Err(refusal) if listing.pages.is_empty() => return Err(refusal),
            Err(refusal) => {
                listing.cut = Some(format!("only {} pages were read: {}", listing.pages.len(), refusal.because()));
                return Ok(listing);
            }
        };
        let Some((page, meta)) = prune(&bytes, &mut keep) else {
            let because = "the answer is no list".to_owned();
            if listing.pages.is_empty() {
                return Err(Refusal::Failed(because));
            }
            listing.cut = Some(because);
            return Ok(listing);
        };
        kept += page.len();
        listing.pages.push(page);
        listing.version = meta.resource_version;
        if meta.r#continue.is_empty() {
            return Ok(listing);
        }
        if kept > MOST {
            listing.cut = Some(format!("only {} pages were read: they fill {} MiB", listing.pages.len(), MOST >> 20));
            return Ok(listing);
        }
        token = meta.r#continue;
    }
}

/// The page with only the items to keep, byte for byte as they came. `None`: not a list.
fn prune(bytes: &[u8], keep: &mut impl FnMut(&str) -> bool) -> Option<(Vec<u8>, Meta)> {
    let page: Page<'_> = serde_json::from_slice(bytes).ok()?;
    page.kind.filter(|kind| kind.get().ends_with("List\""))?;
    let meta = page.metadata.and_then(|meta| serde_json::from_str(meta.get()).ok()).unwrap_or_default();
    let mut out = Vec::new();
    out.push(b'{');
    for (key, value) in [("kind", page.kind), ("apiVersion", page.api_version), ("metadata", page.metadata)] {
        if let Some(value) = value {
            out.extend_from_slice(format!("\"{key}\":{},", value.get()).as_bytes());
        }
    }
    out.extend_from_slice(b"\"items\":[");
    let mut first = true;
    for item in page.items.unwrap_or_default().into_iter().filter(|item| keep(item.get())) {
        if !std::mem::take(&mut first) {
            out.push(b',');
        }
        out.extend_from_slice(item.get().as_bytes());
    }
    out.extend_from_slice(b"]}");
    Some((out, meta))
}

impl Listing {
    /// The pages as artifacts: `GET /api/v1/pods`, `GET /api/v1/pods page 2`. A later page of which nothing was kept is left out.
    pub(super) fn into_captured(self, kind: &'static str, name: &str) -> Captured {
        let mut captured = Captured::default();
        let count = self.pages.len();
        for (index, page) in self.pages.into_iter().enumerate() {
            if index > 0 && page.ends_with(b"\"items\":[]}") {
                continue;
            }
            let name = if index == 0 { name.to_owned() } else { format!("{name} page {}", index + 1) };
            let artifact =
                Artifact { kind: Some(Kind::KubernetesJson), at: Some(Timestamp::now()), ..Artifact::new(name, page) };
            match &self.cut {
                Some(because) if index == 0 || index + 1 == count => captured.partial(kind, artifact, because.clone()),
                _ => captured.read(kind, artifact),
            }
        }
        if let Some(because) = self.cut {
            let path = name.trim_start_matches("GET ");
            captured.gap(format!("some of the {kind} ({path})"), because, format!("kubectl get --raw '{path}'"));
        }
        captured
    }
}

/// `GET /api/v1/events?fieldSelector=involvedObject.kind=Node`: the request for people, not escaped, without paging.
pub(super) fn request_name(path: &str, selectors: &[(&str, &str)]) -> String {
    let asked: Vec<_> = selectors.iter().filter(|(_, v)| !v.is_empty()).map(|(k, v)| format!("{k}={v}")).collect();
    format!("GET {path}{}{}", if asked.is_empty() { "" } else { "?" }, asked.join("&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kept_items_stand_byte_for_byte() {
        let page = br#"{"kind":"PodList", "apiVersion":"v1","metadata":{"resourceVersion":"7","continue":"t"},
            "items":[ {"a" : 1.50}, {"b":2},{"c":"\u0041"} ]}"#;
        let (pruned, meta) = prune(page, &mut |item: &str| !item.contains('b')).unwrap();
        let expected = r#"{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"7","continue":"t"},"items":[{"a" : 1.50},{"c":"\u0041"}]}"#;
        assert_eq!(String::from_utf8(pruned).unwrap(), expected);
        assert_eq!((meta.resource_version.as_str(), meta.r#continue.as_str()), ("7", "t"));
    }

    #[test]
    fn a_list_without_items_is_empty_and_other_answers_are_none() {
        let (pruned, _) = prune(br#"{"kind":"PodList","items":null}"#, &mut |_: &str| true).unwrap();
        assert_eq!(pruned, br#"{"kind":"PodList","items":[]}"#);
        assert!(prune(b"<html>", &mut |_: &str| true).is_none());
        assert!(prune(br#"{"kind":"Status"}"#, &mut |_: &str| true).is_none());
        assert!(prune(b"[1]", &mut |_: &str| true).is_none());
    }

    #[test]
    fn a_request_is_named_as_people_write_it() {
        let selectors = [("fieldSelector", "involvedObject.kind=Node"), ("labelSelector", "")];
        assert_eq!(
            request_name("/api/v1/events", &selectors),
            "GET /api/v1/events?fieldSelector=involvedObject.kind=Node"
        );
    }
}
