//! `512m` of memory is half a byte.

use super::{Finding, Level, Scene};
use crate::budget::START_LEAST;
use crate::lint::surroundings::Surroundings;
use crate::lint::workload::{Amount, Object, amounts_of};
use crate::units::{Bytes, Quantity};

super::rule!("quantity-milli", Error, Workload(judge), Object(judge_object));

/// From here on an amount in thousandths is one: the API server itself writes `1288490188800m` for `1.2Gi`.
const MEANT: Bytes = Bytes::mib(1);

fn judge<'a>(scene: &Scene<'_, 'a>) -> Vec<Finding<'a>> {
    let amounts = scene.workload.amounts();
    amounts.filter_map(|(amount, container)| Some(Finding { container, ..look(&amount)? })).collect()
}

fn judge_object<'a>(object: &Object<'a>, _: &Surroundings<'a>) -> Vec<Finding<'a>> {
    amounts_of(object).iter().filter_map(look).collect()
}

/// Up to here a number in front of `m` is one of mebibytes: 64 GiB. Above it is more likely one of bytes.
const MEBIBYTES: f64 = 65_536.0;

fn look<'a>(amount: &Amount<'a>) -> Option<Finding<'a>> {
    let quantity = amount.quantity.filter(|quantity| !quantity.is_zero())?;
    let (text, bytes) = (amount.text, quantity.bytes());
    if text.starts_with('-') {
        let finding = Finding::new(Level::Error, amount.node, format!("`{text}` of memory is less than nothing"));
        return Some(finding.label("the API server refuses it").help("write an amount above zero"));
    }
    let in_parts = matches!(amount.suffix(), "m" | "u" | "n");
    if !in_parts && !amount.is_tiny() {
        return None;
    }
    if bytes >= MEANT {
        let message = format!("`{text}` of memory is {bytes}, written in fractions of a byte");
        return Some(Finding::new(Level::Info, amount.node, message).help(format!("write `{quantity}`")));
    }
    let value = match amount.suffix() {
        "m" => format!("{} bytes", thousandths(amount.number())),
        "" if text.parse::<u64>().is_ok() => bytes.to_string(),
        _ => format!("{bytes}, rounded up"),
    };
    let finding = Finding::new(Level::Error, amount.node, format!("`{text}` of memory is {value}"));
    let finding = finding.label("an amount of memory without a unit is bytes; `m` is a thousandth of one");
    let number = amount.number();
    let in_mebibytes = format!("{number}Mi");
    // So many mebibytes would start no container, and be the next error.
    let is_enough = |number: &str| number.parse::<f64>().is_ok_and(|mib| mib * 1_048_576.0 >= START_LEAST.0 as f64);
    Some(match amount.suffix() {
        "m" | "" if !is_enough(number) => finding.help("write the amount in Mi or Gi"),
        "m" if number.parse().is_ok_and(|number: f64| number <= MEBIBYTES) => {
            finding.help(format!("write `{in_mebibytes}`")).rewrite(true, amount, in_mebibytes)
        }
        "m" => match number.parse().map(Quantity::whole) {
            Ok(meant) => {
                let help = format!("write `{number}`, which is {}, if that is meant", meant.bytes());
                finding.help(help).rewrite(false, amount, meant.to_string())
            }
            Err(_) => finding.help("write the amount in Mi or Gi"),
        },
        // Whether mebibytes were meant is a guess.
        "" => finding.help(format!("write `{in_mebibytes}`, if that is meant")).rewrite(false, amount, in_mebibytes),
        _ => finding.help("write the amount in Mi or Gi"),
    })
}

/// `512` thousandths: `0.512`.
fn thousandths(number: &str) -> String {
    match number.parse::<f64>() {
        Ok(number) => (number / 1000.0).to_string(),
        Err(_) => format!("{number}/1000"),
    }
}

#[cfg(test)]
mod tests {
    use crate::lint::fix::fixed;
    use crate::lint::{Document, Source, lint};

    fn linted(limits: &str) -> (Document, String) {
        let text = format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: a}}\nspec:\n  containers:\n  - name: a\n    image: a\n    \
             resources:\n      limits: {{{limits}}}\n"
        );
        (lint(&[Source { name: "a.yaml".into(), text: text.clone() }]), text)
    }

    /// The text with its safe fixes or with all, where that changes it.
    fn mended(limits: &str, all: bool) -> Option<String> {
        let (document, text) = linted(limits);
        let (mended, count) = fixed(&document, 0, &text, all);
        (count > 0).then(|| mended.lines().last().unwrap_or("").trim().to_owned())
    }

    #[test]
    fn an_amount_that_an_alias_shares_is_not_rewritten() {
        // Both are 500 thousandths of a CPU, and one of them is memory.
        assert_eq!(mended("cpu: &m 500m, memory: *m", true), None);
        assert_eq!(mended("memory: &m 500m, cpu: *m", true), None);
        assert_eq!(
            mended("cpu: &m 500m, memory: 512m", false).as_deref(),
            Some("limits: {cpu: &m 500m, memory: 512Mi}")
        );
    }

    #[test]
    fn a_number_that_can_only_be_bytes_does_not_become_mebibytes() {
        assert_eq!(mended("memory: 268435456m", false), None);
        assert_eq!(mended("memory: 268435456m", true).as_deref(), Some("limits: {memory: 256Mi}"));
        assert_eq!(mended("memory: 268435457m", true).as_deref(), Some("limits: {memory: 268435457}"));
        assert_eq!(mended("memory: 65536m", false).as_deref(), Some("limits: {memory: 65536Mi}"));
    }

    #[test]
    fn what_would_start_no_container_is_not_proposed() {
        for amount in ["2m", "1.5m", "2", "0.5"] {
            assert_eq!(mended(&format!("memory: {amount}"), true), None, "{amount}");
        }
        assert_eq!(mended("memory: 64m", false).as_deref(), Some("limits: {memory: 64Mi}"));
    }

    #[test]
    fn less_than_nothing_is_no_slip_of_the_unit() {
        let (document, _) = linted("memory: -1Gi");
        let found: Vec<&str> = document.findings.iter().map(|it| &*it.message).collect();
        assert!(found.contains(&"`-1Gi` of memory is less than nothing"), "{found:?}");
    }
}
