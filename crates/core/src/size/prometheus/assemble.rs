//! Answers to histories: columns on the grid of usage, kills with the limit that was in force, owners followed to
//! the workload.

use std::collections::{BTreeMap, BTreeSet};

use super::answer::{Answer, Series};
use super::query::Signal;
use crate::fact::Gap;
use crate::size::{History, Kill, MISSING, Subject};
use crate::units::Bytes;

/// Cluster, namespace, pod, container.
type Key = [String; 4];
/// Cluster, namespace, name.
type Object = [String; 3];

#[derive(Debug, Default)]
struct Columns {
    used: BTreeMap<i64, u64>,
    rss: BTreeMap<i64, u64>,
    cache: BTreeMap<i64, u64>,
    limit: BTreeMap<i64, u64>,
    request: BTreeMap<i64, u64>,
    kills: BTreeSet<i64>,
}

/// What was read so far.
#[derive(Debug, Default)]
pub struct Assembly {
    containers: BTreeMap<Key, Columns>,
    pods: BTreeMap<Object, (String, String)>,
    replica_sets: BTreeMap<Object, (String, String)>,
    jobs: BTreeMap<Object, (String, String)>,
    read: BTreeSet<Signal>,
    gaps: BTreeSet<(String, String)>,
    from: i64,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Histories {
    /// One for each container of each pod that had usage.
    pub histories: Vec<History>,
    /// The last request of each, in the same order.
    pub requests: Vec<Option<Bytes>>,
    /// What was not learned.
    pub gaps: Vec<Gap>,
}

impl Assembly {
    /// For a range that begins then, seconds of Unix time: a kill before it, which stays visible until the next, is none
    /// of it.
    pub fn since(from: i64) -> Self {
        Self { from, ..Self::default() }
    }

    /// Takes one answer in, in any order.
    pub fn add(&mut self, signal: Signal, answer: Answer) {
        for because in &answer.because {
            self.gaps.insert((signal.what().into(), because.clone()));
        }
        if !answer.series.is_empty() {
            self.read.insert(signal);
        }
        for series in answer.series {
            self.take(signal, &series);
        }
    }

    /// Notes that a query had no answer.
    pub fn missed(&mut self, signal: Signal, because: String) {
        self.gaps.insert((signal.what().into(), because));
    }

    fn take(&mut self, signal: Signal, series: &Series) {
        let object = |name: &str| ["cluster", "namespace", name].map(|label| series.label(label).to_owned());
        let owner = || (series.label("owner_kind").to_owned(), series.label("owner_name").to_owned());
        match signal {
            Signal::Owner => drop(self.pods.insert(object("pod"), owner())),
            Signal::ReplicaSetOwner => drop(self.replica_sets.insert(object("replicaset"), owner())),
            Signal::JobOwner => drop(self.jobs.insert(object("job_name"), owner())),
            _ => {
                let key = ["cluster", "namespace", "pod", "container"].map(|label| series.label(label).to_owned());
                let columns = self.containers.entry(key).or_default();
                let column = match signal {
                    Signal::Used => &mut columns.used,
                    Signal::Rss => &mut columns.rss,
                    Signal::Cache => &mut columns.cache,
                    Signal::Limit => &mut columns.limit,
                    Signal::Request => &mut columns.request,
                    _ => {
                        let from = self.from;
                        let at = series.points.iter().filter_map(|(_, at)| seconds(*at));
                        columns.kills.extend(at.filter(|at| *at >= from));
                        return;
                    }
                };
                column.extend(series.points.iter().filter_map(|(at, value)| Some((*at, bytes(*value)?))));
            }
        }
    }

    /// The histories.
    pub fn finish(mut self) -> Histories {
        let mut done = Histories::default();
        for signal in Signal::ALL {
            if !self.read.contains(&signal) {
                self.gaps.insert((signal.what().into(), "the server has no such series for this range".into()));
            }
        }
        let clusters: BTreeSet<_> = self.containers.keys().map(|key| &key[0]).collect();
        if clusters.len() > 1 {
            let names: Vec<_> = clusters.into_iter().map(String::as_str).collect();
            let because =
                format!("the server holds several clusters ({}), told apart by pod names only", names.join(", "));
            self.gaps.insert(("cluster".into(), because));
        }
        for (key, columns) in std::mem::take(&mut self.containers) {
            if columns.used.is_empty() {
                continue;
            }
            done.requests.push(columns.request.last_key_value().map(|(_, value)| Bytes(*value)));
            done.histories.push(history(self.subject(&key), &columns));
        }
        done.gaps =
            self.gaps.into_iter().map(|(what, because)| Gap { what, because, command: String::new() }).collect();
        done
    }

    /// The workload behind a pod; a pod without a known owner goes by its own name.
    fn subject(&self, [cluster, namespace, pod, container]: &Key) -> Subject {
        let object = |name: &str| [cluster.clone(), namespace.clone(), name.to_owned()];
        let known = |owner: &&(String, String)| !matches!(owner.0.as_str(), "" | "<none>");
        let owner = self.pods.get(&object(pod)).filter(known);
        let above = owner.and_then(|(kind, name)| match kind.as_str() {
            "ReplicaSet" => self.replica_sets.get(&object(name)).filter(known),
            "Job" => self.jobs.get(&object(name)).filter(known),
            _ => None,
        });
        let (kind, name) = above.or(owner).cloned().unwrap_or_else(|| (String::new(), pod.clone()));
        let (namespace, container, replica) = (namespace.clone(), container.clone(), pod.clone());
        Subject { namespace, kind, name, container, replica }
    }
}

fn history(subject: Subject, columns: &Columns) -> History {
    let at: Vec<i64> = columns.used.keys().copied().collect();
    // A specification holds until the next one; before the first it was the first, for a pod is born with one.
    let in_force = |at: i64| {
        let first = columns.limit.range(at..).next();
        first.or_else(|| columns.limit.last_key_value()).map(|(_, value)| *value)
    };
    let kill = |at: &i64| Kill { at: *at, limit: in_force(*at).map(Bytes) };
    History {
        subject,
        used: columns.used.values().copied().collect(),
        limit: if columns.limit.is_empty() {
            Vec::new()
        } else {
            at.iter().map(|at| in_force(*at).unwrap_or(MISSING)).collect()
        },
        heap: Vec::new(),
        rss: sparse(&columns.rss, &at),
        cache: sparse(&columns.cache, &at),
        kills: columns.kills.iter().map(kill).collect(),
        at,
    }
}

/// A column that is coarser than the grid: present where both have a point.
fn sparse(column: &BTreeMap<i64, u64>, at: &[i64]) -> Vec<u64> {
    if column.is_empty() {
        return Vec::new();
    }
    at.iter().map(|at| column.get(at).copied().unwrap_or(MISSING)).collect()
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "not negative, and the cast saturates")]
fn bytes(value: f64) -> Option<u64> {
    (value.is_finite() && value >= 0.0).then_some((value as u64).min(MISSING - 1))
}

#[allow(clippy::cast_possible_truncation, reason = "the cast saturates, and times are seconds")]
fn seconds(value: f64) -> Option<i64> {
    (value.is_finite() && value > 0.0).then_some(value as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(labels: &[(&str, &str)], points: &[(i64, f64)]) -> Answer {
        let labels = labels.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        Answer { series: vec![Series { labels, points: points.to_vec() }], ..Answer::default() }
    }

    const APP: [(&str, &str); 3] = [("namespace", "shop"), ("pod", "cart-5f-a"), ("container", "app")];

    #[test]
    fn a_pod_is_followed_to_its_deployment_and_a_kill_has_the_limit_of_its_time() {
        let mut assembly = Assembly::since(900);
        assembly.add(Signal::Used, answer(&APP, &[(600, 70.0), (900, 80.0)]));
        assembly.add(Signal::Used, answer(&APP, &[(300, 60.0)]));
        assembly.add(Signal::Limit, answer(&APP, &[(3600, 100.0), (7200, 200.0)]));
        assembly.add(Signal::Rss, answer(&APP, &[(600, 50.0)]));
        assembly.add(Signal::Kill, answer(&APP, &[(300, 899.0), (3600, 950.0), (3900, 950.0), (7200, 4000.0)]));
        let owner =
            [("namespace", "shop"), ("pod", "cart-5f-a"), ("owner_kind", "ReplicaSet"), ("owner_name", "cart-5f")];
        assembly.add(Signal::Owner, answer(&owner, &[(21_600, 1.0)]));
        let above =
            [("namespace", "shop"), ("replicaset", "cart-5f"), ("owner_kind", "Deployment"), ("owner_name", "cart")];
        assembly.add(Signal::ReplicaSetOwner, answer(&above, &[(21_600, 1.0)]));
        let done = assembly.finish();
        let [history] = done.histories.as_slice() else { panic!("{done:?}") };
        assert_eq!((history.subject.kind.as_str(), history.subject.name.as_str()), ("Deployment", "cart"));
        assert_eq!((&history.at[..], &history.used[..]), (&[300, 600, 900][..], &[60, 70, 80][..]));
        assert_eq!(history.rss, [MISSING, 50, MISSING]);
        assert_eq!(history.limit, [100, 100, 100]);
        let kill = |at, limit| Kill { at, limit: Some(Bytes(limit)) };
        assert_eq!(history.kills, [kill(950, 100), kill(4000, 200)]);
    }

    #[test]
    fn without_kube_state_metrics_a_pod_keeps_its_name_and_the_gaps_say_so() {
        let mut assembly = Assembly::default();
        assembly.add(Signal::Used, answer(&APP, &[(300, f64::NAN), (600, -1.0), (900, 5.0)]));
        let done = assembly.finish();
        let history = &done.histories[0];
        assert_eq!((history.subject.kind.as_str(), history.subject.name.as_str()), ("", "cart-5f-a"));
        assert_eq!((&history.used[..], history.limit.len(), history.kills.len()), (&[5][..], 0, 0));
        assert!(done.gaps.iter().any(|gap| gap.what == "owners of pods"));
        assert!(done.gaps.iter().any(|gap| gap.what == "kills for memory"));
    }
}
