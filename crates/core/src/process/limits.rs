//! `/proc/PID/limits`: what a process may use at most.

/// The soft limit of open files (`RLIMIT_NOFILE`; fs/proc/base.c, `proc_pid_limits`, Linux 6.12); `u64::MAX` where there
/// is none. `None` where the text does not say.
pub fn open_files_limit(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    match line.split_whitespace().next()? {
        "unlimited" => Some(u64::MAX),
        number => number.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_soft_limit_is_the_first_number() {
        let text = "Limit                     Soft Limit           Hard Limit           Units     \n\
                    Max processes             63432                63432                processes \n\
                    Max open files            1024                 1073741816           files     \n";
        assert_eq!(open_files_limit(text), Some(1024));
        assert_eq!(
            open_files_limit("Max open files            unlimited            unlimited  files\n"),
            Some(u64::MAX)
        );
        assert_eq!(open_files_limit("Max open files  many\n"), None);
        assert_eq!(open_files_limit(""), None);
    }
}
