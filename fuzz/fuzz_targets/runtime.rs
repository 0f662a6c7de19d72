//! A process whose every byte is arbitrary: no probe may panic, hang, or read without end.
#![no_main]

use std::io::Cursor;

use oomph_core::process::{Mapping, Page, Residency, Run, mappings};
use oomph_core::runtime::{self, Image, Images, Memory, Target};

/// The input again and again, whatever the address.
struct Arbitrary<'a>(&'a [u8]);

impl Memory for Arbitrary<'_> {
    fn read(&self, address: u64, into: &mut [u8]) -> bool {
        let length = self.0.len() as u64;
        for (at, byte) in (address..).zip(into) {
            *byte = self.0[(at % length) as usize];
        }
        true
    }
}

impl Images for Arbitrary<'_> {
    fn open(&self, _: &Mapping) -> Option<Box<dyn Image + '_>> {
        Some(Box::new(Cursor::new(self.0.to_vec())))
    }
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let cut = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    let (maps, memory) = bytes.split_at(cut);
    if memory.is_empty() {
        return;
    }
    let mappings = mappings(&String::from_utf8_lossy(maps));
    let page = Page { file: false, counted: false, charged_here: None };
    // At most 1 MiB of each mapping is in memory.
    let runs = mappings.iter().map(|it| Run { at: it.start..it.end.min(it.start.saturating_add(1 << 20)), page });
    let residency = Residency::new(runs, 0);
    let arbitrary = Arbitrary(memory);
    let target = Target {
        pid: 1,
        comm: "fuzz",
        mappings: &mappings,
        residency: &residency,
        threads: &[],
        arguments: &[],
        environment: &[],
        memory: &arbitrary,
        images: &arbitrary,
        limit: None,
        page: 4096,
    };
    let _ = runtime::read(&target);
});
