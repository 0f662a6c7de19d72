use super::*;
use crate::lint::{Source, lint};

/// The YAML blocks of a page.
fn examples(page: &str) -> Vec<String> {
    let blocks = page.split("\n```yaml\n").skip(1);
    blocks.map(|block| block.split("\n```").next().unwrap_or("").to_owned() + "\n").collect()
}

fn lines_of(rule: &Rule, text: &str) -> Vec<u32> {
    let document = lint(&[Source { name: "example.yaml".into(), text: text.to_owned() }]);
    assert!(document.parse_errors.is_empty(), "{}: {:?}", rule.id, document.parse_errors);
    let findings = document.findings.iter().filter(|finding| finding.rule == rule.id);
    findings
        .map(|finding| {
            assert!(finding.level <= rule.level, "{}: {:?}", rule.id, finding.level);
            finding.region.line
        })
        .collect()
}

#[test]
fn the_example_of_a_page_is_found_on_the_marked_line_and_its_remedy_is_not() {
    for rule in RULES {
        let examples = examples(rule.page);
        assert_eq!(examples.len(), 2, "{}: an example and what to use instead", rule.id);
        let marked = (1..).zip(examples[0].lines()).filter(|(_, line)| line.ends_with("# <-"));
        let marked: Vec<u32> = marked.map(|(number, _)| number).collect();
        assert!(!marked.is_empty(), "{}: nothing is marked", rule.id);
        assert_eq!(lines_of(rule, &examples[0]), marked, "{}", rule.id);
        assert_eq!(lines_of(rule, &examples[1]), Vec::<u32>::new(), "{}: the remedy", rule.id);
    }
}

#[test]
fn every_page_has_its_sections() {
    for rule in RULES {
        let mut rest = rule.page;
        for section in ["## What it looks at", "## Why", "## Example", "## Use instead"] {
            let at = rest.find(&format!("\n{section}\n")).unwrap_or_else(|| panic!("{}: {section}", rule.id));
            rest = &rest[at + section.len()..];
        }
    }
}
