//! Work on many files, on all processors.

use std::sync::{Mutex, PoisonError};
use std::thread;

use oomph_core::lint::Workers;

/// As many threads as there are processors.
pub(super) struct Processors;

/// Parts of the work that each thread takes: enough that none waits long for another's last one.
const PARTS: usize = 64;

impl Workers for Processors {
    fn each<I: Send, T: Send>(&self, items: Vec<I>, work: impl Fn(usize, I) -> T + Sync) -> Vec<T> {
        let threads = thread::available_parallelism().map_or(1, usize::from).min(items.len() / 4).max(1);
        let part = items.len().div_ceil(threads * PARTS).max(1);
        let left = Mutex::new(items.into_iter().enumerate());
        let take =
            || -> Vec<(usize, I)> { left.lock().unwrap_or_else(PoisonError::into_inner).by_ref().take(part).collect() };
        let some = || {
            let mut done = Vec::new();
            loop {
                let items = take();
                let Some((first, _)) = items.first() else { return done };
                done.push((*first, items.into_iter().map(|(index, item)| work(index, item)).collect::<Vec<T>>()));
            }
        };
        if threads == 1 {
            return some().into_iter().flat_map(|(_, done)| done).collect();
        }
        let mut done: Vec<(usize, Vec<T>)> = thread::scope(|scope| {
            let handles: Vec<_> = (0..threads).map(|_| scope.spawn(some)).collect();
            handles.into_iter().flat_map(|handle| handle.join().expect("no work panics")).collect()
        });
        done.sort_unstable_by_key(|(first, _)| *first);
        done.into_iter().flat_map(|(_, done)| done).collect()
    }
}
