//! `512m` of memory is half a byte.

use super::{Finding, Level, Scene};
use crate::lint::surroundings::Surroundings;
use crate::lint::workload::{Amount, Object, amounts_of};
use crate::units::Bytes;

super::rule!("quantity-milli", Error, Workload(judge), Object(judge_object));

/// From here on an amount in thousandths is one: the API server itself writes `1288490188800m` for `1.2Gi`.
const MEANT: Bytes = Bytes::mib(1);

fn judge<'a>(scene: &Scene<'_, 'a>) -> Vec<Finding<'a>> {
    let amounts = scene.workload.amounts().into_iter();
    amounts.filter_map(|(amount, container)| Some(Finding { container, ..look(&amount)? })).collect()
}

fn judge_object<'a>(object: &Object<'a>, _: &Surroundings<'a>) -> Vec<Finding<'a>> {
    amounts_of(object).iter().filter_map(look).collect()
}

fn look<'a>(amount: &Amount<'a>) -> Option<Finding<'a>> {
    let quantity = amount.quantity.filter(|quantity| !quantity.is_zero())?;
    let (text, bytes) = (amount.text, quantity.bytes());
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
        _ => format!("{bytes}, rounded up"),
    };
    let finding = Finding::new(Level::Error, amount.node, format!("`{text}` of memory is {value}"));
    let finding = finding.label("an amount of memory without a unit is bytes; `m` is a thousandth of one");
    let number = amount.number();
    Some(match amount.suffix() {
        "m" => finding.help(format!("write `{number}Mi`")).fix(true, unquoted(amount), format!("{number}Mi")),
        // Whether mebibytes were meant is a guess.
        "" => finding.help(format!("write `{number}Mi`, if that is meant")).fix(
            false,
            unquoted(amount),
            format!("{number}Mi"),
        ),
        _ => finding.help("write the amount in Mi or Gi"),
    })
}

/// The text inside of its quotes.
pub(super) fn unquoted(amount: &Amount<'_>) -> crate::lint::Place {
    let mut place = crate::lint::Place::from(amount.node);
    let source = amount.node.source();
    if let Some(at) = source.find(amount.text) {
        place.span.start += u32::try_from(at).unwrap_or_default();
        place.span.end = place.span.start + u32::try_from(amount.text.len()).unwrap_or_default();
    }
    place
}

/// `512` thousandths: `0.512`.
fn thousandths(number: &str) -> String {
    match number.parse::<f64>() {
        Ok(number) => (number / 1000.0).to_string(),
        Err(_) => format!("{number}/1000"),
    }
}
