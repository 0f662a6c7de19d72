//! A back-test as a table.

use crate::size::backtest::{Document, Figures};

const HEAD: [&str; 7] = ["policy", "days", "kills/1000 d", "free days", "mean limit", "slack", "changes/d"];

/// As text: columns under a head.
pub fn backtest_text(document: &Document) -> String {
    let rows = rows(document);
    let width = |column: usize| rows.iter().map(|row| row[column].len()).chain([HEAD[column].len()]).max().unwrap_or(0);
    let line = |cells: [&str; 7]| {
        let mut line = format!("{:<width$}", cells[0], width = width(0));
        for (column, cell) in cells.iter().enumerate().skip(1) {
            line.push_str(&format!("  {cell:>width$}", width = width(column)));
        }
        line + "\n"
    };
    rows.iter().fold(line(HEAD), |text, row| text + &line(row.each_ref().map(String::as_str)))
}

/// As a table of markdown.
pub fn backtest_markdown(document: &Document) -> String {
    let line = |cells: [&str; 7]| format!("| {} |\n", cells.join(" | "));
    let head = line(HEAD) + "| --- | ---: | ---: | ---: | ---: | ---: | ---: |\n";
    rows(document).iter().fold(head, |text, row| text + &line(row.each_ref().map(String::as_str)))
}

fn rows(document: &Document) -> Vec<[String; 7]> {
    document.policies.iter().map(row).collect()
}

/// A figure that is not known is a dash.
fn row(it: &Figures) -> [String; 7] {
    let number = |figure: Option<f64>, unit: &str| figure.map_or("-".to_owned(), |figure| format!("{figure:.1}{unit}"));
    [
        it.name.to_owned(),
        it.container_days.to_string(),
        number(it.oom_per_1000_container_days, ""),
        number(it.oom_free_days_pct, " %"),
        it.mean_limit_bytes.map_or("-".to_owned(), |bytes| bytes.to_string()),
        number(it.slack_pct, " %"),
        it.changes_per_day.map_or("-".to_owned(), |changes| format!("{changes:.2}")),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::size::backtest::{SCHEMA, Tally};

    #[test]
    fn a_figure_that_is_not_known_is_a_dash() {
        let known = Tally { days: 2, kills: 1, days_with_kills: 1, changes: 3, limits: 4e9, slack: 1.0 };
        let policies = vec![Figures::new("oomph", &known), Figures::new("vpa", &Tally::default())];
        let text = backtest_text(&Document { schema: SCHEMA, policies });
        let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(lines[1][..5], ["oomph", "2", "500.0", "50.0", "%"]);
        assert_eq!(lines[2], ["vpa", "0", "-", "-", "-", "-", "-"]);
    }
}
