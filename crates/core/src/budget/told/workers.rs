//! A server of several processes as a manifest starts it: how many workers fit a limit where nobody has measured what each
//! of them has.

use super::super::proposal::COMMAND_LINE;
use super::super::workers::fitting;
use super::super::{FlagProposal, margin_within};
use super::Given;
use crate::units::Bytes;

/// How many workers a server is told to start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workers {
    /// How many; more than one.
    pub count: u64,
    /// What stands before the number: `-w `, `--workers=`; nothing in a variable of its own.
    pub before: String,
    /// The number as it is given, with what stands before it.
    pub flag: Given,
}

impl Workers {
    /// Fewer workers for a limit that does not hold the peak of all of them, or why their number stays.
    ///
    /// How much of the peak each had is not known, nor what they have in common (the process that starts them, what they
    /// loaded before they parted), which fewer workers need as well: it is taken to be as much as one worker has. Divided
    /// among the workers alone, the peak would make room for more of them than there is.
    pub fn flag_for(&self, limit: Bytes, peak: Bytes) -> Result<FlagProposal, String> {
        let number = self.count;
        if peak.0 <= limit.0.saturating_sub(margin_within(limit, Bytes(0)).0) {
            return Err(format!("the limit holds what its {number} workers used at most"));
        }
        let share = Bytes(peak.0.div_ceil(number.saturating_add(1)));
        let fewer = fitting(limit, share, share, Bytes(0));
        if !(1..number).contains(&fewer) {
            return Err(format!("of {number} workers the limit holds none, by even shares of the peak of {peak}"));
        }
        let value = format!("{}{fewer}", self.before);
        let why = format!(
            "assuming that each of {number} workers had an even share of the peak of {peak}, and that what they have in \
             common is as much as one share more: {share} each, of which the limit of {limit} holds {}",
            fewer + 1
        );
        let on_command_line = self.flag.variable.is_none();
        Ok(FlagProposal {
            variable: self.flag.variable.clone().unwrap_or_else(|| COMMAND_LINE.to_owned()),
            replaces: on_command_line.then(|| self.flag.text.clone()),
            within: self.flag.with(&value),
            value,
            why,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::Within;
    use super::*;

    fn workers(count: u64, before: &str, words: &[&str]) -> Workers {
        let within = Within::List("args", words.iter().map(|word| (*word).to_owned()).collect());
        let flag = Given { text: format!("{before}{count}"), variable: None, within: Some(within) };
        Workers { count, before: before.to_owned(), flag }
    }

    fn words(flag: &FlagProposal) -> Vec<String> {
        let Some(Within::List("args", words)) = &flag.within else { return Vec::new() };
        words.clone()
    }

    #[test]
    fn a_limit_below_the_peak_holds_fewer_workers_and_what_they_have_in_common() {
        let it = workers(4, "-w ", &["gunicorn", "-w", "4", "--threads", "4", "app"]);
        // 200 MiB a share: 700 MiB less the margin hold three, of which one is what the workers have in common.
        let flag = it.flag_for(Bytes::mib(700), Bytes::mib(1000)).unwrap();
        assert_eq!(flag.setting(), "-w 2 in the place of -w 4 on the command line");
        assert_eq!(words(&flag), ["gunicorn", "-w", "2", "--threads", "4", "app"]);
        assert_eq!(
            flag.why,
            "assuming that each of 4 workers had an even share of the peak of 0.98 GiB, and that what they have in common \
             is as much as one share more: 200 MiB each, of which the limit of 700 MiB holds 3"
        );
    }

    #[test]
    fn a_limit_that_holds_the_peak_or_not_one_worker_leaves_their_number() {
        let it = workers(4, "--workers=", &["gunicorn", "--workers=4"]);
        assert!(it.flag_for(Bytes::mib(1200), Bytes::mib(1000)).is_err());
        let none = it.flag_for(Bytes::mib(300), Bytes::mib(1000)).unwrap_err();
        assert_eq!(none, "of 4 workers the limit holds none, by even shares of the peak of 0.98 GiB");
    }

    #[test]
    fn never_are_more_workers_proposed_than_there_are() {
        for (limit, peak) in (1..60).flat_map(|limit| (1..60).map(move |peak| (limit * 50, peak * 50))) {
            let Ok(flag) = workers(3, "", &[]).flag_for(Bytes::mib(limit), Bytes::mib(peak)) else { continue };
            assert!(["1", "2"].contains(&flag.value.as_str()) && limit < peak + 300, "{limit} {peak} {flag:?}");
        }
    }

    #[test]
    fn a_number_that_stands_twice_is_not_written() {
        let it = workers(4, "-w ", &["sh", "-c", "gunicorn -w 4 app", "-w", "4"]);
        assert_eq!(it.flag_for(Bytes::mib(700), Bytes::mib(1000)).unwrap().within, None);
    }
}
