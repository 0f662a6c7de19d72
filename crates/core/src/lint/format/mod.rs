//! The document in the forms that other tools read: one file each, one line in the table.

use super::document::{Document, DocumentFinding};
use super::finding::Level;

mod github;
mod gitlab;
mod junit;
mod sarif;

/// A form that another tool reads.
#[derive(Debug)]
pub struct Form {
    /// Its name on the command line.
    pub name: &'static str,
    /// What reads it.
    pub about: &'static str,
    /// Writes the document. Findings from the level on count as failures.
    pub write: fn(&Document, Option<Level>) -> String,
}

/// Every form.
pub static FORMS: &[Form] = &[
    Form { name: "sarif", about: "SARIF 2.1.0, for code scanning", write: sarif::write },
    Form { name: "junit", about: "JUnit XML, for test reports", write: junit::write },
    Form { name: "github", about: "GitHub's annotations, on a workflow's output", write: github::write },
    Form { name: "gitlab", about: "GitLab's code quality report", write: gitlab::write },
];

/// The form of a name.
pub fn form(name: &str) -> Option<&'static Form> {
    FORMS.iter().find(|form| form.name == name)
}

/// The message with the arithmetic and the advice behind it, a line each.
fn whole(finding: &DocumentFinding) -> String {
    let assumed = (!finding.assumed.is_empty()).then(|| format!("assumed: {}", finding.assumed.join("; ")));
    let help = finding.help.as_ref().map(|help| format!("help: {help}"));
    let said = std::iter::once(&finding.message).chain(&finding.notes).map(|words| &**words);
    said.chain(assumed.as_deref()).chain(help.as_deref()).collect::<Vec<_>>().join("\n")
}

/// `Deployment/prod/orders`, and the container behind it.
fn place(finding: &DocumentFinding) -> String {
    let object = finding.object.as_ref().map(|object| {
        let namespace = object.namespace.as_ref().map(|namespace| format!("{namespace}/")).unwrap_or_default();
        format!("{}/{namespace}{}", object.kind, object.name)
    });
    object.into_iter().chain(finding.container.clone()).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests;
