//! The command itself: started in its cgroup, sampled until it ends, and then asked about.

use std::io::{self, ErrorKind};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};
use jiff::Timestamp;
use oomph_core::recording::{End, Line, Run as Header, telling};
use oomph_core::waterfall::Version;
use oomph_node::hierarchy::{self, Hierarchy};
use oomph_node::kmsg::Ring;
use oomph_node::process::{ended_before_exec, offer_first, spare_ourselves};
use oomph_node::scope::{Limits, NoScope, Scope, last};

use super::leftovers::Leftovers;
use super::stderr::Tail;
use super::watch::Watch;
use super::{Run, Size, signals, user_scope};
use crate::ui::Ui;

/// What became of the attempt.
pub(super) enum Ran {
    /// It ran and ended; the recording.
    Recorded(String),
    /// It was run by an oomph in a cgroup of systemd's, which left with this code and has told everything.
    Elsewhere(u8),
}

pub(super) fn run(arguments: &Run, ui: Ui) -> Result<Ran> {
    let Some(hierarchy) = hierarchy::find() else {
        bail!("no cgroup hierarchy with the memory controller is mounted here; try --watch-only");
    };
    let limits =
        Limits { memory: arguments.memory.map(|Size(bytes)| bytes), swap: arguments.swap.map(|Size(bytes)| bytes) };
    let id = id();
    let scope = match Scope::create(&hierarchy, &id, limits) {
        Ok(scope) => scope,
        Err(error @ NoScope::Nowhere { .. }) => match user_scope::enter(ui) {
            Some(code) => return Ok(Ran::Elsewhere(code)),
            None => bail!(
                "{error}; run as root, in a cgroup that is delegated to you (systemd-run --user --scope -p Delegate=yes), \
                 or with --watch-only"
            ),
        },
        Err(error) => return Err(error.into()),
    };
    let mut leftovers = Leftovers::watch(&scope.folder).context("cannot start what cleans up behind the command")?;
    let ran = in_scope(arguments, &hierarchy, &scope, limits, id, ui);
    leftovers.clear();
    ran
}

/// Hexadecimal digits that no other run has: the time and the pid.
fn id() -> String {
    let now = Timestamp::now().as_nanosecond().unsigned_abs() & u128::from(u64::MAX);
    format!("{now:016x}{:08x}", std::process::id())
}

fn in_scope(arguments: &Run, hierarchy: &Hierarchy, scope: &Scope, limits: Limits, id: String, ui: Ui) -> Result<Ran> {
    let (program, rest) = arguments.command.split_first().context("no command")?;
    let mut ring = Ring::open().ok();
    if let Some(ring) = &mut ring {
        // What was said before is of others.
        let _ = ring.read(&mut Vec::new());
    }
    let started_at = Timestamp::now();
    let mut recording = Line::Run(Header {
        id,
        cgroup: scope.path.clone(),
        cgroup_version: if hierarchy.version == Version::V1 { 1 } else { 2 },
        node: oomph_node::hostname(),
        booted_at: oomph_node::clock::log_zero(started_at),
        command: name(program.as_ref()),
        started_at,
        limit_bytes: limits.memory,
        swap_bytes: limits.memory.map(|_| limits.swap.unwrap_or_default()),
    })
    .written();

    let mut command = Command::new(program);
    command.args(rest);
    Tail::prepare(&mut command);
    scope.admit(&mut command).with_context(|| format!("cannot enter {}", scope.folder.display()))?;
    let signals = signals::catch();
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => {
            let end = not_started(program.as_ref(), &error, ui)?;
            return Ok(Ran::Recorded(recording + &Line::End(end).written()));
        }
    };
    signals.begin(child.id());
    if !spare_ourselves() {
        offer_first(child.id());
    }
    let before_exec = ended_before_exec(child.id());
    let tail = Tail::follow(&mut child);
    let mut watch = Watch::new(hierarchy, scope, limits.memory, ui);
    let status = watch.until_end(&mut child)?;
    let received = signals.end();
    let at = Timestamp::now();
    let left_running = Some(oomph_node::scope::processes(&scope.folder));
    let said = telling(&tail.end());

    watch.samples.iter().for_each(|sample| recording.push_str(&Line::Sample(*sample).written()));
    if let Some(peak) = watch.peak.take() {
        recording.push_str(&Line::Waterfall(Box::new(peak)).written());
    }
    recording.push_str(&Line::Counters(last::counters(&scope.folder)).written());
    if let Some(log) = last::kernel_log(ring, &scope.folder) {
        recording.push_str(&Line::KernelLog(log).written());
    }
    if !said.is_empty() {
        recording.push_str(&Line::Log(said).written());
    }
    let end = End {
        at,
        exit_code: status.code(),
        signal: status.signal(),
        peak_bytes: last::peak(&scope.folder),
        before_exec,
        received,
        left_running,
        ..End::default()
    };
    recording.push_str(&Line::End(end).written());
    Ok(Ran::Recorded(recording))
}

pub(super) fn name(program: &Path) -> String {
    program.file_name().unwrap_or(program.as_os_str()).to_string_lossy().into_owned()
}

/// The end of what never began: 126 or 127, as a shell says.
pub(super) fn not_started(program: &Path, error: &io::Error, ui: Ui) -> Result<End> {
    ui.error(format_args!("cannot run {}: {error}", program.display()));
    let code = match error.kind() {
        ErrorKind::NotFound => 127,
        ErrorKind::PermissionDenied | ErrorKind::InvalidInput => 126,
        _ if error.raw_os_error() == Some(rustix::io::Errno::NOEXEC.raw_os_error()) => 126,
        _ => bail!("the system refused to start it"),
    };
    // As runtimes write it, in lower case.
    let because = error.to_string().to_lowercase();
    let not_started = Some(format!("cannot run {}: {because}", name(program)));
    Ok(End { at: Timestamp::now(), exit_code: Some(code), not_started, ..End::default() })
}
