//! `oomph explain`: the page of a verdict, or the list of them.

use anyhow::{Result, anyhow};
use clap::Args;
use oomph_core::diagnosis::Verdict;
use oomph_core::explain;

use super::{Exit, Output};
use crate::ui::Ui;

pub(super) const EXAMPLES: &str = "  \
  oomph explain                        the list
  oomph explain container-limit-oom    one page";

#[derive(Debug, Args)]
pub(super) struct Explain {
    /// The verdict; without it, the list
    #[arg(value_name = "VERDICT")]
    verdict: Option<String>,
}

impl Explain {
    pub(super) fn run(self, output: Output, ui: Ui) -> Result<Exit> {
        let text = match self.verdict {
            None => list(output)?,
            Some(id) => page(&id, output)?,
        };
        ui.print(&text)?;
        Ok(Exit::Nothing)
    }
}

fn page(id: &str, output: Output) -> Result<String> {
    let id = id.trim().to_ascii_lowercase();
    let verdict = Verdict::from_id(&id).ok_or_else(|| unknown(&id))?;
    let page = explain::page(verdict);
    match output {
        Output::Text | Output::Markdown => Ok(page.to_owned()),
        Output::Json | Output::Yaml => {
            written(&serde_json::json!({ "schema": PAGE, "id": verdict.id(), "markdown": page }), output)
        }
    }
}

fn list(output: Output) -> Result<String> {
    let verdicts = explain::list;
    Ok(match output {
        Output::Text => verdicts().map(|(verdict, title)| entry(verdict, title)).collect(),
        Output::Markdown => verdicts().map(|(verdict, title)| item(verdict, title)).collect(),
        Output::Json | Output::Yaml => {
            let pages: Vec<_> =
                verdicts().map(|(verdict, title)| serde_json::json!({ "id": verdict.id(), "title": title })).collect();
            written(&serde_json::json!({ "schema": LIST, "pages": pages }), output)?
        }
    })
}

const PAGE: &str = "oomph.dev/page/v1";
const LIST: &str = "oomph.dev/pages/v1";

/// The id, and under it the sentence: together they would not fit the width.
fn entry(verdict: Verdict, title: &str) -> String {
    format!("{verdict}\n    {title}\n")
}

fn item(verdict: Verdict, title: &str) -> String {
    format!("- `{verdict}`: {title}\n")
}

fn written(value: &serde_json::Value, output: Output) -> Result<String> {
    Ok(match output {
        Output::Yaml => serde_saphyr::to_string(value)?,
        _ => serde_json::to_string_pretty(value)? + "\n",
    })
}

fn unknown(id: &str) -> anyhow::Error {
    let near = Verdict::ALL
        .into_iter()
        .map(|verdict| (distance(id, verdict.id()), verdict))
        .min_by_key(|(distance, _)| *distance)
        .filter(|(distance, verdict)| *distance * 2 <= verdict.id().len().max(id.len()));
    match near {
        Some((_, verdict)) => anyhow!("no page {id:?}; did you mean {verdict}? `oomph explain` lists all"),
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
