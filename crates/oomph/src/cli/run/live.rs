//! A line on the terminal that shows the memory while the command runs.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use oomph_core::recording::Sample;
use oomph_core::units::Bytes;

use crate::ui::Ui;

/// Shown on stderr, and only when that is a terminal which the command does not write to itself.
pub(super) struct Live {
    bar: Option<ProgressBar>,
}

/// Work shorter than this shows nothing.
const PATIENCE: Duration = Duration::from_millis(500);

impl Live {
    pub(super) fn new(limit: Option<Bytes>, ui: Ui) -> Self {
        let bar = ui.may_draw().then(|| {
            let template = if limit.is_some() { "{msg} [{wide_bar}]" } else { "{msg}" };
            let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
            ProgressBar::new(limit.map_or(0, |limit| limit.0)).with_style(style)
        });
        Self { bar }
    }

    pub(super) fn show(&self, sample: &Sample) {
        if let Some(bar) = self.bar.as_ref().filter(|_| u128::from(sample.at) >= PATIENCE.as_millis()) {
            bar.set_position(sample.unreclaimable.0);
            bar.set_message(format!("{} charged, {} not reclaimable", sample.usage, sample.unreclaimable));
        }
    }

    pub(super) fn end(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}
