#![no_main]
//! A memory history as CSV, in pieces, whole and broken off.

use oomph_core::size::trace::Reader;

fn reader(bytes: &[u8]) -> Reader {
    let mut reader = Reader::of_length(bytes.len() as u64);
    bytes.chunks(97).for_each(|piece| reader.feed(piece));
    reader
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _ = reader(bytes).finish().other_unit();
    let _ = reader(bytes).finish_broken();
});
