//! Files in memory that nothing bounds.

use super::{Finding, Level, Scene, Subject};
use crate::lint::workload::Platform;

super::rule!("tmpfs-unbounded", Warning, Template(judge));

/// What a platform calls it, and what it does where nothing is said.
struct Words {
    size: &'static str,
    unlimited: &'static str,
    charge: &'static str,
    default: &'static str,
    help: &'static str,
}

const OF_PODS: Words = Words {
    size: "sizeLimit",
    unlimited: "may take half of the node's memory",
    charge: "what is written there is charged to the container that writes it, and outlives its restart",
    default: "since Kubernetes 1.22 its size is the pod's memory limit where every container has one",
    help: "set emptyDir.sizeLimit to what is written there, and add it to the limit",
};

const OF_SERVICES: Words = Words {
    size: "size",
    unlimited: "may take half of the machine's memory",
    charge: "what is written there is charged to the container that writes it",
    default: "a tmpfs without a size may take half of the machine's memory (mm/shmem.c, shmem_default_max_blocks)",
    help: "give it a size (tmpfs: /run:size=64m, or tmpfs.size of a volume), and add it to the limit",
};

fn judge<'a>(scene: &Scene<'_, 'a>) -> Vec<Finding<'a>> {
    let mut findings = Vec::new();
    let words = match scene.workload.platform {
        Platform::Kubernetes => &OF_PODS,
        Platform::Compose | Platform::Dockerfile => &OF_SERVICES,
    };
    for tmpfs in &scene.workload.tmpfs {
        let name = tmpfs.name;
        let mounts = || scene.workload.containers.iter().flat_map(|it| &it.mounts).filter(|it| it.volume == name);
        // What everybody only reads holds nothing.
        if mounts().next().is_some() && mounts().all(|mount| mount.read_only) {
            continue;
        }
        let writing = scene.subjects().filter(|it| it.container.writes(name));
        let limited = writing.filter_map(|it| Some((it.container, it.limit()?))).min_by_key(|(_, limit)| limit.bytes);
        match tmpfs.size_limit.filter(|size| !size.is_zero()) {
            None => {
                let bound = match limited {
                    Some((container, limit)) => {
                        format!("may fill the whole {} of {}", limit.bytes, container.title())
                    }
                    None => words.unlimited.to_owned(),
                };
                let message = format!("memory-backed volume `{name}` has no {}", words.size);
                let mut finding = Finding::new(Level::Warning, tmpfs.medium, message).label(bound).note(words.charge);
                if let Some((_, limit)) = limited {
                    finding = finding.related(limit.place, limit.says());
                }
                findings.push(finding.note(words.default).help(words.help));
            }
            Some(size) => {
                if let (Some(bytes), Some((container, limit))) = (size.bytes(), limited)
                    && bytes >= limit.bytes
                {
                    let title = container.title();
                    findings.push(
                        Finding::new(
                            Level::Warning,
                            size.node,
                            format!("memory-backed volume `{name}` may take {bytes}: all that {title} may have"),
                        )
                        .label("the container is killed before the volume is full")
                        .related(limit.place, limit.says())
                        .note(words.charge)
                        .help(format!("lower the {}, or add it to the limit", words.size)),
                    );
                }
            }
        }
    }
    if scene.workload.tmpfs.len() < 2 {
        return findings;
    }
    findings.extend(scene.subjects().filter_map(|subject| together(&subject, words)));
    findings
}

/// Volumes of which none alone takes the limit of the container that writes them, and all of them do.
fn together<'a>(subject: &Subject<'_, 'a>, words: &Words) -> Option<Finding<'a>> {
    let volumes = subject.scene.workload.tmpfs.iter().filter(|tmpfs| subject.container.writes(tmpfs.name));
    let sizes: Vec<_> = volumes.filter_map(|it| Some((it.name, it.size_limit?, it.size_limit?.bytes()?))).collect();
    let [.., (_, last, _)] = sizes.as_slice() else { return None };
    let limit = subject.limit()?;
    let sum = subject.tmpfs();
    if sum < limit.bytes || sizes.iter().any(|(.., bytes)| *bytes >= limit.bytes) {
        return None;
    }
    let names: Vec<String> = sizes.iter().map(|(name, ..)| format!("`{name}`")).collect();
    let title = subject.container.title();
    let message =
        format!("memory-backed volumes {} may take {sum} together: all that {title} may have", names.join(" and "));
    let mut finding = Finding::new(Level::Warning, last.node, message)
        .label("the container is killed before they are full")
        .related(limit.place, limit.says())
        .note(words.charge);
    for (name, size, bytes) in &sizes[..sizes.len() - 1] {
        finding = finding.related(size.node, format!("`{name}`: {bytes}"));
    }
    Some(finding.help(format!("lower a {}, or add them to the limit", words.size)))
}

#[cfg(test)]
mod tests {
    use crate::lint::{Source, lint};

    #[test]
    fn volumes_of_one_container_are_added_up() {
        let found = |sizes: [&str; 2], second: &str| {
            let text = format!(
                "kind: Pod\napiVersion: v1\nmetadata: {{name: a}}\nspec:\n  volumes:\n  - {{name: x, emptyDir: {{medium: \
                 Memory, sizeLimit: {}}}}}\n  - {{name: y, emptyDir: {{medium: Memory, sizeLimit: {}}}}}\n  containers:\n  - \
                 name: a\n    image: registry/a:1\n    resources: {{limits: {{memory: 1Gi}}}}\n    volumeMounts: [{{name: x, \
                 mountPath: /x}}{second}]\n",
                sizes[0], sizes[1]
            );
            let document = lint(&[Source { name: "a.yaml".into(), text }]);
            let found = document.findings.into_iter().filter(|it| it.rule == "tmpfs-unbounded");
            found.map(|it| it.region.line).collect::<Vec<_>>()
        };
        let second = ", {name: y, mountPath: /y}";
        assert_eq!(found(["700Mi", "700Mi"], second), [7]);
        assert_eq!(found(["300Mi", "300Mi"], second), [] as [u32; 0]);
        assert_eq!(found(["700Mi", "700Mi"], ""), [] as [u32; 0]);
        // One that takes all of it by itself is said of alone.
        assert_eq!(found(["700Mi", "1Gi"], second), [7]);
    }
}
