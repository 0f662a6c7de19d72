//! One death with everything that is known of it: facts of all sources, joined.
//!
//! [`index`] groups the facts by kind and makes one pod of what several artifacts say about it; [`assemble`] makes the
//! cases, `gather` gives each its kills, events, log lines and counters, and `orphans` makes cases of what is left.

use jiff::{SignedDuration, Timestamp};

use crate::artifact::Artifact;
use crate::fact::{
    Container, ContainerKind, ContainerStatus, Counters, EngineContainer, EngineEvent, Event, KernelKill, KernelNote,
    Locus, LogSign, Node, NodeNote, Pod, State, Termination, UserspaceKill, WaitStatus,
};
use crate::recording;

mod assemble;
mod counted;
mod coverage;
mod events;
mod gather;
mod gone;
mod healthy;
mod identity;
mod index;
mod matching;
mod moment;
mod neighbour;
mod orphans;
mod removed;
mod unmade;
mod worth;

pub use assemble::assemble;
pub(crate) use assemble::newest_moment;
pub use coverage::Silence;
pub use events::Events;
pub use healthy::healthy;
pub use index::{Index, PodView};
pub(crate) use worth::{is_oom_reason, is_runtimes, is_start_failure};

/// What other components write of an end is at most this far from it: the kubelet looks for ended containers every
/// second, and events have whole seconds.
const NEAR_END: SignedDuration = SignedDuration::from_secs(10);

/// A fact and its place in the evidence.
#[derive(Debug)]
pub struct Seen<'a, T> {
    /// The fact.
    pub it: &'a T,
    /// Where it stands.
    pub from: &'a Locus,
}

impl<T> Clone for Seen<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Seen<'_, T> {}

impl<T> std::ops::Deref for Seen<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.it
    }
}

/// A kernel kill with its id in the document and how it belongs to the case.
#[derive(Debug, Clone, Copy)]
pub struct CaseKill<'a> {
    /// Its place in [`Index::kills`]; printed as `k` and this plus one.
    pub number: usize,
    /// The report.
    pub kill: Seen<'a, KernelKill>,
    /// Which life of the container it ended or hurt.
    pub life: Life,
    /// What tied it to the container.
    pub tie: Tie,
}

/// Which life of a container a kill belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Life {
    /// The life whose end is diagnosed, or, where nothing ended, the life that runs.
    This,
    /// The life that runs now, begun after the end that is diagnosed.
    Present,
    /// An earlier one.
    Earlier,
    /// One of them: neither id nor time tells which.
    Unknown,
}

/// What ties a kill to a container, strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tie {
    /// The container id stands in the kernel's cgroup path.
    ContainerId,
    /// The pod uid does, and the time falls into the container's life.
    PodUidAndTime,
    /// The pod uid does.
    PodUid,
    /// The pod uid does, and no status tells which of its containers has the id in the path.
    SomeContainer,
    /// Only the moment and the command name fit.
    Moment,
}

/// One death, or one container that lost a process or could not start.
#[derive(Debug)]
pub struct Case<'a> {
    /// All evidence, for what is not of this container alone.
    pub index: &'a Index<'a>,
    /// The pod.
    pub pod: Option<&'a PodView>,
    /// The container in it.
    pub container: Option<&'a Container>,
    /// Where the container's status (or the pod) stands.
    pub from: Option<Locus>,
    /// The container as an engine or CRI runtime describes it.
    pub engine: Option<Seen<'a, EngineContainer>>,
    /// The end that is diagnosed.
    pub death: Option<Death>,
    /// Kernel kills of this container or its pod.
    pub kills: Vec<CaseKill<'a>>,
    /// Events about the pod, this container or none.
    pub events: Vec<Seen<'a, Event>>,
    /// Telling lines of its log.
    pub signs: Vec<Seen<'a, LogSign>>,
    /// Telling lines of the kubelet, runtime or orchestrator.
    pub notes: Vec<Seen<'a, NodeNote>>,
    /// Engine events.
    pub engine_events: Vec<Seen<'a, EngineEvent>>,
    /// Counters of its cgroup.
    pub counters: Vec<Seen<'a, Counters>>,
    /// Kills by userspace killers.
    pub userspace: Vec<Seen<'a, UserspaceKill>>,
    /// Other kernel lines that name it.
    pub kernel_notes: Vec<Seen<'a, KernelNote>>,
    /// Its node.
    pub node: Option<Seen<'a, Node>>,
    /// It was named by the user: a healthy one is answered too.
    pub named: bool,
}

/// The end of a life.
#[derive(Debug, Clone, PartialEq)]
pub struct Death {
    /// How it ended.
    pub termination: Termination,
    /// Where that stands.
    pub from: Locus,
    /// It is the container's present state, not the end of the life before.
    pub current: bool,
    /// Number of that life (0 the first), where the restart count tells it.
    pub life: Option<u32>,
}

impl<'a> Case<'a> {
    /// Exit code of the end.
    pub fn exit_code(&self) -> Option<i32> {
        self.termination()?.exit_code
    }

    /// How it ended as its parent saw it; only `oomph run` is one that tells.
    pub fn wait_status(&self) -> Option<WaitStatus> {
        self.engine?.it.wait_status
    }

    /// This signal ended it. Without a wait status the exit code stands for it, which may also be a code of its own.
    pub fn was_signaled(&self, signal: i32) -> bool {
        match self.wait_status() {
            Some(WaitStatus::Signaled(number) | WaitStatus::NeverRan(number)) => number == signal,
            Some(WaitStatus::Exited(_)) => false,
            None => self.exit_code() == Some(128 + signal) && !self.is_restart_placeholder(),
        }
    }

    /// The kubelet removed it to start all containers of its pod anew, and wrote 137 for an end that it did not look at
    /// (`RestartAllContainersOnContainerExits`, pkg/kubelet/kuberuntime, v1.35).
    pub fn is_restart_placeholder(&self) -> bool {
        self.reason() == Some("RestartingAllContainers")
    }

    /// The counters of a cgroup that was made for this one life, read after its end, where they count no kill: proof
    /// that there was none.
    pub fn counted_none(&self) -> Option<Seen<'a, Counters>> {
        let cgroup = self.engine.filter(|_| self.is_command() && self.death.is_some())?.it.cgroup.as_ref();
        self.counters.iter().copied().find(|it| it.it.cgroup.as_ref() == cgroup && it.it.oom_kill == Some(0))
    }

    /// The end, where one is known.
    pub fn termination(&self) -> Option<&Termination> {
        self.death.as_ref().map(|death| &death.termination)
    }

    /// The reason that the runtime or kubelet gave.
    pub fn reason(&self) -> Option<&str> {
        self.termination()?.reason.as_deref()
    }

    /// When it ended.
    pub fn finished(&self) -> Option<Timestamp> {
        self.termination()?.finished
    }

    /// When that life began.
    pub fn started(&self) -> Option<Timestamp> {
        self.termination()?.started
    }

    /// The container's status.
    pub fn status(&self) -> Option<&'a ContainerStatus> {
        self.container?.status.as_ref()
    }

    /// What it waits for, where its state is Waiting.
    pub fn waiting(&self) -> Option<(&'a str, &'a str)> {
        match self.status()?.state.as_ref()? {
            State::Waiting { reason, message } => {
                Some((reason.as_deref().unwrap_or_default(), message.as_deref().unwrap_or_default()))
            }
            _ => None,
        }
    }

    /// It runs now.
    pub fn is_running(&self) -> bool {
        match self.status().and_then(|status| status.state.as_ref()) {
            Some(state) => matches!(state, State::Running { .. }),
            None => self.engine.is_some_and(|engine| engine.status.as_deref() == Some("running")),
        }
    }

    /// The engine cleaned up what it made for a container that then never started: Podman's only trace of a start that
    /// failed (`libpod/container_internal.go` `cleanup`, v4.3).
    pub fn failed_start(&self) -> Option<Seen<'a, EngineEvent>> {
        let did = |action: &str| self.engine_events.iter().rev().find(|event| event.it.action == action).copied();
        did("cleanup").filter(|_| did("start").is_none() && did("init").is_none())
    }

    /// The pod itself was not seen, only its events.
    pub fn is_gone(&self) -> bool {
        self.pod.is_some_and(|view| view.gone)
    }

    /// No other container of its pod runs beside it: all of them are known, and the others are init containers.
    pub fn is_alone_in_its_pod(&self) -> bool {
        let (Some(view), Some(own)) = (self.pod, self.container) else { return false };
        // The events of a pod that is gone name all its containers where they reach back to when it was placed.
        let all_known = view.pod.complete || view.gone && self.events.iter().any(|event| event.reason == "Scheduled");
        let beside = |other: &&Container| other.kind != ContainerKind::Init && !std::ptr::eq(*other, own);
        all_known && !view.pod.containers.iter().any(|other| beside(&other))
    }

    /// A kill in its pod of which no status tells whether it was in this container.
    pub fn possible_kill(&self) -> Option<&CaseKill<'a>> {
        self.kills.iter().find(|kill| kill.tie == Tie::SomeContainer)
    }

    /// The pod's own fields.
    pub fn pod_spec(&self) -> Option<&'a Pod> {
        self.pod.map(|view| &*view.pod)
    }

    /// The artifact that evidence stands in.
    pub fn artifact(&self, from: &Locus) -> Option<&'a Artifact> {
        self.index.artifacts.get(from.artifact.0 as usize)
    }

    /// Kills in the life that is diagnosed.
    pub fn life_kills(&self) -> impl Iterator<Item = &CaseKill<'a>> {
        self.kills.iter().filter(|kill| kill.life == Life::This)
    }

    /// `containerd`, `cri-o`, `docker`, `podman`, as far as some evidence names it.
    pub fn runtime(&self) -> Option<&'a str> {
        let status = self.status().and_then(|status| status.runtime.as_deref());
        let node = || self.node.and_then(|node| node.it.runtime.as_deref()?.split("://").next());
        status.or_else(node).or_else(|| self.engine.map(|engine| engine.it.engine.as_str()))
    }

    /// The life was short: it ended within this many seconds.
    pub fn seconds_lived(&self) -> Option<f64> {
        Some((self.finished()? - self.started()?).total(jiff::Unit::Second).ok()?).filter(|seconds| *seconds >= 0.0)
    }

    /// Whether a moment is within ten seconds of the end; `None` where one of them is not known.
    pub fn is_near_end(&self, at: Option<Timestamp>) -> Option<bool> {
        Some(at?.duration_since(self.finished()?).abs() <= NEAR_END)
    }

    /// It is a command of `oomph run`.
    pub fn is_command(&self) -> bool {
        self.pod.is_none() && self.engine.is_some_and(|engine| engine.it.engine == recording::ENGINE)
    }

    /// Name for sentences: `container app`, `pod shop/checkout`, `command python3`, `the container`.
    pub fn noun(&self) -> String {
        let engine = self.engine.and_then(|engine| engine.it.subject.container.as_deref());
        if let Some(name) = self.container.and_then(|container| container.name.as_deref()).or(engine) {
            return format!("{} {name}", if self.is_command() { "command" } else { "container" });
        }
        match self.pod_spec().and_then(|pod| pod.name.as_deref()) {
            Some(name) if self.container.is_none() => format!("pod {name}"),
            _ => "the container".to_owned(),
        }
    }
}
