//! Files in memory that nothing bounds.

use super::{Finding, Level, Scene};
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
    findings
}
