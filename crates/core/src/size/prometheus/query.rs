//! What is asked. Each query is reduced to one series a container on the server, so that neither kubelets that are
//! scraped twice nor the sums of pods count, and keeps the peak of each step.

use std::fmt::Write;

use crate::size::STEP;

/// What a query asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Signal {
    /// The working set's peak of each step.
    Used,
    /// Anonymous memory (`anon` of cgroup v2).
    Rss,
    /// Page cache with tmpfs.
    Cache,
    /// The limit of the pod's specification, of containers and init containers.
    Limit,
    /// The request.
    Request,
    /// When the last life ended that the kernel killed.
    Kill,
    /// How many lives have ended, where the last was killed: for servers that do not tell when.
    Life,
    /// A life that was killed and that no other follows, as of a run that is not restarted.
    Death,
    /// The kernel's kills in a container, the main process or a child, counted by the kubelet.
    Event,
    /// The pod's controller.
    Owner,
    /// The Deployment of a ReplicaSet.
    ReplicaSetOwner,
    /// The CronJob of a Job.
    JobOwner,
}

impl Signal {
    /// Everything that a history is made of.
    pub const ALL: [Self; 12] = [
        Self::Used,
        Self::Rss,
        Self::Cache,
        Self::Limit,
        Self::Request,
        Self::Kill,
        Self::Life,
        Self::Death,
        Self::Event,
        Self::Owner,
        Self::ReplicaSetOwner,
        Self::JobOwner,
    ];

    /// What it is, for gaps and progress.
    pub fn what(self) -> &'static str {
        match self {
            Self::Used => "memory usage",
            Self::Rss => "anonymous memory",
            Self::Cache => "page cache",
            Self::Limit => "limits",
            Self::Request => "requests",
            Self::Kill | Self::Life | Self::Death | Self::Event => "kills for memory",
            Self::Owner => "owners of pods",
            Self::ReplicaSetOwner => "owners of ReplicaSets",
            Self::JobOwner => "owners of Jobs",
        }
    }

    /// The step to ask at, seconds: usage and kills at the range's, composition, which changes the class and not the
    /// peak, and specifications by the hour, owners four times a day.
    pub fn step(self, range: &Range) -> i64 {
        match self {
            Self::Used => range.step,
            _ if self.is_sparse() => range.step,
            Self::Rss | Self::Cache | Self::Limit | Self::Request => range.step.max(3600),
            _ => range.step.max(6 * 3600),
        }
    }

    /// It answers for containers that were killed alone.
    pub(super) fn is_sparse(self) -> bool {
        matches!(self, Self::Kill | Self::Life | Self::Death | Self::Event)
    }

    /// The query.
    pub fn query(self, range: &Range) -> String {
        let (s, w) = (range.matchers(), window(self.step(range)));
        let by = "cluster,namespace,pod,container";
        let container = format!(r#"container!="",container!="POD",image!=""{s}"#);
        let memory = format!(r#"resource="memory"{s}"#);
        let spec = |what: &str| {
            format!(
                "max by ({by}) (max_over_time(kube_pod_container_resource_{what}{{{memory}}}[{w}]) or \
                 max_over_time(kube_pod_init_container_resource_{what}{{{memory}}}[{w}]))"
            )
        };
        let owner = |metric: &str, of: &str| {
            let s = s.trim_start_matches(',');
            format!("max by (cluster,namespace,{of},owner_kind,owner_name) (max_over_time({metric}{{{s}}}[{w}]))")
        };
        match self {
            Self::Used => {
                format!("max by ({by}) (max_over_time(container_memory_working_set_bytes{{{container}}}[{w}]))")
            }
            Self::Rss => format!("max by ({by}) (max_over_time(container_memory_rss{{{container}}}[{w}]))"),
            Self::Cache => format!("max by ({by}) (max_over_time(container_memory_cache{{{container}}}[{w}]))"),
            Self::Limit => spec("limits"),
            Self::Request => spec("requests"),
            // kube-state-metrics 2.20, docs/metrics/workload/pod-metrics.md: the reason is a series for as long as it is
            // the last; the time of the end stands beside it.
            Self::Kill => killed(&s, |family, all| {
                format!("max by ({by}) (kube_pod_{family}_status_last_terminated_timestamp{{{all}}})")
            }),
            // A container that waits for its next life has one more behind it than it was restarted.
            Self::Life => killed(&s, |family, all| {
                format!(
                    "max by ({by}) (kube_pod_{family}_status_restarts_total{{{all}}}) + on ({by}) \
                     max by ({by}) (kube_pod_{family}_status_waiting{{{all}}})"
                )
            }),
            Self::Death => {
                let died = |family: &str| {
                    format!(
                        "max by ({by}) (kube_pod_{family}_status_terminated_reason{{reason=\"OOMKilled\"{s}}} == 1)"
                    )
                };
                format!("{} or {}", died("container"), died("init_container"))
            }
            // One series for each life: the kubelet counts by cgroup (cAdvisor 0.49, metrics/prometheus.go).
            Self::Event => {
                format!("max by ({by},id) (max_over_time(container_oom_events_total{{{container}}}[{w}])) > 0")
            }
            Self::Owner => owner("kube_pod_owner", "pod"),
            Self::ReplicaSetOwner => owner("kube_replicaset_owner", "replicaset"),
            Self::JobOwner => owner("kube_job_owner", "job_name"),
        }
    }
}

/// What `of` says of containers, and init containers, whose last life was killed.
fn killed(s: &str, of: impl Fn(&str, &str) -> String) -> String {
    let one = |family: &str| {
        format!(
            "({}) and on (cluster,namespace,pod,container) \
             (kube_pod_{family}_status_last_terminated_reason{{reason=\"OOMKilled\"{s}}} == 1)",
            of(family, s.trim_start_matches(','))
        )
    };
    format!("({}) or ({})", one("container"), one("init_container"))
}

/// What is asked about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Range {
    /// From, seconds of Unix time.
    pub from: i64,
    /// To, seconds of Unix time; a multiple of the step after `from`, or the last step is cut short.
    pub to: i64,
    /// The step of usage, seconds; each point is the peak of the step that ends there.
    pub step: i64,
    /// One namespace; `None`: all.
    pub namespace: Option<String>,
}

impl Range {
    /// The label matchers that narrow a query, each after a comma.
    fn matchers(&self) -> String {
        let mut text = String::new();
        if let Some(namespace) = &self.namespace {
            let _ = write!(text, ",namespace={namespace:?}");
        }
        text
    }

    /// How many series there are at a moment: all, and those that are left of them. The window is what Prometheus looks
    /// back without one; VictoriaMetrics would count what ran at any time of a step.
    pub fn counts(&self) -> [String; 2] {
        let (s, w) = (self.matchers(), window(STEP));
        let raw = format!(
            r#"max_over_time(container_memory_working_set_bytes{{container!="",container!="POD",image!=""{s}}}[{w}])"#
        );
        [format!("count({raw})"), format!("count(max by (cluster,namespace,pod,container) ({raw}))")]
    }

    /// When to count them: eleven moments, the first and the last among them.
    pub fn moments(&self) -> impl Iterator<Item = i64> + use<> {
        let (from, length) = (self.from, (self.to - self.from).max(0));
        (0..=10).map(move |tenth| from + length / 10 * tenth)
    }
}

fn window(seconds: i64) -> String {
    format!("{seconds}s")
}
