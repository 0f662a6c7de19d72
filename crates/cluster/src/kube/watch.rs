//! `-w`: each new death as it comes, with what is needed to judge it.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::time::Duration;

use futures::{Stream, StreamExt, stream};
use jiff::Timestamp;
use oomph_core::artifact::{Artifact, Captured, Kind};
use tokio::time::{Instant, sleep};

use super::api::{Api, Refusal};
use super::events::{EVENTS, Event};
use super::follow::{Follow, Step};
use super::glance::Pod;
use super::kills::{Counted, Counters, Living, Rise};
use super::list::{list, request_name};
use super::node::{kernel_tail, uids_of_pods};
use super::pods::{self, Found, Healthy, PODS};
use super::selection::{Selection, select};
use super::surroundings::NODES;
use super::{Ask, Clock, ConnectError, Missing, Scope, connect, fetch, kills, logs, refused};

/// What may be spent on gathering one death, so that it is told within two seconds.
const GATHER: Duration = Duration::from_millis(1500);
/// Deaths gathered at once: a node that goes down takes many with it.
const CONCURRENT: usize = 16;
/// The end of the kernel log is enough: the kill is some seconds old.
const TAIL: usize = 256 << 10;
/// A container that died by the kill that was counted has that in its pod's status after this: the kubelet looks every
/// second (`genericPlegRelistPeriod` of pkg/kubelet/kubelet.go, v1.37).
const SETTLED: Duration = Duration::from_secs(3);

/// Follows the pods of the question. Every item holds one new death: the pod as it was in that moment, its events and
/// node, the dead instance's log and the end of the node's kernel log; or a node's OOM event with that log and the pods
/// that the log names; or pods whose kill counters rose, with counters and log, which is how a kill in a container that
/// lives on is told. The log may tell of older kills too: only those of the pods in the item are new.
///
/// Deaths before the start are not told. None is told twice, also over a broken connection, and what ended during the
/// break is told after it, unless its pod is gone by then.
pub async fn watch(ask: Ask) -> Result<impl Stream<Item = Captured> + Send + use<>, ConnectError> {
    let connect::Connected { api, namespace } = connect::connect(&ask).await?;
    let scope = Scope::of(&ask, &namespace);
    let mut found = Found::default();
    let pods = select(&api, &ask, &scope, Instant::now() + ask.deadline, &mut found)
        .await
        .map(|selection| selection.lasting(&ask));
    let prologue = Some(found.captured).filter(|captured| !captured.gaps.is_empty());

    let deaths = match &pods {
        Some(selection) => Follow::new(api.clone(), selection.path(), selection.selectors()).stream().boxed(),
        None => stream::empty().boxed(),
    };
    let of_nodes = Scope::Namespace("default".into());
    let node_events = Follow::new(
        api.clone(),
        of_nodes.path("/api/v1", "events"),
        [("fieldSelector", "involvedObject.kind=Node"), ("", "")],
    );
    let living = Living::default();
    let counters = Counters::of(api.clone(), living.clone()).stream().map(Change::Kills).boxed();
    let changes = stream::select(deaths.map(Change::Pod), node_events.stream().map(Change::NodeEvent));
    let changes = stream::select(changes, counters);
    let mut gathering = Gathering {
        api,
        ask,
        pods,
        seen: HashMap::new(),
        living,
        told: HashSet::new(),
        began: Timestamp::from_second(Timestamp::now().as_second()).unwrap_or(Timestamp::UNIX_EPOCH),
    };
    let gathered = changes
        .filter_map(move |change| std::future::ready(gathering.sift(change)))
        .map(Death::gather)
        .buffer_unordered(CONCURRENT);
    Ok(stream::iter(prologue).chain(gathered))
}

enum Change {
    Pod(Step),
    NodeEvent(Step),
    Kills(Counted),
}

/// Tells new deaths from old ones.
struct Gathering {
    api: Api,
    ask: Ask,
    pods: Option<Selection>,
    /// The endings told, by uid.
    seen: HashMap<String, Vec<String>>,
    /// Where pods are to be found, by uid.
    living: Living,
    /// Node events told, and lists whose refusal was told.
    told: HashSet<String>,
    /// When the watch began, to the second below, as events have it.
    began: Timestamp,
}

/// Something new to gather the evidence of.
struct Death {
    api: Api,
    ask: Ask,
    what: NewDeath,
}

enum NewDeath {
    Pod { json: String, pod: Box<Pod> },
    Node { json: String, node: String, living: HashMap<String, Healthy> },
    Kills(Rise),
    TooManyNodes(usize),
    Refused { path: String, refusal: Refusal, of_pods: bool, namespace: Option<String> },
}

impl Gathering {
    fn sift(&mut self, change: Change) -> Option<Death> {
        let what = match change {
            Change::Pod(Step::Refused(path, refusal)) => self.told_once(path, refusal, true),
            Change::NodeEvent(Step::Refused(path, refusal)) => self.told_once(path, refusal, false),
            Change::Pod(step) => self.pod(step),
            Change::NodeEvent(Step::Changed(json)) => self.node_event(json),
            Change::NodeEvent(_) => None,
            Change::Kills(Counted::Rose(rise)) => Some(NewDeath::Kills(rise)),
            Change::Kills(Counted::TooMany(nodes)) => Some(NewDeath::TooManyNodes(nodes)),
        }?;
        Some(Death { api: self.api.clone(), ask: self.ask.clone(), what })
    }

    fn told_once(&mut self, path: String, refusal: Refusal, of_pods: bool) -> Option<NewDeath> {
        let scope = self.pods.as_ref().and_then(|selection| selection.scope.namespace()).map(str::to_owned);
        let namespace = if of_pods { scope } else { Some("default".into()) };
        self.told.insert(path.clone()).then_some(NewDeath::Refused { path, refusal, of_pods, namespace })
    }

    fn pod(&mut self, step: Step) -> Option<NewDeath> {
        let (json, pod, gone) = match step {
            Step::Known(pod) => (None, Some(*pod), false),
            Step::Changed(json) => {
                let pod = Pod::parse(&json);
                (Some(json), pod, false)
            }
            Step::Gone(json) => {
                let pod = Pod::parse(&json);
                (Some(json), pod, true)
            }
            Step::Listed(uids) => {
                self.seen.retain(|uid, _| uids.contains(uid));
                self.living.lock().retain(|uid, _| uids.contains(uid));
                return None;
            }
            Step::Refused(..) => return None,
        };
        let pod = pod.filter(|pod| self.pods.as_ref().is_some_and(|selection| selection.wants(pod)))?;
        let uid = pod.metadata.uid.clone();
        let endings = pod.endings();
        let told = self.seen.get(&uid).map_or(&[][..], Vec::as_slice);
        let new = endings.iter().any(|ending| !told.contains(ending));
        if gone {
            self.seen.remove(&uid);
            self.living.lock().remove(&uid);
        } else {
            self.seen.insert(uid.clone(), endings);
            self.living.lock().insert(uid, Healthy::of(pod.clone()));
        }
        json.filter(|_| new).map(|json| NewDeath::Pod { json, pod: Box::new(pod) })
    }

    /// Reasons under which the kubelet and node-problem-detector tell a kill on a node
    /// (pkg/kubelet/oom/oom_watcher_linux.go, v1.37; config/kernel-monitor.json of node-problem-detector).
    fn node_event(&mut self, json: String) -> Option<NewDeath> {
        let event = Event::parse(&json).filter(|event| matches!(event.reason.as_str(), "SystemOOM" | "OOMKilling"))?;
        // After a break the list brings those of before again.
        let old = event.last().is_some_and(|last| last < self.began);
        if old || !self.told.insert(format!("{}@{}", event.metadata.uid, event.metadata.resource_version)) {
            return None;
        }
        let node = event.node()?;
        let living = self.living.lock();
        let living = living.iter().filter(|(_, pod)| pod.runs_on(&node));
        let living = living.map(|(uid, pod)| (uid.clone(), pod.clone())).collect();
        Some(NewDeath::Node { json, living, node })
    }
}

impl Death {
    async fn gather(self) -> Captured {
        let Self { api, ask, what } = self;
        let until = Instant::now() + ask.deadline.min(GATHER);
        match what {
            NewDeath::Pod { json, pod } => gather_pod(&api, &ask, json, *pod, until).await,
            NewDeath::Node { json, node, living } => {
                let mut captured = Captured::default();
                captured.read(EVENTS.name, object(format!("the event on node {node}"), json));
                captured.append(kernel_tail(&api, &node, TAIL, until).await);
                let mut uids = BTreeSet::new();
                captured.artifacts.iter().for_each(|artifact| uids_of_pods(&artifact.bytes, &mut uids));
                let clock = Clock { each: GATHER, end: until };
                captured.append(pods::look_again(&api, &ask, &living, &uids, clock).await);
                captured
            }
            NewDeath::Kills(rise) => gather_kills(&api, &ask, rise).await,
            NewDeath::TooManyNodes(nodes) => {
                let mut captured = Captured::default();
                captured.gap(
                    "kills in containers that live on, on the other nodes",
                    format!("of {nodes} nodes the counters of {} are read again and again", kills::MOST),
                    "oomph why -w node/NODE",
                );
                captured
            }
            NewDeath::Refused { path, refusal, of_pods, namespace } => {
                let mut captured = Captured::default();
                let permission = if of_pods { &PODS } else { &EVENTS };
                let name = format!("GET {path}");
                refused(&mut captured, &name, permission, namespace.as_deref(), &refusal, Missing::Tell);
                captured
            }
        }
    }
}

async fn gather_pod(api: &Api, ask: &Ask, json: String, pod: Pod, until: Instant) -> Captured {
    let (namespace, name, uid) = (&pod.metadata.namespace, &pod.metadata.name, &pod.metadata.uid);
    let mut captured = Captured::default();
    captured.read(PODS.name, object(format!("GET /api/v1/namespaces/{namespace}/pods/{name}"), json));
    let node = pod.spec.node_name.as_deref().filter(|node| !node.is_empty());
    let clock = Clock { each: GATHER, end: until };
    let pods = std::slice::from_ref(&pod);
    let (events, logs, of_node) =
        futures::join!(events_of(api, namespace, uid, until), logs::capture(api, ask, pods, false, clock), async {
            let Some(node) = node else { return Captured::default() };
            let path = format!("/api/v1/nodes/{node}");
            let (object, kernel) = futures::join!(
                fetch(api, &path, &NODES, None, Missing::Tell, until),
                kernel_tail(api, node, TAIL, until),
            );
            let mut both = object.0;
            both.append(kernel);
            both
        });
    for part in [events, logs, of_node] {
        captured.append(part);
    }
    captured
}

async fn gather_kills(api: &Api, ask: &Ask, rise: Rise) -> Captured {
    sleep(SETTLED).await;
    let Rise { node, pods, counters: mut captured } = rise;
    let until = Instant::now() + GATHER;
    let uids = pods.keys().cloned().collect();
    let clock = Clock { each: GATHER, end: until };
    let (kernel, pods) =
        futures::join!(kernel_tail(api, &node, TAIL, until), pods::look_again(api, ask, &pods, &uids, clock));
    captured.append(kernel);
    captured.append(pods);
    captured
}

async fn events_of(api: &Api, namespace: &str, uid: &str, until: Instant) -> Captured {
    let path = format!("/api/v1/namespaces/{namespace}/events");
    let fields = format!("involvedObject.uid={uid}");
    let selectors = [("fieldSelector", fields.as_str())];
    let name = request_name(&path, &selectors);
    match list(api, &path, &selectors, until, |_| true).await {
        Ok(listing) => listing.into_captured(EVENTS.name, &name),
        Err(refusal) => {
            let mut captured = Captured::default();
            refused(&mut captured, &name, &EVENTS, Some(namespace), &refusal, Missing::Tell);
            captured
        }
    }
}

fn object(name: String, json: String) -> Artifact {
    Artifact { kind: Some(Kind::KubernetesJson), at: Some(Timestamp::now()), ..Artifact::new(name, json) }
}
