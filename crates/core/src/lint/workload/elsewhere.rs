//! Amounts of memory in objects that make no pods.

use super::{Amount, At, Object};

/// Amounts of memory of a LimitRange, a ResourceQuota or a VPA; none of any other object.
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
        "ResourceQuota" => {
            let hard = object.node.path(&["spec", "hard"]);
            let values = ["limits.memory", "requests.memory", "memory"].into_iter().filter_map(|name| hard?.get(name));
            values.filter(|value| value.text().is_some()).map(Amount::read).collect()
        }
        _ => Vec::new(),
    }
}
