//! The kubelet's cAdvisor and resource metrics (`/metrics/cadvisor`, `/metrics/resource`).
//!
//! Names and meanings: `metrics/prometheus.go` of cAdvisor v0.60, `pkg/kubelet/metrics/collectors` of Kubernetes v1.36.

use std::borrow::Cow;
use std::collections::HashMap;

use jiff::Timestamp;

use super::cgroup::of_level;
use super::{Decoded, Input};
use crate::cgroup_path::cgroup_names;
use crate::fact::{Counters, CountersOf, Gap, Locus, Subject, What};
use crate::units::Bytes;

mod exposition;

use exposition::Sample;

/// Decodes an exposition: one reading a cgroup, of those that lost a process or have a limit.
pub(super) fn decode(input: Input<'_>, out: &mut Decoded) {
    let mut read = Read::default();
    for (number, line) in input.bytes.split(|byte| *byte == b'\n').enumerate() {
        let Some(metric) = metric(line) else { continue };
        let Some(sample) = std::str::from_utf8(line).ok().and_then(exposition::sample) else {
            read.broken += 1;
            continue;
        };
        read.sample(metric, &sample, input.first_line + number);
    }
    let found = !read.entries.is_empty();
    let broken = read.broken;
    let before = out.facts.len();
    read.facts(input, out);
    // Ordered by what the file orders by, so that evidence reads as the file does.
    out.facts[before..].sort_by_key(|fact| match fact.from.place {
        crate::fact::Place::Line(line) => line,
        _ => 0,
    });
    let because = match broken {
        0 if found => return,
        0 => "no metric of container memory is in it".to_owned(),
        1 => "one line of a memory metric is not whole".to_owned(),
        count => format!("{count} lines of memory metrics are not whole"),
    };
    out.gaps.push(Gap { what: format!("some counters in {}", input.artifact.name), because, command: String::new() });
}

/// The metrics of weight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Metric {
    OomEvents,
    Usage,
    WorkingSet,
    Limit,
    Failcnt,
    /// A key of `memory.stat`, in version 1's words.
    Stat(&'static str),
}

/// The metric that a line is of; most lines of an exposition are of none here.
fn metric(line: &[u8]) -> Option<Metric> {
    let name = line.strip_prefix(b"container_")?;
    let end = name.iter().position(|byte| matches!(byte, b'{' | b' '))?;
    Some(match &name[..end] {
        b"oom_events_total" => Metric::OomEvents,
        b"memory_usage_bytes" => Metric::Usage,
        b"memory_working_set_bytes" => Metric::WorkingSet,
        b"spec_memory_limit_bytes" => Metric::Limit,
        b"memory_failcnt" => Metric::Failcnt,
        b"memory_rss" => Metric::Stat("rss"),
        b"memory_cache" => Metric::Stat("cache"),
        b"memory_mapped_file" => Metric::Stat("mapped_file"),
        b"memory_swap" => Metric::Stat("swap"),
        _ => return None,
    })
}

/// Names of a container in the labels of a sample; those that are empty are left out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
struct Names {
    /// The cgroup's path.
    id: Option<String>,
    namespace: Option<String>,
    pod: Option<String>,
    container: Option<String>,
    node: Option<String>,
}

impl Names {
    fn of(sample: &Sample<'_>) -> Self {
        let mut names = Self::default();
        for (label, value) in &sample.labels {
            let slot = match *label {
                "id" => &mut names.id,
                "namespace" => &mut names.namespace,
                // Until Kubernetes 1.16 with the suffix.
                "pod" | "pod_name" => &mut names.pod,
                "container" | "container_name" => &mut names.container,
                "node" => &mut names.node,
                _ => continue,
            };
            // Dockershim's sandboxes are called POD.
            let sandbox = value == "POD" && label.starts_with("container");
            if !value.is_empty() && !sandbox {
                slot.get_or_insert_with(|| Cow::clone(value).into_owned());
            }
        }
        names
    }
}

#[derive(Debug, Default)]
struct Entry {
    names: Names,
    oom_kill: Option<u64>,
    usage: Option<u64>,
    working_set: Option<u64>,
    limit: Option<u64>,
    failcnt: Option<u64>,
    stat: Vec<(String, u64)>,
    at: Option<Timestamp>,
    /// Where the OOM events stand, else where the entry begins.
    line: usize,
}

#[derive(Debug, Default)]
struct Read {
    entries: Vec<Entry>,
    /// Entries by cgroup, or by all names where the exposition tells no cgroup.
    by_key: HashMap<Names, usize>,
    broken: usize,
}

impl Read {
    fn sample(&mut self, metric: Metric, sample: &Sample<'_>, line: usize) {
        let names = Names::of(sample);
        let key = match &names.id {
            Some(id) => Names { id: Some(id.clone()), node: names.node.clone(), ..Names::default() },
            None => names.clone(),
        };
        let known = *self.by_key.entry(key).or_insert_with(|| {
            self.entries.push(Entry { line, ..Entry::default() });
            self.entries.len() - 1
        });
        let entry = &mut self.entries[known];
        let Names { id, namespace, pod, container, node } = names;
        entry.names = Names {
            id,
            namespace: entry.names.namespace.take().or(namespace),
            pod: entry.names.pod.take().or(pod),
            container: entry.names.container.take().or(container),
            node,
        };
        entry.at = entry.at.max(sample.at);
        let Some(value) = sample.whole() else { return };
        match metric {
            Metric::OomEvents => {
                entry.oom_kill = Some(value);
                entry.line = line;
            }
            Metric::Usage => entry.usage = Some(value),
            Metric::WorkingSet => entry.working_set = Some(value),
            Metric::Limit => entry.limit = Some(value).filter(|limit| *limit > 0 && *limit < 1 << 62),
            Metric::Failcnt => entry.failcnt = Some(value),
            Metric::Stat(key) => entry.stat.push((key.to_owned(), value)),
        }
    }

    fn facts(self, input: Input<'_>, out: &mut Decoded) {
        let mut pods: HashMap<String, (Option<String>, Option<String>)> = HashMap::new();
        let counters: Vec<_> = self.entries.into_iter().map(|entry| (entry.line, entry.counters(input))).collect();
        // The labels of a container whose pod is gone are empty while those of the pod's cgroup are not.
        for (_, it) in &counters {
            if let (Some(uid), Some(pod)) = (&it.subject.pod_uid, &it.subject.pod) {
                pods.entry(uid.clone()).or_insert_with(|| (it.subject.namespace.clone(), Some(pod.clone())));
            }
        }
        for (line, mut it) in counters {
            if !is_worth_keeping(&it) {
                continue;
            }
            if it.subject.pod.is_none()
                && let Some((namespace, pod)) = it.subject.pod_uid.as_ref().and_then(|uid| pods.get(uid))
            {
                it.subject.namespace.clone_from(namespace);
                it.subject.pod.clone_from(pod);
            }
            out.fact(What::Counters(Box::new(it)), Locus::line(input.id, line));
        }
    }
}

impl Entry {
    fn counters(self, input: Input<'_>) -> Counters {
        let Names { id, namespace, pod, container, node } = self.names;
        let names = id.as_deref().map(cgroup_names);
        let of = match &names {
            _ if container.is_some() => CountersOf::Container,
            Some(names) => of_level(names.level),
            None if pod.is_some() => CountersOf::Pod,
            None => CountersOf::Unknown,
        };
        Counters {
            subject: Subject {
                namespace,
                pod,
                pod_uid: names.as_ref().and_then(|names| names.pod_uid.clone()),
                container,
                container_id: names.and_then(|names| names.container_id),
                restart: None,
                node: input.artifact.about.node.clone().or(node),
            },
            of,
            cgroup: id,
            at: self.at.or(input.artifact.at),
            oom_kill: self.oom_kill,
            max: self.failcnt,
            usage: self.usage.or(self.working_set).map(Bytes),
            limit: self.limit.map(Bytes),
            stat: self.stat,
            ..Counters::default()
        }
    }
}

/// A node has thousands of cgroups: those that lost a process, and those that can at a limit of their own. The resource
/// endpoint knows neither, and has a line a container.
fn is_worth_keeping(it: &Counters) -> bool {
    let bounded = it.limit.is_some() && matches!(it.of, CountersOf::Container | CountersOf::Pod);
    let of_resource_endpoint = it.cgroup.is_none() && it.subject.container.is_some();
    it.oom_kill > Some(0) || bounded || of_resource_endpoint
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::{Artifact, ArtifactId};
    use proptest::prelude::*;

    const UID: &str = "11111111-2222-3333-4444-555555555555";
    const ID: &str = "0a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f9";

    const SAMPLE: &str = concat!(
        "# HELP container_memory_usage_bytes Current\n# TYPE container_memory_usage_bytes gauge\n",
        "container_memory_usage_bytes{container=\"\",id=\"/\",pod=\"\"} 2.5e+10 1795644000000\n",
        "container_memory_usage_bytes{container=\"\",id=\"/kubepods/podU/I\",namespace=\"\",pod=\"\"} 1.048576e+06 1795644000500\n",
        "container_memory_working_set_bytes{container=\"\",id=\"/kubepods/podU/I\",namespace=\"\",pod=\"\"} 4096 1795644000500\n",
        "container_memory_failcnt{container=\"\",id=\"/kubepods/podU/I\",namespace=\"\",pod=\"\"} 7\n",
        "container_memory_rss{container=\"\",id=\"/kubepods/podU/I\",namespace=\"\",pod=\"\"} 2048\n",
        "container_oom_events_total{container=\"\",id=\"/\",pod=\"\"} 0 1795644000000\n",
        "container_oom_events_total{container=\"\",id=\"/kubepods/podU\",namespace=\"shop\",pod=\"web-1\"} 0 1795644000000\n",
        "container_oom_events_total{container=\"\",id=\"/kubepods/podU/I\",namespace=\"\",pod=\"\"} 1 1795644000500\n",
        "container_spec_memory_limit_bytes{container=\"\",id=\"/\",pod=\"\"} 2.5e+10\n",
        "container_spec_memory_limit_bytes{container=\"\",id=\"/kubepods/podU/I\",namespace=\"\",pod=\"\"} 0\n",
        "container_spec_memory_limit_bytes{container=\"a\\\"b\",id=\"/kubepods/podU/J\",namespace=\"shop\",pod=\"web-1\"} 1024\n",
        "container_cpu_load_average_10s{id=\"/\"} NaN\n",
    );

    fn run(bytes: &[u8]) -> Decoded {
        let mut artifact = Artifact::new("cadvisor", bytes);
        artifact.about.node = Some("node-a".to_owned());
        let mut out = Decoded::default();
        decode(Input::whole(ArtifactId(0), &artifact), &mut out);
        out
    }

    fn counters(text: &str) -> Vec<(String, Counters)> {
        let text = text.replace("podU", &format!("pod{UID}")).replace("/I\"", &format!("/{ID}\""));
        let counters = |fact: crate::fact::Fact| match fact.what {
            What::Counters(counters) => (fact.from.locator(), *counters),
            other => panic!("{other:?}"),
        };
        run(text.as_bytes()).facts.into_iter().map(counters).collect()
    }

    #[test]
    fn a_cgroup_is_one_reading_and_its_pod_is_named_by_the_pods_cgroup() {
        let found = counters(SAMPLE);
        assert_eq!(found.len(), 2, "the root has a limit, the machine's, and is no container");
        let (place, it) = &found[0];
        assert_eq!(place, "line 10");
        assert_eq!((it.oom_kill, it.max, it.limit), (Some(1), Some(7), None));
        assert_eq!((it.usage, it.stat.as_slice()), (Some(Bytes::mib(1)), &[("rss".to_owned(), 2048)][..]));
        assert_eq!((it.of, it.at), (CountersOf::Container, "2026-11-25T22:00:00.5Z".parse().ok()));
        let Subject { namespace, pod, pod_uid, container_id, node, .. } = &it.subject;
        let names = [namespace, pod, pod_uid, container_id, node].map(Option::as_deref);
        assert_eq!(names, [Some("shop"), Some("web-1"), Some(UID), Some(ID), Some("node-a")]);
        let (_, bounded) = &found[1];
        assert_eq!((bounded.limit, bounded.subject.container.as_deref()), (Some(Bytes(1024)), Some("a\"b")));
    }

    #[test]
    fn the_resource_endpoint_tells_working_sets_by_name() {
        let text = "container_memory_working_set_bytes{container=\"app\",namespace=\"shop\",pod=\"web-1\"} 204800 1795644000000\n\
                    pod_memory_working_set_bytes{namespace=\"shop\",pod=\"web-1\"} 204800 1795644000000\n\
                    node_memory_working_set_bytes 1e9 1795644000000\n";
        let found = counters(text);
        let (_, it) = &found[0];
        assert_eq!((found.len(), it.usage, it.of), (1, Some(Bytes(204_800)), CountersOf::Container));
        assert_eq!(it.subject.pod.as_deref(), Some("web-1"));
    }

    #[test]
    fn what_is_not_there_or_not_whole_is_a_gap() {
        assert_eq!(run(b"up 1\n").gaps[0].because, "no metric of container memory is in it");
        let out = run(b"container_memory_rss{id=\"/a\"} 1\ncontainer_memory_rss{id=\"/kube");
        assert_eq!(out.gaps[0].because, "one line of a memory metric is not whole");
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            run(&bytes);
        }

        #[test]
        fn no_cut_or_changed_exposition_panics(from in 0_usize..2000, to in 0_usize..2000, at in 0_usize..2000, byte: u8) {
            let mut bytes = SAMPLE.as_bytes().to_vec();
            let at = at % bytes.len();
            bytes[at] = byte;
            let to = to.min(bytes.len());
            run(&bytes[from.min(to)..to]);
        }
    }
}
