//! Pods joined by their name alone, over all namespaces.

use super::query::{Grouping, Kind, Selector};
use super::{Finding, Query};
use crate::lint::query::Expr;
use crate::lint::tree::Span;

super::rule!("query-namespace", Warning, Query(judge));

fn judge<'a>(query: &Query<'a>) -> Vec<Finding<'a>> {
    let Ok(expr) = &query.expr else { return Vec::new() };
    let mut findings = Vec::new();
    for it in expr.all() {
        let Kind::Binary { left, right, matching, .. } = &it.kind else { continue };
        let Some((at, other)) = joined_by_pod(left, right, matching.as_ref()) else { continue };
        if ![left, right].into_iter().all(|side| side.sources().into_iter().any(|it| is_of_pods(it, false)))
            || ![left, right].into_iter().any(|side| side.sources().into_iter().any(|it| is_of_pods(it, true)))
        {
            continue;
        }
        let message = format!("{} takes pods of the same name in two namespaces for one", query.title());
        let finding = query
            .finding(query.level(), at, message)
            .label("no `namespace`")
            .note("prod/redis-0 at 950 of 1000 MiB and staging/redis-0 at 100 of 1000 MiB: (950 + 100) / (1000 + 1000) = 53 % for both")
            .help("a pod's name is unique in its namespace only: add `namespace` to the labels");
        findings.push(match other {
            Some(other) => finding.related(query.place(other), "no `namespace` either"),
            None => finding,
        });
    }
    findings
}

/// What two sides are joined by, where that is a pod's name without its namespace or uid.
fn joined_by_pod(left: &Expr, right: &Expr, matching: Option<&Grouping>) -> Option<(Span, Option<Span>)> {
    let alone = |grouping: &Grouping| {
        let pod = ["pod", "pod_name"].iter().any(|label| grouping.keeps(label) == Some(true));
        let apart = ["namespace", "exported_namespace", "kubernetes_namespace", "uid", "pod_uid", "id"];
        (!grouping.but && pod && grouping.drops_all(&apart)).then_some(grouping.span)
    };
    let of = |side: &Expr| side.aggregation().and_then(|(.., grouping)| alone(grouping?));
    match matching {
        Some(matching) => alone(matching).map(|at| (at, None)),
        None => Some((of(left)?, Some(of(right)?))),
    }
}

/// A metric of pods; `open`: of those in several namespaces.
fn is_of_pods(expr: &Expr, open: bool) -> bool {
    let is = |it: &Selector| {
        let name = it.metric.as_deref().unwrap_or_default();
        let of_pods = name.starts_with("kube_pod_") || name.starts_with("container_");
        of_pods && !(open && (it.pins("namespace") || it.pins("uid") || it.pins("id")))
    };
    matches!(&expr.kind, Kind::Selector(selector) if is(selector))
}
