//! What scales replicas by the memory that they use.

use super::{At, Object};

/// The metric on memory of an HPA or of KEDA's ScaledObject, and what it scales.
pub fn memory_metric<'a>(object: &Object<'a>) -> Option<(At<'a>, At<'a>)> {
    let spec = object.node.get("spec")?;
    let target = spec.get("scaleTargetRef")?;
    if object.kind == "ScaledObject" {
        let triggers = spec.get("triggers").into_iter().flat_map(At::items);
        return triggers.filter_map(|it| it.get("type")).find(|it| it.text() == Some("memory")).map(|it| (it, target));
    }
    if object.kind != "HorizontalPodAutoscaler" {
        return None;
    }
    let mut metrics = spec.get("metrics").into_iter().flat_map(At::items);
    let name = metrics.find_map(|metric| {
        let resource = metric.get("resource").or_else(|| metric.get("containerResource"))?;
        resource.get("name").filter(|name| name.text() == Some("memory"))
    });
    Some((name?, target))
}
