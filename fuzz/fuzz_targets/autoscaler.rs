#![no_main]
//! Vertical pod autoscalers and the checkpoints of their recommender.

use oomph_core::lint::Source;
use oomph_core::size::autoscaler::objects;

libfuzzer_sys::fuzz_target!(|text: &str| {
    let _ = objects(&[Source { name: "fuzz.yaml".into(), text: text.to_owned() }]).any();
});
