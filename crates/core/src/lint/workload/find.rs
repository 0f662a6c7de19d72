//! Finding objects and pod templates in a document.

use super::{At, Object, Workload, argo, compose, dockerfile, tekton};
use crate::lint::admitted::owner;
use crate::lint::image::{self, Image};
use crate::lint::query::{self, Query};
use crate::lint::tree::{Document, Language, ORIGIN, Tree};

/// What a document holds.
#[derive(Debug, Default)]
pub struct Found<'a> {
    /// Pod templates.
    pub workloads: Vec<Workload<'a>>,
    /// Every object, also those with a template.
    pub objects: Vec<Object<'a>>,
    /// Objects that name an owner.
    pub owned: Vec<Object<'a>>,
    /// Objects without a template or a query, and what is no object at all.
    pub others: Vec<Object<'a>>,
    /// Queries of alert rules and dashboards.
    pub queries: Vec<Query<'a>>,
    /// Objects that another one of the input made, and that are judged there.
    pub made: Vec<Object<'a>>,
    /// Images that are described beside the manifests.
    pub images: Vec<Image<'a>>,
    /// The place in the input of the file that all of it is in.
    pub file: usize,
    /// The file's name.
    pub path: &'a str,
}

/// Deeper than this no template lies.
const DEPTH: usize = 48;

/// API groups whose objects hold patterns of pods, not pods.
pub(super) const PATTERNS: [&str; 7] = [
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
    let template = comments.filter_map(|text| text.strip_prefix(ORIGIN)).map(str::trim).next();
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
    found.owned.extend(owner(&it).map(|_| it));
    let before = found.workloads.len();
    if !PATTERNS.contains(&it.group()) {
        walk(node, node, (&it, false), found, 0);
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

/// Looks for pod specs below a node; `parent` is what would be the template. Only what is an object, or lies in one, has
/// pods: `containers` of other files (azure-pipelines.yml, values.yaml) are something else.
fn walk<'a>(
    node: At<'a>,
    parent: At<'a>,
    (object, in_object): (&Object<'a>, bool),
    found: &mut Found<'a>,
    depth: usize,
) {
    if depth > DEPTH {
        return;
    }
    let in_object = in_object || node.text_of("kind").is_some() || node.text_of("apiVersion").is_some();
    if in_object && is_template(node, object) {
        found.workloads.push(Workload::read(*object, parent, node));
        return;
    }
    for child in node.own_children().filter(|child| !child.is_scalar()) {
        walk(child, node, (object, in_object), found, depth + 1);
    }
}

/// A mapping that pods are made from.
pub(super) fn is_template<'a>(node: At<'a>, object: &Object<'a>) -> bool {
    let is_step = || (argo::workflow(object).is_some() && argo::is_template(node)) || tekton::is_task(object, node);
    node.is_mapping() && (is_pod_spec(node) || is_step())
}

/// A mapping with a list of containers, or of init containers alone, as in a template that an operator completes: each has
/// a name or an image, and nothing in it is a pattern.
fn is_pod_spec(node: At<'_>) -> bool {
    let is_container = |item: At<'_>| {
        item.is_mapping() && ["image", "name"].iter().any(|key| item.get(key).is_some_and(|it| it.text().is_some()))
    };
    let lists = || ["containers", "initContainers"].iter().filter_map(|name| node.get(name));
    lists().any(|list| list.items().next().is_some()) && lists().flat_map(At::items).all(is_container)
}
