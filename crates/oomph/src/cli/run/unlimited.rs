//! `--watch-only`: no cgroup, no limit; the memory of the command's processes, summed.

use std::collections::{HashMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use jiff::Timestamp;
use oomph_core::process::{Status, status};
use oomph_core::recording::{End, Line, Run as Header, Sample};
use oomph_core::units::Bytes;

use super::command::{Ran, name, not_started};
use super::signals;
use super::watch::thin;
use crate::ui::Ui;

const INTERVAL: Duration = Duration::from_millis(100);

pub(super) fn run(arguments: &[OsString], ui: Ui) -> Result<Ran> {
    let (program, rest) = arguments.split_first().context("no command")?;
    let started_at = Timestamp::now();
    let signals = signals::catch();
    let mut child = match Command::new(program).args(rest).spawn() {
        Ok(child) => child,
        Err(error) => {
            let end = not_started(program.as_ref(), &error, ui)?;
            return Ok(Ran::Recorded(Line::Run(header(program, started_at, 0)).written() + &Line::End(end).written()));
        }
    };
    signals.begin(child.id());
    let began = Instant::now();
    let mut samples = Vec::new();
    let status = loop {
        samples.push(sample(child.id(), began));
        thin(&mut samples);
        if let Some(status) = child.try_wait().context("cannot wait for the command")? {
            break status;
        }
        std::thread::sleep(INTERVAL);
    };
    let received = signals.end();
    let header = header(program, started_at, child.id());
    let end =
        End { at: Timestamp::now(), exit_code: status.code(), signal: status.signal(), received, ..End::default() };
    let lines = samples.into_iter().map(Line::Sample);
    let recording = std::iter::once(Line::Run(header)).chain(lines).chain([Line::End(end)]);
    Ok(Ran::Recorded(recording.map(|line| line.written()).collect()))
}

fn header(program: &OsStr, started_at: Timestamp, pid: u32) -> Header {
    Header {
        id: format!("{pid:016x}"),
        cgroup: String::new(),
        cgroup_version: 2,
        node: oomph_node::hostname(),
        booted_at: None,
        command: name(program.as_ref()),
        started_at,
        limit_bytes: None,
        swap_bytes: None,
    }
}

/// The resident memory of a process and all that it started: shared pages count once per process.
fn sample(root: u32, began: Instant) -> Sample {
    let all = processes();
    let mut ours = HashSet::from([root]);
    // A parent may have a higher pid than its child: go round until nothing is added.
    loop {
        let before = ours.len();
        ours.extend(
            all.iter()
                .filter(|(_, it)| it.parent.is_some_and(|it| ours.contains(&it)))
                .map(|(pid, _)| *pid)
                .collect::<Vec<_>>(),
        );
        if ours.len() == before {
            break;
        }
    }
    let sum = |of: fn(&Status) -> Option<Bytes>| {
        Bytes(ours.iter().filter_map(|pid| of(all.get(pid)?)).map(|bytes| bytes.0).sum())
    };
    let (anon, shmem) = (sum(|it| it.resident_anon), sum(|it| it.resident_shmem));
    Sample {
        at: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
        usage: sum(|it| it.resident),
        anon,
        file: Bytes(sum(|it| it.resident_file).0 + shmem.0),
        shmem,
        kernel: sum(|it| it.page_tables),
        unreclaimable: Bytes(anon.0 + shmem.0),
    }
}

fn processes() -> HashMap<u32, Status> {
    let pids = fs::read_dir("/proc").into_iter().flatten().flatten();
    pids.filter_map(|entry| {
        let pid = entry.file_name().to_str()?.parse().ok()?;
        Some((pid, status(&fs::read_to_string(entry.path().join("status")).ok()?)))
    })
    .collect()
}
