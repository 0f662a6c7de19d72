//! Other lines of the kernel that matter: a segfault, a fork refused, lines lost, a boot.

use super::amount::place;
use super::loss;
use crate::fact::{KernelNoteKind, Task};

/// What such a line says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Note {
    pub(super) kind: KernelNoteKind,
    pub(super) process: Option<Task>,
    pub(super) cgroup: Option<String>,
}

/// Reads a message of the kernel.
pub(super) fn read(text: &str) -> Option<Note> {
    const FORK: &str = "fork rejected by pids controller in ";
    let note = |kind| Note { kind, process: None, cgroup: None };
    if text.starts_with("Linux version ") {
        return Some(note(KernelNoteKind::Boot));
    }
    // A frame of a call trace is one word; each of these has several.
    memchr::memchr(b' ', text.as_bytes())?;
    if let Some(at) = place(text, FORK) {
        let path = &text[at + FORK.len()..];
        return Some(Note { cgroup: super::summary::path(path), ..note(KernelNoteKind::PidsLimit) });
    }
    if ["segfault at ", "general protection"].iter().any(|words| place(text, words).is_some()) {
        let process = process(text.strip_prefix("traps: ").unwrap_or(text))?;
        return Some(Note { process: Some(process), ..note(KernelNoteKind::Segfault) });
    }
    loss::read(text).map(|_| note(KernelNoteKind::Suppressed))
}

/// `app[123]: segfault`, `app[123] general protection`.
fn process(text: &str) -> Option<Task> {
    let (before, _) = text.split_once(']')?;
    let (comm, pid) = before.rsplit_once('[')?;
    Some(Task { pid: Some(pid.parse().ok()?), comm: Some(comm.to_owned()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_name_their_process_or_cgroup() {
        let task = Task { pid: Some(12), comm: Some("my app".into()) };
        for text in [
            "my app[12]: segfault at 0 ip 000055d0 sp 00007ffd error 4 in app[55d0+1000]",
            "traps: my app[12] general protection fault ip:55d0 sp:7ffd error:0 in app[55d0+1000]",
        ] {
            let note = read(text).unwrap();
            assert_eq!((note.kind, note.process.as_ref()), (KernelNoteKind::Segfault, Some(&task)), "{text}");
        }
        let note = read("cgroup: fork rejected by pids controller in /kubepods/pod1/a").unwrap();
        assert_eq!((note.kind, note.cgroup.as_deref()), (KernelNoteKind::PidsLimit, Some("/kubepods/pod1/a")));
    }

    #[test]
    fn only_losses_that_hide_kills_are_noted() {
        let kind = |text| read(text).map(|note| note.kind);
        assert_eq!(kind("oom_kill_process: 70 callbacks suppressed"), Some(KernelNoteKind::Suppressed));
        assert_eq!(kind("** 12 printk messages dropped **"), Some(KernelNoteKind::Suppressed));
        assert_eq!(kind("net_ratelimit: 9 callbacks suppressed"), None);
    }
}
