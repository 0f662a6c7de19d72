#![no_main]
//! Arbitrary text as a manifest, and as the query of an alert: nothing panics, and every place that a finding names is
//! inside of the text.

use oomph_core::lint::{Source, lint};

fn check(text: &str) {
    let document = lint(&[Source { name: "fuzz.yaml".into(), text: text.to_owned() }]);
    for finding in &document.findings {
        let place = finding.region.place.expect("a finding has a place");
        assert!(text.get(place.span.range()).is_some());
    }
}

libfuzzer_sys::fuzz_target!(|text: &str| {
    check(text);
    let block = text.replace('\n', "\n      ");
    check(&format!("groups:\n- rules:\n  - alert: a\n    expr: |2\n      {block}\n"));
    check(&format!("{{\"panels\": [{{\"targets\": [{{\"expr\": {text:?}}}]}}]}}"));
});
