//! A Spark pod whose limit has no room for what is outside of the heap.

use super::{Finding, Level};
use crate::budget::scaled;
use crate::lint::surroundings::Surroundings;
use crate::lint::tree::At;
use crate::lint::workload::{Amount, Object};
use crate::runtime::flags::size;
use crate::units::Bytes;

super::rule!("spark-overhead", Warning, Object(judge));

/// `spark.kubernetes.memoryOverheadFactor` for the JVM and for others, in thousandths, and the least overhead
/// (Spark 3 and 4).
const JVM: u64 = 100;
const OTHERS: u64 = 400;
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
    ["driver", "executor"].iter().filter_map(|name| look(name, spec, usual)).collect()
}

/// A share that is given, in thousandths: that of the one kind (`spark.driver.memoryOverheadFactor`, Spark 3.3) before
/// that of both; the operator makes the latter of its own field (`docs/user-guide.md`, v1beta2).
fn factor<'a>(name: &str, spec: At<'a>) -> Option<At<'a>> {
    let of_conf = |key: &str| spec.path(&["sparkConf", key]);
    of_conf(&format!("spark.{name}.memoryOverheadFactor"))
        .or_else(|| spec.get("memoryOverheadFactor"))
        .or_else(|| of_conf("spark.kubernetes.memoryOverheadFactor"))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to lie between 0 and 1000")]
fn thousandths(factor: At<'_>) -> Option<u64> {
    let share = factor.text()?.trim().parse::<f64>().ok()?;
    (0.0..1000.0).contains(&share).then(|| (share * 1000.0).round() as u64)
}

/// `memoryOverhead` of the operator, or Spark's own setting, of which a number without a unit is in MiB.
fn overhead<'a>(name: &str, spec: At<'a>, node: At<'a>) -> Option<(At<'a>, Bytes)> {
    let of = |it: At<'a>| {
        let text = it.text()?.trim();
        let bytes = text.parse::<u32>().map_or_else(|_| size(text).map(Bytes), |mib| Some(Bytes::mib(mib.into())));
        Some((it, bytes?))
    };
    let conf = || spec.path(&["sparkConf", &format!("spark.{name}.memoryOverhead")]);
    of(node.get("memoryOverhead").or_else(conf)?)
}

fn look<'a>(name: &str, spec: At<'a>, usual: u64) -> Option<Finding<'a>> {
    let node = spec.get(name)?;
    let share = factor(name, spec);
    // Of what is not readable nothing is known.
    let usual = share.map_or(Some(usual), thousandths)?;
    let memory = node.get("memory")?;
    let heap = Bytes(size(memory.text()?)?);
    let given = overhead(name, spec, node);
    let overhead = given.map_or_else(|| scaled(heap, usual, 1000).max(LEAST), |(_, bytes)| bytes);
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
        None if share.is_some() => {}
        None => {
            finding = finding.assume(format!("Spark's own overhead: {} % of the heap, at least {LEAST}", usual / 10));
        }
    }
    Some(finding)
}

#[cfg(test)]
mod tests {
    use crate::lint::{Source, lint};

    #[test]
    fn an_overhead_of_sparks_own_settings_and_a_factor_count() {
        let found = |conf: &str, memory: &str, limit: &str| {
            let text = format!(
                "apiVersion: sparkoperator.k8s.io/v1beta2\nkind: SparkApplication\nmetadata: {{name: a}}\nspec:\n  \
                 type: Scala\n{conf}  driver: {{memory: {memory}, memoryLimit: {limit}}}\n"
            );
            let document = lint(&[Source { name: "a.yaml".into(), text }]);
            document.findings.iter().any(|it| it.rule == "spark-overhead")
        };
        assert!(found("", "2g", "2304Mi"));
        assert!(!found("  sparkConf: {spark.driver.memoryOverhead: 256m}\n", "2g", "2304Mi"));
        assert!(!found("  sparkConf: {spark.driver.memoryOverhead: \"256\"}\n", "2g", "2304Mi"));
        assert!(!found("  memoryOverheadFactor: \"0.05\"\n", "20g", "21Gi"));
        assert!(found("  memoryOverheadFactor: \"0.5\"\n", "4g", "5Gi"));
        assert!(found("  sparkConf: {spark.kubernetes.memoryOverheadFactor: \"0.5\"}\n", "4g", "5Gi"));
    }
}
