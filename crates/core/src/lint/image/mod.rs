//! What an image brings along: its environment, entrypoint and command, as `docker image inspect` prints them
//! (github.com/moby/moby, `api/types/image`, and Podman's of the same shape), as they lie in a layout, or as the
//! Dockerfile says that builds it.

use super::tree::At;
use super::workload::{Container, Variable, VariableSource, Word};

pub mod layout;
mod mask;
mod name;

pub use mask::masked;
pub(super) use name::Name;
use name::full_name;

/// What a container of an image starts, and with which variables, where nobody says otherwise.
#[derive(Debug, Clone)]
pub struct Config<'a> {
    /// `Entrypoint`.
    pub entrypoint: Vec<Word<'a>>,
    /// `Cmd`.
    pub command: Vec<Word<'a>>,
    /// `Env`.
    pub variables: Vec<Variable<'a>>,
    /// It is all that the image says: no image beneath is unknown.
    pub complete: bool,
}

/// An image as the input describes it.
#[derive(Debug, Clone)]
pub struct Image<'a> {
    /// The object that describes it.
    pub node: At<'a>,
    /// Its names, completed as an engine completes them.
    pub names: Vec<String>,
    /// Digests of manifests that it goes by: `sha256:...`.
    pub digests: Vec<String>,
    /// What it brings along.
    pub config: Config<'a>,
}

/// An image of `docker image inspect`; none of anything else, a container's inspection included.
pub(super) fn read(node: At<'_>) -> Option<Image<'_>> {
    let config = node.get("Config").filter(|it| it.is_mapping())?;
    let (tags, digests) = (node.get("RepoTags"), node.get("RepoDigests"));
    if node.get("kind").is_some() || tags.is_none() && digests.is_none() {
        return None;
    }
    let texts = |list: Option<At<'_>>| -> Vec<String> {
        list.into_iter().flat_map(At::items).filter_map(|it| it.text().map(str::to_owned)).collect()
    };
    let names = texts(tags).iter().filter(|name| !name.contains('<')).map(|name| full_name(name)).collect();
    let digests = texts(digests).iter().filter_map(|it| Some(it.split_once('@')?.1.to_owned())).collect();
    let words = |key: &str| -> Vec<Word<'_>> {
        let list = config.get(key);
        let single = list.and_then(|node| Some(Word { node, text: node.text()? }));
        let items = list.into_iter().flat_map(At::items).filter_map(|node| Some(Word { node, text: node.text()? }));
        single.into_iter().chain(items).collect()
    };
    let variables = config.get("Env").into_iter().flat_map(At::items).filter_map(|node| {
        let (name, value) = node.text()?.split_once('=')?;
        Some(Variable { name, node, source: VariableSource::Value(value) })
    });
    let variables = variables.collect();
    let config = Config { entrypoint: words("Entrypoint"), command: words("Cmd"), variables, complete: true };
    Some(Image { node, names, digests, config })
}

impl<'a> Config<'a> {
    /// What a stage of a Dockerfile adds to the image that it is built on. With build arguments given elsewhere a value
    /// that is made of variables is not known.
    pub(super) fn of_stage(stage: &Container<'a>, has_arguments: bool) -> Self {
        let variables = stage.variables.iter().map(|it| {
            let is_open = has_arguments && it.node.source().contains('$');
            Variable { source: if is_open { VariableSource::Hidden } else { it.source }, ..*it }
        });
        Self {
            entrypoint: stage.command.clone(),
            command: stage.arguments.clone(),
            variables: variables.collect(),
            complete: false,
        }
    }

    /// What comes to a container that lies over it: a command takes the entrypoint's place and drops the image's own
    /// command, arguments take the command's place, variables those of the same name (Kubernetes, "Define a Command and
    /// Arguments for a Container"; Docker Compose and `dispatchEntrypoint` of BuildKit do the same).
    #[must_use]
    pub(super) fn under(&self, entrypoint: &[Word<'a>], command: &[Word<'a>]) -> (Vec<Word<'a>>, Vec<Word<'a>>) {
        if !entrypoint.is_empty() {
            return (entrypoint.to_vec(), command.to_vec());
        }
        let command = if command.is_empty() { &self.command } else { command };
        (self.entrypoint.clone(), command.to_vec())
    }

    /// Itself, over the image that it is built on.
    #[must_use]
    pub(super) fn over(mut self, base: &Self) -> Self {
        (self.entrypoint, self.command) = base.under(&self.entrypoint, &self.command);
        self.variables = base.variables.iter().copied().chain(self.variables).collect();
        self.complete = base.complete;
        self
    }
}

#[cfg(test)]
mod tests;
