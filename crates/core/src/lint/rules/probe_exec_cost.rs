//! Probes that start a runtime of their own.

use super::{Finding, Level, Subject};
use crate::lint::script;
use crate::lint::tree::At;
use crate::units::Bytes;

super::rule!("probe-exec-cost", Info, Container(judge));

/// Programs that bring a runtime with them, and about what it takes: assumed.
const COSTS: [(&[&str], &str, Bytes); 5] = [
    (
        &["java", "jcmd", "jstat", "nodetool", "cqlsh", "zkServer.sh", "zkCli.sh", "jboss-cli.sh", "solr"],
        "a JVM",
        Bytes::mib(50),
    ),
    (&["python", "python2", "python3", "celery", "django-admin", "airflow"], "a Python interpreter", Bytes::mib(20)),
    (&["node", "npm", "npx", "mongosh"], "Node.js", Bytes::mib(45)),
    (&["ruby", "rails", "bundle"], "a Ruby interpreter", Bytes::mib(30)),
    (&["rabbitmqctl", "rabbitmq-diagnostics"], "an Erlang machine", Bytes::mib(60)),
];

/// In containers up to this size it matters.
const SMALL: Bytes = Bytes::mib(1024);

/// The words of a command that start a program: the first one, and in a script what begins a command.
fn commands(command: At<'_>) -> Vec<(At<'_>, &str)> {
    let texts = command.items().filter_map(|node| Some((node, node.text()?)));
    let words = texts.flat_map(|(node, text)| {
        script::words(text).enumerate().map(move |(index, word)| (node, word.text, word.begins && index > 0))
    });
    let (mut last, mut before) = ("", "");
    let starts = words.filter(|(_, word, begins)| {
        let is_command = last.is_empty() || *begins || script::leads(last, before);
        (before, last) = (last, word);
        is_command
    });
    starts.map(|(node, word, _)| (node, word)).collect()
}

fn judge<'a>(subject: &Subject<'_, 'a>) -> Vec<Finding<'a>> {
    let Some(limit) = subject.limit().filter(|limit| limit.bytes <= SMALL) else { return Vec::new() };
    let mut findings = Vec::new();
    for name in ["livenessProbe", "readinessProbe", "startupProbe"] {
        let Some(command) = subject.container.node.path(&[name, "exec", "command"]) else { continue };
        let found = commands(command).into_iter().find_map(|(node, word)| {
            let program = word.rsplit('/').next().unwrap_or(word);
            let by_name = COSTS.iter().find(|(names, ..)| names.contains(&program));
            // kafka-topics.sh and its like each start a JVM.
            let is_kafka = program.starts_with("kafka-");
            by_name.or_else(|| COSTS.first().filter(|_| is_kafka)).map(|it| (node, program, it))
        });
        let Some((node, program, (_, what, cost))) = found else { continue };
        findings.push(
            Finding::new(Level::Info, node, format!("`{program}` of the {name} starts {what} each time"))
                .label(format!("about {cost}, in the container's own cgroup"))
                .related(limit.place, limit.says())
                .note("what a probe needs is charged to the container, and it may be the probe that is killed")
                .assume(format!("{cost} for {what}"))
                .help("probe by HTTP, gRPC or TCP, or add the cost to the limit"),
        );
    }
    findings
}
