//! A request over the limit is refused by the API server.

use super::{Finding, Level, Scene, Subject};
use crate::lint::subject::LimitOrigin;
use crate::lint::surroundings::Surroundings;
use crate::lint::tree::At;
use crate::lint::workload::{Amount, Object, Resources, as_bytes, claims};

super::rule!("request-gt-limit", Error, Container(judge), Workload(judge_pod), Object(judge_claims));

fn judge<'a>(subject: &Subject<'_, 'a>) -> Vec<Finding<'a>> {
    let mut findings = Vec::new();
    if let (Some(request), Some(limit)) = (subject.request(), subject.own_limit())
        && request.bytes > limit.bytes
    {
        let (what, says) = match request.origin {
            LimitOrigin::LimitRange(name) => (format!("the request that LimitRange `{name}` gives"), "requested"),
            LimitOrigin::Admitted(pod, _) => (format!("the request that pod `{pod}` was admitted with"), "requested"),
            _ => ("the memory request".to_owned(), "requested"),
        };
        let of_limit = match limit.origin {
            LimitOrigin::LimitRange(name) => format!("the limit that LimitRange `{name}` gives"),
            LimitOrigin::Admitted(pod, _) => format!("the limit that pod `{pod}` was admitted with"),
            _ => "the limit".to_owned(),
        };
        let message = format!("{what} of {} is more than {of_limit} of {}", request.bytes, limit.bytes);
        findings.push(
            Finding::new(Level::Error, request.place, message)
                .label(format!("{says}: {}", request.bytes))
                .related(limit.place, format!("limit: {}", limit.bytes))
                .note("the API server refuses the pod: a request must not exceed the limit")
                .help(format!("request at most {}, or raise the limit", limit.bytes)),
        );
    }
    // KEP-2837: a container's limit must not exceed its pod's.
    let pod = subject.scene.workload.resources.memory_limit;
    if let (Some(own), Some(pod)) = (subject.container.resources.memory_limit, pod)
        && let (Some(bytes), Some(of_pod)) = (own.bytes(), pod.bytes())
        && bytes > of_pod
    {
        findings.push(
            Finding::new(Level::Error, own.node, format!("the limit of {bytes} is more than the pod's of {of_pod}"))
                .related(pod.node, format!("the pod's limit: {of_pod}"))
                .note("the API server refuses the pod: a container's limit must not exceed its pod's"),
        );
    }
    findings
}

fn judge_pod<'a>(scene: &Scene<'_, 'a>) -> Vec<Finding<'a>> {
    compare(&scene.workload.resources, "the pod's memory request")
}

/// `resources` of a custom resource, of which an operator makes containers.
fn judge_claims<'a>(object: &Object<'a>, _: &Surroundings<'a>) -> Vec<Finding<'a>> {
    let claimed = claims(object);
    claimed.iter().flat_map(|it| compare(it, "the memory request")).chain(ranges(object)).collect()
}

/// A LimitRange whose default request is more than its default limit (`pkg/apis/core/validation`, `ValidateLimitRange`,
/// v1.37).
fn ranges<'a>(object: &Object<'a>) -> Vec<Finding<'a>> {
    if object.kind != "LimitRange" {
        return Vec::new();
    }
    let items = object.node.path(&["spec", "limits"]).into_iter().flat_map(At::items);
    let finding = |item: At<'a>| {
        let of = |name: &str| Some(Amount::read(item.path(&[name, "memory"])?));
        let (request, limit) = (of("defaultRequest")?, of("default")?);
        let (requested, limited) = (request.bytes()?, limit.bytes()?);
        (requested > limited).then(|| {
            let message = format!("the default request of {requested} is more than the default limit of {limited}");
            Finding::new(Level::Error, request.node, message)
                .related(limit.node, format!("limit: {limited}"))
                .note("the API server refuses the LimitRange")
        })
    };
    items.filter_map(finding).collect()
}

fn compare<'a>(of: &Resources<'a>, what: &str) -> Vec<Finding<'a>> {
    let (Some(request), Some(limit)) = (of.memory_request, of.memory_limit) else { return Vec::new() };
    match (as_bytes(Some(request)), as_bytes(Some(limit))) {
        (Some(requested), Some(limited)) if requested > limited => vec![
            Finding::new(
                Level::Error,
                request.node,
                format!("{what} of {requested} is more than its limit of {limited}"),
            )
            .related(limit.node, format!("limit: {limited}"))
            .note("the API server refuses the pod: a request must not exceed the limit"),
        ],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use crate::lint::{Source, lint};

    #[test]
    fn a_default_request_over_the_default_limit_is_refused_too() {
        let found = |request: &str| {
            let text = format!(
                "apiVersion: v1\nkind: LimitRange\nmetadata: {{name: a}}\nspec:\n  limits:\n  - type: Container\n    default: \
                 {{memory: 512Mi}}\n    defaultRequest: {{memory: {request}}}\n"
            );
            let document = lint(&[Source { name: "a.yaml".into(), text }]);
            document.findings.into_iter().map(|it| (it.rule, it.region.line)).collect::<Vec<_>>()
        };
        assert_eq!(found("1Gi"), [("request-gt-limit".to_owned(), 8)]);
        assert_eq!(found("512Mi"), []);
    }
}
