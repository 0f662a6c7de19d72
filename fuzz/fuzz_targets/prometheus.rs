#![no_main]
//! What a server answers, as every signal that is asked for.

use oomph_core::size::prometheus::{Answer, Assembly, Range, Signal};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let range = Range { from: 0, to: 1 << 20, step: 300, namespace: None };
    let mut assembly = Assembly::of(&range);
    for signal in Signal::ALL {
        assembly.add(signal, Answer::decode(bytes));
    }
    let _ = assembly.finish();
});
