//! Queries by the shape of what holds them: groups of rules, and dashboards.

use std::sync::Arc;

use super::parse::parse_with;
use super::places::Places;
use super::{Problem, Purpose, Query};
use crate::lint::tree::{self, At, Comment, Span};
use crate::lint::workload::Object;

/// Deeper than this no panel lies.
const DEPTH: usize = 48;

/// The queries of an object, or of a file that is no object of Kubernetes.
pub(in crate::lint) fn find<'a>(object: &Object<'a>) -> Vec<Query<'a>> {
    let mut seeker = Seeker { file: object.node.tree().file, object: *object, around: Vec::new(), queries: Vec::new() };
    // Loki's rules have the same shape, in another language.
    if object.group() == "loki.grafana.com" {
        return Vec::new();
    }
    if object.kind == "ConfigMap" {
        for (key, value) in object.node.get("data").map(At::entries).unwrap_or_default() {
            seeker.embedded(key.text().unwrap_or_default(), value);
        }
        return seeker.queries;
    }
    if object.kind.is_empty() {
        seeker.file(object.node);
        return seeker.queries;
    }
    seeker.document(object.node);
    if let Some(json) = object.node.path(&["spec", "json"]).filter(|_| object.kind == "GrafanaDashboard") {
        seeker.embedded("json", json);
    }
    seeker.queries
}

struct Seeker<'a> {
    file: usize,
    object: Object<'a>,
    /// Where the text stands that is being looked through, if not in the file itself.
    around: Vec<Arc<Places>>,
    queries: Vec<Query<'a>>,
}

/// What stands around a query of a dashboard.
#[derive(Clone, Copy)]
struct Scope<'t> {
    panel: &'t str,
    source: Option<At<'t>>,
}

impl<'a> Seeker<'a> {
    /// A file of Prometheus or Grafana, named by what it calls itself.
    fn file(&mut self, node: At<'a>) {
        if let Some(groups) = node.get("groups").filter(|it| it.is_sequence()) {
            for group in groups.items() {
                let name = group.text_of("name").unwrap_or("");
                self.object = Object { api_version: "prometheus", kind: "Rules", name, ..self.object };
                self.group(group);
            }
        } else {
            let title = node.text_of("title").or_else(|| node.get("dashboard")?.text_of("title"));
            let name = title.unwrap_or("");
            self.object = Object { api_version: "grafana", kind: "Dashboard", name, ..self.object };
            self.document(node);
        }
    }

    /// Rules or panels in an object, or in what an API wraps around one.
    fn document(&mut self, node: At<'_>) {
        let inner = ["spec", "dashboard"].into_iter().filter_map(|key| node.get(key));
        for node in std::iter::once(node).chain(inner).filter(|node| node.is_mapping()) {
            let list = |key: &str| node.get(key).filter(|it| it.is_sequence());
            if let Some(groups) = list("groups") {
                groups.items().for_each(|group| self.group(group));
            }
            let has_elements = node.get("elements").is_some_and(At::is_mapping) && node.get("layout").is_some();
            if list("panels").is_some() || list("rows").is_some() || has_elements {
                self.below(node, Scope { panel: "", source: None }, 0);
            }
        }
    }

    fn group(&mut self, group: At<'_>) {
        // VictoriaMetrics' groups may be of another language.
        if !is_foreign(group.text_of("type").unwrap_or("")) {
            group.get("rules").into_iter().flat_map(At::items).for_each(|rule| self.rule(rule));
        }
    }

    fn rule(&mut self, rule: At<'_>) {
        let (purpose, name) = match (rule.text_of("record"), rule.text_of("alert")) {
            (Some(name), _) => (Purpose::Record, name),
            (None, name) => (Purpose::Alert, name.or_else(|| rule.text_of("title")).unwrap_or("")),
        };
        match rule.get("expr") {
            Some(expr) => self.query(expr, purpose, name),
            // Grafana's own alerts hold several queries.
            None => {
                for data in rule.get("data").into_iter().flat_map(At::items) {
                    if let Some(expr) =
                        data.path(&["model", "expr"]).filter(|_| !is_elsewhere(data.path(&["model", "datasource"])))
                    {
                        self.query(expr, purpose, name);
                    }
                }
            }
        }
    }

    fn below(&mut self, node: At<'_>, scope: Scope<'_>, depth: usize) {
        if depth > DEPTH {
            return;
        }
        let mut scope = scope;
        if node.is_mapping() {
            let is_panel = node.get("targets").is_some() || node.get("type").is_some();
            scope.panel = node.text_of("title").filter(|_| is_panel).unwrap_or(scope.panel);
            scope.source = node.get("datasource").or(scope.source);
            if let Some(expr) = node.get("expr").filter(|_| !is_elsewhere(scope.source)) {
                self.query(expr, Purpose::Panel, scope.panel);
            }
        }
        for child in node.own_children() {
            self.below(child, scope, depth + 1);
        }
    }

    fn query(&mut self, node: At<'_>, purpose: Purpose, name: &str) {
        let Some(text) = node.text().filter(|text| !text.trim().is_empty()) else { return };
        let places = std::iter::once(Arc::new(Places::of(node, text))).chain(self.around.iter().cloned()).collect();
        let mut comments = Vec::new();
        let expr = parse_with(text, &mut comments);
        let name = name.to_owned();
        let (object, file) = (self.object, self.file);
        let mut query = Query { object, purpose, name, expr, comments: Vec::new(), file, places };
        let comment = |span: Span| {
            let line = text[..span.start as usize].rsplit('\n').next().unwrap_or("");
            Comment { span: query.place(span).span, alone: line.trim().is_empty() }
        };
        query.comments = comments.into_iter().map(comment).collect();
        self.queries.push(query);
    }

    /// A file in a scalar.
    fn embedded(&mut self, key: &str, node: At<'_>) {
        let Some(text) = node.text().filter(|text| memchr::memmem::find(text.as_bytes(), b"expr").is_some()) else {
            return;
        };
        let inner = tree::read(self.file, text);
        self.around = vec![Arc::new(Places::of(node, text))];
        let before = self.queries.len();
        for document in &inner.documents {
            self.document(inner.root(document));
        }
        let holds_queries = ["expr:", "\"expr\""].iter().any(|word| text.contains(word));
        let is_file = [".yaml", ".yml", ".json", ".rules"].iter().any(|end| key.ends_with(end)) || key == "json";
        if let Some(error) = inner.errors.first().filter(|_| self.queries.len() == before && holds_queries && is_file) {
            // An empty place has nothing to be pointed at.
            let at = if error.at.start < error.at.end { error.at } else { Span { start: 0, end: 1 } };
            let (purpose, name) = (Purpose::File, key.to_owned());
            let expr = Err(Problem::new(at, error.message.clone()));
            let places = self.around.clone();
            let (object, file, comments) = (self.object, self.file, Vec::new());
            self.queries.push(Query { object, purpose, name, expr, comments, file, places });
        }
        self.around.clear();
    }
}

/// A data source that does not speak PromQL.
fn is_elsewhere(source: Option<At<'_>>) -> bool {
    let name = source.and_then(|it| it.text_of("type").or_else(|| it.text()));
    name.is_some_and(is_foreign)
}

fn is_foreign(name: &str) -> bool {
    const OTHERS: [&str; 12] = [
        "loki",
        "logs",
        "tempo",
        "elastic",
        "influx",
        "graphite",
        "sql",
        "opensearch",
        "__expr__",
        "testdata",
        "cloudwatch",
        "clickhouse",
    ];
    let name = name.to_ascii_lowercase();
    OTHERS.iter().any(|it| name.contains(it))
}
