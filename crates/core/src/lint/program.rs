//! What a container runs, as far as its manifest says: words of its command line and its variables, each with its place.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::HashSet;

use super::expansion::{Expansion, is_unset};
use super::finding::Place;
use super::image::Config;
use super::runtime::jvm::Jvm;
use super::script::{self, Written, assignment, is_known, is_shell, leads, only_says, plain};
use super::surroundings::Surroundings;
use super::tree::{At, Span};
use super::workload::{Amount, Container, Platform, Resources, Variable, VariableSource, Word, Workload};
use crate::units::Bytes;

/// The command line and the environment.
#[derive(Debug, Default)]
pub struct Program<'a> {
    /// Words of `command` and `args`, shell scripts and references to variables taken apart.
    pub words: Vec<Part<'a>>,
    /// It is known what starts: `command` is given, so the image's own entry point does not run, or the input says what
    /// that is.
    pub has_command: bool,
    /// What the image brings along is in the input.
    pub has_image: bool,
    /// Variables, those of config maps included; of a name that is given twice the last.
    pub environment: Vec<Set<'a>>,
    /// Config maps and secrets whose contents are not in the input.
    pub hidden: Vec<&'a str>,
    /// The JVM that it starts, once somebody asked.
    pub(super) jvm: OnceCell<Option<Jvm<'a>>>,
}

/// A word with its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Part<'a> {
    /// The word, without quotes around it, and with the variables that are known.
    pub text: Cow<'a, str>,
    /// Where it stands.
    pub place: Place,
    /// The variable that it comes from.
    pub from: Option<&'a str>,
    /// It is where a command stands: first of all, or behind `exec`, `&&`, `-c` and their like.
    pub starts: bool,
}

/// A variable that is set.
#[derive(Debug, Clone)]
pub struct Set<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its value, where the manifest says it.
    pub value: Value<'a>,
    /// Where the value stands.
    pub node: At<'a>,
    /// As it is written, where other variables were put in.
    written: Option<&'a str>,
}

/// The value of a variable.
#[derive(Debug, Clone, PartialEq)]
pub enum Value<'a> {
    /// A text.
    Text(Cow<'a, str>),
    /// `resourceFieldRef` of a memory limit or request: the amount in units of the divisor, and the bytes.
    Memory {
        /// The number that the program sees.
        number: u64,
        /// The amount it was made from.
        bytes: Bytes,
        /// `limits.memory`.
        resource: &'a str,
    },
    /// Not in the input.
    Unknown,
}

impl<'a> Set<'a> {
    /// Its words, each with its place.
    pub fn words(&self) -> Vec<Part<'a>> {
        let (node, from) = (self.node, Some(self.name));
        let part = |text, place| Part { text, place, from, starts: false };
        match &self.value {
            Value::Text(Cow::Borrowed(text)) => {
                plain(text).map(|word| part(Cow::Borrowed(word), locate(node, word))).collect()
            }
            Value::Text(Cow::Owned(text)) => {
                // Each stands where the word stands that it was made of; a variable with several words moves the rest.
                let written: Vec<&str> = plain(self.written.unwrap_or("")).collect();
                let words: Vec<&str> = plain(text).collect();
                let is_same = written.len() == words.len();
                let place = |index: usize| match written.as_slice() {
                    [one] => locate(node, one),
                    _ if is_same => locate(node, written[index]),
                    _ => node.into(),
                };
                let words = words.iter().enumerate();
                words.map(|(index, word)| part(Cow::Owned((*word).to_owned()), place(index))).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Its text, where it is known.
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }
}

impl<'a> Program<'a> {
    pub(super) fn read(container: &Container<'a>, workload: &Workload<'a>, surroundings: &Surroundings<'a>) -> Self {
        let image = surroundings.image(container);
        let (command, arguments) = match &image {
            Some(image) => image.under(&container.command, &container.arguments),
            None => (container.command.clone(), container.arguments.clone()),
        };
        let has_image = image.as_ref().is_some_and(|image| image.complete);
        let mut it = Self { has_command: has_image || !command.is_empty(), has_image, ..Self::default() };
        it.read_environment(image.as_ref(), container, workload, surroundings);
        it.read_words((&command, &arguments), container, workload.platform);
        it
    }

    /// What the image, config maps and the container itself set, in the order in which it counts.
    fn read_environment(
        &mut self,
        image: Option<&Config<'a>>,
        container: &Container<'a>,
        workload: &Workload<'a>,
        surroundings: &Surroundings<'a>,
    ) {
        for variable in image.into_iter().flat_map(|image| &image.variables) {
            let (value, node) = value(variable, container, workload, surroundings);
            self.environment.push(Set { name: variable.name, value, node, written: None });
        }
        for (is_map, name, prefix) in &container.variable_lists {
            // A prefix would need names of its own; nobody prefixes what a runtime reads.
            match surroundings.map(workload.object.namespace, name).filter(|_| *is_map && prefix.is_empty()) {
                Some(data) => {
                    for (key, node) in data.entries() {
                        if let (Some(name), Some(text)) = (key.text(), node.text()) {
                            let value = Value::Text(Cow::Borrowed(text));
                            self.environment.push(Set { name, value, node, written: None });
                        }
                    }
                }
                None => self.hidden.push(name),
            }
        }
        for variable in &container.variables {
            let (value, node) = value(variable, container, workload, surroundings);
            let by = Expansion {
                kubelet: workload.platform == Platform::Kubernetes,
                shell: None,
                compose: workload.platform == Platform::Compose,
            };
            let set = match value {
                Value::Text(Cow::Borrowed(text)) => {
                    let value = by.expand(text, self);
                    let written = matches!(value, Cow::Owned(_)).then_some(text);
                    Set { name: variable.name, value: Value::Text(value), node, written }
                }
                value => Set { name: variable.name, value, node, written: None },
            };
            self.environment.push(set);
        }
    }

    /// The words of the command line, as whoever starts them puts variables in.
    fn read_words(
        &mut self,
        (command, arguments): (&[Word<'a>], &[Word<'a>]),
        container: &Container<'a>,
        platform: Platform,
    ) {
        let is_unseen = platform == Platform::Kubernetes && command.is_empty();
        let is_own =
            |word: &Word<'_>| container.command.iter().chain(&container.arguments).any(|it| it.node == word.node);
        // What a command only says to somebody (`echo use -Xmx4g`) gives nothing a flag.
        let (mut is_said, mut said) = (false, HashSet::new());
        for word in command.iter().chain(arguments) {
            for (index, Written { text: raw, begins, to_file }) in script::words(word.text).enumerate() {
                let starts = match self.words.last() {
                    None => true,
                    Some(last) => {
                        (begins && index > 0)
                            || leads(&last.text, self.words.iter().rev().nth(1).map_or("", |word| &word.text))
                    }
                };
                if starts {
                    is_said = only_says(raw) && !to_file;
                } else if is_said {
                    said.insert(self.words.len());
                    self.words.push(Part { text: raw.into(), place: word.node.into(), from: None, starts });
                    continue;
                }
                // No shell reads the words of a program that is started as it is, and Compose takes a variable from who
                // runs it: `$$NAME` is the container's.
                let in_shell = is_unseen || self.words.iter().any(|word| word.starts && is_shell(&word.text));
                let escape = if platform == Platform::Compose { "$$" } else { "$" };
                let by = Expansion {
                    kubelet: platform == Platform::Kubernetes && is_own(word),
                    shell: in_shell.then_some(escape),
                    compose: platform == Platform::Compose && is_own(word),
                };
                self.read_word(word, raw, starts, by);
            }
        }
        let mut index = 0..;
        self.words.retain(|_| index.next().is_none_or(|index| !said.contains(&index)));
    }

    /// A word, or those that stand in the variable which it is, and what it sets.
    fn read_word(&mut self, word: &Word<'a>, raw: &'a str, starts: bool, by: Expansion<'_>) {
        if let Some((name, default)) = by.whole(raw) {
            if let Some(default) = default.filter(|_| is_unset(name, self)) {
                let place = locate(word.node, raw);
                let part = |text| Part { text: Cow::Borrowed(text), place, from: None, starts: false };
                self.words.extend(plain(default).map(part));
                return;
            }
            if let Some(set) = self.variable(name) {
                let words = set.words();
                self.words.extend(words);
                return;
            }
        }
        let text = by.expand(raw, self);
        if let Some((name, given)) = assignment(raw) {
            // What hands a whole variable on hands on what stands there.
            let other = by.whole(given).and_then(|(name, _)| self.variable(name)).cloned();
            let anew = || {
                let value = match &text {
                    Cow::Borrowed(text) => assignment(text).map(|(_, value)| Cow::Borrowed(value)),
                    Cow::Owned(text) => assignment(text).map(|(_, value)| Cow::Owned(value.to_owned())),
                };
                let value = value.filter(|value| is_known(value)).map_or(Value::Unknown, Value::Text);
                Set { name, value, node: word.node, written: Some(given) }
            };
            let set = other.map_or_else(anew, |other| Set { name, ..other });
            self.environment.push(set);
        }
        self.words.push(Part { text, place: locate(word.node, raw), from: None, starts });
    }

    /// A variable that is set.
    pub fn variable(&self, name: &str) -> Option<&Set<'a>> {
        self.environment.iter().rev().find(|set| set.name == name)
    }

    /// The text of a variable.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.variable(name)?.text()
    }

    /// The command line starts this program, with or without a path.
    pub fn runs(&self, program: &str) -> bool {
        self.started(program).is_some()
    }

    /// The command line names this program, for names that mean nothing else.
    pub fn names(&self, program: &str) -> bool {
        self.words.iter().any(|word| is_program(&word.text, program))
    }

    /// The word that starts this program.
    pub fn started(&self, program: &str) -> Option<&Part<'a>> {
        let mut commands = self.words.iter().filter(|word| word.starts);
        commands.find(|word| is_program(&word.text, program))
    }
}

/// A word is the name of this program, with or without a path.
fn is_program(word: &str, program: &str) -> bool {
    word.strip_suffix(program).is_some_and(|path| path.is_empty() || path.ends_with('/'))
}

fn value<'a>(
    variable: &Variable<'a>,
    container: &Container<'a>,
    workload: &Workload<'a>,
    surroundings: &Surroundings<'a>,
) -> (Value<'a>, At<'a>) {
    let node = variable.node;
    match variable.source {
        VariableSource::Value(text) => (Value::Text(Cow::Borrowed(text)), node),
        VariableSource::ConfigMap { name, key } => {
            let found = surroundings.map(workload.object.namespace, name).and_then(|data| data.get(key));
            found
                .and_then(|node| Some((Value::Text(Cow::Borrowed(node.text()?)), node)))
                .unwrap_or((Value::Unknown, node))
        }
        VariableSource::Resource { resource, container: other, divisor } => {
            let named = |name: &str| workload.containers.iter().find(|it| it.name == name);
            let of = other.and_then(named).map_or(&container.resources, |it| &it.resources);
            (field(of, resource, divisor).unwrap_or(Value::Unknown), node)
        }
        VariableSource::Hidden => (Value::Unknown, node),
    }
}

/// `resourceFieldRef`: the amount divided by the divisor, rounded up (`pkg/api/v1/resource/helpers.go`,
/// `convertResourceMemoryToString`, v1.37). Where no limit is set it is the node's memory, which nobody knows here.
fn field<'a>(resources: &Resources<'a>, resource: &'a str, divisor: Option<Amount<'a>>) -> Option<Value<'a>> {
    let amount = match resource {
        "limits.memory" => resources.memory_limit?,
        // A request that is not given is the limit.
        "requests.memory" => resources.memory_request.or(resources.memory_limit)?,
        _ => return None,
    };
    let bytes = amount.bytes()?;
    let divisor = match divisor {
        None => 1,
        Some(divisor) if divisor.is_zero() => 1,
        Some(divisor) => divisor.quantity?.bytes().0,
    };
    Some(Value::Memory { number: bytes.0.div_ceil(divisor.max(1)), bytes, resource })
}

/// Where a word stands in a scalar: the whole scalar, where it is written otherwise than it reads.
pub(crate) fn locate(node: At<'_>, word: &str) -> Place {
    let whole = Place::from(node);
    let source = node.source();
    if source == word {
        return whole;
    }
    let is_whole = |at: usize| {
        let open = source[at + word.len()..].chars().next().is_none_or(|c| c.is_whitespace() || "\"'`;".contains(c));
        open && source[..at].chars().next_back().is_none_or(|c| c.is_whitespace() || "\"'`;=".contains(c))
    };
    let found = source.match_indices(word).map(|(at, _)| at).find(|at| is_whole(*at));
    let span = |at: usize| {
        let start = whole.span.start + u32::try_from(at).unwrap_or_default();
        Span { start, end: start + u32::try_from(word.len()).unwrap_or_default() }
    };
    found.map_or(whole, |at| Place { span: span(at), ..whole })
}
