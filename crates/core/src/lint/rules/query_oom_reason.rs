//! Alerts on the reason of the last termination: it stays until the container ends again, and it counts nothing.

use super::query::{Expr, Kind, Selector, is_comparison};
use super::{Finding, Query};
use crate::lint::query::Purpose;

super::rule!("query-oom-reason", Warning, Query(judge));

const USE: &str = "join it with its time: `max by (namespace, pod, uid, container) (LAST_TERMINATED_REASON{reason=\
                   \"OOMKilled\"}) == 1 and on (namespace, pod, uid, container) max by (namespace, pod, uid, container) \
                   (time() - LAST_TERMINATED_TIMESTAMP) < 600`";

/// Of two metrics of kube-state-metrics, for containers and for init containers and sidecars.
fn is_reason(selector: &Selector) -> bool {
    let name = selector.metric.as_deref();
    let is_one = name
        .is_some_and(|name| name.starts_with("kube_pod_") && name.ends_with("container_status_last_terminated_reason"));
    // Another reason is another alert.
    is_one && selector.of("reason").any(|it| it.operator.starts_with('=') && it.value.contains("OOM"))
}

fn judge<'a>(query: &Query<'a>) -> Vec<Finding<'a>> {
    let Ok(expr) = &query.expr else { return Vec::new() };
    let Some((reason, selector)) = expr.selectors().find(|(_, it)| is_reason(it)) else { return Vec::new() };
    let metric = selector.metric.as_deref().unwrap_or_default();
    let time = metric.replace("_reason", "_timestamp");
    let help = || USE.replace("LAST_TERMINATED_REASON", metric).replace("LAST_TERMINATED_TIMESTAMP", &time);
    if let Some((call, function)) = changes_of_reason(expr) {
        let message = format!("{} takes `{function}` of a value that is always 1: it is always 0", query.title());
        let finding = query.finding(query.level(), call.span, message);
        let finding = finding.note("the metric says why the container ended last; a second kill changes nothing in it");
        return vec![finding.help(help())];
    }
    if query.purpose != Purpose::Alert {
        return Vec::new();
    }
    if stays(expr) {
        let message = format!("{} fires once a container has been killed, and never stops", query.title());
        let finding = query.finding(query.level(), reason.span, message).label("1 until the container ends again");
        let finding = finding
            .note("a container killed at noon that has run ever since still fires at midnight, and a second kill is no news")
            .note("kills of Jobs are in kube_pod_container_status_terminated_reason, those of init containers and sidecars in kube_pod_init_container_status_last_terminated_reason");
        return vec![finding.help(help())];
    }
    let Some(before) = restarts_before(expr) else { return Vec::new() };
    let message = format!("{} is silent about a kill in a container's first minutes", query.title());
    let finding = query
        .finding(query.level(), before.span, message)
        .label("no such series while the container is younger than that")
        .note("a difference needs both sides: a container that is killed 5 minutes after its start has no count of 10 minutes ago");
    let finding = match window_of_reason(expr) {
        Some(window) => finding.related(query.place(window.span), "sees the reason of an earlier end as well"),
        None => finding,
    };
    vec![finding.help(help())]
}

/// As long as the reason is there, so is the result.
fn stays(expr: &Expr) -> bool {
    match &expr.kind {
        Kind::Selector(selector) => is_reason(selector) && expr.moved.is_none(),
        Kind::Subquery(inner, _) => stays(inner),
        Kind::Aggregate { arguments, .. } => arguments.last().is_some_and(stays),
        Kind::Call(function, arguments) => {
            let keeps = [
                "max_over_time",
                "min_over_time",
                "avg_over_time",
                "last_over_time",
                "sum_over_time",
                "count_over_time",
                "label_replace",
            ];
            keeps.contains(&function.as_str()) && arguments.first().is_some_and(stays)
        }
        Kind::Binary { operator: "and", left, right, .. } if stays(left) && stays(right) => true,
        Kind::Binary { operator: "or", left, right, .. } => stays(left) || stays(right),
        Kind::Binary { operator: "*" | "and", left, right, .. } => {
            stays(left) && is_fixed(right) || is_fixed(left) && stays(right)
        }
        // A comparison that the value 1 passes.
        Kind::Binary { operator, left, right, .. } if is_comparison(operator) => {
            let Kind::Number(value) = right.kind else { return false };
            let passes = match *operator {
                ">" => value < 1.0,
                ">=" => value <= 1.0,
                "==" => (value - 1.0).abs() < f64::EPSILON,
                "!=" => value == 0.0,
                _ => false,
            };
            passes && stays(left)
        }
        _ => false,
    }
}

/// Names and owners: they are there as long as the pod is.
fn is_fixed(expr: &Expr) -> bool {
    let names = ["kube_pod_info", "kube_pod_labels", "kube_pod_owner", "kube_pod_container_info"];
    expr.is_scalar()
        || expr.selectors().count() > 0 && expr.selectors().all(|(_, it)| names.iter().any(|name| it.is(name)))
}

/// `increase(reason[10m])`. kube-state-metrics emits the reason that is, and 1 for it (internal/store/pod.go, 2.0).
fn changes_of_reason(expr: &Expr) -> Option<(&Expr, &str)> {
    expr.all().into_iter().find_map(|it| {
        let Kind::Call(function, arguments) = &it.kind else { return None };
        let counts = ["increase", "rate", "irate", "delta", "idelta", "changes", "resets", "deriv"];
        let Kind::Selector(selector) = &arguments.first()?.kind else { return None };
        (counts.contains(&function.as_str()) && is_reason(selector)).then_some((it, function.as_str()))
    })
}

/// `restarts - restarts offset 10m`.
fn restarts_before(expr: &Expr) -> Option<&Expr> {
    let is_restarts = |it: &Expr| matches!(&it.kind, Kind::Selector(selector) if selector.metric.as_deref().is_some_and(|name| name.ends_with("container_status_restarts_total")));
    expr.all().into_iter().find_map(|it| match &it.kind {
        Kind::Binary { operator: "-", left, right, .. } if is_restarts(left) && left.moved.is_none() => {
            (is_restarts(right) && right.moved.is_some()).then_some(&**right)
        }
        _ => None,
    })
}

fn window_of_reason(expr: &Expr) -> Option<&Expr> {
    let mut selectors = expr.selectors();
    selectors.find(|(_, it)| is_reason(it) && it.range.is_some()).map(|(it, _)| it)
}
