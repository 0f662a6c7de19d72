//! `/proc/PID/status`: what the kernel counts of a process as a whole.

use crate::units::Bytes;

/// The counters of `/proc/PID/status` that matter for memory (proc_pid_status(5)). A line that is missing is `None`:
/// kernel threads and zombies have no `Vm` lines.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Status {
    /// `Name`: the first 15 bytes of the thread leader's name.
    pub name: String,
    /// `State`: `R`, `S`, `D`, `Z`...
    pub state: Option<char>,
    /// `NSpid`: the pid in each pid namespace, the outermost first.
    pub namespace_pids: Vec<u32>,
    /// `PPid`.
    pub parent: Option<u32>,
    /// `Uid`: the effective one.
    pub uid: Option<u32>,
    /// `VmRSS`: approximate since Linux 6.2 (per-CPU counters).
    pub resident: Option<Bytes>,
    /// `RssAnon`.
    pub resident_anon: Option<Bytes>,
    /// `RssFile`.
    pub resident_file: Option<Bytes>,
    /// `RssShmem`.
    pub resident_shmem: Option<Bytes>,
    /// `VmPTE`: page tables, charged to the cgroup as kernel memory.
    pub page_tables: Option<Bytes>,
    /// `VmSwap`.
    pub swapped: Option<Bytes>,
    /// `HugetlbPages`.
    pub hugetlb: Option<Bytes>,
    /// `VmPeak`.
    pub virtual_peak: Option<Bytes>,
    /// `VmHWM`: the most that was resident.
    pub resident_peak: Option<Bytes>,
    /// `Threads`.
    pub threads: Option<u32>,
}

/// Decodes the text. What is not there stays `None`.
pub fn status(text: &str) -> Status {
    let mut status = Status::default();
    for (key, value) in text.lines().filter_map(|line| line.split_once(':')) {
        let value = value.trim();
        let kib = || value.strip_suffix("kB").and_then(|number| number.trim().parse().ok()).map(Bytes::kib);
        match key {
            "Name" => value.clone_into(&mut status.name),
            "State" => status.state = value.chars().next(),
            "NSpid" => status.namespace_pids = value.split_whitespace().filter_map(|pid| pid.parse().ok()).collect(),
            "PPid" => status.parent = value.parse().ok(),
            "Uid" => status.uid = value.split_whitespace().nth(1).and_then(|uid| uid.parse().ok()),
            "VmRSS" => status.resident = kib(),
            "RssAnon" => status.resident_anon = kib(),
            "RssFile" => status.resident_file = kib(),
            "RssShmem" => status.resident_shmem = kib(),
            "VmPTE" => status.page_tables = kib(),
            "VmSwap" => status.swapped = kib(),
            "HugetlbPages" => status.hugetlb = kib(),
            "VmPeak" => status.virtual_peak = kib(),
            "VmHWM" => status.resident_peak = kib(),
            "Threads" => status.threads = value.parse().ok(),
            _ => {}
        }
    }
    status
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_become_amounts() {
        let text = "Name:\tjava\nState:\tS (sleeping)\nPPid:\t7\nUid:\t1000\t1001\t1000\t1000\nNSpid:\t4242\t1\nVmRSS:\t   2048 kB\nVmPTE:\t 12 kB\nThreads:\t31\n";
        let it = status(text);
        assert_eq!((it.name.as_str(), it.state, it.parent, it.uid), ("java", Some('S'), Some(7), Some(1001)));
        assert_eq!((it.resident, it.page_tables, it.threads), (Some(Bytes::mib(2)), Some(Bytes::kib(12)), Some(31)));
        assert_eq!((it.namespace_pids, it.swapped), (vec![4242, 1], None));
    }
}
