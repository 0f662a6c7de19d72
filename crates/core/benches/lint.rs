//! Lint against what the YAML parser alone takes on the same bytes.

use divan::Bencher;
use divan::counter::BytesCount;
use granit_parser::Parser;
use oomph_core::lint::{self, Source, Workers, lint, lint_with};
use oomph_core::report::Style;
use parallel::Processors;

/// The command's own.
#[path = "../../oomph/src/cli/lint/parallel.rs"]
mod parallel;

fn main() {
    divan::main();
}

/// A Deployment of an ordinary size, with a sidecar, variables, probes and volumes.
const MANIFEST: &str = r#"# Source: shop/templates/deployment.yaml
apiVersion: apps/v1
kind: Deployment
metadata:
  name: orders-NUMBER
  namespace: shop
  labels: &labels
    app.kubernetes.io/name: orders
    app.kubernetes.io/instance: orders-NUMBER
    app.kubernetes.io/version: "1.42.0"
    app.kubernetes.io/managed-by: Helm
  annotations:
    deployment.kubernetes.io/revision: "7"
    example.org/description: >-
      Takes orders, and passes them on to whoever packs them.
spec:
  replicas: 3
  revisionHistoryLimit: 5
  selector:
    matchLabels:
      app.kubernetes.io/instance: orders-NUMBER
  strategy:
    rollingUpdate: {maxSurge: 1, maxUnavailable: 0}
  template:
    metadata:
      labels: *labels
      annotations: {prometheus.io/scrape: "true", prometheus.io/port: "8080"}
    spec:
      serviceAccountName: orders
      securityContext: {runAsNonRoot: true, fsGroup: 2000}
      containers:
      - name: app
        image: registry.example.org/shop/orders:1.42.0
        imagePullPolicy: IfNotPresent
        args: ["--port=8080", "--verbose"]
        env:
        - name: JAVA_TOOL_OPTIONS
          value: -XX:MaxRAMPercentage=70 -XX:+ExitOnOutOfMemoryError
        - name: POD_NAME
          valueFrom:
            fieldRef:
              fieldPath: metadata.name
        - name: DATABASE_PASSWORD
          valueFrom:
            secretKeyRef:
              name: orders-database
              key: password
        ports:
        - name: http
          containerPort: 8080
          protocol: TCP
        livenessProbe:
          httpGet:
            path: /healthz
            port: http
          initialDelaySeconds: 20
        readinessProbe:
          httpGet:
            path: /readyz
            port: http
        resources:
          requests:
            cpu: 250m
            memory: 1Gi
          limits:
            memory: 1536Mi
        volumeMounts:
        - name: config
          mountPath: /etc/orders
          readOnly: true
      - name: proxy
        image: registry.example.org/mesh/proxy:2.1
        resources: {requests: {cpu: 50m, memory: 64Mi}, limits: {memory: 128Mi}}
      volumes:
      - name: config
        configMap:
          name: orders
      affinity:
        podAntiAffinity:
          preferredDuringSchedulingIgnoredDuringExecution:
          - weight: 100
            podAffinityTerm:
              topologyKey: kubernetes.io/hostname
              labelSelector:
                matchLabels:
                  app.kubernetes.io/name: orders
"#;

fn manifests() -> Vec<Source> {
    some(1000)
}

fn some(count: usize) -> Vec<Source> {
    let source = |number: usize| Source {
        name: format!("{number}.yaml"),
        text: MANIFEST.replace("NUMBER", &number.to_string()),
    };
    (0..count).map(source).collect()
}

fn bytes(sources: &[Source]) -> BytesCount {
    BytesCount::new(sources.iter().map(|source| source.text.len()).sum::<usize>())
}

#[divan::bench(sample_count = 10)]
fn parser_alone(bencher: Bencher<'_, '_>) {
    let sources = manifests();
    bencher
        .counter(bytes(&sources))
        .bench(|| sources.iter().map(|source| Parser::new_from_str(&source.text).flatten().count()).sum::<usize>());
}

#[divan::bench(sample_count = 10)]
fn lint_of_the_same(bencher: Bencher<'_, '_>) {
    let sources = manifests();
    bencher.counter(bytes(&sources)).bench(|| lint(&sources));
}

#[divan::bench(sample_count = 10)]
fn tree_alone(bencher: Bencher<'_, '_>) {
    let sources = manifests();
    bencher.counter(bytes(&sources)).bench(|| {
        sources.iter().map(|source| oomph_core::lint::tree::read(0, &source.text).documents.len()).sum::<usize>()
    });
}

#[divan::bench(sample_count = 10)]
fn tree_and_workloads(bencher: Bencher<'_, '_>) {
    let sources = manifests();
    let workloads = |source: &Source| oomph_core::lint::read(0, source).found().workloads.len();
    bencher.counter(bytes(&sources)).bench(|| sources.iter().map(workloads).sum::<usize>());
}

/// A folder of 10,000 manifests, 30 MB, on all processors: what the parser alone takes.
#[divan::bench(sample_count = 5)]
fn folder_parser_alone(bencher: Bencher<'_, '_>) {
    let sources = some(10_000);
    let events = |_, source: &Source| Parser::new_from_str(&source.text).flatten().count();
    bencher
        .counter(bytes(&sources))
        .bench(|| Processors.each(sources.iter().collect(), events).into_iter().sum::<usize>());
}

/// The same by a parser that does not have to tell comments, as most texts are read for lint.
#[divan::bench(sample_count = 5)]
fn folder_parser_without_comments(bencher: Bencher<'_, '_>) {
    let sources = some(10_000);
    let options = || granit_parser::options! { emit_comments: false };
    let events = |_, source: &Source| Parser::new_from_str_with_options(&source.text, options()).flatten().count();
    bencher
        .counter(bytes(&sources))
        .bench(|| Processors.each(sources.iter().collect(), events).into_iter().sum::<usize>());
}

/// The same folder linted, as the command does it.
#[divan::bench(sample_count = 5)]
fn folder_lint(bencher: Bencher<'_, '_>) {
    let sources = some(10_000);
    bencher.counter(bytes(&sources)).bench(|| lint_with(&Processors, &sources, true));
}

/// A list of 10,000 objects as JSON, 30 MB, on one line or on many.
fn list(on_one_line: bool) -> Source {
    let objects = some(10_000);
    let objects = objects.iter().map(|it| serde_saphyr::from_str(&it.text).expect("it is YAML"));
    let objects: Vec<serde_json::Value> = objects.collect();
    let list = serde_json::json!({"kind": "List", "apiVersion": "v1", "items": objects});
    let text = if on_one_line { list.to_string() } else { oomph_core::report::json(&list) };
    Source { name: "list.json".to_owned(), text }
}

fn text_of(source: &Source) -> usize {
    let sources = std::slice::from_ref(source);
    lint::report::text(&lint(sources), sources, Style::Plain, 100, true).len()
}

/// The parser alone on the line.
#[divan::bench(sample_count = 3)]
fn one_line_parser_alone(bencher: Bencher<'_, '_>) {
    let source = list(true);
    let events = |source: &Source| Parser::new_from_str(&source.text).flatten().count();
    bencher.counter(BytesCount::new(source.text.len())).bench(|| events(&source));
}

/// The line linted, with all of the text that is printed.
#[divan::bench(sample_count = 3)]
fn one_line_lint_and_text(bencher: Bencher<'_, '_>) {
    let source = list(true);
    bencher.counter(BytesCount::new(source.text.len())).bench(|| text_of(&source));
}

/// The same objects on many lines.
#[divan::bench(sample_count = 3)]
fn many_lines_lint_and_text(bencher: Bencher<'_, '_>) {
    let source = list(false);
    bencher.counter(BytesCount::new(source.text.len())).bench(|| text_of(&source));
}
