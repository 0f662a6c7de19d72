//! Docker Compose: services as containers. Their units are Docker's, not Kubernetes': `512m` is 512 MiB
//! (github.com/docker/go-units, size.go, RAMInBytes).

use super::container::{Mount, Variable, VariableSource, Word};
use super::{Amount, At, Build, Container, ContainerKind, Object, Platform, Resources, Tmpfs, Workload};
use crate::lint::runtime::image::Image;
use crate::units::Bytes;

/// Keys of a Compose file; Compose refuses any other that does not begin with `x-` (compose-spec, `compose-spec.json`).
const KEYS: [&str; 9] =
    ["version", "name", "include", "services", "networks", "volumes", "secrets", "configs", "models"];

/// The services of a Compose file; none of anything else. Told by shape: a mapping of services, each with an image or a
/// build, in what names no kind of Kubernetes and has no keys that Compose refuses: values of a chart have services too.
pub(super) fn services(node: At<'_>) -> Vec<Workload<'_>> {
    let Some(services) = node.get("services").filter(|it| it.is_mapping()) else { return Vec::new() };
    if node.get("kind").is_some() || node.get("apiVersion").is_some() {
        return Vec::new();
    }
    let is_key =
        |key: At<'_>| key.text().is_some_and(|key| key.starts_with("x-") || key == "<<" || KEYS.contains(&key));
    if !node.own_entries().all(|(key, _)| is_key(key)) {
        return Vec::new();
    }
    let entries = services.entries();
    let is_service = |it: At<'_>| it.is_mapping() && (it.get("image").is_some() || it.get("build").is_some());
    if !entries.iter().any(|(_, service)| is_service(*service)) {
        return Vec::new();
    }
    let services = entries.into_iter().filter(|(_, service)| service.is_mapping());
    services.filter_map(|(name, service)| Some(workload(name.text()?, service, &Layers::of(service, node)))).collect()
}

/// A service and what it extends: what the first says of a key counts.
#[derive(Debug, Clone)]
struct Layers<'a> {
    nodes: Vec<At<'a>>,
    /// The file that the last one extends, and that nobody reads here.
    elsewhere: Option<&'a str>,
}

/// Nobody extends what extends further.
const EXTENDED: usize = 8;

impl<'a> Layers<'a> {
    fn of(service: At<'a>, root: At<'a>) -> Self {
        let mut it = Self { nodes: vec![service], elsewhere: None };
        while let Some(extended) = it.nodes.last().and_then(|node| node.get("extends")) {
            it.elsewhere = extended.text_of("file");
            let name = extended.text().or_else(|| extended.text_of("service"));
            let base = name.and_then(|name| root.path(&["services", name]));
            let Some(base) = base.filter(|_| it.elsewhere.is_none() && it.nodes.len() < EXTENDED) else { break };
            it.nodes.push(base);
        }
        it
    }

    fn get(&self, key: &str) -> Option<At<'a>> {
        self.nodes.iter().find_map(|node| node.get(key))
    }

    /// What all of them give, the strongest last.
    fn all(&self, key: &str) -> impl Iterator<Item = At<'a>> {
        self.nodes.iter().rev().filter_map(move |node| node.get(key))
    }
}

/// A service as a second file changes it that Compose reads beside the first.
pub(super) fn overridden<'a>(it: &Workload<'a>, by: At<'a>) -> Workload<'a> {
    let (tree, start) = (it.spec.tree(), it.spec.span().start);
    let document = tree.documents.iter().find(|document| document.span.contains(start));
    let mut layers = Layers::of(it.spec, document.map_or(it.spec, |document| tree.root(document)));
    layers.nodes.insert(0, by);
    workload(it.object.name, it.spec, &layers)
}

fn workload<'a>(name: &'a str, service: At<'a>, layers: &Layers<'a>) -> Workload<'a> {
    let object =
        Object { node: service, api_version: "compose", kind: "Service", namespace: None, name, template: None };
    let tmpfs: Vec<Tmpfs<'a>> = layers.nodes.iter().flat_map(|node| tmpfs(*node)).collect();
    let mut container = container(name, service, layers);
    container.mounts =
        tmpfs.iter().map(|it| Mount { volume: it.name, path: it.name, read_only: false, node: it.node }).collect();
    Workload {
        platform: Platform::Compose,
        object,
        spec: service,
        annotations: None,
        resources: Resources::default(),
        containers: vec![container],
        volumes: Vec::new(),
        tmpfs,
    }
}

/// Files in memory, each named by where it is mounted: `tmpfs` (`/run` or `/run:size=64m,mode=755`), volumes of type
/// tmpfs, and `shm_size`, without which /dev/shm has 64 MiB.
fn tmpfs(service: At<'_>) -> Vec<Tmpfs<'_>> {
    fn amount<'a>(node: At<'a>, text: &'a str) -> Amount<'a> {
        Amount { node, text, quantity: bytes(text).map(Into::into) }
    }
    let list = service.get("tmpfs");
    let short = list.filter(|it| it.text().is_some()).into_iter().chain(list.into_iter().flat_map(At::items));
    let short = short.filter_map(|node| {
        let (name, options) = node.text().map(|text| text.split_once(':').unwrap_or((text, "")))?;
        let size = options.split(',').filter_map(|option| option.strip_prefix("size=")).next_back();
        Some(Tmpfs { name, node, medium: node, size_limit: size.map(|size| amount(node, size)) })
    });
    let long = service.get("volumes").into_iter().flat_map(At::items).filter_map(|node| {
        let medium = node.get("type").filter(|it| it.text() == Some("tmpfs"))?;
        let size = node.path(&["tmpfs", "size"]).and_then(|size| Some(amount(size, size.text()?)));
        Some(Tmpfs { name: node.text_of("target")?, node, medium, size_limit: size })
    });
    let shared = service.get("shm_size").and_then(|node| {
        let size_limit = Some(amount(node, node.text()?));
        Some(Tmpfs { name: "/dev/shm", node, medium: node, size_limit })
    });
    short.chain(long).chain(shared).collect()
}

fn container<'a>(name: &'a str, node: At<'a>, layers: &Layers<'a>) -> Container<'a> {
    let words = |key: &str| -> Vec<Word<'a>> {
        let Some(node) = layers.get(key) else { return Vec::new() };
        if let Some(text) = node.text() {
            return vec![Word { node, text }];
        }
        node.items().filter_map(|node| Some(Word { node, text: node.text()? })).collect()
    };
    let of = |short: &str, long: &str| {
        let own = |node: &At<'a>| node.get(short).or_else(|| node.path(&["deploy", "resources", long, "memory"]));
        amount(layers.nodes.iter().find_map(own)?)
    };
    let mut lists: Vec<(bool, &str, &str)> = layers.all("env_file").flat_map(files).collect();
    // What that file sets is not known.
    lists.extend(layers.elsewhere.map(|file| (false, file, "")));
    Container {
        node,
        kind: ContainerKind::App,
        name,
        // What is built here has no name that tells what is in it.
        image: Some(Image::read(layers.get("image").and_then(At::text).unwrap_or_default())),
        build: layers.get("build").and_then(build),
        resources: Resources {
            node: None,
            memory_request: of("mem_reservation", "reservations"),
            memory_limit: of("mem_limit", "limits"),
            cpu_request: None,
            cpu_limit: None,
        },
        command: words("entrypoint"),
        arguments: words("command"),
        variables: layers.all("environment").flat_map(variables).collect(),
        variable_lists: lists,
        is_open: layers.elsewhere.is_some(),
        defaults: layers.nodes.iter().flat_map(|node| defaults(*node)).collect(),
        mounts: Vec::new(),
    }
}

/// `${NAME:-512m}`: the name, and what Compose puts in where the shell that runs it does not set it.
pub(in crate::lint) fn default(text: &str) -> Option<(&str, &str)> {
    let inside = text.strip_prefix("${")?.strip_suffix('}')?;
    let (name, value) = inside.split_once('-')?;
    let name = name.strip_suffix(':').unwrap_or(name);
    let is_name = !name.is_empty() && name.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'_');
    (is_name && !value.contains(['$', '}'])).then_some((name, value))
}

/// Names of variables with a default in what rules look at.
fn defaults(node: At<'_>) -> Vec<&str> {
    let keys = ["mem_limit", "mem_reservation", "deploy", "environment", "command", "entrypoint"];
    let texts = keys.iter().filter_map(|key| Some(node.get(key)?.source()));
    let pieces = texts.flat_map(|text| text.match_indices("${").map(move |(at, _)| &text[at..]));
    let whole = pieces.filter_map(|piece| piece.find('}').map(|end| &piece[..=end]));
    whole.filter_map(default).map(|(name, _)| name).collect()
}

/// Files of variables, which are not in the input: a name, several, or mappings with a path.
fn files(node: At<'_>) -> Vec<(bool, &str, &str)> {
    let several = node.items().filter_map(|item| item.text().or_else(|| item.text_of("path")));
    node.text().into_iter().chain(several).map(|name| (false, name, "")).collect()
}

/// A folder, or a mapping that names one. What is fetched from elsewhere is not in the input, nor is what is written down
/// in the file itself (`dockerfile_inline`).
fn build(node: At<'_>) -> Option<Build<'_>> {
    let context = node.text().or_else(|| node.is_mapping().then(|| node.text_of("context").unwrap_or(".")))?;
    let is_given = |it: At<'_>| it.items().next().is_some() || it.own_entries().next().is_some();
    let is_elsewhere = context.contains("://") || context.starts_with("git@") || context.contains('$');
    (!is_elsewhere && node.get("dockerfile_inline").is_none()).then(|| Build {
        context,
        dockerfile: node.text_of("dockerfile").unwrap_or("Dockerfile"),
        target: node.text_of("target"),
        has_arguments: node.get("args").is_some_and(is_given),
    })
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

/// An amount of Docker's.
pub(in crate::lint) fn amount(node: At<'_>) -> Option<Amount<'_>> {
    let text = node.text().map(|text| default(text).map_or(text, |(_, value)| value))?;
    Some(Amount { node, text, quantity: bytes(text).map(Into::into) })
}

/// `512m`, `1.5gb`, `1GiB`, `1073741824`.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be positive and finite")]
fn bytes(text: &str) -> Option<Bytes> {
    let number_end = text.find(|it: char| !it.is_ascii_digit() && it != '.').unwrap_or(text.len());
    let number: f64 = text[..number_end].parse().ok()?;
    let unit = text[number_end..].trim().to_ascii_lowercase();
    // `kb` and `kib`, and no `Ki` (`parseSize`).
    let letter = unit.strip_suffix("ib").or_else(|| unit.strip_suffix('b')).unwrap_or(&unit);
    let power = match letter {
        "" if unit != "ib" => 0,
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
            ("512Mi", None),
            ("1ib", None),
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
    fn what_a_file_of_variables_sets_is_not_known() {
        let of = |more: &str| rules(&format!("services:\n  a:\n    image: golang:1.26\n    mem_limit: 256m\n{more}"));
        assert_eq!(of(""), [("go-memlimit-missing".to_owned(), 3)]);
        for files in [".env", "[a.env, b.env]", "[{path: a.env, required: false}]"] {
            assert_eq!(of(&format!("    env_file: {files}\n")), [], "{files}");
        }
    }

    #[test]
    fn files_in_memory_are_bounded_by_a_size_and_by_nothing_else() {
        let of = |mounts: &str| rules(&format!("services:\n  a:\n    image: a\n    mem_limit: 256m\n{mounts}"));
        let found = |line: u32| vec![("tmpfs-unbounded".to_owned(), line)];
        assert_eq!(of("    tmpfs: /run\n"), found(5));
        assert_eq!(of("    tmpfs:\n    - /run:size=64m\n    - /tmp:mode=755\n"), found(7));
        assert_eq!(of("    tmpfs: [\"/run:mode=755,size=512m\"]\n"), found(5));
        assert_eq!(of("    volumes:\n    - {type: tmpfs, target: /run}\n    - data:/data\n"), found(6));
        assert_eq!(of("    volumes:\n    - {type: tmpfs, target: /run, tmpfs: {size: 1048576}}\n"), []);
        assert_eq!(of("    shm_size: 1gb\n"), found(5));
        assert_eq!(of("    shm_size: 64m\n    tmpfs: [\"/run:size=${SIZE}\"]\n"), []);
    }

    #[test]
    fn values_of_a_chart_with_services_are_no_compose_file() {
        let of = |more: &str| {
            let text = format!("{more}services:\n  a: {{image: b}}\n");
            lint(&[Source { name: "values.yaml".into(), text }]).findings.len()
        };
        assert_eq!((of("replicaCount: 1\n"), of("x-common: {a: 1}\nname: shop\n")), (0, 1));
    }

    #[test]
    fn an_object_with_services_of_its_own_is_no_compose_file() {
        let text = "apiVersion: example.dev/v1\nkind: Mesh\nmetadata: {name: a}\nservices: {a: {image: b}}\n";
        let document = lint(&[Source { name: "a.yaml".into(), text: text.to_owned() }]);
        assert_eq!((document.findings.len(), document.skipped.len()), (0, 1));
    }
}
