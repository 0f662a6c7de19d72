//! Amounts of memory in objects that make no pods.

use super::find::{PATTERNS, is_template};
use super::{Amount, At, Object, Resources};

/// Deeper than this nobody keeps resources.
const DEPTH: usize = 24;

/// `resources` with an amount of memory of a custom resource, outside of its pod templates: an operator makes containers
/// of them. Kubernetes' own objects have them nowhere else.
pub fn claims<'a>(object: &Object<'a>) -> Vec<Resources<'a>> {
    let group = object.group();
    let mut all = Vec::new();
    if group.contains('.') && !group.ends_with(".k8s.io") && !PATTERNS.contains(&group) {
        collect(object.node, object, &mut all, 0);
    }
    all
}

fn collect<'a>(node: At<'a>, object: &Object<'a>, all: &mut Vec<Resources<'a>>, depth: usize) {
    if depth > DEPTH || is_template(node, object) {
        return;
    }
    if let Some(resources) = node.get("resources").filter(|it| it.is_mapping()) {
        let it = Resources::read(Some(resources));
        all.extend((it.memory_request.is_some() || it.memory_limit.is_some()).then_some(it));
    }
    for child in node.own_children() {
        collect(child, object, all, depth + 1);
    }
}

/// Amounts of memory of a LimitRange, a ResourceQuota, a VPA or an HPA, and of what a custom resource claims.
pub fn amounts_of<'a>(object: &Object<'a>) -> Vec<Amount<'a>> {
    let items = |path: &[&str]| object.node.path(path).into_iter().flat_map(At::items).collect::<Vec<_>>();
    let of = |items: Vec<At<'a>>, names: &[&str]| {
        let values =
            items.into_iter().flat_map(|item| names.iter().filter_map(move |name| item.path(&[name, "memory"])));
        values.filter(|value| value.text().is_some()).map(Amount::read).collect::<Vec<_>>()
    };
    match object.kind {
        "LimitRange" => of(items(&["spec", "limits"]), &["default", "defaultRequest", "max", "min"]),
        "VerticalPodAutoscaler" => {
            of(items(&["spec", "resourcePolicy", "containerPolicies"]), &["minAllowed", "maxAllowed"])
        }
        "HorizontalPodAutoscaler" => {
            let resource = |metric: At<'a>| metric.get("resource").or_else(|| metric.get("containerResource"));
            let of_memory = items(&["spec", "metrics"]).into_iter().filter_map(resource);
            let of_memory = of_memory.filter(|it| it.text_of("name") == Some("memory"));
            of_memory.filter_map(|it| it.path(&["target", "averageValue"])).map(Amount::read).collect()
        }
        "ResourceQuota" => {
            let hard = object.node.path(&["spec", "hard"]);
            let values = ["limits.memory", "requests.memory", "memory"].into_iter().filter_map(|name| hard?.get(name));
            values.filter(|value| value.text().is_some()).map(Amount::read).collect()
        }
        _ => claims(object).iter().flat_map(|it| it.memory_request.into_iter().chain(it.memory_limit)).collect(),
    }
}

#[cfg(test)]
mod tests {
    use crate::lint::{Source, lint};

    #[test]
    fn the_amount_that_replicas_are_scaled_by_is_one() {
        let found = |amount: &str| {
            let text = format!(
                "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {{name: a}}\nspec:\n  scaleTargetRef: \
                 {{kind: Deployment, name: a}}\n  metrics:\n  - type: Resource\n    resource:\n      name: memory\n      \
                 target: {{type: AverageValue, averageValue: {amount}}}\n"
            );
            let document = lint(&[Source { name: "a.yaml".into(), text }]);
            document.findings.into_iter().map(|it| (it.rule, it.region.line)).collect::<Vec<_>>()
        };
        assert_eq!(found("500m"), [("quantity-milli".to_owned(), 10)]);
        assert_eq!(found("500Mi"), []);
    }
}
