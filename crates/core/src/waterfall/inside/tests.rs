use super::*;
use crate::units::Quantity;
use crate::waterfall::PartKind;
use proptest::prelude::*;

const MARK: &str = "4b5d6625-a88f-4ebb-bf2a-882d1403af25\n";
const OWN: &str = "4:memory:/kubepods/a\n0::/kubepods/a\n";
const MOUNTED: &str = "109 105 0:32 /kubepods/a /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n";
const STAT: &str = "total_cache 8388608\ntotal_rss 4194304\ntotal_shmem 1048576\ntotal_mapped_file 0\n";
const STATUS: &str = "Name:\tsh\nNSpid:\t1\nVmRSS:\t800 kB\nVmPTE:\t40 kB\nThreads:\t1\n";
const JAVA: &str = "Name:\tjava\nNSpid:\t7\nVmRSS:\t90000 kB\nVmPTE:\t200 kB\nThreads:\t30\n";
const COMMAND: &str = "/usr/bin/java\0-Xmx512m\0-Dpassword=hunter2\0-jar\0app.jar\0";

/// What the shell prints where these files are there.
fn printed(files: &[(&str, &str)], others: &[(&str, &str)]) -> String {
    let mut text = format!("{MARK}GOMEMLIMIT=20MiB\nJAVA_TOOL_OPTIONS=-Xss1m -Dtoken=hunter2\n");
    let [_, _, script] = &command(By::Shell)[..] else { panic!("sh -c SCRIPT") };
    for list in script.split("for f in ").skip(1) {
        let (names, rest) = list.split_once(';').unwrap();
        let folder = if rest.contains("$S /proc/$f") { "/proc" } else { "/sys/fs/cgroup" };
        for name in names.split(' ') {
            let path = format!("{folder}/{name}");
            let found = files.iter().find(|(known, _)| *known == path).map_or("", |(_, text)| text);
            text.push_str(&format!("{MARK}{found}"));
        }
    }
    for (status, command) in others {
        text.push_str(&format!("{MARK}{status}{MARK}{command}"));
    }
    text
}

fn version_1() -> Vec<(&'static str, &'static str)> {
    vec![
        ("/sys/fs/cgroup/memory/memory.usage_in_bytes", "14680064\n"),
        ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "25165824\n"),
        ("/sys/fs/cgroup/memory/memory.kmem.usage_in_bytes", "1048576\n"),
        ("/sys/fs/cgroup/memory/memory.stat", STAT),
        ("/proc/self/cgroup", OWN),
        ("/proc/self/mountinfo", MOUNTED),
        ("/proc/1/status", STATUS),
        ("/proc/1/cmdline", "sh\0-c\0exec java\0"),
    ]
}

fn place() -> Place {
    let memory_limit = "24Mi".parse::<Quantity>().unwrap();
    Place {
        resources: Resources { memory_limit: Some(memory_limit), ..Resources::default() },
        outside: from_outside("node-a", "shop", "web-0"),
        ..Place::default()
    }
}

fn sum(it: &Waterfall) -> i128 {
    let parts: u64 = it.parts.iter().map(|part| part.bytes.0).sum();
    i128::from(parts) + i128::from(it.unexplained_bytes)
}

#[test]
fn the_counters_become_parts_and_the_command_line_tells_the_runtime() {
    let it = explain(&place(), By::Shell, printed(&version_1(), &[(JAVA, COMMAND)]).as_bytes()).unwrap();
    assert_eq!((it.cgroup_version, it.source, sum(&it)), (1, Source::Exec, 14 << 20));
    let of = |kind| it.parts.iter().filter(|part| part.kind == kind).map(|part| part.bytes.0).sum::<u64>();
    assert_eq!(of(PartKind::Anonymous), 4 << 20);
    assert_eq!((of(PartKind::PageCache), of(PartKind::Tmpfs)), (7 << 20, 1 << 20));
    assert_eq!((of(PartKind::PageTables), of(PartKind::KernelStacks)), (240 << 10, 31 * (16 << 10)));
    assert_eq!(it.subject.cgroup.as_deref(), Some("/kubepods/a"));
    let java = &it.processes[1];
    assert_eq!((java.pid, java.runtime.name, java.runtime.resolved), (7, Name::Hotspot, false));
    assert_eq!((java.rss_bytes, java.runtime.flags[0].value.as_str()), (Some(Bytes::kib(90000)), "536870912"));
    assert!(it.views.iter().any(|view| view.name == "memory limit" && view.bytes == Bytes::mib(24)));
    assert!(it.gaps.iter().all(|gap| gap.command.contains("node/node-a")), "{:?}", it.gaps);
}

#[test]
fn of_command_lines_and_environments_only_memory_flags_leave() {
    let it = explain(&place(), By::Shell, printed(&version_1(), &[(JAVA, COMMAND)]).as_bytes()).unwrap();
    let text = format!("{it:?}");
    assert!(text.contains("20MiB") && text.contains("-Xss"), "{text}");
    assert!(!text.contains("hunter2"), "{text}");
}

#[test]
fn the_environment_is_narrowed_before_it_leaves_the_container() {
    let [_, _, script] = &command(By::Shell)[..] else { panic!("sh -c SCRIPT") };
    assert!(script.contains("</proc/1/environ|grep -E '^(GOMEMLIMIT|"), "{script}");
    assert!(command(By::Cat).iter().all(|word| !word.contains("environ")));
}

#[test]
fn another_cgroups_files_are_not_taken_for_its_own() {
    let mut files = version_1();
    files.retain(|(path, _)| *path != "/proc/self/mountinfo");
    files.push(("/proc/self/mountinfo", "30 24 0:26 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"));
    let gap = explain(&place(), By::Shell, printed(&files, &[]).as_bytes()).unwrap_err();
    assert!(gap.because.contains("another cgroup"), "{}", gap.because);
}

#[test]
fn version_2_in_a_namespace_of_its_own_is_read() {
    let files = [
        ("/sys/fs/cgroup/memory.current", "1048576\n"),
        ("/sys/fs/cgroup/memory.max", "max\n"),
        ("/sys/fs/cgroup/memory.stat", "anon 524288\nfile 0\nkernel 4096\n"),
        ("/proc/self/cgroup", "0::/\n"),
        ("/proc/self/mountinfo", "30 24 0:26 / /sys/fs/cgroup ro - cgroup2 cgroup rw\n"),
        ("/proc/1/status", STATUS),
    ];
    let shared = Place { shares_processes: true, ..place() };
    let it = explain(&shared, By::Shell, printed(&files, &[]).as_bytes()).unwrap();
    assert_eq!((it.cgroup_version, it.limit_bytes, it.headroom_bytes, sum(&it)), (2, None, None, 1 << 20));
    assert_eq!((it.processes.len(), it.subject.cgroup), (0, None));
    assert!(it.gaps.iter().any(|gap| gap.because.contains("shares a process namespace")));
}

#[test]
fn what_is_no_counter_is_a_gap() {
    for text in ["", "\n", "cat: not found\n", MARK, &printed(&[], &[])] {
        for by in [By::Shell, By::Cat] {
            assert!(explain(&place(), by, text.as_bytes()).is_err(), "{text}");
        }
    }
}

#[test]
fn a_process_that_renamed_itself_is_known_by_the_first_word() {
    assert_eq!(runtime("gunicorn: master [app]"), Name::Cpython);
    assert_eq!(runtime("puma 6.4.2 (tcp://0.0.0.0:3000) [app]"), Name::Ruby);
    assert_eq!(runtime("/usr/local/bin/python3.12"), Name::Cpython);
    assert_eq!((runtime("pythonic"), runtime("/app/server")), (Name::Native, Name::Native));
}

proptest! {
    #[test]
    fn the_parts_and_the_unexplained_add_up_whatever_is_printed(
        usage in 0_u64..1 << 50, rss in 0_u64..1 << 50, cache in 0_u64..1 << 50, kernel in 0_u64..1 << 50,
        cut in 0_usize..4000,
    ) {
        let (usage_text, kernel) = (usage.to_string(), kernel.to_string());
        let stat = format!("total_rss {rss}\ntotal_cache {cache}\n");
        let mut files = version_1();
        files[0].1 = &usage_text;
        files[2].1 = &kernel;
        files[3].1 = &stat;
        let whole = printed(&files, &[(JAVA, COMMAND)]);
        let it = explain(&place(), By::Shell, whole.as_bytes()).unwrap();
        prop_assert_eq!(sum(&it), i128::from(usage));
        let part = &whole.as_bytes()[..cut.min(whole.len())];
        if let Ok(it) = explain(&place(), By::Shell, part) {
            prop_assert_eq!(sum(&it), i128::from(it.charged_bytes.0));
        }
    }
}
