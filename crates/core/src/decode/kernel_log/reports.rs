//! Which line belongs to which report.
//!
//! The kernel holds a lock while it reports (`oom_lock`), so that the lines of one node follow each other; lines of
//! other nodes, of other programs, and missing lines stand between. A line that a report has already had, or that
//! comes before what it has, begins the next one.

use std::collections::{HashMap, HashSet};

use super::message::{Counter, Message, Ram, Scope};
use super::report::{Report, Seen, is_late};
use crate::fact::{Constraint, Task, Victim};

/// Kills of one group follow each other at once. Two kills without a first line between them that are closer than
/// this are one group's, for the next kill waits until the reaper has been at the first.
const GROUP_GAP: f64 = 0.001;

/// Reaper's lines closer than this are of one storm.
const STORM_GAP: f64 = 1.0;

/// Reports that a line may still speak of, or that may have been printed twice.
const RECENT: usize = 256;

/// The reports of a log, in the order of their first lines.
#[derive(Debug, Default)]
pub(super) struct Reports {
    pub(super) all: Vec<Report>,
    /// The latest report of each node.
    latest: Vec<(Option<usize>, usize)>,
    /// The report that the last line belonged to.
    current: Option<usize>,
}

impl Reports {
    /// The report that lines of this node are being added to.
    fn current(&mut self, seen: &Seen) -> Option<&mut Report> {
        let index = match &seen.node {
            None => self.current?,
            Some(_) => self.latest.iter().find(|(node, _)| *node == seen.node).map(|(_, index)| *index)?,
        };
        self.current = Some(index);
        let report = self.all.get_mut(index)?;
        let at_once = seen.uptime == report.last.uptime && seen.date == report.last.date;
        let late = !at_once && seen.since(&report.last).is_some_and(is_late);
        (!late).then_some(report)
    }

    fn begin(&mut self, seen: &Seen, text: &str) -> &mut Report {
        let index = self.all.len();
        self.all.push(Report::new(seen, text));
        match self.latest.iter_mut().find(|(node, _)| *node == seen.node) {
            Some((_, latest)) => *latest = index,
            None => self.latest.push((seen.node, index)),
        }
        self.current = Some(index);
        &mut self.all[index]
    }

    /// The current report if `fits`, else a new one.
    fn fitting(&mut self, seen: &Seen, text: &str, fits: impl Fn(&Report) -> bool) -> &mut Report {
        if self.current(seen).is_some_and(|report| fits(report))
            && let Some(index) = self.current
        {
            let report = &mut self.all[index];
            report.last = seen.clone();
            return report;
        }
        self.begin(seen, text)
    }

    /// Is a report open, so that lines without any telling word may belong to it?
    pub(super) fn is_open(&self) -> bool {
        self.current.is_some_and(|index| self.all[index].is_open())
    }

    /// The first line of the last report of this node that the rate limit of reports let through. Those without a victim
    /// are not limited.
    pub(super) fn last_limited(&self, node: Option<usize>) -> Option<&Seen> {
        let limited = |report: &&Report| report.header && !report.ended && report.first.node == node;
        self.all.iter().rev().find(limited).map(|report| &report.first)
    }

    /// Is a table being printed, by whatever node?
    pub(super) fn is_in_table(&self) -> bool {
        self.current.and_then(|index| self.all.get(index)).is_some_and(Report::is_in_table)
    }

    /// The report whose table this node is printing.
    pub(super) fn in_table(&mut self, seen: &Seen) -> Option<&mut Report> {
        self.current(seen).filter(|report| report.is_in_table())
    }

    /// The report whose stats this node is printing.
    pub(super) fn in_stats(&mut self, seen: &Seen) -> Option<&mut Report> {
        self.current(seen).filter(|report| report.stats_open && report.is_open())
    }

    /// Adds a line. False: it belongs to no report.
    pub(super) fn take(&mut self, seen: &Seen, text: &str, message: Message<'_>) -> bool {
        match message {
            Message::Invoked { comm, sysrq } => {
                let report = self.fitting(seen, text, |report| report.sysrq && !report.header && report.is_open());
                report.header = true;
                report.sysrq |= sysrq;
                report.trigger = Some(Task { pid: None, comm: Some(comm.to_owned()) });
            }
            Message::SysRq => {
                let report = self.begin(seen, text);
                report.sysrq = true;
            }
            Message::Cpu { pid, comm } => return self.trigger_pid(seen, pid, comm),
            Message::SysRqWorker => return self.in_header(seen, |report| report.sysrq = true),
            Message::MemcgFrame => return self.in_header(seen, |report| report.scope = Some(Scope::Memcg)),
            Message::TaskIn { task, limit } => {
                let report = self.fitting(seen, text, |report| {
                    let same = report.oom_memcg == limit && report.task_memcg == task;
                    report.is_open() && !report.summarised && (same || (!report.context && report.oom_memcg.is_none()))
                });
                report.context = true;
                report.scope = Some(Scope::Memcg);
                report.task_memcg = task;
                report.oom_memcg = limit;
                report.show_summary(seen, text);
            }
            Message::Amount(counter, line) => {
                let report = self.fitting(seen, text, |report| {
                    let new = counter != Counter::Memory || report.memory.is_none_or(|known| known == line);
                    report.is_open() && !report.summarised && report.columns.is_none() && new
                });
                report.context = true;
                report.scope = Some(Scope::Memcg);
                report.set_amount(counter, line);
            }
            Message::Stats { path, pairs } => {
                let report = self
                    .fitting(seen, text, |report| report.is_open() && !report.summarised && report.columns.is_none());
                report.context = true;
                report.scope = Some(Scope::Memcg);
                // Version 1 prints the stats of every cgroup below, too; the first are of the limit's own.
                report.stats_open = !std::mem::replace(&mut report.stats_seen, true);
                if report.stats_open {
                    let of_stats = super::summary::path(path);
                    let said = report.oom_memcg.take();
                    let more =
                        said.as_deref().zip(of_stats.as_deref()).and_then(|(path, whole)| whole.strip_prefix(path));
                    report.oom_memcg = match more {
                        // Cut at a name's end, or of a cgroup above whose own stats are missing: nothing tells which.
                        Some(more) if more.starts_with('/') => None,
                        // Cut within a name, at the end of its line.
                        Some(_) => of_stats,
                        None => said.or(of_stats),
                    };
                    super::amount::stats(pairs, &mut report.stats);
                }
            }
            Message::StatPairs(pairs) => {
                let Some(report) = self.in_stats(seen) else { return false };
                super::amount::stats(pairs, &mut report.stats);
            }
            Message::Ram(what, count) => {
                return self.in_header(seen, |report| {
                    let place = match what {
                        Ram::Pages => &mut report.ram_pages,
                        Ram::ReservedPages => &mut report.reserved_pages,
                        Ram::SwapKib => &mut report.swap_kib,
                    };
                    place.get_or_insert(count);
                });
            }
            Message::Columns(columns) => {
                // A table is about as long as the one before.
                let likely = self.all.iter().rev().take(2).map(|report| report.rows.len()).max();
                let report = self.fitting(seen, text, |report| {
                    report.is_open()
                        && !report.summarised
                        && report.columns.as_ref().is_none_or(|known| *known == columns)
                        && report.chosen.is_none()
                });
                report.context = true;
                report.stats_open = false;
                report.columns = Some(columns);
                report.rows.reserve(likely.unwrap_or_default());
            }
            Message::Row => {
                let report = self.fitting(seen, text, |report| report.is_open() && !report.summarised);
                report.add_row(text);
            }
            Message::Summary(summary) => {
                let report = self.fitting(seen, text, |report| {
                    let late = report.has_pid(summary.pid) && !report.header;
                    let next = !report.summarised && (report.is_open() || late);
                    !report.ended && (next || report.repeats(seen, &summary))
                });
                report.take_summary(summary);
                report.context = true;
                report.show_summary(seen, text);
            }
            Message::Chosen { scope, victim } => {
                if victim == Victim::default() {
                    return false;
                }
                let report = self.fitting(seen, text, |report| {
                    report.is_open() && report.chosen.is_none() && fits_scope(report, scope)
                });
                report.scope = Some(scope).filter(|scope| *scope != Scope::Unknown).or(report.scope);
                report.chosen = Some(victim);
            }
            Message::Killed { scope, victim } => {
                if victim.pid.is_none() && victim.comm.is_none() {
                    return false;
                }
                self.kill(seen, text, scope, victim);
            }
            Message::SharesMemory(victim) => {
                let report = self.fitting(seen, text, |report| !report.ended);
                report.add_victim(seen, victim);
                report.show_kill(seen, text);
            }
            Message::Skipped(victim) => {
                let Some(report) = self.current(seen).filter(|report| report.is_open()) else { return false };
                let is_other = |named: &Option<Victim>| named.as_ref().is_some_and(|named| named.pid != victim.pid);
                if is_other(&report.summary) || is_other(&report.chosen) {
                    return false;
                }
                report.skip();
                report.last = seen.clone();
                report.show_kill(seen, text);
            }
            Message::Reaped(victim) => self.reaped(seen, text, victim),
            Message::Group(path) => {
                let report = self.fitting(seen, text, |report| !report.ended && !report.group);
                report.group = true;
                report.task_memcg = report.task_memcg.take().or_else(|| super::summary::path(path));
            }
            Message::NoVictim { .. } => {
                let report = self.fitting(seen, text, Report::is_open);
                report.ended = true;
            }
        }
        true
    }

    /// Changes a report that is still between its first line and its limits or table.
    fn in_header(&mut self, seen: &Seen, change: impl FnOnce(&mut Report)) -> bool {
        let Some(report) = self.current(seen).filter(|report| report.header && report.is_open()) else { return false };
        change(report);
        true
    }

    /// The pid stands in the line after the first one. Lines of another report or trace name another process.
    fn trigger_pid(&mut self, seen: &Seen, pid: Option<u32>, comm: &str) -> bool {
        let Some(report) = self.current(seen).filter(|report| !report.context && report.victims.is_empty()) else {
            return false;
        };
        match &mut report.trigger {
            Some(trigger) if report.header => {
                let same = trigger.comm.as_deref().is_some_and(|name| {
                    comm.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
                });
                if !same || trigger.pid.is_some() {
                    return false;
                }
                trigger.pid = pid;
            }
            // `panic_on_oom` prints no first line: the worker of SysRq-f is named by the panic's.
            None if report.sysrq => {
                let end = [" Not tainted", " Tainted:", " Kdump:"].iter().filter_map(|next| comm.find(next)).min();
                let name = comm[..end.unwrap_or(comm.len())].trim_ascii();
                report.trigger = Some(Task { pid, comm: Some(name.to_owned()) });
            }
            _ => return false,
        }
        true
    }

    fn kill(&mut self, seen: &Seen, text: &str, scope: Scope, victim: Victim) {
        let report = self.fitting(seen, text, |report| {
            let gap = seen.since(&report.last);
            let other_victims = !report.skipped || report.group;
            if report.ended || !other_victims || !fits_scope(report, scope) {
                return false;
            }
            if report.is_open() {
                // A kill of another process than the summary's, with nothing between: lines are missing.
                let other =
                    report.summary.as_ref().and_then(|summary| summary.pid).is_some_and(|pid| Some(pid) != victim.pid);
                return !other || report.chosen.is_some() || report.group;
            }
            let at_once = gap.is_some_and(|gap| gap <= GROUP_GAP)
                && seen.is_precise()
                && report.last.is_precise()
                && report
                    .victims
                    .last()
                    .is_some_and(|last| victim.oom_score_adj.is_some() && last.oom_score_adj == victim.oom_score_adj);
            report.has_pid(victim.pid) || report.group || at_once
        });
        if scope != Scope::Unknown {
            report.scope = Some(scope);
        }
        report.add_victim(seen, victim);
        report.show_kill(seen, text);
    }

    /// The reaper speaks of processes that were killed before. One of which nothing else was said is a victim, too.
    fn reaped(&mut self, seen: &Seen, text: &str, victim: Victim) {
        if victim.pid.is_none() {
            return;
        }
        let known = self.all.iter().rev().take(RECENT).any(|report| {
            let named = |other: &Option<Victim>| other.as_ref().is_some_and(|other| other.pid == victim.pid);
            report.has_pid(victim.pid) || named(&report.summary) || named(&report.chosen)
        });
        if known {
            return;
        }
        let report = self.fitting(seen, text, |report| {
            let unnamed = report.is_open() && report.summary.is_none() && report.chosen.is_none();
            let storm = report.reaper_only && seen.since(&report.last).is_none_or(|gap| gap <= STORM_GAP);
            (unnamed && !report.is_only_rows()) || storm
        });
        report.reaper_only = !report.header && !report.context && !report.group;
        report.add_victim(seen, victim);
        report.show_kill(seen, text);
    }

    /// The reports that are evidence of a kill, each once: a log that was pasted twice, or that two daemons wrote into
    /// one file, tells of the same kills.
    pub(super) fn distinct(mut self) -> Vec<Report> {
        self.all.retain(|report| !report.is_only_rows());
        let killed: HashSet<u32> = self
            .all
            .iter()
            .filter(|report| !report.reaper_only)
            .flat_map(|report| report.victims.iter().filter_map(|victim| victim.pid))
            .collect();
        let mut kept: Vec<Report> = Vec::with_capacity(self.all.len());
        // By whom they begin: only reports that begin alike are compared.
        let mut begun: HashMap<Option<Option<u32>>, Vec<usize>> = HashMap::new();
        for mut report in self.all {
            if report.reaper_only {
                report.victims.retain(|victim| victim.pid.is_none_or(|pid| !killed.contains(&pid)));
                if report.victims.is_empty() {
                    continue;
                }
            }
            let alike = begun.entry(report.victims.first().map(|victim| victim.pid)).or_default();
            let recent = kept.len().saturating_sub(RECENT);
            let mut alike_of_late = alike.iter().rev().take_while(|place| **place >= recent);
            match alike_of_late.find(|place| is_same(&kept[**place], &report)) {
                Some(same) if kept[*same].lines.len() < report.lines.len() => kept[*same] = report,
                Some(_) => {}
                None => {
                    alike.push(kept.len());
                    kept.push(report);
                }
            }
        }
        kept
    }
}

/// `Memory cgroup out of memory` ends no report about the whole node, and the other way round.
fn fits_scope(report: &Report, scope: Scope) -> bool {
    let memcg = report.constraint.map(|constraint| constraint == Constraint::Memcg);
    let known = memcg.or(report.scope.filter(|scope| *scope != Scope::Unknown).map(|scope| scope == Scope::Memcg));
    match scope {
        Scope::Unknown => true,
        Scope::Memcg => known != Some(false),
        Scope::Global => known != Some(true),
    }
}

/// Two reports of the same lines: same victims (or none) at the same microsecond of the same clock, or the same sizes
/// at the same second.
fn is_same(one: &Report, other: &Report) -> bool {
    let (first, second) = (one.killed.as_ref().unwrap_or(&one.first), other.killed.as_ref().unwrap_or(&other.first));
    if one.victims.is_empty() != other.victims.is_empty()
        || (first.node.is_some() && second.node.is_some() && first.node != second.node)
    {
        return false;
    }
    let same_victims = one.victims.first().map(|victim| victim.pid) == other.victims.first().map(|victim| victim.pid);
    if let (Some(one), Some(other)) = (first.uptime, second.uptime) {
        return same_victims && (one - other).abs() < 1e-6;
    }
    let sized = one.victims.first().is_some_and(|victim| victim.pid.is_some() && victim.total_vm.is_some());
    sized
        && one.victims.first() == other.victims.first()
        && first.date.is_some()
        && second.date.is_some()
        && second.since(first) == Some(0.0)
}
