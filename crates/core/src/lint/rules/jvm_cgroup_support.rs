//! A JDK that does not see its limit.

use super::{Finding, Level, Subject};

super::rule!("jvm-cgroup-support", Warning, Container(judge));

fn judge<'a>(subject: &Subject<'_, 'a>) -> Vec<Finding<'a>> {
    let Some(it) = subject.jvm() else { return Vec::new() };
    let place = subject.container.node.get("image").unwrap_or_else(|| subject.container.title_node());
    if it.switch("UseContainerSupport") == Some(false) {
        let Some(flag) = it.last(&["-XX:-UseContainerSupport"]) else { return Vec::new() };
        return vec![
            Finding::new(Level::Warning, flag.part.place, "the JVM is told not to look at the container's limit")
                .label("sizes its heap by the memory of the node")
                .help("remove the flag"),
        ];
    }
    let Some(version) = it.version.as_deref() else { return Vec::new() };
    let name = subject.container.image.map_or("", |image| image.name);
    let Some(since) = lacking(version).or_else(|| lacking_image(name, version)) else { return Vec::new() };
    let has_heap = it.max_heap().is_some() || it.is_heap_unknown();
    let mut finding = Finding::new(
        Level::Warning,
        place,
        format!("Java {} does not see a limit of cgroup version 2", shown(version)),
    )
    .label("sizes itself by the memory of the node")
    .note("nodes run cgroup version 2 since Ubuntu 21.10, Debian 11, RHEL 9; Kubernetes 1.35 asks for it")
    .help(format!("use {since} or later"));
    if !has_heap {
        finding = finding.note("without -Xmx the heap may grow to a quarter of the node's memory");
    }
    vec![finding]
}

/// The first release of the line that reads cgroup version 2, where this one does not: JDK-8230305 (15), backported to
/// 11.0.16 and 8u372. A tag without an update says nothing of it.
fn lacking(version: &[u32]) -> Option<&'static str> {
    match *version {
        [8, update, ..] if update < 372 => Some("8u372"),
        [8, 0, update, ..] if update < 372 => Some("8u372"),
        [11, 0, update, ..] if update < 16 => Some("11.0.16"),
        [major, ..] if major < 8 || (9..=10).contains(&major) || (12..=14).contains(&major) => Some("17"),
        _ => None,
    }
}

/// Images that ended before their Java learned it, whatever the rest of the tag: `openjdk` with 8u342, `adoptopenjdk` with
/// 8u292 and 11.0.11, `java` with 8u111.
fn lacking_image(name: &str, version: &[u32]) -> Option<&'static str> {
    match (name, version) {
        ("java" | "openjdk" | "adoptopenjdk", [8, ..]) => Some("8u372, in an image that is still kept"),
        ("adoptopenjdk", [11, ..]) => Some("11.0.16, in an image that is still kept"),
        _ => None,
    }
}

fn shown(version: &[u32]) -> String {
    match *version {
        [8, update] => format!("8u{update}"),
        _ => version.iter().map(u32::to_string).collect::<Vec<_>>().join("."),
    }
}
