//! What the instructions of a build come to: stages, each with all that it inherits.

use super::expand::expand;
use super::{Instruction, Span};

/// A text with its place.
#[derive(Debug, Clone)]
pub(super) struct Text {
    pub span: Span,
    pub text: String,
}

/// A stage of a build.
#[derive(Debug, Clone)]
pub(super) struct Stage {
    /// As `AS` names it; empty where it does not.
    pub name: String,
    /// The image that it is built on, also through other stages.
    pub base: Text,
    /// Names and values, each name once.
    pub environment: Vec<(Text, Text)>,
    pub entrypoint: Vec<Text>,
    pub command: Vec<Text>,
    arguments: Vec<(String, String)>,
    shell: Vec<String>,
    sets_command: bool,
    in_shell: bool,
}

/// The stages, in order; none where nothing begins one.
pub(super) fn all(instructions: &[Instruction]) -> Vec<Stage> {
    let mut stages: Vec<Stage> = Vec::new();
    let mut global: Vec<(String, String)> = Vec::new();
    for it in instructions {
        let (keyword, from) = it.keyword();
        match (keyword.to_ascii_lowercase().as_str(), stages.last_mut()) {
            ("from", _) => stages.extend(begin(it, from, &stages, &global)),
            ("arg", None) => declare(it, from, &mut global, &[], &[]),
            ("arg", Some(stage)) => {
                let environment = std::mem::take(&mut stage.environment);
                declare(it, from, &mut stage.arguments, &global, &environment);
                stage.environment = environment;
            }
            ("env", Some(stage)) => stage.set(it, from),
            ("shell", Some(stage)) => {
                stage.shell = exec(it, from).into_iter().flatten().map(|word| word.text).collect();
            }
            ("entrypoint", Some(stage)) => {
                (stage.entrypoint, stage.in_shell) = stage.words(it, keyword.len(), from);
                // It takes away the command of what the stage is built on (`dispatchEntrypoint`).
                if !stage.sets_command {
                    stage.command.clear();
                }
            }
            ("cmd", Some(stage)) => {
                stage.command = stage.words(it, keyword.len(), from).0;
                stage.sets_command = true;
            }
            _ => {}
        }
    }
    // A shell takes the command for parameters of its script, which does not ask for them.
    stages.iter_mut().filter(|stage| stage.in_shell).for_each(|stage| stage.command.clear());
    stages
}

/// `FROM [--platform=P] IMAGE [AS NAME]`.
fn begin(it: &Instruction, from: usize, stages: &[Stage], global: &[(String, String)]) -> Option<Stage> {
    let words: Vec<(usize, usize)> =
        words(it, from).into_iter().filter(|(from, to)| !it.text[*from..*to].starts_with("--")).collect();
    let (start, end) = *words.first()?;
    let base = expand(&it.text[start..end], it.escape, &|name| find(global, name));
    let name = match words.get(1..3) {
        Some([(from, to), (start, end)]) if it.text[*from..*to].eq_ignore_ascii_case("as") => &it.text[*start..*end],
        _ => "",
    };
    let earlier = stages.iter().rev().find(|stage| !stage.name.is_empty() && stage.name.eq_ignore_ascii_case(&base));
    let mut stage = earlier.cloned().unwrap_or_else(|| Stage {
        name: String::new(),
        base: Text { span: it.span(start, end), text: base },
        environment: Vec::new(),
        entrypoint: Vec::new(),
        command: Vec::new(),
        arguments: Vec::new(),
        shell: Vec::new(),
        sets_command: false,
        in_shell: false,
    });
    name.clone_into(&mut stage.name);
    stage.arguments.clear();
    stage.sets_command = false;
    Some(stage)
}

/// `ARG NAME[=DEFAULT] ...`; a name without a default has that of before the first stage.
fn declare(
    it: &Instruction,
    from: usize,
    arguments: &mut Vec<(String, String)>,
    global: &[(String, String)],
    environment: &[(Text, Text)],
) {
    for (start, end) in words(it, from) {
        let word = &it.text[start..end];
        let given = match word.split_once('=') {
            Some((name, value)) => {
                let known = |name: &str| known(environment, arguments, name);
                Some((name.to_owned(), expand(value, it.escape, &known)))
            }
            None => find(global, word).map(|value| (word.to_owned(), value)),
        };
        arguments.extend(given);
    }
}

impl Stage {
    /// `ENV NAME=VALUE ...`, or `ENV NAME VALUE` to the end of the line.
    fn set(&mut self, it: &Instruction, from: usize) {
        let all = words(it, from);
        let Some((start, end)) = all.first().copied() else { return };
        let mut given = Vec::new();
        if it.text[start..end].contains('=') {
            for (start, end) in all {
                if let Some(at) = it.text[start..end].find('=') {
                    given.push(((start, start + at), (start + at + 1, end)));
                }
            }
        } else {
            let rest = &it.text[end..];
            given.push(((start, end), (end + rest.len() - rest.trim_start().len(), it.text.len())));
        }
        // Values see the variables as they were before the line.
        let before = self.environment.clone();
        for ((name_from, name_to), (from, to)) in given {
            let value = expand(&it.text[from..to], it.escape, &|name| known(&before, &self.arguments, name));
            let name = Text { span: it.span(name_from, name_to), text: it.text[name_from..name_to].to_owned() };
            self.environment.retain(|(known, _)| known.text != name.text);
            self.environment.push((name, Text { span: it.span(from, to), text: value }));
        }
    }

    /// Words in exec form as they are, a line in shell form behind its shell; and whether it is the latter.
    fn words(&self, it: &Instruction, keyword: usize, from: usize) -> (Vec<Text>, bool) {
        if let Some(words) = exec(it, from) {
            return (words, false);
        }
        let at = it.span(0, keyword);
        let usual = ["/bin/sh".to_owned(), "-c".to_owned()];
        let shell = if self.shell.is_empty() { usual.as_slice() } else { &self.shell };
        let mut words: Vec<Text> = shell.iter().map(|text| Text { span: at, text: text.clone() }).collect();
        words.push(Text { span: it.span(from, it.text.len()), text: it.text[from..].to_owned() });
        (words, true)
    }
}

/// The exec form: a JSON array of texts. What is none is the shell form.
fn exec(it: &Instruction, from: usize) -> Option<Vec<Text>> {
    let rest = &it.text[from..];
    let texts: Vec<String> = serde_json::from_str(rest).ok()?;
    let mut at = from;
    let mut words = Vec::with_capacity(texts.len());
    for text in texts {
        let start = at + it.text[at..].find('"')?;
        let mut end = start + 1;
        while it.text.as_bytes().get(end).is_some_and(|byte| *byte != b'"') {
            end += if it.text.as_bytes()[end] == b'\\' { 2 } else { 1 };
        }
        at = end + 1;
        words.push(Text { span: it.span(start, at), text });
    }
    Some(words)
}

/// Words between blanks that are neither quoted nor escaped.
fn words(it: &Instruction, from: usize) -> Vec<(usize, usize)> {
    let (mut all, mut start, mut quote, mut is_escaped) = (Vec::new(), None, None, false);
    for (at, c) in it.text.char_indices().skip_while(|(at, _)| *at < from) {
        if start.is_none() && !c.is_whitespace() {
            start = Some(at);
        }
        match quote {
            _ if is_escaped => is_escaped = false,
            Some('\'') if c != '\'' => {}
            _ if c == it.escape => is_escaped = true,
            Some(open) if c == open => quote = None,
            None if c == '"' || c == '\'' => quote = Some(c),
            None if c.is_whitespace() => all.extend(start.take().map(|start| (start, at))),
            _ => {}
        }
    }
    all.extend(start.map(|start| (start, it.text.len())));
    all
}

/// A variable of the environment, which goes before a build argument of its name.
fn known(environment: &[(Text, Text)], arguments: &[(String, String)], name: &str) -> Option<String> {
    let set = environment.iter().find(|(known, _)| known.text == name).map(|(_, value)| value.text.clone());
    set.or_else(|| find(arguments, name))
}

fn find(arguments: &[(String, String)], name: &str) -> Option<String> {
    arguments.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value.clone())
}
