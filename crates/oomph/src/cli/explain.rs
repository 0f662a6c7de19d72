//! `oomph explain`: the page of a verdict, a part of a waterfall, a class of growth or a rule, or the list of them.

use anyhow::{Result, anyhow};
use clap::Args;
use oomph_core::explain::{self, Page, Topic};

use super::{Exit, Output};
use crate::ui::Ui;

pub(super) const EXAMPLES: &str = "  \
  oomph explain                        the list
  oomph explain container-limit-oom    what a verdict means
  oomph explain jvm-metaspace          what a part of the memory is
  oomph explain jvm-heap-ge-limit      what a rule of lint looks at";

#[derive(Debug, Args)]
pub(super) struct Explain {
    /// A verdict, a part of a waterfall, a class of growth or a rule; without it, the list
    #[arg(value_name = "CODE")]
    code: Option<String>,
}

impl Explain {
    pub(super) fn run(self, output: Output, ui: Ui) -> Result<Exit> {
        let text = match self.code {
            None => list(output)?,
            Some(id) => page(&id, output)?,
        };
        ui.print(&text)?;
        Ok(Exit::Nothing)
    }
}

fn page(id: &str, output: Output) -> Result<String> {
    let id = id.trim().to_ascii_lowercase();
    let page = explain::pages().find(|page| page.id == id).ok_or_else(|| unknown(&id))?;
    match output {
        Output::Text | Output::Markdown => Ok(page.text.to_owned()),
        Output::Json | Output::Yaml => {
            written(&serde_json::json!({ "schema": PAGE, "id": page.id, "markdown": page.text }), output)
        }
    }
}

/// What the pages of a topic are about, as the list says it.
const TOPICS: [(Topic, &str); 4] = [
    (Topic::Verdict, "Verdicts: what can have ended a container"),
    (Topic::Part, "Parts: where memory can be"),
    (Topic::Class, "Classes: how memory grows"),
    (Topic::Rule, "Rules: what lint finds in manifests"),
];

fn list(output: Output) -> Result<String> {
    if matches!(output, Output::Json | Output::Yaml) {
        let pages: Vec<_> =
            explain::pages().map(|page| serde_json::json!({ "id": page.id, "title": page.title() })).collect();
        return written(&serde_json::json!({ "schema": LIST, "pages": pages }), output);
    }
    let mut text = String::new();
    for (topic, heading) in TOPICS {
        let gap = if text.is_empty() { "" } else { "\n" };
        let mark = if output == Output::Markdown { "## " } else { "" };
        text.push_str(&format!("{gap}{mark}{heading}\n\n"));
        for page in explain::pages().filter(|page| page.topic == topic) {
            text.push_str(&if output == Output::Markdown { item(&page) } else { entry(&page) });
        }
    }
    Ok(text)
}

const PAGE: &str = "oomph.dev/page/v1";
const LIST: &str = "oomph.dev/pages/v1";

/// The id, and under it the sentence: together they would not fit the width.
fn entry(page: &Page) -> String {
    format!("{}\n    {}\n", page.id, page.title())
}

fn item(page: &Page) -> String {
    format!("- `{}`: {}\n", page.id, page.title())
}

fn written(value: &serde_json::Value, output: Output) -> Result<String> {
    Ok(match output {
        Output::Yaml => serde_saphyr::to_string(value)?,
        _ => serde_json::to_string_pretty(value)? + "\n",
    })
}

fn unknown(id: &str) -> anyhow::Error {
    let near = explain::pages()
        .map(|page| (distance(id, page.id), page.id))
        .min_by_key(|(distance, _)| *distance)
        .filter(|(distance, known)| *distance * 2 <= known.len().max(id.len()));
    match near {
        Some((_, known)) => anyhow!("no page {id:?}; did you mean {known}? `oomph explain` lists all"),
        None => anyhow!("no page {id:?}; `oomph explain` lists all"),
    }
}

/// Letters to insert, remove or change between two words (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let changed = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_is_recognised() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert!(unknown("node-oon").to_string().contains("did you mean node-oom?"));
        assert!(unknown("contianer-limit-oom").to_string().contains("did you mean container-limit-oom?"));
        assert!(!unknown("zzzzzzzzzzzzzz").to_string().contains("did you mean"));
    }
}
