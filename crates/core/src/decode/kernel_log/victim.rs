//! The lines that name a process that is being killed.

use super::amount::{is_cut, number, place, size};
use crate::fact::Victim;

/// What follows `Killed process`, in the words of every kernel:
/// ` 123 (app) total-vm:1kB, anon-rss:1kB, file-rss:1kB` (3.x), `, shmem-rss:1kB` (4.5), `, UID:0 pgtables:1kB
/// oom_score_adj:0` (5.4), ` 123 (app), UID 0, total-vm:...` (el7), ` 123, UID 0, (app) total-vm:...` (el6),
/// ` 123 (app) vsz:1kB, ...` (2.6.35).
pub(super) fn killed(after: &str) -> Victim {
    let (pid, rest) = pid(after);
    Victim {
        pid,
        comm: comm(rest),
        total_vm: size(rest, "total-vm:").or_else(|| size(rest, "vsz:")),
        anon_rss: size(rest, "anon-rss:"),
        file_rss: size(rest, "file-rss:"),
        shmem_rss: size(rest, "shmem-rss:"),
        pgtables: size(rest, "pgtables:"),
        uid: uid(rest),
        oom_score_adj: adj(rest),
    }
}

/// A process that a line only names: ` 123 (app) score 5 or sacrifice child`, ` 123 (app), now anon-rss:0kB`.
pub(super) fn named(after: &str) -> Victim {
    let (pid, rest) = pid(after);
    Victim { pid, comm: comm(rest), ..Victim::default() }
}

/// The pid; at the end of a cut line its digits may be the beginning of a longer one.
fn pid(after: &str) -> (Option<u32>, &str) {
    let text = after.trim_ascii_start().trim_start_matches(':').trim_ascii_start();
    match number(text) {
        Some((pid, rest)) if !rest.is_empty() && !is_cut(rest) => (u32::try_from(pid).ok(), rest),
        _ => (None, text),
    }
}

/// The name in parentheses. It may hold parentheses, brackets, slashes and spaces itself, so that it ends at the last
/// parenthesis before what the kernel prints next.
fn comm(rest: &str) -> Option<String> {
    let open = rest.find('(')?;
    let after = &rest[open + 1..];
    let stop = ["total-vm:", ", UID", " vsz:", " score ", ", now ", " sharing same memory", " or a child", ", adj"]
        .iter()
        .filter_map(|next| place(after, next))
        .min()
        .unwrap_or(after.len());
    let close = after[..stop].rfind(')')?;
    Some(after[..close].to_owned())
}

fn uid(rest: &str) -> Option<u32> {
    let at = place(rest, "UID")?;
    let (uid, after) = number(rest[at + 3..].trim_start_matches([':', ' ']))?;
    u32::try_from(uid).ok().filter(|_| !is_cut(after))
}

fn adj(rest: &str) -> Option<i32> {
    let at = place(rest, "oom_score_adj:")?;
    let text = rest[at + "oom_score_adj:".len()..].trim_ascii_start();
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |digits| (true, digits));
    let (value, _) = number(digits).filter(|(_, after)| !is_cut(after))?;
    let value = i32::try_from(value).ok()?;
    Some(if negative { -value } else { value })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Bytes;

    #[test]
    fn the_kill_line_of_every_kernel_is_read() {
        let whole = Victim {
            pid: Some(41),
            comm: Some("app".into()),
            total_vm: Some(Bytes::kib(900)),
            anon_rss: Some(Bytes::kib(80)),
            file_rss: Some(Bytes::kib(7)),
            ..Victim::default()
        };
        let with_shmem = Victim { shmem_rss: Some(Bytes::kib(6)), ..whole.clone() };
        let modern =
            Victim { uid: Some(1000), pgtables: Some(Bytes::kib(44)), oom_score_adj: Some(-997), ..with_shmem.clone() };
        for (text, expected) in [
            (" 41 (app) total-vm:900kB, anon-rss:80kB, file-rss:7kB", &whole),
            (" 41 (app) vsz:900kB, anon-rss:80kB, file-rss:7kB", &whole),
            (" 41 (app) total-vm:900kB, anon-rss:80kB, file-rss:7kB, shmem-rss:6kB", &with_shmem),
            (
                " 41 (app) total-vm:900kB, anon-rss:80kB, file-rss:7kB, shmem-rss:6kB, UID:1000 pgtables:44kB oom_score_adj:-997",
                &modern,
            ),
            (
                " 41, UID 5, (app) total-vm:900kB, anon-rss:80kB, file-rss:7kB",
                &Victim { uid: Some(5), ..whole.clone() },
            ),
            (
                " 41 (app), UID 5, total-vm:900kB, anon-rss:80kB, file-rss:7kB",
                &Victim { uid: Some(5), ..whole.clone() },
            ),
        ] {
            assert_eq!(&killed(text), expected, "{text}");
        }
    }

    #[test]
    fn names_keep_their_brackets() {
        for name in ["tmux: server", "(sd-pam)", "runc:[2:INIT]", "a) b (c", "python batch/ke", ""] {
            let victim = killed(&format!(" 9 ({name}) total-vm:1kB, anon-rss:0kB, file-rss:0kB"));
            assert_eq!(victim.comm.as_deref(), Some(name));
        }
        assert_eq!(named(" 9 (a (b)), now anon-rss:0kB").comm.as_deref(), Some("a (b)"));
    }

    #[test]
    fn what_was_cut_is_unknown() {
        assert_eq!(killed(" 76").pid, None);
        assert_eq!(killed(" 7663 (pro").comm, None);
        let victim = killed(" 9 (a) total-vm:12kB, anon-rss:34kB, file-rss:5");
        assert_eq!((victim.anon_rss, victim.file_rss), (Some(Bytes::kib(34)), None));
        assert_eq!(killed(" 9 (a) total-vm:12kB, UID:10>").uid, None);
        assert_eq!(killed(" 9 (a) total-vm:12kB, UID:0").uid, Some(0));
        assert_eq!(killed(" 9 (a) total-vm:12kB, UID:0 pgtables:4kB oom_score_adj:").oom_score_adj, None);
    }
}
