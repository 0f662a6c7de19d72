//! Rows in the order of time, each once.

use super::super::history::History;

/// Puts a history into the order of time; its kills are in it already.
pub(super) fn ordered(mut history: History) -> History {
    let mut order: Vec<usize> = (0..history.at.len()).collect();
    order.sort_by_key(|row| history.at[*row]);
    history.at = order.iter().map(|row| history.at[*row]).collect();
    for column in [&mut history.used, &mut history.limit, &mut history.heap, &mut history.rss, &mut history.cache] {
        if !column.is_empty() {
            *column = order.iter().map(|row| column[*row]).collect();
        }
    }
    history
}

/// Takes out the rows that repeat the one before: how many.
pub(super) fn single(history: &mut History) -> usize {
    if history.at.windows(2).all(|two| two[0] != two[1]) {
        return 0;
    }
    let History { at, used, limit, heap, rss, cache, .. } = &mut *history;
    let columns = [used, limit, heap, rss, cache];
    let repeats = |row: usize| {
        row > 0 && at[row] == at[row - 1] && columns.iter().all(|it| it.is_empty() || it[row] == it[row - 1])
    };
    let kept: Vec<usize> = (0..at.len()).filter(|row| !repeats(*row)).collect();
    let twice = at.len() - kept.len();
    for column in columns.into_iter().filter(|column| !column.is_empty()) {
        *column = kept.iter().map(|row| column[*row]).collect();
    }
    *at = kept.iter().map(|row| at[*row]).collect();
    twice
}
