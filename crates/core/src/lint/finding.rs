//! What a rule finds.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::tree::{At, Span, Tree};
use super::workload::{Amount, Object};

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Level {
    /// Worth knowing.
    Info,
    /// Likely to end badly.
    Warning,
    /// Wrong, whatever the program does.
    Error,
}

impl Level {
    /// As it is printed.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// A sentence, or a part of one. Most are the same for all manifests.
pub(super) type Words = Cow<'static, str>;

/// A place of the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// Which file.
    pub file: usize,
    /// Where in it.
    pub span: Span,
}

impl From<At<'_>> for Place {
    fn from(node: At<'_>) -> Self {
        Self { file: node.tree().file, span: node.span() }
    }
}

/// A place, and what is to be said of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// The place.
    pub place: Place,
    /// What it says there.
    pub says: Words,
}

/// A change of the text that mends a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fix {
    /// The text allows one reading only, and the change gives it.
    pub safe: bool,
    /// What is changed; edits do not overlap.
    pub edits: Vec<Edit>,
}

/// Replaces a stretch of text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// What is replaced; empty to insert.
    pub place: Place,
    /// By what.
    pub text: String,
}

/// Something that a rule has to say of a manifest.
#[derive(Debug, Clone)]
pub struct Finding<'a> {
    /// The rule's id.
    pub rule: &'static str,
    /// How much it matters.
    pub level: Level,
    /// One sentence that can stand alone, without a full stop.
    pub message: Words,
    /// What it is about.
    pub at: Label,
    /// The numbers that it rests on.
    pub related: Vec<Label>,
    /// What the arithmetic had to assume.
    pub assumed: Vec<String>,
    /// The arithmetic, and what else is worth knowing.
    pub notes: Vec<Words>,
    /// What to do.
    pub help: Option<Words>,
    /// How the text would be mended, where a change is known.
    pub fix: Option<Fix>,
    /// The object that it is in.
    pub object: Option<Object<'a>>,
    /// The container that it is in.
    pub container: Option<&'a str>,
}

impl<'a> Finding<'a> {
    /// A finding at a place; the rule, object and container are filled in by who called the rule.
    pub fn new(level: Level, at: impl Into<Place>, message: impl Into<Words>) -> Self {
        Self {
            rule: "",
            level,
            message: message.into(),
            at: Label { place: at.into(), says: Words::default() },
            related: Vec::new(),
            assumed: Vec::new(),
            notes: Vec::new(),
            help: None,
            fix: None,
            object: None,
            container: None,
        }
    }

    /// With words under the place itself.
    #[must_use]
    pub fn label(mut self, says: impl Into<Words>) -> Self {
        self.at.says = says.into();
        self
    }

    /// With another place that it rests on.
    #[must_use]
    pub fn related(mut self, place: impl Into<Place>, says: impl Into<Words>) -> Self {
        self.related.push(Label { place: place.into(), says: says.into() });
        self
    }

    /// With an assumption.
    #[must_use]
    pub fn assume(mut self, what: impl Into<String>) -> Self {
        self.assumed.push(what.into());
        self
    }

    /// With a note.
    #[must_use]
    pub fn note(mut self, says: impl Into<Words>) -> Self {
        self.notes.push(says.into());
        self
    }

    /// With advice.
    #[must_use]
    pub fn help(mut self, says: impl Into<Words>) -> Self {
        self.help = Some(says.into());
        self
    }

    /// With a change that replaces a stretch of text.
    #[must_use]
    pub fn fix(mut self, safe: bool, place: impl Into<Place>, text: impl Into<String>) -> Self {
        self.fix = Some(Fix { safe, edits: vec![Edit { place: place.into(), text: text.into() }] });
        self
    }

    /// With a change of an amount's text; with none where an alias shares that text, which may be one of CPU elsewhere.
    #[must_use]
    pub(super) fn rewrite(self, safe: bool, amount: &Amount<'a>, text: String) -> Self {
        if amount.node.is_shared() { self } else { self.fix(safe, amount.place(), text) }
    }

    /// In the file of a build: a value that is made of variables rests on what they are.
    #[must_use]
    pub(super) fn by_default(self, tree: &Tree<'_>) -> Self {
        // What comes from the image beneath is no variable of this build.
        if self.at.place.file != tree.file {
            return self;
        }
        let words = &tree.text[self.at.place.span.range()];
        if words.contains('$') { self.assume("build arguments keep their defaults") } else { self }
    }

    /// Of a container that the rule looked at as part of a whole.
    #[must_use]
    pub fn of_container(mut self, name: &'a str) -> Self {
        self.container = Some(name);
        self
    }
}
