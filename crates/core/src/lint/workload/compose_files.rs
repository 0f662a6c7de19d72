//! Files of Compose that belong together: `docker compose` reads `compose.override.yaml` over `compose.yaml`
//! (github.com/compose-spec/compose-go, cli/options.go, DefaultFileNames and DefaultOverrideFileNames, v2).

use std::collections::HashMap;

use super::{At, Found, Platform, compose};

const BASES: [&str; 4] = ["compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"];
const OVERRIDES: [&str; 4] =
    ["compose.override.yml", "compose.override.yaml", "docker-compose.override.yml", "docker-compose.override.yaml"];

/// Services of a folder by their names.
type Services<'a> = HashMap<(&'a str, &'a str), At<'a>>;

/// What second files change.
#[derive(Debug, Default)]
pub(in crate::lint) struct Overrides<'a> {
    over: Services<'a>,
    under: Services<'a>,
}

impl<'a> Overrides<'a> {
    /// From all files.
    pub(in crate::lint) fn gather(found: &[Found<'a>]) -> Self {
        let mut it = Self::default();
        for found in found {
            let (folder, name) = split(found.path);
            let is_override = OVERRIDES.contains(&name);
            if !is_override && !BASES.contains(&name) {
                continue;
            }
            let list = if is_override { &mut it.over } else { &mut it.under };
            for service in found.workloads.iter().filter(|it| it.platform == Platform::Compose) {
                list.insert((folder, service.object.name), service.spec);
            }
            // A service that only changes another has no image.
            let others = found.others.iter().filter(|it| is_override && it.kind.is_empty());
            let services = others.filter_map(|it| it.node.get("services")).flat_map(At::entries);
            for (name, service) in services.filter(|(_, service)| service.is_mapping()) {
                if let Some(name) = name.text() {
                    list.insert((folder, name), service);
                }
            }
        }
        it
    }

    /// Merges the services of a file with those of its second file; of those nothing is left in theirs.
    pub(in crate::lint) fn merge(&self, found: &mut Found<'a>) {
        let (folder, name) = split(found.path);
        if OVERRIDES.contains(&name) {
            found.workloads.retain(|it| !self.under.contains_key(&(folder, it.object.name)));
            // What a first file says that is not here nobody knows.
            let is_alone = !self.under.keys().any(|(it, _)| *it == folder);
            found.workloads.iter_mut().flat_map(|it| &mut it.containers).for_each(|it| it.is_open |= is_alone);
        } else if BASES.contains(&name) {
            for workload in found.workloads.iter_mut().filter(|it| it.platform == Platform::Compose) {
                if let Some(over) = self.over.get(&(folder, workload.object.name)) {
                    *workload = compose::overridden(workload, *over);
                }
            }
        }
    }
}

/// The folder of a path, and the name in it.
fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}
