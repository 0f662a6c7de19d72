//! Workloads in the shape of popular charts and operators, each as four kinds of object: every warning is listed here
//! beside the row that it is true of, and there are no others.

use oomph_core::lint::{Level, Source, lint};

/// Name, image, requests and limits (as `memory` or `memory/cpu`, empty for none), lines of YAML of the container, lines
/// of YAML of the pod, and the rules that find something.
type Row =
    (&'static str, &'static str, &'static str, &'static str, &'static str, &'static str, &'static [&'static str]);

const NOTHING: &[&str] = &["limit-missing", "qos-class", "request-missing"];
const NO_LIMIT: &[&str] = &["limit-missing"];
const RATIO: &[&str] = &["limit-request-ratio"];
const FINE: &[&str] = &[];

const SHM: &str = "volumes: [{name: shm, emptyDir: {medium: Memory}}]";
const SHM_BOUND: &str = "volumes: [{name: shm, emptyDir: {medium: Memory, sizeLimit: 256Mi}}]";
const MOUNT: &str = "volumeMounts: [{name: shm, mountPath: /dev/shm}]";

const ROWS: &[Row] = &[
    (
        "ingress-nginx",
        "ingress-nginx/controller:v1.11.2",
        "90Mi/100m",
        "",
        "args: [/nginx-ingress-controller]",
        "",
        NO_LIMIT,
    ),
    ("cert-manager", "jetstack/cert-manager-controller:v1.15.3", "", "", "args: [--v=2]", "", NOTHING),
    ("coredns", "coredns/coredns:1.11.1", "70Mi/100m", "170Mi", "args: [-conf, /etc/coredns/Corefile]", "", FINE),
    ("metrics-server", "metrics-server/metrics-server:v0.7.2", "200Mi/100m", "", "", "", NO_LIMIT),
    ("prometheus", "prometheus/prometheus:v2.54.1", "", "", "args: [--storage.tsdb.path=/data]", "", NOTHING),
    ("alertmanager", "prometheus/alertmanager:v0.27.0", "32Mi/10m", "64Mi/50m", "", "", FINE),
    ("grafana", "grafana/grafana:11.2.0", "128Mi/100m", "256Mi", "", "", FINE),
    ("loki", "grafana/loki:3.1.1", "1Gi/500m", "2Gi", "env: [{name: GOMEMLIMIT, value: 1700MiB}]", "", FINE),
    ("argocd-server", "argoproj/argocd:v2.12.3", "", "", "", "", NOTHING),
    ("external-dns", "external-dns/external-dns:v0.15.0", "50Mi", "50Mi", "", "", FINE),
    ("redis-nano", "bitnami/redis:7.4", "128Mi/100m", "192Mi/150m", "", "", FINE),
    (
        "redis-tuned",
        "redis:7.4",
        "256Mi",
        "256Mi",
        "args: [--maxmemory, 200mb, --maxmemory-policy, allkeys-lru]",
        "",
        FINE,
    ),
    ("redis-full", "redis:7.4", "256Mi", "256Mi", "args: [--maxmemory, 256mb]", "", &["redis-maxmemory"]),
    ("postgresql-nano", "bitnami/postgresql:16", "128Mi/100m", "192Mi/150m", "", "", FINE),
    ("postgresql-shm", "zalando/spilo-16:3.3", "250Mi/100m", "500Mi/500m", MOUNT, SHM, &["tmpfs-unbounded"]),
    ("postgresql-tuned", "postgres:16", "2Gi", "2Gi", "args: [-c, shared_buffers=512MB, -c, work_mem=16MB]", "", FINE),
    ("mysql-small", "bitnami/mysql:8.4", "512Mi/500m", "768Mi/750m", "", "", FINE),
    ("mongodb-small", "bitnami/mongodb:7.0", "512Mi/500m", "768Mi/750m", "", "", FINE),
    (
        "kafka-small",
        "bitnami/kafka:3.8",
        "512Mi/500m",
        "768Mi/750m",
        "env: [{name: KAFKA_HEAP_OPTS, value: -XX:InitialRAMPercentage=75 -XX:MaxRAMPercentage=75}]",
        "",
        FINE,
    ),
    (
        "kafka-fixed",
        "bitnami/kafka:3.6",
        "512Mi/500m",
        "768Mi/750m",
        "env: [{name: KAFKA_HEAP_OPTS, value: -Xmx1024m -Xms1024m}]",
        "",
        &["jvm-heap-ge-limit"],
    ),
    (
        "elasticsearch",
        "elasticsearch:7.17.3",
        "2Gi/1",
        "2Gi/1",
        "env: [{name: ES_JAVA_OPTS, value: -Xmx1g -Xms1g}]",
        "",
        FINE,
    ),
    (
        "elasticsearch-greedy",
        "elasticsearch:7.17.3",
        "2Gi/1",
        "2Gi/1",
        "env: [{name: ES_JAVA_OPTS, value: -Xmx1500m}]",
        "",
        &["es-heap"],
    ),
    (
        "opensearch",
        "opensearchproject/opensearch:2.16.0",
        "100Mi/1",
        "",
        "env: [{name: OPENSEARCH_JAVA_OPTS, value: -Xmx512M -Xms512M}]",
        "",
        NO_LIMIT,
    ),
    (
        "logstash",
        "logstash/logstash:8.5.1",
        "1536Mi/100m",
        "1536Mi/1",
        "env: [{name: LS_JAVA_OPTS, value: -Xmx1g -Xms1g}]",
        "",
        FINE,
    ),
    (
        "kibana",
        "kibana/kibana:8.5.1",
        "2Gi/1",
        "2Gi/1",
        "env: [{name: NODE_OPTIONS, value: --max-old-space-size=1800}]",
        "",
        FINE,
    ),
    ("jenkins", "jenkins/jenkins:2.462.1-jdk17", "256Mi/50m", "4096Mi/2", "", "", RATIO),
    ("keycloak", "bitnami/keycloak:25", "512Mi/500m", "768Mi/750m", "", "", FINE),
    (
        "keycloak-heap",
        "keycloak/keycloak:25",
        "1Gi",
        "1Gi",
        "env: [{name: JAVA_OPTS_KC_HEAP, value: -XX:MaxRAMPercentage=70}]",
        "",
        FINE,
    ),
    (
        "nexus",
        "sonatype/nexus3:3.71.0",
        "4Gi",
        "4Gi",
        "env: [{name: INSTALL4J_ADD_VM_PARAMS, value: -Xms2703M -Xmx2703M -XX:MaxDirectMemorySize=2703M}]",
        "",
        &["jvm-headroom"],
    ),
    (
        "sonarqube",
        "sonarqube:10-community",
        "2048Mi/400m",
        "6144M/800m",
        "",
        "",
        &["limit-request-ratio", "quantity-case"],
    ),
    ("istio-proxy", "istio/proxyv2:1.23.0", "128Mi/100m", "1024Mi/2", "", "", RATIO),
    ("linkerd-proxy", "linkerd/proxy:edge-24.8.2", "20Mi/100m", "250Mi", "", "", RATIO),
    ("vault", "hashicorp/vault:1.17.2", "", "", "", "", NOTHING),
    ("consul", "hashicorp/consul:1.19.1", "100Mi/100m", "100Mi/100m", "", "", FINE),
    ("velero", "velero/velero:v1.14.1", "128Mi/500m", "512Mi/1", "", "", RATIO),
    ("gatekeeper", "openpolicyagent/gatekeeper:v3.17.0", "512Mi/100m", "512Mi", "", "", FINE),
    ("kyverno", "kyverno/kyverno:v1.12.5", "128Mi/100m", "384Mi", "", "", RATIO),
    ("keda", "kedacore/keda:2.15.1", "100Mi/100m", "1000Mi/1", "", "", RATIO),
    (
        "flux-source-controller",
        "fluxcd/source-controller:v1.3.0",
        "64Mi/50m",
        "1Gi/1",
        "env: [{name: GOMEMLIMIT, valueFrom: {resourceFieldRef: {containerName: app, resource: limits.memory}}}]",
        "",
        &["go-memlimit-ge-limit", "limit-request-ratio"],
    ),
    ("karpenter", "karpenter/controller:1.0.1", "1Gi/1", "1Gi/1", "", "", FINE),
    ("fluent-bit", "fluent/fluent-bit:3.1.6", "", "", "", "", NOTHING),
    (
        "otel-collector",
        "otel/opentelemetry-collector-k8s:0.108.0",
        "256Mi",
        "512Mi",
        "env: [{name: GOMEMLIMIT, value: 409MiB}]",
        "",
        FINE,
    ),
    (
        "tempo",
        "grafana/tempo:2.5.0",
        "512Mi",
        "1Gi",
        "env: [{name: GOMEMLIMIT, value: 900MiB}, {name: GOGC, value: 'off'}]",
        "",
        FINE,
    ),
    ("selenium", "selenium/node-chrome:4.24", "1Gi/1", "2Gi/1", MOUNT, SHM_BOUND, FINE),
    (
        "gitlab-webservice",
        "gitlab/gitlab-webservice-ee:v17.3.1",
        "2.5G/300m",
        "",
        "env: [{name: WEB_CONCURRENCY, value: '2'}]",
        "",
        NO_LIMIT,
    ),
    ("airflow-worker", "apache/airflow:2.9.3", "2Gi", "2Gi", "args: [bash, -c, exec airflow celery worker]", "", FINE),
    (
        "django",
        "registry/shop:1",
        "512Mi",
        "512Mi",
        "args: [gunicorn, shop.wsgi, -w, '3', -b, '0.0.0.0:8000']",
        "",
        FINE,
    ),
    ("next", "node:20-alpine", "512Mi", "512Mi", "command: [node, server.js]", "", FINE),
    (
        "spring-75",
        "eclipse-temurin:21-jre",
        "1Gi",
        "1Gi",
        "env: [{name: JAVA_TOOL_OPTIONS, value: -XX:MaxRAMPercentage=75.0}]",
        "",
        FINE,
    ),
    (
        "spring-75-small",
        "eclipse-temurin:21-jre",
        "512Mi",
        "512Mi",
        "env: [{name: JAVA_TOOL_OPTIONS, value: -XX:MaxRAMPercentage=75.0}]",
        "",
        &["jvm-headroom", "jvm-no-direct-cap", "jvm-no-metaspace-cap"],
    ),
    ("spring-default", "eclipse-temurin:21-jre", "512Mi", "512Mi", "command: [java, -jar, /app.jar]", "", FINE),
    (
        "dotnet",
        "registry/orders:1",
        "256Mi",
        "256Mi",
        "env: [{name: DOTNET_GCHeapHardLimitPercent, value: '0x46'}]",
        "",
        FINE,
    ),
    (
        "php",
        "php:8.3-fpm",
        "1Gi",
        "1Gi",
        "env: [{name: PHP_MEMORY_LIMIT, value: 128M}, {name: PM_MAX_CHILDREN, value: '6'}]",
        "",
        FINE,
    ),
    (
        "rabbitmq",
        "rabbitmq:3.13",
        "2Gi/1",
        "2Gi/2",
        "livenessProbe: {exec: {command: [rabbitmq-diagnostics, ping]}}",
        "",
        FINE,
    ),
];

/// `90Mi/100m` as a mapping of resources.
fn amounts(text: &str) -> String {
    match text.split_once('/') {
        None if text.is_empty() => "{}".to_owned(),
        None => format!("{{memory: {text}}}"),
        Some((memory, cpu)) => format!("{{memory: {memory}, cpu: {cpu}}}"),
    }
}

/// A pod's spec, its lines indented by so much.
fn spec(row: &Row, indent: usize) -> String {
    let (_, image, requests, limits, container, pod, _) = row;
    let mut lines = vec!["containers:".to_owned(), "- name: app".to_owned(), format!("  image: {image}")];
    lines.extend([*container].iter().filter(|line| !line.is_empty()).map(|line| format!("  {line}")));
    lines.extend(["  resources:".to_owned(), format!("    requests: {}", amounts(requests))]);
    lines.push(format!("    limits: {}", amounts(limits)));
    lines.extend([*pod].iter().filter(|line| !line.is_empty()).map(|line| (*line).to_owned()));
    let margin = " ".repeat(indent);
    lines.iter().flat_map(|line| [margin.as_str(), line, "\n"]).collect()
}

fn manifests(row: &Row) -> [String; 4] {
    let name = row.0;
    let workload = |api: &str, kind: &str| {
        let head = format!("apiVersion: {api}\nkind: {kind}\nmetadata:\n  name: {name}\n  namespace: charts\nspec:\n");
        format!("{head}  template:\n    metadata:\n      labels: {{app: {name}}}\n    spec:\n{}", spec(row, 6))
    };
    [
        format!("# Source: {name}/templates/deployment.yaml\n{}", workload("apps/v1", "Deployment")),
        workload("apps/v1", "StatefulSet"),
        format!(
            "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Pod\n  metadata: {{name: {name}}}\n  spec:\n{}",
            spec(row, 4)
        ),
        workload("argoproj.io/v1alpha1", "Rollout").replace('\n', "\r\n"),
    ]
}

#[test]
fn every_warning_on_a_popular_chart_is_a_true_one() {
    let mut number = 0;
    for row in ROWS {
        for text in manifests(row) {
            number += 1;
            let document = lint(&[Source { name: format!("{}.yaml", row.0), text }]);
            assert!(document.parse_errors.is_empty(), "{}: {:?}", row.0, document.parse_errors);
            let grave = document.findings.iter().filter(|finding| finding.level > Level::Info);
            let mut rules: Vec<&str> = grave.map(|finding| finding.rule.as_str()).collect();
            rules.sort_unstable();
            assert_eq!(rules, row.6, "{}", row.0);
        }
    }
    assert!(number >= 200, "{number}");
}
