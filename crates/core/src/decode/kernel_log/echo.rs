//! Is a line the kernel's own, or does another program repeat what the kernel said?

use super::message;
use super::prefix::{self, Line, Voice};

/// Words that stand before a repeated kernel message: of node-problem-detector, the kubelet, event lists, structured
/// logs, and of commands that look for the message.
const REPEATERS: [&str; 20] = [
    "OOMKilling",
    "essage",
    "msg=",
    "msg:",
    "eason",
    "level=",
    "kernel-monitor",
    "kubelet",
    "containerd",
    "dockerd",
    "crio",
    "systemd",
    "node-problem",
    "log_monitor",
    "Warning",
    "grep",
    "awk",
    "\"",
    "{",
    "'",
];

/// How the messages begin that may stand behind a prefix nobody knows.
const BEGINNINGS: [&str; 11] = [
    "Memory cgroup out of memory",
    "Out of memory: Kill",
    "Out of Memory: Kill",
    "Out of memory and no killable",
    "Killed process ",
    "oom-kill:constraint",
    "oom_reaper: reaped process",
    "Task in /",
    "Tasks in /",
    "Memory cgroup stats for",
    "memory: usage ",
];

/// The kernel's message in a line, and its clock where that stands in an unusual place. `None`: it is not the kernel
/// that speaks.
pub(super) fn kernels_own<'a>(line: &'a Line<'_>) -> Option<(Option<f64>, &'a str)> {
    let text: &str = &line.text;
    if line.voice == Voice::Kernel {
        return Some((None, text));
    }
    if let Some((uptime, text)) = prefix::behind_clock(line, text) {
        return Some((Some(uptime), text));
    }
    if line.voice == Voice::Program {
        return None;
    }
    if let Some(at) = text.find(" invoked oom-killer") {
        // A daemon that repeats kernel lines may itself have run into a limit.
        let name = &text[..at];
        let is_name = name.len() <= 15 && !name.contains([' ', '"', '\'', '{', '=', ':']);
        return (is_name || !repeats(name)).then_some((None, text));
    }
    if message::read(text).is_some() {
        return Some((None, text));
    }
    let beginning = BEGINNINGS.iter().filter_map(|beginning| text.find(beginning)).min();
    match beginning {
        Some(at) if repeats(&text[..at]) => None,
        Some(at) => Some((None, &text[at..])),
        None => Some((None, text)),
    }
}

/// Would a search for kills have kept this line of another program?
pub(super) fn speaks_of_kills(text: &str) -> bool {
    ["oom", "OOM", "emory", "ill"].iter().any(|word| text.contains(word))
}

fn repeats(before: &str) -> bool {
    before.len() > 120 || REPEATERS.iter().any(|word| before.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KILL: &str = "Memory cgroup out of memory: Killed process 7 (app) total-vm:9kB";

    #[test]
    fn repeated_messages_are_not_the_kernels() {
        for before in [
            "Oct 12 19:00:20 web node-problem-detector[3240]: I1012 19:00:20.884452 3240 log_monitor.go:160] Message:",
            "Oct 12 19:00:20 web kubelet[3240]: ",
            "Warning  OOMKilling  2m  kernel-monitor, web  ",
            "time=\"2023-10-12T19:00:20Z\" level=info msg=\"",
            "$ dmesg | grep '",
        ] {
            assert_eq!(kernels_own(&prefix::line(&format!("{before}{KILL}"))), None, "{before}");
        }
    }

    #[test]
    fn unusual_prefixes_are_the_kernels() {
        for before in [
            "web-1 says: ",
            "2019-10-06 12:57:33.928398+0200 0x1f0f Default 0x0 737 0 com.vm.hyperkit: [47517.500417] ",
            "serial0 | ",
        ] {
            let text = format!("{before}{KILL}");
            let line = prefix::line(&text);
            assert_eq!(kernels_own(&line).map(|(_, text)| text), Some(KILL), "{before}");
        }
    }
}
