//! The pages that say what each verdict, each part of a waterfall, each class of growth and each rule of lint means, and
//! by which rule it is given. `oomph explain` prints them and docs/reference copies them.

use crate::diagnosis::Verdict;
use crate::growth::Class;
use crate::lint::rules::RULES;
use crate::waterfall::PartKind;

/// What a page is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Topic {
    /// A verdict of `oomph why`.
    Verdict,
    /// A part of the waterfall of `oomph inspect`.
    Part,
    /// A class of growth, of `oomph run`.
    Class,
    /// A rule of `oomph lint`.
    Rule,
}

/// A page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// What it is about.
    pub topic: Topic,
    /// Its code: `node-oom`, `jvm-heap`, `leak`.
    pub id: &'static str,
    /// Markdown: `# ID`, a sentence, sections.
    pub text: &'static str,
}

impl Page {
    /// Its first paragraph.
    pub fn title(&self) -> String {
        let rest = self.text.lines().skip(1).skip_while(|line| line.trim().is_empty());
        rest.take_while(|line| !line.trim().is_empty()).collect::<Vec<_>>().join(" ")
    }
}

/// Every page: verdicts, parts, classes, rules, each in the order of its table.
pub fn pages() -> impl Iterator<Item = Page> {
    let verdicts = Verdict::ALL.iter().map(|it| Page { topic: Topic::Verdict, id: it.id(), text: it.page() });
    let parts = PartKind::ALL.iter().map(|it| Page { topic: Topic::Part, id: it.id(), text: it.page() });
    let classes = Class::ALL.iter().map(|it| Page { topic: Topic::Class, id: it.id(), text: it.page() });
    let rules = RULES.iter().map(|it| Page { topic: Topic::Rule, id: it.id, text: it.page });
    verdicts.chain(parts).chain(classes).chain(rules)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECTIONS: [&str; 4] =
        ["## How oomph knows", "## Often confused with", "## How to look yourself", "## What to do"];

    #[test]
    fn every_page_has_its_name_its_sections_and_fits() {
        for verdict in Verdict::ALL.iter().copied() {
            let page = verdict.page();
            assert!(page.starts_with(&format!("# {verdict}\n\n")), "{verdict}: heading");
            let mut rest = page;
            for section in SECTIONS {
                let at = rest.find(&format!("\n{section}\n")).unwrap_or_else(|| panic!("{verdict}: {section}"));
                rest = &rest[at + section.len()..];
            }
            for line in page.lines() {
                assert!(line.chars().count() <= 100, "{verdict}: {line}");
                assert_eq!(line.trim_end(), line, "{verdict}");
            }
            let lines = page.lines().count();
            assert!((15..=45).contains(&lines), "{verdict}: {lines} lines");
            assert!(page.ends_with('\n') && !page.ends_with("\n\n"), "{verdict}: end");
        }
    }

    #[test]
    fn every_code_has_one_page_that_fits() {
        let mut ids: Vec<&str> = pages().map(|page| page.id).collect();
        for page in pages() {
            assert!(page.text.starts_with(&format!("# {}\n\n", page.id)) && page.text.ends_with('\n'), "{}", page.id);
            assert!(page.title().ends_with('.'), "{}: {}", page.id, page.title());
            assert!(page.text.lines().all(|line| line.chars().count() <= 100), "{}", page.id);
        }
        let number = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), number, "a code means one thing");
    }

    #[test]
    fn a_page_names_only_verdicts_that_exist() {
        for verdict in Verdict::ALL.iter().copied() {
            let confused = verdict.page().split("\n## ").find(|part| part.starts_with("Often")).unwrap_or("");
            for line in confused.lines().filter_map(|line| line.strip_prefix("- `")) {
                let id = line.split('`').next().unwrap_or("");
                assert!(Verdict::from_id(id).is_some(), "{verdict} names {id}");
            }
        }
    }
}
