//! The document `oomph.dev/backtest/v1`: the policies beside each other.

use schemars::JsonSchema;
use serde::Serialize;

use super::Tally;
use crate::units::Bytes;

/// The name and version of the document's shape.
pub const SCHEMA: &str = "oomph.dev/backtest/v1";

/// The JSON Schema of [`Document`].
pub fn schema() -> schemars::Schema {
    schemars::schema_for!(Document)
}

/// What each policy would have done.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Document {
    /// Always `oomph.dev/backtest/v1`.
    pub schema: &'static str,
    /// In the order in which they were asked for.
    pub policies: Vec<Figures>,
}

/// What one policy would have done. Null where no container has a whole day after the warm-up.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Figures {
    /// The policy.
    pub name: &'static str,
    /// Whole days after the warm-up, over all containers.
    pub container_days: u64,
    /// Kills in 1,000 container-days.
    pub oom_per_1000_container_days: Option<f64>,
    /// Share of days without a kill.
    pub oom_free_days_pct: Option<f64>,
    /// Mean of the limit over container-days.
    pub mean_limit_bytes: Option<Bytes>,
    /// Share of the limit above the 95th percentile of a day's use, mean over container-days.
    pub slack_pct: Option<f64>,
    /// Changes of the limit in a container-day.
    pub changes_per_day: Option<f64>,
}

impl Figures {
    /// The figures of a sum over containers.
    pub fn new(name: &'static str, tally: &Tally) -> Self {
        let per_day = |sum: f64| (tally.days > 0).then(|| sum / tally.days as f64);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a mean of limits is a limit")]
        let bytes = |mean: f64| Bytes(mean.round() as u64);
        Self {
            name,
            container_days: tally.days,
            oom_per_1000_container_days: per_day(1000.0 * tally.kills as f64),
            oom_free_days_pct: per_day(100.0 * (tally.days - tally.days_with_kills) as f64),
            mean_limit_bytes: per_day(tally.limits).map(bytes),
            slack_pct: per_day(100.0 * tally.slack),
            changes_per_day: per_day(tally.changes as f64),
        }
    }
}
