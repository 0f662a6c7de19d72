#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    oomph_fuzz::decode_as(oomph_core::artifact::Kind::Recording, bytes);
    let document = oomph_core::run::explain("fuzz", bytes);
    let _ = oomph_core::report::run_text(&document, oomph_core::report::Style::Plain, 100);
});
