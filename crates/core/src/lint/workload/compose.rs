//! Docker Compose: services as containers. Their units are Docker's, not Kubernetes': `512m` is 512 MiB
//! (github.com/docker/go-units, size.go, RAMInBytes).

use super::container::{Variable, VariableSource, Word};
use super::{Amount, At, Container, ContainerKind, Object, Platform, Resources, Workload};
use crate::units::Bytes;

/// The services of a Compose file; none of anything else. Told by shape: a mapping of services, each with an image or a
/// build, in what names no kind of Kubernetes.
pub(super) fn services(node: At<'_>) -> Vec<Workload<'_>> {
    let services = node.get("services").filter(|it| it.is_mapping());
    let (Some(services), None, None) = (services, node.get("kind"), node.get("apiVersion")) else { return Vec::new() };
    let entries = services.entries();
    let is_service = |it: At<'_>| it.is_mapping() && (it.get("image").is_some() || it.get("build").is_some());
    if !entries.iter().any(|(_, service)| is_service(*service)) {
        return Vec::new();
    }
    let services = entries.into_iter().filter(|(_, service)| service.is_mapping());
    services.filter_map(|(name, service)| Some(workload(name.text()?, service))).collect()
}

fn workload<'a>(name: &'a str, service: At<'a>) -> Workload<'a> {
    let object =
        Object { node: service, api_version: "compose", kind: "Service", namespace: None, name, template: None };
    Workload {
        platform: Platform::Compose,
        object,
        spec: service,
        annotations: None,
        resources: Resources::default(),
        containers: vec![container(name, service)],
        tmpfs: Vec::new(),
    }
}

fn container<'a>(name: &'a str, node: At<'a>) -> Container<'a> {
    let words = |key: &str| -> Vec<Word<'a>> {
        let Some(node) = node.get(key) else { return Vec::new() };
        if let Some(text) = node.text() {
            return vec![Word { node, text }];
        }
        node.items().filter_map(|node| Some(Word { node, text: node.text()? })).collect()
    };
    let of = |short: &str, long: &str| {
        let amount = node.get(short).or_else(|| node.path(&["deploy", "resources", long, "memory"]))?;
        Some(Amount { node: amount, text: amount.text()?, quantity: bytes(amount.text()?).map(Into::into) })
    };
    Container {
        node,
        kind: ContainerKind::App,
        name,
        // What is built here has no name that tells what is in it.
        image: node.text_of("image").or(Some("")),
        resources: Resources {
            node: None,
            memory_request: of("mem_reservation", "reservations"),
            memory_limit: of("mem_limit", "limits"),
            cpu_request: None,
            cpu_limit: None,
        },
        command: words("entrypoint"),
        arguments: words("command"),
        variables: node.get("environment").map(variables).unwrap_or_default(),
        variable_lists: Vec::new(),
        mounts: Vec::new(),
    }
}

/// A mapping of names and values, or a list of `NAME=value`; a name without a value is taken from the shell that runs
/// Compose.
fn variables(node: At<'_>) -> Vec<Variable<'_>> {
    fn given<'a>(name: &'a str, node: At<'a>, value: Option<&'a str>) -> Variable<'a> {
        Variable { name, node, source: value.map_or(VariableSource::Hidden, VariableSource::Value) }
    }
    if node.is_mapping() {
        let entries = node.entries().into_iter();
        return entries.filter_map(|(name, value)| Some(given(name.text()?, value, value.text()))).collect();
    }
    let items = node.items().filter_map(|item| Some((item, item.text()?)));
    items
        .map(|(item, text)| match text.split_once('=') {
            Some((name, value)) => given(name, item, Some(value)),
            None => given(text, item, None),
        })
        .collect()
}

/// `512m`, `1.5gb`, `1GiB`, `1073741824`.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be positive and finite")]
fn bytes(text: &str) -> Option<Bytes> {
    let number_end = text.find(|it: char| !it.is_ascii_digit() && it != '.').unwrap_or(text.len());
    let number: f64 = text[..number_end].parse().ok()?;
    let unit = text[number_end..].trim().to_ascii_lowercase();
    let power = match unit.trim_end_matches('b').trim_end_matches('i') {
        "" if !unit.starts_with('i') => 0,
        "k" => 1,
        "m" => 2,
        "g" => 3,
        "t" => 4,
        "p" => 5,
        _ => return None,
    };
    let bytes = number * 1024_f64.powi(power);
    (bytes.is_finite() && bytes < 1e18).then_some(Bytes(bytes as u64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::{Source, lint};

    #[test]
    fn amounts_are_dockers() {
        for (text, expected) in [
            ("512m", Some(512 << 20)),
            ("512M", Some(512 << 20)),
            ("512mb", Some(512 << 20)),
            ("1.5GiB", Some(3 << 29)),
            ("1073741824", Some(1 << 30)),
            ("64k", Some(64 << 10)),
            ("100b", Some(100)),
            ("many", None),
            ("1x", None),
            ("${LIMIT}", None),
        ] {
            assert_eq!(bytes(text), expected.map(Bytes), "{text}");
        }
    }

    fn rules(text: &str) -> Vec<(String, u32)> {
        let document = lint(&[Source { name: "compose.yaml".into(), text: text.to_owned() }]);
        assert_eq!(document.skipped, []);
        document.findings.into_iter().map(|it| (it.rule, it.region.line)).collect()
    }

    #[test]
    fn a_service_is_judged_by_the_rules_of_its_runtime_and_not_by_those_of_pods() {
        let text = "services:\n  orders:\n    image: registry/orders:1\n    mem_limit: 512m\n    environment:\n    - \
                    JAVA_TOOL_OPTIONS=-Xmx512m\n  web:\n    build: .\n    command: node --max-old-space-size=1024 server.js\n    \
                    deploy: {resources: {limits: {memory: 1g}}}\n";
        assert_eq!(rules(text), [("jvm-heap-ge-limit".to_owned(), 6), ("node-heap-ge-limit".to_owned(), 9)]);
        // A name without a value, a limit from a variable: nothing is guessed.
        let text = "services:\n  a:\n    image: a\n    mem_limit: ${LIMIT}\n    environment: [JAVA_TOOL_OPTIONS]\n";
        assert_eq!(rules(text), []);
    }

    #[test]
    fn an_object_with_services_of_its_own_is_no_compose_file() {
        let text = "apiVersion: example.dev/v1\nkind: Mesh\nmetadata: {name: a}\nservices: {a: {image: b}}\n";
        let document = lint(&[Source { name: "a.yaml".into(), text: text.to_owned() }]);
        assert_eq!((document.findings.len(), document.skipped.len()), (0, 1));
    }
}
