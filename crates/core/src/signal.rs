//! Signals by name and number (signal(7), the numbers of x86 and arm64).

/// In the order of their numbers, from 1.
const SIGNALS: [&str; 31] = [
    "SIGHUP",
    "SIGINT",
    "SIGQUIT",
    "SIGILL",
    "SIGTRAP",
    "SIGABRT",
    "SIGBUS",
    "SIGFPE",
    "SIGKILL",
    "SIGUSR1",
    "SIGSEGV",
    "SIGUSR2",
    "SIGPIPE",
    "SIGALRM",
    "SIGTERM",
    "SIGSTKFLT",
    "SIGCHLD",
    "SIGCONT",
    "SIGSTOP",
    "SIGTSTP",
    "SIGTTIN",
    "SIGTTOU",
    "SIGURG",
    "SIGXCPU",
    "SIGXFSZ",
    "SIGVTALRM",
    "SIGPROF",
    "SIGWINCH",
    "SIGIO",
    "SIGPWR",
    "SIGSYS",
];

/// `SIGKILL` for 9; real-time signals have no name here.
pub(crate) fn known(number: i64) -> Option<&'static str> {
    let place = usize::try_from(number.checked_sub(1)?).ok()?;
    SIGNALS.get(place).copied()
}

/// `SIGKILL` for 9, `signal 37` for what has no name.
pub(crate) fn name(number: i32) -> String {
    known(number.into()).map_or_else(|| format!("signal {number}"), str::to_owned)
}

/// `9`, `KILL`, `SIGKILL` and `sigkill` are 9.
pub(crate) fn number(text: &str) -> Option<i32> {
    let text = text.trim();
    if let Ok(number) = text.parse() {
        return Some(number).filter(|number| (1..=64).contains(number));
    }
    let text = text.to_ascii_uppercase();
    let name = text.strip_prefix("SIG").unwrap_or(&text);
    (1..).zip(SIGNALS).find(|(_, known)| known.strip_prefix("SIG") == Some(name)).map(|(number, _)| number)
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
        assert_eq!((name(15).as_str(), name(37).as_str()), ("SIGTERM", "signal 37"));
        assert_eq!((known(0), known(-1), known(i64::MIN)), (None, None, None));
    }

    #[test]
    fn every_name_leads_back_to_its_number() {
        for (place, name) in (1..).zip(SIGNALS) {
            assert_eq!((number(name), known(i64::from(place))), (Some(place), Some(name)));
        }
        // signal(7) tells these of x86 and arm64 apart from those of MIPS and Alpha.
        assert_eq!(
            [7, 10, 17, 18, 19, 23, 31].map(name),
            ["SIGBUS", "SIGUSR1", "SIGCHLD", "SIGCONT", "SIGSTOP", "SIGURG", "SIGSYS"]
        );
    }
}
