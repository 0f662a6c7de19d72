//! Usage with its page cache against a limit: the kernel takes the cache back before it kills.

use super::query::{Kind, Selector, ratios};
use super::{Finding, Query};
use crate::lint::query::Expr;

super::rule!("query-reclaimable", Warning, Query(judge));

fn judge<'a>(query: &Query<'a>) -> Vec<Finding<'a>> {
    let Ok(expr) = &query.expr else { return Vec::new() };
    // Whoever looks at what cannot be reclaimed as well has thought of it.
    let knows = |it: &Selector| {
        let words = ["rss", "working_set", "inactive_file", "cache", "anon"];
        it.metric.as_deref().is_none_or(|name| words.iter().any(|word| name.contains(word)))
    };
    if expr.selectors().any(|(_, it)| knows(it)) {
        return Vec::new();
    }
    let mut findings = Vec::new();
    for ratio in ratios(expr) {
        let Some((at, name)) = ratio.usage.sources().into_iter().find_map(with_cache) else { continue };
        let message = format!("{} holds page cache against a limit", query.title());
        findings.push(
            query
                .finding(query.level(), at.span, message)
                .label(format!("{name} counts every page of a file that was read or written"))
                .related(query.place(ratio.limit.span), "the kernel reclaims such pages here, before it kills")
                .note("a container that reads 10 GiB of files is at 100 % of any smaller limit, and in no danger")
                .help("use container_memory_working_set_bytes, and call it grave only where container_memory_rss is high too"),
        );
    }
    findings
}

/// `memory.current` and `memory.peak` (cAdvisor, container/libcontainer/handler.go, 2026).
fn with_cache(expr: &Expr) -> Option<(&Expr, &str)> {
    let Kind::Selector(selector) = &expr.kind else { return None };
    let names = ["container_memory_usage_bytes", "container_memory_max_usage_bytes"];
    let name = selector.metric.as_deref().filter(|name| names.contains(name))?;
    Some((expr, name))
}
