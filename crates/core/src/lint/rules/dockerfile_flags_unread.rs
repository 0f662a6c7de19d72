//! Flags in a variable of an image that nothing in it reads.

use super::{Finding, Level, Subject};
use crate::lint::workload::Platform;

super::rule!("dockerfile-flags-unread", Warning, Program(judge));

fn judge<'a>(subject: &Subject<'_, 'a>) -> Vec<Finding<'a>> {
    let (Some(it), Platform::Dockerfile) = (subject.jvm(), subject.scene.workload.platform) else { return Vec::new() };
    let Some(part) = it.unread.first() else { return Vec::new() };
    let name = part.from.unwrap_or("the variable");
    let mut finding = Finding::new(Level::Warning, part.place, format!("`{}` does not reach the JVM", part.text))
        .label(format!("{name} is read by start scripts, and the image starts java without one"))
        .help("put it into JAVA_TOOL_OPTIONS, which the JVM itself reads");
    if let Some(start) = subject.program.started("java") {
        finding = finding.related(start.place, "java is started here, and no shell puts a variable in");
    }
    vec![finding]
}
