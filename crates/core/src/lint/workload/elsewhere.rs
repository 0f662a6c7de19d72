//! Amounts of memory in objects that make no pods.

use super::find::{PATTERNS, is_template};
use super::{Amount, At, Object, Resources};

/// Deeper than this nobody keeps resources.
const DEPTH: usize = 24;

/// What stands in an object, but for the patterns of pods, is read by its operator.
fn is_custom(object: &Object<'_>) -> bool {
    let group = object.group();
    group.contains('.') && !group.ends_with(".k8s.io") && !PATTERNS.contains(&group)
}

/// `resources` beside `containers` are the pod's where both are of a template. A custom resource whose own spec, or a part
/// of it, has `containers` adds them to those of its operator, and its `resources` are those of the main container
/// (monitoring.coreos.com/v1, prometheus_types.go: "of the 'prometheus' container").
pub(super) fn is_of_pod(object: &Object<'_>, template: At<'_>, spec: At<'_>) -> bool {
    !is_custom(object) || (template.get("spec") == Some(spec) && template != object.node)
}

/// `resources` with an amount of memory of a custom resource, outside of its pod templates: an operator makes containers
/// of them. Kubernetes' own objects have them nowhere else.
pub fn claims<'a>(object: &Object<'a>) -> Vec<Resources<'a>> {
    let mut all = Vec::new();
    if is_custom(object) {
        collect(object.node, object.node, object, &mut all, 0);
    }
    all
}

/// `parent` is what would be the template.
fn collect<'a>(node: At<'a>, parent: At<'a>, object: &Object<'a>, all: &mut Vec<Resources<'a>>, depth: usize) {
    let is_template = is_template(node, object);
    if depth > DEPTH || (is_template && is_of_pod(object, parent, node)) {
        return;
    }
    if let Some(resources) = node.get("resources").filter(|it| it.is_mapping()) {
        // Or by the name of the container, as in Bank-Vaults' Vault (v1alpha1, vault_types.go, `Resources`).
        for it in std::iter::once(resources).chain(resources.own_children().filter(|it| it.is_mapping())) {
            let it = Resources::read(Some(it));
            all.extend((it.memory_request.is_some() || it.memory_limit.is_some()).then_some(it));
        }
    }
    if is_template {
        return; // its containers are judged as such
    }
    for child in node.own_children() {
        collect(child, node, object, all, depth + 1);
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

    fn found(text: &str) -> Vec<(String, u32)> {
        let document = lint(&[Source { name: "a.yaml".into(), text: text.into() }]);
        let errors = document.findings.into_iter().filter(|it| it.level > crate::lint::Level::Info);
        errors.map(|it| (it.rule, it.region.line)).collect()
    }

    #[test]
    fn resources_beside_the_containers_that_a_custom_resource_adds_are_those_of_its_own() {
        let resources = |request: &str| {
            format!(
                "apiVersion: monitoring.coreos.com/v1\nkind: Prometheus\nmetadata: {{name: a}}\nspec:\n  resources:\n    \
                 requests: {{memory: {request}}}\n    limits: {{memory: 400Mi}}\n  containers:\n  - name: proxy\n    \
                 image: proxy:1\n    resources: {{requests: {{memory: 800Mi}}, limits: {{memory: 800Mi}}}}\n"
            )
        };
        assert_eq!(found(&resources("400Mi")), []);
        assert_eq!(found(&resources("500Mi")), [("request-gt-limit".to_owned(), 6)]);
        assert_eq!(found(&resources("500m")), [("quantity-milli".to_owned(), 6)]);
        let of_a_part = "apiVersion: operator.victoriametrics.com/v1beta1\nkind: VMCluster\nmetadata: {name: a}\nspec:\n  \
                         vmstorage:\n    resources: {limits: {memory: 400m}}\n    containers:\n    - {name: proxy, image: \
                         'proxy:1', resources: {requests: {memory: 800Mi}, limits: {memory: 800Mi}}}\n";
        assert_eq!(found(of_a_part), [("quantity-milli".to_owned(), 6)]);
    }

    #[test]
    fn resources_by_the_names_of_containers_are_claims_too() {
        let vault = "apiVersion: vault.banzaicloud.com/v1alpha1\nkind: Vault\nmetadata: {name: a}\nspec:\n  resources:\n    \
                     vault:\n      limits: {memory: 256Mi}\n      requests: {memory: 512Mi}\n    bankVaults:\n      \
                     limits: {memory: 64m}\n";
        let lines = found(vault);
        assert_eq!(lines, [("request-gt-limit".to_owned(), 8), ("quantity-milli".to_owned(), 10)]);
    }
}
