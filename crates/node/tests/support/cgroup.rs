//! Cgroups of our own for tests.
#![allow(dead_code, reason = "each test file uses a part of it")]
#![allow(unreachable_pub, reason = "a module that several test crates include")]

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use oomph_node::hierarchy::{self, Hierarchy, Version};
use rustix::process::{Pid, Signal, kill_process};

/// A cgroup that is removed at the end, also of a failed test, with the processes in it.
pub struct Cgroup {
    pub hierarchy: Hierarchy,
    /// Its path below the hierarchy's root.
    pub path: String,
}

impl Cgroup {
    /// `None` where this machine does not let us.
    pub fn new(name: &str) -> Option<Self> {
        let hierarchy = hierarchy::find()?;
        let it = Self { path: format!("/oomph-test-{}-{name}", std::process::id()), hierarchy };
        it.make().ok()?;
        Some(it)
    }

    pub fn child(&self, name: &str) -> Self {
        let it = Self { path: format!("{}/{name}", self.path), hierarchy: self.hierarchy.clone() };
        it.make().unwrap();
        it
    }

    fn make(&self) -> std::io::Result<()> {
        let folder = self.folder();
        if self.hierarchy.version == Version::V2 {
            let above = folder.parent().unwrap();
            fs::write(above.join("cgroup.subtree_control"), "+memory")?;
        }
        fs::create_dir(folder)
    }

    pub fn folder(&self) -> PathBuf {
        self.hierarchy.mount.join(self.path.trim_start_matches('/'))
    }

    pub fn inode(&self) -> u64 {
        use std::os::unix::fs::MetadataExt;
        fs::metadata(self.folder()).unwrap().ino()
    }

    pub fn limit(&self, bytes: u64) {
        let file = match self.hierarchy.version {
            Version::V1 => "memory.limit_in_bytes",
            Version::V2 => "memory.max",
        };
        fs::write(self.folder().join(file), bytes.to_string()).unwrap();
    }

    /// A number of `memory.stat`, by its name in version 1 and in version 2.
    pub fn stat(&self, v1: &str, v2: &str) -> u64 {
        let name = match self.hierarchy.version {
            Version::V1 => v1,
            Version::V2 => v2,
        };
        let stat = fs::read_to_string(self.folder().join("memory.stat")).unwrap();
        let line = stat.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.unwrap().parse().unwrap()
    }

    /// A Python program that runs in the cgroup from its first page on.
    pub fn python(&self, script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", "echo $$ > \"$0\" && exec python3 -c \"$@\""]);
        command.arg(self.folder().join("cgroup.procs")).arg(script);
        command
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        let began = Instant::now();
        while fs::remove_dir(self.folder()).is_err() && began.elapsed() < Duration::from_secs(5) {
            let pids = fs::read_to_string(self.folder().join("cgroup.procs")).unwrap_or_default();
            for pid in pids.lines().filter_map(|pid| Pid::from_raw(pid.parse().ok()?)) {
                // It may be on its way out.
                let _ = kill_process(pid, Signal::KILL);
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}
