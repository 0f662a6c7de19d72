//! Answers to histories: columns on the grid of usage, kills with the limit that was in force, owners followed to
//! the workload.

use std::collections::{BTreeMap, BTreeSet};

use super::answer::{Answer, Series};
use super::kills::{Grid, Told};
use super::query::{Range, Signal};
use crate::fact::Gap;
use crate::size::{History, Kill, MISSING, Subject};
use crate::units::Bytes;

/// Cluster, namespace, pod, container.
type Key = [String; 4];
/// Cluster, namespace, name.
type Object = [String; 3];
/// Kind and name.
type Owner = (String, String);

/// Values by time. They come in slices, in any order.
#[derive(Debug, Default)]
struct Column(Vec<(i64, u64)>);

impl Column {
    fn take(&mut self, points: &[(i64, f64)]) {
        self.0.extend(points.iter().filter_map(|(at, value)| Some((*at, bytes(*value)?))));
    }

    /// By time, the highest of each moment.
    fn order(&mut self) {
        self.0.sort_unstable_by(|a, b| a.0.cmp(&b.0).then(b.1.cmp(&a.1)));
        self.0.dedup_by_key(|point| point.0);
    }

    /// The first value from a moment on, or the last before it: a specification holds until the next one, and before the
    /// first it was the first, for a pod is born with one.
    fn in_force(&self, at: i64) -> Option<u64> {
        let next = self.0.partition_point(|point| point.0 < at);
        self.0.get(next).or(self.0.last()).map(|(_, value)| *value)
    }

    /// On another grid: present where both have a point; empty where it has none at all.
    fn on(&self, grid: &[i64]) -> Vec<u64> {
        if self.0.is_empty() {
            return Vec::new();
        }
        let find = |at: &i64| self.0.binary_search_by_key(at, |point| point.0).ok();
        grid.iter().map(|at| find(at).map_or(MISSING, |index| self.0[index].1)).collect()
    }
}

#[derive(Debug, Default)]
struct Columns {
    used: Column,
    rss: Column,
    cache: Column,
    limit: Column,
    request: Column,
    told: Told,
}

/// What was read so far.
#[derive(Debug, Default)]
pub struct Assembly {
    containers: BTreeMap<Key, Columns>,
    pods: BTreeMap<Object, Owner>,
    replica_sets: BTreeMap<Object, Owner>,
    jobs: BTreeMap<Object, Owner>,
    read: BTreeSet<Signal>,
    gaps: BTreeSet<(String, String)>,
    refused: Option<String>,
    grid: Grid,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Histories {
    /// One for each container of each pod that had usage.
    pub histories: Vec<History>,
    /// What was not learned.
    pub gaps: Vec<Gap>,
    /// Why usage was not told, or not all of it: without one, what is not there is not on the server.
    pub refused: Option<String>,
}

impl Assembly {
    /// For a range: a kill before it, which stays visible until the next, is none of it.
    pub fn of(range: &Range) -> Self {
        Self { grid: Grid { from: range.from, step: range.step }, ..Self::default() }
    }

    /// Takes one answer in, in any order.
    pub fn add(&mut self, signal: Signal, answer: Answer) {
        for because in &answer.because {
            self.note(signal, because.clone());
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
        self.read.insert(signal); // why it is missing is known
        self.note(signal, because);
    }

    fn note(&mut self, signal: Signal, because: String) {
        if signal == Signal::Used {
            self.refused.get_or_insert_with(|| because.clone());
        }
        self.gaps.insert((signal.what().into(), because));
    }

    fn take(&mut self, signal: Signal, series: &Series) {
        let object = |name: &str| ["cluster", "namespace", name].map(|label| series.label(label).to_owned());
        let owner = || (series.label("owner_kind").to_owned(), series.label("owner_name").to_owned());
        match signal {
            Signal::Owner => return drop(self.pods.insert(object("pod"), owner())),
            Signal::ReplicaSetOwner => return drop(self.replica_sets.insert(object("replicaset"), owner())),
            Signal::JobOwner => return drop(self.jobs.insert(object("job_name"), owner())),
            _ => {}
        }
        let key = ["cluster", "namespace", "pod", "container"].map(|label| series.label(label).to_owned());
        let columns = self.containers.entry(key).or_default();
        let (points, told) = (&series.points, &mut columns.told);
        match signal {
            Signal::Used => columns.used.take(points),
            Signal::Rss => columns.rss.take(points),
            Signal::Cache => columns.cache.take(points),
            Signal::Limit => columns.limit.take(points),
            Signal::Request => columns.request.take(points),
            Signal::Kill => points.iter().filter_map(|(_, at)| seconds(*at)).for_each(|at| told.ended(at)),
            Signal::Life => points.iter().for_each(|(seen, lives)| told.lives(bytes(*lives).unwrap_or(0), *seen)),
            Signal::Death => points.iter().for_each(|(seen, _)| told.dead(*seen)),
            Signal::Event => {
                let id = series.label("id");
                for (seen, count) in points {
                    told.counted(id, *seen, bytes(*count).unwrap_or(0));
                }
            }
            Signal::Owner | Signal::ReplicaSetOwner | Signal::JobOwner => {}
        }
    }

    /// The histories.
    pub fn finish(mut self) -> Histories {
        let mut done = Histories { refused: self.refused.take(), ..Histories::default() };
        self.note_absent();
        let clusters: BTreeSet<_> = self.containers.keys().map(|key| &key[0]).collect();
        if clusters.len() > 1 {
            let names: Vec<_> = clusters.into_iter().map(String::as_str).collect();
            let because =
                format!("the server holds several clusters ({}), told apart by pod names only", names.join(", "));
            self.gaps.insert(("cluster".into(), because));
        }
        let mut unseen = 0;
        for (key, mut columns) in std::mem::take(&mut self.containers) {
            if columns.used.0.is_empty() {
                unseen += usize::from(!columns.told.kills(self.grid).is_empty());
                continue;
            }
            for column in
                [&mut columns.used, &mut columns.rss, &mut columns.cache, &mut columns.limit, &mut columns.request]
            {
                column.order();
            }
            let (subject, revision) = self.subject(&key);
            done.histories.push(history(subject, revision, &columns, self.grid));
        }
        if unseen > 0 {
            let because = format!("{unseen} containers were killed that lived too shortly for a sample of their usage");
            self.gaps.insert((Signal::Used.what().into(), because));
        }
        done.gaps =
            self.gaps.into_iter().map(|(what, because)| Gap { what, because, command: String::new() }).collect();
        done
    }

    /// A gap for each thing that the server does not have, where something would be expected.
    fn note_absent(&mut self) {
        let owned_by = |kind: &str| self.pods.values().any(|(of, _)| of == kind);
        let specified = [Signal::Limit, Signal::Request, Signal::Owner].iter().any(|it| self.read.contains(it));
        let mut absent = Vec::new();
        for signal in Signal::ALL {
            let expected = match signal {
                Signal::ReplicaSetOwner => owned_by("ReplicaSet"),
                Signal::JobOwner => owned_by("Job"),
                // Without a kill there is no series.
                Signal::Kill | Signal::Life | Signal::Death | Signal::Event => false,
                _ => true,
            };
            if expected && !self.read.contains(&signal) {
                absent.push((signal.what().to_owned(), "the server has no such series for this range".to_owned()));
            }
        }
        if !specified {
            let because = "the server has no series of kube-state-metrics for this range, which tells of them; what the \
                           kubelets count (container_oom_events_total) they lose with the container";
            absent.push((Signal::Kill.what().into(), because.into()));
        }
        self.gaps.extend(absent);
    }

    /// The workload behind a pod, and the pod's ReplicaSet; a pod without a known owner goes by its own name.
    fn subject(&self, [cluster, namespace, pod, container]: &Key) -> (Subject, String) {
        let object = |name: &str| [cluster.clone(), namespace.clone(), name.to_owned()];
        let known = |owner: &&Owner| !matches!(owner.0.as_str(), "" | "<none>");
        let owner = self.pods.get(&object(pod)).filter(known);
        let above = owner.and_then(|(kind, name)| match kind.as_str() {
            "ReplicaSet" => self.replica_sets.get(&object(name)).filter(known),
            "Job" => self.jobs.get(&object(name)).filter(known),
            _ => None,
        });
        let revision = owner.filter(|(kind, _)| kind == "ReplicaSet").map(|(_, name)| name.clone());
        let pod_itself = || ("Pod".to_owned(), pod.clone());
        // Known to have no owner is a pod of its own; not known is nothing.
        let alone = self.pods.contains_key(&object(pod)).then(pod_itself);
        let (kind, name) = above.or(owner).cloned().or(alone).unwrap_or_else(|| (String::new(), pod.clone()));
        let (namespace, container, replica) = (namespace.clone(), container.clone(), pod.clone());
        (Subject { namespace, kind, name, container, replica }, revision.unwrap_or_default())
    }
}

fn history(subject: Subject, revision: String, columns: &Columns, grid: Grid) -> History {
    let at: Vec<i64> = columns.used.0.iter().map(|(at, _)| *at).collect();
    let in_force = |at: i64| columns.limit.in_force(at);
    let kills = columns.told.kills(grid).into_iter();
    History {
        subject,
        used: columns.used.0.iter().map(|(_, used)| *used).collect(),
        limit: if columns.limit.0.is_empty() {
            Vec::new()
        } else {
            at.iter().map(|at| in_force(*at).unwrap_or(MISSING)).collect()
        },
        heap: Vec::new(),
        rss: columns.rss.on(&at),
        cache: columns.cache.on(&at),
        kills: kills.map(|at| Kill { at, limit: in_force(at).map(Bytes) }).collect(),
        request: columns.request.0.last().map(|(_, request)| Bytes(*request)),
        revision,
        at,
    }
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
        let mut assembly = Assembly::of(&Range { from: 900, to: 7200, step: 300, namespace: None });
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
        assert_eq!((history.revision.as_str(), history.request), ("cart-5f", None));
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
