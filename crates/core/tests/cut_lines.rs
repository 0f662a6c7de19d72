//! Kernel lines that a pager, a terminal or an editor cut or wrapped: a part of a value is no value.
#![allow(clippy::unwrap_used, reason = "small evidence is written as it is read")]

use oomph_core::artifact::Artifact;
use oomph_core::diagnosis::{Document, KillReport};
use oomph_core::fact::Level;
use oomph_core::why::{Ask, why};

const PATH: &str = "/kubepods/burstable/pod01234567-89ab-cdef-0123-456789abcdef/fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210";

fn read(text: &str) -> Document {
    why(&[Artifact::new("dmesg.txt", text.to_owned())], Vec::new(), Vec::new(), &Ask::default())
}

fn kill(text: &str) -> KillReport {
    let mut kills = read(text).kernel_kills;
    assert_eq!(kills.len(), 1, "{text}\n{kills:#?}");
    kills.remove(0)
}

/// Every line behind its clock.
fn stamped(lines: &[String]) -> Vec<String> {
    lines.iter().map(|line| format!("[Mon May  4 08:15:29 2026] {line}")).collect()
}

fn old_kernel() -> Vec<String> {
    stamped(&[
        "perl invoked oom-killer: gfp_mask=0x6000c0(GFP_KERNEL), nodemask=(null), order=0, oom_score_adj=969".into(),
        "CPU: 1 PID: 771 Comm: perl Not tainted 4.14.300".into(),
        format!("Task in {PATH} killed as a result of limit of {PATH}"),
        "memory: usage 65536kB, limit 65536kB, failcnt 77".into(),
        "memory+swap: usage 65536kB, limit 9007199254740988kB, failcnt 0".into(),
        "kmem: usage 300kB, limit 9007199254740988kB, failcnt 0".into(),
        format!(
            "Memory cgroup stats for {PATH}: cache:0KB rss:65000KB rss_huge:0KB shmem:0KB mapped_file:0KB dirty:0KB"
        ),
        "[ pid ]   uid  tgid total_vm      rss nr_ptes nr_pmds swapents oom_score_adj name".into(),
        "[  771]    33   771    20000    16200     100       4        0           969 perl".into(),
        "Memory cgroup out of memory: Kill process 771 (perl) score 1960 or sacrifice child".into(),
        "Killed process 771 (perl) total-vm:80000kB, anon-rss:64000kB, file-rss:800kB, shmem-rss:0kB".into(),
    ])
}

fn new_kernel() -> Vec<String> {
    stamped(&[
        "perl invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=969".into(),
        "CPU: 1 PID: 771 Comm: perl Not tainted 6.1.90".into(),
        "memory: usage 65536kB, limit 65536kB, failcnt 77".into(),
        format!("Memory cgroup stats for {PATH}:"),
        "anon 65000000".into(),
        "Tasks state (memory values in pages):".into(),
        "[  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name".into(),
        "[    771]    33   771    20000    16200   204800        0           969 perl".into(),
        "[    780]    33   780    20000      200   204800        0           969 perl".into(),
        format!("oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg={PATH},task_memcg={PATH},task=perl,pid=771,uid=33"),
        "Memory cgroup out of memory: Killed process 771 (perl) total-vm:80000kB, anon-rss:64000kB, file-rss:800kB, shmem-rss:0kB, UID:33 pgtables:200kB oom_score_adj:969".into(),
        format!("Tasks in {PATH} are going to be killed due to memory.oom.group set"),
        "Memory cgroup out of memory: Killed process 780 (perl) total-vm:80000kB, anon-rss:800kB, file-rss:0kB, shmem-rss:0kB, UID:33 pgtables:200kB oom_score_adj:969".into(),
    ])
}

fn cut(lines: &[String], width: usize, mark: &str) -> String {
    let cut = |line: &String| match line.get(..width).filter(|_| line.len() > width) {
        Some(head) => format!("{head}{mark}\n"),
        None => format!("{line}\n"),
    };
    lines.iter().map(cut).collect()
}

fn wrapped(lines: &[String], width: usize) -> String {
    let pieces = |line: &String| -> String {
        let mut text = String::new();
        for (number, letter) in line.chars().enumerate() {
            if number > 0 && number % width == 0 {
                text.push('\n');
            }
            text.push(letter);
        }
        text + "\n"
    };
    lines.iter().map(pieces).collect()
}

/// What is told is right; less may be told.
fn judge(kill: &KillReport, text: &str) {
    let whole = |path: &Option<String>| path.as_deref().is_none_or(|path| path == PATH);
    assert!(whole(&kill.oom_memcg) && whole(&kill.task_memcg), "{:?}\n{text}", kill.oom_memcg);
    assert!(matches!(kill.level, None | Some(Level::Container)), "{:?}\n{text}", kill.level);
    assert!(kill.container_id.as_ref().is_none_or(|id| id.len() == 64), "{:?}\n{text}", kill.container_id);
    for victim in &kill.victims {
        assert!(matches!(victim.pid, Some(771 | 780)), "{:?}\n{text}", victim.pid);
        assert!(matches!(victim.uid, None | Some(33)), "{:?}\n{text}", victim.uid);
        assert!(matches!(victim.oom_score_adj, None | Some(969)), "{:?}\n{text}", victim.oom_score_adj);
    }
}

#[test]
fn what_is_cut_at_any_width_is_unknown_and_not_its_beginning() {
    for lines in [old_kernel(), new_kernel()] {
        for mark in ["", ">"] {
            for width in 80..320 {
                let text = cut(&lines, width, mark);
                let kills = read(&text).kernel_kills;
                // The line of the kill itself is whole enough from the first width on, however much else is lost.
                assert_eq!(kills.len(), 1, "{text}\n{kills:#?}");
                judge(&kills[0], &text);
            }
        }
    }
}

#[test]
fn what_is_wrapped_at_any_width_is_whole_or_unknown() {
    for width in 80..240 {
        for lines in [old_kernel(), new_kernel()] {
            let text = wrapped(&lines, width);
            let kills = read(&text).kernel_kills;
            assert_eq!(kills.len(), 1, "{text}\n{kills:#?}");
            judge(&kills[0], &text);
        }
    }
}

#[test]
fn a_group_is_one_kill_however_its_line_was_cut_or_wrapped() {
    let lines = new_kernel();
    for width in [110, 160, 200] {
        let kill = kill(&cut(&lines, width, ">"));
        assert!(kill.group, "{width}");
        assert_eq!(kill.victims.len(), 2, "{width}");
    }
    let broken = lines.join("\n").replace(" are going", "\nare going");
    assert!(kill(&broken).group);
}

#[test]
fn stats_below_the_path_that_they_are_of_are_not_of_its_name() {
    let broken = old_kernel().join("\n").replace(": cache:0KB", ":\ncache:0KB").replace("Task in", "Task held by");
    let kill = kill(&broken);
    assert_eq!(kill.oom_memcg.as_deref(), Some(PATH));
}

#[test]
fn a_reaped_process_is_the_one_of_the_report_whose_lines_were_cut() {
    let mut lines = new_kernel();
    lines.truncate(11);
    lines.extend(stamped(&["oom_reaper: reaped process 771 (perl), now anon-rss:0kB".into()]));
    let kill = kill(&cut(&lines, 74, ">"));
    assert_eq!(kill.victims.len(), 1);
    assert_eq!(kill.trigger.pid, Some(771));
}

#[test]
fn a_limit_above_the_first_stats_that_are_left_may_have_been_cut_there() {
    let pod = PATH.rsplit_once('/').unwrap().0;
    let lines = old_kernel().join("\n");
    let kill = kill(&lines.replace(&format!("limit of {PATH}"), &format!("limit of {pod}")));
    assert_eq!((kill.level, kill.oom_memcg.as_deref()), (None, None));
}

#[test]
fn a_summary_that_was_cut_is_no_kill_beside_its_own() {
    let summary = format!(
        "oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom,task_memcg={PATH},task=java,pid=4242,uid=0"
    );
    let killed = "Out of memory: Killed process 4242 (java) total-vm:9000kB, anon-rss:8000kB, file-rss:4kB, shmem-rss:0kB, UID:0 pgtables:40kB oom_score_adj:999".to_owned();
    let begun =
        "java invoked oom-killer: gfp_mask=0x140cca(GFP_HIGHUSER_MOVABLE|__GFP_COMP), order=0, oom_score_adj=999"
            .to_owned();
    let middle = format!("{}{}", &summary[..60], &summary[summary.len() - 25..]);
    let dotted = format!("{}...{}", &summary[..60], &summary[summary.len() - 20..]);
    let ends = [35, 60, 90, summary.len() - 12, summary.len() - 5].map(|at| summary[..at].to_owned());
    for cut in ends.into_iter().chain([middle, dotted]) {
        for lines in [
            vec![&cut, &killed],
            vec![&begun, &cut, &killed],
            vec![&begun, &killed, &cut],
            vec![&summary, &cut, &killed],
            vec![&cut, &summary, &killed],
            vec![&begun, &summary, &killed, &cut],
        ] {
            let lines: Vec<String> = lines.into_iter().cloned().collect();
            for text in [stamped(&lines).join("\n"), lines.join("\n")] {
                let kills = read(&text).kernel_kills;
                let victims: Vec<_> = kills.iter().flat_map(|kill| &kill.victims).map(|it| it.pid).collect();
                assert_eq!(victims, [Some(4242)], "{text}\n{kills:#?}");
            }
        }
    }
}

#[test]
fn a_report_in_one_file_and_a_line_of_it_in_another_are_one_kill() {
    let lines = stamped(&[
        format!("oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=x,mems_allowed=0,oom_memcg={PATH},task_memcg={PATH},task=java,pid=4242,uid=0"),
        "Memory cgroup out of memory: Killed process 4242 (java) total-vm:9000kB, anon-rss:8000kB, file-rss:4kB, shmem-rss:0kB, UID:0 pgtables:40kB oom_score_adj:999".into(),
    ]);
    let of = |text: String| Artifact::new("log", text);
    let (whole, chosen, killed) = (of(lines.join("\n")), of(lines[0].clone()), of(lines[1].clone()));
    for (one, other) in [(&whole, &chosen), (&whole, &killed), (&chosen, &killed)] {
        for given in [[one.clone(), other.clone()], [other.clone(), one.clone()]] {
            let told = why(&given, Vec::new(), Vec::new(), &Ask::default());
            assert_eq!(told.kernel_kills.len(), 1, "{:#?}", told.kernel_kills);
            assert_eq!(told.kernel_kills[0].level, Some(Level::Container));
            assert_eq!(told.kernel_kills[0].task_memcg.as_deref(), Some(PATH));
            assert_eq!(told.kernel_kills[0].victims[0].anon_rss_bytes.map(|it| it.0), Some(8000 << 10));
        }
    }
}

#[test]
fn a_log_of_whole_seconds_that_was_printed_newest_first_tells_each_kill_once() {
    let of = |second: u32, pid: u32| {
        [
            "java invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=999".to_owned(),
            "memory: usage 65536kB, limit 65536kB, failcnt 9".into(),
            "[  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name".into(),
            format!("[ {pid:>6}]     0 {pid:>6}     1000      500    40960        0           999 java"),
            format!("oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=x,mems_allowed=0,oom_memcg={PATH},task_memcg={PATH},task=java,pid={pid},uid=0"),
            format!("Memory cgroup out of memory: Killed process {pid} (java) total-vm:9000kB, anon-rss:8000kB, file-rss:4kB, shmem-rss:0kB, UID:0 pgtables:40kB oom_score_adj:999"),
        ]
        .map(|line| format!("Mar  1 10:05:{second:02} n1 kernel: {line}"))
    };
    for seconds in [[7, 7], [7, 8], [7, 59]] {
        let lines: Vec<String> = [of(seconds[0], 4242), of(seconds[1], 4343)].concat();
        let turned: Vec<&str> = lines.iter().rev().map(String::as_str).collect();
        for text in [lines.join("\n"), turned.join("\n")] {
            let kills = read(&text).kernel_kills;
            let told: Vec<_> =
                kills.iter().map(|kill| (kill.victims[0].pid, kill.candidates.len(), kill.limit_bytes)).collect();
            let limit = kills[0].limit_bytes;
            assert_eq!(told, [(Some(4242), 1, limit), (Some(4343), 1, limit)], "{text}");
            assert!(limit.is_some(), "{text}");
        }
    }
}
