//! The command itself: started in its cgroup, sampled until it ends, and then asked about.

use std::fmt::Write as _;
use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use jiff::Timestamp;
use oomph_core::recording::{End, Line, Run as Header, Sample, telling};
use oomph_core::units::Bytes;
use oomph_core::waterfall::{Subject, Version, Waterfall};
use oomph_node::clock::processor_time;
use oomph_node::hierarchy::{self, Hierarchy};
use oomph_node::kmsg::Ring;
use oomph_node::sampler::{Sampler, Triggers};
use oomph_node::scope::{Limits, NoScope, Scope};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, pidfd_open};

use super::leftovers::Leftovers;
use super::live::Live;
use super::stderr::Tail;
use super::{Run, Size, signals, user_scope};
use crate::ui::Ui;

/// What became of the attempt.
pub(super) enum Ran {
    /// It ran and ended; the recording.
    Recorded(String),
    /// It was run by an oomph in a cgroup of systemd's, which left with this code and has told everything.
    Elsewhere(u8),
}

/// Samples kept; a longer run keeps every second one, the larger of two.
const SAMPLES_MAX: usize = 36_000;

/// The kernel's report of a kill comes within this time of the kill.
const REPORT: Duration = Duration::from_millis(400);

/// The kernel log that is kept in a recording.
const LOG_MAX: usize = 1 << 20;

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
        offer(child.id());
    }
    let before_exec = is_still_ours(child.id());
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
    recording.push_str(&Line::Counters(counters(&scope.folder)).written());
    if let Some(log) = kernel_log(ring, &scope.folder) {
        recording.push_str(&Line::KernelLog(log).written());
    }
    if !said.is_empty() {
        recording.push_str(&Line::Log(said).written());
    }
    let peak_bytes = ["memory.peak", "memory.max_usage_in_bytes"]
        .iter()
        .find_map(|name| fs::read_to_string(scope.folder.join(name)).ok()?.trim().parse().ok().map(Bytes));
    let end = End {
        at,
        exit_code: status.code(),
        signal: status.signal(),
        peak_bytes,
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

/// Whether a child was killed before it became the program. `spawn` returns when exec was done or the child is gone, and
/// takes the one for the other; a child that is gone and was not waited for still has its name, and exec gives a new one.
fn is_still_ours(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let own = fs::read_to_string("/proc/thread-self/comm").unwrap_or_default();
    let Some((named, rest)) = stat.rsplit_once(')') else { return false };
    let comm = named.split_once('(').map(|(_, comm)| comm);
    let mut fields = rest.split_whitespace();
    let is_zombie = fields.next() == Some("Z");
    let is_exiting =
        fields.nth(5).and_then(|flags| flags.parse::<u32>().ok()).is_some_and(|flags| flags & EXITING != 0);
    comm == Some(own.trim_end_matches('\n')) && (is_zombie || is_exiting)
}

/// The flag of a process that ends (`PF_EXITING`, include/linux/sched.h, v6.18): its files are closed before it is a zombie.
const EXITING: u32 = 0x4;

/// A limit above may be ours as well as the command's, and whoever is to tell of a kill must not be its victim. To be done
/// once the command is started, which would inherit it. False where it is not allowed: it takes `CAP_SYS_RESOURCE`.
pub(super) fn spare_ourselves() -> bool {
    fs::write("/proc/self/oom_score_adj", "-1000").is_ok()
}

/// The same by the other end: the command is killed before oomph, whose program counts as much as a small limit. Among the
/// command's own processes nothing changes.
fn offer(pid: u32) {
    let _ = fs::write(format!("/proc/{pid}/oom_score_adj"), "1000");
}

/// A running command, looked at.
struct Watch<'a> {
    hierarchy: &'a Hierarchy,
    scope: &'a Scope,
    limit: Option<Bytes>,
    sampler: Sampler,
    triggers: Triggers,
    samples: Vec<Sample>,
    peak: Option<Waterfall>,
    live: Live,
    /// `memory.high` is in force.
    slowed: bool,
}

impl<'a> Watch<'a> {
    fn new(hierarchy: &'a Hierarchy, scope: &'a Scope, limit: Option<Bytes>, ui: Ui) -> Self {
        let high = limit.map(|limit| Bytes(limit.0 / 20 * 19));
        scope.slow_above(high);
        Self {
            hierarchy,
            scope,
            limit,
            sampler: Sampler::new(hierarchy.version, scope.folder.clone(), limit),
            triggers: Triggers::default(),
            samples: Vec::new(),
            peak: None,
            live: Live::new(limit, ui),
            slowed: high.is_some(),
        }
    }

    /// Samples until the command's own process ends.
    fn until_end(&mut self, child: &mut Child) -> Result<ExitStatus> {
        let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw).context("the child has no pid")?;
        let pidfd = pidfd_open(pid, PidfdFlags::empty());
        loop {
            let sample = self.sampler.sample();
            if let Some(sample) = sample {
                self.take(sample);
            }
            if let Some(status) = child.try_wait().context("cannot wait for the command")? {
                self.live.end();
                return Ok(status);
            }
            let pause = sample.map_or(Duration::from_millis(10), |sample| self.sampler.pause(&sample));
            match &pidfd {
                Ok(pidfd) => {
                    let timeout = Timespec::try_from(pause).unwrap_or(Timespec { tv_sec: 0, tv_nsec: 10_000_000 });
                    let _ = poll(&mut [PollFd::new(pidfd, PollFlags::IN)], Some(&timeout));
                }
                Err(_) => std::thread::sleep(pause),
            }
        }
    }

    fn take(&mut self, sample: Sample) {
        self.live.show(&sample);
        self.samples.push(sample);
        thin(&mut self.samples);
        let near = self.limit.is_some_and(|limit| sample.usage.0 >= limit.0 / 100 * 94);
        if self.triggers.is_due(&sample) || (self.slowed && near) {
            self.look();
        }
        if self.slowed && near {
            // It has been looked at this close to the limit: from here on nothing holds it back.
            self.scope.slow_above(None);
            self.slowed = false;
        }
    }

    /// The waterfall now; the one with the most out of the kernel's reach is kept, but none whose runtimes could not be
    /// read (the process was on its way out) in place of one whose could.
    fn look(&mut self) {
        let began = processor_time();
        // Once: a command that grows is looked at again before long. What was freed meanwhile is in no part: again.
        let glance = || oomph_node::inspect::glance(self.hierarchy, &self.scope.path, &Subject::default());
        let first = glance();
        let waterfall = if is_of_one_moment(&first) { first } else { glance() };
        self.triggers.looked(waterfall.unreclaimable_bytes, processor_time().saturating_sub(began));
        let better = self.peak.as_ref().is_none_or(|peak| worth(&waterfall) >= worth(peak));
        if !waterfall.processes.is_empty() && better {
            self.peak = Some(waterfall);
        }
    }
}

/// What a waterfall tells: whether it fits together, runtimes that were read, then how much memory it is of.
fn worth(waterfall: &Waterfall) -> (bool, usize, Bytes) {
    let read = waterfall.processes.iter().filter(|process| process.runtime.resolved).count();
    (is_of_one_moment(waterfall), read, waterfall.unreclaimable_bytes)
}

/// Whether charge and parts are of the same moment, as far as their sums tell: all but an eighth has a place. The stock
/// of pages that every processor holds is some megabytes of a small cgroup.
fn is_of_one_moment(waterfall: &Waterfall) -> bool {
    waterfall.unexplained_bytes.unsigned_abs() <= (waterfall.charged_bytes.0 / 8).max(4 << 20)
}

/// Halves a long history, keeping the larger of two neighbours: peaks are what counts.
pub(super) fn thin(samples: &mut Vec<Sample>) {
    if samples.len() >= SAMPLES_MAX {
        let larger = |two: &[Sample]| two.iter().copied().max_by_key(|sample| sample.unreclaimable);
        *samples = samples.chunks(2).filter_map(larger).collect();
    }
}

/// The cgroup's files at the end, as `tail -n +1 memory.*` prints them.
fn counters(folder: &Path) -> String {
    let names = [
        "memory.events",
        "memory.events.local",
        "memory.oom_control",
        "memory.failcnt",
        "memory.current",
        "memory.max",
        "memory.usage_in_bytes",
        "memory.limit_in_bytes",
    ];
    let mut text = String::new();
    for name in names {
        if let Ok(content) = fs::read_to_string(folder.join(name)) {
            let _ = writeln!(text, "==> {name} <==\n{content}");
        }
    }
    text
}

/// What the kernel has said since the command was started. Where its ring may not be followed, all that can be had of
/// it, and only when something was killed.
fn kernel_log(ring: Option<Ring>, folder: &Path) -> Option<String> {
    let killed = ["memory.events", "memory.oom_control"].iter().any(|name| {
        let text = fs::read_to_string(folder.join(name)).unwrap_or_default();
        text.lines().any(|line| line.strip_prefix("oom_kill ").is_some_and(|count| count.trim() != "0"))
    });
    let bytes = match ring {
        Some(mut ring) => {
            let timeout = if killed { REPORT } else { Duration::ZERO };
            let mut bytes = Vec::new();
            let _ = ring.read(&mut bytes);
            bytes.extend(ring.next_burst(timeout).unwrap_or_default());
            bytes
        }
        None if killed => oomph_node::kernel_log(Timestamp::now()).artifacts.into_iter().next()?.bytes,
        None => return None,
    };
    let from = bytes.len().saturating_sub(LOG_MAX);
    (!bytes.is_empty()).then(|| String::from_utf8_lossy(&bytes[from..]).into_owned())
}
