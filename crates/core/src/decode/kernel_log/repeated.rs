//! The `oom-kill:` line of a report, which may stand in a log twice: two daemons wrote it, one of them cut, or the log was
//! printed newest first.

use super::report::{Report, Seen};
use super::summary::Summary;
use crate::fact::Victim;

/// Copies of a line are at most this far apart: some clocks count whole seconds.
const SAME_LINE: f64 = 1.0;

impl Report {
    /// Is this its summary once more, whole or cut? Where the line was cut before the process, it is one as long as
    /// nothing that it does tell is otherwise.
    pub(super) fn repeats(&self, seen: &Seen, summary: &Summary) -> bool {
        if seen.since(&self.last).is_some_and(|gap| gap > SAME_LINE) {
            return false;
        }
        let known = self.summary.as_ref();
        if summary.pid.is_some() {
            return known.is_some_and(|known| known.pid == summary.pid) || self.has_pid(summary.pid);
        }
        let agree = |known: Option<&String>, said: Option<&String>| said.is_none() || known == said;
        self.summarised
            && self.is_open()
            && known.is_some_and(|known| agree(known.comm.as_ref(), summary.comm.as_ref()))
            && agree(self.oom_memcg.as_ref(), summary.oom_memcg.as_ref())
            && agree(self.task_memcg.as_ref(), summary.task_memcg.as_ref())
    }

    /// Adds the line. Of a copy only what the first one lacks.
    pub(super) fn take_summary(&mut self, summary: Summary) {
        let Summary { constraint, oom_memcg, task_memcg, comm, pid, uid } = summary;
        let selected = Victim { pid, comm, uid, ..Victim::default() };
        if !std::mem::replace(&mut self.summarised, true) {
            self.constraint = constraint;
            self.oom_memcg = oom_memcg.or(self.oom_memcg.take());
            self.task_memcg = task_memcg.or(self.task_memcg.take());
            self.summary = (selected != Victim::default()).then_some(selected);
            return;
        }
        self.constraint = self.constraint.or(constraint);
        self.oom_memcg = self.oom_memcg.take().or(oom_memcg);
        self.task_memcg = self.task_memcg.take().or(task_memcg);
        match &mut self.summary {
            Some(known) => {
                known.comm = known.comm.take().or(selected.comm);
                known.uid = known.uid.or(selected.uid);
            }
            None => self.summary = (selected != Victim::default()).then_some(selected),
        }
    }
}
