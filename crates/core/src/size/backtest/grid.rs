//! A history on a grid.

use super::super::history::{History, MISSING, STEP};

/// A history longer than this is none: ten years.
const LONGEST: usize = 10 * 366 * 288;

/// Maxima of five minutes each, from the first sample on; bytes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Grid {
    /// The maxima; a step without a sample repeats the one before.
    pub steps: Vec<f64>,
}

impl Grid {
    /// The use of a history. What was not measured is as a sample that is not there.
    pub fn new(history: &History) -> Self {
        let mut steps: Vec<f64> = Vec::new();
        let mut first = None;
        for (at, used) in history.at.iter().zip(&history.used).filter(|(_, used)| **used != MISSING) {
            let since = at.saturating_sub(*first.get_or_insert(*at)) / STEP;
            let Some(step) = usize::try_from(since).ok().filter(|step| *step < LONGEST) else { break };
            let used = *used as f64;
            if step < steps.len() {
                // Ordered by time: it is the last step.
                steps[step] = steps[step].max(used);
            } else {
                let before = steps.last().copied().unwrap_or_default();
                steps.resize(step, before);
                steps.push(used);
            }
        }
        Self { steps }
    }
}

/// The quantile between two values, as numpy's default (linear) gives it; 0 of none. The values lose their order.
pub fn quantile(values: &mut [f64], share: f64) -> f64 {
    let Some(last) = values.len().checked_sub(1) else { return 0.0 };
    let place = share * last as f64;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and the length")]
    let low = place.floor() as usize;
    let (_, low_value, above) = values.select_nth_unstable_by(low, f64::total_cmp);
    let low_value = *low_value;
    let high_value = above.iter().copied().min_by(f64::total_cmp).unwrap_or(low_value);
    low_value + (high_value - low_value) * (place - low as f64)
}
