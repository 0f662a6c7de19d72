//! A service of Docker Compose that nothing limits.

use super::{Finding, Level, Subject};
use crate::lint::workload::Platform;

super::rule!("compose-limit-missing", Error, Program(judge));

fn judge<'a>(subject: &Subject<'_, 'a>) -> Vec<Finding<'a>> {
    let container = subject.container;
    if subject.scene.workload.platform != Platform::Compose {
        return Vec::new();
    }
    let limit = container.resources.memory_limit;
    // Docker takes 0 and -1 for no limit (moby, daemon/daemon_unix.go, `verifyPlatformContainerResources`).
    let (place, message) = match limit {
        Some(none) if none.is_zero() || none.text == "-1" => {
            (none.node, format!("service `{}` has a memory limit of {}, which is none", container.name, none.text))
        }
        None if !container.is_open => {
            (container.title_node(), format!("service `{}` has no memory limit", container.name))
        }
        _ => return Vec::new(),
    };
    let finding = Finding::new(Level::Error, place, message).label("may take all of the machine's memory");
    let finding = match container.resources.memory_request {
        Some(request) => finding.related(request.node, "a reservation limits nothing"),
        None => finding,
    };
    vec![
        finding
            .note("where it grows without bound the machine runs out, and the kernel may kill another process")
            .help("set mem_limit (or deploy.resources.limits.memory); `oomph size` derives it from what was used"),
    ]
}
