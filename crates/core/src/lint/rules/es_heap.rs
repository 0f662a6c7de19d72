//! Elasticsearch and OpenSearch with a heap of more than half of the limit.

use super::{Finding, Level, Subject};

super::rule!("es-heap", Warning, Program(judge));

fn judge<'a>(subject: &Subject<'_, 'a>) -> Vec<Finding<'a>> {
    let program = subject.program;
    let named = subject.is(&["elasticsearch", "opensearch"], &["elasticsearch", "opensearch"]);
    let by_variable = ["ES_JAVA_OPTS", "OPENSEARCH_JAVA_OPTS"].iter().any(|name| program.variable(name).is_some());
    let (Some(limit), true) = (subject.limit(), named || by_variable) else { return Vec::new() };
    let Some(it) = subject.jvm() else { return Vec::new() };
    let Some(heap) = it.max_heap() else { return Vec::new() };
    // At the limit and over it another rule speaks.
    if heap.value.0 <= limit.bytes.0 / 2 || heap.value >= limit.bytes {
        return Vec::new();
    }
    let percent = u128::from(heap.value.0) * 100 / u128::from(limit.bytes.0.max(1));
    let half = (limit.bytes.0 / 2) >> 20;
    vec![
        Finding::new(
            Level::Warning,
            heap.part.place,
            format!("the heap of {} is {percent} % of the limit of {}", heap.value, limit.bytes),
        )
        .label("at most half is the heap's")
        .related(limit.place, limit.says())
        .note(
            "direct buffers take up to half as much as the heap again, and Lucene lives on the page cache that is left",
        )
        .help(format!("-Xms{half}m -Xmx{half}m for this limit, or none: since 7.11 it sizes itself")),
    ]
}
