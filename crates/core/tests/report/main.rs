//! What people, tickets and machines are shown, on documents made by hand.

use insta::assert_snapshot;
use oomph_core::diagnosis::Document;
use oomph_core::report::{self, Style, WIDTH};

mod samples;

fn text(document: &Document) -> String {
    report::text(document, Style::Plain, WIDTH)
}

fn all() -> [(&'static str, Document); 8] {
    [
        ("container-limit-oom", samples::container_limit_oom()),
        ("child-oom-invisible", samples::child_oom_invisible()),
        ("undetermined", samples::undetermined()),
        ("eviction", samples::eviction()),
        ("node-oom", samples::node_oom()),
        ("empty", samples::empty()),
        ("unreadable", samples::unreadable()),
        ("many", samples::many()),
    ]
}

#[test]
fn the_text_says_the_verdict_first_then_its_proof_then_the_fix() {
    for (name, document) in all() {
        assert_snapshot!(format!("text-{name}"), text(&document));
    }
}

#[test]
fn the_markdown_fits_a_ticket() {
    for (name, document) in all() {
        assert_snapshot!(format!("markdown-{name}"), report::markdown(&document));
    }
}

#[test]
fn the_brief_answer_is_one_line_for_each() {
    assert_snapshot!(report::brief(&samples::many(), Style::Plain, WIDTH));
}

#[test]
fn the_json_is_one_complete_document() {
    assert_snapshot!(report::json(&samples::container_limit_oom()));
}

#[test]
fn no_line_is_wider_than_asked() {
    for (name, document) in all() {
        for width in [60, 80, WIDTH] {
            for text in [report::text(&document, Style::Plain, width), report::brief(&document, Style::Plain, width)] {
                for line in text.lines() {
                    assert!(line.chars().count() <= width, "{name} at {width}: {line}");
                    assert_eq!(line, line.trim_end(), "{name} at {width}");
                }
            }
        }
    }
}

#[test]
fn colour_adds_marks_and_changes_no_word() {
    for (name, document) in all() {
        let coloured = report::text(&document, Style::Ansi, WIDTH);
        let mut plain = String::new();
        for (index, piece) in coloured.split("\x1b[").enumerate() {
            plain.push_str(if index == 0 { piece } else { piece.split_once('m').unwrap().1 });
        }
        assert_eq!(plain, text(&document), "{name}");
        assert!(coloured.contains("\x1b["), "{name}");
    }
}

#[test]
fn yaml_and_json_say_the_same() {
    for (name, document) in all() {
        let yaml = report::yaml(&document);
        let from_yaml: serde_json::Value =
            serde_saphyr::from_str(&yaml).unwrap_or_else(|e| panic!("{name}: {e}\n{yaml}"));
        let from_json: serde_json::Value = serde_json::from_str(&report::json(&document)).unwrap();
        let from_line: serde_json::Value = serde_json::from_str(&report::json_line(&document)).unwrap();
        assert_eq!(from_yaml, from_json, "{name}\n{yaml}");
        assert_eq!(from_line, from_json, "{name}");
    }
}

#[test]
fn words_that_yaml_could_read_otherwise_stay_words() {
    for word in [
        "no",
        "null",
        "~",
        "1e3",
        "0x1F",
        "2026-11-21",
        "a: b",
        "- x",
        "#c",
        "'",
        "\"",
        "\\",
        "a\nb",
        " x ",
        "",
        "é漢",
        "{}",
        "!t",
        "&a",
        "*a",
        "%",
        "@",
        "`",
        "\t",
        ".inf",
        "12:30:45",
        "yes\n",
    ] {
        let mut document = samples::undetermined();
        document.diagnoses[0].summary = word.into();
        let yaml = report::yaml(&document);
        let back: serde_json::Value = serde_saphyr::from_str(&yaml).unwrap_or_else(|e| panic!("{word:?}: {e}\n{yaml}"));
        assert_eq!(back["diagnoses"][0]["summary"], word, "{yaml}");
    }
}
