//! Finding objects and pod templates in a document.

use super::{At, Object, STEPS, TEKTON, TEKTON_STEPS, Workload, compose, dockerfile, is_step};
use crate::lint::image::{self, Image};
use crate::lint::query::{self, Query};
use crate::lint::tree::{Document, Language, Tree};

/// What a document holds.
#[derive(Debug, Default)]
pub struct Found<'a> {
    /// Pod templates.
    pub workloads: Vec<Workload<'a>>,
    /// Every object, also those with a template.
    pub objects: Vec<Object<'a>>,
    /// Objects without a template or a query, and what is no object at all.
    pub others: Vec<Object<'a>>,
    /// Queries of alert rules and dashboards.
    pub queries: Vec<Query<'a>>,
    /// Objects that another one of the input made, and that are judged there.
    pub made: Vec<Object<'a>>,
    /// Images that are described beside the manifests.
    pub images: Vec<Image<'a>>,
    /// The file that all of it is in.
    pub path: &'a str,
}

/// Deeper than this no template lies.
const DEPTH: usize = 48;

/// API groups whose objects hold patterns of pods, not pods.
const PATTERNS: [&str; 7] = [
    "apiextensions.k8s.io",
    "kyverno.io",
    "policies.kyverno.io",
    "constraints.gatekeeper.sh",
    "templates.gatekeeper.sh",
    "mutations.gatekeeper.sh",
    "admissionregistration.k8s.io",
];

/// Looks through a document.
pub fn find<'a>(tree: &'a Tree<'a>, document: &Document) -> Found<'a> {
    let mut found = Found::default();
    if tree.language == Language::Dockerfile {
        let root = tree.root(document);
        match dockerfile::image(root) {
            Some(image) => found.workloads.push(image),
            None => found.others.push(Object::read(root, None)),
        }
        return found;
    }
    let comments = tree.comments_of(document).iter().map(|comment| &tree.text[comment.span.range()]);
    let template = comments.filter_map(|text| text.strip_prefix("# Source: ")).map(str::trim).next();
    object(tree.root(document), template, &mut found, 0);
    found
}

fn object<'a>(node: At<'a>, template: Option<&'a str>, found: &mut Found<'a>, depth: usize) {
    if !node.is_mapping() {
        // A list of objects without a word around it.
        for item in node.items().filter(|item| item.is_mapping() && depth < DEPTH) {
            object(item, template, found, depth + 1);
        }
        if !node.is_sequence() && node.text().is_some() {
            found.others.push(Object::read(node, template));
        }
        return;
    }
    let kind = node.text_of("kind").unwrap_or("");
    // `objects` of an OpenShift Template are objects too.
    let list =
        if kind == "Template" { node.get("objects") } else { node.get("items").filter(|_| kind.ends_with("List")) };
    if let Some(items) = list.filter(|items| items.is_sequence()) {
        for item in items.items().filter(|item| item.is_mapping() && depth < DEPTH) {
            object(item, template, found, depth + 1);
        }
        return;
    }
    if let Some(image) = image::read(node) {
        found.images.push(image);
        return;
    }
    let services = compose::services(node);
    if !services.is_empty() {
        found.workloads.extend(services);
        return;
    }
    let it = Object::read(node, template);
    found.objects.push(it);
    let before = found.workloads.len();
    if !PATTERNS.contains(&it.group()) {
        walk(node, node, &it, found, 0);
    }
    if found.workloads.len() > before {
        return;
    }
    let queries = query::find(&it);
    if queries.is_empty() {
        found.others.push(it);
    }
    found.queries.extend(queries);
}

/// Looks for pod specs below a node; `parent` is what would be the template.
fn walk<'a>(node: At<'a>, parent: At<'a>, object: &Object<'a>, found: &mut Found<'a>, depth: usize) {
    if depth > DEPTH {
        return;
    }
    let is_step = || {
        let is_workflow = object.group() == "argoproj.io" && object.kind.contains("Workflow");
        let is_task =
            || object.group() == TEKTON && node.get(TEKTON_STEPS).is_some_and(|steps| steps.items().any(is_step));
        is_workflow && STEPS.iter().filter_map(|name| node.get(name)).any(is_step) || is_task()
    };
    if node.is_mapping() && (is_pod_spec(node) || is_step()) {
        found.workloads.push(Workload::read(*object, parent, node));
        return;
    }
    for child in node.own_children() {
        walk(child, node, object, found, depth + 1);
    }
}

/// A mapping with a list of containers: each has a name or an image, and nothing in it is a pattern.
fn is_pod_spec(node: At<'_>) -> bool {
    let Some(containers) = node.get("containers") else { return false };
    let mut items = containers.items().peekable();
    let is_container = |item: At<'_>| {
        item.is_mapping() && ["image", "name"].iter().any(|key| item.get(key).is_some_and(|it| it.text().is_some()))
    };
    items.peek().is_some() && items.all(is_container)
}
