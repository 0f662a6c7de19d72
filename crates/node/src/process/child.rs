//! A child of ours: whether it became its program, and whom of the two the kernel is to kill first.

use std::fs;

/// Whether a child was killed before it became the program. `spawn` returns when exec was done or the child is gone, and
/// takes the one for the other; a child that is gone and was not waited for still has its name, and exec gives a new one.
pub fn ended_before_exec(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let own = fs::read_to_string("/proc/thread-self/comm").unwrap_or_default();
    let Some((named, rest)) = stat.rsplit_once(')') else { return false };
    let comm = named.split_once('(').map(|(_, comm)| comm);
    let mut fields = rest.split_whitespace();
    let is_zombie = fields.next() == Some("Z");
    let is_exiting =
        fields.nth(5).and_then(|flags| flags.parse::<u32>().ok()).is_some_and(|flags| flags & EXITING != 0);
    comm == Some(own.trim_end_matches('\n')) && (is_zombie || is_exiting)
}

/// The flag of a process that ends (`PF_EXITING`, include/linux/sched.h, v6.18): its files are closed before it is a zombie.
const EXITING: u32 = 0x4;

/// A limit above may be ours as well as the command's, and whoever is to tell of a kill must not be its victim. To be done
/// once the command is started, which would inherit it. False where it is not allowed: it takes `CAP_SYS_RESOURCE`.
pub fn spare_ourselves() -> bool {
    fs::write("/proc/self/oom_score_adj", "-1000").is_ok()
}

/// The same by the other end: the process is killed before us, whose program counts as much as a small limit. Among its
/// own children nothing changes.
pub fn offer_first(pid: u32) {
    let _ = fs::write(format!("/proc/{pid}/oom_score_adj"), "1000");
}
