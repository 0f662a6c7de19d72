//! Signals by name and number (x86-64 and arm64, `signal(7)`).

const SIGNALS: [(i32, &str); 17] = [
    (1, "HUP"),
    (2, "INT"),
    (3, "QUIT"),
    (4, "ILL"),
    (5, "TRAP"),
    (6, "ABRT"),
    (7, "BUS"),
    (8, "FPE"),
    (9, "KILL"),
    (10, "USR1"),
    (11, "SEGV"),
    (12, "USR2"),
    (13, "PIPE"),
    (14, "ALRM"),
    (15, "TERM"),
    (18, "CONT"),
    (19, "STOP"),
];

/// `9`, `KILL`, `SIGKILL` and `sigkill` are 9.
pub(super) fn number(text: &str) -> Option<i32> {
    let text = text.trim();
    if let Ok(number) = text.parse() {
        return Some(number).filter(|number| (1..=64).contains(number));
    }
    let text = text.to_ascii_uppercase();
    let name = text.strip_prefix("SIG").unwrap_or(&text);
    SIGNALS.iter().find(|(_, known)| *known == name).map(|(number, _)| *number)
}

/// `SIGTERM` for 15; the bare number where it has no name here.
pub(super) fn name(number: i64) -> String {
    SIGNALS
        .iter()
        .find(|(known, _)| i64::from(*known) == number)
        .map_or_else(|| number.to_string(), |(_, name)| format!("SIG{name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_are_known_by_number_and_name() {
        for text in ["9", "KILL", "SIGKILL", "sigkill"] {
            assert_eq!(number(text), Some(9), "{text}");
        }
        assert_eq!((number("0"), number("SIGNONE"), number("")), (None, None, None));
        assert_eq!((name(15).as_str(), name(37).as_str()), ("SIGTERM", "37"));
    }
}
