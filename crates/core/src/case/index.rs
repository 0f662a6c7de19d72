//! All facts by kind, and one pod of what several artifacts say about it.

use std::collections::HashMap;

use crate::artifact::{Artifact, ArtifactId, Kind};
use crate::fact::{
    Container, Counters, Coverage, EngineContainer, EngineEvent, Fact, KernelKill, KernelNote, LimitRange, Locus,
    LogSign, Node, NodeNote, Pod, Revision, UserspaceKill, What,
};

use super::{Events, Seen};

/// All facts by kind.
#[derive(Debug, Default)]
pub struct Index<'a> {
    /// What was given.
    pub artifacts: &'a [Artifact],
    /// Kinds found in each artifact.
    pub kinds: Vec<Vec<Kind>>,
    /// Pods, each once.
    pub pods: Vec<PodView>,
    /// Kernel kills, in the order of the evidence.
    pub kills: Vec<(KernelKill, Locus)>,
    /// Events.
    pub events: Events,
    /// Nodes.
    pub nodes: Vec<(Node, Locus)>,
    /// Limit ranges.
    pub limit_ranges: Vec<(LimitRange, Locus)>,
    /// Revisions of workloads.
    pub revisions: Vec<(Revision, Locus)>,
    /// Kills by userspace killers.
    pub userspace: Vec<(UserspaceKill, Locus)>,
    /// Other kernel lines.
    pub kernel_notes: Vec<(KernelNote, Locus)>,
    /// Containers of engines.
    pub engines: Vec<(EngineContainer, Locus)>,
    /// Engine events.
    pub engine_events: Vec<(EngineEvent, Locus)>,
    /// Telling log lines.
    pub signs: Vec<(LogSign, Locus)>,
    /// Telling lines of the node's daemons.
    pub notes: Vec<(NodeNote, Locus)>,
    /// Counters.
    pub counters: Vec<(Counters, Locus)>,
    /// What stretches of time are covered.
    pub coverage: Vec<Coverage>,
}

/// A pod, joined from every artifact that shows it.
#[derive(Debug)]
pub struct PodView {
    /// Its fields.
    pub pod: Box<Pod>,
    /// Where the pod stands: the artifact that shows the most of it.
    pub from: Locus,
    /// Where each container's status stands, in the order of `pod.containers`; empty: all where the pod stands.
    pub container_from: Vec<Locus>,
    /// No artifact shows the pod itself: it is known from its events alone, since it was deleted or its list is not here.
    pub gone: bool,
}

impl PodView {
    /// The place of one container's status.
    pub fn status_locus(&self, index: usize) -> Locus {
        let base = self.container_from.get(index).unwrap_or(&self.from);
        match self.pod.containers.get(index) {
            Some(container) => base.join(&container.status_path),
            None => base.clone(),
        }
    }
}

impl<'a> Index<'a> {
    /// Groups facts. Pods are moved, not copied: a cluster's listing is large.
    pub fn new(artifacts: &'a [Artifact], kinds: Vec<Vec<Kind>>, facts: Vec<Fact>, coverage: Vec<Coverage>) -> Self {
        let mut index = Self { artifacts, kinds, coverage, ..Self::default() };
        let mut pods = Vec::new();
        for Fact { what, from } in facts {
            match what {
                What::Pod(pod) => pods.push((pod, from)),
                What::Event(it) => index.events.push(*it, from),
                What::Node(it) => index.nodes.push((*it, from)),
                What::LimitRange(it) => index.limit_ranges.push((*it, from)),
                What::Revision(it) => index.revisions.push((*it, from)),
                What::Kill(it) => add_kill(&mut index.kills, *it, from),
                What::UserspaceKill(it) => index.userspace.push((*it, from)),
                What::KernelNote(it) => index.kernel_notes.push((*it, from)),
                What::EngineContainer(it) => index.engines.push((*it, from)),
                What::EngineEvent(it) => index.engine_events.push((*it, from)),
                What::LogSign(it) => index.signs.push((*it, from)),
                What::NodeNote(it) => index.notes.push((*it, from)),
                What::Counters(it) => index.counters.push((*it, from)),
            }
        }
        index.pods = join_pods(pods);
        super::identity::learn(&mut index.pods, &index.kills);
        let told = super::removed::containers(&index);
        index.engines.extend(told);
        let gone = super::gone::pods(&index);
        index.pods.extend(gone);
        index
    }

    /// The node by name.
    pub fn node(&self, name: Option<&str>) -> Option<Seen<'_, Node>> {
        let found = match name {
            Some(name) => self.nodes.iter().find(|(node, _)| node.name.as_deref() == Some(name)),
            None => None,
        };
        found.map(|(it, from)| Seen { it, from })
    }

    /// The name of an artifact.
    pub fn artifact_name(&self, id: ArtifactId) -> &str {
        self.artifacts.get(id.0 as usize).map_or("", |artifact| artifact.name.as_str())
    }
}

/// Adds a kill, unless another artifact (the ring, the journal, a syslog) tells of the same one: then the fuller report
/// stays, with what the other knows besides.
fn add_kill(kills: &mut Vec<(KernelKill, Locus)>, mut kill: KernelKill, from: Locus) {
    let other = |known: &Locus| known.artifact != from.artifact;
    let Some((known, place)) = kills.iter_mut().rev().find(|(it, place)| other(place) && same_kill(it, &kill)) else {
        kills.push((kill, from));
        return;
    };
    if kill.lines.len() + kill.candidates.len() + kill.stats.len()
        > known.lines.len() + known.candidates.len() + known.stats.len()
    {
        std::mem::swap(known, &mut kill);
        *place = from;
    }
    if known.at.is_none() || !(known.at_year_known && known.at_zone_known) && kill.at_year_known && kill.at_zone_known {
        (known.at, known.at_from) = (kill.at, kill.at_from);
        (known.at_year_known, known.at_zone_known) = (kill.at_year_known, kill.at_zone_known);
    }
    fill(known, &mut kill);
    known.node = known.node.take().or(kill.node);
    known.boot_id = known.boot_id.take().or(kill.boot_id);
    known.uptime_seconds = known.uptime_seconds.or(kill.uptime_seconds);
}

/// What one of two reports of a kill lacks and the other tells: each may be a single line of it.
fn fill(known: &mut KernelKill, other: &mut KernelKill) {
    macro_rules! fill {
        ($one:expr, $two:expr, $($field:ident),*) => { $( if $one.$field.is_none() { $one.$field = $two.$field.take(); } )* };
    }
    fill!(known, other, constraint, oom_memcg, task_memcg, level, memory, limit_hit);
    fill!(known, other, pod_uid, container_id, runtime, qos);
    if let (Some(one), Some(two)) = (known.victims.first_mut(), other.victims.first_mut()) {
        fill!(one, two, total_vm, anon_rss, file_rss, shmem_rss, pgtables, uid, oom_score_adj);
    }
}

/// The same first victim in the same cgroup on a node that can be the same, at the same time by one of the clocks.
/// A node has several names (its own, the API's, the short and the long one): where the kernel's own stamps agree on a
/// container's kill, another name is another name only.
fn same_kill(one: &KernelKill, other: &KernelKill) -> bool {
    // One of the two may be a single line of the report, whole or cut.
    let same_victim = one.victims.first().zip(other.victims.first()).is_some_and(|(one, other)| {
        let sizes = one.anon_rss.zip(other.anon_rss);
        one.pid == other.pid && one.comm == other.comm && sizes.is_none_or(|(one, other)| one == other)
    });
    let whole = |kill: &KernelKill| kill.victims.first().is_some_and(|victim| victim.pid.is_some());
    let cgroups = one.task_memcg.as_ref().zip(other.task_memcg.as_ref());
    let same_cgroup = match cgroups {
        Some((one, other)) => one == other,
        None => one.task_memcg == other.task_memcg || whole(one),
    };
    let node = one.node.is_none() || other.node.is_none() || one.node == other.node;
    let boot = one.boot_id.is_none() || other.boot_id.is_none() || one.boot_id == other.boot_id;
    let uptime = one.uptime_seconds.zip(other.uptime_seconds).map(|(one, other)| (one - other).abs() < 0.01);
    let at = one.at.zip(other.at).map(|(one, other)| one.duration_since(other).abs().as_secs() <= 2);
    same_victim
        && same_cgroup
        && (node || uptime == Some(true) && one.container_id.is_some())
        && boot
        && uptime.or(at).unwrap_or(false)
}

/// One view a pod. Two facts are of one pod when their uids are equal, or their names and namespaces are and no uid
/// says otherwise. A nameless fragment joins the only named pod of its artifact that shows no containers.
fn join_pods(facts: Vec<(Box<Pod>, Locus)>) -> Vec<PodView> {
    let mut views: Vec<PodView> = Vec::new();
    let mut by_uid: HashMap<String, usize> = HashMap::new();
    let mut by_name: HashMap<String, Vec<usize>> = HashMap::new();
    for (pod, from) in facts {
        let known = match (&pod.uid, &pod.name) {
            (Some(uid), _) if by_uid.contains_key(uid) => by_uid.get(uid).copied(),
            (_, Some(name)) => by_name
                .get(name)
                .and_then(|indexes| indexes.iter().copied().find(|index| same_pod(&views[*index].pod, &pod))),
            (_, None) => only_bare_pod_of(&views, &from),
        };
        if let Some(index) = known {
            merge(&mut views[index], pod, from);
            continue;
        }
        let index = views.len();
        if let Some(uid) = &pod.uid {
            by_uid.insert(uid.clone(), index);
        }
        if let Some(name) = &pod.name {
            by_name.entry(name.clone()).or_default().push(index);
        }
        views.push(PodView { pod, from, container_from: Vec::new(), gone: false });
    }
    views
}

fn agree(one: Option<&String>, other: Option<&String>) -> bool {
    one.is_none() || other.is_none() || one == other
}

fn same_pod(one: &Pod, other: &Pod) -> bool {
    one.name == other.name
        && agree(one.namespace.as_ref(), other.namespace.as_ref())
        && agree(one.uid.as_ref(), other.uid.as_ref())
}

fn only_bare_pod_of(views: &[PodView], from: &Locus) -> Option<usize> {
    let mut same = views.iter().enumerate().filter(|(_, view)| view.from.artifact == from.artifact);
    let (index, view) = same.next()?;
    (same.next().is_none() && view.pod.name.is_some() && view.pod.containers.iter().all(|c| c.name.is_none()))
        .then_some(index)
}

/// Fills what the view does not know yet; of two statuses the one with more restarts is the later one.
fn merge(view: &mut PodView, pod: Box<Pod>, from: Locus) {
    let (mut base, mut extra) = (std::mem::take(&mut view.pod), pod);
    let mut base_from = std::mem::take(&mut view.container_from);
    base_from.resize(base.containers.len(), view.from.clone());
    let mut extra_from = vec![from.clone(); extra.containers.len()];
    if extra.complete && !base.complete {
        std::mem::swap(&mut base, &mut extra);
        std::mem::swap(&mut base_from, &mut extra_from);
        view.from = from;
    }
    macro_rules! fill {
        ($($field:ident),*) => { $( if base.$field.is_none() { base.$field = extra.$field.take(); } )* };
    }
    fill!(
        namespace,
        name,
        uid,
        config_hash,
        owner,
        created,
        deletion,
        deletion_grace_seconds,
        node,
        os,
        runtime_class,
        restart_policy,
        grace_seconds,
        active_deadline_seconds,
        priority,
        priority_class,
        phase,
        reason,
        message,
        started,
        qos
    );
    base.terminating |= extra.terminating;
    base.complete |= extra.complete;
    if base.conditions.is_empty() {
        base.conditions = extra.conditions;
    }
    if base.tmpfs.is_empty() {
        base.tmpfs = extra.tmpfs;
    }
    if base.resources == crate::fact::Resources::default() {
        base.resources = std::mem::take(&mut extra.resources);
    }
    // A bare table row (`pod 0/1 OOMKilled`) says nothing that a named container's status does not say better.
    let detailed = base.containers.iter().any(|container| container.name.is_some());
    for (container, place) in extra.containers.into_iter().zip(extra_from) {
        let known = base.containers.iter().position(|known| known.name == container.name);
        match known {
            Some(index) => {
                if merge_container(&mut base.containers[index], container) {
                    base_from[index] = place;
                }
            }
            None if container.name.is_none() && detailed => {}
            None => {
                if container.name.is_some() && base.containers.iter().all(|known| known.name.is_none()) {
                    base.containers.clear();
                    base_from.clear();
                }
                base.containers.push(container);
                base_from.push(place);
            }
        }
    }
    view.pod = base;
    view.container_from = base_from;
}

/// Whether the other's status replaced the one known.
fn merge_container(base: &mut Container, mut extra: Container) -> bool {
    if base.resources == crate::fact::Resources::default() {
        base.resources = std::mem::take(&mut extra.resources);
    }
    if base.flags.is_empty() {
        base.flags = std::mem::take(&mut extra.flags);
    }
    base.liveness = base.liveness.or(extra.liveness);
    base.startup = base.startup.or(extra.startup);
    if base.program.is_none() {
        base.program = extra.program.take();
    }
    let restarts = |container: &Container| container.status.as_ref().and_then(|status| status.restart_count);
    let newer = match (&base.status, &extra.status) {
        (None, Some(_)) => true,
        (Some(_), Some(_)) => restarts(&extra) > restarts(base),
        _ => false,
    };
    if newer {
        base.status = extra.status.take();
        base.status_path = extra.status_path;
    }
    newer
}
