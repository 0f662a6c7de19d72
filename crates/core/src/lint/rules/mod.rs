//! The rules: one file each, one page each, one word in the table.
//!
//! A page (`pages/ID.md`) says what the rule does and why. Its first block of YAML (or Dockerfile) is found by the rule
//! on the line that ends in `# <-` (or stands below one), its second is not found at all: the page is the test, the
//! help and the documentation.

use super::finding::{Finding, Level};
use super::query::{self, Query};
use super::rule::{Judge, Rule};
use super::subject::{Scene, Subject};
use super::workload::{Container, ContainerKind};

/// Declares the modules and the table in one go.
macro_rules! rules {
    ($($name:ident),* $(,)?) => {
        $(mod $name;)*

        /// Every rule.
        pub static RULES: &[Rule] = &[$($name::RULE),*];
    };
}

/// A rule whose page has its name.
macro_rules! rule {
    ($id:literal, $level:ident, $($judge:ident($function:path)),+ $(,)?) => {
        pub(super) const RULE: super::Rule = super::Rule {
            id: $id,
            level: super::Level::$level,
            page: include_str!(concat!("pages/", $id, ".md")),
            judges: &[$(super::Judge::$judge($function)),+],
        };
    };
}
use rule;

rules! {
    quantity_milli,
    quantity_case,
    request_gt_limit,
    limit_missing,
    limit_below_runtime_min,
    request_missing,
    qos_class,
    qos_demotion,
    limit_request_ratio,
    jvm_heap_ge_limit,
    jvm_headroom,
    jvm_no_metaspace_cap,
    jvm_no_direct_cap,
    jvm_flag_conflict,
    jvm_percentage_fraction,
    jvm_cgroup_support,
    node_heap_ge_limit,
    node_headroom,
    go_memlimit_missing,
    go_memlimit_ge_limit,
    go_memlimit_multiproc,
    gogc_off_without_memlimit,
    dotnet_gc_limit,
    gunicorn_workers,
    py_workers,
    puma_workers,
    php_fpm_children,
    redis_maxmemory,
    pg_shared_buffers,
    mysql_buffer_pool,
    mongo_cache,
    memcached_memory,
    neo4j_pagecache,
    es_heap,
    spark_overhead,
    probe_exec_cost,
    replicas_vpa_hpa_memory,
    heap_dump_lost,
    tmpfs_unbounded,
    compose_limit_missing,
    compose_amount,
    compose_request_gt_limit,
    query_oom_reason,
    query_grain,
    query_namespace,
    query_counted_twice,
    query_finished_pods,
    query_reclaimable,
    query_unlimited,
    query_slope,
    query_percentile,
    query_unread,
    dockerfile_heap_fixed,
    dockerfile_heap_whole,
    dockerfile_flags_unread,
    suppression_unused,
    suppression_without_reason,
}

pub(super) use suppression_unused::ID as SUPPRESSION_UNUSED;
pub(super) use suppression_without_reason::ID as SUPPRESSION_WITHOUT_REASON;

#[cfg(test)]
mod tests;
