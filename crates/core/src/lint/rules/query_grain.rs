//! Usage and limit summed over a pod, while every container has a limit of its own.

use super::query::{Grouping, Kind, ratios};
use super::{Finding, Query};
use crate::lint::query::Expr;

super::rule!("query-grain", Warning, Query(judge));

fn judge<'a>(query: &Query<'a>) -> Vec<Finding<'a>> {
    let Ok(expr) = &query.expr else { return Vec::new() };
    let finding = |(usage, limit): (&Expr, &Expr)| {
        let message = format!("{} compares sums over a pod, and a container is killed at its own limit", query.title());
        query
            .finding(query.level(), usage.span, message)
            .label("all containers of a pod together")
            .related(query.place(limit.span), "their limits together")
            .note("980 of 1000 MiB beside a sidecar at 100 of 1000 MiB: (980 + 100) / (1000 + 1000) = 54 %, and the first is about to be killed")
            .note("beside a container without a limit: its usage is in the sum and no limit of its own, so that the share may be over 100 % while nothing is wrong")
            .help("keep the container on both sides: `max by (namespace, pod, container) (USAGE{container!=\"\", image!=\"\"}) / max by (namespace, pod, container) (LIMIT)`")
    };
    let sums = ratios(expr).into_iter().filter_map(|it| Some((summed_over_pod(it.usage)?, summed_over_pod(it.limit)?)));
    sums.map(finding).collect()
}

/// A sum that tells pods apart, and not their containers.
fn summed_over_pod(expr: &Expr) -> Option<&Expr> {
    let (it, operator, grouping) = expr.aggregation()?;
    let drops = |grouping: &Grouping| {
        let pod = ["pod", "pod_name"].iter().any(|label| grouping.keeps(label) == Some(true));
        pod && grouping.drops_all(&["container", "container_name"])
    };
    let is_one =
        |it: &Expr| matches!(&it.kind, Kind::Selector(it) if it.pins("container") || it.pins("container_name"));
    (operator == "sum" && grouping.is_some_and(drops) && !it.sources().into_iter().any(is_one)).then_some(it)
}
