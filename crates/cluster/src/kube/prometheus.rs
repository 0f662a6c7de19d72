//! A Prometheus among the cluster's Services, asked through the API server's proxy.

use std::collections::BTreeMap;
use std::time::Duration;

use oomph_core::fact::Gap;
use oomph_core::size::prometheus::Answer;
use serde::Deserialize;
use tokio::time::Instant;

use super::api::{Api, Refusal};
use super::{Ask, ConnectError, Permission, connect};
use crate::prometheus::{Address, NoServer, Server};

/// What `oomph size --prometheus auto` reads.
pub static FIND: &[&Permission] = &[&SERVICES, &PROXY];

static SERVICES: Permission = Permission {
    name: "services",
    group: "",
    resource: "services",
    verbs: &["list"],
    cluster_wide: false,
    without: "a Prometheus is not found by itself",
    risk: "",
};

static PROXY: Permission = Permission {
    name: "the proxy of services",
    group: "",
    resource: "services/proxy",
    verbs: &["get"],
    cluster_wide: false,
    without: "a Prometheus can be asked through its own address alone",
    risk: "whoever may use it reaches every Service, with the API server's address as the sender",
};

/// A server as it is recognised by its Service; the first kinds hold more: several servers, or a longer time.
struct Kind {
    name: &'static str,
    /// `app.kubernetes.io/name`, with the component where the name has several.
    labels: &'static [(&'static str, Option<&'static str>)],
    /// Names, or their ends after a dash.
    names: &'static [&'static str],
    /// Names or numbers of the port, the best first; any that speaks HTTP after them.
    ports: &'static [&'static str],
    /// The path that `/api/v1` stands under.
    path: &'static str,
}

/// Names, labels and ports as the charts and operators make them: kube-prometheus-stack, prometheus-operator, kube-thanos,
/// mimir-distributed, victoria-metrics-k8s-stack, prometheus (as of 2026).
const KINDS: [Kind; 6] = [
    Kind {
        name: "Thanos",
        labels: &[
            ("thanos", Some("query-frontend")),
            ("thanos-query-frontend", None),
            ("thanos", Some("query")),
            ("thanos-query", None),
        ],
        names: &["thanos-query-frontend", "thanos-query", "thanos-querier"],
        ports: &["http", "9090", "10902"],
        path: "",
    },
    Kind {
        name: "Mimir",
        labels: &[("mimir", Some("query-frontend")), ("mimir", Some("gateway")), ("mimir", Some("nginx"))],
        names: &["mimir-query-frontend", "mimir-gateway", "mimir-nginx"],
        ports: &["http-metrics", "8080", "80"],
        path: "/prometheus",
    },
    Kind {
        name: "Cortex",
        labels: &[("cortex", Some("query-frontend"))],
        names: &["cortex-query-frontend"],
        ports: &["http-metrics", "8080"],
        path: "/prometheus",
    },
    Kind {
        name: "VictoriaMetrics cluster",
        labels: &[("vmselect", None)],
        names: &["vmselect"],
        ports: &["http", "8481"],
        path: "/select/0/prometheus",
    },
    Kind {
        name: "VictoriaMetrics",
        labels: &[("vmsingle", None), ("victoria-metrics-single", None)],
        names: &["vmsingle", "victoria-metrics-single-server"],
        ports: &["http", "8429", "8428"],
        path: "",
    },
    Kind {
        name: "Prometheus",
        labels: &[("prometheus", Some("server")), ("prometheus", Some("prometheus")), ("prometheus", None)],
        names: &[
            "prometheus",
            "prometheus-k8s",
            "prometheus-server",
            "kube-prometheus-stack-prometheus",
            "prometheus-operated",
        ],
        ports: &["http-web", "web", "http", "9090"],
        path: "",
    },
];

/// Where a Prometheus usually lives, for a user who may not list the Services of the whole cluster.
const USUAL: [&str; 5] = ["monitoring", "prometheus", "observability", "kube-system", "default"];

/// How long a look at one Service may take.
const LOOK: Duration = Duration::from_secs(10);

/// Why none was found. What was looked at is named.
#[derive(Debug, thiserror::Error)]
pub enum NotFound {
    /// No cluster.
    #[error(transparent)]
    Cluster(#[from] ConnectError),
    /// A header or a URL of the user's.
    #[error(transparent)]
    Address(#[from] NoServer),
    /// Nothing that looks like one, or none that answers.
    #[error(
        "no Prometheus answers in the cluster: {looked}; forward it (kubectl port-forward -n NAMESPACE svc/NAME 9090) and \
         give --prometheus http://127.0.0.1:9090"
    )]
    None {
        /// What was tried, and what came of it.
        looked: String,
        /// What may not be read.
        gaps: Vec<Gap>,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Candidate {
    kind: &'static str,
    namespace: String,
    service: String,
    /// `https:NAME:PORT` as the proxy's path has it.
    proxied: String,
    path: &'static str,
}

/// How many containers have memory. Where scrapes are minutes apart a query of the moment finds none between two.
const PRESENT: &str = "count(count_over_time(container_memory_working_set_bytes[15m]))";

/// Finds a server that has the memory of containers. `address` says what to send along; its URL is not looked at.
pub async fn find(ask: &Ask, address: &Address) -> Result<Server, NotFound> {
    let connect::Connected { api, namespace } = connect::connect(ask).await?;
    let (candidates, gaps, mut looked) = candidates(&api, &namespace).await;
    if candidates.is_empty() {
        looked.push("no Service has a name or label of Prometheus, Thanos, Mimir, Cortex or VictoriaMetrics".into());
    }
    let mut gaps = gaps;
    for it in candidates {
        let name = format!("{} (service {}/{})", it.kind, it.namespace, it.service);
        let prefix = format!("/api/v1/namespaces/{}/services/{}/proxy{}", it.namespace, it.proxied, it.path);
        let quick = Address { deadline: LOOK, ..address.clone() };
        let probe = Server::behind(api.client(), name.clone(), prefix.clone(), &quick)?;
        match probe.query(PRESENT).await {
            Ok(bytes) => {
                let answer = Answer::decode(&bytes);
                if !answer.failed && !answer.series.is_empty() {
                    return Ok(Server::behind(api.client(), name, prefix, address)?);
                }
                let because = match answer.because.first() {
                    Some(because) if answer.failed => because.as_str(),
                    _ => "it has no container_memory_working_set_bytes",
                };
                looked.push(format!("{name}: {because}"));
            }
            Err(refusal) => {
                let because = refusal.because();
                if because.starts_with("403") {
                    gaps.push(PROXY.gap(Some(&it.namespace), None));
                }
                looked.push(format!("{name}: {because}"));
            }
        }
    }
    Err(NotFound::None { looked: looked.join("; "), gaps })
}

/// Services that look like one, the best first; what may not be read, and what was looked at in vain.
async fn candidates(api: &Api, namespace: &str) -> (Vec<Candidate>, Vec<Gap>, Vec<String>) {
    let list = async |path: &str| {
        let bytes = api.get(path, Instant::now() + LOOK).await?;
        serde_json::from_slice::<List>(&bytes).map_err(|error| Refusal::Failed(format!("no list of Services: {error}")))
    };
    let (mut services, mut gaps, mut looked) = (Vec::new(), Vec::new(), Vec::new());
    match list("/api/v1/services").await {
        Ok(all) => services = all.items,
        Err(Refusal::Forbidden { user, .. }) => {
            gaps.push(SERVICES.gap(None, user.as_deref()));
            let mut places = vec![namespace];
            places.extend(USUAL.into_iter().filter(|it| *it != namespace));
            let mut forbidden = Vec::new();
            for place in places {
                match list(&format!("/api/v1/namespaces/{place}/services")).await {
                    Ok(some) => services.extend(some.items),
                    Err(_) => forbidden.push(place),
                }
            }
            let who = user.unwrap_or_else(|| "this user".into());
            looked.push(format!("{who} may not list all Services, nor those of {}", forbidden.join(", ")));
        }
        Err(refusal) => looked.push(format!("the list of Services: {}", refusal.because())),
    }
    let mut found: Vec<_> = services.iter().filter_map(recognise).collect();
    found.sort_by(|a, b| (a.0, &a.1.namespace, &a.1.service).cmp(&(b.0, &b.1.namespace, &b.1.service)));
    (found.into_iter().map(|(_, candidate)| candidate).collect(), gaps, looked)
}

/// A Service as one of the kinds, with its rank: kind, how it was recognised, whether it is headless.
fn recognise(service: &Service) -> Option<((usize, usize, bool), Candidate)> {
    let Metadata { name, namespace, labels } = &service.metadata;
    let label = |key: &str| labels.get(key).map(String::as_str);
    let component = label("app.kubernetes.io/component");
    for (rank, kind) in KINDS.iter().enumerate() {
        let labelled = kind
            .labels
            .iter()
            .position(|(app, of)| label("app.kubernetes.io/name") == Some(*app) && (of.is_none() || *of == component));
        let named = || {
            let is = |known: &&str| name == *known || name.strip_suffix(*known).is_some_and(|rest| rest.ends_with('-'));
            kind.names.iter().position(is).map(|at| at + kind.labels.len())
        };
        let Some(how) = labelled.or_else(named) else { continue };
        // A component of another kind stands beside it under the same name: Alertmanager, the operator, an exporter.
        let beside =
            ["alertmanager", "operator", "exporter", "pushgateway", "adapter", "state-metrics", "sidecar", "store"];
        if labelled.is_none() && beside.iter().any(|word| name.contains(word)) && !name.ends_with("prometheus-operated")
        {
            continue;
        }
        let port = port(&service.spec.ports, kind.ports)?;
        let scheme = if port.name.starts_with("https") || port.port == 443 { "https:" } else { "" };
        let candidate = Candidate {
            kind: kind.name,
            namespace: namespace.clone(),
            service: name.clone(),
            proxied: format!("{scheme}{name}:{}", port.port),
            path: kind.path,
        };
        return Some(((rank, how, service.spec.cluster_ip == "None"), candidate));
    }
    None
}

fn port<'a>(ports: &'a [Port], wanted: &[&str]) -> Option<&'a Port> {
    let known = |wanted: &&str| ports.iter().find(|it| it.name == *wanted || it.port.to_string() == *wanted);
    let other = || ports.iter().find(|it| !it.name.contains("grpc") && !it.name.contains("reloader"));
    wanted.iter().find_map(known).or_else(other)
}

#[derive(Debug, Deserialize)]
struct List {
    #[serde(default)]
    items: Vec<Service>,
}

#[derive(Debug, Deserialize)]
struct Service {
    metadata: Metadata,
    #[serde(default)]
    spec: Spec,
}

#[derive(Debug, Deserialize)]
struct Metadata {
    name: String,
    #[serde(default)]
    namespace: String,
    #[serde(default)]
    labels: BTreeMap<String, String>,
}

#[derive(Debug, Default, Deserialize)]
struct Spec {
    #[serde(default)]
    ports: Vec<Port>,
    #[serde(default, rename = "clusterIP")]
    cluster_ip: String,
}

#[derive(Debug, Deserialize)]
struct Port {
    #[serde(default)]
    name: String,
    port: u16,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn service(name: &str, labels: &[(&str, &str)], ports: &[(&str, u16)]) -> Service {
        let labels: BTreeMap<_, _> = labels.iter().map(|(k, v)| (format!("app.kubernetes.io/{k}"), *v)).collect();
        let ports: Vec<_> = ports.iter().map(|(name, port)| json!({"name": name, "port": port})).collect();
        let service = json!({"metadata": {"name": name, "namespace": "m", "labels": labels}, "spec": {"ports": ports}});
        serde_json::from_value(service).unwrap()
    }

    #[track_caller]
    fn check(it: &Service, kind: &str, proxied: &str) {
        let (_, found) = recognise(it).unwrap_or_else(|| panic!("{it:?}"));
        assert_eq!((found.kind, found.proxied.as_str()), (kind, proxied));
    }

    #[test]
    fn servers_are_known_by_the_labels_and_names_that_charts_and_operators_give_them() {
        check(&service("prometheus-operated", &[], &[("web", 9090)]), "Prometheus", "prometheus-operated:9090");
        check(
            &service("k-prometheus", &[("name", "prometheus")], &[("reloader-web", 8080), ("https-web", 443)]),
            "Prometheus",
            "https:k-prometheus:443",
        );
        check(&service("x", &[("name", "prometheus"), ("component", "server")], &[("", 80)]), "Prometheus", "x:80");
        check(&service("kps-thanos-query", &[], &[("grpc", 10901), ("http", 9090)]), "Thanos", "kps-thanos-query:9090");
        check(&service("a", &[("name", "vmselect")], &[("http", 8481)]), "VictoriaMetrics cluster", "a:8481");
        check(&service("mimir-gateway", &[], &[("http-metrics", 80)]), "Mimir", "mimir-gateway:80");
    }

    #[test]
    fn what_stands_beside_a_server_is_none() {
        let web: &[(&str, u16)] = &[("http", 80)];
        for name in ["prometheus-alertmanager", "prometheus-node-exporter", "myprometheus", "cart", "grafana"] {
            assert!(recognise(&service(name, &[], web)).is_none(), "{name}");
        }
        assert!(
            recognise(&service("prometheus", &[], &[("grpc", 10901)])).is_none(),
            "it has no port that speaks HTTP"
        );
    }

    #[test]
    fn a_server_over_several_comes_first() {
        let rank = |it: &Service| recognise(it).unwrap().0;
        let thanos = rank(&service("thanos-query-frontend", &[], &[("http", 9090)]));
        assert!(thanos < rank(&service("prometheus-operated", &[], &[("web", 9090)])));
    }
}
