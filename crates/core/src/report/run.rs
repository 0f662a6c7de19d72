//! What became of a command under a limit, as text and as markdown.

use super::layout::Page;
use super::style::{Mark, Style};
use super::waterfall::{bars_of, waterfall_markdown};
use crate::diagnosis::{self, Diagnosis};
use crate::run::Document;
use crate::units::Bytes;
use crate::waterfall::{self, Waterfall};

/// The one sentence that says what became of it, for whoever wants only the essential.
pub fn run_brief(document: &Document, style: Style, width: usize) -> String {
    let mut page = Page::new(style, width);
    let (mark, says) = match &document.diagnosis {
        Some(diagnosis) if document.exit_code == Some(0) => (Mark::Well, diagnosis.summary.as_str()),
        Some(diagnosis) => (Mark::Alarm, diagnosis.summary.as_str()),
        None => (Mark::Notice, "What became of it is not told."),
    };
    page.paragraph(0, mark, says);
    page.finish()
}

/// The document as text in at most `width` columns (but never narrower than 40).
pub fn run_text(document: &Document, style: Style, width: usize) -> String {
    let mut out = match &document.diagnosis {
        Some(diagnosis) => super::text(&alone(document, diagnosis), style, width),
        None => String::new(),
    };
    let mut page = Page::new(style, width);
    page.heading("HOW IT GREW");
    page.facts(facts(document));
    if let Some(peak) = &document.peak {
        page.heading(if is_of_the_peak(document, peak) {
            "WHERE IT WAS AT ITS PEAK"
        } else {
            "WHERE IT WAS WHEN LOOKED AT"
        });
        page.paragraph(2, Mark::Quiet, &looked_at(document, peak));
        bars_of(&mut page, peak);
    }
    page.heading("WHAT IT WOULD TAKE");
    match (&document.proposal, &document.proposal_missing) {
        (Some(proposal), _) => {
            page.item("•", &format!("limit {}, request {}", proposal.limit_bytes, proposal.request_bytes));
            for flag in &proposal.flags {
                page.item("•", &format!("{}: {}", flag.setting(), flag.why));
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

/// Whether a look was at the peak, as near as looks come: within a tenth.
fn is_of_the_peak(document: &Document, look: &Waterfall) -> bool {
    document.peak_bytes.is_none_or(|peak| look.charged_bytes.0 >= peak.0 / 10 * 9)
}

/// How much was charged when it was looked at, and how far from the peak that is.
fn looked_at(document: &Document, look: &Waterfall) -> String {
    let charged = look.charged_bytes;
    match document.peak_bytes.map(|peak| (peak, Bytes(peak.0.saturating_sub(charged.0)))) {
        Some((peak, below)) if below.0 > 0 => {
            format!("looked at with {charged} charged, {below} below the peak of {peak}")
        }
        _ => format!("looked at with {charged} charged, at the peak"),
    }
}

fn facts(document: &Document) -> Vec<(&'static str, String)> {
    let mut facts = Vec::new();
    facts.extend(document.peak_bytes.map(|peak| ("peak", peak.to_string())));
    let kept = document.peak.as_ref().map(|peak| ("not reclaimable", peak.unreclaimable_bytes.to_string()));
    facts.extend(kept);
    let left = document.left_running.filter(|count| *count > 0);
    facts.extend(left.map(|count| ("left running", format!("{count} of its processes, killed at its end"))));
    facts.push(("growth", format!("{}: {}", document.class.id(), document.class_evidence)));
    facts
}

/// The document as GitHub-flavoured markdown.
pub fn run_markdown(document: &Document) -> String {
    let mut out = document.diagnosis.as_ref().map(|it| super::markdown(&alone(document, it))).unwrap_or_default();
    out.push_str("\n### How it grew\n\n");
    for (label, text) in facts(document) {
        out.push_str(&format!("- {label}: {}\n", super::markdown::escape(&text)));
    }
    if let Some(look) = &document.peak {
        let peak = waterfall::Document { schema: waterfall::SCHEMA, waterfalls: vec![look.clone()], gaps: Vec::new() };
        let at = if is_of_the_peak(document, look) { "at its peak" } else { "when looked at" };
        out.push_str(&format!("\n### Where it was {at}\n\n{}\n\n", looked_at(document, look)));
        out.push_str(&waterfall_markdown(&peak));
    }
    out.push_str("\n### What it would take\n\n");
    match (&document.proposal, &document.proposal_missing) {
        (Some(proposal), _) => {
            out.push_str(&format!("- limit {}, request {}\n", proposal.limit_bytes, proposal.request_bytes));
            for flag in &proposal.flags {
                let (setting, why) = (flag.setting(), super::markdown::escape(&flag.why));
                out.push_str(&format!("- `{setting}`: {why}\n"));
            }
        }
        (None, because) => {
            out.push_str(&format!("{}\n", super::markdown::escape(because.as_deref().unwrap_or("not known"))));
        }
    }
    out
}
