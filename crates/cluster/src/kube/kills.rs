//! `-w`: kills in containers that live on. No object changes with them; the kubelet's counters do, and are read again and
//! again, for as many nodes as the API server bears.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::{Stream, stream};
use oomph_core::artifact::Captured;
use tokio::time::{Instant, sleep, sleep_until};

use super::api::{Api, Refusal};
use super::cadvisor;
use super::node::uids_of_pods;
use super::pods::Healthy;

/// A round over the nodes takes at least this long. The kubelet's own counters are fresh at every reading.
const ROUND: Duration = Duration::from_secs(5);
/// Between two nodes: an answer is some megabytes, and all of them come through the API server.
const PACE: Duration = Duration::from_millis(500);
/// The first round; by then the pods are listed.
const FIRST: Duration = Duration::from_secs(1);
/// Nodes asked at most, the first by name: a round over them takes 25 s.
pub(super) const MOST: usize = 50;
/// A node that is down shall not hold up the round.
const PATIENCE: Duration = Duration::from_secs(3);

/// Where the pods of the question are to be found, by uid.
#[derive(Debug, Clone, Default)]
pub(super) struct Living(Arc<Mutex<HashMap<String, Healthy>>>);

impl Living {
    pub(super) fn lock(&self) -> MutexGuard<'_, HashMap<String, Healthy>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The nodes on which they run.
    fn nodes(&self) -> BTreeSet<String> {
        let mut nodes = BTreeSet::new();
        for node in self.lock().values().filter_map(|pod| pod.node.as_deref()).filter(|node| !node.is_empty()) {
            if !nodes.contains(node) {
                nodes.insert(node.to_owned());
            }
        }
        nodes
    }
}

/// What reading the counters brought.
#[derive(Debug)]
pub(super) enum Counted {
    /// Those of these pods rose.
    Rose(Rise),
    /// So many nodes there are, of which only [`MOST`] are read.
    TooMany(usize),
}

/// Counters that rose.
#[derive(Debug)]
pub(super) struct Rise {
    pub(super) node: String,
    /// Whose, by uid.
    pub(super) pods: HashMap<String, Healthy>,
    /// All that the node counts of them.
    pub(super) counters: Captured,
}

/// The kill counters of the nodes on which the pods run.
pub(super) struct Counters {
    api: Api,
    living: Living,
    /// How many nodes there are, also those beyond the bound.
    nodes: usize,
    /// The nodes of this round that are still to be asked.
    to_ask: Vec<String>,
    next_round: Instant,
    /// The counters that had moved when the node was last read. Of a node that was not, all count as old.
    known: HashMap<String, HashMap<String, f64>>,
    bound_told: bool,
}

impl Counters {
    pub(super) fn of(api: Api, living: Living) -> Self {
        let next_round = Instant::now() + FIRST;
        Self { api, living, nodes: 0, to_ask: Vec::new(), next_round, known: HashMap::new(), bound_told: false }
    }

    pub(super) fn stream(self) -> impl Stream<Item = Counted> + Send {
        stream::unfold(self, |mut counters| async move { counters.next().await.map(|counted| (counted, counters)) })
    }

    /// `None`: they may not be read, as the first look has told.
    async fn next(&mut self) -> Option<Counted> {
        loop {
            let Some(node) = self.to_ask.pop() else {
                sleep_until(self.next_round).await;
                self.next_round = Instant::now() + ROUND;
                self.begin_round();
                continue;
            };
            sleep(PACE).await;
            match self.api.get(&cadvisor::path(&node), Instant::now() + PATIENCE).await {
                Ok(bytes) => {
                    if let Some(rise) = self.compare(node, &String::from_utf8_lossy(&bytes)) {
                        return Some(Counted::Rose(rise));
                    }
                    if self.nodes > MOST && !std::mem::replace(&mut self.bound_told, true) {
                        return Some(Counted::TooMany(self.nodes));
                    }
                }
                Err(Refusal::Forbidden { .. } | Refusal::Unauthorized(_)) => return None,
                Err(_) => {}
            }
        }
    }

    fn begin_round(&mut self) {
        let nodes = self.living.nodes();
        self.known.retain(|node, _| nodes.contains(node));
        self.nodes = nodes.len();
        self.to_ask = nodes.into_iter().take(MOST).collect();
        self.to_ask.reverse();
    }

    /// Whose counters rose since the node was last read.
    fn compare(&mut self, node: String, text: &str) -> Option<Rise> {
        let now = cadvisor::kills(text).map(|(series, count)| (series.to_owned(), count)).collect();
        let before = self.known.insert(node.clone(), now)?;
        let mut uids = BTreeSet::new();
        for (series, count) in cadvisor::kills(text) {
            if before.get(series).is_none_or(|before| count > *before) {
                uids_of_pods(series.as_bytes(), &mut uids);
            }
        }
        let living = self.living.lock();
        let pods: HashMap<_, _> =
            uids.into_iter().filter_map(|uid| Some((uid.clone(), living.get(&uid)?.clone()))).collect();
        if pods.is_empty() {
            return None;
        }
        let names = pods.values().map(|pod| (pod.namespace.clone(), pod.name.clone())).collect();
        let counters = cadvisor::of_pods(&node, text, &names);
        Some(Rise { node, pods, counters })
    }
}
