//! A GOMEMLIMIT that the kernel's limit comes before.

use super::{Finding, Level, Subject};
use crate::budget::{golang, scaled};
use crate::lint::runtime::go;
use crate::units::Bytes;

super::rule!("go-memlimit-ge-limit", Error, Program(judge));

/// Go's guide asks for 5 to 10 % for what the runtime does not count.
const MOST: u64 = 95;

/// No Go program lives in less: a slip of the unit.
const TINY: Bytes = Bytes::mib(1);

fn judge<'a>(subject: &Subject<'_, 'a>) -> Vec<Finding<'a>> {
    if let Some(finding) = unreadable(subject) {
        return vec![finding];
    }
    let Some(it) = go::memory_limit(subject) else { return Vec::new() };
    if let Some(bytes) = it.bytes.filter(|bytes| (1..TINY.0).contains(&bytes.0)) {
        return vec![
            Finding::new(Level::Warning, it.node, format!("GOMEMLIMIT is {bytes}"))
                .label("a number without a unit is bytes: the collector runs all the time")
                .help("write an amount with MiB or GiB behind it"),
        ];
    }
    let Some(limit) = subject.limit() else { return Vec::new() };
    let Some(bytes) = it.bytes.filter(|bytes| *bytes >= scaled(limit.bytes, MOST, 100)) else { return Vec::new() };
    let percent = u128::from(bytes.0) * 100 / u128::from(limit.bytes.0.max(1));
    let message = format!("GOMEMLIMIT of {bytes} is {percent} % of the limit of {}", limit.bytes);
    let label = match it.field {
        Some(field) => format!("{field} itself: {bytes}"),
        None => "the collector comes under pressure only here".to_owned(),
    };
    let fitting = golang::memory_limit(limit.bytes, subject.tmpfs(), Bytes(0));
    let fitting = fitting.map_or_else(|| "raise the limit".to_owned(), golang::variable);
    vec![
        Finding::new(Level::Error, it.node, message)
            .label(label)
            .related(limit.place, limit.says())
            .note("stacks of C code, mapped files, the binary and the kernel's memory for it are not in Go's count")
            .help(format!("GOMEMLIMIT={fitting} for this limit, less what Go does not count")),
    ]
}

/// `4Gi`: Go ends at once on what it cannot read (`runtime/mgcpacer.go`, `readGOMEMLIMIT`, Go 1.19 to 1.26).
fn unreadable<'a>(subject: &Subject<'_, 'a>) -> Option<Finding<'a>> {
    let set = subject.program.variable("GOMEMLIMIT")?;
    let text = set.text().filter(|text| !matches!(*text, "" | "off") && !text.contains(['$', '{', '<']))?;
    if go::size(text).is_some() {
        return None;
    }
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match &text[digits.len()..] {
        "Ki" | "K" | "k" => "KiB",
        "Mi" | "M" | "m" | "MB" => "MiB",
        "Gi" | "G" | "g" | "GB" => "GiB",
        _ => "",
    };
    let finding = Finding::new(Level::Error, set.node, format!("Go cannot read GOMEMLIMIT `{text}`"))
        .label("the program ends as it starts: malformed GOMEMLIMIT")
        .note("Go reads a whole number with B, KiB, MiB, GiB or TiB behind it, or without a unit");
    let meant = format!("{digits}{unit}");
    let is_meant = !unit.is_empty() && go::size(&meant).is_some();
    Some(if is_meant { finding.help(format!("write `{meant}`, if that is meant")) } else { finding })
}

#[cfg(test)]
mod tests {
    use crate::lint::{Level, Source, lint};

    #[test]
    fn an_amount_that_go_cannot_read_is_an_error_with_or_without_a_limit() {
        let found = |value: &str| {
            let text =
                format!("services:\n  a:\n    image: a\n    mem_limit: 1g\n    environment: {{GOMEMLIMIT: {value}}}\n");
            let document = lint(&[Source { name: "compose.yaml".into(), text }]);
            let grave = document.findings.into_iter().filter(|it| it.level == Level::Error);
            grave.map(|it| it.message).collect::<Vec<_>>()
        };
        assert_eq!(found("900Mi"), ["Go cannot read GOMEMLIMIT `900Mi`"]);
        assert_eq!(found("0.5GiB"), ["Go cannot read GOMEMLIMIT `0.5GiB`"]);
        for fine in ["900MiB", "\"900000000\"", "\"off\"", "${LIMIT}"] {
            assert_eq!(found(fine), Vec::<String>::new(), "{fine}");
        }
    }
}
