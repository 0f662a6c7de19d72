//! Where a log goes from one boot to the next: what happened in between stands in none of them.

use super::loss::{Loss, Lost};
use super::report::Seen;

/// The lines with which `journalctl` parts boots (`src/shared/logs-show.c`; `-- Reboot --` before v251).
pub(super) fn is_border(text: &str) -> bool {
    text.starts_with("-- Boot ") || text.starts_with("-- Reboot --")
}

/// Borders in a journal's JSON, where every entry names its boot.
pub(super) fn borders(text: &[u8], first_line: usize) -> Vec<Loss> {
    let (mut losses, mut boot): (Vec<Loss>, Option<&[u8]>) = (Vec::new(), None);
    let mut start = 0;
    for (index, line) in text.split(|byte| *byte == b'\n').enumerate() {
        let named = id(line);
        if let (Some(before), Some(now)) = (boot, named)
            && before != now
        {
            let seen = Seen { line: first_line + index, ..Seen::default() };
            losses.push(Loss { lost: Lost::Boot, seen, node: None, start, reported: None });
        }
        boot = named.or(boot);
        start += line.len() + 1;
    }
    losses
}

/// The boot that an entry names.
fn id(line: &[u8]) -> Option<&[u8]> {
    const KEY: &[u8] = b"\"_BOOT_ID\"";
    let behind = memchr::memmem::find(line, KEY)? + KEY.len();
    let mut quoted = line.get(behind..)?.split(|byte| *byte == b'"');
    quoted.nth(1).filter(|id| !id.is_empty())
}
