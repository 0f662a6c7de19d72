//! What made a kill likely, read off the spec that was in force.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::case::{Case, Life};
use crate::diagnosis::{Composition, Contributor};
use crate::fact::{Container, Pod, Resources};
use crate::lint::{DocumentFinding, Level, Source, lint};
use crate::units::Bytes;

/// Share of the usage from which on a part that is no heap is worth a word.
const LARGE: f64 = 0.2;

/// Contributors of a case; none where no limit of the container or pod was hit.
pub(super) fn of(case: &Case<'_>, limit_was_hit: bool) -> Vec<Contributor> {
    if !limit_was_hit {
        return Vec::new();
    }
    let mut list = by_composition(case);
    let (Some(view), Some(container)) = (case.pod, case.container) else { return list };
    let source = case.index.artifact_name(view.from.artifact).to_owned();
    let locator = view.from.join(&container.spec_path).locator();
    let mut say = |says: String| {
        list.push(Contributor { says, source: source.clone(), locator: locator.clone() });
    };
    for finding in by_rules(&view.pod, container) {
        say(finding);
    }
    for volume in &container.tmpfs_mounts {
        let bound = view.pod.tmpfs.iter().find(|tmpfs| &tmpfs.volume == volume).and_then(|tmpfs| tmpfs.size_limit);
        // One without a bound is found by a rule.
        if let Some(size) = bound {
            say(format!("memory-backed volume {volume} may take {size} of the limit"));
        }
    }
    list
}

/// Memory that is not the victim's heap: what the kernel's report says was charged beside anonymous memory.
fn by_composition(case: &Case<'_>) -> Vec<Contributor> {
    let Some(kill) = case.kills.iter().find(|kill| kill.life == Life::This).map(|kill| kill.kill) else {
        return Vec::new();
    };
    let Some(usage) = kill.memory.and_then(|memory| memory.usage).filter(|usage| usage.0 > 0) else {
        return Vec::new();
    };
    let parts = Composition::of(kill.it);
    let large = |part: Option<Bytes>| part.filter(|part| part.0 as f64 >= LARGE * usage.0 as f64);
    let (from, _) = kill.lines.first().map_or((kill.from, ""), |(from, line)| (from, line.as_str()));
    let sentence = |says: String| Contributor {
        says,
        source: case.index.artifact_name(from.artifact).to_owned(),
        locator: from.locator(),
    };
    let shmem = large(parts.shmem_bytes).map(|part| {
        format!("{part} of {usage} were tmpfs files and shared memory, which survive a container's restart and no heap graph shows")
    });
    let kernel = large(parts.kernel_bytes).map(|part| {
        format!("{part} of {usage} were kernel memory (page tables, stacks, slab, pipes), which is charged to the container too")
    });
    shmem.into_iter().chain(kernel).map(sentence).collect()
}

/// Rules of lint that say nothing of how a container dies.
const SILENT: [&str; 8] = [
    "limit-missing",
    "request-missing",
    "request-gt-limit",
    "qos-class",
    "qos-demotion",
    "limit-request-ratio",
    "jvm-flag-conflict",
    "heap-dump-lost",
];

/// What the rules of lint find in the spec that was in force, as far as facts hold it.
fn by_rules(pod: &Pod, container: &Container) -> Vec<String> {
    let text = manifest(pod, container).to_string();
    let document = lint(&[Source { name: String::new(), text: text.clone() }]);
    let says = |finding: &DocumentFinding| {
        let words = finding.region.place.and_then(|place| text.get(place.span.range())).unwrap_or("").trim_matches('"');
        let flag = container.flags.iter().find(|flag| !words.is_empty() && flag.text.ends_with(words));
        match flag {
            Some(flag) => format!("{} ({}): {}", flag.text, flag.from, finding.message),
            None => finding.message.to_string(),
        }
    };
    let speaks = |finding: &&DocumentFinding| {
        let may_say = finding.level > Level::Info || finding.rule == "jvm-no-direct-cap";
        may_say && !SILENT.contains(&finding.rule.as_str())
    };
    document.findings.iter().filter(speaks).map(says).collect()
}

/// The pod with this container alone, as a manifest would have it.
fn manifest(pod: &Pod, container: &Container) -> Value {
    let memory = |resources: &Resources| match resources.limit_bytes() {
        Some(limit) => json!({ "limits": { "memory": limit.0 } }),
        None => json!({}),
    };
    let (mut arguments, mut variables) = (Vec::new(), BTreeMap::<&str, Vec<&str>>::new());
    for flag in &container.flags {
        match flag.from.as_str() {
            "command" | "args" => arguments.extend(flag.text.split(' ')),
            name => variables
                .entry(name)
                .or_default()
                .push(flag.text.strip_prefix(name).and_then(|rest| rest.strip_prefix('=')).unwrap_or(&flag.text)),
        }
    }
    let variables = variables.into_iter().map(|(name, words)| json!({ "name": name, "value": words.join(" ") }));
    let volumes = pod.tmpfs.iter().map(|tmpfs| {
        let size = tmpfs.size_limit.map(|size| size.to_string());
        json!({ "name": tmpfs.volume, "emptyDir": { "medium": "Memory", "sizeLimit": size } })
    });
    // Facts keep of a command its program and its memory flags.
    let command = container.program.iter().map(String::as_str).chain(arguments);
    json!({
        "kind": "Pod",
        "spec": {
            "resources": memory(&pod.resources),
            "volumes": volumes.collect::<Vec<_>>(),
            "containers": [{
                "name": container.name,
                "image": container.image.as_deref().unwrap_or("unknown"),
                "command": command.collect::<Vec<_>>(),
                "env": variables.collect::<Vec<_>>(),
                "resources": memory(&container.resources),
                "volumeMounts": container.tmpfs_mounts.iter().map(|name| json!({ "name": name })).collect::<Vec<_>>(),
            }],
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::{Flag, Tmpfs};

    #[test]
    fn the_rules_of_lint_speak_of_the_spec_in_force() {
        let flag = |text: &str, from: &str| Flag { text: text.into(), from: from.into() };
        let resources = Resources { memory_limit: "256Mi".parse().ok(), ..Resources::default() };
        let container = Container {
            name: Some("app".into()),
            program: Some("java".into()),
            flags: vec![flag("-Xmx200m", "JAVA_TOOL_OPTIONS"), flag("GOMEMLIMIT=1GiB", "GOMEMLIMIT")],
            tmpfs_mounts: vec!["shm".into()],
            resources,
            ..Container::default()
        };
        let pod = Pod { tmpfs: vec![Tmpfs { volume: "shm".into(), size_limit: None }], ..Pod::default() };
        let found = by_rules(&pod, &container);
        for start in [
            "-Xmx200m (JAVA_TOOL_OPTIONS): a heap of 200 MiB leaves",
            "GOMEMLIMIT=1GiB (GOMEMLIMIT): GOMEMLIMIT of 1 GiB is 400 %",
        ] {
            assert!(found.iter().any(|says| says.starts_with(start)), "{start}: {found:?}");
        }
        assert!(found.iter().any(|says| says == "memory-backed volume `shm` has no sizeLimit"), "{found:?}");
        assert!(by_rules(&Pod::default(), &Container::default()).is_empty());
    }
}
