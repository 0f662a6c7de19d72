//! The sources over time: the cluster is watched, this machine's kernel log followed, and an engine asked again and again.

use std::time::Duration;

use futures::stream::{self, LocalBoxStream, Stream, StreamExt};
use jiff::Timestamp;
use oomph_cluster::kube::ConnectError;
use oomph_core::artifact::{Artifact, Kind};
use oomph_node::{KernelLog, cgroup};

use super::{Gathered, Live, Local, Otherwise, node};

/// Between two looks at what cannot be watched.
const INTERVAL: Duration = Duration::from_secs(2);

/// An engine notes the end of a container this much after the kill: it learns of it when the last process is gone.
const SETTLED: Duration = Duration::from_millis(700);

/// The sources, followed.
pub(crate) struct Follow<'a> {
    live: &'a Live,
    /// What the cluster told.
    watch: LocalBoxStream<'a, Gathered>,
    /// What it told during the first look.
    early: Vec<Gathered>,
    /// This node is asked, also in the place of a cluster.
    node: bool,
    log: KernelLog,
}

impl Live {
    /// Begins to follow.
    pub(crate) async fn follow(&self) -> Result<Follow<'_>, String> {
        let (watched, in_its_place) = match &self.cluster {
            None => (None, false),
            Some(cluster) => match cluster.watch().await {
                Ok(stream) => (Some(stream), false),
                Err(ConnectError::NotConfigured { .. }) if cluster.otherwise == Otherwise::Node => (None, true),
                Err(ConnectError::NotConfigured { .. }) if cluster.otherwise == Otherwise::GoOn => (None, false),
                Err(error) => return Err(error.to_string()),
            },
        };
        let watch = stream::iter(watched).flatten().map(|captured| Gathered { captured, failures: Vec::new() });
        let (watch, node, log) = (watch.boxed_local(), in_its_place || self.node, KernelLog::default());
        Ok(Follow { live: self, watch, early: Vec::new(), node, log })
    }
}

impl<'a> Follow<'a> {
    /// The first look at everything. The watch runs beside it, so that no death falls between the two.
    pub(crate) async fn first(&mut self) -> Gathered {
        let look = self.live.look(Some(&mut self.log));
        tokio::pin!(look);
        loop {
            tokio::select! {
                first = &mut look => return first,
                Some(change) = self.watch.next() => self.early.push(change),
            }
        }
    }

    /// What comes after it.
    pub(crate) fn changes(self) -> impl Stream<Item = Gathered> + use<'a> {
        let Self { live, watch, early, node, log } = self;
        let local = stream::unfold(Here { live, node, log, known: Vec::new(), again: false }, Here::next);
        stream::iter(early).chain(stream::select(watch, local.boxed_local()))
    }
}

/// The sources on this machine.
struct Here<'a> {
    live: &'a Live,
    node: bool,
    log: KernelLog,
    /// What they said the last time.
    known: Vec<(String, Vec<u8>)>,
    /// To be looked at again, though nothing changes.
    again: bool,
}

impl Here<'_> {
    /// The next look at which there is something new: the kernel killed a process, or a source says something else.
    async fn next(mut self) -> Option<(Gathered, Self)> {
        if !self.node && self.live.docker.is_none() {
            return None;
        }
        loop {
            let killed = node::kill(&mut self.log, INTERVAL).await;
            if killed && self.live.docker.is_some() {
                tokio::time::sleep(SETTLED).await;
            }
            let now = Timestamp::now();
            let local = self.live.ask_local(now, self.node).await;
            let said = said(&local);
            let changed = said != self.known;
            if killed || changed || self.again {
                let gathered = local.with_log(Some(&mut self.log), now).await;
                self.known = said;
                // Of a log that cannot be followed the end may be written after the others spoke.
                self.again = changed && !self.log.follows();
                return Some((gathered, self));
            }
        }
    }
}

/// What tells one look from another: every artifact, and of a cgroup's counters those of kills.
fn said(local: &Local) -> Vec<(String, Vec<u8>)> {
    let telling = |artifact: &Artifact| match artifact.kind {
        Some(Kind::MemoryEvents) => cgroup::activity(&artifact.bytes).to_vec(),
        _ => artifact.bytes.clone(),
    };
    let artifacts = local.engine.captured.artifacts.iter().chain(&local.counters.artifacts);
    let failures = local.engine.failures.iter().map(|failure| (failure.clone(), Vec::new()));
    artifacts.map(|artifact| (artifact.name.clone(), telling(artifact))).chain(failures).collect()
}
