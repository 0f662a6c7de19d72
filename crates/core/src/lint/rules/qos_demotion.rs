//! One container without equal requests and limits takes Guaranteed away from all.

use super::{Container, ContainerKind, Finding, Level, Scene};
use crate::fact::{Container as Fact, Qos};
use crate::kubelet;

super::rule!("qos-demotion", Warning, Workload(judge));

fn judge<'a>(scene: &Scene<'_, 'a>) -> Vec<Finding<'a>> {
    let pod = scene.pod();
    let own = crate::fact::Resources::default();
    if pod.resources != own || kubelet::qos(pod) != Some(Qos::Burstable) {
        return Vec::new();
    }
    let containers = || scene.subjects().zip(&pod.containers);
    if scene.workload.containers.iter().any(Container::is_patch) {
        return Vec::new();
    }
    // Somebody meant it: one of the containers that do the work has everything.
    let Some((meant, _)) = containers().find(|(it, fact)| it.container.kind == ContainerKind::App && is_equal(fact))
    else {
        return Vec::new();
    };
    let others = containers().filter(|(_, fact)| !is_equal(fact));
    let finding = |(it, fact): (super::Subject<'_, 'a>, &Fact)| {
        let title = it.container.title();
        Finding::new(
            Level::Warning,
            it.container.title_node(),
            format!("{title} makes the pod Burstable, and {} would be Guaranteed", meant.container.title()),
        )
        .label(missing(fact))
        .related(meant.container.title_node(), "has requests equal to limits, of memory and of CPU")
        .note("a Guaranteed pod has oom_score_adj -997; a Burstable one is killed and evicted before it")
        .help("give it memory and CPU requests that equal its limits")
        .of_container(it.container.name)
    };
    others.map(finding).collect()
}

fn is_equal(it: &Fact) -> bool {
    let it = &it.resources;
    let equal = |request: Option<crate::units::Quantity>, limit: Option<crate::units::Quantity>| {
        limit.is_some_and(|limit| !limit.is_zero() && request.unwrap_or(limit) == limit)
    };
    equal(it.memory_request, it.memory_limit) && equal(it.cpu_request, it.cpu_limit)
}

fn missing(it: &Fact) -> &'static str {
    let it = &it.resources;
    match (it.memory_limit.is_some(), it.cpu_limit.is_some()) {
        (false, false) => "has neither a memory nor a CPU limit",
        (false, true) => "has no memory limit",
        (true, false) => "has no CPU limit",
        (true, true) => "requests less than its limits",
    }
}
