//! Lint against what the YAML parser alone takes on the same bytes.

use divan::Bencher;
use divan::counter::BytesCount;
use granit_parser::Parser;
use oomph_core::lint::{Source, lint};

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
    let source = |number: usize| Source {
        name: format!("{number}.yaml"),
        text: MANIFEST.replace("NUMBER", &number.to_string()),
    };
    (0..1000).map(source).collect()
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
