//! Units in the wrong case, and units that are none.

use super::{Finding, Level, Scene};
use crate::lint::surroundings::Surroundings;
use crate::lint::workload::{Amount, Object, amounts_of};

super::rule!("quantity-case", Warning, Workload(judge), Object(judge_object));

fn judge<'a>(scene: &Scene<'_, 'a>) -> Vec<Finding<'a>> {
    let amounts: Vec<_> = scene.workload.amounts().collect();
    let invalid = amounts.iter().filter_map(|(it, container)| Some(Finding { container: *container, ..invalid(it)? }));
    let decimal = amounts.iter().filter_map(|(it, container)| {
        // Of the same container, or both of the pod.
        let mut siblings = amounts.iter().filter(|(_, of)| of == container || of.is_none());
        let (sibling, _) = siblings.find(|(sibling, _)| is_binary(sibling))?;
        Some(Finding { container: *container, ..decimal(it, sibling)? })
    });
    invalid.chain(decimal).collect()
}

fn judge_object<'a>(object: &Object<'a>, _: &Surroundings<'a>) -> Vec<Finding<'a>> {
    let amounts = amounts_of(object);
    let sibling = amounts.iter().find(|it| is_binary(it));
    let decimal = amounts.iter().filter_map(|it| decimal(it, sibling?));
    amounts.iter().filter_map(invalid).chain(decimal).collect()
}

fn is_binary(amount: &Amount<'_>) -> bool {
    amount.quantity.is_some() && matches!(amount.suffix(), "Ki" | "Mi" | "Gi" | "Ti")
}

/// `M` or `G` beside `Mi` and `Gi`: 4.9 and 7.4 % less, and seldom meant.
fn decimal<'a>(amount: &Amount<'a>, sibling: &Amount<'a>) -> Option<Finding<'a>> {
    let (text, suffix) = (amount.text, amount.suffix());
    if !matches!(suffix, "k" | "M" | "G" | "T") {
        return None;
    }
    let bytes = amount.quantity?.bytes();
    let unit = if suffix == "k" { "Ki".to_owned() } else { format!("{suffix}i") };
    let replacement = format!("{}{unit}", amount.number());
    let message =
        format!("`{text}` is {bytes}: `{suffix}` counts in thousands, while `{}` beside it does not", sibling.text);
    let finding = Finding::new(Level::Warning, amount.node, message)
        .label(format!("{} less than `{replacement}`", less(suffix)))
        .related(sibling.node, "counts in 1024s")
        .help(format!("write `{replacement}`, if that is meant"));
    Some(finding.rewrite(false, amount, replacement))
}

const fn less(suffix: &str) -> &'static str {
    match suffix.as_bytes() {
        b"k" => "2.3 %",
        b"M" => "4.6 %",
        b"G" => "6.9 %",
        _ => "9.1 %",
    }
}

fn invalid<'a>(amount: &Amount<'a>) -> Option<Finding<'a>> {
    // What a template engine has still to fill in is no amount yet.
    if amount.quantity.is_some() || amount.text.contains(['{', '$', '<', '%']) {
        return None;
    }
    let text = amount.text;
    let finding = Finding::new(Level::Warning, amount.node, format!("`{text}` is no amount of memory"))
        .label("the API server refuses it");
    let letters = amount.suffix().trim();
    let number = amount.number().trim();
    let (unit, safe) = match letters {
        "Ki" | "Mi" | "Gi" | "Ti" => (letters, true),
        "mi" | "MI" | "mI" | "MiB" | "Mib" | "mib" => ("Mi", true),
        "gi" | "GI" | "gI" | "GiB" | "Gib" | "gib" => ("Gi", true),
        "ki" | "KI" | "kI" | "KiB" | "Kib" | "kib" => ("Ki", true),
        "ti" | "TI" | "TiB" => ("Ti", true),
        // Whether thousands or 1024s were meant is a guess.
        "mb" | "MB" | "Mb" => ("Mi", false),
        "g" | "gb" | "GB" | "Gb" => ("Gi", false),
        "K" | "kb" | "KB" | "Kb" => ("Ki", false),
        "t" | "tb" | "TB" | "Tb" => ("Ti", false),
        _ => return Some(finding.help("write a number and one of Ki, Mi, Gi")),
    };
    if number.parse::<f64>().is_err() {
        return Some(finding.help("write a number and one of Ki, Mi, Gi"));
    }
    let replacement = format!("{number}{unit}");
    let condition = if safe { "" } else { ", if that is meant" };
    Some(finding.help(format!("write `{replacement}`{condition}")).rewrite(safe, amount, replacement))
}
