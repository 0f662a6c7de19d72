#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| oomph_fuzz::decode_as(oomph_core::artifact::Kind::Message, bytes));
