//! A container that requests nothing, or what its limit says.

use super::{Finding, Level, Subject};
use crate::lint::subject::LimitOrigin;

super::rule!("request-missing", Warning, Container(judge));

fn judge<'a>(subject: &Subject<'_, 'a>) -> Vec<Finding<'a>> {
    let (container, workload) = (subject.container, subject.scene.workload);
    let pod = workload.resources;
    // A limit that a pod was admitted with brought a request along.
    let by_admission = subject.own_limit().is_some_and(|limit| matches!(limit.origin, LimitOrigin::Admitted(..)));
    let decided = container.resources.memory_request.is_some() || subject.request().is_some() || by_admission;
    if decided || container.is_patch() || pod.memory_request.is_some() || pod.memory_limit.is_some() {
        return Vec::new();
    }
    let title = container.title();
    if let Some(limit) = container.resources.memory_limit.filter(|limit| !limit.is_zero()) {
        // An amount that means nothing is found elsewhere.
        let Some(bytes) = limit.bytes() else { return Vec::new() };
        return vec![
            Finding::new(Level::Info, limit.node, format!("{title} requests what its limit says, {bytes}"))
                .label("a request that is not given is the limit")
                .help("write the request down, so that nobody has to know the rule"),
        ];
    }
    vec![
        Finding::new(Level::Warning, container.title_node(), format!("{title} requests no memory"))
            .label("the scheduler counts it as nothing")
            .note("under memory pressure the kubelet evicts first what uses more than it requested")
            .help("set resources.requests.memory to what it uses; `oomph size` derives it"),
    ]
}
