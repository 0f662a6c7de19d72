//! What the files of one cgroup say.

use crate::artifact::Artifact;
use crate::cgroup_path::{CgroupNames, cgroup_names};
use crate::fact::{Counters, CountersOf, Level, Subject};
use crate::units::Bytes;

/// The lines of one cgroup's files, taken in as they come.
#[derive(Debug, Default)]
pub(super) struct Reading {
    /// `memory.events`: of the cgroup and all below it.
    tree: Events,
    /// `memory.events.local`, or `memory.oom_control`: of the cgroup alone.
    local: Events,
    rest: Counters,
    first_line: Option<usize>,
}

/// `memory.events`.
#[derive(Debug, Default)]
struct Events {
    oom_kill: Option<u64>,
    oom: Option<u64>,
    max: Option<u64>,
    high: Option<u64>,
    oom_group_kill: Option<u64>,
    /// Where `oom_kill` stands.
    line: Option<usize>,
}

impl Events {
    fn slot(&mut self, key: &str) -> Option<&mut Option<u64>> {
        Some(match key {
            "oom_kill" => &mut self.oom_kill,
            "oom" => &mut self.oom,
            "max" => &mut self.max,
            "high" => &mut self.high,
            "oom_group_kill" => &mut self.oom_group_kill,
            _ => return None,
        })
    }
}

impl Reading {
    /// Takes a line in; `file` is its file's name, where known. False when it tells nothing.
    pub(super) fn line(&mut self, file: Option<&str>, content: &str, number: usize) -> bool {
        let mut words = content.split_ascii_whitespace();
        let (Some(first), second) = (words.next(), words.next()) else { return false };
        let told = match second {
            Some(second) if matches!(first, "full" | "some") => self.pressure(first, second),
            Some(second) if words.next().is_none() => self.pair(file, first, second, number),
            None => self.size(file, first),
            Some(_) => false,
        };
        if told {
            self.first_line.get_or_insert(number);
        }
        told
    }

    /// `full avg10=12.34 ...` of `memory.pressure` (Linux 4.20).
    fn pressure(&mut self, first: &str, average: &str) -> bool {
        let Some(average) = average.strip_prefix("avg10=").and_then(|text| text.parse::<f64>().ok()) else {
            return false;
        };
        if first == "full" && average.is_finite() {
            self.rest.pressure_full_avg10 = Some(average);
        }
        true
    }

    fn pair(&mut self, file: Option<&str>, key: &str, value: &str, number: usize) -> bool {
        let Ok(value) = value.parse::<u64>() else { return false };
        match file {
            Some("memory.stat") => self.rest.stat.push((key.to_owned(), value)),
            Some("memory.oom_control") => return self.oom_control(key, value, number),
            Some("memory.events.local") => return event(&mut self.local, key, value, number),
            Some("memory.events") => return event(&mut self.tree, key, value, number),
            Some(_) => return false,
            None if matches!(key, "under_oom" | "oom_kill_disable") => {
                // Its third line is called as one of `memory.events`.
                self.local.oom_kill = self.tree.oom_kill.take();
                self.rest.local = true;
                return self.oom_control(key, value, number);
            }
            None if self.rest.local => return self.oom_control(key, value, number),
            None => return event(&mut self.tree, key, value, number),
        }
        true
    }

    fn oom_control(&mut self, key: &str, value: u64, number: usize) -> bool {
        match key {
            "oom_kill" => return event(&mut self.local, key, value, number),
            "under_oom" => self.rest.under_oom = Some(value != 0),
            "oom_kill_disable" => {}
            _ => return false,
        }
        true
    }

    /// A file of one number. `max`, and the number that version 1 prints for it, are no limit.
    fn size(&mut self, file: Option<&str>, text: &str) -> bool {
        let value = text.parse::<u64>().ok();
        if value.is_none() && text != "max" {
            return false;
        }
        match file {
            Some("memory.usage_in_bytes" | "memory.current") => self.rest.usage = value.map(Bytes),
            Some("memory.limit_in_bytes" | "memory.max") => self.rest.limit = value.and_then(limit),
            Some("memory.failcnt") => self.local.max = value,
            _ => return false,
        }
        true
    }

    /// Where `oom_kill` stands, else where the cgroup's lines begin.
    pub(super) fn first_line(&self) -> usize {
        self.local.line.or(self.tree.line).or(self.first_line).unwrap_or(1)
    }

    /// All of it; `own`: it is the cgroup of which the artifact as a whole is.
    pub(super) fn counters(self, cgroup: Option<String>, own: bool, artifact: &Artifact) -> Counters {
        let Self { tree, mut local, rest, .. } = self;
        let names = cgroup.as_deref().map(cgroup_names);
        let about = if own { artifact.about.clone() } else { of_its_node(&artifact.about) };
        let of = names.as_ref().map_or_else(|| of_subject(&about), |names| of_level(names.level));
        // The cgroups that a container makes for itself are the container's too.
        if of == CountersOf::Container && local.oom_kill == Some(0) && tree.oom_kill > Some(0) {
            local = Events::default();
        }
        Counters {
            subject: named(about, names),
            of,
            cgroup,
            at: artifact.at,
            local: local.oom_kill.is_some(),
            oom_kill: local.oom_kill.or(tree.oom_kill),
            oom: local.oom.or(tree.oom),
            max: local.max.or(tree.max),
            high: local.high.or(tree.high),
            oom_group_kill: local.oom_group_kill.or(tree.oom_group_kill),
            ..rest
        }
    }
}

fn event(events: &mut Events, key: &str, value: u64, number: usize) -> bool {
    if key == "oom_kill" {
        events.line = Some(number);
    }
    match events.slot(key) {
        Some(slot) => *slot = Some(value),
        // `low`, `sock_throttled` and whatever comes: known to be of the file, and of no weight.
        None => return matches!(key, "low" | "sock_throttled"),
    }
    true
}

/// A limit, unless it is what version 1 prints for none: `PAGE_COUNTER_MAX` pages, 2^63 less a page
/// (include/linux/page_counter.h).
fn limit(bytes: u64) -> Option<Bytes> {
    (bytes < 1 << 62).then_some(Bytes(bytes))
}

fn of_its_node(about: &Subject) -> Subject {
    Subject { node: about.node.clone(), ..Subject::default() }
}

fn named(about: Subject, names: Option<CgroupNames>) -> Subject {
    let Some(names) = names else { return about };
    Subject {
        pod_uid: names.pod_uid.or(about.pod_uid),
        container_id: names.container_id.or(about.container_id),
        ..about
    }
}

fn of_subject(about: &Subject) -> CountersOf {
    if about.container.is_some() || about.container_id.is_some() {
        CountersOf::Container
    } else if about.pod.is_some() || about.pod_uid.is_some() {
        CountersOf::Pod
    } else {
        CountersOf::Unknown
    }
}

/// What a cgroup of that level is.
pub(in crate::decode) fn of_level(level: Level) -> CountersOf {
    match level {
        Level::Container | Level::Lxc => CountersOf::Container,
        Level::Pod => CountersOf::Pod,
        Level::NodeAllocatable | Level::Slice | Level::UserUnit => CountersOf::Slice,
        Level::Node => CountersOf::Node,
        Level::EcsTask | Level::Cpuset | Level::Mempolicy | Level::Other => CountersOf::Unknown,
    }
}
