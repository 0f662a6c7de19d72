//! A container that nothing limits.

use super::{Finding, Level, Subject};

super::rule!("limit-missing", Error, Container(judge));

fn judge<'a>(subject: &Subject<'_, 'a>) -> Vec<Finding<'a>> {
    let (container, workload) = (subject.container, subject.scene.workload);
    let given = |amount: Option<crate::lint::workload::Amount<'_>>| amount.is_some_and(|amount| !amount.is_zero());
    let limited = given(container.resources.memory_limit) || given(workload.resources.memory_limit);
    if limited || container.is_patch() || subject.own_limit().is_some() {
        return Vec::new();
    }
    let title = container.title();
    let finding = match container.resources.memory_limit {
        Some(zero) => Finding::new(Level::Error, zero.node, format!("{title} has a memory limit of 0, which is none")),
        None => Finding::new(Level::Error, container.title_node(), format!("{title} has no memory limit"))
            .label("may take all of the node's memory"),
    };
    let finding = match container.resources.memory_request {
        Some(request) => finding.related(request.node, "a request limits nothing"),
        None => finding,
    };
    vec![
        finding
            .note("where it grows without bound the node runs out, and the kernel may kill another pod's process")
            .help("set resources.limits.memory; `oomph size` derives it from what was used"),
    ]
}
