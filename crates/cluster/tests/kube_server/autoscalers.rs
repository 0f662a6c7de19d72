//! Autoscalers, and what pods use now.

use oomph_cluster::kube::{autoscalers, usage};
use serde_json::json;

use super::server::{PODS, Server, forbidden, list, pod, version};

const VERTICAL: &str = "/apis/autoscaling.k8s.io/v1/namespaces/shop";
const METRICS: &str = "/apis/metrics.k8s.io/v1beta1/namespaces/shop/pods?limit=500";

#[tokio::test]
async fn a_vpa_is_read_with_its_checkpoints_and_what_scales_beside_it() {
    let server = Server::start(|path| {
        version(path).or_else(|| match path {
            _ if path.starts_with(&format!("{VERTICAL}/verticalpodautoscalers?")) => {
                Some(list("VerticalPodAutoscalerList", &[json!({"metadata": {"name": "web"}})], ""))
            }
            _ if path.starts_with(&format!("{VERTICAL}/verticalpodautoscalercheckpoints?")) => {
                Some(forbidden("verticalpodautoscalercheckpoints"))
            }
            _ if path.contains("horizontalpodautoscalers") => Some(list("HorizontalPodAutoscalerList", &[], "")),
            _ => None,
        })
    })
    .await;
    let captured = autoscalers(&server.ask()).await.unwrap();
    assert_eq!((captured.artifacts.len(), captured.gaps.len()), (2, 1), "{captured:?}");
    assert!(captured.gaps[0].because.contains("without it the daily peaks"), "{:?}", captured.gaps);
}

#[tokio::test]
async fn a_cluster_without_a_vpa_lacks_nothing() {
    let server = Server::start(version).await;
    let captured = autoscalers(&server.ask()).await.unwrap();
    assert_eq!((captured.artifacts.len(), captured.gaps.len(), captured.sources.len()), (0, 0, 2));
    assert_eq!(server.asked("horizontalpodautoscalers"), 0, "it would be read for nothing");
}

#[tokio::test]
async fn what_pods_use_now_is_read_with_the_pods() {
    let server = Server::start(|path| {
        version(path).or_else(|| match path {
            METRICS => Some(list("PodMetricsList", &[json!({"metadata": {"name": "a"}})], "")),
            PODS => Some(list("PodList", &[pod("a", 0)], "")),
            _ => None,
        })
    })
    .await;
    let captured = usage(&server.ask()).await.unwrap();
    assert_eq!((captured.artifacts.len(), captured.gaps.len()), (2, 0), "{captured:?}");
    let without = Server::start(version).await;
    let captured = usage(&without.ask()).await.unwrap();
    assert_eq!((captured.artifacts.len(), without.asked("/api/v1/namespaces/shop/pods")), (0, 0));
}
