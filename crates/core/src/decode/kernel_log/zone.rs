//! The names of time zones, as dates before log lines have them.

/// Seconds east of Greenwich that the name of a zone means, where it means one alone (tz database, 2024b): `IST` is
/// India's, Ireland's or Israel's.
pub(super) fn offset_of(zone: &str) -> Option<i32> {
    let hours = match zone {
        "UTC" | "GMT" | "Z" | "WET" => 0,
        "CET" | "WEST" => 1,
        "CEST" | "EET" | "SAST" => 2,
        "EEST" => 3,
        "HKT" => 8,
        "JST" | "KST" => 9,
        "AEST" => 10,
        "AEDT" => 11,
        "NZST" => 12,
        "NZDT" => 13,
        "EDT" => -4,
        "MDT" => -6,
        "PDT" => -7,
        _ => return None,
    };
    Some(hours * 3600)
}
