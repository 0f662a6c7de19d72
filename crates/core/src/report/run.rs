//! What became of a command under a limit, as text and as markdown.

use super::layout::Page;
use super::style::{Mark, Style};
use super::waterfall::{bars_of, waterfall_markdown};
use crate::diagnosis::{self, Diagnosis};
use crate::run::Document;
use crate::waterfall;

/// The document as text in at most `width` columns (but never narrower than 40).
pub fn run_text(document: &Document, style: Style, width: usize) -> String {
    let mut out = match &document.diagnosis {
        Some(diagnosis) => super::text(&alone(document, diagnosis), style, width),
        None => String::new(),
    };
    let mut page = Page::new(style, width);
    page.heading("MEMORY");
    page.facts(facts(document));
    if let Some(peak) = &document.peak {
        page.heading("WHERE IT WAS AT ITS PEAK");
        bars_of(&mut page, peak);
    }
    page.heading("WHAT IT WOULD TAKE");
    match (&document.proposal, &document.proposal_missing) {
        (Some(proposal), _) => {
            page.item("•", &format!("limit {}, request {}", proposal.limit_bytes, proposal.request_bytes));
            for flag in &proposal.flags {
                page.item("•", &format!("{}={}: {}", flag.variable, flag.value, flag.why));
            }
        }
        (None, because) => page.paragraph(2, Mark::Notice, because.as_deref().unwrap_or("not known")),
    }
    out.push('\n');
    out.push_str(&page.finish());
    out
}

/// The diagnosis as a document of its own, with the kills that are the command's.
fn alone(document: &Document, diagnosis: &Diagnosis) -> diagnosis::Document {
    diagnosis::Document {
        schema: diagnosis::SCHEMA,
        diagnoses: vec![diagnosis.clone()],
        kernel_kills: document.kernel_kills.clone(),
        sources: Vec::new(),
        gaps: document.gaps.clone(),
        named: None,
    }
}

fn facts(document: &Document) -> Vec<(&'static str, String)> {
    let mut facts = Vec::new();
    facts.extend(document.peak_bytes.map(|peak| ("peak", peak.to_string())));
    let kept = document.peak.as_ref().map(|peak| ("not reclaimable", peak.unreclaimable_bytes.to_string()));
    facts.extend(kept);
    facts.push(("growth", format!("{}: {}", document.class.id(), document.class_evidence)));
    facts
}

/// The document as GitHub-flavoured markdown.
pub fn run_markdown(document: &Document) -> String {
    let mut out = document.diagnosis.as_ref().map(|it| super::markdown(&alone(document, it))).unwrap_or_default();
    out.push_str("\n### Memory\n\n");
    for (label, text) in facts(document) {
        out.push_str(&format!("- {label}: {}\n", super::markdown::escape(&text)));
    }
    if let Some(peak) = &document.peak {
        let peak = waterfall::Document { schema: waterfall::SCHEMA, waterfalls: vec![peak.clone()], gaps: Vec::new() };
        out.push_str("\n### Where it was at its peak\n\n");
        out.push_str(&waterfall_markdown(&peak));
    }
    out.push_str("\n### What it would take\n\n");
    match (&document.proposal, &document.proposal_missing) {
        (Some(proposal), _) => {
            out.push_str(&format!("- limit {}, request {}\n", proposal.limit_bytes, proposal.request_bytes));
            for flag in &proposal.flags {
                out.push_str(&format!(
                    "- `{}={}`: {}\n",
                    flag.variable,
                    flag.value,
                    super::markdown::escape(&flag.why)
                ));
            }
        }
        (None, because) => {
            out.push_str(&format!("{}\n", super::markdown::escape(because.as_deref().unwrap_or("not known"))));
        }
    }
    out
}
