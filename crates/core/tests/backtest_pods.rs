//! The policies on histories of pods that none of their numbers was chosen on, where the traces are at hand: no peer is
//! better than ours in kills and in memory at once.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "the figures are worth reading")]

mod shared;

use std::collections::BTreeMap;

use oomph_core::size::History;
use oomph_core::size::backtest::Grid;
use oomph_core::size::policy::{DAY, HOUR, Known, POLICIES};

/// What one policy did.
struct Point {
    name: &'static str,
    /// Kills, all of them and in 1,000 container-days.
    count: u64,
    kills: f64,
    /// The mean limit, GiB.
    limit: f64,
    /// Changes in a container-day.
    changes: f64,
}

/// Runs a policy as the back-test does, but counts every step after the warm-up: these histories have no whole days.
/// Kills, changes, steps and the sum of limits.
fn run(grid: &Grid, known: Known, warm_up: usize) -> (u64, u64, usize, f64) {
    let steps = &grid.steps;
    let (mut kills, mut changes, mut limits) = (0, 0, 0.0);
    if steps.len() <= warm_up {
        return (0, 0, 0, 0.0);
    }
    let mut policy = (known.start)(steps);
    for (step, peak) in steps[..warm_up].iter().enumerate() {
        policy.observe(step, *peak);
    }
    policy.decide(warm_up);
    let mut before = policy.limit();
    for (step, peak) in steps.iter().enumerate().skip(warm_up) {
        let seen = peak.min(policy.limit());
        if *peak > policy.limit() {
            kills += 1;
            policy.killed(step, seen);
        }
        policy.observe(step, seen);
        if step % HOUR == 0 {
            policy.decide(step);
        }
        changes += u64::from((policy.limit() - before).abs() > 1e-9 * before);
        before = policy.limit();
        limits += before;
    }
    (kills, changes, steps.len() - warm_up, limits)
}

fn frontier(name: &str, histories: &BTreeMap<String, History>, warm_up: usize) -> Vec<Point> {
    let grids: Vec<Grid> = histories.values().map(Grid::new).collect();
    let point = |known: Known| {
        let (mut kills, mut changes, mut steps, mut limits) = (0, 0, 0, 0.0);
        for grid in &grids {
            let one = run(grid, known, warm_up);
            (kills, changes, steps, limits) = (kills + one.0, changes + one.1, steps + one.2, limits + one.3);
        }
        let days = steps as f64 / DAY as f64;
        Point {
            name: known.name,
            count: kills,
            kills: 1000.0 * kills as f64 / days,
            limit: limits / steps as f64 / f64::from(1 << 30),
            changes: changes as f64 / days,
        }
    };
    let points: Vec<Point> = POLICIES.map(point).into();
    eprintln!("{name}: {} histories, warm-up {:.1} h", grids.len(), warm_up as f64 / HOUR as f64);
    for it in &points {
        eprintln!(
            "  {:14} {:7.1} kills per 1000 container-days @ {:.4} GiB {:6.2} changes/day",
            it.name, it.kills, it.limit, it.changes
        );
    }
    points
}

/// The oracle knows the future, and the one that never forgets is the end of the road.
const NO_PEERS: [&str; 3] = ["oomph", "oracle", "highest-ever"];

#[test]
fn no_peer_kills_less_with_less_memory_on_pods_that_no_number_was_chosen_on() {
    let Some(traces) = shared::part("traces") else { return };
    let mut better = Vec::new();
    for (name, histories, warm_up) in [
        ("sockshop, after 2 days", shared::traces::sockshop(&traces, None), 2 * DAY),
        ("sockshop, after 7 days", shared::traces::sockshop(&traces, None), 7 * DAY),
        ("nezha", shared::traces::nezha(&traces), 3 * HOUR),
        ("genai", shared::traces::genai(&traces), 6 * HOUR),
    ] {
        let points = frontier(name, &histories, warm_up);
        let ours = &points[0];
        assert_eq!(ours.name, "oomph");
        for peer in points.iter().filter(|it| !NO_PEERS.contains(&it.name)) {
            let both = peer.count <= ours.count && peer.limit <= ours.limit;
            if !both || (peer.count == ours.count && peer.limit >= ours.limit) {
                continue;
            }
            better.push(format!("{name}: {} with {:.1} at {:.4} GiB", peer.name, peer.kills, peer.limit));
        }
    }
    assert!(better.is_empty(), "better on both axes: {better:#?}");
}
