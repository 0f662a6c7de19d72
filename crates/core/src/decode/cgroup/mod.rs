//! A cgroup's own files: `memory.events`, `memory.oom_control`, `memory.stat`, and the sizes beside them.
//!
//! Version 1: mm/memcontrol-v1.c (Linux 6.18). Version 2: Documentation/admin-guide/cgroup-v2.rst (Linux 6.18).

use std::collections::HashMap;

use super::{Decoded, Input};
use crate::fact::{Gap, Locus, What};

mod place;
mod reading;

use place::Place;
use reading::Reading;
pub(super) use reading::of_level;

/// Decodes event counters and sizes.
pub(super) fn memory_events(input: Input<'_>, out: &mut Decoded) {
    decode(input, None, out);
}

/// Decodes `memory.stat`, where nothing says which file a line is of.
pub(super) fn memory_stat(input: Input<'_>, out: &mut Decoded) {
    decode(input, Some("memory.stat"), out);
}

/// Every cgroup's files become one reading, in the order in which the cgroups appear.
fn decode(input: Input<'_>, unnamed: Option<&str>, out: &mut Decoded) {
    let text = String::from_utf8_lossy(input.bytes);
    let base = place::of_artifact(input.artifact);
    let mut here = base.clone();
    let mut readings: Vec<(Option<String>, Reading)> = Vec::new();
    let mut known: HashMap<Option<String>, usize> = HashMap::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        let number = input.first_line + number;
        if let Some(place) = place::header(line).or_else(|| place::prompt(line)) {
            here = place.beside(&base);
            continue;
        }
        let (place, content) = match place::of_line(line) {
            Some((place, content)) => (place.beside(&base), content),
            None => (here.clone(), line),
        };
        let Place { cgroup, file } = place;
        let file = file.as_deref().or(unnamed);
        if let Some(known) = known.get(&cgroup) {
            readings[*known].1.line(file, content, number);
            continue;
        }
        let mut reading = Reading::default();
        if reading.line(file, content, number) {
            known.insert(cgroup.clone(), readings.len());
            readings.push((cgroup, reading));
        }
    }
    if readings.is_empty() {
        out.gaps.push(Gap {
            what: format!("the counters in {}", input.artifact.name),
            because: "no line in it is of a memory cgroup's files".to_owned(),
            command: String::new(),
        });
    }
    for (cgroup, reading) in readings {
        let own = cgroup == base.cgroup;
        let line = reading.first_line();
        let counters = reading.counters(cgroup, own, input.artifact);
        out.fact(What::Counters(Box::new(counters)), Locus::line(input.id, line));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::{Artifact, ArtifactId, Kind};
    use crate::fact::{Counters, CountersOf, Subject};
    use crate::units::Bytes;
    use proptest::prelude::*;

    const UID: &str = "11111111-2222-3333-4444-555555555555";
    const ID: &str = "0a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f9";

    const V1: &str = concat!(
        "==> memory.oom_control <==\noom_kill_disable 0\nunder_oom 1\noom_kill 3\n\n",
        "==> memory.failcnt <==\n42\n\n",
        "==> memory.usage_in_bytes <==\n67108864\n\n",
        "==> memory.limit_in_bytes <==\n67108864\n",
    );

    const V2: &str = concat!(
        "==> memory.events <==\nlow 0\nhigh 4\nmax 20\noom 5\noom_kill 5\noom_group_kill 1\n\n",
        "==> memory.events.local <==\nlow 0\nhigh 0\nmax 10\noom 2\noom_kill 2\noom_group_kill 0\n\n",
        "==> memory.current <==\n1048576\n\n==> memory.max <==\nmax\n\n",
        "==> memory.pressure <==\nsome avg10=20.00 avg60=1.00 avg300=0.10 total=5\nfull avg10=12.34 avg60=1.00 avg300=0.10 total=4\n\n",
        "==> memory.stat <==\nanon 4096\nworkingset_refault_file 17\n",
    );

    fn run(artifact: &Artifact, stat: bool) -> Decoded {
        let mut out = Decoded::default();
        let input = Input::whole(ArtifactId(0), artifact);
        if stat {
            memory_stat(input, &mut out);
        } else {
            memory_events(input, &mut out);
        }
        out
    }

    fn counters(out: Decoded) -> Vec<(String, Counters)> {
        let counters = |fact: crate::fact::Fact| match fact.what {
            What::Counters(counters) => (fact.from.locator(), *counters),
            other => panic!("{other:?}"),
        };
        out.facts.into_iter().map(counters).collect()
    }

    fn of_node(path: &str, bytes: &str) -> Artifact {
        let path = path.replace("UID", UID).replace("ID", ID);
        Artifact {
            kind: Some(Kind::MemoryEvents),
            at: "2026-11-25T22:00:00Z".parse().ok(),
            about: Subject { node: Some("node-a".to_owned()), ..Subject::default() },
            ..Artifact::new(path, bytes)
        }
    }

    #[test]
    fn the_files_of_version_1_are_one_reading() {
        let artifact = of_node("/kubepods/burstable/podUID/ID", V1);
        let (place, it) = counters(run(&artifact, false)).remove(0);
        assert_eq!(place, "line 4");
        assert_eq!((it.oom_kill, it.under_oom, it.max, it.local), (Some(3), Some(true), Some(42), true));
        assert_eq!((it.usage, it.limit, it.at), (Some(Bytes::mib(64)), Some(Bytes::mib(64)), artifact.at));
        assert_eq!((it.subject.pod_uid.as_deref(), it.subject.container_id.as_deref()), (Some(UID), Some(ID)));
        assert_eq!((it.subject.node.as_deref(), it.of), (Some("node-a"), CountersOf::Container));
        assert_eq!(it.cgroup.as_deref(), Some(artifact.name.as_str()));
    }

    #[test]
    fn the_files_of_version_2_are_one_reading_and_local_counters_are_preferred() {
        let (place, it) = counters(run(&of_node("/kubepods.slice/kubepods-podUID.slice", V2), false)).remove(0);
        assert_eq!((place.as_str(), it.of, it.local), ("line 14", CountersOf::Pod, true));
        let counts = [it.oom_kill, it.oom, it.max, it.high, it.oom_group_kill];
        assert_eq!(counts, [Some(2), Some(2), Some(10), Some(0), Some(0)]);
        assert_eq!((it.usage, it.limit, it.pressure_full_avg10), (Some(Bytes::mib(1)), None, Some(12.34)));
        assert_eq!(it.stat, [("anon".to_owned(), 4096), ("workingset_refault_file".to_owned(), 17)]);
    }

    #[test]
    fn what_a_container_loses_in_cgroups_of_its_own_is_its_loss() {
        let text = V2.replace("oom 2\noom_kill 2", "oom 0\noom_kill 0");
        let in_container = counters(run(&of_node("/kubepods/podUID/ID", &text), false)).remove(0).1;
        assert_eq!((in_container.oom_kill, in_container.oom, in_container.local), (Some(5), Some(5), false));
        let in_pod = counters(run(&of_node("/kubepods/podUID", &text), false)).remove(0).1;
        assert_eq!((in_pod.oom_kill, in_pod.local), (Some(0), true));
    }

    #[test]
    fn counters_of_the_whole_tree_are_not_local() {
        let text = "low 0\nhigh 0\nmax 3\noom 1\noom_kill 1\n";
        let (_, it) = counters(run(&Artifact::new("memory.events", text), false)).remove(0);
        assert_eq!((it.oom_kill, it.max, it.local, it.of), (Some(1), Some(3), false, CountersOf::Unknown));
        assert_eq!((it.cgroup, it.subject), (None, Subject::default()));
    }

    #[test]
    fn every_cgroup_in_a_listing_is_a_reading_of_its_own() {
        let (a, b) = (format!("/sys/fs/cgroup/kubepods/pod{UID}/{ID}"), format!("/sys/fs/cgroup/kubepods/pod{UID}"));
        let tail = format!(
            "==> {a}/memory.events <==\noom_kill 1\n\n==> {b}/memory.events <==\noom_kill 2\n\n==> {a}/memory.current <==\n4096\n"
        );
        let grep = format!("{a}/memory.events:oom_kill 1\n{b}/memory.events:oom_kill 2\n{a}/memory.current:4096\n");
        let cat = format!(
            "$ cat {a}/memory.events\noom_kill 1\nroot@n:~# cat {b}/memory.events\noom_kill 2\nroot@n:{a}# cat memory.current\n4096\n"
        );
        for text in [tail, grep, cat] {
            let found = counters(run(&Artifact::new("notes.txt", text.as_str()), false));
            let short: Vec<_> = found.iter().map(|(_, it)| (it.of, it.oom_kill, it.usage)).collect();
            let expected = [(CountersOf::Container, Some(1), Some(Bytes(4096))), (CountersOf::Pod, Some(2), None)];
            assert_eq!(short, expected, "{text}");
            assert_eq!(found[0].1.cgroup.as_deref(), Some(format!("/kubepods/pod{UID}/{ID}").as_str()));
        }
    }

    #[test]
    fn a_v1_path_loses_its_controller_and_no_limit_is_none() {
        let name = format!("/sys/fs/cgroup/memory/docker/{ID}/memory.limit_in_bytes");
        let (_, it) = counters(run(&Artifact::new(name, "9223372036854771712\n"), false)).remove(0);
        assert_eq!((it.limit, it.cgroup), (None, Some(format!("/docker/{ID}"))));
    }

    #[test]
    fn the_top_seen_in_a_container_is_nobody_in_particular() {
        let (_, it) = counters(run(&Artifact::new("/sys/fs/cgroup/memory.events", "oom_kill 1\n"), false)).remove(0);
        assert_eq!((it.of, it.cgroup), (CountersOf::Unknown, None));
        let (_, it) = counters(run(&of_node("/", "==> memory.oom_control <==\noom_kill 1\n"), false)).remove(0);
        assert_eq!((it.of, it.cgroup.as_deref()), (CountersOf::Node, Some("/")));
    }

    #[test]
    fn a_stat_without_a_name_is_read_and_whose_it_is_comes_from_the_source() {
        let about = Subject { container: Some("web".to_owned()), ..Subject::default() };
        let artifact = Artifact { about: about.clone(), ..Artifact::new("pasted", "cache 10\nrss 20\ntotal_rss 30\n") };
        let (_, it) = counters(run(&artifact, true)).remove(0);
        assert_eq!((it.subject, it.of, it.stat.len()), (about, CountersOf::Container, 3));
    }

    #[test]
    fn what_is_no_cgroup_file_is_a_gap() {
        let out = run(&Artifact::new("a", "hello there\n"), false);
        assert_eq!((out.facts.len(), out.gaps.len()), (0, 1));
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), stat: bool) {
            run(&Artifact::new("a", bytes), stat);
        }

        #[test]
        fn no_cut_or_changed_files_panic(second: bool, from in 0_usize..700, to in 0_usize..700, at in 0_usize..700, byte: u8, stat: bool) {
            let mut bytes = if second { V2 } else { V1 }.as_bytes().to_vec();
            let at = at % bytes.len();
            bytes[at] = byte;
            let to = to.min(bytes.len());
            run(&Artifact::new("/kubepods/x", &bytes[from.min(to)..to]), stat);
        }

        #[test]
        fn no_place_panics(text in "(==> |\\$ cat |/sys/fs/cgroup|/memory|/|memory\\.|events|:|é| |<==|# ){0,12}") {
            run(&Artifact::new(text.clone(), text), false);
        }
    }
}
