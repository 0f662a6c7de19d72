//! Amounts of memory that Docker refuses.

use super::{Finding, Level, Subject};
use crate::lint::expansion::is_open;
use crate::lint::workload::{Amount, Platform, docker_amount};
use crate::units::Bytes;

super::rule!("compose-amount", Error, Program(judge));

/// Docker refuses less (moby, `daemon/daemon_unix.go`, `linuxMinMemory`, 20.10 to 28).
const LEAST: Bytes = Bytes::mib(6);

fn judge<'a>(subject: &Subject<'_, 'a>) -> Vec<Finding<'a>> {
    if subject.scene.workload.platform != Platform::Compose {
        return Vec::new();
    }
    let resources = &subject.container.resources;
    let amounts = [resources.memory_limit, resources.memory_request].into_iter().flatten();
    let refused =
        amounts.filter(|amount| !is_nothing(amount)).filter_map(|amount| unreadable(&amount).or(tiny(&amount)));
    refused.chain(swap(subject)).collect()
}

/// 0 and -1 say that nothing is limited.
fn is_nothing(amount: &Amount<'_>) -> bool {
    amount.is_zero() || amount.text.starts_with('-')
}

/// `512Mi`: `512m`, `512mb` and `512mib` are amounts (github.com/docker/go-units, `parseSize`, 0.5).
fn unreadable<'a>(amount: &Amount<'a>) -> Option<Finding<'a>> {
    let text = amount.text;
    if amount.quantity.is_some() || is_open(text) {
        return None;
    }
    let finding = Finding::new(Level::Error, amount.node, format!("`{text}` is no amount of Docker's"))
        .label("Docker refuses it: invalid size")
        .note("an amount is a number with b, k, m or g behind it, or with kb, kib and their like");
    let meant = match amount.suffix().to_ascii_lowercase().as_str() {
        "ki" => "k",
        "mi" => "m",
        "gi" => "g",
        _ => return Some(finding),
    };
    Some(finding.help(format!("write `{}{meant}`: Docker counts in 1024s", amount.number().trim())))
}

fn tiny<'a>(amount: &Amount<'a>) -> Option<Finding<'a>> {
    let bytes = amount.quantity?.bytes();
    if bytes >= LEAST {
        return None;
    }
    let message = format!("`{}` is {bytes}, and Docker refuses less than {LEAST}", amount.text);
    let finding = Finding::new(Level::Error, amount.node, message);
    Some(match amount.text.parse::<u64>() {
        Ok(number) if Bytes::mib(number) >= LEAST => {
            finding.label("a number without a unit is bytes").help(format!("write `{number}m`, if that is meant"))
        }
        _ => finding.label("the container is not created").help(format!("set it to at least {LEAST}")),
    })
}

/// `memswap_limit` counts memory and swap together (`daemon_unix.go`, "Minimum memoryswap limit should be larger than
/// memory limit").
fn swap<'a>(subject: &Subject<'_, 'a>) -> Option<Finding<'a>> {
    let both = docker_amount(subject.container.node.get("memswap_limit")?).filter(|amount| !is_nothing(amount))?;
    let limit = subject.container.resources.memory_limit?;
    let (most, bytes) = (both.quantity?.bytes(), limit.bytes()?);
    (most < bytes).then(|| {
        let message = format!("memory and swap together may take {most}, and the memory alone {bytes}");
        Finding::new(Level::Error, both.node, message)
            .label("Docker refuses it: it counts memory and swap together")
            .related(limit.node, format!("memory: {bytes}"))
            .help(format!("write `{}`, which leaves no swap, or more", limit.text))
    })
}

#[cfg(test)]
mod tests {
    use crate::lint::{Source, lint};

    #[test]
    fn what_docker_refuses_is_an_error() {
        let found = |amounts: &str| {
            let text = format!("services:\n  a:\n    image: a\n    {amounts}\n");
            let document = lint(&[Source { name: "compose.yaml".into(), text }]);
            document.findings.into_iter().filter(|it| it.rule == "compose-amount").count()
        };
        for refused in [
            "mem_limit: 512Mi",
            "mem_limit: 512",
            "mem_limit: 4m",
            "deploy: {resources: {limits: {memory: \"512\"}}}",
            "deploy: {resources: {limits: {memory: 1Gi}}}",
            "mem_limit: 512m\n    memswap_limit: 256m",
        ] {
            assert_eq!(found(refused), 1, "{refused}");
        }
        for fine in [
            "mem_limit: 512m",
            "mem_limit: 1GiB",
            "mem_limit: 536870912",
            "mem_limit: ${LIMIT}",
            "mem_limit: -1",
            "mem_limit: 512m\n    memswap_limit: -1",
            "mem_limit: 512m\n    memswap_limit: 512m",
        ] {
            assert_eq!(found(fine), 0, "{fine}");
        }
    }
}
