//! `oomph lint --live` on a real Kubernetes: what pods were admitted with counts, and what may not be read is a gap.
//! `OOMPH_TEST_CLUSTER` names the administrator's kubeconfig (`tests/cluster/cluster up` prints it; `cargo xtask test` sets
//! it and runs the tests inside the cluster's network).
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that cannot go on fails, or says why it is skipped"
)]

#[path = "../../../tests/support/component.rs"]
mod component;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

fn cluster() -> Option<PathBuf> {
    component::component("OOMPH_TEST_CLUSTER")
}

fn kubectl(arguments: &[&str], input: &str) -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/cluster/cluster");
    let mut command = Command::new(script);
    let command = command.args(["in", "kubectl"]).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn lint(kubeconfig: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_oomph"));
    command.args(["lint", "--live", "-o", "json", "--kubeconfig"]).arg(kubeconfig).args(arguments).output().unwrap()
}

fn document(output: &Output) -> Value {
    let errors = String::from_utf8_lossy(&output.stderr);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {errors}"))
}

/// A namespace of the test's own, gone when the test is.
struct Namespace(String);

impl Drop for Namespace {
    fn drop(&mut self) {
        kubectl(&["delete", "namespace", &self.0, "--wait=false"], "");
    }
}

/// The flags of a JVM with a heap of 300 MiB stand in a config map; the limit comes from a LimitRange.
const MANIFESTS: &str = "\
apiVersion: v1
kind: LimitRange
metadata: {name: defaults}
spec: {limits: [{type: Container, default: {memory: 256Mi}, defaultRequest: {memory: 64Mi}}]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: flags}
data: {JAVA_TOOL_OPTIONS: -Xmx300m}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 0
      containers:
      - {name: app, image: 'oomph.dev/busybox:1', command: [java, -jar, app.jar], envFrom: [{configMapRef: {name: flags}}]}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: nightly}
spec:
  schedule: 0 0 1 1 *
  jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: job, image: 'oomph.dev/busybox:1'}]}}}}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: reader}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: reader}
rules: [{apiGroups: [''], resources: [pods], verbs: [list]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: reader}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}
subjects: [{kind: ServiceAccount, name: reader}]
";

/// A kubeconfig of a service account of the namespace.
fn account(admin: &Path, folder: &Path, namespace: &str, name: &str) -> PathBuf {
    let token = kubectl(&["create", "token", name, "-n", namespace], "");
    let config = std::fs::read_to_string(admin).unwrap();
    let begin = config.find("token: \"").unwrap() + 8;
    let end = begin + config[begin..].find('"').unwrap();
    let path = folder.join(format!("{name}.kubeconfig"));
    std::fs::write(&path, format!("{}{}{}", &config[..begin], token.trim(), &config[end..])).unwrap();
    path
}

/// Rule and path of what is graver than an info.
fn found(document: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let findings = document["findings"].as_array().unwrap().iter().filter(|it| it["level"] != "info");
    findings.map(|it| (text(&it["rule"]), text(&it["path"]))).collect()
}

#[test]
fn what_pods_were_admitted_with_counts_and_what_may_not_be_read_is_a_gap() {
    let Some(admin) = cluster() else { return };
    let namespace = Namespace(format!("oomph-lint-{}", std::process::id()));
    let name = namespace.0.as_str();
    kubectl(&["create", "namespace", name], "");
    kubectl(&["apply", "-n", name, "-f", "-"], MANIFESTS);
    let began = Instant::now();
    let pods = || kubectl(&["get", "pods", "-n", name, "-l", "app=web", "-o", "name"], "").lines().count();
    while pods() < 2 {
        assert!(began.elapsed() < Duration::from_mins(1), "the deployment makes no pods");
        std::thread::sleep(Duration::from_millis(200));
    }
    let web = format!("Deployment {name}/web");
    // Where the flag stands.
    let heap = ("jvm-heap-ge-limit".to_owned(), format!("ConfigMap {name}/flags"));

    // The LimitRange is known, and says so itself.
    let output = lint(&admin, &["-n", name]);
    let ranged = document(&output);
    assert_eq!((output.status.code(), ranged["gaps"].as_array().unwrap().len()), (Some(1), 0), "{ranged:#}");
    assert!(found(&ranged).contains(&heap), "{:?}", found(&ranged));
    assert!(ranged.to_string().contains("LimitRange `defaults` sets the limit to 256 MiB"));

    // It is gone, and the pods keep what they were admitted with.
    kubectl(&["delete", "limitrange", "defaults", "-n", name], "");
    let began = Instant::now();
    let admitted = document(&lint(&admin, &["-n", name]));
    println!("a namespace is linted live in {:?}", began.elapsed());
    let rules = found(&admitted);
    assert!(rules.contains(&heap), "{rules:?}");
    assert!(!rules.contains(&("limit-missing".to_owned(), web.clone())), "{rules:?}");
    assert!(rules.contains(&("limit-missing".to_owned(), format!("CronJob {name}/nightly"))), "{rules:?}");
    let all = admitted["findings"].as_array().unwrap();
    let finding = all.iter().find(|it| it["rule"] == "jvm-heap-ge-limit").unwrap();
    let related = finding["related"].as_array().unwrap();
    let limit =
        related.iter().find(|it| it["path"].as_str().unwrap().starts_with(&format!("Pod {name}/web-"))).unwrap();
    let says = "was admitted with a limit of 256 MiB, which the template does not give";
    assert!(limit["message"].as_str().unwrap().contains(says), "{limit}");
    assert_eq!(
        (finding["object"]["kind"].as_str(), finding["object"]["name"].as_str()),
        (Some("Deployment"), Some("web"))
    );
    let made: Vec<_> = admitted["skipped"].as_array().unwrap().iter().map(|it| it["kind"].as_str().unwrap()).collect();
    assert_eq!(made, ["Pod", "ReplicaSet"]);

    let selected = found(&document(&lint(&admin, &["-n", name, "-l", "app=web"])));
    assert!(selected.contains(&heap) && selected.iter().all(|(_, path)| !path.starts_with("CronJob")), "{selected:?}");
    assert!(found(&document(&lint(&admin, &["-A"]))).contains(&heap));

    // One who may list pods alone sees those, and is told what else would take.
    let folder = tempfile::tempdir().unwrap();
    let output = lint(&account(&admin, folder.path(), name, "reader"), &["-n", name]);
    let read = document(&output);
    assert_ne!(output.status.code(), Some(2), "{read:#}");
    assert!(read["checked"]["templates"].as_u64().unwrap() > 0);
    let gaps: Vec<_> = read["gaps"].as_array().unwrap().iter().collect();
    let deployments = gaps.iter().find(|gap| gap["what"] == format!("deployments in namespace {name}")).unwrap();
    assert!(deployments["command"].as_str().unwrap().contains("--verb=list --resource=deployments.apps"));
    assert!(gaps.iter().any(|gap| gap["what"] == format!("config maps in namespace {name}")), "{gaps:?}");

    let output = lint(&account(&admin, folder.path(), name, "default"), &["-n", name]);
    assert_eq!((output.status.code(), found(&document(&output)).len()), (Some(2), 0), "nothing is permitted");
}
