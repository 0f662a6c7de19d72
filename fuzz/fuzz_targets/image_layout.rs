#![no_main]
//! An image's layout in which every file holds the same: descriptors that lead in circles, configurations, and neither.

use oomph_core::lint::image::layout::{TOPS, inspection};
use oomph_core::lint::image::masked;

libfuzzer_sys::fuzz_target!(|text: &str| {
    for top in TOPS {
        let is_there = |name: &str| name == top || !TOPS.contains(&name);
        let _ = inspection("fuzz", &mut |name| is_there(name).then(|| text.as_bytes().to_vec()));
    }
    let _ = masked(text);
});
