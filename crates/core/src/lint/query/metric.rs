//! What the metrics of cAdvisor and kube-state-metrics measure.

use super::expr::{Expr, Kind, Selector, is_comparison};

/// Memory that containers hold, in bytes, by cAdvisor (github.com/google/cadvisor, lib/metrics, 2026).
pub fn is_memory(selector: &Selector) -> bool {
    const WORDS: [&str; 12] = [
        "working_set_bytes",
        "usage_bytes",
        "max_usage_bytes",
        "rss",
        "cache",
        "swap",
        "mapped_file",
        "kernel_usage",
        "total_active_file_bytes",
        "total_inactive_file_bytes",
        "file_dirty_bytes",
        "file_writeback_bytes",
    ];
    let name = selector.metric.as_deref().and_then(|name| name.strip_prefix("container_memory_"));
    name.is_some_and(|name| WORDS.contains(&name))
}

/// Memory limits of containers.
pub fn is_limit(selector: &Selector) -> bool {
    is_of("limits", selector) || selector.is("container_spec_memory_limit_bytes")
}

/// Memory requests of containers.
pub fn is_request(selector: &Selector) -> bool {
    is_of("requests", selector)
}

/// kube-state-metrics names the resource in a label since 2.0, and named it in the metric before.
fn is_of(what: &str, selector: &Selector) -> bool {
    let Some(name) = selector.metric.as_deref() else { return false };
    let rest = name.strip_prefix("kube_pod_container_resource_").or_else(|| {
        // What kubernetes-mixin records of pods that still run (rules/apps.libsonnet).
        name.strip_prefix("kube_pod_init_container_resource_")
            .or_else(|| name.strip_prefix("cluster:namespace:pod_memory:active:kube_pod_container_resource_"))
    });
    let Some(rest) = rest else { return false };
    if name.starts_with("cluster:") {
        return rest == what;
    }
    let is_memory = || {
        selector.of("resource").any(|it| it.value == "memory" && matches!(it.operator, "=" | "=~"))
            || selector.of("unit").any(|it| it.value == "byte" && it.operator == "=")
                && !selector.of("resource").any(|_| true)
    };
    rest.strip_prefix(what).is_some_and(|rest| rest == "_memory_bytes" || rest.is_empty() && is_memory())
}

/// Usage against a limit, as a share, a difference or a comparison.
#[derive(Debug, Clone, Copy)]
pub struct Ratio<'e> {
    /// All of it.
    pub whole: &'e Expr,
    /// What is used.
    pub usage: &'e Expr,
    /// What may be used.
    pub limit: &'e Expr,
}

/// Every comparison of usage with a limit.
pub fn ratios(expr: &Expr) -> Vec<Ratio<'_>> {
    let has = |side: &Expr, test: fn(&Selector) -> bool| {
        side.sources().into_iter().any(|it| matches!(&it.kind, Kind::Selector(selector) if test(selector)))
    };
    let mut ratios = Vec::new();
    for whole in expr.all() {
        let Kind::Binary { operator, left, right, .. } = &whole.kind else { continue };
        if !matches!(*operator, "/" | "-") && !is_comparison(operator) {
            continue;
        }
        for (usage, limit) in [(left, right), (right, left)] {
            if has(usage, is_memory) && !has(usage, is_limit) && has(limit, is_limit) && !has(limit, is_memory) {
                ratios.push(Ratio { whole, usage, limit });
            }
        }
    }
    ratios
}
