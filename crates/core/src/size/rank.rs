//! The value of a rank among many, without putting them in order: they are counted by how large they are, and only those
//! of the rank's own bucket are looked at again. What was not measured has no rank.

use super::history::MISSING;

/// Values are counted in two to the power of so many buckets, at most: 8 KiB of counts stay in the processor's cache.
const BITS_MOST: u32 = 11;

/// A rank that no more are above than this is found by keeping these: more of them would be put in order too often.
const FEW: usize = 8;

/// The least and the most of what was measured; none where nothing was.
pub(crate) fn ends(values: &[u64]) -> Option<(u64, u64)> {
    // Four at once, as none of them has to wait for the one before. One more than MISSING is 0, so that it is no maximum.
    let (mut least, mut above) = ([MISSING; 4], [0; 4]);
    let (fours, rest) = values.as_chunks::<4>();
    for four in fours {
        for place in 0..4 {
            least[place] = least[place].min(four[place]);
            above[place] = above[place].max(four[place].wrapping_add(1));
        }
    }
    for value in rest {
        least[0] = least[0].min(*value);
        above[0] = above[0].max(value.wrapping_add(1));
    }
    let above = above.into_iter().max().filter(|above| *above > 0)?;
    Some((least.into_iter().min().unwrap_or(0), above - 1))
}

/// The values at some ranks, the lower ones first, of all that was measured in `columns` together; `ranks` is told how
/// many values that are, and counts from 0. `None` where nothing was measured.
pub(crate) fn at_ranks<const N: usize>(
    columns: &[&[u64]],
    ranks: impl FnOnce(usize) -> [usize; N],
) -> Option<[u64; N]> {
    let measured = |column: &&[u64]| column.iter().filter(|value| **value != MISSING).count();
    let number = columns.iter().map(measured).sum();
    if number == 0 {
        return None;
    }
    let ranks = ranks(number);
    let above = number - ranks.first()?;
    if above <= FEW {
        let highest = highest(columns, above);
        return Some(ranks.map(|rank| highest[above - (number - rank)]));
    }
    let buckets = Buckets::of(columns)?;
    let places = Buckets::places(&buckets.count(columns), ranks);
    if buckets.shift == 0 {
        return Some(places.map(|(bucket, _)| buckets.start(bucket)));
    }
    let mut wanted = vec![false; buckets.number];
    for (bucket, _) in &places {
        wanted[*bucket] = true;
    }
    let near = kept(columns, |value| wanted.get(buckets.of_value(value)) == Some(&true));
    Some(places.map(|(bucket, rank)| {
        let of_bucket = kept(&[&near], |value| buckets.of_value(value) == bucket);
        at_rank(&of_bucket, rank).unwrap_or(buckets.least)
    }))
}

/// The value at one rank.
pub(crate) fn at_rank(values: &[u64], rank: usize) -> Option<u64> {
    at_ranks(&[values], |_| [rank]).map(|[value]| value)
}

/// So many of the highest values, rising; there are as many.
fn highest(columns: &[&[u64]], number: usize) -> Vec<u64> {
    // Each 0 stands for a value that is no higher.
    let mut highest = vec![0; number];
    for column in columns {
        for value in *column {
            if *value > highest[0] && *value != MISSING {
                let place = highest.partition_point(|it| it < value);
                highest.copy_within(1..place, 0);
                highest[place - 1] = *value;
            }
        }
    }
    highest
}

/// The values that are wanted. A loop in a loop: columns that are joined to one cost several times as much.
fn kept(columns: &[&[u64]], is_wanted: impl Fn(u64) -> bool) -> Vec<u64> {
    let mut kept = Vec::new();
    for column in columns {
        kept.extend(column.iter().copied().filter(|value| is_wanted(*value)));
    }
    kept
}

/// Equal stretches of what was measured, and one for what was not.
#[derive(Clone, Copy)]
struct Buckets {
    least: u64,
    /// How wide a stretch is: two to the power of this.
    shift: u32,
    /// How many there are, which is the number of the one for what was not measured.
    number: usize,
}

impl Buckets {
    fn of(columns: &[&[u64]]) -> Option<Self> {
        let values: usize = columns.iter().map(|column| column.len()).sum();
        let whole = columns.iter().filter_map(|column| ends(column));
        let (least, most) = whole.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))?;
        let bits = values.ilog2().min(BITS_MOST);
        let shift = (u64::BITS - (most - least).leading_zeros()).saturating_sub(bits);
        Some(Self { least, shift, number: 1 << bits })
    }

    /// Where a bucket begins.
    const fn start(self, bucket: usize) -> u64 {
        self.least + ((bucket as u64) << self.shift)
    }

    #[expect(clippy::cast_possible_truncation, reason = "what is not missing lies in one of the buckets")]
    const fn of_value(self, value: u64) -> usize {
        if value == MISSING { self.number } else { (value.wrapping_sub(self.least) >> self.shift) as usize }
    }

    fn count(self, columns: &[&[u64]]) -> Vec<u32> {
        let mut counts = vec![0; self.number + 1];
        for column in columns {
            for value in *column {
                counts[self.of_value(*value)] += 1;
            }
        }
        counts
    }

    /// Of each rank its bucket, and its rank in that.
    fn places<const N: usize>(counts: &[u32], ranks: [usize; N]) -> [(usize, usize); N] {
        let (mut below, mut bucket) = (0, 0);
        ranks.map(|rank| {
            while below + counts[bucket] as usize <= rank {
                below += counts[bucket] as usize;
                bucket += 1;
            }
            (bucket, rank - below)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn nothing_measured_has_no_rank() {
        assert_eq!((ends(&[]), ends(&[MISSING; 9])), (None, None));
        assert_eq!(at_ranks(&[&[], &[MISSING; 90]], |_| [0]), None);
    }

    #[test]
    fn equal_values_have_all_ranks() {
        assert_eq!(at_ranks(&[&[7; 900]], |count| [0, count / 2, count - 1]), Some([7; 3]));
    }

    proptest! {
        #[test]
        fn a_rank_is_what_sorting_gives(
            columns in prop::collection::vec(prop::collection::vec(prop_oneof![0..9_u64, 0..1_u64 << 40, Just(MISSING), any::<u64>()], 0..400), 1..4),
            shares in [0..1000_usize, 0..1000, 0..1000],
        ) {
            let mut sorted: Vec<u64> = columns.iter().flatten().copied().filter(|value| *value != MISSING).collect();
            sorted.sort_unstable();
            let slices: Vec<&[u64]> = columns.iter().map(Vec::as_slice).collect();
            let mut shares = shares;
            shares.sort_unstable();
            let ranks = |count: usize| shares.map(|share| share * count / 1000);
            let expected = (!sorted.is_empty()).then(|| ranks(sorted.len()).map(|rank| sorted[rank]));
            prop_assert_eq!(at_ranks(&slices, ranks), expected);
            let all = columns.concat();
            prop_assert_eq!(ends(&all), sorted.first().copied().zip(sorted.last().copied()));
        }
    }
}
