//! Texts that people paste, each with the verdicts that it lets one say honestly.
//!
//! The texts are of this project's own making, in the layouts of many versions of kubectl, runtimes and tools, and with
//! what pasting does to them: indentation lost, quotes, fences, comments, elisions, broken lines.
#![allow(clippy::print_stdout, clippy::format_collect, reason = "tests print their figures")]

use oomph_core::artifact::Artifact;
use oomph_core::diagnosis::Document;
use oomph_core::why::{Ask, why};
use proptest::prelude::*;

mod describe;
mod edited;
mod events;
mod fragments;
mod logs;
mod newer;
mod printed;
mod removals;
mod wrappers;

/// The OOM killer killed a process.
const KILLED: Option<bool> = Some(true);
/// It did not.
const SPARED: Option<bool> = Some(false);
/// The text does not say.
const UNKNOWN: Option<bool> = None;
/// Nothing to tell: healthy, or not about a container.
const NOTHING: (&str, Option<bool>) = ("none", None);

/// A text and what may be said of it. Every diagnosis must be one of `accept`, and there must be one unless `none` is.
struct Paste {
    name: &'static str,
    text: &'static str,
    accept: &'static [(&'static str, Option<bool>)],
}

fn pastes() -> impl Iterator<Item = &'static Paste> {
    [
        describe::PASTES,
        edited::PASTES,
        events::PASTES,
        fragments::PASTES,
        logs::PASTES,
        newer::PASTES,
        printed::PASTES,
        removals::PASTES,
        wrappers::PASTES,
    ]
    .into_iter()
    .flatten()
}

fn explain(text: impl Into<Vec<u8>>) -> Document {
    why(&[Artifact::new("-", text)], Vec::new(), Vec::new(), &Ask::default())
}

/// What is wrong about the answer to a text; `None` where nothing is.
fn wrong(paste: &Paste, text: &str) -> Option<String> {
    let document = explain(text);
    let said: Vec<_> = document.diagnoses.iter().map(|it| (it.verdict.id(), it.oom_kill)).collect();
    let right = if said.is_empty() {
        paste.accept.contains(&NOTHING)
    } else {
        said.iter().all(|answer| paste.accept.contains(answer))
    };
    (!right)
        .then(|| format!("{}: {said:?}, accepted {:?}; kinds {}", paste.name, paste.accept, document.sources[0].kind))
}

fn judge(what: &str, change: impl Fn(&str) -> String) {
    let mut total = 0;
    let wrong: Vec<String> =
        pastes().inspect(|_| total += 1).filter_map(|paste| wrong(paste, &change(paste.text))).collect();
    println!("{what}: {} of {total} right", total - wrong.len());
    for line in &wrong {
        println!("  {line}");
    }
    assert!(wrong.is_empty(), "{what}: {} of {total} are wrong", wrong.len());
}

#[test]
fn every_text_gets_its_verdict() {
    judge("as written", str::to_owned);
}

#[test]
fn windows_line_ends_change_nothing() {
    judge("CRLF", |text| text.replace('\n', "\r\n"));
}

#[test]
fn a_fence_around_a_text_changes_nothing() {
    judge("fenced", |text| format!("Here is what I see:\n\n```text\n{}\n```\n", text.trim_end()));
}

#[test]
fn a_quoted_text_is_read_as_the_text() {
    judge("quoted", |text| text.lines().map(|line| format!("> {line}\n")).collect());
}

#[test]
fn a_text_pasted_deeper_is_read_as_the_text() {
    judge("indented", |text| text.lines().map(|line| format!("    {line}\n")).collect());
}

#[test]
fn a_text_between_talk_is_read_as_the_text() {
    judge("in talk", |text| format!("Hi all, this happens every night. Any idea?\n\n{text}\n\nThanks in advance!\n"));
}

#[test]
fn a_text_as_a_comment_is_read_as_the_text() {
    judge("commented", |text| text.lines().map(|line| format!("# {line}\n")).collect());
}

#[test]
fn every_container_of_a_list_is_told_by_its_name() {
    let list = printed::PASTES.iter().find(|paste| paste.name.starts_with("docker lists")).expect("it is in the list");
    let document = explain(list.text);
    let mut told: Vec<_> = document
        .diagnoses
        .iter()
        .map(|it| (it.subject.container.as_deref(), it.subject.container_id.as_deref()))
        .collect();
    told.sort_unstable();
    assert_eq!(told, [(Some("cache"), Some("1b2c3d4e5f60")), (Some("db"), Some("0a1b2c3d4e5f"))]);
}

#[test]
fn names_are_unique() {
    let mut names: Vec<_> = pastes().map(|paste| paste.name).collect();
    names.sort_unstable();
    let total = names.len();
    names.dedup();
    assert_eq!(names.len(), total);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_text_cut_anywhere_panics(which in any::<prop::sample::Index>(), begin in any::<prop::sample::Index>(), end in any::<prop::sample::Index>()) {
        let all: Vec<_> = pastes().collect();
        let bytes = all[which.index(all.len())].text.as_bytes();
        let (one, other) = (begin.index(bytes.len()), end.index(bytes.len()));
        let _ = explain(&bytes[one.min(other)..one.max(other)]);
    }

    #[test]
    fn no_text_with_changed_bytes_panics(which in any::<prop::sample::Index>(), changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20)) {
        let all: Vec<_> = pastes().collect();
        let mut bytes = all[which.index(all.len())].text.as_bytes().to_vec();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let _ = explain(bytes);
    }

    #[test]
    fn no_text_with_lines_left_out_or_swapped_panics(which in any::<prop::sample::Index>(), seed in any::<u64>()) {
        let all: Vec<_> = pastes().collect();
        let mut lines: Vec<&str> = all[which.index(all.len())].text.lines().collect();
        let mut state = seed;
        lines.retain(|_| { state = state.rotate_left(7).wrapping_mul(0x9e37_79b9_7f4a_7c15); state % 5 != 0 });
        if lines.len() > 2 { let middle = lines.len() / 2; lines.swap(0, middle); }
        let _ = explain(lines.join("\n"));
    }
}
