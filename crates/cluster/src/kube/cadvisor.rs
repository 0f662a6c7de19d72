//! The kubelet's cAdvisor endpoint: what the memory cgroups count. Of its thousands of lines those are kept that speak
//! of memory, and of a pod in trouble, a pod with kills or a cgroup above the pods.

use std::collections::BTreeSet;

use jiff::Timestamp;
use oomph_core::artifact::{Artifact, Captured, Kind, Status};
use oomph_core::fact::Subject;
use tokio::time::Instant;

use super::api::{Api, Refusal};
use super::node::{Kernel, NODE_PROXY, uids_of_pods};
use super::{Missing, refused};

/// Families kept, by the beginning of their names.
const FAMILIES: [&str; 6] = [
    "container_oom_events_total",
    "container_memory_",
    "container_spec_memory_",
    "container_pressure_memory_",
    "container_start_time_seconds",
    "machine_memory_bytes",
];

/// Far too many lines for what they tell: faults by kind and scope.
const LEFT_OUT: [&str; 2] = ["container_memory_failures_total", "container_memory_numa_pages"];

const KILLS: &str = "container_oom_events_total";

/// How the kind of this source is called in the list of sources.
const KIND: &str = "cAdvisor counters";

/// Where the counters of a node are.
pub(super) fn path(node: &str) -> String {
    format!("/api/v1/nodes/{node}/proxy/metrics/cadvisor")
}

/// Reads the counters of a node; `pods` (namespace, name) are those in trouble.
pub(super) async fn capture(api: &Api, node: &str, pods: &BTreeSet<(String, String)>, until: Instant) -> Kernel {
    let path = path(node);
    let name = format!("GET {path}");
    let mut kernel = Kernel::default();
    match api.get(&path, until).await {
        Ok(bytes) => {
            let text = String::from_utf8_lossy(&bytes);
            for (series, _) in kills(&text) {
                uids_of_pods(series.as_bytes(), &mut kernel.named_uids);
            }
            kernel.captured.append(captured(node, &keep(&text, pods, &killed(&text))));
        }
        // A node's log and its counters are one permission, and one gap.
        Err(refusal @ Refusal::Forbidden { .. }) => {
            refused(&mut kernel.captured, &name, &NODE_PROXY, None, &refusal, Missing::Tell);
        }
        Err(refusal) => {
            kernel.captured.not_read(&name, KIND, Status::Absent, refusal.because());
            let command = format!("kubectl get --raw {path}");
            kernel.captured.gap(format!("the cAdvisor counters of node {node}"), refusal.because(), command);
        }
    }
    kernel
}

/// Those of a node's counters that speak of these pods and of what is above pods.
pub(super) fn of_pods(node: &str, text: &str, pods: &BTreeSet<(String, String)>) -> Captured {
    captured(node, &keep(text, pods, &BTreeSet::new()))
}

fn captured(node: &str, text: &str) -> Captured {
    let mut captured = Captured::default();
    let artifact = Artifact {
        kind: Some(Kind::Metrics),
        about: Subject { node: Some(node.to_owned()), ..Subject::default() },
        at: Some(Timestamp::now()),
        ..Artifact::new(format!("GET {}", path(node)), text)
    };
    captured.read(KIND, artifact);
    captured
}

/// The kill counters that have moved: each with its labels, and how far.
pub(super) fn kills(text: &str) -> impl Iterator<Item = (&str, f64)> {
    text.lines().filter(|line| is_kill(line)).filter_map(|line| Some((&line[..=line.rfind('}')?], value(line)?)))
}

/// A kill counter that has moved.
fn is_kill(line: &str) -> bool {
    line.starts_with(KILLS) && value(line).is_some_and(|value| value > 0.0)
}

/// Pods (namespace, name) whose kill counters have moved.
fn killed(text: &str) -> BTreeSet<(&str, &str)> {
    text.lines()
        .filter(|line| is_kill(line))
        .filter_map(|line| Some((label(line, "namespace")?, label(line, "pod")?)))
        .collect()
}

fn keep(text: &str, pods: &BTreeSet<(String, String)>, killed: &BTreeSet<(&str, &str)>) -> String {
    let mut out = String::new();
    for line in text.lines() {
        let name = line.strip_prefix("# HELP ").or_else(|| line.strip_prefix("# TYPE ")).unwrap_or(line);
        let family = FAMILIES.iter().any(|family| name.starts_with(family));
        if !family || LEFT_OUT.iter().any(|family| name.starts_with(family)) {
            continue;
        }
        let about_all = line.starts_with('#') || label(line, "pod").is_none_or(str::is_empty);
        let about = || {
            let (namespace, pod) =
                (label(line, "namespace").unwrap_or_default(), label(line, "pod").unwrap_or_default());
            killed.contains(&(namespace, pod)) || pods.iter().any(|(ns, name)| ns == namespace && name == pod)
        };
        if about_all || about() {
            out.push_str(line);
            out.push('\n');
        }
    }
    out
}

/// The value of a label; names and cgroups hold no character that the format escapes.
fn label<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    let labels = &line[line.find('{')?..];
    let mut rest = labels;
    loop {
        rest = &rest[rest.find(name)? + name.len()..];
        let before = labels.as_bytes()[labels.len() - rest.len() - name.len() - 1];
        if matches!(before, b'{' | b',') && rest.starts_with("=\"") {
            return rest[2..].split('"').next();
        }
    }
}

fn value(line: &str) -> Option<f64> {
    let after = line.rfind('}').map_or(line, |at| &line[at + 1..]);
    after.split_ascii_whitespace().find(|word| !word.starts_with("container_"))?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
# HELP container_oom_events_total Count of out of memory events
# TYPE container_oom_events_total counter
container_oom_events_total{container=\"app\",id=\"/kubepods/pod185d9cef-c3fa-4d6d-ba8c-832eec8ebdfc/a\",namespace=\"shop\",pod=\"quiet\"} 2 17
container_oom_events_total{container=\"app\",id=\"/kubepods/x\",namespace=\"shop\",pod=\"well\"} 0 17
container_memory_rss{container=\"\",id=\"/kubepods\",namespace=\"\",pod=\"\"} 5
container_memory_rss{container=\"app\",namespace=\"shop\",pod=\"quiet\"} 6
container_memory_rss{container=\"app\",namespace=\"shop\",pod=\"well\"} 7
container_memory_rss{container=\"app\",namespace=\"shop\",pod=\"dead\"} 8
container_memory_failures_total{container=\"app\",namespace=\"shop\",pod=\"dead\"} 9
container_cpu_usage_seconds_total{container=\"app\",namespace=\"shop\",pod=\"dead\"} 9
";

    #[test]
    fn lines_are_kept_of_troubled_and_killed_pods_and_of_what_is_above_pods() {
        let pods = [("shop".to_owned(), "dead".to_owned())].into();
        let kept = keep(TEXT, &pods, &killed(TEXT));
        let values: Vec<_> = kept.lines().filter(|line| !line.starts_with('#')).filter_map(value).collect();
        assert_eq!(values, [2.0, 5.0, 6.0, 8.0]);
        assert!(kept.starts_with("# HELP container_oom_events_total"));
    }

    #[test]
    fn a_label_is_not_mistaken_for_the_end_of_another() {
        let line = "m{my_pod=\"x\",pod=\"y\"} 1";
        assert_eq!(label(line, "pod"), Some("y"));
        assert_eq!(label("m 1", "pod"), None);
        assert_eq!(label("m{a=\"pod\"} 1", "pod"), None);
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in "(# HELP |container_oom_events_total|\\{|\\}|pod=\"|\"|,|namespace| |1|.){0,30}") {
            let killed = killed(&text);
            let _ = keep(&text, &BTreeSet::new(), &killed);
        }
    }
}
