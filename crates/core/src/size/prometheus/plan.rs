//! How a range is split under the server's limits, and what it will cost, before anything of it is asked.

use super::query::{Range, Signal};
use crate::size::STEP;

/// Points that one query may return for a series (Prometheus 2.42, web/api/v1/api.go `queryRange`: 11,000).
const POINTS: i64 = 11_000;
/// Samples that one query may hold: a fifth of the default of 50 million (`--query.max-samples`), for others ask too.
const SAMPLES: i64 = 10_000_000;
/// Bytes that one answer should weigh.
const ANSWER: i64 = 64 << 20;
/// A point as JSON: `[1700000000,"123456789"],`.
const POINT: i64 = 25;
/// The labels of a series as JSON.
const LABELS: i64 = 150;
/// Points of usage beyond which the step grows: peaks stay, their moments get coarser.
const MOST_POINTS: i64 = 200_000_000;
/// Of so many containers one was killed, where a query answers for those alone: more than were seen in any fleet.
const KILLED: i64 = 20;
/// The steps to choose from, seconds.
const STEPS: [i64; 5] = [STEP, 900, 1800, 3600, 7200];

/// How many series there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Size {
    /// Series of the working set on the server at once, duplicates included.
    pub raw: i64,
    /// Containers at once.
    pub containers: i64,
}

/// One query over a part of the range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slice {
    /// What.
    pub signal: Signal,
    /// First step, seconds of Unix time.
    pub from: i64,
    /// Last step.
    pub to: i64,
    /// Step, seconds.
    pub step: i64,
}

impl Slice {
    /// Two halves, where a server found it too large; `None`: it is a single step.
    pub fn halves(self) -> Option<[Self; 2]> {
        let steps = (self.to - self.from) / self.step;
        let middle = self.from + steps / 2 * self.step;
        (steps > 0).then_some([Self { to: middle, ..self }, Self { from: middle + self.step, ..self }])
    }
}

/// What will be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The range, with the step that the size allows.
    pub range: Range,
    /// The queries, in order.
    pub slices: Vec<Slice>,
    /// Points that will come, about.
    pub points: i64,
    /// Bytes of JSON that will come, about, before compression.
    pub bytes: i64,
}

impl Plan {
    /// Splits a range for so many series.
    pub fn new(range: &Range, size: Size) -> Self {
        let mut range = range.clone();
        range.step = range.step.max(1);
        let steps = |step: i64| (range.to - range.from).max(0) / step + 1;
        let small = |step: &i64| *step >= range.step && size.containers.saturating_mul(steps(*step)) <= MOST_POINTS;
        if size.containers.saturating_mul(steps(range.step)) > MOST_POINTS {
            range.step = STEPS.into_iter().find(small).unwrap_or(range.step.max(STEPS[STEPS.len() - 1]));
        }
        let (containers, raw) = (size.containers.max(1), size.raw.max(size.containers).max(1));
        let mut plan = Self { slices: Vec::new(), points: 0, bytes: 0, range };
        for signal in Signal::ALL {
            let step = signal.step(&plan.range);
            let series = if signal.is_sparse() { containers.div_euclid(KILLED).max(1) } else { containers };
            let most = POINTS.min(SAMPLES / raw).min(ANSWER / (series.saturating_mul(POINT))).max(1);
            // At multiples of the step, for VictoriaMetrics and Thanos' query frontend move all others to the multiple
            // before (1.79, app/vmselect/promql/eval.go `AdjustStartEnd`; 0.42, `--query-range.align-range-with-step`).
            // A step covers what came before it: the first that is asked for is the first to end in the range.
            let mut from = plan.range.from.div_euclid(step).saturating_add(1) * step;
            // The last step covers the range's end, even where that lies within it: a pod of the last hours has an owner.
            let last = from.max(plan.range.to.saturating_add(step - 1).div_euclid(step) * step);
            while from <= last {
                let to = last.min(from + (most - 1) * step);
                let points = series.saturating_mul((to - from) / step + 1);
                plan.points = plan.points.saturating_add(points);
                plan.bytes = plan.bytes.saturating_add(points.saturating_mul(POINT) + series.saturating_mul(LABELS));
                plan.slices.push(Slice { signal, from, to, step });
                from = to + step;
            }
        }
        plan
    }

    /// The plan in words.
    pub fn describe(&self) -> String {
        format!(
            "{} queries at steps of {} s, about {:.1} million points, {:.2} GB of JSON before compression",
            self.slices.len(),
            self.range.step,
            self.points as f64 / 1e6,
            self.bytes as f64 / 1e9
        )
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::units::DAY;

    fn plan(containers: i64, days: i64) -> Plan {
        let range = Range { from: 0, to: days * DAY, step: 300, namespace: None };
        Plan::new(&range, Size { raw: containers * 2, containers })
    }

    #[test]
    fn a_hundred_thousand_containers_for_a_month_are_planned_for() {
        let plan = plan(100_000, 30);
        assert_eq!(plan.range.step, 1800, "{}", plan.describe());
        assert!(plan.bytes < 20_000_000_000, "{}", plan.describe());
        assert!(plan.slices.iter().all(|s| ((s.to - s.from) / s.step + 1) * 200_000 <= SAMPLES));
    }

    #[test]
    fn a_small_fleet_keeps_its_step() {
        assert_eq!(plan(1_000, 14).range.step, 300);
    }

    #[test]
    fn every_step_is_a_multiple_of_its_length_and_the_last_ends_with_the_range_or_after_it() {
        let (from, to) = (17 * 3600 + 300, 17 * 3600 + 300 + 14 * DAY);
        let plan = Plan::new(&Range { from, to, step: 300, namespace: None }, Size { raw: 50, containers: 50 });
        for slice in &plan.slices {
            assert_eq!((slice.from % slice.step, slice.to % slice.step), (0, 0), "{slice:?}");
            assert!((1..=slice.step).contains(&(slice.from - from)), "{slice:?}");
            assert!((0..slice.step).contains(&(slice.to - to)), "{slice:?}");
        }
    }

    proptest! {
        #[test]
        fn slices_cover_the_range_once_and_stay_under_the_limits(containers in 0_i64..300_000, days in 1_i64..90) {
            let plan = plan(containers, days);
            for signal in Signal::ALL {
                let slices: Vec<_> = plan.slices.iter().filter(|s| s.signal == signal).collect();
                prop_assert_eq!(slices[0].from, slices[0].step);
                prop_assert_eq!(slices[slices.len() - 1].to, days * DAY);
                for pair in slices.windows(2) {
                    prop_assert_eq!(pair[0].to + pair[0].step, pair[1].from);
                }
                prop_assert!(slices.iter().all(|s| (s.to - s.from) / s.step < POINTS));
            }
        }

        #[test]
        fn halves_are_the_whole(steps in 0_i64..100) {
            let slice = Slice { signal: Signal::Used, from: 0, to: steps * 300, step: 300 };
            match slice.halves() {
                None => prop_assert_eq!(steps, 0),
                Some([a, b]) => {
                    prop_assert_eq!((a.from, a.to + 300, b.to), (0, b.from, slice.to));
                    prop_assert!(a.to >= a.from && b.to >= b.from);
                }
            }
        }
    }
}
