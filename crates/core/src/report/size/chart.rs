//! A history in a few lines of a terminal: use as columns, the old limit, the new one, and kills.

use super::super::layout::Page;
use super::super::style::Mark;
use crate::size::Curve;
use crate::units::Bytes;

/// Lines of a chart.
const ROWS: usize = 7;

/// Columns left of it, for the amounts.
const AXIS: usize = 10;

/// Eighths of a block, from below.
const EIGHTHS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Columns of a chart on a page of this width.
pub(super) fn columns(width: usize) -> usize {
    width.max(40).saturating_sub(AXIS + 6).min(84)
}

/// Draws a curve; nothing where there is none.
pub(super) fn chart(page: &mut Page, curve: &Curve) {
    let columns = columns(page.width()).min(curve.used.len());
    let top = curve.top();
    if columns < 2 || top == 0 {
        return;
    }
    // One row more than the highest, so that a line at the top is seen.
    let unit = (top / (2 * ROWS as u64 - 1) * 2).max(1);
    let used = squeezed(&curve.used, columns, u64::max);
    let limit = squeezed(&curve.limit, columns, u64::min);
    let row_of = |amount: u64| usize::try_from(amount / unit).unwrap_or(ROWS).min(ROWS - 1);
    page.heading("HISTORY");
    for row in (0..ROWS).rev() {
        let mut line = String::new();
        for column in 0..columns {
            let is_limit = limit[column].is_some_and(|limit| row_of(limit) == row);
            let is_proposed = curve.proposed.is_some_and(|proposed| row_of(proposed) == row);
            let fill = used[column].unwrap_or(0).saturating_sub(row as u64 * unit).min(unit);
            let eighth = EIGHTHS[usize::try_from(u128::from(fill) * 8 / u128::from(unit)).unwrap_or(8).min(8)];
            line.push(match (eighth, is_limit, is_proposed) {
                (' ', true, _) => '─',
                (' ', false, true) => '┄',
                (eighth, ..) => eighth,
            });
        }
        let label = label(curve, row, &limit, row_of);
        page.row(2, Mark::Body, &format!("{label:>AXIS$} {line}"));
    }
    if !curve.kills.is_empty() {
        let mut line = vec![' '; columns];
        for kill in &curve.kills {
            line[(kill * columns / curve.used.len()).min(columns - 1)] = '✕';
        }
        page.row(2, Mark::Alarm, &format!("{:>AXIS$} {}", "kills", line.into_iter().collect::<String>()));
    }
    let mut legend = Vec::new();
    if limit.iter().any(Option::is_some) {
        legend.push("─ limit");
    }
    if curve.proposed.is_some() {
        legend.push("┄ proposed limit");
    }
    if !legend.is_empty() {
        page.row(2, Mark::Quiet, &format!("{:AXIS$} {}", "", legend.join("   ")));
    }
}

/// What stands left of a row: the limit or the proposal where it lies there, and the bottom.
fn label(curve: &Curve, row: usize, limit: &[Option<u64>], row_of: impl Fn(u64) -> usize) -> String {
    let now = limit.iter().rev().copied().flatten().next();
    let peak = curve.used.iter().copied().flatten().max();
    let here = |amount: &u64| row_of(*amount) == row;
    let amount = now.filter(here).or(curve.proposed.filter(here)).or(peak.filter(here));
    match amount {
        Some(amount) => Bytes(amount).to_string(),
        None if row == 0 => "0".to_owned(),
        None => String::new(),
    }
}

/// A row of values in fewer columns.
fn squeezed(values: &[Option<u64>], columns: usize, of: fn(u64, u64) -> u64) -> Vec<Option<u64>> {
    let mut squeezed: Vec<Option<u64>> = vec![None; columns];
    for (index, value) in values.iter().enumerate() {
        let slot = &mut squeezed[(index * columns / values.len()).min(columns - 1)];
        *slot = match (*slot, *value) {
            (Some(one), Some(other)) => Some(of(one, other)),
            (one, other) => one.or(other),
        };
    }
    squeezed
}
