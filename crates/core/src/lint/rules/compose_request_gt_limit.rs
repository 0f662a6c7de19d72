//! A reservation over the limit is refused by the engine.

use super::{Finding, Level, Subject};
use crate::lint::workload::Platform;

super::rule!("compose-request-gt-limit", Error, Program(judge));

fn judge<'a>(subject: &Subject<'_, 'a>) -> Vec<Finding<'a>> {
    let resources = subject.container.resources;
    let (Some(reservation), Some(limit)) = (resources.memory_request, resources.memory_limit) else {
        return Vec::new();
    };
    let (Some(reserves), Some(limits)) = (reservation.bytes(), limit.bytes()) else { return Vec::new() };
    if subject.scene.workload.platform != Platform::Compose || reserves <= limits {
        return Vec::new();
    }
    vec![
        Finding::new(
            Level::Error,
            reservation.node,
            format!("the memory reservation of {reserves} is more than the limit of {limits}"),
        )
        .related(limit.node, format!("limit: {limits}"))
        .note("the engine refuses to create the container")
        .help(format!("reserve at most {limits}, or raise the limit")),
    ]
}
