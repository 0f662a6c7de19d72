//! What the kernel counts of a cgroup, the same for both versions of the interface.
//!
//! Version 2: Documentation/admin-guide/cgroup-v2.rst; version 1: Documentation/admin-guide/cgroup-v1/memory.rst and
//! mm/memcontrol-v1.c (Linux 6.18). Version 1 prints the sums over the tree as `total_*`; these are used.

use std::collections::HashMap;

use crate::units::Bytes;

/// The version of the cgroup interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Version {
    /// `memory.oom_control`, `memory.usage_in_bytes`.
    V1,
    /// `memory.events`, `memory.current`.
    V2,
}

/// The counters of one cgroup; `None` where the kernel does not tell.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Charge {
    /// `memory.current` or `memory.usage_in_bytes`.
    pub usage: Option<Bytes>,
    /// The most that was charged.
    pub peak: Option<Bytes>,
    /// The limit; `None` also where there is none.
    pub limit: Option<Bytes>,
    /// `memory.high`; `None` also where there is none.
    pub high: Option<Bytes>,
    /// Anonymous memory.
    pub anon: Option<Bytes>,
    /// Page cache, with what tmpfs and shared memory hold.
    pub file: Option<Bytes>,
    /// Of `file`: tmpfs and shared memory.
    pub shmem: Option<Bytes>,
    /// Of `file`: mapped by some process.
    pub file_mapped: Option<Bytes>,
    /// Of `file`: not used lately.
    pub inactive_file: Option<Bytes>,
    /// Kernel memory of all kinds.
    pub kernel: Option<Bytes>,
    /// Of `kernel`: stacks of threads.
    pub kernel_stacks: Option<Bytes>,
    /// Of `kernel`: page tables, also of virtual machines.
    pub page_tables: Option<Bytes>,
    /// Of `kernel`: per-CPU memory.
    pub per_cpu: Option<Bytes>,
    /// Of `kernel`: vmalloc.
    pub vmalloc: Option<Bytes>,
    /// Of `kernel`: slab that can be taken back.
    pub slab_reclaimable: Option<Bytes>,
    /// Of `kernel`: slab that cannot.
    pub slab: Option<Bytes>,
    /// Buffers of TCP and UDP sockets. Version 1 does not charge them.
    pub sockets: Option<Bytes>,
    /// Anonymous memory in huge pages.
    pub anon_huge: Option<Bytes>,
    /// In swap.
    pub swap: Option<Bytes>,
    /// How much more may go to swap by the cgroup's own limit; `None` where nothing bounds it.
    pub swap_left: Option<Bytes>,
    /// Kept compressed by zswap: what it was before.
    pub zswap: Option<Bytes>,
    /// Huge pages of hugetlbfs, all sizes.
    pub hugetlb: Option<Bytes>,
    /// Times that `memory.high` was exceeded.
    pub events_high: Option<u64>,
    /// Times that the limit was met.
    pub events_max: Option<u64>,
    /// Times that the OOM killer was called.
    pub events_oom: Option<u64>,
    /// Processes killed.
    pub events_oom_kill: Option<u64>,
    /// Pages read back soon after they were dropped: thrash.
    pub refaults: Option<u64>,
    /// Percent of the last ten seconds in which some task waited.
    pub pressure_some: Option<f64>,
    /// Percent of the last ten seconds in which all tasks waited.
    pub pressure_full: Option<f64>,
}

impl Charge {
    /// From the cgroup's files: names without a path, and what they hold. What is not there stays `None`.
    pub fn from_files<'a>(version: Version, files: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Self {
        let mut charge = Self::default();
        let mut hugetlb = None;
        let mut memsw = (None, None);
        for (name, bytes) in files {
            let text = String::from_utf8_lossy(bytes);
            let number = || text.trim().parse::<u64>().ok();
            let amount = || number().map(Bytes);
            match name {
                "memory.current" | "memory.usage_in_bytes" => charge.usage = amount(),
                "memory.peak" | "memory.max_usage_in_bytes" => charge.peak = amount(),
                "memory.max" | "memory.limit_in_bytes" => charge.limit = amount().and_then(bounded),
                "memory.high" => charge.high = amount().and_then(bounded),
                "memory.swap.current" => charge.swap = amount(),
                "memory.memsw.usage_in_bytes" => memsw.0 = amount(),
                "memory.swap.max" | "memory.memsw.limit_in_bytes" => memsw.1 = amount().and_then(bounded),
                "memory.kmem.usage_in_bytes" => charge.kernel = amount(),
                "memory.failcnt" => charge.events_max = number(),
                "memory.oom_control" | "memory.events" => charge.events(&text),
                "memory.pressure" => charge.pressure(&text),
                "memory.stat" => charge.stat(version, &text),
                _ if name.starts_with("hugetlb.") && is_usage(name) => {
                    hugetlb = Some(hugetlb.unwrap_or(0) + number().unwrap_or(0));
                }
                _ => {}
            }
        }
        charge.hugetlb = hugetlb.map(Bytes);
        charge.swap_left = match version {
            Version::V2 => memsw.1.zip(charge.swap).map(|(most, used)| less(most, used)),
            // The limit is on memory and swap together.
            Version::V1 => memsw.1.zip(memsw.0).map(|(most, used)| less(most, used)),
        };
        charge
    }

    fn events(&mut self, text: &str) {
        for (key, value) in pairs(text) {
            match key {
                "high" => self.events_high = Some(value),
                "max" => self.events_max = Some(value),
                "oom" => self.events_oom = Some(value),
                "oom_kill" => self.events_oom_kill = Some(value),
                _ => {}
            }
        }
    }

    fn pressure(&mut self, text: &str) {
        for line in text.lines() {
            let mut words = line.split_ascii_whitespace();
            let which = words.next();
            let average = words.next().and_then(|word| word.strip_prefix("avg10=")?.parse().ok());
            match which {
                Some("some") => self.pressure_some = average,
                Some("full") => self.pressure_full = average,
                _ => {}
            }
        }
    }

    fn stat(&mut self, version: Version, text: &str) {
        let stat: HashMap<&str, u64> = pairs(text).collect();
        let of = |key: &str| stat.get(key).copied().map(Bytes);
        let sum = |keys: &[&str]| keys.iter().filter_map(|key| stat.get(key)).copied().reduce(u64::saturating_add);
        match version {
            Version::V2 => {
                self.anon = of("anon");
                self.file = of("file");
                self.shmem = of("shmem");
                self.file_mapped = of("file_mapped");
                self.inactive_file = of("inactive_file");
                self.kernel_stacks = of("kernel_stack");
                self.page_tables = sum(&["pagetables", "sec_pagetables"]).map(Bytes);
                self.per_cpu = of("percpu");
                self.vmalloc = of("vmalloc");
                self.slab_reclaimable = of("slab_reclaimable");
                self.slab = of("slab_unreclaimable");
                // `kernel` exists since Linux 5.18; before, its parts are all that is told.
                let told = ["slab", "kernel_stack", "pagetables", "sec_pagetables", "percpu", "vmalloc"];
                self.kernel = of("kernel").or_else(|| sum(&told).map(Bytes));
                self.sockets = of("sock");
                self.anon_huge = of("anon_thp");
                self.zswap = of("zswapped");
                self.refaults = sum(&["workingset_refault_anon", "workingset_refault_file", "workingset_refault"]);
            }
            Version::V1 => {
                let total = |key: &str| of(&format!("total_{key}")).or_else(|| of(key));
                self.anon = total("rss");
                self.file = total("cache");
                self.shmem = total("shmem");
                self.file_mapped = total("mapped_file");
                self.inactive_file = total("inactive_file");
                self.anon_huge = total("rss_huge");
                self.swap = total("swap");
                self.refaults = sum(&["total_workingset_refault_anon", "total_workingset_refault_file"]);
            }
        }
    }

    /// What the kernel cannot take back: anonymous and shared memory, kernel memory but for reclaimable slab, socket
    /// buffers. `swap_free` is what may still go to swap on this machine; as much of it counts as the cgroup may use.
    pub fn unreclaimable(&self, swap_free: Bytes) -> Option<Bytes> {
        let swappable = self.anon?.0.saturating_add(self.shmem.unwrap_or_default().0);
        let swap = self.swap_left.unwrap_or(swap_free).0.min(swap_free.0);
        let kernel = less(self.kernel.unwrap_or_default(), self.slab_reclaimable.unwrap_or_default());
        let sockets = self.sockets.unwrap_or_default();
        let kept = swappable.saturating_sub(swap).saturating_add(kernel.0).saturating_add(sockets.0);
        // The files are read one after the other: what grows or shrinks in between may count more than is charged.
        Some(Bytes(kept).min(self.usage.unwrap_or(Bytes(kept))))
    }

    /// cAdvisor's working set: usage less the inactive page cache, never below 0
    /// (lib/container/libcontainer/handler.go, cAdvisor 0.53).
    pub fn working_set(&self) -> Option<Bytes> {
        Some(less(self.usage?, self.inactive_file.unwrap_or_default()))
    }
}

/// One amount less another, at least nothing.
pub(super) fn less(one: Bytes, other: Bytes) -> Bytes {
    Bytes(one.0.saturating_sub(other.0))
}

/// `max` is not a number; version 1 prints the largest number of whole pages instead.
fn bounded(limit: Bytes) -> Option<Bytes> {
    (limit.0 < 1 << 62).then_some(limit)
}

/// `hugetlb.2MB.current` and `hugetlb.2MB.usage_in_bytes`; not those of reservations (`rsvd`).
fn is_usage(name: &str) -> bool {
    !name.contains(".rsvd.") && (name.ends_with(".current") || name.ends_with(".usage_in_bytes"))
}

fn pairs(text: &str) -> impl Iterator<Item = (&str, u64)> {
    text.lines().filter_map(|line| {
        let (key, value) = line.split_once(' ')?;
        Some((key, value.trim().parse().ok()?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn version_2_is_read() {
        let files: [(&str, &[u8]); 8] = [
            ("memory.current", b"104857600\n"),
            ("memory.max", b"max\n"),
            ("memory.high", b"209715200\n"),
            ("memory.swap.current", b"1048576\n"),
            ("memory.swap.max", b"3145728\n"),
            ("memory.events", b"low 0\nhigh 3\nmax 4\noom 5\noom_kill 6\n"),
            ("memory.pressure", b"some avg10=1.50 avg60=0 avg300=0 total=1\nfull avg10=0.50 avg60=0 avg300=0 total=1\n"),
            (
                "memory.stat",
                b"anon 20971520\nfile 52428800\nkernel 10485760\nshmem 4194304\nsock 1048576\nslab_reclaimable 2097152\ninactive_file 31457280\n",
            ),
        ];
        let it = Charge::from_files(Version::V2, files);
        assert_eq!((it.usage, it.limit, it.high), (Some(Bytes::mib(100)), None, Some(Bytes::mib(200))));
        assert_eq!((it.events_high, it.events_oom_kill, it.pressure_some), (Some(3), Some(6), Some(1.5)));
        assert_eq!(it.working_set(), Some(Bytes::mib(70)));
        // 20 anon + 4 shmem + 8 kernel + 1 sockets, and 2 of swap are left.
        assert_eq!(it.unreclaimable(Bytes::mib(100)), Some(Bytes::mib(31)));
        assert_eq!(it.unreclaimable(Bytes(0)), Some(Bytes::mib(33)));
    }

    #[test]
    fn version_1_is_read_by_its_totals() {
        let files: [(&str, &[u8]); 4] = [
            ("memory.usage_in_bytes", b"73400320\n"),
            ("memory.limit_in_bytes", b"9223372036854771712\n"),
            ("memory.kmem.usage_in_bytes", b"2097152\n"),
            ("memory.stat", b"cache 1\nrss 2\ntotal_cache 10485760\ntotal_rss 60817408\ntotal_shmem 1048576\ntotal_inactive_file 4194304\n"),
        ];
        let it = Charge::from_files(Version::V1, files);
        assert_eq!((it.limit, it.anon, it.file), (None, Some(Bytes::mib(58)), Some(Bytes::mib(10))));
        assert_eq!((it.unreclaimable(Bytes(0)), it.working_set()), (Some(Bytes::mib(61)), Some(Bytes::mib(66))));
    }

    #[test]
    fn no_more_is_out_of_reach_than_is_charged() {
        let files: [(&str, &[u8]); 2] = [("memory.current", b"4096\n"), ("memory.stat", b"anon 8192\nkernel 4096\n")];
        assert_eq!(Charge::from_files(Version::V2, files).unreclaimable(Bytes(0)), Some(Bytes(4096)));
        assert_eq!(Charge::from_files(Version::V2, files[1..].to_vec()).unreclaimable(Bytes(0)), Some(Bytes(12288)));
    }

    #[test]
    fn kernels_before_5_18_tell_kernel_memory_by_its_parts() {
        let stat: &[u8] = b"anon 0\nslab 4096\nkernel_stack 8192\npagetables 12288\n";
        assert_eq!(Charge::from_files(Version::V2, [("memory.stat", stat)]).kernel, Some(Bytes(24576)));
    }

    proptest! {
        #[test]
        fn no_files_panic(name in "(memory\\.(stat|max|current|events|pressure|oom_control)|hugetlb\\.2MB\\.current)", bytes in prop::collection::vec(any::<u8>(), 0..80), v2: bool) {
            let version = if v2 { Version::V2 } else { Version::V1 };
            let it = Charge::from_files(version, [(name.as_str(), bytes.as_slice())]);
            it.unreclaimable(Bytes(u64::MAX));
        }
    }
}
