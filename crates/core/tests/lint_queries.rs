//! Queries in the shape of well-known rules and dashboards, each written in several kinds of files: every finding is
//! listed here beside the query that it is true of, and there are no others. And the rules that were tried with
//! Prometheus: the right ones are silent, the wrong ones are not.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::needless_raw_string_hashes,
    reason = "a test reads files, fails by panicking, and says what it skips; rows of a table look alike"
)]

use oomph_core::lint::{Document, Level, Source, lint};

mod shared;

use Shape::{Alert, Panel, Record};

#[derive(Clone, Copy, PartialEq)]
enum Shape {
    Alert,
    Record,
    Panel,
}

/// What it is like, what it is for, the query, and the rules that find something.
type Row = (&'static str, Shape, &'static str, &'static [&'static str]);

const FINE: &[&str] = &[];
const GRAIN: &[&str] = &["query-grain"];
const TWICE: &[&str] = &["query-counted-twice"];
const REASON: &[&str] = &["query-oom-reason"];
const NAMESPACE: &[&str] = &["query-namespace"];
const FINISHED: &[&str] = &["query-finished-pods"];
const CACHE: &[&str] = &["query-reclaimable"];
const SLOPE: &[&str] = &["query-slope"];
const UNLIMITED: &[&str] = &["query-unlimited"];
const AVERAGE: &[&str] = &["query-percentile"];

const ROWS: &[Row] = &[
    // Alerts on workloads.
    (
        "apps",
        Alert,
        r#"max_over_time(kube_pod_container_status_waiting_reason{reason="CrashLoopBackOff"}[5m]) >= 1"#,
        FINE,
    ),
    (
        "apps",
        Alert,
        r#"sum by (namespace, pod, cluster) (max by (namespace, pod, cluster) (kube_pod_status_phase{phase=~"Pending|Unknown"}) * on (namespace, pod, cluster) group_left (owner_kind) topk by (namespace, pod, cluster) (1, max by (namespace, pod, owner_kind, cluster) (kube_pod_owner{owner_kind!="Job"}))) > 0"#,
        FINE,
    ),
    // Alerts on resources.
    (
        "resources",
        Alert,
        r#"sum(namespace_memory:kube_pod_container_resource_requests:sum{}) by (cluster) - (sum(kube_node_status_allocatable{resource="memory"}) by (cluster) - max(kube_node_status_allocatable{resource="memory"}) by (cluster)) > 0 and (sum(kube_node_status_allocatable{resource="memory"}) by (cluster) - max(kube_node_status_allocatable{resource="memory"}) by (cluster)) > 0"#,
        FINE,
    ),
    (
        "resources",
        Alert,
        r#"kube_resourcequota{resource="requests.memory", type="used"} / ignoring (instance, job, type) (kube_resourcequota{resource="requests.memory", type="hard"} > 0) > 0.9"#,
        FINE,
    ),
    (
        "resources",
        Alert,
        r#"sum(increase(container_cpu_cfs_throttled_periods_total{container!=""}[5m])) by (container, pod, namespace) / sum(increase(container_cpu_cfs_periods_total[5m])) by (container, pod, namespace) > (25 / 100)"#,
        FINE,
    ),
    // Records.
    (
        "records",
        Record,
        r#"container_memory_working_set_bytes{job="kubelet", metrics_path="/metrics/cadvisor", image!=""} * on (cluster, namespace, pod) group_left (node) topk by (cluster, namespace, pod) (1, max by (cluster, namespace, pod, node) (kube_pod_info{node!=""}))"#,
        FINE,
    ),
    (
        "records",
        Record,
        r#"sum by (namespace, cluster) (sum by (namespace, pod, cluster) (max by (namespace, pod, container, cluster) (kube_pod_container_resource_limits{resource="memory", job="kube-state-metrics"}) * on (namespace, pod, cluster) group_left () max by (namespace, pod, cluster) (kube_pod_status_phase{phase=~"Pending|Running"} == 1)))"#,
        FINE,
    ),
    ("records", Record, r#"sum(container_memory_working_set_bytes{container!=""}) by (namespace)"#, TWICE),
    // A cluster's dashboard.
    (
        "cluster",
        Panel,
        r#"1 - sum(:node_memory_MemAvailable_bytes:sum{cluster="$cluster"}) / sum(node_memory_MemTotal_bytes{job="node-exporter", cluster="$cluster"})"#,
        FINE,
    ),
    (
        "cluster",
        Panel,
        r#"sum(namespace_memory:kube_pod_container_resource_limits:sum{cluster="$cluster"}) / sum(kube_node_status_allocatable{job="kube-state-metrics", resource="memory", cluster="$cluster"})"#,
        FINE,
    ),
    (
        "cluster",
        Panel,
        r#"sum(container_memory_rss{job="kubelet", metrics_path="/metrics/cadvisor", cluster="$cluster", container!=""}) by (namespace)"#,
        FINE,
    ),
    (
        "cluster",
        Panel,
        r#"sum(kube_pod_container_resource_requests{resource="memory", cluster="$cluster"}) / sum(kube_node_status_allocatable{resource="memory", cluster="$cluster"})"#,
        FINISHED,
    ),
    // A namespace's dashboard.
    (
        "namespace",
        Panel,
        r#"sum(container_memory_working_set_bytes{cluster="$cluster", namespace="$namespace", container!="", image!=""}) by (pod)"#,
        FINE,
    ),
    (
        "namespace",
        Panel,
        r#"sum(container_memory_working_set_bytes{cluster="$cluster", namespace="$namespace", container!="", image!=""}) by (pod) / sum(cluster:namespace:pod_memory:active:kube_pod_container_resource_limits{cluster="$cluster", namespace="$namespace"}) by (pod)"#,
        GRAIN,
    ),
    (
        "namespace",
        Panel,
        r#"sum(container_memory_working_set_bytes{namespace="$namespace", image!=""}) / sum(kube_pod_container_resource_requests{namespace="$namespace", resource="memory"})"#,
        FINISHED,
    ),
    (
        "namespace",
        Panel,
        r#"scalar(max(kube_resourcequota{cluster="$cluster", namespace="$namespace", type="hard", resource=~"requests.memory|memory"}))"#,
        FINE,
    ),
    // A pod's dashboard.
    (
        "pod",
        Panel,
        r#"sum(container_memory_working_set_bytes{namespace="$namespace", pod="$pod", container!="", image!=""}) by (container) / sum(cluster:namespace:pod_memory:active:kube_pod_container_resource_limits{namespace="$namespace", pod="$pod"}) by (container)"#,
        FINE,
    ),
    (
        "pod",
        Panel,
        r#"sum(container_memory_cache{namespace="$namespace", pod="$pod", container!=""}) by (container)"#,
        FINE,
    ),
    (
        "pod",
        Panel,
        r#"max(kube_pod_container_resource_limits{namespace="$namespace", pod=~"$pod", resource="memory"}) by (container)"#,
        FINE,
    ),
    // A workload's dashboard.
    (
        "workload",
        Panel,
        r#"sum(container_memory_working_set_bytes{namespace="$namespace", container!="", image!=""} * on (namespace, pod) group_left (workload, workload_type) namespace_workload_pod:kube_pod_owner:relabel{workload="$workload", workload_type=~"$type"}) by (pod)"#,
        FINE,
    ),
    (
        "workload",
        Panel,
        r#"avg by (namespace) (container_memory_working_set_bytes{namespace="$namespace", container="$container"})"#,
        FINE,
    ),
    (
        "workload",
        Panel,
        r#"quantile_over_time(0.95, max by (namespace, container) (container_memory_working_set_bytes{container!=""})[7d:5m])"#,
        FINE,
    ),
    // A node's dashboard.
    (
        "node",
        Panel,
        r#"sum(node_namespace_pod_container:container_memory_working_set_bytes{cluster="$cluster", node=~"$node", container!=""}) by (pod)"#,
        FINE,
    ),
    (
        "node",
        Panel,
        r#"sum(container_memory_working_set_bytes{id="/", instance=~"$node"}) / sum(machine_memory_bytes{instance=~"$node"}) * 100"#,
        FINE,
    ),
    (
        "node",
        Panel,
        r#"sum by (node) (kube_pod_container_resource_requests{resource="memory", node=~"$node"}) / on (node) kube_node_status_allocatable{resource="memory", node=~"$node"}"#,
        FINISHED,
    ),
    // The node's own alerts.
    (
        "node-alerts",
        Alert,
        r#"predict_linear(node_filesystem_avail_bytes{fstype!=""}[6h], 24 * 60 * 60) < 0 and node_filesystem_readonly == 0"#,
        FINE,
    ),
    ("node-alerts", Alert, r#"100 - (node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes * 100) > 90"#, FINE),
    ("node-alerts", Alert, r#"rate(node_vmstat_pgmajfault[5m]) > 500"#, FINE),
    ("node-alerts", Alert, r#"increase(node_vmstat_oom_kill[10m]) > 0"#, FINE),
    // The storage's.
    (
        "storage",
        Alert,
        r#"kubelet_volume_stats_available_bytes / kubelet_volume_stats_capacity_bytes < 0.15 and predict_linear(kubelet_volume_stats_available_bytes[6h], 4 * 24 * 3600) < 0 unless on (cluster, namespace, persistentvolumeclaim) kube_persistentvolumeclaim_access_mode{access_mode="ReadOnlyMany"} == 1"#,
        FINE,
    ),
    (
        "etcd",
        Alert,
        r#"predict_linear((etcd_mvcc_db_total_size_in_bytes{job=~".*etcd.*"})[4h:1m], 4 * 60 * 60) > etcd_server_quota_backend_bytes"#,
        FINE,
    ),
    (
        "etcd",
        Panel,
        r#"histogram_quantile(0.99, sum(rate(etcd_disk_wal_fsync_duration_seconds_bucket{job=~".*etcd.*"}[$__rate_interval])) by (instance, le))"#,
        FINE,
    ),
    // A process' dashboard.
    (
        "process",
        Panel,
        r#"process_resident_memory_bytes{cluster="$cluster", job="kubelet", instance=~"$instance"}"#,
        FINE,
    ),
    ("process", Panel, r#"rate(process_cpu_seconds_total{job="$job"}[$__rate_interval])"#, FINE),
    ("process", Panel, r#"rate(go_memstats_alloc_bytes_total{job="$job"}[${interval}])"#, FINE),
    // A JVM's dashboard.
    (
        "jvm",
        Panel,
        r#"sum(jvm_memory_used_bytes{application="$application", area="heap"}) * 100 / sum(jvm_memory_max_bytes{application="$application", area="heap"})"#,
        FINE,
    ),
    ("jvm", Panel, r#"increase(jvm_gc_pause_seconds_count{application="$application"}[1m])"#, FINE),
    ("jvm", Panel, r#"rate(jvm_memory_used_bytes{area="heap"}[5m])"#, SLOPE),
    // A dashboard of the days of Docker.
    (
        "docker",
        Panel,
        r#"sum (container_memory_working_set_bytes{image!="", name=~"^k8s_.*", kubernetes_io_hostname=~"^$Node$"}) by (pod_name)"#,
        FINE,
    ),
    ("docker", Panel, r#"sum(container_memory_rss{name=~".+"}) by (name)"#, FINE),
    ("docker", Panel, r#"sum(container_memory_usage_bytes{namespace="[[namespace]]"}) by (pod)"#, TWICE),
    // A team's own alerts.
    ("team", Alert, r#"kube_pod_container_status_last_terminated_reason{reason="OOMKilled"} > 0"#, REASON),
    (
        "team",
        Alert,
        r#"sum by (namespace, pod, container) (kube_pod_container_status_last_terminated_reason{reason=~"OOMKilled"}) * on (namespace, pod) group_left (owner_name) kube_pod_owner > 0"#,
        REASON,
    ),
    (
        "team",
        Alert,
        r#"increase(kube_pod_container_status_last_terminated_reason{reason="OOMKilled"}[1h]) > 0"#,
        REASON,
    ),
    (
        "team",
        Alert,
        r#"increase(kube_pod_container_status_restarts_total[10m]) > 0 and on (namespace, pod, container) kube_pod_container_status_last_terminated_reason{reason="OOMKilled"} == 1"#,
        FINE,
    ),
    ("team", Alert, r#"kube_pod_container_status_last_terminated_reason{reason="Error"} > 0"#, FINE),
    (
        "team",
        Panel,
        r#"count(kube_pod_container_status_last_terminated_reason{reason="OOMKilled"}) by (namespace)"#,
        FINE,
    ),
    (
        "team",
        Alert,
        r#"container_memory_usage_bytes{container!=""} / container_spec_memory_limit_bytes{container!=""} > 0.9"#,
        &["query-reclaimable", "query-unlimited"],
    ),
    (
        "team",
        Alert,
        r#"(container_memory_usage_bytes{container!=""} - container_memory_cache{container!=""}) / container_spec_memory_limit_bytes{container!=""} > 0.9"#,
        UNLIMITED,
    ),
    (
        "team",
        Alert,
        r#"container_memory_working_set_bytes{container!=""} / on (namespace, pod, container) kube_pod_container_resource_limits{resource="memory"} * 100 > 90"#,
        FINE,
    ),
    (
        "team",
        Alert,
        r#"container_memory_working_set_bytes{container="app"} / on (pod, container) kube_pod_container_resource_limits{resource="memory", container="app"} > 0.9"#,
        NAMESPACE,
    ),
    (
        "team",
        Alert,
        r#"container_memory_working_set_bytes{namespace="shop", container="app"} / on (pod, container) kube_pod_container_resource_limits{resource="memory", namespace="shop"} > 0.9"#,
        FINE,
    ),
    ("team", Alert, r#"avg(container_memory_working_set_bytes{container="app"}) > 1.5e9"#, AVERAGE),
    ("team", Alert, r#"quantile(0.9, container_memory_rss{container="app"}) by (namespace) > 1.5e9"#, AVERAGE),
    ("team", Alert, r#"avg by (namespace, pod) (container_memory_working_set_bytes{container="app"}) > 1.5e9"#, FINE),
    ("team", Alert, r#"avg_over_time(container_memory_working_set_bytes{container="app"}[1h]) > 1.5e9"#, FINE),
    ("team", Alert, r#"deriv(container_memory_working_set_bytes{container="app"}[6h]) > 1e4"#, SLOPE),
    ("team", Alert, r#"rate(container_memory_working_set_bytes{container="app"}[1h]) > 1e4"#, SLOPE),
    (
        "team",
        Alert,
        r#"rate(container_memory_failures_total{container="app", failure_type="pgmajfault"}[5m]) > 100"#,
        FINE,
    ),
    (
        "team",
        Alert,
        r#"sum by (namespace) (kube_pod_container_resource_limits_memory_bytes) < sum by (namespace) (container_memory_rss{image!=""})"#,
        FINISHED,
    ),
    (
        "team",
        Alert,
        r#"container_memory_usage_bytes{image!=""} / on (namespace, pod, container) (kube_pod_container_resource_limits{resource="memory"} > 0) > 0.9"#,
        CACHE,
    ),
    (
        "team",
        Alert,
        r#"sum(container_memory_working_set_bytes{name!=""}) by (instance, name) / sum(container_spec_memory_limit_bytes > 0) by (instance, name) * 100 > 80"#,
        FINE,
    ),
    (
        "team",
        Alert,
        r#"container_memory_working_set_bytes{image!=""} / container_spec_memory_limit_bytes > 0.9 and container_spec_memory_limit_bytes != 0"#,
        FINE,
    ),
    (
        "team",
        Alert,
        r#"container_memory_working_set_bytes{image!=""} / container_spec_memory_limit_bytes > 0.9 < +Inf"#,
        FINE,
    ),
    (
        "team",
        Alert,
        r#"container_spec_memory_limit_bytes{image!=""} - container_memory_working_set_bytes < 50 * 1024 * 1024"#,
        UNLIMITED,
    ),
];

fn indented(text: &str, by: usize) -> String {
    text.replace('\n', &format!("\n{}", " ".repeat(by)))
}

/// The same query in several kinds of files.
fn written(shape: Shape, query: &str) -> Vec<String> {
    let json = serde_json::to_string(query).unwrap();
    let config_map = |name: &str, file: &str| {
        format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a}}\ndata:\n  {name}: |\n    {}\n",
            indented(file, 4)
        )
    };
    if shape == Panel {
        let target = format!("{{\"refId\": \"A\", \"expr\": {json}}}");
        let panel = format!("{{\"title\": \"Panel\", \"type\": \"timeseries\", \"targets\": [{target}]}}");
        let plain = format!("{{\n  \"title\": \"D\",\n  \"panels\": [\n    {panel}\n  ]\n}}");
        let rows = format!("{{\"title\": \"D\", \"rows\": [{{\"panels\": [{panel}]}}]}}");
        let nested = format!(
            "{{\"title\": \"D\", \"panels\": [{{\"type\": \"row\", \"collapsed\": true, \"panels\": [{panel}]}}]}}"
        );
        let map = config_map("d.json", &plain);
        return vec![plain, rows, nested, map];
    }
    let word = if shape == Alert { "alert" } else { "record" };
    let rule = format!("- {word}: a\n      expr: {json}");
    let block = format!("- {word}: a\n      expr: |-\n        {}", query.replace(" > ", "\n        > "));
    let plain = format!("groups:\n  - name: g\n    rules:\n    {block}\n");
    let object = |kind: &str, rule: &str| {
        format!(
            "apiVersion: example.dev/v1\nkind: {kind}\nmetadata: {{name: a}}\nspec:\n  groups:\n  - name: g\n    rules:\n    {rule}\n"
        )
    };
    vec![object("PrometheusRule", &rule), object("VMRule", &block), config_map("r.yaml", &plain), plain]
}

fn of_file(text: &str) -> Document {
    lint(&[Source { name: "a.yaml".into(), text: text.to_owned() }])
}

#[test]
fn every_finding_is_true_of_its_query() {
    for (name, shape, query, expected) in ROWS {
        for text in written(*shape, query) {
            let document = of_file(&text);
            assert!(document.parse_errors.is_empty(), "{name}: {text}");
            assert_eq!(document.checked.queries, 1, "{name}: {text}");
            let rules: Vec<&str> = document.findings.iter().map(|it| it.rule.as_str()).collect();
            assert_eq!(rules, *expected, "{name}: {query}");
            for it in &document.findings {
                let words = &text[it.region.place.unwrap().span.range()];
                assert!(!words.contains("expr") && query.contains(&words[..4]), "{name}: {words}");
                assert!(it.help.is_some() && !it.notes.is_empty(), "{name}: says why, and what to do");
                assert!(
                    *shape != Panel
                        || it.level < Level::Warning
                        || it.rule == "query-slope"
                        || it.rule == "query-counted-twice"
                );
            }
        }
    }
}

fn tried(name: &str) -> Option<String> {
    std::fs::read_to_string(shared::part(&format!("promql-rules/{name}"))?).ok()
}

/// Rule and the query's name, of everything at warning or above.
fn grave(document: &Document) -> Vec<(String, String)> {
    let name = |message: &str| message.split('`').nth(1).unwrap_or("").to_owned();
    let of = document.findings.iter().filter(|it| it.level >= Level::Warning);
    of.map(|it| (it.rule.clone(), name(&it.message))).collect()
}

#[test]
fn what_was_proved_wrong_is_found_and_what_was_proved_right_is_not() {
    let (Some(rules), Some(more)) = (tried("rules.yaml"), tried("rules2.yaml")) else { return };
    let document = of_file(&rules);
    let expected = [
        ("query-oom-reason", "SeedPodOOMKilled"),
        ("query-grain", "naive_pct_of_limit"),
        ("query-namespace", "naive_early_warning"),
        ("query-grain", "naive_early_warning"),
        ("query-oom-reason", "AwesomeContainerOomKiller"),
    ];
    let mut found = grave(&document);
    let mut expected: Vec<_> = expected.map(|(rule, name)| (rule.to_owned(), name.to_owned())).to_vec();
    found.sort();
    expected.sort();
    assert_eq!(found, expected);
    assert_eq!(document.checked.queries, 9);
    let right = of_file(&more);
    assert_eq!((right.findings.len(), right.checked.queries), (0, 5));
}

#[test]
fn a_sum_of_limits_counts_finished_pods_as_was_measured() {
    let Some(measured) = tried("naive-opt.yaml") else { return };
    let queries = measured.split("  - expr: ").skip(1).collect::<Vec<_>>();
    let end = |query: &str| query.split("\n    eval_time").next().unwrap().to_owned();
    let found = |query: &str| {
        let text = format!("groups:\n- rules:\n  - record: a\n    expr: {query}\n");
        grave(&of_file(&text)).into_iter().map(|(rule, _)| rule).collect::<Vec<_>>()
    };
    assert_eq!(queries.len(), 2);
    assert_eq!(found(&end(queries[0])), ["query-finished-pods"]);
    assert_eq!(found(&end(queries[1]).replace("\n      ", "\n        ")), [""; 0]);
}
