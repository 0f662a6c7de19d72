//! Against a real cluster: `OOMPH_TEST_CLUSTER` names an administrator's kubeconfig. Without it the test says that it
//! was skipped, unless `OOMPH_REQUIRE=all`.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "tests print their figures, and their scaffolding may fail"
)]

#[path = "../../../tests/support/component.rs"]
mod component;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use futures::StreamExt;
use http::Request;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use oomph_cluster::kube::{Ask, Target, capture, pods_of, watch};
use oomph_core::artifact::{Artifact, Captured, Kind, Status};
use oomph_core::fact::Gap;
use oomph_core::waterfall::inside::{By, Place, explain};
use oomph_core::waterfall::{Source, Waterfall};
use serde_json::{Value, json};

/// A namespace of the test's own, gone when the test is.
struct Cluster {
    client: Client,
    kubeconfig: PathBuf,
    namespace: String,
}

impl Cluster {
    async fn connect(name: &str) -> Option<Self> {
        let kubeconfig = component::component("OOMPH_TEST_CLUSTER")?;
        let read = Kubeconfig::read_from(&kubeconfig).unwrap();
        let config = Config::from_custom_kubeconfig(read, &KubeConfigOptions::default()).await.unwrap();
        let namespace = format!("oomph-live-{name}-{}", std::process::id());
        let cluster = Self { client: Client::try_from(config).unwrap(), kubeconfig, namespace };
        let object = json!({"kind": "Namespace", "apiVersion": "v1", "metadata": {"name": cluster.namespace}});
        cluster.post("/api/v1/namespaces", &object).await;
        cluster.until("/serviceaccounts/default", |account| account["kind"] == "ServiceAccount").await;
        Some(cluster)
    }

    async fn post(&self, path: &str, object: &Value) -> Value {
        let body = serde_json::to_vec(object).unwrap();
        let request = Request::post(path).header("content-type", "application/json").body(body).unwrap();
        self.client.request(request).await.unwrap_or_else(|error| panic!("POST {path}: {error}"))
    }

    async fn create(&self, resource: &str, object: &Value) -> Value {
        let (api, resource) = resource.rsplit_once('/').unwrap();
        self.post(&format!("{api}/namespaces/{}/{resource}", self.namespace), object).await
    }

    async fn get(&self, below: &str) -> Option<Value> {
        let path = format!("/api/v1/namespaces/{}{below}", self.namespace);
        self.client.request(Request::get(path).body(Vec::new()).unwrap()).await.ok()
    }

    async fn until(&self, below: &str, is: impl Fn(&Value) -> bool) -> Value {
        let began = Instant::now();
        loop {
            if let Some(found) = self.get(below).await.filter(&is) {
                return found;
            }
            assert!(began.elapsed() < Duration::from_mins(1), "{below} did not come about");
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    async fn delete(&self, path: &str) {
        let request = Request::delete(path).body(br#"{"gracePeriodSeconds": 0}"#.to_vec()).unwrap();
        let _: Value = self.client.request(request).await.unwrap();
    }

    fn ask(&self) -> Ask {
        Ask { kubeconfig: Some(self.kubeconfig.clone()), namespace: Some(self.namespace.clone()), ..Ask::default() }
    }

    /// A kubeconfig for somebody who may do what `rules` say.
    async fn user(&self, name: &str, rules: &Value, folder: &Path) -> PathBuf {
        let meta = json!({"name": name});
        self.create(
            "/api/v1/serviceaccounts",
            &json!({"kind": "ServiceAccount", "apiVersion": "v1", "metadata": meta}),
        )
        .await;
        let rbac = "rbac.authorization.k8s.io";
        let role = json!({"kind": "Role", "apiVersion": format!("{rbac}/v1"), "metadata": meta, "rules": rules});
        self.create(&format!("/apis/{rbac}/v1/roles"), &role).await;
        let binding = json!({"kind": "RoleBinding", "apiVersion": format!("{rbac}/v1"), "metadata": meta,
            "roleRef": {"apiGroup": rbac, "kind": "Role", "name": name},
            "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": self.namespace}]});
        self.create(&format!("/apis/{rbac}/v1/rolebindings"), &binding).await;
        let request = json!({"kind": "TokenRequest", "apiVersion": "authentication.k8s.io/v1", "spec": {}});
        let account = format!("/api/v1/namespaces/{}/serviceaccounts/{name}", self.namespace);
        let token = self.post(&format!("{account}/token"), &request).await;
        let mut config: Value = serde_json::to_value(Kubeconfig::read_from(&self.kubeconfig).unwrap()).unwrap();
        config["users"] =
            json!([{"name": config["contexts"][0]["context"]["user"], "user": {"token": token["status"]["token"]}}]);
        let path = folder.join(name);
        std::fs::write(&path, config.to_string()).unwrap();
        path
    }
}

impl Drop for Cluster {
    /// Also after a failure, and from inside a runtime, which waits for nobody: a thread with one of its own does.
    fn drop(&mut self) {
        let (kubeconfig, path) = (self.kubeconfig.clone(), format!("/api/v1/namespaces/{}", self.namespace));
        let deleting = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let read = Kubeconfig::read_from(&kubeconfig).unwrap();
                let config = Config::from_custom_kubeconfig(read, &KubeConfigOptions::default()).await.unwrap();
                let request = Request::delete(path).body(Vec::new()).unwrap();
                Client::try_from(config).unwrap().request_text(request).await.map(drop)
            })
        });
        if !matches!(deleting.join(), Ok(Ok(()))) {
            println!("namespace {} is left behind", self.namespace);
        }
    }
}

/// A pod of one busybox container under a limit.
fn pod(name: &str, script: &str) -> Value {
    json!({"kind": "Pod", "apiVersion": "v1", "metadata": {"name": name, "labels": {"app": name}}, "spec": spec(script, "Always")})
}

fn spec(script: &str, restart: &str) -> Value {
    json!({"restartPolicy": restart, "terminationGracePeriodSeconds": 0, "containers": [{
        "name": "app", "image": "oomph.dev/busybox:1", "imagePullPolicy": "Never", "command": ["sh", "-c", script],
        "resources": {"limits": {"memory": "24Mi"}}}]})
}

const EAT: &str = "dd if=/dev/zero of=/dev/null bs=200M count=1";

#[track_caller]
fn one<'a>(captured: &'a Captured, what: &str, is: impl Fn(&Artifact) -> bool) -> &'a Artifact {
    captured.artifacts.iter().find(|artifact| is(artifact)).unwrap_or_else(|| {
        panic!("no {what} in {:#?}\ngaps: {:#?}", captured.sources, captured.gaps);
    })
}

fn text(artifact: &Artifact) -> String {
    String::from_utf8_lossy(&artifact.bytes).into_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_real_cluster_tells_everything_about_its_deaths() {
    let Some(cluster) = Cluster::connect("deaths").await else { return };
    let folder = tempfile::tempdir().unwrap();
    let range = json!({"kind": "LimitRange", "apiVersion": "v1", "metadata": {"name": "defaults"},
        "spec": {"limits": [{"type": "Container", "default": {"memory": "64Mi"}}]}});
    cluster.create("/api/v1/limitranges", &range).await;
    let deployment = json!({"kind": "Deployment", "apiVersion": "apps/v1", "metadata": {"name": "checkout"}, "spec": {
        "selector": {"matchLabels": {"app": "checkout"}},
        "template": {"metadata": {"labels": {"app": "checkout"}}, "spec": spec(&format!("echo begins; exec {EAT}"), "Always")}}});
    cluster.create("/apis/apps/v1/deployments", &deployment).await;
    cluster.create("/api/v1/pods", &pod("well", "sleep 3600")).await;
    cluster.create("/api/v1/pods", &pod("quiet", &format!("{EAT}; echo survived; sleep 3600"))).await;
    let dead = |list: &Value| {
        let mut statuses =
            list["items"].as_array().into_iter().flatten().map(|pod| &pod["status"]["containerStatuses"][0]);
        statuses.any(|status| status["lastState"]["terminated"]["exitCode"] == 137)
    };
    let pods = cluster.until("/pods?labelSelector=app%3Dcheckout", dead).await;
    cluster.until("/pods/well", |pod| pod["status"]["phase"] == "Running").await;
    let quiet = cluster.until("/pods/quiet", |pod| pod["status"]["phase"] == "Running").await;
    let uid = pods["items"][0]["metadata"]["uid"].as_str().unwrap().to_owned();
    let name = pods["items"][0]["metadata"]["name"].as_str().unwrap().to_owned();
    // The kubelet's counters are up to 15 s old.
    tokio::time::sleep(Duration::from_secs(5)).await;

    everything_is_read(&cluster, &uid, quiet["metadata"]["uid"].as_str().unwrap()).await;
    named_targets_keep_what_is_theirs(&cluster, &name).await;
    what_is_forbidden_becomes_gaps(&cluster, folder.path()).await;
    a_new_death_is_told(&cluster).await;
    a_pod_that_is_gone_is_answered_from_what_is_left(&cluster).await;
}

async fn everything_is_read(cluster: &Cluster, uid: &str, quiet: &str) {
    let began = Instant::now();
    let captured = capture(&cluster.ask()).await.unwrap();
    let bytes: usize = captured.artifacts.iter().map(|artifact| artifact.bytes.len()).sum();
    println!("capture: {:?}, {} artifacts, {bytes} bytes", began.elapsed(), captured.artifacts.len());
    for source in &captured.sources {
        println!("  {:?} [{}] {} {}", source.status, source.kind, source.name, source.because);
    }
    for gap in &captured.gaps {
        println!("  gap: {}: {}; {}", gap.what, gap.because, gap.command);
    }
    assert!(began.elapsed() < Duration::from_secs(10));

    let namespace = &cluster.namespace;
    let pods = text(one(&captured, "pods", |a| a.name == format!("GET /api/v1/namespaces/{namespace}/pods")));
    let list: Value = serde_json::from_str(&pods).unwrap();
    let names: Vec<_> =
        list["items"].as_array().unwrap().iter().map(|pod| pod["metadata"]["name"].as_str().unwrap()).collect();
    assert!(names.iter().any(|name| name.starts_with("checkout-")) && !names.contains(&"well"), "{names:?}");
    assert!(pods.contains("managedFields"), "who set the limit stands in them");

    let log = one(&captured, "log", |a| a.kind == Some(Kind::ContainerLog) && a.name.contains("/checkout-"));
    assert!(text(log).contains("begins"), "{}", text(log));
    assert!(
        log.about.container_id.is_some() && log.about.restart.is_some() && log.about.pod_uid.as_deref() == Some(uid)
    );
    let kernel = one(&captured, "kernel log", |a| a.kind == Some(Kind::KernelLog));
    assert!(text(kernel).contains(uid), "the kernel names the pod");
    let counters = one(&captured, "counters", |a| a.kind == Some(Kind::Metrics));
    assert!(text(counters).lines().all(|line| !line.contains("pod=\"well\"")), "healthy pods are left out");
    for path in ["/events", "/limitranges", "/replicasets", "/deployments/checkout"] {
        one(&captured, path, |a| a.name.ends_with(path));
    }
    one(&captured, "node", |a| a.name.starts_with("GET /api/v1/nodes/") && text(a).contains("bootID"));
    let second = one(&captured, "the healthy pod with a kill", |a| a.name.ends_with("/pods/quiet"));
    assert!(text(second).contains(quiet));
    for artifact in &captured.artifacts {
        let told = captured.sources.iter().filter(|source| source.name == artifact.name).count();
        assert_eq!(told, 1, "{}", artifact.name);
    }
}

async fn named_targets_keep_what_is_theirs(cluster: &Cluster, name: &str) {
    for target in ["deploy/checkout", name] {
        let captured = capture(&Ask { target: target.parse().ok(), ..cluster.ask() }).await.unwrap();
        one(&captured, "log", |a| a.kind == Some(Kind::ContainerLog) && a.name.contains(name));
        assert!(!captured.artifacts.iter().any(|a| a.name.contains("/pods/quiet")), "{target}");
        let events = text(one(&captured, "events", |a| a.name.ends_with("/events")));
        assert!(events.contains(name) && !events.contains("\"name\":\"well\""), "{target}");
    }
    let node = capture(&Ask { target: "node/node-a".parse().ok(), ..cluster.ask() }).await.unwrap();
    one(&node, "pods of the node", |a| a.name.contains("spec.nodeName=node-a") && text(a).contains(name));
    let well = capture(&Ask { target: "well".parse().ok(), ..cluster.ask() }).await.unwrap();
    one(&well, "the healthy pod that was named", |a| a.name.ends_with("/pods/well"));
}

async fn what_is_forbidden_becomes_gaps(cluster: &Cluster, folder: &Path) {
    let rules = json!([{"apiGroups": [""], "resources": ["pods", "events"], "verbs": ["get", "list"]}]);
    let kubeconfig = cluster.user("reader", &rules, folder).await;
    let captured = capture(&Ask { kubeconfig: Some(kubeconfig), ..cluster.ask() }).await.unwrap();
    one(&captured, "pods", |a| a.name.ends_with("/pods"));
    one(&captured, "events", |a| a.name.ends_with("/events"));
    for what in [
        "container logs",
        "nodes",
        "limit ranges",
        "replica sets",
        "kernel logs and cAdvisor",
        "events in namespace default",
    ] {
        let gap = captured.gaps.iter().find(|gap| gap.what.starts_with(what));
        let gap = gap.unwrap_or_else(|| panic!("no gap for {what}: {:#?}", captured.gaps));
        assert!(gap.because.starts_with("forbidden: ") && gap.command.starts_with("kubectl create "), "{gap:?}");
        assert!(gap.command.contains(&format!("--serviceaccount={}:reader", cluster.namespace)), "{gap:?}");
    }
    let risk = captured.gaps.iter().find(|gap| gap.command.contains("nodes/proxy")).unwrap();
    assert!(risk.because.contains("as good as exec"), "{risk:?}");
    assert!(captured.sources.iter().any(|source| source.status == Status::Forbidden));

    let nobody = cluster.user("nobody", &json!([]), folder).await;
    let captured = capture(&Ask { kubeconfig: Some(nobody), ..cluster.ask() }).await.unwrap();
    assert!(captured.artifacts.is_empty() && captured.gaps.len() >= 2, "{captured:#?}");
}

async fn a_new_death_is_told(cluster: &Cluster) {
    let deaths = watch(cluster.ask()).await.unwrap();
    tokio::pin!(deaths);
    let quiet = tokio::time::timeout(Duration::from_secs(3), async {
        loop {
            let captured = deaths.next().await.unwrap();
            assert!(captured.artifacts.iter().all(|a| a.name.contains("checkout")) || !captured.artifacts.is_empty());
        }
    });
    assert!(quiet.await.is_err());
    // It waits before it dies, so that its death is not its birth.
    let script = format!("sleep 2; echo dying; exec {EAT}");
    let doomed =
        json!({"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "doomed"}, "spec": spec(&script, "Never")});
    cluster.create("/api/v1/pods", &doomed).await;
    let told = tokio::time::timeout(Duration::from_secs(30), async {
        loop {
            let captured = deaths.next().await.unwrap();
            if captured.artifacts.iter().any(|a| a.name.ends_with("/pods/doomed")) {
                return captured;
            }
        }
    });
    let captured = told.await.expect("the death is told");
    let now = jiff::Timestamp::now();
    let log = text(one(&captured, "log", |a| a.kind == Some(Kind::ContainerLog)));
    let line =
        log.lines().find(|line| line.ends_with("dying")).unwrap_or_else(|| panic!("its last words are in {log:?}"));
    let dying: jiff::Timestamp = line.split(' ').next().unwrap().parse().unwrap();
    let took = now.as_millisecond() - dying.as_millisecond();
    println!("watch: told {took} ms after the last words, with pod, events, log and kernel log");
    assert!(took < 2000, "{took} ms");
    one(&captured, "events", |a| a.name.contains("involvedObject.uid=") && text(a).contains("doomed"));
    one(&captured, "kernel log", |a| a.kind == Some(Kind::KernelLog));
}

async fn a_pod_that_is_gone_is_answered_from_what_is_left(cluster: &Cluster) {
    cluster.delete(&format!("/api/v1/namespaces/{}/pods/doomed", cluster.namespace)).await;
    let captured = capture(&Ask { target: "doomed".parse().ok(), ..cluster.ask() }).await.unwrap();
    assert!(captured.gaps.iter().any(|gap| gap.what == "pod doomed"), "{:#?}", captured.gaps);
    let events = one(&captured, "events", |a| a.name.ends_with("/events"));
    assert!(text(events).contains("doomed"));
    let kernel = one(&captured, "kernel log of the node that its events name", |a| a.kind == Some(Kind::KernelLog));
    assert!(kernel.about.node.is_some());
}

/// A pod whose image has nothing but what `links` names: an empty folder lies over its `/bin`.
fn bare_pod(name: &str, links: &str) -> Value {
    let image = json!({"image": "oomph.dev/busybox:1", "imagePullPolicy": "Never"});
    let container = |own: Value| {
        let mut container = image.clone();
        container.as_object_mut().unwrap().extend(own.as_object().unwrap().clone());
        container
    };
    let fill = format!("cp /bin/busybox /x/busybox; for link in {links}; do ln -s busybox /x/$link; done");
    json!({"kind": "Pod", "apiVersion": "v1", "metadata": {"name": name}, "spec": {
        "terminationGracePeriodSeconds": 0, "volumes": [{"name": "bin", "emptyDir": {}}],
        "initContainers": [container(json!({"name": "fill", "command": ["sh", "-c", fill],
            "volumeMounts": [{"name": "bin", "mountPath": "/x"}]}))],
        "containers": [container(json!({"name": "app", "command": ["/bin/busybox", "sleep", "3600"],
            "volumeMounts": [{"name": "bin", "mountPath": "/bin"}]}))]}})
}

/// The container `app` of a pod, read from inside.
async fn read_inside(ask: &Ask, pod: &str) -> Result<(By, Waterfall), Gap> {
    let ask = Ask { target: Some(Target::Pod(pod.into())), ..ask.clone() };
    let inside = pods_of(&ask).await.unwrap();
    let found = &inside.found.pods[0];
    let place = Place { shares_processes: found.shares_processes, ..Place::default() };
    let namespace = found.pod.namespace.clone().unwrap();
    let printed = inside.read(&[(namespace, pod.into(), "app".into())]).await.remove(0)?;
    Ok((printed.by, explain(&place, printed.by, &printed.bytes)?))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_container_is_read_from_inside_where_that_is_allowed_and_possible() {
    let Some(cluster) = Cluster::connect("inside").await else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut web = pod("web", "sleep 3600; : -Xmx16m --password=hunter2");
    web["spec"]["containers"][0]["env"] =
        json!([{"name": "GOMEMLIMIT", "value": "20MiB"}, {"name": "TOKEN", "value": "hunter2"}]);
    let mut shared = pod("shared", "sleep 3600");
    shared["spec"]["shareProcessNamespace"] = json!(true);
    for it in [&web, &shared, &bare_pod("cat-only", "cat"), &bare_pod("scratch", "")] {
        cluster.create("/api/v1/pods", it).await;
    }
    for name in ["web", "shared", "cat-only", "scratch"] {
        cluster.until(&format!("/pods/{name}"), |pod| pod["status"]["phase"] == "Running").await;
    }
    let ask = cluster.ask();

    let began = Instant::now();
    let (by, it) = read_inside(&ask, "web").await.unwrap();
    println!("read from inside: {:?}, charged {}", began.elapsed(), it.charged_bytes);
    let parts: u64 = it.parts.iter().map(|part| part.bytes.0).sum();
    assert_eq!(i128::from(parts) + i128::from(it.unexplained_bytes), i128::from(it.charged_bytes.0));
    assert_eq!((by, it.source, it.limit_bytes.map(|it| it.0)), (By::Shell, Source::Exec, Some(24 << 20)));
    assert!((1..24 << 20).contains(&it.charged_bytes.0), "{}", it.charged_bytes);
    let flags: Vec<&str> = it.processes.iter().flat_map(|it| &it.runtime.flags).map(|it| it.name.as_str()).collect();
    assert_eq!(flags, ["-Xmx", "GOMEMLIMIT"]);
    let names: Vec<&str> = it.processes.iter().map(|it| it.comm.as_str()).collect();
    assert_eq!(names, ["sh", "sleep"], "the reader is not among them");
    assert!(!format!("{it:?}").contains("hunter2"));

    let (by, it) = read_inside(&ask, "cat-only").await.unwrap();
    assert_eq!((by, it.processes.len()), (By::Cat, 1));
    assert!(it.charged_bytes.0 > 0);
    let gap = read_inside(&ask, "scratch").await.unwrap_err();
    assert!(gap.because.starts_with("the image may have neither sh nor cat"), "{}", gap.because);
    let (_, it) = read_inside(&ask, "shared").await.unwrap();
    assert!(it.processes.is_empty() && it.charged_bytes.0 > 0, "{:?}", it.processes);

    let rules = json!([{"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]}]);
    let reader = cluster.user("reader", &rules, folder.path()).await;
    let gap = read_inside(&Ask { kubeconfig: Some(reader), ..ask }, "web").await.unwrap_err();
    assert!(gap.because.contains("pods/exec"), "{}", gap.because);
    assert!(gap.command.starts_with("kubectl create role oomph-pods-exec"), "{}", gap.command);
}
