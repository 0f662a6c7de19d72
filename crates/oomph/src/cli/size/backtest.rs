//! `oomph size backtest`: what the policies would have done on a trace.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use anyhow::{Result, bail};
use clap::Args;
use jiff::SignedDuration;
use oomph_core::report;
use oomph_core::size::backtest::{Document, Figures, Grid, SCHEMA, Tally, replay};
use oomph_core::size::policy::{Known, POLICIES, named};
use oomph_core::size::{History, STEP};

use super::super::since::age;
use super::super::{Exit, Global, Output};
use super::sources::{self, Sources};
use crate::ui::Ui;

#[derive(Debug, Args)]
pub(super) struct Backtest {
    /// Memory histories as CSV, plain or compressed; - reads stdin
    #[arg(long, value_name = "FILE", required = true)]
    trace: Vec<PathBuf>,
    /// Which policies, in this order
    #[arg(
        long,
        value_name = "NAMES",
        value_delimiter = ',',
        default_value = "oomph,vpa,autopilot-max,krr,p99x1.25",
        value_parser = policy
    )]
    policy: Vec<Known>,
    /// History that a policy sees before it is judged: 7d, 6h
    #[arg(long, value_name = "AGE", default_value = "7d", value_parser = warm_up)]
    warm_up: SignedDuration,
}

/// A policy by name.
fn policy(name: &str) -> Result<Known, String> {
    named(name).ok_or_else(|| {
        let names: Vec<&str> = POLICIES.iter().map(|known| known.name).collect();
        format!("there is no policy {name}; there are {}", names.join(", "))
    })
}

/// A length of time of an hour at least: policies decide hourly.
fn warm_up(text: &str) -> Result<SignedDuration, String> {
    match age(text) {
        Some(age) if age >= SignedDuration::from_hours(1) => Ok(age),
        Some(_) => Err("policies decide once an hour; write 1h or more".to_owned()),
        None => Err("write a length of time: 6h, 7d".to_owned()),
    }
}

impl Backtest {
    pub(super) fn run(&self, global: &Global, ui: Ui) -> Result<Exit> {
        let Some(output) = global.form.of_all() else {
            bail!("a back-test proposes nothing that could be applied; use -o text, json, yaml or markdown");
        };
        let Sources { histories, gaps, failures, .. } = sources::read(&self.trace, &[], ui);
        for gap in &gaps {
            ui.note(format_args!("{}: {}", gap.what, gap.because));
        }
        for failure in &failures {
            ui.error(failure);
        }
        let warm_up = usize::try_from(self.warm_up.as_secs() / STEP)?;
        let tallies = tallies(&histories, &self.policy, warm_up);
        let policies: Vec<Figures> =
            self.policy.iter().zip(&tallies).map(|(known, tally)| Figures::new(known.name, tally)).collect();
        if failures.is_empty() && policies.iter().all(|it| it.container_days == 0) {
            ui.note("no series has a whole day after the warm-up; shorten it with --warm-up");
        }
        let document = Document { schema: SCHEMA, policies };
        ui.print(&match output {
            Output::Json => report::json(&document),
            Output::Yaml => report::yaml(&document),
            Output::Markdown => report::backtest_markdown(&document),
            Output::Text => report::backtest_text(&document),
        })?;
        Ok(if failures.is_empty() { Exit::Nothing } else { Exit::Failed })
    }
}

/// Replays every history under every policy, on all cores; summed in the order of the histories, so that the figures do
/// not depend on which core was faster.
fn tallies(histories: &[History], policies: &[Known], warm_up: usize) -> Vec<Tally> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(history) = histories.get(at) else { return done };
            let grid = Grid::new(history);
            done.push((at, policies.iter().map(|known| replay(&grid, *known, warm_up)).collect::<Vec<_>>()));
        }
    };
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let mut all: Vec<(usize, Vec<Tally>)> = thread::scope(|scope| {
        let threads: Vec<_> = (0..cores).map(|_| scope.spawn(work)).collect();
        threads.into_iter().flat_map(|it| it.join().expect("a replay does not panic")).collect()
    });
    all.sort_by_key(|(at, _)| *at);
    all.into_iter().fold(vec![Tally::default(); policies.len()], |sums, (_, tallies)| {
        sums.into_iter().zip(tallies).map(|(sum, tally)| sum.and(tally)).collect()
    })
}
