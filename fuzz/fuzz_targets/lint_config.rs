#![no_main]
//! The text of a `.oomph.yaml`.

libfuzzer_sys::fuzz_target!(|text: &str| {
    let _ = oomph_core::lint::config::Config::read(text);
});
