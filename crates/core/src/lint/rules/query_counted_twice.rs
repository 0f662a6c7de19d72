//! Sums in which the same bytes stand twice.

use super::query::{Grouping, Kind, Matcher, Selector, is_memory};
use super::{Finding, Level, Query};
use crate::lint::query::{Expr, Purpose};

super::rule!("query-counted-twice", Warning, Query(judge));

/// What tells a container's series from its pod's.
const OF_CONTAINER: [&str; 5] = ["container", "container_name", "image", "name", "id"];
/// What tells the kubelet's two endpoints apart, by the label or by what one of them leaves out.
const OF_ENDPOINT: [&str; 6] = ["image", "name", "id", "metrics_path", "endpoint", "service"];

fn judge<'a>(query: &Query<'a>) -> Vec<Finding<'a>> {
    let Ok(expr) = &query.expr else { return Vec::new() };
    let mut findings = Vec::new();
    for it in expr.all() {
        let Kind::Aggregate { operator, grouping, arguments } = &it.kind else { continue };
        let Some((at, selector)) = arguments.last().and_then(direct).filter(|_| operator == "sum") else {
            continue;
        };
        let drops = |labels: &[&str]| grouping.as_ref().is_none_or(|grouping: &Grouping| grouping.drops_all(labels));
        if !is_memory(selector) || selector.open || of_other_endpoint(selector) {
            continue;
        }
        if drops(&OF_CONTAINER) && !OF_CONTAINER.iter().any(|label| selector.of(label).any(chooses)) {
            let message = format!("{} adds each container to its pod, which holds it already", query.title());
            findings.push(
                query
                    .finding(Level::Warning, at.span, message)
                    .label("containers, and the cgroups above them")
                    .note("cAdvisor has a series for the pod's cgroup too, without `container`: 300 MiB in one container come to 600 MiB or more")
                    .help("leave the cgroups above out: `{container!=\"\", image!=\"\"}`"),
            );
        } else if selector.is("container_memory_working_set_bytes")
            && query.purpose != Purpose::Panel
            && drops(&OF_ENDPOINT)
            && !OF_ENDPOINT.iter().any(|label| selector.of(label).any(|_| true))
        {
            let message = format!("{} counts twice where both of the kubelet's endpoints are scraped", query.title());
            findings.push(
                query
                    .finding(Level::Info, at.span, message)
                    .note("/metrics/cadvisor and /metrics/resource have a metric of this name; after a restart the series of the old container may overlap with that of the new one")
                    .help("`max by (namespace, pod, container) (container_memory_working_set_bytes{container!=\"\", image!=\"\"})` takes each container once"),
            );
        }
    }
    findings
}

/// The selector that an aggregation adds up itself, behind functions of one series.
fn direct(expr: &Expr) -> Option<(&Expr, &Selector)> {
    match &expr.kind {
        Kind::Selector(selector) => Some((expr, selector)),
        Kind::Call(function, arguments) if function.ends_with("_over_time") => direct(arguments.last()?),
        Kind::Binary { operator: "*" | "/", left, right, .. } if right.is_scalar() => direct(left),
        _ => None,
    }
}

/// It leaves series without the label out, or wants nothing else, or a variable decides.
fn chooses(matcher: &Matcher) -> bool {
    matcher.is_variable() || matcher.operator == "=" || !matcher.admits_absent()
}

/// /metrics/resource has containers only.
fn of_other_endpoint(selector: &Selector) -> bool {
    ["metrics_path", "job", "endpoint"].iter().any(|label| selector.of(label).any(|it| it.value.contains("resource")))
}
