#![no_main]
//! Arbitrary text as a manifest: nothing panics, and every place that a finding names is inside of the text.

use oomph_core::lint::{Source, lint};

libfuzzer_sys::fuzz_target!(|text: &str| {
    let document = lint(&[Source { name: "fuzz.yaml".into(), text: text.to_owned() }]);
    for finding in &document.findings {
        let place = finding.region.place.expect("a finding has a place");
        assert!(text.get(place.span.range()).is_some());
    }
});
