//! The result, in every form that is asked for.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use oomph_core::lint::format::{FORMS, Form, form};
use oomph_core::lint::{Document, Level, Source, report};
use oomph_core::report as documents;

use crate::cli::{Global, Output};
use crate::ui::Ui;

/// A form, and the file that it goes to; stdout without one.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    form: Which,
    file: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy)]
enum Which {
    Own(Output),
    Others(&'static Form),
}

/// Reads `FORM[=FILE]`.
pub(super) fn wanted(word: &str) -> Result<Wanted, String> {
    let (name, file) = match word.split_once('=') {
        Some((name, file)) => (name, Some(PathBuf::from(file))),
        None => (word, None),
    };
    let own = match name {
        "text" => Some(Output::Text),
        "json" => Some(Output::Json),
        "yaml" => Some(Output::Yaml),
        "markdown" | "md" => Some(Output::Markdown),
        _ => None,
    };
    let which = own.map(Which::Own).or_else(|| form(name).map(Which::Others));
    which.map(|form| Wanted { form, file }).ok_or_else(|| {
        let names: Vec<&str> = FORMS.iter().map(|form| form.name).collect();
        format!("`{name}` is none of text, json, yaml, markdown, {}", names.join(", "))
    })
}

/// Writes all of them; on stdout what `-o` says, unless one of them goes there.
pub(super) fn write(
    wanted: &[Wanted],
    document: &Document,
    sources: &[Source],
    fails: Option<Level>,
    global: &Global,
    ui: Ui,
) -> Result<()> {
    let of_global = Wanted { form: Which::Own(global.output), file: None };
    let on_stdout = wanted.iter().any(|it| it.file.is_none());
    for it in wanted.iter().chain((!on_stdout).then_some(&of_global)) {
        let text = match it.form {
            Which::Own(Output::Text) => {
                let style = if it.file.is_some() { documents::Style::Plain } else { ui.style() };
                report::text(document, sources, style, ui.width(), global.verbose && !ui.is_quiet())
            }
            Which::Own(Output::Markdown) => report::markdown(document),
            Which::Own(Output::Json) => documents::json(document),
            Which::Own(Output::Yaml) => documents::yaml(document),
            Which::Others(form) => (form.write)(document, fails),
        };
        match &it.file {
            Some(file) => std::fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))?,
            None => ui.print(&text)?,
        }
    }
    Ok(())
}
