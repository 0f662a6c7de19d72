//! A share of the memory that is written as a fraction where the JVM reads percent.

use super::{Finding, Level, Subject};

super::rule!("jvm-percentage-fraction", Warning, Program(judge));

fn judge<'a>(subject: &Subject<'_, 'a>) -> Vec<Finding<'a>> {
    let Some(it) = subject.jvm() else { return Vec::new() };
    // `-Xmx` switches the percentage off, and `jvm-flag-conflict` says it.
    let Some(share) = it.percentage().filter(|_| it.max_heap().is_none()) else { return Vec::new() };
    let Some((flag, text)) = share.part.text.split_once("RAMPercentage=") else { return Vec::new() };
    if share.value <= 0.0 || share.value > 1.0 {
        return Vec::new();
    }
    let meant = share.value * 100.0;
    let message = format!("`{}` is {text} percent of the memory, not {meant:.0}", share.part.text);
    let mut finding = Finding::new(Level::Warning, share.part.place, message)
        .label("the JVM reads percent, from 0 to 100")
        .help(format!("write `{flag}RAMPercentage={meant:.1}`, if that is meant"));
    if let Some(limit) = subject.limit() {
        let heap = it.heap(limit.bytes).0;
        finding = finding.related(limit.place, format!("of {} the heap gets {heap}", limit.bytes));
        finding.assumed.extend(it.assumed());
    }
    vec![finding]
}

#[cfg(test)]
mod tests {
    use crate::lint::{Source, lint};

    #[test]
    fn a_share_of_one_or_less_is_a_fraction_unless_the_heap_has_a_size() {
        let found = |flags: &str| {
            let text =
                format!("services:\n  a:\n    image: a\n    mem_limit: 4g\n    command: java {flags} -jar a.jar\n");
            let document = lint(&[Source { name: "compose.yaml".into(), text }]);
            document.findings.into_iter().find(|it| it.rule == "jvm-percentage-fraction").map(|it| it.message)
        };
        let message = found("-XX:MaxRAMPercentage=0.75").expect("it is a fraction");
        assert_eq!(message, "`-XX:MaxRAMPercentage=0.75` is 0.75 percent of the memory, not 75");
        assert!(found("-XX:MaxRAMPercentage=1").is_some());
        for flags in ["-XX:MaxRAMPercentage=75", "-XX:MaxRAMPercentage=1.5", "-XX:MaxRAMPercentage=0.8 -Xmx1g", ""] {
            assert_eq!(found(flags), None, "{flags}");
        }
    }
}
