//! How tests take down the cgroups that they made. Taken in by its path.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

/// Removes a cgroup and all below it; its last process may still be on its way out.
pub(crate) fn remove(cgroup: &Path) {
    for entry in fs::read_dir(cgroup).into_iter().flatten().flatten() {
        if entry.path().is_dir() {
            remove(&entry.path());
        }
    }
    let began = Instant::now();
    while fs::remove_dir(cgroup).is_err() && began.elapsed() < Duration::from_secs(3) {
        std::thread::sleep(Duration::from_millis(10));
    }
}
