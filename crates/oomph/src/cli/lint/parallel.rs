//! Lint over many files, on all processors.

use std::sync::atomic::{AtomicUsize, Ordering};

use oomph_core::lint::{self, Document, Source};

/// Files are read side by side: each by itself takes nearly all of the time.
pub(super) fn lint(sources: &[Source], inline: bool) -> Document {
    let reads = side_by_side(sources, |index| lint::read(index, &sources[index]));
    let mut found = side_by_side(&reads, |index| reads[index].found());
    let surroundings = lint::Surroundings::gather(&found);
    for found in &mut found {
        found.put_aside(&surroundings);
    }
    let judged = side_by_side(&found, |index| lint::judge_file(&reads[index], &found[index], &surroundings, inline));
    lint::document(&reads, &found, &judged)
}

/// `work` for every item, on all processors, in order.
fn side_by_side<I: Sync, T: Send>(items: &[I], work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let workers = std::thread::available_parallelism().map_or(1, usize::from).min(items.len() / 4).max(1);
    if workers == 1 {
        return (0..items.len()).map(work).collect();
    }
    let next = AtomicUsize::new(0);
    let some = || {
        let mut done = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= items.len() {
                return done;
            }
            done.push((index, work(index)));
        }
    };
    let mut done: Vec<(usize, T)> = std::thread::scope(|scope| {
        let handles: Vec<_> = (0..workers).map(|_| scope.spawn(some)).collect();
        handles.into_iter().flat_map(|handle| handle.join().expect("no work panics")).collect()
    });
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, it)| it).collect()
}
