use super::*;
use crate::lint::{Source, lint};

/// The examples of a page, each as a file: blocks of YAML, or Dockerfiles.
fn examples(page: &str) -> Vec<Source> {
    let of = |language: &str, name: &str| -> Vec<Source> {
        let blocks = page.split(&format!("\n```{language}\n")).skip(1).map(str::to_owned).collect::<Vec<_>>();
        let texts = blocks.iter().map(|block| block.split("\n```").next().unwrap_or("").to_owned() + "\n");
        texts.map(|text| Source { name: name.to_owned(), text }).collect()
    };
    of("yaml", "example.yaml").into_iter().chain(of("dockerfile", "Dockerfile")).collect()
}

/// Lines that end in `# <-`; in a Dockerfile, where no comment follows a word, those below a `# <-` of its own.
fn marked(text: &str) -> Vec<u32> {
    let lines = (1..).zip(text.lines()).filter(|(_, line)| line.ends_with("# <-"));
    lines.map(|(number, line)| if line == "# <-" { number + 1 } else { number }).collect()
}

fn lines_of(rule: &Rule, source: &Source) -> Vec<u32> {
    let document = lint(std::slice::from_ref(source));
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
        let marked = marked(&examples[0].text);
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
