#![no_main]

use oomph_core::process::{mappings, stack_pointer, status};
use oomph_core::units::Bytes;
use oomph_core::waterfall::{Charge, Version};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let _ = (mappings(&text), status(&text), stack_pointer(&text));
    for version in [Version::V1, Version::V2] {
        for name in ["memory.stat", "memory.current", "memory.events", "memory.pressure"] {
            let _ = Charge::from_files(version, [(name, bytes)]).unreclaimable(Bytes(1 << 30));
        }
    }
});
