//! An average over replicas in which the one that is about to be killed is lost.

use super::query::{Grouping, Kind, Selector, is_comparison, is_memory};
use super::{Finding, Query};
use crate::lint::query::{Expr, Purpose};

super::rule!("query-percentile", Warning, Query(judge));

fn judge<'a>(query: &Query<'a>) -> Vec<Finding<'a>> {
    let Ok(expr) = query.expr.as_ref() else { return Vec::new() };
    if query.purpose != Purpose::Alert {
        return Vec::new();
    }
    let mut findings = Vec::new();
    for it in expr.all() {
        let Kind::Binary { operator, left, right, .. } = &it.kind else { continue };
        if !is_comparison(operator) {
            continue;
        }
        for side in [left, right] {
            let Some((at, word)) = over_replicas(side) else { continue };
            let message = format!("{} looks at {word} of several pods, and each is killed by itself", query.title());
            findings.push(
                query
                    .finding(query.level(), at.span, message)
                    .label("one pod at its limit is lost among the others")
                    .note("one replica at 100 % and nine at 40 %: (100 + 9 * 40) / 10 = 46 %, and the median is 40 %")
                    .help("keep pod and container, or take the highest: `max by (namespace, pod, container) (...)`"),
            );
        }
    }
    findings
}

/// An average or a quantile that drops the pod.
fn over_replicas(expr: &Expr) -> Option<(&Expr, &'static str)> {
    let (it, operator, grouping) = expr.aggregation()?;
    let Kind::Aggregate { arguments, .. } = &it.kind else { return None };
    let word = match operator {
        "avg" => "the average",
        "quantile" if matches!(arguments.first().map(|it| &it.kind), Some(Kind::Number(rank)) if *rank < 1.0) => {
            "a quantile"
        }
        _ => return None,
    };
    let drops = |grouping: &Grouping| grouping.drops_all(&["pod", "pod_name", "uid", "id", "name", "instance", "node"]);
    let is_many = |it: &Selector| {
        is_memory(it) && !it.open && !["pod", "pod_name", "id", "name"].iter().any(|label| it.pins(label))
    };
    let many = it.sources().into_iter().any(|it| matches!(&it.kind, Kind::Selector(selector) if is_many(selector)));
    (many && grouping.is_none_or(drops)).then_some((it, word))
}
