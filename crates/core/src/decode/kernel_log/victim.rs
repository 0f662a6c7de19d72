//! The lines that name a process that is being killed.

use super::amount::{is_cut, number, place, size};
use crate::fact::Victim;
use crate::units::Bytes;

/// What follows `Killed process`, in the words of every kernel:
/// ` 123 (app) total-vm:1kB, anon-rss:1kB, file-rss:1kB` (3.x), `, shmem-rss:1kB` (4.5), `, UID:0 pgtables:1kB
/// oom_score_adj:0` (5.4), ` 123 (app), UID 0, total-vm:...` (el7), ` 123, UID 0, (app) total-vm:...` (el6),
/// ` 123 (app) vsz:1kB, ...` (2.6.35).
pub(super) fn killed(after: &str) -> Victim {
    let (pid, rest) = pid(after);
    Victim { pid, ..as_printed(rest).unwrap_or_else(|| key_by_key(rest)) }
}

/// What follows the pid, whatever stands where.
fn key_by_key(rest: &str) -> Victim {
    Victim {
        pid: None,
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

/// What follows the pid where all of it is as kernels print it from 5.4 on, and the name holds nothing that could be taken
/// for one of the keys.
fn as_printed(rest: &str) -> Option<Victim> {
    let (comm, mut rest) = rest.strip_prefix(" (")?.split_once(')')?;
    let mut value = |key: &str| {
        let (value, after) = number(rest.strip_prefix(key)?)?;
        rest = after;
        Some(value)
    };
    let sizes = [value(" total-vm:")?, value("kB, anon-rss:")?, value("kB, file-rss:")?, value("kB, shmem-rss:")?];
    let uid = value("kB, UID:")?;
    let pgtables = value(" pgtables:")?;
    let adj = rest.strip_prefix("kB oom_score_adj:")?;
    let (negative, digits) = adj.strip_prefix('-').map_or((false, adj), |digits| (true, digits));
    let (adj, rest) = number(digits)?;
    let plain = rest.is_empty() && !comm.contains([' ', ',', ':']) && place(comm, "UID").is_none();
    let [total_vm, anon_rss, file_rss, shmem_rss] = sizes.map(|kib| Some(Bytes::kib(kib)));
    let adj = i32::try_from(adj).ok()?;
    plain.then(|| Victim {
        pid: None,
        comm: Some(comm.to_owned()),
        total_vm,
        anon_rss,
        file_rss,
        shmem_rss,
        pgtables: Some(Bytes::kib(pgtables)),
        uid: u32::try_from(uid).ok(),
        oom_score_adj: Some(if negative { -adj } else { adj }),
    })
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
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_line_as_printed_is_read_as_key_by_key(
            name in "[a-c:, ()]{0,3}(UID)?[a-c)]{0,3}", numbers in proptest::collection::vec("[0-9]{0,11}", 7), sign in "-?",
            end in "[ >0]?",
        ) {
            let [total, anon, file, shmem, uid, tables, adj] = &numbers[..] else { panic!("seven numbers") };
            let rest = format!(
                " ({name}) total-vm:{total}kB, anon-rss:{anon}kB, file-rss:{file}kB, shmem-rss:{shmem}kB, UID:{uid} \
                 pgtables:{tables}kB oom_score_adj:{sign}{adj}{end}"
            );
            prop_assert!(as_printed(&rest).is_none_or(|victim| victim == key_by_key(&rest)), "{rest}");
        }
    }

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
