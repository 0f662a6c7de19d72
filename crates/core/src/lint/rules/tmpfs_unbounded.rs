//! Files in memory that nothing bounds.

use super::{Finding, Level, Scene};

super::rule!("tmpfs-unbounded", Warning, Workload(judge));

fn judge<'a>(scene: &Scene<'_, 'a>) -> Vec<Finding<'a>> {
    let mut findings = Vec::new();
    for tmpfs in &scene.workload.tmpfs {
        let name = tmpfs.name;
        let mounting = scene.subjects().filter(|it| it.container.mounts.iter().any(|mount| mount.volume == name));
        let limited = mounting.filter_map(|it| Some((it.container, it.limit()?))).min_by_key(|(_, limit)| limit.bytes);
        let note = "what is written there is charged to the container that writes it, and outlives its restart";
        match tmpfs.size_limit.filter(|size| !size.is_zero()) {
            None => {
                let bound = match limited {
                    Some((container, limit)) => {
                        format!("may fill the whole {} of {}", limit.bytes, container.title())
                    }
                    None => "may take half of the node's memory".to_owned(),
                };
                let message = format!("memory-backed volume `{name}` has no sizeLimit");
                let mut finding = Finding::new(Level::Warning, tmpfs.medium, message).label(bound).note(note);
                if let Some((_, limit)) = limited {
                    finding = finding.related(limit.place, limit.says());
                }
                findings.push(
                    finding
                        .note("since Kubernetes 1.22 its size is the pod's memory limit where every container has one")
                        .help("set emptyDir.sizeLimit to what is written there, and add it to the limit"),
                );
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
                        .note(note)
                        .help("lower the sizeLimit, or add it to the limit"),
                    );
                }
            }
        }
    }
    findings
}
