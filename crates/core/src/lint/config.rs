//! `.oomph.yaml`: what a repository asks of lint.
//!
//! ```yaml
//! lint:
//!   failOn: warning
//!   rules:
//!     jvm-headroom: error        # error, warning, info or off
//!   ignore:
//!   - rules: [limit-missing]     # all of what is given must agree; names may have * and ?
//!     kind: DaemonSet
//!     namespace: kube-*
//!     name: "*"
//!     container: istio-proxy
//!     path: "vendor/**"
//!     reason: they have a node pool of their own
//! ```

use std::collections::BTreeMap;

use fast_glob::glob_match;
use serde::Deserialize;

use super::document::{Document, DocumentFinding};
use super::finding::Level;
use super::rules::RULES;

/// A file `.oomph.yaml`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Of `oomph lint`.
    #[serde(default)]
    pub lint: Lint,
}

/// What is asked of lint.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Lint {
    /// From which level on findings fail the run: a level's name or `never`.
    pub fail_on: Option<String>,
    /// Levels of rules: `error`, `warning`, `info` or `off`.
    #[serde(default)]
    pub rules: BTreeMap<String, String>,
    /// Findings that are not wanted.
    #[serde(default)]
    pub ignore: Vec<Ignore>,
}

/// Findings that are not wanted: those that agree with all that is given.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Ignore {
    /// Rules; empty means every one.
    pub rules: Vec<String>,
    /// The object's namespace.
    pub namespace: Option<String>,
    /// Its kind.
    pub kind: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// The container.
    pub container: Option<String>,
    /// The file.
    pub path: Option<String>,
    /// Why; required.
    pub reason: String,
}

impl Config {
    /// Reads a file's text; an error names what is wrong and what would be right.
    pub fn read(text: &str) -> Result<Self, String> {
        let blank = text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#'));
        let config: Self =
            if blank { Self::default() } else { serde_saphyr::from_str(text).map_err(|error| error.to_string())? };
        let known = |id: &str| RULES.iter().any(|rule| rule.id == id);
        for (rule, level) in &config.lint.rules {
            if !known(rule) {
                return Err(format!("lint.rules: no rule is called `{rule}`; oomph explain lists them"));
            }
            if level != "off" && self::level(level).is_none() {
                return Err(format!("lint.rules.{rule}: `{level}` is none of error, warning, info, off"));
            }
        }
        if let Some(word) = config.lint.fail_on.as_deref().filter(|word| *word != "never" && level(word).is_none()) {
            return Err(format!("lint.failOn: `{word}` is none of error, warning, info, never"));
        }
        for (number, ignore) in config.lint.ignore.iter().enumerate() {
            if ignore.reason.trim().is_empty() {
                return Err(format!("lint.ignore[{number}]: a reason is missing"));
            }
            if let Some(rule) = ignore.rules.iter().find(|rule| !known(rule)) {
                return Err(format!("lint.ignore[{number}].rules: no rule is called `{rule}`"));
            }
        }
        Ok(config)
    }

    /// Takes away what is not wanted of the findings in `path`, and gives the rest the levels that are asked for.
    pub fn apply(&self, document: &mut Document, of: impl Fn(&str) -> bool) {
        let Lint { rules, ignore, .. } = &self.lint;
        let before = document.findings.len();
        document.findings.retain_mut(|finding| {
            if !of(&finding.region.path) {
                return true;
            }
            match rules.get(&finding.rule).map(String::as_str) {
                Some("off") => return false,
                Some(word) => finding.level = level(word).unwrap_or(finding.level),
                None => {}
            }
            !ignore.iter().any(|ignore| ignore.covers(finding))
        });
        document.checked.suppressed += before - document.findings.len();
    }
}

impl Ignore {
    fn covers(&self, finding: &DocumentFinding) -> bool {
        let object = finding.object.as_ref();
        let agrees = |wanted: &Option<String>, is: Option<&str>| {
            wanted.as_ref().is_none_or(|wanted| is.is_some_and(|is| glob_match(wanted, is)))
        };
        (self.rules.is_empty() || self.rules.contains(&finding.rule))
            && agrees(&self.namespace, object.and_then(|object| object.namespace.as_deref()))
            && agrees(&self.kind, object.map(|object| object.kind.as_str()))
            && agrees(&self.name, object.map(|object| object.name.as_str()))
            && agrees(&self.container, finding.container.as_deref())
            && agrees(&self.path, Some(&finding.region.path))
    }
}

/// A level by its name.
pub fn level(word: &str) -> Option<Level> {
    [Level::Error, Level::Warning, Level::Info].into_iter().find(|level| level.word() == word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::{Source, lint};

    fn rules(config: &str) -> Vec<(String, Level)> {
        let text = "kind: Pod\nmetadata: {name: orders, namespace: prod}\nspec:\n  containers:\n  - name: app\n    image: \
                    x:1\n    resources: {limits: {memory: 512m}}\n";
        let mut document = lint(&[Source { name: "deploy/a.yaml".into(), text: text.into() }]);
        Config::read(config).unwrap().apply(&mut document, |_| true);
        document
            .findings
            .into_iter()
            .map(|it| (it.rule, it.level))
            .filter(|(rule, _)| rule == "quantity-milli")
            .collect()
    }

    #[test]
    fn levels_and_ignores_are_as_the_file_says() {
        let found = |level| vec![("quantity-milli".to_owned(), level)];
        assert_eq!(rules(""), found(Level::Error));
        assert_eq!(rules("# nothing\n"), found(Level::Error));
        assert_eq!(rules("lint: {rules: {quantity-milli: info}}"), found(Level::Info));
        assert_eq!(rules("lint: {rules: {quantity-milli: off}}"), []);
        for (ignore, is_found) in [
            ("{namespace: pr*, reason: x}", false),
            ("{namespace: dev, reason: x}", true),
            ("{kind: Pod, name: orders, container: app, rules: [quantity-milli], reason: x}", false),
            ("{kind: Pod, rules: [limit-missing], reason: x}", true),
            ("{path: 'deploy/**', reason: x}", false),
            ("{path: 'vendor/**', reason: x}", true),
        ] {
            assert_eq!(rules(&format!("lint: {{ignore: [{ignore}]}}")).is_empty(), !is_found, "{ignore}");
        }
    }

    #[test]
    fn a_slip_in_the_file_is_named() {
        for (text, word) in [
            ("lint: {fail_on: error}", "fail_on"),
            ("lint: {failOn: eror}", "eror"),
            ("lint: {rules: {quantity-mili: off}}", "quantity-mili"),
            ("lint: {rules: {quantity-milli: loud}}", "loud"),
            ("lint: {ignore: [{kind: Pod}]}", "reason"),
            ("lint: {ignore: [{rules: [x], reason: y}]}", "`x`"),
            ("lint: [", "line"),
        ] {
            let error = Config::read(text).unwrap_err();
            assert!(error.contains(word), "{text}: {error}");
        }
    }
}
