//! One report of the OOM killer, put together from its lines.

use super::aligned::Ends;
use super::amount;
use super::date::Date;
use super::message::{Counter, Scope};
use super::table::{self, Column, Row};
use crate::cgroup_path::{self, CgroupNames};
use crate::fact::{Constraint, KernelKill, Level, LimitHit, MemoryLine, Task, Victim};
use crate::units::Bytes;

/// Rows kept of one table: more processes than a machine's pids have by default (32768) make no better story.
const MOST_ROWS: usize = 32_768;

/// A report takes seconds, on a slow console minutes; a line later than this is of another.
const LONGEST_REPORT: f64 = 300.0;

/// Is a line so many seconds after the last one of another report?
pub(super) fn is_late(gap: f64) -> bool {
    gap > LONGEST_REPORT
}

/// Where and when a line of the report was printed.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Seen {
    pub(super) line: usize,
    /// The node, by its place in the list of [`super::Log`].
    pub(super) node: Option<usize>,
    pub(super) boot: Option<String>,
    pub(super) date: Option<Date>,
    pub(super) uptime: Option<f64>,
}

impl Seen {
    /// Seconds from an earlier line to this one; `None` where the lines do not tell.
    pub(super) fn since(&self, earlier: &Self) -> Option<f64> {
        if let (Some(now), Some(then)) = (self.uptime, earlier.uptime) {
            return Some((now - then).abs());
        }
        let moment = |seen: &Self| seen.date.and_then(|date| date.moment(None)).map(|moment| moment.at);
        Some((moment(self)?.duration_since(moment(earlier)?).as_secs_f64()).abs())
    }

    pub(super) fn is_timed(&self) -> bool {
        self.date.is_some() || self.uptime.is_some()
    }

    /// Does the line tell its time to the microsecond?
    pub(super) fn is_precise(&self) -> bool {
        self.uptime.is_some() || self.date.is_some_and(|date| date.digits >= 6)
    }
}

/// A report, whole or as much as the text shows.
#[derive(Debug, Default)]
#[allow(clippy::struct_excessive_bools, reason = "what was seen and what was not, each by itself")]
pub(super) struct Report {
    pub(super) first: Seen,
    pub(super) last: Seen,
    /// Its first line was seen.
    pub(super) header: bool,
    /// Something behind the call trace was seen: limits, stats, table.
    pub(super) context: bool,
    /// The kernel gave up, or panicked.
    pub(super) ended: bool,
    /// Its victim was exiting already and got no signal; with a group, others may have.
    pub(super) skipped: bool,
    /// Only the reaper speaks of it.
    pub(super) reaper_only: bool,
    pub(super) sysrq: bool,
    pub(super) group: bool,
    pub(super) scope: Option<Scope>,
    pub(super) constraint: Option<Constraint>,
    pub(super) oom_memcg: Option<String>,
    pub(super) task_memcg: Option<String>,
    pub(super) trigger: Option<Task>,
    pub(super) memory: Option<MemoryLine>,
    pub(super) memory_swap: Option<MemoryLine>,
    pub(super) swap: Option<MemoryLine>,
    pub(super) kernel: Option<MemoryLine>,
    pub(super) stats: Vec<(String, Bytes)>,
    pub(super) stats_seen: bool,
    /// `key value` lines belong to the stats.
    pub(super) stats_open: bool,
    pub(super) columns: Option<Vec<Column>>,
    pub(super) rows: Vec<Row>,
    /// Where the cells of the last row end.
    ends: Ends,
    pub(super) ram_pages: Option<u64>,
    pub(super) reserved_pages: Option<u64>,
    pub(super) swap_kib: Option<u64>,
    /// `Kill process ... or sacrifice child`.
    pub(super) chosen: Option<Victim>,
    /// The `oom-kill:` line was seen, perhaps cut.
    pub(super) summarised: bool,
    /// The process in it.
    pub(super) summary: Option<Victim>,
    pub(super) victims: Vec<Victim>,
    /// When the first victim was killed, as far as lines tell.
    pub(super) killed: Option<Seen>,
    /// The lines to show: first, summary, first kill.
    pub(super) lines: Vec<(usize, String)>,
    summary_shown: bool,
    kill_shown: bool,
}

/// What a report was finished to.
pub(super) struct Finished {
    pub(super) kill: KernelKill,
    /// The line to speak of: of the kill, else the first.
    pub(super) when: Seen,
    pub(super) first: Seen,
    /// The report has a first line and, unless it ended without, a victim.
    pub(super) whole: bool,
}

impl Report {
    pub(super) fn new(seen: &Seen, text: &str) -> Self {
        Self { first: seen.clone(), last: seen.clone(), lines: vec![(seen.line, shown(text))], ..Self::default() }
    }

    /// Nothing but rows of a table: no evidence of a kill.
    pub(super) fn is_only_rows(&self) -> bool {
        let spoken = self.header
            || self.context
            || self.ended
            || self.sysrq
            || self.group
            || self.chosen.is_some()
            || self.summarised;
        !spoken && self.victims.is_empty()
    }

    /// May what stands before the kill still be added?
    pub(super) fn is_open(&self) -> bool {
        !self.ended && self.victims.is_empty()
    }

    /// Takes back the victim that was chosen.
    pub(super) fn skip(&mut self) {
        self.skipped = true;
        self.summary = None;
        self.chosen = None;
    }

    pub(super) fn has_pid(&self, pid: Option<u32>) -> bool {
        pid.is_some() && self.victims.iter().any(|victim| victim.pid == pid)
    }

    pub(super) fn show_summary(&mut self, seen: &Seen, text: &str) {
        if !std::mem::replace(&mut self.summary_shown, true) {
            self.show(seen, text);
        }
    }

    pub(super) fn show_kill(&mut self, seen: &Seen, text: &str) {
        if !std::mem::replace(&mut self.kill_shown, true) {
            self.show(seen, text);
        }
    }

    fn show(&mut self, seen: &Seen, text: &str) {
        if self.lines.iter().all(|(line, _)| *line != seen.line) {
            self.lines.push((seen.line, shown(text)));
        }
    }

    pub(super) fn set_amount(&mut self, counter: Counter, line: MemoryLine) {
        let place = match counter {
            Counter::Memory => &mut self.memory,
            Counter::MemorySwap => &mut self.memory_swap,
            Counter::Swap => &mut self.swap,
            Counter::Kernel => &mut self.kernel,
        };
        place.get_or_insert(line);
    }

    /// Is its table being printed?
    pub(super) fn is_in_table(&self) -> bool {
        self.columns.is_some() && self.is_open() && !self.summarised
    }

    /// Adds the row that `text` begins with, printed soon after the line last `seen`: its length with the end of the
    /// line. None: it needs a closer look.
    #[inline]
    pub(super) fn add_line(&mut self, seen: &mut Seen, uptime: Option<f64>, text: &str) -> Option<usize> {
        let late = match (seen.uptime, uptime) {
            (Some(last), Some(now)) => is_late((now - last).abs()),
            (last, now) => last.is_some() || now.is_some(),
        };
        if late || self.rows.len() >= MOST_ROWS {
            return None;
        }
        let (row, length) = self.ends.line(text, self.columns.as_deref().unwrap_or_default())?;
        self.rows.push(row);
        seen.uptime = uptime;
        Some(length)
    }

    /// Adds a row. False: it is none, or one too many.
    pub(super) fn add_row(&mut self, text: &str) -> bool {
        let columns = self.columns.as_deref().unwrap_or_default();
        if self.rows.len() >= MOST_ROWS {
            return false;
        }
        let Some(row) = table::row(text, columns) else { return false };
        self.rows.push(row);
        true
    }

    /// Adds a victim; one that is there already is not added again, and keeps the sizes of its first line.
    pub(super) fn add_victim(&mut self, seen: &Seen, victim: Victim) {
        self.killed.get_or_insert_with(|| seen.clone());
        match self.victims.iter_mut().find(|known| victim.pid.is_some() && known.pid == victim.pid) {
            Some(known) => {
                known.uid = known.uid.or(victim.uid);
                known.oom_score_adj = known.oom_score_adj.or(victim.oom_score_adj);
            }
            None => self.victims.push(victim),
        }
    }

    /// Closes the report: what one line left out is taken from the others.
    pub(super) fn finish(mut self) -> Finished {
        let only_named = self.victims.is_empty() && !self.ended;
        if only_named && let Some(victim) = self.summary.clone().or_else(|| self.chosen.clone()) {
            self.victims.push(victim);
        } else if only_named && self.group {
            // Every process of the cgroup was killed; none of their lines is here.
            self.victims.push(Victim::default());
        }
        self.complete_victims();
        let constraint = self.meaning();
        let task = self.task_memcg.as_deref().map(cgroup_path::cgroup_names);
        let limit = self.oom_memcg.as_deref().map(cgroup_path::cgroup_names);
        let level = match constraint {
            Some(Constraint::Memcg) => limit.as_ref().map(|limit| level(limit, task.as_ref())),
            Some(Constraint::None) => Some(Level::Node),
            Some(Constraint::Cpuset) => Some(Level::Cpuset),
            Some(Constraint::Mempolicy) => Some(Level::Mempolicy),
            None => None,
        };
        let page_kib = table::page_kib(&self.rows, &self.victims);
        let total = self.total(constraint, page_kib);
        let candidates = std::mem::take(&mut self.rows).into_iter().map(|row| row.candidate(page_kib)).collect();
        let whole = (self.header || self.sysrq) && (self.ended || self.skipped || !self.victims.is_empty());
        let names = task.or(limit);
        let when = self
            .killed
            .take()
            .filter(Seen::is_timed)
            .unwrap_or_else(|| if self.last.is_timed() { self.last.clone() } else { self.first.clone() });
        let kill = KernelKill {
            boot_id: self.first.boot.clone(),
            uptime_seconds: when.uptime,
            constraint,
            oom_memcg: self.oom_memcg,
            task_memcg: self.task_memcg,
            level,
            trigger: self.trigger,
            memory: self.memory,
            swap: self.memory_swap.or(self.swap),
            kmem: self.kernel,
            limit_hit: limit_hit(self.memory, self.memory_swap, self.swap, self.kernel),
            stats: self.stats,
            group: self.group,
            sysrq: self.sysrq,
            pod_uid: names.as_ref().and_then(|names| names.pod_uid.clone()),
            container_id: names.as_ref().and_then(|names| names.container_id.clone()),
            runtime: names.as_ref().and_then(|names| names.runtime).map(str::to_owned),
            qos: names.as_ref().and_then(|names| names.qos),
            victims: self.victims,
            candidates,
            total,
            ..KernelKill::default()
        };
        Finished { kill, when, first: self.first, whole }
    }

    /// Sizes and names come from the kill line, uid and adj else from the summary, else from the victim's own row;
    /// never from the trigger's.
    fn complete_victims(&mut self) {
        for victim in &mut self.victims {
            if let Some(summary) = self.summary.as_ref().filter(|summary| summary.pid == victim.pid) {
                victim.uid = victim.uid.or(summary.uid);
                victim.comm = victim.comm.take().or_else(|| summary.comm.clone());
            }
            if let Some(row) = self.rows.iter().find(|row| Some(row.tgid) == victim.pid) {
                victim.uid = victim.uid.or(Some(row.uid));
                victim.oom_score_adj = victim.oom_score_adj.or(Some(row.adj));
                victim.comm = victim.comm.take().or_else(|| Some(row.name.to_string()).filter(|name| !name.is_empty()));
            }
        }
    }

    /// What ran out, from all lines together.
    fn meaning(&self) -> Option<Constraint> {
        let limits = self.memory.is_some() || self.stats_seen || self.oom_memcg.is_some();
        match self.constraint {
            Some(constraint) => Some(constraint),
            None if limits || self.scope == Some(Scope::Memcg) => Some(Constraint::Memcg),
            None if self.sysrq || self.scope == Some(Scope::Global) => Some(Constraint::None),
            None => None,
        }
    }

    /// What the scores are relative to (`oc->totalpages`): the limit with the swap it leaves, or the node's RAM with
    /// its swap. The swap of the node is not in a memory cgroup's report: without it only a cgroup that may not swap
    /// at all has a known total.
    fn total(&self, constraint: Option<Constraint>, page_kib: u64) -> Option<Bytes> {
        match constraint? {
            Constraint::Memcg => {
                let limit = self.memory?.limit?;
                let of_swap = |line: Option<MemoryLine>| line.and_then(|line| line.limit);
                let no_swap = of_swap(self.swap) == Some(Bytes(0))
                    || of_swap(self.memory_swap) == Some(limit)
                    || self.swap_kib == Some(0);
                no_swap.then_some(limit)
            }
            Constraint::None => {
                let pages = self.ram_pages?.checked_sub(self.reserved_pages?)?;
                Some(Bytes::kib(pages.saturating_mul(page_kib).saturating_add(self.swap_kib?)))
            }
            Constraint::Cpuset | Constraint::Mempolicy => None,
        }
    }
}

/// Version 1 counts memory and swap together; version 2 apart: there both have to be full.
fn limit_hit(
    memory: Option<MemoryLine>,
    memory_swap: Option<MemoryLine>,
    swap: Option<MemoryLine>,
    kernel: Option<MemoryLine>,
) -> Option<LimitHit> {
    let hit = amount::limit_hit(memory, memory_swap, kernel)?;
    let swap_full = swap.is_some_and(|swap| swap.limit > Some(Bytes(0)) && swap.usage >= swap.limit);
    Some(if hit == LimitHit::Memory && swap_full { LimitHit::MemorySwap } else { hit })
}

/// The level of the limit. A container's that holds a whole Kubernetes node (kind, minikube) is no pod's container.
fn level(limit: &CgroupNames, task: Option<&CgroupNames>) -> Level {
    let holds_node = limit.level == Level::Container
        && limit.pod_uid.is_none()
        && task.is_some_and(|task| task.pod_uid.is_some() && task.container_id != limit.container_id);
    if holds_node { Level::Other } else { limit.level }
}

/// A line as evidence shows it.
pub(super) fn shown(text: &str) -> String {
    /// Letters.
    const LONGEST: usize = 300;
    let text = text.trim_ascii();
    if text.len() <= LONGEST {
        return text.to_owned();
    }
    if text.as_bytes()[..=LONGEST].is_ascii() {
        return text[..LONGEST].to_owned();
    }
    let end = text.char_indices().nth(LONGEST).map_or(text.len(), |(at, _)| at);
    text[..end].to_owned()
}
