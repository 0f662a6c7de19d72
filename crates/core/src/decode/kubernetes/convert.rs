//! Values that objects and fragments share: times, ids, quantities.

use jiff::Timestamp;
use serde_json::value::RawValue;

use super::shape::Amounts;
use crate::decode::moment;
use crate::fact::Resources;
use crate::units::Quantity;

/// RFC 3339 time; the placeholders of year 1 and 1970 are none.
pub(super) fn time(text: Option<&str>) -> Option<Timestamp> {
    moment::real(text?.trim().parse().ok()?)
}

/// `containerd://ID` as (runtime, bare id).
pub(super) fn container_id(text: Option<&str>) -> (Option<String>, Option<String>) {
    match text.map(str::trim).filter(|text| !text.is_empty()) {
        Some(text) => match text.split_once("://") {
            Some((runtime, id)) => (Some(runtime.to_owned()), Some(id.to_owned())),
            None => (None, Some(text.to_owned())),
        },
        None => (None, None),
    }
}

/// A quantity, written as a string or as a number. `Err` holds what is no quantity.
pub(super) fn quantity(raw: Option<&RawValue>) -> Result<Option<Quantity>, String> {
    let Some(text) =
        raw.map(|raw| raw.get().trim().trim_matches('"')).filter(|text| !text.is_empty() && *text != "null")
    else {
        return Ok(None);
    };
    text.parse().map(Some).map_err(|_| text.to_owned())
}

/// Requests and limits; what is no quantity is added to `bad`.
pub(super) fn resources(
    requests: Option<&Amounts<'_>>,
    limits: Option<&Amounts<'_>>,
    bad: &mut Vec<String>,
) -> Resources {
    let mut read = |raw: Option<&RawValue>| {
        quantity(raw).unwrap_or_else(|text| {
            bad.push(text);
            None
        })
    };
    Resources {
        memory_request: read(requests.and_then(|amounts| amounts.memory)),
        memory_limit: read(limits.and_then(|amounts| amounts.memory)),
        cpu_request: read(requests.and_then(|amounts| amounts.cpu)),
        cpu_limit: read(limits.and_then(|amounts| amounts.cpu)),
    }
}

/// Text that is there, and not empty.
pub(super) fn text(text: Option<&str>) -> Option<String> {
    text.filter(|text| !text.is_empty()).map(str::to_owned)
}
