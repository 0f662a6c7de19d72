//! Images of the input by their names, and by the Dockerfiles that build them.

use std::collections::{HashMap, HashSet};

use super::image::{Config, Image, Name};
use super::tree::At;
use super::workload::{Build, Container, Found, Platform, stage};

/// What is known of images, over all files.
#[derive(Debug, Default)]
pub(super) struct Images<'a> {
    known: Vec<Known<'a>>,
    /// So many of them, the first ones, the input describes.
    described: usize,
    by_name: HashMap<String, usize>,
    by_digest: HashMap<String, usize>,
    /// Dockerfiles by their path.
    dockerfiles: HashMap<String, At<'a>>,
    /// Where files lie that describe or build any.
    paths: HashMap<usize, &'a str>,
    /// Files that describe images and nothing else.
    files: HashSet<usize>,
}

#[derive(Debug)]
struct Known<'a> {
    config: Config<'a>,
    has_digests: bool,
}

impl<'a> Images<'a> {
    /// From all files, in their order.
    pub(super) fn gather(found: &[Found<'a>]) -> Self {
        let mut it = Self { paths: found.iter().map(|found| (found.file, found.path)).collect(), ..Self::default() };
        for image in found.iter().flat_map(|found| &found.images) {
            it.add(image);
        }
        it.described = it.known.len();
        let is_service = |platform: Platform| platform == Platform::Compose;
        for workload in found.iter().flat_map(|found| &found.workloads) {
            if workload.platform == Platform::Dockerfile
                && let Some(path) = it.paths.get(&workload.spec.tree().file).and_then(|path| joined(&["", path]))
            {
                it.dockerfiles.insert(path, workload.spec);
            }
        }
        // What a service builds may be named by others, and by manifests of pods.
        for workload in found.iter().flat_map(|found| &found.workloads).filter(|it| is_service(it.platform)) {
            for container in &workload.containers {
                let name = container.image.and_then(|it| Name::read(it.text)).filter(|_| container.build.is_some());
                if let (Some(name), Some(config)) = (name, it.built(container)) {
                    let known = it.known.len();
                    it.known.push(Known { config, has_digests: false });
                    it.by_name.entry(name.full).or_insert(known);
                }
            }
        }
        it
    }

    fn add(&mut self, image: &Image<'a>) {
        let known = self.known.len();
        self.files.insert(image.node.tree().file);
        self.known.push(Known { config: image.config.clone(), has_digests: !image.digests.is_empty() });
        for name in &image.names {
            self.by_name.entry(name.clone()).or_insert(known);
        }
        for digest in &image.digests {
            self.by_digest.entry(digest.clone()).or_insert(known);
        }
    }

    /// The path of a file that describes images; none of a file that somebody writes.
    pub(super) fn file(&self, file: usize) -> Option<&'a str> {
        self.files.contains(&file).then(|| self.paths.get(&file).copied()).flatten()
    }

    /// What the image of a container brings along, where the input says it.
    pub(super) fn of(&self, container: &Container<'a>) -> Option<Config<'a>> {
        if self.known.is_empty() && self.dockerfiles.is_empty() {
            return None;
        }
        self.built(container).or_else(|| self.named(container.image?.text))
    }

    /// The input describes images.
    pub(super) fn is_given(&self) -> bool {
        self.described > 0
    }

    /// How many images of the input nobody runs: no container that names one of these, and no Dockerfile.
    pub(super) fn unused<'n>(&self, names: impl Iterator<Item = &'n str>) -> usize {
        if !self.is_given() {
            return 0;
        }
        let bases = self.dockerfiles.values().filter_map(|root| root.get("stages")).flat_map(At::items);
        let of_containers = names.filter_map(|name| self.place(name));
        let of_bases = bases.filter_map(|stage| self.place(stage.text_of("from")?));
        let used: HashSet<usize> = of_containers.chain(of_bases).collect();
        (0..self.described).filter(|place| !used.contains(place) && !self.is_same_as_another(*place)).count()
    }

    /// It goes by the names of one that came first, as the same image for another platform does.
    fn is_same_as_another(&self, place: usize) -> bool {
        !self.by_name.values().chain(self.by_digest.values()).any(|it| *it == place)
    }

    fn named(&self, text: &str) -> Option<Config<'a>> {
        Some(self.known[self.place(text)?].config.clone())
    }

    fn place(&self, text: &str) -> Option<usize> {
        let name = Name::read(text)?;
        let by_name = || self.by_name.get(&name.full).or_else(|| self.by_name.get(name.local.as_ref()?)).copied();
        match name.digest {
            // Under another digest the same tag is another image.
            Some(digest) => {
                let by_digest = self.by_digest.get(digest).copied();
                by_digest.or_else(|| by_name().filter(|place| !self.known[*place].has_digests))
            }
            None => by_name(),
        }
    }

    /// What the Dockerfile of a service makes, where it is in the input.
    fn built(&self, container: &Container<'a>) -> Option<Config<'a>> {
        let build = container.build?;
        let file = self.paths.get(&container.node.tree().file)?;
        let root = *self.dockerfiles.get(&path(file, &build)?)?;
        let of = stage_of(root, build.target)?;
        let made = Config::of_stage(&of, build.has_arguments);
        let is_open = build.has_arguments && of.node.get("from").is_some_and(|base| base.source().contains('$'));
        let base = of.image.filter(|_| !is_open).and_then(|base| self.named(base.text));
        Some(match base {
            Some(base) => made.over(&base),
            None => made,
        })
    }
}

/// A stage by its name or number, as `--target` takes it; the last one without.
fn stage_of<'a>(root: At<'a>, target: Option<&str>) -> Option<Container<'a>> {
    let Some(target) = target else { return stage(root) };
    let stages = || root.get("stages").into_iter().flat_map(At::items);
    let by_name = stages().find(|it| it.text_of("name").is_some_and(|name| name.eq_ignore_ascii_case(target)));
    stage(by_name.or_else(|| stages().nth(target.parse().ok()?))?)
}

/// Where the Dockerfile of a build lies: its context is meant from the folder of the file that names it.
fn path(file: &str, build: &Build<'_>) -> Option<String> {
    let folder = file.rfind('/').map_or("", |at| &file[..at]);
    joined(&[folder, build.context, build.dockerfile])
}

/// Parts of a path, one below the other, without `.` and `..`; one that begins with a slash starts anew.
fn joined(parts: &[&str]) -> Option<String> {
    let mut names: Vec<&str> = Vec::new();
    let mut root = "";
    for part in parts {
        if part.starts_with('/') {
            names.clear();
            root = "/";
        }
        for name in part.split('/') {
            match name {
                "" | "." => {}
                ".." if names.last().is_some_and(|last| *last != "..") => {
                    names.pop();
                }
                name => names.push(name),
            }
        }
    }
    (!names.is_empty()).then(|| format!("{root}{}", names.join("/")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dockerfile_lies_below_the_context_which_lies_beside_the_file() {
        let build = |context, dockerfile| Build { context, dockerfile, target: None, has_arguments: false };
        for (file, context, dockerfile, expected) in [
            ("compose.yaml", ".", "Dockerfile", "Dockerfile"),
            ("deploy/compose.yaml", "..", "Dockerfile", "Dockerfile"),
            ("deploy/compose.yaml", "../app/", "docker/Dockerfile.jvm", "app/docker/Dockerfile.jvm"),
            ("../compose.yaml", ".", "Dockerfile", "../Dockerfile"),
            ("/a/compose.yaml", "./b", "Dockerfile", "/a/b/Dockerfile"),
            ("compose.yaml", "/srv/app", "Dockerfile", "/srv/app/Dockerfile"),
        ] {
            assert_eq!(path(file, &build(context, dockerfile)).as_deref(), Some(expected), "{file} {context}");
        }
    }
}
