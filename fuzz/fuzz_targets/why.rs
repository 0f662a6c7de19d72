#![no_main]
//! Arbitrary bytes of no told kind, all the way from detection to the document.

use oomph_core::artifact::Artifact;
use oomph_core::why::{Ask, why};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _ = why(&[Artifact::new("fuzz", bytes)], Vec::new(), Vec::new(), &Ask::default());
});
