//! The policies on a month of 448 virtual machines, where the traces are at hand: the peers give their known figures.
#![allow(clippy::unwrap_used, reason = "a test may fail so")]
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "tests read the traces; only the crate itself does no I/O"
)]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "the figures are worth reading")]

mod shared;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

use oomph_core::size::backtest::{Figures, Grid, Tally, WARM_UP, replay};
use oomph_core::size::policy::{DAY, POLICIES};

/// The machines that the known figures are of: at least three days behind the warm-up, with a capacity, and not idle.
fn machines(folder: &Path) -> Vec<Grid> {
    let index = std::fs::read_to_string(folder.join("bitbrains-rnd/rnd-2013-7.index.csv")).unwrap();
    let columns: Vec<&str> = index.lines().next().unwrap().split(',').collect();
    let capacity_at = columns.iter().position(|name| *name == "cap_kb_last").unwrap();
    let with_capacity: Vec<&str> = index
        .lines()
        .skip(1)
        .map(|line| line.split(',').collect::<Vec<_>>())
        .filter(|cells| cells[capacity_at] != "0")
        .map(|cells| cells[0])
        .collect();
    let mut gzip = Command::new("gzip")
        .arg("-dc")
        .arg(folder.join("bitbrains-rnd/rnd-2013-7.csv.gz"))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut histories: BTreeMap<String, (i64, oomph_core::size::History)> = BTreeMap::new();
    for line in BufReader::new(gzip.stdout.take().unwrap()).lines().skip(1) {
        let line = line.unwrap();
        let cells: Vec<&str> = line.split(',').collect();
        let [machine, since, kib] = cells.as_slice() else { panic!("{line}") };
        if !with_capacity.contains(machine) {
            continue;
        }
        let (now, history) = histories.entry((*machine).to_owned()).or_default();
        *now += since.parse::<i64>().unwrap();
        history.at.push(*now);
        history.used.push(kib.parse::<u64>().unwrap() * 1024);
    }
    assert!(gzip.wait().unwrap().success());
    let idle = f64::from(30 << 20);
    histories
        .values()
        .map(|(_, history)| Grid::new(history))
        .filter(|grid| grid.steps.len() >= WARM_UP + 3 * DAY && grid.steps.iter().any(|peak| *peak >= idle))
        .collect()
}

fn figures(grids: &[Grid], warm_up: usize) -> Vec<Figures> {
    let run = |known| grids.iter().map(|grid| replay(grid, known, warm_up)).fold(Tally::default(), Tally::and);
    thread::scope(|scope| {
        let threads: Vec<_> = POLICIES.map(|known| (known, scope.spawn(move || run(known)))).into();
        threads.into_iter().map(|(known, thread)| Figures::new(known.name, &thread.join().unwrap())).collect()
    })
}

#[test]
fn peers_give_their_known_figures_and_ours_kills_least_for_its_memory() {
    let Some(folder) = shared::part("traces") else { return };
    let machines = machines(&folder);
    assert_eq!(machines.len(), 448);
    let all = figures(&machines, WARM_UP);
    let gib = f64::from(1 << 30);
    let row = |it: &Figures| {
        let bytes = it.mean_limit_bytes.unwrap().0 as f64;
        (it.oom_per_1000_container_days.unwrap(), it.oom_free_days_pct.unwrap(), bytes / gib)
    };
    for it in &all {
        let (kills, free, mean) = row(it);
        let changes = it.changes_per_day.unwrap();
        eprintln!("{:14} {kills:7.1} kills {free:6.2} % free {mean:5.2} GiB {changes:5.2} changes", it.name);
    }
    let of = |name: &str| row(all.iter().find(|it| it.name == name).unwrap());
    // As an implementation of the same definitions in another language gives them.
    for (name, kills, free, mean) in [
        ("vpa", 136.6, 92.19, 3.37),
        ("autopilot-max", 77.0, 96.03, 3.97),
        ("autopilot-p98", 526.1, 68.65, 3.45),
        ("krr", 198.7, 97.25, 4.84),
        ("p99x1.25", 247.8, 84.89, 3.43),
        ("crane", 252.8, 84.89, 3.36),
    ] {
        let got = of(name);
        for (got, known) in [(got.0, kills), (got.1, free), (got.2, mean)] {
            assert!((got - known).abs() <= 0.02 * known, "{name}: {got} is not {known}");
        }
    }
    // The most that is allowed of each: kills, memory, changes. The oracle and the one that never forgets buy fewer kills
    // with what no fleet has: the future, or half as much memory again.
    let (kills, free, mean) = of("oomph");
    let changes = all.iter().find(|it| it.name == "oomph").unwrap().changes_per_day.unwrap();
    assert!(kills <= 60.0 && mean <= 3.5 && changes <= 0.3 && free >= 96.4, "{kills} {mean} {changes} {free}");
    for name in ["vpa", "autopilot-max", "autopilot-p98", "krr", "p99x1.25", "crane"] {
        assert!(of(name).0 > kills, "{name} kills no more than ours");
    }
}
