//! The line `oom-kill:constraint=...,task_memcg=...,task=...,pid=...,uid=...` that kernels print from 5.0 on.

use super::amount::place;
use crate::fact::Constraint;

/// The fields of the line; what was cut is missing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Summary {
    /// By meaning: a limit's cgroup means memcg, whatever 5.0 and 5.1 print.
    pub(super) constraint: Option<Constraint>,
    pub(super) oom_memcg: Option<String>,
    pub(super) task_memcg: Option<String>,
    pub(super) comm: Option<String>,
    pub(super) pid: Option<u32>,
    pub(super) uid: Option<u32>,
}

/// Reads the line. Values end at the comma before the next key: a name may hold commas itself.
pub(super) fn read(text: &str) -> Option<Summary> {
    let text = text.strip_prefix("oom-kill:")?;
    as_printed(text).or_else(|| key_by_key(text))
}

/// The fields, whatever stands where.
fn key_by_key(text: &str) -> Option<Summary> {
    let printed = value(text, "constraint=").map(|(value, _)| value)?;
    let oom_memcg = path_of(text, &[",oom_memcg=", ",origin_memcg="]);
    let has_limit = place(text, ",oom_memcg=").or_else(|| place(text, ",origin_memcg=")).is_some();
    let constraint = match printed {
        _ if has_limit => Some(Constraint::Memcg),
        "CONSTRAINT_MEMCG" => Some(Constraint::Memcg),
        "CONSTRAINT_CPUSET" => Some(Constraint::Cpuset),
        "CONSTRAINT_MEMORY_POLICY" => Some(Constraint::Mempolicy),
        // 5.0 and 5.1 print NONE for a memory cgroup too; there only `global_oom` tells.
        "CONSTRAINT_NONE" if text.contains(",global_oom") => Some(Constraint::None),
        _ => None,
    };
    let comm = place(text, ",task=").and_then(|at| {
        let after = &text[at + ",task=".len()..];
        after.rfind(",pid=").map(|end| after[..end].to_owned())
    });
    let number = |key: &str, whole_at_end: bool| {
        let at = text.rfind(key)?;
        let (number, after) = super::amount::number(text[at + key.len()..].trim_ascii_start())?;
        let whole = if after.is_empty() { whole_at_end } else { !super::amount::is_cut(after) };
        u32::try_from(number).ok().filter(|_| whole)
    };
    Some(Summary {
        constraint,
        oom_memcg,
        task_memcg: path_of(text, &[",task_memcg=", ",kill_memcg="]),
        comm,
        // A uid follows the pid: without it the pid's digits were cut.
        pid: number(",pid=", false),
        uid: number(",uid=", true),
    })
}

/// The fields of a line about a limit of which every value is where it belongs and holds no comma.
fn as_printed(text: &str) -> Option<Summary> {
    const KEYS: [&str; 9] = [
        "constraint=CONSTRAINT_MEMCG",
        "nodemask=",
        "cpuset=",
        "mems_allowed=",
        "oom_memcg=",
        "task_memcg=",
        "task=",
        "pid=",
        "uid=",
    ];
    let mut ends = memchr::memchr_iter(b',', text.as_bytes()).chain([text.len()]);
    let (mut values, mut start) = ([""; KEYS.len()], 0);
    for (value, key) in values.iter_mut().zip(KEYS) {
        let end = ends.next()?;
        *value = text[start..end].strip_prefix(key)?;
        start = end + 1;
    }
    let [after_constraint, _, _, _, oom_memcg, task_memcg, comm, pid, uid] = values;
    // A number alone: of anything else the closer look decides what it tells.
    let number = |value: &str| value.bytes().all(|byte| byte.is_ascii_digit()).then(|| value.parse().ok())?;
    (after_constraint.is_empty() && ends.next().is_none()).then_some(())?;
    Some(Summary {
        constraint: Some(Constraint::Memcg),
        oom_memcg: path(oom_memcg),
        task_memcg: path(task_memcg),
        comm: Some(comm.to_owned()),
        pid: Some(number(pid)?),
        uid: Some(number(uid)?),
    })
}

/// The value behind `key`, and whether something follows it.
fn value<'a>(text: &'a str, key: &str) -> Option<(&'a str, bool)> {
    let after = &text[place(text, key)? + key.len()..];
    Some(after.split_once(',').map_or((after, false), |(value, _)| (value, true)))
}

/// A path between two keys. At the end of the text it was cut and names nothing.
fn path_of(text: &str, keys: &[&str]) -> Option<String> {
    let (value, whole) = keys.iter().find_map(|key| value(text, key))?;
    path(value).filter(|_| whole)
}

/// A cgroup's path as printed. Blanks within come from wrapping; a path of which the beginning was left out is none.
pub(super) fn path(text: &str) -> Option<String> {
    let text = text.trim_ascii();
    let cut = text.contains('…') || text.ends_with(['>', '\\']) || text.ends_with("...");
    if !text.starts_with('/') || cut {
        return None;
    }
    if text.bytes().fold(true, |all, byte| all & byte.is_ascii_graphic()) {
        return Some(text.to_owned());
    }
    Some(text.split_whitespace().collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_line_as_printed_is_read_as_key_by_key(
            values in proptest::collection::vec("[/a-c, ]{0,5}(>|é)?", 6), pid in "[0-9]{1,11}", uid in " ?[0-9]{1,11}", end in "[,>]?",
        ) {
            let [nodes, cpuset, mems, limit, task, comm] = &values[..] else { panic!("six values") };
            let text = format!(
                "constraint=CONSTRAINT_MEMCG,nodemask={nodes},cpuset={cpuset},mems_allowed={mems},oom_memcg={limit},\
                 task_memcg={task},task={comm},pid={pid},uid={uid}{end}"
            );
            prop_assert!(as_printed(&text).is_none_or(|summary| Some(summary) == key_by_key(&text)), "{text}");
        }
    }

    #[test]
    fn every_constraint_is_read_by_meaning() {
        let constraint = |text: &str| read(text).unwrap().constraint;
        let tail = "task_memcg=/b,task=app,pid=7,uid=0";
        assert_eq!(
            constraint(&format!(
                "oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=/a,{tail}"
            )),
            Some(Constraint::Memcg)
        );
        assert_eq!(
            constraint(&format!(
                "oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom,{tail}"
            )),
            Some(Constraint::None)
        );
        assert_eq!(
            constraint("oom-kill:constraint=CONSTRAINT_CPUSET,nodemask=(null),cpuset=a"),
            Some(Constraint::Cpuset)
        );
        assert_eq!(constraint("oom-kill:constraint=CONSTRAINT_MEMORY_POLICY,nodemask=2"), Some(Constraint::Mempolicy));
    }

    #[test]
    fn names_with_commas_and_cut_values_are_told_apart() {
        let summary =
            read("oom-kill:constraint=CONSTRAINT_MEMCG,oom_memcg=/a,task_memcg=/a/b,task=a,b=c,pid=12,uid=1000")
                .unwrap();
        assert_eq!(summary.comm.as_deref(), Some("a,b=c"));
        assert_eq!((summary.pid, summary.uid), (Some(12), Some(1000)));
        let cut = read("oom-kill:constraint=CONSTRAINT_MEMCG,oom_memcg=/a,task_memcg=/a/b12>").unwrap();
        assert_eq!((cut.oom_memcg.as_deref(), cut.task_memcg), (Some("/a"), None));
        assert_eq!(read("oom-kill:constraint=CONSTRAINT_MEMCG,task=app,pid=12").unwrap().pid, None);
    }

    #[test]
    fn a_path_is_whole_or_nothing() {
        assert_eq!(path(" /docker/0a1b    2c3d "), Some("/docker/0a1b2c3d".into()));
        assert_eq!(path("…/run-1.scope"), None);
        assert_eq!(path("/kubepods/pod1..."), None);
    }
}
