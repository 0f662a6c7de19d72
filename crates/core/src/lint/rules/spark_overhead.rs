//! A Spark pod whose limit has no room for what is outside of the heap.

use super::{Finding, Level};
use crate::budget::scaled;
use crate::lint::surroundings::Surroundings;
use crate::lint::tree::At;
use crate::lint::workload::{Amount, Object};
use crate::runtime::flags::size;
use crate::units::Bytes;

super::rule!("spark-overhead", Warning, Object(judge));

/// `spark.kubernetes.memoryOverheadFactor` for the JVM and for others, and the least overhead (Spark 3 and 4).
const JVM: u64 = 10;
const OTHERS: u64 = 40;
const LEAST: Bytes = Bytes::mib(384);

fn judge<'a>(object: &Object<'a>, _: &Surroundings<'a>) -> Vec<Finding<'a>> {
    let spec = match object.kind {
        "SparkApplication" => object.node.get("spec"),
        "ScheduledSparkApplication" => object.node.path(&["spec", "template"]),
        _ => None,
    };
    let Some(spec) = spec else { return Vec::new() };
    let is_jvm = !matches!(spec.text_of("type"), Some("Python" | "R"));
    let usual = if is_jvm { JVM } else { OTHERS };
    ["driver", "executor"].iter().filter_map(|name| look(name, spec.get(name)?, usual)).collect()
}

fn look<'a>(name: &str, node: At<'a>, usual: u64) -> Option<Finding<'a>> {
    let memory = node.get("memory")?;
    let heap = Bytes(size(memory.text()?)?);
    let given = node.get("memoryOverhead").and_then(|it| Some((it, Bytes(size(it.text()?)?))));
    let overhead = given.map_or_else(|| scaled(heap, usual, 100).max(LEAST), |(_, bytes)| bytes);
    let limit = node.get("memoryLimit").map(Amount::read)?;
    let bytes = limit.bytes().or_else(|| size(limit.text).map(Bytes))?;
    let need = Bytes(heap.0.saturating_add(overhead.0));
    if need <= bytes {
        return None;
    }
    let message = format!("the {name}'s limit of {bytes} is less than its heap and overhead, {need}");
    let mut finding = Finding::new(Level::Warning, limit.node, message)
        .label("the kernel kills here, everything included")
        .related(memory, format!("heap: {heap}"))
        .note(format!("budget: heap {heap} + overhead {overhead} = {need}"))
        .help("remove memoryLimit, so that Spark adds the overhead itself, or raise it");
    match given {
        Some((node, bytes)) => finding = finding.related(node, format!("overhead: {bytes}")),
        None => finding = finding.assume(format!("Spark's own overhead: {usual} % of the heap, at least {LEAST}")),
    }
    Some(finding)
}
