//! Limits and requests of pods that have ended, beside the usage of those that run.

use super::query::{Grouping, Kind, Selector, is_comparison, is_limit, is_memory, is_request};
use super::{Finding, Query};
use crate::lint::query::Expr;

super::rule!("query-finished-pods", Warning, Query(judge));

/// What the sum is measured by, and no finished pod takes anything of.
const CAPACITY: [&str; 6] = [
    "kube_node_status_allocatable",
    "kube_node_status_allocatable_memory_bytes",
    "kube_node_status_capacity",
    "kube_node_status_capacity_memory_bytes",
    "node_memory_MemTotal_bytes",
    "machine_memory_bytes",
];

fn judge<'a>(query: &Query<'a>) -> Vec<Finding<'a>> {
    let Ok(expr) = &query.expr else { return Vec::new() };
    let mut findings = Vec::new();
    for it in expr.all() {
        let Kind::Binary { operator, left, right, .. } = &it.kind else { continue };
        if !matches!(*operator, "/" | "-") && !is_comparison(operator) {
            continue;
        }
        for (sum, measure) in [(left, right), (right, left)] {
            let Some(at) = sum_of_all(sum).filter(|_| has(measure, is_measure)) else { continue };
            let message = format!("{} also counts what finished pods had asked for", query.title());
            findings.push(
                query
                    .finding(query.level(), at.span, message)
                    .label("of pods in every phase")
                    .note("kube-state-metrics has limits and requests of a Succeeded or Failed pod until it is deleted: 950 MiB used of 1000 MiB, beside a finished pod of 1000 MiB, is 950 / 2000 = 47.5 %")
                    .help("take pods that run: `... * on (namespace, pod) group_left () max by (namespace, pod) (kube_pod_status_phase{phase=~\"Pending|Running\"} == 1)` inside of the sum"),
            );
        }
    }
    findings
}

fn is_measure(selector: &Selector) -> bool {
    is_memory(selector) || selector.metric.as_deref().is_some_and(|name| CAPACITY.contains(&name))
}

fn has(expr: &Expr, test: fn(&Selector) -> bool) -> bool {
    expr.sources().into_iter().any(|it| matches!(&it.kind, Kind::Selector(selector) if test(selector)))
}

/// A sum over pods of what kube-state-metrics says of them, whatever their phase.
fn sum_of_all(expr: &Expr) -> Option<&Expr> {
    let (it, operator, grouping) = expr.aggregation()?;
    let drops = |grouping: &Grouping| grouping.drops_all(&["pod", "pod_name", "uid"]);
    if operator != "sum" || !grouping.is_none_or(drops) {
        return None;
    }
    let mut selectors = it.selectors().map(|(_, selector)| selector).peekable();
    selectors.peek()?;
    // Another metric in it may choose the pods that run.
    selectors.all(|it| is_of_spec(it) && !it.open && !it.pins("pod")).then_some(it)
}

fn is_of_spec(selector: &Selector) -> bool {
    let name = selector.metric.as_deref().unwrap_or_default();
    name.starts_with("kube_pod_") && (is_limit(selector) || is_request(selector))
}
