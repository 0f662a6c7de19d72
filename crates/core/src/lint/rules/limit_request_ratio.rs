//! A limit far over the request.

use super::{Finding, Level, Subject};
use crate::kubelet;
use crate::lint::subject::{LimitOrigin, NODE};

super::rule!("limit-request-ratio", Warning, Container(judge));

fn judge<'a>(subject: &Subject<'_, 'a>) -> Vec<Finding<'a>> {
    let (Some(limit), Some(request)) = (subject.own_limit(), subject.request()) else { return Vec::new() };
    // Over 2.5 times, and somebody of this manifest says so.
    let is_over = u128::from(limit.bytes.0) * 2 > u128::from(request.bytes.0) * 5;
    if !is_over || (limit.origin.is_from_elsewhere() && request.origin.is_from_elsewhere()) {
        return Vec::new();
    }
    let ratio = limit.bytes.0 as f64 / request.bytes.0 as f64;
    let (place, other, of_request) = match limit.origin {
        LimitOrigin::LimitRange(_) | LimitOrigin::Admitted(..) => (request.place, limit.place, false),
        _ => (limit.place, request.place, true),
    };
    let pod = subject.scene.pod();
    let own = pod.containers.iter().find(|it| it.name.as_deref() == Some(subject.container.name));
    let adj = own.and_then(|own| kubelet::oom_score_adj(pod, own, Some(NODE)));
    let message = format!("the limit of {} is {ratio:.1} times the request of {}", limit.bytes, request.bytes);
    let mut finding = Finding::new(Level::Warning, place, message)
        .label("what is used beyond the request is not reserved anywhere")
        .related(other, if of_request { "the scheduler reserves this" } else { "limit" })
        .help("request what it usually takes; `oomph size` derives both");
    if let Some(adj) = adj {
        finding = finding
            .note(format!("oom_score_adj {adj}: under node pressure it is among the first to be killed and evicted"))
            .assume("a node with 16 GiB");
    }
    vec![finding]
}
