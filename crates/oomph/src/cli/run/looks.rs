//! Waterfalls of a running command, taken in a thread of their own: a look lasts longer than the time between two samples,
//! and longer still where the command holds the locks that it waits for.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use oomph_core::waterfall::{Subject, Waterfall};
use oomph_node::clock::processor_time;
use oomph_node::hierarchy::Hierarchy;
use oomph_node::inspect::glance;

/// A look that was taken.
pub(super) struct Look {
    pub(super) waterfall: Waterfall,
    /// The processor time that it took.
    pub(super) took: Duration,
}

/// Who takes them, one at a time.
pub(super) struct Looker<T> {
    asks: Sender<()>,
    looks: Receiver<T>,
    busy: bool,
}

impl<T: Send> Looker<T> {
    /// `look` is how.
    pub(super) fn begin<'t>(threads: &'t thread::Scope<'t, '_>, look: impl Fn() -> T + Send + 't) -> Self
    where
        T: 't,
    {
        let (asks, asked) = channel();
        let (looked, looks) = channel();
        threads.spawn(move || asked.iter().all(|()| looked.send(look()).is_ok()));
        Self { asks, looks, busy: false }
    }

    /// A look is being taken.
    pub(super) fn is_busy(&self) -> bool {
        self.busy
    }

    /// Begins the next look.
    pub(super) fn ask(&mut self) {
        self.busy = self.asks.send(()).is_ok();
    }

    /// The look that is done by now.
    pub(super) fn done(&mut self) -> Option<T> {
        let look = self.looks.try_recv().ok()?;
        self.busy = false;
        Some(look)
    }

    /// Ends; the look that was being taken is waited for.
    pub(super) fn end(self) -> Option<T> {
        drop(self.asks);
        self.looks.recv().ok()
    }
}

/// Of the cgroup at `path`, once: a command that grows is looked at again before long. What was freed meanwhile is in no part: again.
pub(super) fn look(hierarchy: &Hierarchy, path: &str) -> Look {
    let began = processor_time();
    let glance = || glance(hierarchy, path, &Subject::default());
    let first = glance();
    let waterfall = if is_of_one_moment(&first) { first } else { glance() };
    Look { waterfall, took: processor_time().saturating_sub(began) }
}

/// Whether charge and parts are of the same moment, as far as their sums tell: all but an eighth has a place. The stock
/// of pages that every processor holds is some megabytes of a small cgroup.
pub(super) fn is_of_one_moment(waterfall: &Waterfall) -> bool {
    waterfall.unexplained_bytes.unsigned_abs() <= (waterfall.charged_bytes.0 / 8).max(4 << 20)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_asks_for_a_look_does_not_wait_for_it_and_loses_none() {
        let (go, may_go) = channel();
        let look = move || may_go.recv().unwrap_or(0);
        thread::scope(|threads| {
            let mut looker = Looker::begin(threads, look);
            looker.ask();
            assert!(looker.is_busy() && looker.done().is_none(), "the look has not even begun to read");
            go.send(1).unwrap();
            let first = std::iter::repeat_with(|| looker.done()).find_map(|it| it);
            assert_eq!((first, looker.is_busy()), (Some(1), false));
            looker.ask();
            go.send(2).unwrap();
            assert_eq!(looker.end(), Some(2), "the look that was being taken");
        });
    }
}
