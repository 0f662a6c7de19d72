//! Flags of which one makes the other useless, and flags that nobody reads.

use super::{Finding, Level, Subject};
use crate::lint::workload::Platform;

super::rule!("jvm-flag-conflict", Warning, Program(judge));

fn judge<'a>(subject: &Subject<'_, 'a>) -> Vec<Finding<'a>> {
    let Some(it) = subject.jvm() else { return Vec::new() };
    let mut findings = Vec::new();
    if let (Some(heap), Some(percentage)) = (it.max_heap(), it.percentage()) {
        let message = format!("`{}` has no effect beside `{}`", percentage.part.text, heap.part.text);
        findings.push(
            Finding::new(Level::Warning, percentage.part.place, message)
                .label("ignored: the heap's maximum is given")
                .related(heap.part.place, format!("the heap's maximum is {}", heap.value))
                .help("remove one of the two"),
        );
    }
    // Of a Dockerfile `dockerfile-flags-unread` says it.
    if subject.scene.workload.platform == Platform::Dockerfile {
        return findings;
    }
    if let Some(part) = it.behind.iter().find(|part| is_memory(&part.text)) {
        findings.push(
            Finding::new(Level::Warning, part.place, format!("`{}` does not reach the JVM", part.text))
                .label("stands behind the program, and is an argument of that")
                .help("put it in front of -jar, or of the main class"),
        );
    }
    let mut unread = it.unread.iter().filter(|part| is_memory(&part.text));
    if let Some(part) = unread.next() {
        let name = part.from.unwrap_or("the variable");
        findings.push(
            Finding::new(Level::Warning, part.place, format!("`{}` does not reach the JVM", part.text))
                .label(format!("{name} is read by start scripts, and the command starts java without one"))
                .help("put it into JAVA_TOOL_OPTIONS, which the JVM itself reads, or into the command"),
        );
    }
    findings
}

fn is_memory(flag: &str) -> bool {
    flag.starts_with("-Xm") || flag.starts_with("-Xss") || flag.starts_with("-XX:Max") || flag.starts_with("-XX:Min")
}
