//! Advice that several causes share. Nothing here says 'raise the limit' without a history: a leak would only die later.

use super::kernel::kernel_log_command;
use super::level::container_limit;
use crate::case::Case;
use crate::diagnosis::Advice;
use crate::fact::Container;

/// What to do where nothing tells a leak from a limit that is too low.
pub(crate) const WITHOUT_HISTORY: &str = "look at the history of its memory before touching the limit";

/// One piece of advice.
pub(super) fn advice(action: impl Into<String>, why: impl Into<String>, risk: impl Into<String>) -> Advice {
    Advice { action: action.into(), why: why.into(), risk: risk.into(), patch: None }
}

/// The same with a ready command or patch.
pub(super) fn patched(advice: Advice, patch: impl Into<String>) -> Advice {
    Advice { patch: Some(patch.into()), ..advice }
}

/// `-n NS POD` for kubectl.
pub(super) fn pod_args(case: &Case<'_>) -> Option<String> {
    let pod = case.pod_spec()?;
    let name = pod.name.as_deref()?;
    Some(match pod.namespace.as_deref() {
        Some(namespace) => format!("-n {namespace} {name}"),
        None => name.to_owned(),
    })
}

/// Shows the log of the life that ended; `None` where no command can: the pod is gone, or has no name here.
pub(super) fn log_command(case: &Case<'_>) -> Option<String> {
    if case.pod.is_some() {
        let args = pod_args(case).filter(|_| !case.is_gone())?;
        let container = case.container.and_then(|container| container.name.as_deref());
        let of = container.map(|name| format!(" -c {name}")).unwrap_or_default();
        // The log of an end that is the present state is the present one: there may be no life before it.
        let before = if case.death.as_ref().is_some_and(|death| !death.current) { " --previous" } else { "" };
        return Some(format!("kubectl logs{before} {args}{of}"));
    }
    let engine = case.engine?.it;
    let name = engine.subject.container.as_deref().or(engine.subject.container_id.as_deref())?;
    matches!(engine.engine.as_str(), "docker" | "podman").then(|| format!("{} logs {name}", engine.engine))
}

/// Shows the pod's events; nothing where its name is not known.
pub(super) fn events_command(case: &Case<'_>) -> String {
    let Some(pod) = case.pod_spec() else { return String::new() };
    let Some(name) = &pod.name else { return String::new() };
    let namespace = pod.namespace.as_ref().map(|namespace| format!(" -n {namespace}")).unwrap_or_default();
    format!("kubectl get events{namespace} --field-selector involvedObject.name={name}")
}

/// What to do when a limit of the container or pod was hit by its main process.
pub(super) fn limit_hit(case: &Case<'_>) -> Vec<Advice> {
    let mut list = vec![advice(
        WITHOUT_HISTORY,
        "from one death a leak cannot be told from a limit that is too low; a leak dies again, later, at any limit",
        "none",
    )];
    if let Some(below) = case.life_kills().find_map(|kill| kill.kill.it.below_the_container()) {
        list.insert(
            0,
            advice(
                format!("look at who limits cgroup {below} in the container"),
                "a program in the container made that cgroup and set its limit; the container's own was not hit",
                "a higher limit there counts against the container's",
            ),
        );
    }
    if let Some(container) = case.container {
        let heap: Vec<&str> = container.flags.iter().map(|flag| flag.text.as_str()).collect();
        if !heap.is_empty() {
            list.push(advice(
                format!("check its runtime flags ({}) against the limit", heap.join(" ")),
                "the heap cap leaves room for metaspace, code, thread stacks, direct buffers and malloc only if it is well below the limit",
                "a smaller heap means more garbage collection",
            ));
        }
        list.extend(memory_volumes(container));
        let odd = container.resources.memory_limit.filter(|limit| limit.is_fractional());
        if let Some(limit) = odd {
            list.insert(0, unit_slip(case, limit));
        }
    }
    list
}

/// What to do about the volumes in memory that it mounts, if any.
pub(super) fn memory_volumes(container: &Container) -> Option<Advice> {
    let names = Some(container.tmpfs_mounts.join(", ")).filter(|names| !names.is_empty())?;
    Some(advice(
        format!("empty or bound its memory-backed volumes ({names})"),
        "files in an emptyDir of medium Memory are charged to the container and survive its restarts",
        "writes beyond the bound fail",
    ))
}

/// The limit is a slip of the unit: `3500m` is 3.5 bytes.
pub(super) fn unit_slip(case: &Case<'_>, limit: crate::units::Quantity) -> Advice {
    let meant = limit.to_string().trim_end_matches('m').to_owned();
    let base = advice(
        format!("write {meant}Mi where {limit} stands"),
        format!("{limit} means {meant} thousandths of a byte; the suffix m is milli"),
        "none: nothing can run in the limit as it is",
    );
    match case.container.and_then(|container| container.name.as_deref()) {
        Some(name) => patched(base, format!("resources:  # of container {name}\n  limits:\n    memory: {meant}Mi")),
        None => base,
    }
}

/// What to do when the OOM killer chose this container though no limit of its own fired.
pub(super) fn node_short(case: &Case<'_>) -> Vec<Advice> {
    let mut list = vec![advice(
        "set memory requests to what the pods of the node really use",
        "the scheduler packs by requests; the node was promised to more memory than it has",
        "fewer pods fit on the node",
    )];
    if case.container.and_then(container_limit).is_none() {
        list.push(advice(
            "give the container a memory limit of its own",
            "without one it may grow until the node's limit kills whichever process scores highest",
            "it is then killed at its own limit, alone",
        ));
    }
    list
}

/// How to see the kernel's words.
pub(super) fn see_kernel_log(case: &Case<'_>, why: &str) -> Advice {
    patched(
        advice("read the node's kernel log around the moment", why, "none: it only reads"),
        kernel_log_command(case),
    )
}
