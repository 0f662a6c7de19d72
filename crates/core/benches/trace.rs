//! How fast traces are read and sized, by samples, beside the floor: finding the ends of lines.

use std::fmt::Write;
use std::sync::LazyLock;

use divan::counter::{BytesCount, ItemsCount};
use oomph_core::size::trace::{Reader, Trace};
use oomph_core::size::{History, Wishes, size, workloads};

fn main() {
    divan::main();
}

const SAMPLES: u64 = 2_000_000;

/// Series after series, as a dump of one container after the other.
static BY_SERIES: LazyLock<String> = LazyLock::new(|| {
    let mut text = String::from("series,time_s,bytes\n");
    for sample in 0..SAMPLES {
        row(&mut text, sample / 8640, sample % 8640);
    }
    text
});

/// Moment after moment, as a recorder writes.
static BY_TIME: LazyLock<String> = LazyLock::new(|| {
    let mut text = String::from("series,time_s,bytes\n");
    for sample in 0..SAMPLES {
        row(&mut text, sample % 500, sample / 500);
    }
    text
});

fn row(text: &mut String, series: u64, moment: u64) {
    let bytes = (series * 7_919 + moment * 104_729) % 4_000_000_000;
    writeln!(text, "vm{series},{},{bytes}", 1_375_000_000 + moment * 300).expect("a string takes everything");
}

/// Thirty days of containers whose days are alike, series after series.
static A_MONTH: LazyLock<String> = LazyLock::new(|| {
    let mut text = String::from("series,time_s,bytes\n");
    for sample in 0..SAMPLES {
        let (series, moment) = (sample / 8640, sample % 8640);
        let wave = (moment % 288).abs_diff(144) * 1_000_000;
        let noise = (series * 7_919 + moment * 104_729) % 50_000_017;
        let bytes = 300_000_000 + series * 1_000_000 + wave + noise;
        writeln!(text, "vm{series},{},{bytes}", 1_375_000_000 + moment * 300).expect("a string takes everything");
    }
    text
});

fn trace(text: &str) -> Trace {
    let mut reader = Reader::of_length(text.len() as u64);
    for piece in text.as_bytes().chunks(256 << 10) {
        reader.feed(piece);
    }
    reader.finish()
}

fn read(text: &str) -> usize {
    trace(text).histories.len()
}

#[divan::bench]
fn lines_only(bencher: divan::Bencher) {
    let text = BY_TIME.as_bytes();
    bencher
        .counter(ItemsCount::new(SAMPLES))
        .counter(BytesCount::of_slice(text))
        .bench(|| memchr::memchr_iter(b'\n', text).count());
}

#[divan::bench]
fn series_after_series(bencher: divan::Bencher) {
    let text = BY_SERIES.as_str();
    bencher.counter(ItemsCount::new(SAMPLES)).counter(BytesCount::of_str(text)).bench(|| read(text));
}

#[divan::bench]
fn moment_after_moment(bencher: divan::Bencher) {
    let text = BY_TIME.as_str();
    bencher.counter(ItemsCount::new(SAMPLES)).counter(BytesCount::of_str(text)).bench(|| read(text));
}

/// Sizing alone, of what was read before.
#[divan::bench]
fn sized(bencher: divan::Bencher) {
    let read = workloads(trace(&A_MONTH).histories, Vec::new());
    bencher.counter(ItemsCount::new(SAMPLES)).bench(|| size(&read, &Wishes::default(), Vec::new(), Vec::new()));
}

/// Its floor: each sample is looked at once, for the highest.
#[divan::bench]
fn looked_at_once(bencher: divan::Bencher) {
    let read = workloads(trace(&A_MONTH).histories, Vec::new());
    let highest = || read.iter().filter_map(|it| it.replicas.iter().filter_map(History::peak).max()).max();
    bencher.counter(ItemsCount::new(SAMPLES)).bench(highest);
}

/// All that `oomph size --trace` does but for files and printing.
#[divan::bench]
fn read_and_sized(bencher: divan::Bencher) {
    let text = A_MONTH.as_str();
    let sized = || size(&workloads(trace(text).histories, Vec::new()), &Wishes::default(), Vec::new(), Vec::new());
    bencher.counter(ItemsCount::new(SAMPLES)).counter(BytesCount::of_str(text)).bench(sized);
}
