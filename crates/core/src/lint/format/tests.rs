use super::*;
use crate::lint::{Source, lint};

const MANIFEST: &str = "\
apiVersion: v1
kind: Pod
metadata: {name: orders, namespace: prod}
spec:
  containers:
  - name: app
    image: registry/orders:1
    resources:
      limits: {memory: 512m} # 100%: a, b
";

fn document(text: &str) -> Document {
    lint(&[Source { name: "a b/deploy,1.yaml".into(), text: text.to_owned() }])
}

fn written(name: &str, text: &str) -> String {
    (form(name).unwrap().write)(&document(text), Some(Level::Error))
}

#[test]
fn sarif_is_what_its_schema_allows_and_nothing_else() {
    for text in [MANIFEST, "a: [", "kind: Pod\n"] {
        let sarif = written("sarif", text);
        let typed: serde_sarif::sarif::Sarif = serde_json::from_str(&sarif).unwrap();
        let ours: serde_json::Value = serde_json::from_str(&sarif).unwrap();
        assert_eq!(serde_json::to_value(&typed).unwrap(), ours, "a field that the schema does not know is lost");
    }
    let sarif: serde_json::Value = serde_json::from_str(&written("sarif", MANIFEST)).unwrap();
    let run = &sarif["runs"][0];
    let results = run["results"].as_array().unwrap();
    let result = results.iter().find(|it| it["ruleId"] == "quantity-milli").unwrap();
    let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
    assert_eq!(run["tool"]["driver"]["rules"][index]["id"], result["ruleId"]);
    let at = &result["locations"][0]["physicalLocation"];
    assert_eq!(at["artifactLocation"]["uri"], "a%20b/deploy%2C1.yaml");
    assert_eq!(at["region"]["startLine"], 9);
    let broken: serde_json::Value = serde_json::from_str(&written("sarif", "a: [")).unwrap();
    assert_eq!(broken["runs"][0]["invocations"][0]["executionSuccessful"], false);
}

#[test]
fn annotations_of_github_are_a_line_each_and_escaped() {
    let text = written("github", MANIFEST);
    let error = text.lines().find(|line| line.contains("quantity-milli")).unwrap();
    assert!(error.starts_with("::error file=a b/deploy%2C1.yaml,line=9,endLine=9,col="), "{error}");
    assert!(error.contains(",title=quantity-milli::"), "{error}");
    assert_eq!(text.lines().count(), document(MANIFEST).findings.len(), "no message breaks a line");
}

#[test]
fn gitlab_gets_a_fingerprint_for_each_finding() {
    let report: Vec<serde_json::Value> = serde_json::from_str(&written("gitlab", MANIFEST)).unwrap();
    assert!(report.iter().any(|issue| issue["check_name"] == "quantity-milli" && issue["severity"] == "major"));
    let mut prints: Vec<_> = report.iter().map(|issue| issue["fingerprint"].to_string()).collect();
    prints.sort();
    prints.dedup();
    assert_eq!(prints.len(), report.len());
    assert_eq!(written("gitlab", ""), "[]\n");
}

#[test]
fn junit_fails_what_fails_the_run_and_an_empty_report_has_a_case_that_passed() {
    let text = written("junit", MANIFEST);
    let all = document(MANIFEST).findings.len();
    assert_eq!(text.matches("<testcase").count(), all);
    assert_eq!(text.matches("<failure").count(), 1, "{text}");
    assert!(text.contains(&format!("tests=\"{all}\" failures=\"1\" errors=\"0\"")), "{text}");
    assert!(written("junit", "a: [").contains("<error"));
    assert!(written("junit", "").contains("name=\"no findings\""));
    let mut reader = quick_xml::Reader::from_str(&text);
    while !matches!(reader.read_event().unwrap(), quick_xml::events::Event::Eof) {}
}
