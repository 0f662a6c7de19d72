//! A Prometheus found in a real cluster and asked through the API server's proxy, and proposals set on real objects.
//!
//! `OOMPH_TEST_CLUSTER` names an administrator's kubeconfig, and the test runs in the cluster's network namespace
//! (`tests/cluster/cluster in`); `OOMPH_TEST_PROMETHEUS` is `tests/prometheus/prometheus`.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test that cannot go on fails; figures are printed")]
#![allow(dead_code, reason = "the truth of the fleet is another test's matter")]

#[path = "../../../tests/support/component.rs"]
mod component;
#[path = "prometheus/fleet.rs"]
mod fleet;
#[path = "prometheus/server.rs"]
mod server;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use fleet::{Fleet, PER_NAMESPACE, STEP};
use serde_json::{Value, json};
use server::Prometheus;

/// The node's address in the cluster's network namespace; the proxy reaches no loopback.
const ADDRESS: &str = "10.99.0.1";

struct Cluster {
    kubeconfig: PathBuf,
    namespaces: Vec<String>,
}

impl Cluster {
    fn connect() -> Option<Self> {
        Some(Self { kubeconfig: component::component("OOMPH_TEST_CLUSTER")?, namespaces: Vec::new() })
    }

    fn kubectl(&self, arguments: &[&str], input: &str) -> Output {
        let mut command = Command::new("kubectl");
        command.arg("--kubeconfig").arg(&self.kubeconfig).args(arguments);
        let pipe = || Stdio::piped();
        let mut child = command.stdin(pipe()).stdout(pipe()).stderr(pipe()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    }

    fn create(&self, object: &Value) {
        let output = self.kubectl(&["create", "-f", "-"], &object.to_string());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    fn namespace(&mut self, name: &str) {
        self.create(&json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}));
        self.namespaces.push(name.to_owned());
    }

    fn get(&self, namespace: &str, what: &[&str]) -> Value {
        let output = self.kubectl(&[&["get", "-n", namespace, "-o", "json"], what].concat(), "");
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
    }

    /// Another user's kubeconfig: the administrator's, speaking for somebody else.
    fn speaking_for(&self, user: &str, folder: &Path) -> PathBuf {
        let output = self.kubectl(&["config", "view", "--raw", "-o", "json"], "");
        let mut config: Value = serde_json::from_slice(&output.stdout).unwrap();
        config["users"][0]["user"]["as"] = user.into();
        let path = folder.join("kubeconfig");
        std::fs::write(&path, config.to_string()).unwrap();
        path
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for namespace in &self.namespaces {
            self.kubectl(&["delete", "namespace", namespace, "--wait=false"], "");
        }
    }
}

fn oomph(kubeconfig: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_oomph"));
    command.args(["size", "--prometheus", "auto", "--kubeconfig"]).arg(kubeconfig).args(arguments);
    let output = command.stdin(Stdio::null()).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

/// A Deployment without pods, with much beside its memory that must stay.
fn deployment(namespace: &str) -> Value {
    let container = |name: &str, request: &str, limit: &str| {
        json!({"name": name, "image": "oomph.dev/busybox:1", "command": ["sleep", "1000"],
            "env": [{"name": "MODE", "value": "fast"}],
            "resources": {"requests": {"memory": request, "cpu": "10m"}, "limits": {"memory": limit, "cpu": "1"}}})
    };
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": namespace},
        "spec": {"replicas": 0, "selector": {"matchLabels": {"app": "web"}},
            "template": {"metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [container("app", "96Mi", "256Mi"), container("proxy", "96Mi", "128Mi")]}}}})
}

#[test]
fn a_prometheus_in_the_cluster_is_found_and_what_it_proposes_is_set() {
    let Some(mut cluster) = Cluster::connect() else { return };
    let Some(script) = server::script() else { return };
    let folder = tempfile::tempdir().unwrap();
    let prefix = format!("oomph-size-{}", std::process::id());
    let (shop, monitoring) = (format!("{prefix}-00"), format!("{prefix}-monitoring"));
    let file = folder.path().join("fleet.om");
    let now = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap();
    Fleet::write(&file, &prefix, PER_NAMESPACE, now / STEP * STEP);
    let server = Prometheus::start(&script, folder.path(), &file, Some(ADDRESS));
    let port: u16 = server.url.rsplit(':').next().unwrap().parse().unwrap();
    cluster.namespace(&shop);
    cluster.namespace(&monitoring);

    // Nothing looks like a Prometheus yet, and one that does is not there.
    let named = |name: &str| json!({"name": name, "namespace": monitoring});
    let service = |name: &str| {
        json!({"apiVersion": "v1", "kind": "Service", "metadata": named(name),
            "spec": {"ports": [{"name": "web", "port": 9090, "targetPort": port}]}})
    };
    cluster.create(&service("thanos-query"));
    let (code, text, said) = oomph(&cluster.kubeconfig, &["-n", &shop, "-o", "json"]);
    assert_eq!(code, Some(2), "{said}");
    let tried = format!("Thanos (service {monitoring}/thanos-query)");
    assert!(said.contains(&tried) && said.contains("port-forward"), "{said}");
    let document: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(document["sources"][0]["status"], "absent");

    // The proxy goes to addresses of pods alone: one that is on the node's own network stands in front of the server.
    cluster.create(&json!({"apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "prometheus", "namespace": monitoring, "labels": {"app": "prometheus"}},
        "spec": {"hostNetwork": true, "terminationGracePeriodSeconds": 0, "containers": [
            {"name": "front", "image": "oomph.dev/busybox:1", "command": ["sleep", "1000"]}]}}));
    let ready = ["wait", "-n", &monitoring, "--for=condition=Ready", "pod/prometheus", "--timeout=60s"];
    let waited = cluster.kubectl(&ready, "");
    assert!(waited.status.success(), "{}", String::from_utf8_lossy(&waited.stderr));
    let mut operated = service("prometheus-operated");
    operated["spec"]["selector"] = json!({"app": "prometheus"});
    cluster.create(&operated);
    let (code, text, said) = oomph(&cluster.kubeconfig, &["-n", &shop, "-o", "json", "-v"]);
    let document: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {said}"));
    assert_eq!((code, document["workloads"].as_array().unwrap().len()), (Some(1), 11), "{said}");
    assert_eq!(document["sources"][0]["name"], format!("Prometheus (service {monitoring}/prometheus-operated)"));

    // Who may do nothing is told what would be needed.
    let nobody = cluster.speaking_for("nobody-of-oomph", folder.path());
    let (code, text, said) = oomph(&nobody, &["-n", &shop, "-o", "json"]);
    assert_eq!(code, Some(2), "{said}");
    let document: Value = serde_json::from_str(&text).unwrap();
    let gap = &document["gaps"][0];
    assert!(gap["because"].as_str().unwrap().contains("nobody-of-oomph may not list services"), "{gap:#}");
    assert!(gap["command"].as_str().unwrap().starts_with("kubectl create clusterrole oomph-services"), "{gap:#}");

    set(&cluster, &shop);
}

/// What is proposed for a Deployment is shown, set once it is agreed to, and told by an Event.
fn set(cluster: &Cluster, shop: &str) {
    cluster.create(&deployment(shop));
    let before = cluster.get(shop, &["deployment", "web"]);
    let apply = |arguments: &[&str]| {
        oomph(&cluster.kubeconfig, &[&["-n", shop, "deployment/web", "--apply"], arguments].concat())
    };
    let limit = "spec.template.spec.containers[app].resources.limits.memory";

    let (code, text, said) = apply(&["--dry-run=server"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(text.contains(&format!("\ndeployment {shop}/web\n")), "{text}");
    assert!(text.contains(&format!("- {limit}: 256Mi\n+ {limit}: ")), "{text}");
    let (code, _, said) = apply(&[]);
    assert_eq!(code, Some(2), "nobody can be asked: {said}");
    assert!(said.contains("--yes"), "{said}");
    // Its controller writes status and annotations meanwhile.
    assert_eq!(cluster.get(shop, &["deployment", "web"])["spec"], before["spec"], "nothing was set so far");
    assert_eq!(sized(cluster, shop).len(), 0);

    let (code, text, said) = apply(&["--yes"]);
    assert_eq!(code, Some(0), "{text} {said}");
    let after = cluster.get(shop, &["deployment", "web"]);
    let container = |object: &Value, index: usize| object["spec"]["template"]["spec"]["containers"][index].clone();
    for index in [0, 1] {
        let (mut old, new) = (container(&before, index), container(&after, index));
        let memory = |it: &Value, what: &str| it["resources"][what]["memory"].clone();
        assert_ne!(memory(&new, "limits"), memory(&old, "limits"), "{new:#}");
        for what in ["limits", "requests"] {
            old["resources"][what]["memory"] = memory(&new, what);
        }
        assert_eq!(old, new, "everything else is kept");
        let shown = memory(&new, "limits");
        assert!(text.contains(&format!("limits.memory: {}\n", shown.as_str().unwrap())), "{text}");
    }
    let managers =
        cluster.get(shop, &["deployment", "web", "--show-managed-fields"])["metadata"]["managedFields"].clone();
    assert!(managers.as_array().unwrap().iter().any(|it| it["manager"] == "oomph"), "{managers:#}");
    let events = sized(cluster, shop);
    let [event] = events.as_slice() else { panic!("{events:#?}") };
    assert_eq!(event["involvedObject"]["uid"], after["metadata"]["uid"]);
    assert!(event["message"].as_str().unwrap().starts_with("container app: the memory limit from 256 MiB to"));

    let (code, _, said) = apply(&["--yes"]);
    assert!(said.contains("it is set already"), "{code:?} {said}");
    assert_eq!(cluster.get(shop, &["deployment", "web"])["metadata"]["generation"], after["metadata"]["generation"]);
    assert_eq!(sized(cluster, shop).len(), 1);
}

fn sized(cluster: &Cluster, shop: &str) -> Vec<Value> {
    let events = cluster.get(shop, &["events", "--field-selector=reason=MemorySized"]);
    events["items"].as_array().unwrap().clone()
}
