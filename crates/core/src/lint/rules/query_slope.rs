//! Slopes of memory that are none: of a counter's function over a gauge, and over a window that a day's wave fills.

use super::query::{Kind, Range, Selector, is_memory};
use super::{Finding, Query};
use crate::lint::query::{Expr, Purpose};

super::rule!("query-slope", Warning, Query(judge));

const DAY: f64 = crate::units::DAY as f64;

fn judge<'a>(query: &Query<'a>) -> Vec<Finding<'a>> {
    let Ok(expr) = &query.expr else { return Vec::new() };
    let mut findings = Vec::new();
    for it in expr.all() {
        let Kind::Call(function, arguments) = &it.kind else { continue };
        match (function.as_str(), arguments.first()) {
            ("rate" | "increase" | "irate", Some(argument)) if is_gauge(argument) => {
                let message = format!("{} takes `{function}` of memory, which is no counter", query.title());
                findings.push(
                    query
                        .finding(query.level(), it.span, message)
                        .label("every fall is taken for a counter's restart")
                        .note("300, 200, 300 MiB, back where it began: after the fall the 200 are counted as new, so it rose by 200 + 100 = 300 MiB")
                        .help("`delta` and `deriv` are for gauges; of a day's minima, for a leak: deriv(min_over_time(USAGE[2h])[24h:10m])"),
                );
            }
            ("predict_linear" | "deriv", Some(argument)) if query.purpose == Purpose::Alert => {
                let Some(range) = window(argument).filter(|range| range.seconds.is_some_and(|it| it < DAY)) else {
                    continue;
                };
                let message = format!("{} draws a line through less than a day of memory", query.title());
                findings.push(
                    query
                        .finding(query.level(), range.span, message)
                        .label("a start, a garbage collection or a morning fills this window")
                        .note("a collected heap that never passes 1000 MiB was foretold 1827 MiB in 4 hours from one hour of its sawtooth; a start rises by 41 MiB an hour even over 11 hours, a day's wave by 48 in its morning")
                        .help("take the slope of the floor over a day, and compare with yesterday: deriv(min_over_time(USAGE[2h])[24h:10m]) > 0 and min_over_time(USAGE[2h]) > 1.1 * min_over_time(USAGE[2h] offset 24h)"),
                );
            }
            _ => {}
        }
    }
    findings
}

fn is_gauge(expr: &Expr) -> bool {
    match &expr.kind {
        Kind::Selector(selector) => is_gauge_of_memory(selector),
        Kind::Subquery(inner, _) => match &inner.kind {
            Kind::Selector(selector) => is_gauge_of_memory(selector),
            // A sum of gauges is a gauge.
            Kind::Aggregate { operator, arguments, .. }
                if matches!(operator.as_str(), "sum" | "max" | "min" | "avg") =>
            {
                arguments.iter().any(|it| matches!(&it.kind, Kind::Selector(selector) if is_gauge_of_memory(selector)))
            }
            _ => false,
        },
        _ => false,
    }
}

fn is_gauge_of_memory(selector: &Selector) -> bool {
    let names = [
        "process_resident_memory_bytes",
        "jvm_memory_used_bytes",
        "go_memstats_alloc_bytes",
        "go_memstats_heap_inuse_bytes",
    ];
    // What the node exporter reads in /proc/meminfo are amounts.
    let is_node =
        selector.metric.as_deref().is_some_and(|name| name.starts_with("node_memory_") && name.ends_with("_bytes"));
    is_node || is_memory(selector) || names.iter().any(|name| selector.is(name))
}

/// The window of memory that a line is drawn through.
fn window(expr: &Expr) -> Option<Range> {
    match &expr.kind {
        Kind::Selector(selector) => selector.range.filter(|_| is_gauge_of_memory(selector)),
        Kind::Subquery(inner, range) => {
            let mut selectors = inner.selectors().peekable();
            selectors.peek()?;
            selectors.all(|(_, it)| is_gauge_of_memory(it)).then_some(*range)
        }
        _ => None,
    }
}
