//! A container: what it runs, under which resources, with which variables.

use super::resources::Resources;
use super::{Amount, At};
use crate::lint::runtime::image::Image;
use crate::lint::tree::Span;

/// What a container is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ContainerKind {
    /// Of `containers`.
    App,
    /// Of `initContainers`: ends before the others start.
    Init,
    /// Of `initContainers` with `restartPolicy: Always`.
    Sidecar,
    /// Of `ephemeralContainers`, which have no resources.
    Ephemeral,
}

/// A container of a template.
#[derive(Debug, Clone)]
pub struct Container<'a> {
    /// The mapping.
    pub node: At<'a>,
    /// What it is for.
    pub kind: ContainerKind,
    /// `name`; empty where there is none (Knative).
    pub name: &'a str,
    /// `image`, which a patch does not repeat.
    pub(crate) image: Option<Image<'a>>,
    /// What builds its image, where that stands beside it (Compose).
    pub build: Option<Build<'a>>,
    /// `resources`.
    pub resources: Resources<'a>,
    /// `command`.
    pub command: Vec<Word<'a>>,
    /// `args`.
    pub arguments: Vec<Word<'a>>,
    /// `env`, in order.
    pub variables: Vec<Variable<'a>>,
    /// `envFrom`: names of config maps (true) and secrets (false), each with its prefix.
    pub variable_lists: Vec<(bool, &'a str, &'a str)>,
    /// It goes on in a file that is not in the input: what is not said here may be said there
    /// (`extends` of Compose, `podSpecPatch` of Argo Workflows).
    pub is_open: bool,
    /// Variables of the shell that runs Compose which are taken to be not set, so that a default counts.
    pub defaults: Vec<&'a str>,
    /// `volumeMounts`.
    pub mounts: Vec<Mount<'a>>,
}

/// `build` of a service: the Dockerfile that its image is made by.
#[derive(Debug, Clone, Copy)]
pub struct Build<'a> {
    /// The folder, from that of the file.
    pub context: &'a str,
    /// The Dockerfile, from that folder.
    pub dockerfile: &'a str,
    /// The stage; the last one where none is given.
    pub target: Option<&'a str>,
    /// Build arguments are given.
    pub has_arguments: bool,
}

/// A word of a command.
#[derive(Debug, Clone, Copy)]
pub struct Word<'a> {
    /// The value.
    pub node: At<'a>,
    /// Its text.
    pub text: &'a str,
}

/// A variable of the environment.
#[derive(Debug, Clone, Copy)]
pub struct Variable<'a> {
    /// Its name.
    pub name: &'a str,
    /// The value, or the mapping that says where it comes from.
    pub node: At<'a>,
    /// Where its value is from.
    pub source: VariableSource<'a>,
}

/// Where a variable's value is from.
#[derive(Debug, Clone, Copy)]
pub enum VariableSource<'a> {
    /// Given.
    Value(&'a str),
    /// `resourceFieldRef`: resource, container (where another is named) and divisor.
    Resource {
        /// `limits.memory`.
        resource: &'a str,
        /// The container whose resource it is, if not this one's.
        container: Option<&'a str>,
        /// `divisor`, 1 where none is given.
        divisor: Option<Amount<'a>>,
    },
    /// A key of a config map.
    ConfigMap {
        /// The map's name.
        name: &'a str,
        /// The key.
        key: &'a str,
    },
    /// A secret, the API's own fields, or nothing that is known.
    Hidden,
}

/// A volume mount.
#[derive(Debug, Clone, Copy)]
pub struct Mount<'a> {
    /// The volume's name.
    pub volume: &'a str,
    /// Where it is mounted.
    pub path: &'a str,
    /// Nothing can be written through it.
    pub read_only: bool,
    /// The mapping.
    pub node: At<'a>,
}

impl<'a> Container<'a> {
    /// It can write to a volume: of one in memory the pages are charged to who writes them.
    pub fn writes(&self, volume: &str) -> bool {
        self.mounts.iter().any(|mount| mount.volume == volume && !mount.read_only)
    }

    pub(crate) fn read(node: At<'a>, kind: ContainerKind) -> Self {
        let items = |name: &str| node.get(name).into_iter().flat_map(At::items);
        let words = |name: &str| items(name).filter_map(|node| Some(Word { node, text: node.text()? })).collect();
        let lists = items("envFrom").filter_map(|item| {
            let prefix = item.text_of("prefix").unwrap_or("");
            let of = |name: &str| item.path(&[name, "name"])?.text();
            of("configMapRef").map(|name| (true, name, prefix)).or_else(|| Some((false, of("secretRef")?, prefix)))
        });
        let mounts = items("volumeMounts").filter_map(|node| {
            let (volume, path) = (node.text_of("name")?, node.text_of("mountPath").unwrap_or(""));
            Some(Mount { volume, path, read_only: node.text_of("readOnly") == Some("true"), node })
        });
        Self {
            node,
            kind,
            name: node.text_of("name").unwrap_or(""),
            image: node.text_of("image").map(Image::read),
            build: None,
            // Tekton's word for it since its v1.
            resources: Resources::read(node.get("resources").or_else(|| node.get("computeResources"))),
            command: words("command"),
            arguments: words("args"),
            variables: items("env").filter_map(Variable::read).collect(),
            variable_lists: lists.collect(),
            is_open: false,
            defaults: Vec::new(),
            mounts: mounts.collect(),
        }
    }

    /// Where findings on the whole of it point: its name, or its first key.
    pub fn title_node(&self) -> At<'a> {
        let first = self.node.own_entries().next().map_or(self.node, |(key, _)| key);
        // Only what lies between is looked at: on a line of many megabytes its end is far.
        let is_on_line = |span: Span| {
            let between = Span { start: first.span().start, end: span.end };
            span >= first.span() && self.node.tree().text.get(between.range()).is_some_and(|text| !text.contains('\n'))
        };
        let name = self.node.get("name").or_else(|| self.node.get("image"));
        name.filter(|name| is_on_line(name.span())).unwrap_or(first)
    }

    /// A mapping that says nothing of an image changes a container that is described elsewhere (a patch); and what is
    /// described here may be changed elsewhere.
    pub fn is_patch(&self) -> bool {
        self.image.is_none() || self.is_open
    }

    /// For a sentence: "container `app`".
    pub fn title(&self) -> String {
        let kind = match self.kind {
            ContainerKind::App => "container",
            ContainerKind::Init => "init container",
            ContainerKind::Sidecar => "sidecar",
            ContainerKind::Ephemeral => "ephemeral container",
        };
        if self.name.is_empty() { kind.to_owned() } else { format!("{kind} `{}`", self.name) }
    }
}

impl<'a> Variable<'a> {
    fn read(item: At<'a>) -> Option<Self> {
        let name = item.text_of("name")?;
        if let Some(node) = item.get("value") {
            return Some(Self { name, node, source: VariableSource::Value(node.text().unwrap_or("")) });
        }
        let Some(from) = item.get("valueFrom") else {
            return Some(Self { name, node: item, source: VariableSource::Value("") });
        };
        let resource = || {
            let of = from.get("resourceFieldRef")?;
            let resource = of.text_of("resource")?;
            let divisor = of.get("divisor").map(Amount::read);
            Some(VariableSource::Resource { resource, container: of.text_of("containerName"), divisor })
        };
        let map = || {
            let of = from.get("configMapKeyRef")?;
            Some(VariableSource::ConfigMap { name: of.text_of("name")?, key: of.text_of("key")? })
        };
        // What a finding points at is what is referred to.
        let node = from.path(&["resourceFieldRef", "resource"]).unwrap_or(from);
        Some(Self { name, node, source: resource().or_else(map).unwrap_or(VariableSource::Hidden) })
    }
}
