//! A VPA that is there for the same container, in a line.

use crate::size::autoscaler::{Vpa, VpaBounds};
use crate::units::Bytes;

/// `web, mode Recreate: recommends 250 MiB (200 MiB to 1.0 GiB)`.
pub(super) fn told(vpa: &Vpa) -> String {
    let mode = match (vpa.changes_memory, vpa.update_mode.as_deref()) {
        (None, _) => String::new(),
        (Some(_), Some(mode)) => format!(", mode {mode}"),
        (Some(_), None) => ", default mode".to_owned(),
    };
    let left_alone = if vpa.changes_memory == Some(false) { ", which leaves memory alone" } else { "" };
    let mut text = format!("{}{mode}{left_alone}", vpa.name);
    let bounded = |bounds: &VpaBounds| match (bounds.lower_bytes, bounds.upper_bytes) {
        (Some(lower), Some(upper)) => format!("{} ({lower} to {upper})", bounds.target_bytes),
        _ => bounds.target_bytes.to_string(),
    };
    match (&vpa.recommended, &vpa.from_checkpoint) {
        (Some(said), Some(asked)) if said.target_bytes != asked.target_bytes => {
            text.push_str(&format!(": recommends {}; its checkpoint asks for {}", bounded(said), bounded(asked)));
        }
        (Some(said), _) => text.push_str(&format!(": recommends {}", bounded(said))),
        (None, Some(asked)) => text.push_str(&format!(": its checkpoint asks for {}", bounded(asked))),
        (None, None) => text.push_str(": recommends nothing yet"),
    }
    let allowed = |what: &str, bytes: Option<Bytes>| bytes.map(|it| format!(", {what} {it}")).unwrap_or_default();
    text.push_str(&allowed("at least", vpa.min_allowed_bytes));
    text.push_str(&allowed("at most", vpa.max_allowed_bytes));
    text.push_str(&vpa.limit_bytes.map(|limit| format!("; the limit becomes {limit}")).unwrap_or_default());
    text
}

/// What a checkpoint remembers: `daily peaks between 190 MiB and 260 MiB`.
pub(super) fn peaks(vpa: &Vpa) -> String {
    let (Some(low), Some(high)) = (vpa.peaks.first(), vpa.peaks.last()) else { return "nothing".into() };
    if low.up_to_bytes == high.up_to_bytes {
        return format!("daily peaks of up to {} in a VPA's checkpoint", high.up_to_bytes);
    }
    format!("daily peaks of {} to {} in a VPA's checkpoint", low.up_to_bytes, high.up_to_bytes)
}
