//! Usage against cAdvisor's limit, which is 0 where there is none.

use super::query::{Kind, Selector, is_comparison, ratios};
use super::{Finding, Query};
use crate::lint::query::{Expr, Purpose};

super::rule!("query-unlimited", Warning, Query(judge));

const LIMIT: &str = "container_spec_memory_limit_bytes";

fn judge<'a>(query: &Query<'a>) -> Vec<Finding<'a>> {
    let Ok(expr) = &query.expr else { return Vec::new() };
    if query.purpose != Purpose::Alert || is_bounded(expr) {
        return Vec::new();
    }
    let mut findings = Vec::new();
    for ratio in ratios(expr) {
        let Kind::Binary { operator, .. } = &ratio.whole.kind else { continue };
        let mut sources = ratio.limit.sources().into_iter();
        let Some(at) = sources.find(|it| is_limit(it)).filter(|_| matches!(*operator, "/" | "-")) else { continue };
        let outcome = if *operator == "/" {
            "usage / 0 is +Inf, over every threshold"
        } else {
            "0 - usage is below zero, under every threshold"
        };
        let message = format!("{} fires for every container that has no limit", query.title());
        findings.push(
            query
                .finding(query.level(), at.span, message)
                .label("0 where there is no limit")
                .note(outcome)
                .help(format!("leave such containers out: `({LIMIT} > 0)`")),
        );
    }
    findings
}

fn is_limit(expr: &Expr) -> bool {
    matches!(&expr.kind, Kind::Selector(it) if it.is(LIMIT))
}

/// Something in it leaves containers without a limit out: the limit itself or the share is compared, or the limit stands
/// in it a second time.
fn is_bounded(expr: &Expr) -> bool {
    let limits = expr.selectors().filter(|(_, it): &(_, &Selector)| it.is(LIMIT)).count();
    let compares = |it: &Expr| match &it.kind {
        Kind::Binary { operator, left, right, .. } if is_comparison(operator) => {
            let of_limit = [left, right].into_iter().any(|it| is_limit(it));
            let from_above = matches!(*operator, "<" | "<=" | "!=") && right.is_scalar() && !is_difference(left);
            of_limit || from_above
        }
        _ => false,
    };
    limits != 1 || expr.all().into_iter().any(compares)
}

fn is_difference(expr: &Expr) -> bool {
    matches!(expr.kind, Kind::Binary { operator: "-", .. })
}
