//! How fast policies are replayed on one core: 500 series x 30 days x 5 minutes, each policy by itself, beside the floor:
//! putting the same histories on their grid.

use std::sync::LazyLock;

use divan::counter::ItemsCount;
use oomph_core::size::History;
use oomph_core::size::backtest::{Grid, WARM_UP, replay};
use oomph_core::size::policy::{POLICIES, named};

fn main() {
    divan::main();
}

const SERIES: u64 = 500;
const STEPS: u64 = 30 * 288;

/// A level of its own, a day's wave, noise, and now and then a peak of twice the level.
static HISTORIES: LazyLock<Vec<History>> = LazyLock::new(|| (0..SERIES).map(history).collect());

fn history(series: u64) -> History {
    let level = (200 + series * 7 % 4000) << 20;
    let mut noise = series.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut use_at = |step: u64| {
        // Xorshift: the same histories in every run.
        noise ^= noise << 13;
        noise ^= noise >> 7;
        noise ^= noise << 17;
        let hour = step % 288 / 12;
        let wave = level / 24 * hour.abs_diff(12);
        let peak = if noise.is_multiple_of(997) { level } else { 0 };
        level + wave + level / 1000 * (noise % 50) + peak
    };
    let used = (0..STEPS).map(&mut use_at).collect();
    let at = (0..STEPS).map(|step| 1_700_000_000 + step.cast_signed() * 300).collect();
    History { at, used, ..History::default() }
}

#[divan::bench(sample_count = 10)]
fn grid_alone(bencher: divan::Bencher) {
    let histories = &*HISTORIES;
    bencher
        .counter(ItemsCount::new(SERIES * STEPS))
        .bench(|| histories.iter().map(|history| Grid::new(history).steps.len()).sum::<usize>());
}

#[divan::bench(args = POLICIES.map(|known| known.name), sample_count = 3, sample_size = 1)]
fn replayed(bencher: divan::Bencher, name: &str) {
    let grids: Vec<Grid> = HISTORIES.iter().map(Grid::new).collect();
    let known = named(name).expect("it is one of the list");
    bencher
        .counter(ItemsCount::new(SERIES * STEPS))
        .bench(|| grids.iter().map(|grid| replay(grid, known, WARM_UP).kills).sum::<u64>());
}
