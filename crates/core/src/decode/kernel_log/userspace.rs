//! What killers in userspace say about themselves. Their kills are not the kernel's.

use super::amount::{number, place};
use crate::fact::Task;

/// A kill that a program reports.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Kill {
    pub(super) killer: &'static str,
    pub(super) cgroup: Option<String>,
    pub(super) process: Option<Task>,
}

/// Programs that kill, or speak for one that does.
const PROGRAMS: [&str; 6] = ["systemd", "earlyoom", "nohang", "oomd", "kernel", "talos"];

/// Reads a line of any program, whose tag may name it.
pub(super) fn read(program: &str, text: &str) -> Option<Kill> {
    let text = text.trim_ascii();
    if text.starts_with("[talos]") || text.starts_with("Sending SIGKILL to cgroup") {
        return talos(text);
    }
    if !program.is_empty() && !PROGRAMS.iter().any(|name| program.starts_with(name)) {
        return None;
    }
    let by = |name: &str| program.starts_with(name) || (program.is_empty() && text.starts_with(name));
    if by("systemd-oomd") {
        return systemd_oomd(text);
    }
    if !(by("earlyoom") || by("nohang") || colons(text).any(|(before, behind)| is_told(before, behind))) {
        return None;
    }
    if by("earlyoom") || [": oom_score ", ": badness ", ", badness: "].iter().any(|word| place(text, word).is_some()) {
        return named(text, "earlyoom");
    }
    if by("nohang") {
        return named(text, "nohang");
    }
    if let Some(at) = place(text, "oomd kill: ") {
        return oomd(&text[at + "oomd kill: ".len()..]);
    }
    unit(text)
}

/// What stands before each colon that a blank follows, and behind.
fn colons(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let parts = memchr::memchr_iter(b':', text.as_bytes()).map(|at| (&text[..at], &text[at + 1..]));
    parts.filter_map(|(before, behind)| Some((before, behind.strip_prefix(' ')?)))
}

/// Does a killer speak around a colon? Most lines that hold a telling word are told from theirs by this alone.
fn is_told(before: &str, behind: &str) -> bool {
    ["oom_score ", "badness ", "systemd-oomd killed "].iter().any(|word| behind.starts_with(word))
        || before.ends_with(", badness")
        || before.ends_with("oomd kill")
}

/// `Sending SIGKILL to cgroup {"component": ..., "cgroup": "/sys/fs/cgroup/kubepods/..."}`.
fn talos(text: &str) -> Option<Kill> {
    if !text.contains("Sending SIGKILL to cgroup") {
        return None;
    }
    let (_, after) = text.split_once("\"cgroup\":")?;
    let path = after.split('"').nth(1)?;
    let path = path.strip_prefix("/sys/fs/cgroup").unwrap_or(path);
    Some(Kill { killer: "Talos OOM controller", cgroup: Some(path.to_owned()), process: None })
}

/// `Killed /user.slice/... due to memory pressure for ...`, `Killed /a due to memory used (...) ...`; in later words
/// `Marked /a for killing due to ...` (src/oom/oomd-manager.c of systemd).
fn systemd_oomd(text: &str) -> Option<Kill> {
    let killed = || text.split_once("Killed /")?.1.split_once(" due to ");
    let marked = || text.split_once("Marked /")?.1.split_once(" for killing due to ");
    let (path, _) = killed().or_else(marked)?;
    Some(Kill { killer: "systemd-oomd", cgroup: Some(format!("/{path}")), process: None })
}

/// systemd's own word on it: `a.scope: systemd-oomd killed 12 process(es) in this unit.`
fn unit(text: &str) -> Option<Kill> {
    const KILLED: &str = ": systemd-oomd killed ";
    let at = place(text, KILLED)?;
    let (unit, rest) = (text[..at].rsplit(' ').next()?, &text[at + KILLED.len()..]);
    let (count, _) = number(rest)?;
    (count > 0).then(|| Kill { killer: "systemd-oomd", cgroup: Some(unit.to_owned()), process: None })
}

/// `0.00 0.00 0.00 workload.slice/a.service 123 ruleset:[...] detectorgroup:[...] killer:... v2`.
fn oomd(rest: &str) -> Option<Kill> {
    let path = rest.split_whitespace().find(|word| word.parse::<f64>().is_err())?;
    Some(Kill { killer: "oomd", cgroup: Some(format!("/{}", path.trim_start_matches('/'))), process: None })
}

/// `sending SIGTERM to process 7378 uid 1000 "tail": ...`, `Sending SIGKILL to app (1234)`, and what earlyoom wrote
/// before (kill.c): `killing process 27541 "bash" with signal 15: ...`, and with the pid behind the name
/// `Killing process 'bash' with signal 15, pid: 5874`.
fn named(text: &str, killer: &'static str) -> Option<Kill> {
    if let Some((_, rest)) = text.split_once("illing process ").filter(|(_, rest)| rest.contains(" with signal ")) {
        let pid = rest.split_once(", pid: ").map_or(rest, |(_, pid)| pid);
        let (pid, _) = number(pid)?;
        let comm = rest.split(['"', '\'']).nth(1).map(str::to_owned);
        return Some(Kill { killer, cgroup: None, process: Some(Task { pid: u32::try_from(pid).ok(), comm }) });
    }
    let at = ["SIGTERM to ", "SIGKILL to "].iter().find_map(|signal| Some(text.find(signal)? + signal.len()))?;
    let rest = &text[at..];
    let process = if let Some(rest) = rest.strip_prefix("process ") {
        let (pid, after) = number(rest)?;
        let comm = after.split('"').nth(1).map(str::to_owned);
        Task { pid: u32::try_from(pid).ok(), comm }
    } else {
        let (comm, after) = rest.rsplit_once('(')?;
        let (pid, _) = number(after)?;
        Task { pid: u32::try_from(pid).ok(), comm: Some(comm.trim_ascii().to_owned()) }
    };
    Some(Kill { killer, cgroup: None, process: Some(process) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::kernel_log::prefix;

    fn read(text: &str) -> Option<Kill> {
        let line = prefix::line(text);
        super::read(line.program.as_deref().unwrap_or_default(), &line.text)
    }

    #[test]
    fn every_killer_is_read() {
        for (text, killer, cgroup, process) in [
            (
                "user: warning: [2026-01-12T20:27:31.9Z]: [talos] Sending SIGKILL to cgroup {\"component\": \"controller-runtime\", \"controller\": \"runtime.OOMController\", \"cgroup\": \"/sys/fs/cgroup/kubepods/burstable/pod1\"}",
                "Talos OOM controller",
                Some("/kubepods/burstable/pod1"),
                None,
            ),
            (
                "Feb 20 10:59:34 web earlyoom[10231]: sending SIGTERM to process 7378 uid 1000 \"my app\": oom_score 156, VmRSS 4962 MiB",
                "earlyoom",
                None,
                Some((7378, "my app")),
            ),
            (
                "Feb 20 10:59:34 web systemd-oomd[620]: Killed /user.slice/a.scope due to memory pressure for /user.slice being 71.02% > 50.00% for > 20s with reclaim activity",
                "systemd-oomd",
                Some("/user.slice/a.scope"),
                None,
            ),
            (
                "May 26 10:00:01 node1 systemd-oomd[659]: Marked /system.slice/a.scope for killing due to memory pressure for /system.slice being 85.03% > 80.00% for > 2s with reclaim activity",
                "systemd-oomd",
                Some("/system.slice/a.scope"),
                None,
            ),
            (
                "Feb 20 10:59:34 web systemd[1]: a.scope: systemd-oomd killed 12 process(es) in this unit.",
                "systemd-oomd",
                Some("a.scope"),
                None,
            ),
            (
                "[ 7064.752252] n1 systemd[1]: user@1000.service: systemd-oomd killed 3 process(es) in this unit.",
                "systemd-oomd",
                Some("user@1000.service"),
                None,
            ),
            (
                "killing process 27541 \"bash\" with signal 15: badness 550, VmRSS 7609 MiB",
                "earlyoom",
                None,
                Some((27541, "bash")),
            ),
            (
                "Killing process 'bash' with signal 15, pid: 5874, badness: 538, VmRSS: 12 MiB",
                "earlyoom",
                None,
                Some((5874, "bash")),
            ),
            (
                "sending SIGTERM to process 696 uid 1001 \"ipfs\": badness 757, VmRSS 5 MiB",
                "earlyoom",
                None,
                Some((696, "ipfs")),
            ),
            (
                "[ 12.5] oomd kill: 0.00 1.5 2.5 workload.slice/a.service 123 ruleset:[x]",
                "oomd",
                Some("/workload.slice/a.service"),
                None,
            ),
            ("Feb 20 10:59:34 web nohang[12]: Sending SIGTERM to app (1234)", "nohang", None, Some((1234, "app"))),
        ] {
            let kill = read(text).unwrap_or_else(|| panic!("{text}"));
            let process = process.map(|(pid, comm): (u32, &str)| Task { pid: Some(pid), comm: Some(comm.to_owned()) });
            assert_eq!(kill, Kill { killer, cgroup: cgroup.map(str::to_owned), process }, "{text}");
        }
    }

    #[test]
    fn what_only_speaks_of_memory_is_no_kill() {
        for text in [
            "Feb 20 10:59:34 web earlyoom[10231]: mem avail: 21 of 23909 MiB ( 0.09%), swap free: 0 of 0 MiB",
            "Feb 20 10:59:34 web systemd-oomd[620]: Swap is currently not detected",
            "Feb 20 10:59:34 web systemd[1]: a.scope: A process of this unit has been killed by the OOM killer.",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
