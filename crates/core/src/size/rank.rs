//! The value of a rank among many, without putting them in order: they are counted by how large they are, and only those
//! of the rank's own bucket are looked at again. What was not measured has no rank.

use super::history::MISSING;

/// Values are counted in two to the power of so many buckets, at most: 8 KiB of counts stay in the processor's cache.
const BITS_MOST: u32 = 11;

/// A rank that no more are above than this is found by keeping these: more of them would be put in order too often.
const FEW: usize = 8;

/// The least and the most of what was measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ends {
    least: u64,
    most: u64,
    /// Nothing is missing.
    whole: bool,
}

impl Ends {
    /// Of nothing.
    pub(crate) const NONE: Self = Self { least: MISSING, most: 0, whole: true };

    /// Of a column.
    pub(crate) fn of(values: &[u64]) -> Self {
        // Four at once, as none of them has to wait for the one before.
        let (mut least, mut most) = ([MISSING; 4], [0; 4]);
        let (fours, rest) = values.as_chunks::<4>();
        for four in fours {
            for place in 0..4 {
                least[place] = least[place].min(four[place]);
                most[place] = most[place].max(four[place]);
            }
        }
        for value in rest {
            least[0] = least[0].min(*value);
            most[0] = most[0].max(*value);
        }
        let ends = |least, most, whole| Self { least, most, whole };
        let all = least.into_iter().zip(most).fold(Self::NONE, |all, (least, most)| all.and(ends(least, most, true)));
        if all.most < MISSING {
            return all;
        }
        // The highest of all is what stands for nothing.
        let measured = values.iter().filter(|value| **value != MISSING);
        measured.fold(ends(MISSING, 0, false), |all, value| all.and(ends(*value, *value, false)))
    }

    /// Of both.
    pub(crate) fn and(self, other: Self) -> Self {
        Self { least: self.least.min(other.least), most: self.most.max(other.most), whole: self.whole && other.whole }
    }

    /// Both ends; none where nothing was measured.
    pub(crate) fn both(self) -> Option<(u64, u64)> {
        (self.least <= self.most).then_some((self.least, self.most))
    }

    /// Nothing is missing.
    pub(crate) const fn is_whole(self) -> bool {
        self.whole
    }
}

/// The values at some ranks, the lower ones first, of all that was measured in `columns` together; `ranks` is told how
/// many values that are, and counts from 0. `None` where nothing was measured.
pub(crate) fn at_ranks<const N: usize>(
    columns: &[&[u64]],
    ranks: impl FnOnce(usize) -> [usize; N],
) -> Option<[u64; N]> {
    let ends = columns.iter().fold(Ends::NONE, |ends, column| ends.and(Ends::of(column)));
    at_ranks_between(columns, ends, ranks)
}

/// The same, where the ends of all columns together are known.
pub(crate) fn at_ranks_between<const N: usize>(
    columns: &[&[u64]],
    ends: Ends,
    ranks: impl FnOnce(usize) -> [usize; N],
) -> Option<[u64; N]> {
    let (least, most) = ends.both()?;
    if !ends.whole {
        let measured = kept(columns, |value| *value != MISSING);
        return at_ranks_between(&[&measured], Ends { whole: true, ..ends }, ranks);
    }
    let number = columns.iter().map(|column| column.len()).sum();
    let ranks = ranks(number);
    let above = number - ranks.first()?;
    if above <= FEW {
        let highest = highest(columns, above);
        return Some(ranks.map(|rank| highest[above - (number - rank)]));
    }
    let buckets = Buckets::new(least, most, number);
    let places = Buckets::places(&buckets.count(columns), ranks);
    if buckets.shift == 0 {
        return Some(places.map(|(bucket, _)| buckets.start(bucket)));
    }
    Some(places.map(|(bucket, rank)| {
        let (start, width) = (buckets.start(bucket), 1 << buckets.shift);
        let near = kept(columns, |value| value.wrapping_sub(start) < width);
        at_rank(&near, rank).unwrap_or(least)
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
            if *value > highest[0] {
                let place = highest.partition_point(|it| it < value);
                highest.copy_within(1..place, 0);
                highest[place - 1] = *value;
            }
        }
    }
    highest
}

/// The values that are wanted. A loop in a loop: columns that are joined to one cost several times as much.
fn kept(columns: &[&[u64]], is_wanted: impl Fn(&u64) -> bool) -> Vec<u64> {
    let mut kept = Vec::new();
    for column in columns {
        // Mostly few are, and four at once are passed over.
        let (fours, rest) = column.as_chunks::<4>();
        for four in fours {
            if four.iter().any(&is_wanted) {
                kept.extend(four.iter().filter(|value| is_wanted(value)));
            }
        }
        kept.extend(rest.iter().filter(|value| is_wanted(value)));
    }
    kept
}

/// Equal stretches between the least and the most.
#[derive(Clone, Copy)]
struct Buckets {
    least: u64,
    /// How wide a stretch is: two to the power of this.
    shift: u32,
    /// How many there are.
    number: usize,
}

impl Buckets {
    /// For so many values: a few in each.
    fn new(least: u64, most: u64, values: usize) -> Self {
        let bits = (values / 4).checked_ilog2().map_or(0, |bits| bits.min(BITS_MOST));
        let shift = (u64::BITS - (most - least).leading_zeros()).saturating_sub(bits);
        Self { least, shift, number: 1 << bits }
    }

    /// Where a bucket begins.
    const fn start(self, bucket: usize) -> u64 {
        self.least + ((bucket as u64) << self.shift)
    }

    #[expect(clippy::cast_possible_truncation, reason = "what lies between the ends lies in one of the buckets")]
    const fn of_value(self, value: u64) -> usize {
        (value.wrapping_sub(self.least) >> self.shift) as usize
    }

    fn count(self, columns: &[&[u64]]) -> Vec<u32> {
        let mut counts = vec![0; self.number];
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
        assert_eq!([Ends::of(&[]), Ends::of(&[MISSING; 9])].map(Ends::both), [None, None]);
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
            prop_assert_eq!(Ends::of(&all).both(), sorted.first().copied().zip(sorted.last().copied()));
            prop_assert_eq!(Ends::of(&all).is_whole(), !all.contains(&MISSING));
        }
    }
}
