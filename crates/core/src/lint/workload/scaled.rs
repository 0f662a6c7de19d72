//! What scales replicas by the memory that they use.

use super::{At, Object};

/// A metric on memory.
#[derive(Debug, Clone, Copy)]
pub struct MemoryMetric<'a> {
    /// Where it stands.
    pub place: At<'a>,
    /// What it scales.
    pub target: At<'a>,
    /// The container whose memory it is, where it is not the pod's.
    pub container: Option<&'a str>,
    /// It is a share of the request, not an amount.
    pub is_share: bool,
}

/// The metric on memory of an HPA or of KEDA's ScaledObject.
pub fn memory_metric<'a>(object: &Object<'a>) -> Option<MemoryMetric<'a>> {
    let spec = object.node.get("spec")?;
    let target = spec.get("scaleTargetRef")?;
    let items = |name: &str| spec.get(name).into_iter().flat_map(At::items);
    if object.kind == "ScaledObject" {
        return items("triggers").find_map(|trigger| {
            let place = trigger.get("type").filter(|it| it.text() == Some("memory"))?;
            // `metadata.type` is its older name (keda.sh/v1alpha1, memory scaler, 2.x).
            let metadata = |name: &str| trigger.path(&["metadata", name]).and_then(At::text);
            let kind = trigger.text_of("metricType").or_else(|| metadata("type"));
            let is_share = kind != Some("AverageValue");
            Some(MemoryMetric { place, target, container: metadata("containerName"), is_share })
        });
    }
    if object.kind != "HorizontalPodAutoscaler" {
        return None;
    }
    items("metrics").find_map(|metric| {
        let resource = metric.get("resource").or_else(|| metric.get("containerResource"))?;
        let place = resource.get("name").filter(|name| name.text() == Some("memory"))?;
        // autoscaling/v2 has `target`, v2beta1 a key of its own.
        let is_amount = resource.path(&["target", "averageValue"]).is_some()
            || resource.path(&["target", "type"]).and_then(At::text) == Some("AverageValue")
            || resource.get("targetAverageValue").is_some();
        Some(MemoryMetric { place, target, container: resource.text_of("container"), is_share: !is_amount })
    })
}
