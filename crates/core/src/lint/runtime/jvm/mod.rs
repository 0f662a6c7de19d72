//! HotSpot: which flags reach it, and what they come to under a limit.

use std::borrow::Cow;

use super::image::Image;
use crate::budget::jvm::{self, Caps, Collector, Percentages};
use crate::lint::program::{Part, Program, Set, Value, locate};
use crate::lint::subject::Subject;
use crate::runtime::flags::size;
use crate::units::Bytes;

/// Images that are a JDK or JRE and nothing else: their tag is the version of Java.
const JDK: [&str; 16] = [
    "eclipse-temurin",
    "openjdk",
    "amazoncorretto",
    "corretto",
    "zulu-openjdk",
    "zulu-openjdk-alpine",
    "liberica-openjdk-debian",
    "liberica-openjdk-alpine",
    "liberica-openjre-alpine",
    "liberica-openjre-debian",
    "liberica-runtime-container",
    "sapmachine",
    "adoptopenjdk",
    "microsoft-openjdk",
    "java",
    "jdk",
];

/// Variables that only a start script hands on to the JVM.
pub(crate) const SCRIPTED: [&str; 24] = [
    "JAVA_OPTS",
    "JAVA_OPTIONS",
    "JAVA_ARGS",
    "JAVA_OPTS_APPEND",
    "JAVA_OPTS_KC_HEAP",
    "JAVA_TOOL_OPTS",
    "JVM_OPTS",
    "JVM_ARGS",
    // ZooKeeper puts its own JVMFLAGS behind these (`bin/zkServer.sh`, 3.4 to 3.9).
    "SERVER_JVMFLAGS",
    "JVMFLAGS",
    "CATALINA_OPTS",
    "ES_JAVA_OPTS",
    "OPENSEARCH_JAVA_OPTS",
    "CLI_JAVA_OPTS",
    "LS_JAVA_OPTS",
    "KAFKA_HEAP_OPTS",
    "KAFKA_OPTS",
    "SOLR_JAVA_MEM",
    "JENKINS_JAVA_OPTS",
    "INSTALL4J_ADD_VM_PARAMS",
    "SPARK_DAEMON_JAVA_OPTS",
    "HADOOP_OPTS",
    "MAVEN_OPTS",
    "GRADLE_OPTS",
];

/// A variable that a server's start script makes `-Xmx` of, in front of the flags that it is given.
struct HeapVariable {
    /// The name that the server's image and its start script have.
    image: &'static str,
    script: &'static str,
    name: &'static str,
    /// The unit that the script puts behind the number.
    unit: &'static str,
}

/// `conf/cassandra-env.sh` (Cassandra 3.0 to 5.0): `-Xmx${MAX_HEAP_SIZE}`, unless the flags hold one; HEAP_NEWSIZE is a
/// part of that heap. `bin/zkEnv.sh` (ZooKeeper 3.5 to 3.9): `-Xmx${ZK_SERVER_HEAP}m $SERVER_JVMFLAGS`.
/// `bin/solr` (Solr 5 to 9): `-Xms$SOLR_HEAP -Xmx$SOLR_HEAP`. Neo4j's image writes its setting into `neo4j.conf`, which
/// its launcher makes `-Xmx` of (`docker-image-src`, 4 and 5).
const HEAP_VARIABLES: [HeapVariable; 5] = [
    HeapVariable { image: "solr", script: "solr", name: "SOLR_HEAP", unit: "" },
    HeapVariable { image: "neo4j", script: "neo4j", name: "NEO4J_server_memory_heap_max__size", unit: "" },
    HeapVariable { image: "neo4j", script: "neo4j", name: "NEO4J_dbms_memory_heap_max__size", unit: "" },
    HeapVariable { image: "cassandra", script: "cassandra", name: "MAX_HEAP_SIZE", unit: "" },
    HeapVariable { image: "zookeeper", script: "zkServer.sh", name: "ZK_SERVER_HEAP", unit: "m" },
];

/// A JVM as a container starts it.
#[derive(Debug)]
pub(crate) struct Jvm<'a> {
    /// Its flags in the order in which it reads them: the last one of a kind counts.
    pub flags: Vec<Part<'a>>,
    /// Flags in a variable that nothing hands on: `java` is started by itself.
    pub unread: Vec<Part<'a>>,
    /// Java's version, where the image says it.
    pub version: Option<Vec<u32>>,
    /// Variables of start scripts that were taken to be handed on.
    pub scripted: Vec<&'a str>,
    /// The heap's maximum as a start script's own variable gives it, where no flag does.
    heap_variable: Option<Given<'a, Bytes>>,
    /// The heap's share as a start script's own variable gives it, where no flag does.
    ratio: Option<Given<'a, f64>>,
    /// What is taken for granted of the image itself; nothing where the input says what it starts, and that is java.
    inside: Option<&'static str>,
    /// Config maps, secrets and variables whose contents are not in the input, and which may hold flags.
    pub hidden: Vec<&'a str>,
}

/// A flag's value, with the flag.
#[derive(Debug, Clone)]
pub(crate) struct Given<'a, T> {
    pub value: T,
    pub part: Part<'a>,
}

impl<'a> Jvm<'a> {
    /// The JVM of a container; none where nothing speaks of one.
    pub(crate) fn read(subject: &Subject<'_, 'a>) -> Option<Self> {
        let program = subject.program;
        let is_flag = |part: &Part<'a>| is_flag(&part.text);
        let of = |name: &str| -> Vec<Part<'a>> {
            program.variable(name).into_iter().flat_map(Set::words).filter(is_flag).collect()
        };
        let image = subject.container.image.map(Image::read);
        let jdk = image.filter(|image| JDK.contains(&image.name) || image.path.contains("distroless/java"));
        let line: Vec<Part<'a>> = program.words.iter().filter(|word| is_flag(word)).cloned().collect();
        let starts_java = program.runs("java");
        // JAVA_TOOL_OPTIONS comes before the command line, the launcher puts JDK_JAVA_OPTIONS in front of it (JDK 9), and
        // _JAVA_OPTIONS comes last (`src/hotspot/share/runtime/arguments.cpp`, `parse_vm_init_args`).
        let mut flags = of_files(subject);
        flags.extend(of("JAVA_TOOL_OPTIONS"));
        let version = jdk.map(|image| java_version(&image));
        let major = version.as_ref().and_then(|version| version.first().copied());
        // OpenJ9 reads these too (eclipse-openj9/openj9-docs, "OPENJ9_JAVA_OPTIONS"; its former name still counts).
        flags.extend(["IBM_JAVA_OPTIONS", "OPENJ9_JAVA_OPTIONS"].into_iter().flat_map(of));
        if major.is_none_or(|major| major >= 9) {
            flags.extend(of("JDK_JAVA_OPTIONS"));
        }
        let (mut unread, mut scripted) = (Vec::new(), Vec::new());
        // An image that is a JDK and nothing else has no entry point that reads more than the JVM does.
        let is_bare = program.has_command || jdk.is_some();
        for name in SCRIPTED {
            let parts = of(name);
            let handed_on = line.iter().any(|part| part.from == Some(name));
            if parts.is_empty() || handed_on {
                continue;
            }
            if starts_java && is_bare && !mentions(program, name) {
                unread.extend(parts);
            } else {
                if let Some(set) = program.variable(name) {
                    scripted.push(set.name);
                }
                flags.extend(parts);
            }
        }
        flags.extend(line);
        flags.extend(of("_JAVA_OPTIONS"));
        let heap_variable = heap_variable(subject);
        if let Some(name) = heap_variable.as_ref().and_then(|it| it.part.from) {
            scripted.push(name);
        }
        // What another command in such an image does nobody knows.
        let by_image = jdk.is_some() && !program.has_command;
        let ratio = ratio(subject).filter(|_| !(starts_java && is_bare));
        if let Some(name) = ratio.as_ref().and_then(|it| it.part.from) {
            scripted.push(name);
        }
        let is_jvm = starts_java
            || by_image
            || heap_variable.is_some()
            || ratio.is_some()
            || !flags.is_empty()
            || !unread.is_empty();
        let read = ["JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS"].into_iter().chain(SCRIPTED);
        let unknown = read.filter_map(|name| program.variable(name)).filter(|set| set.value == Value::Unknown);
        let hidden = program.hidden.iter().copied().chain(unknown.map(|set| set.name)).collect();
        let version = version.filter(|version| !version.is_empty());
        let inside = match program.has_image {
            true if starts_java => None,
            true => Some("the image's start script adds no flags"),
            false => Some("no other flags are set inside of the image"),
        };
        is_jvm.then_some(Self { flags, unread, version, scripted, heap_variable, ratio, inside, hidden })
    }

    /// The last flag that begins so, and what follows.
    pub(crate) fn last(&self, prefixes: &[&str]) -> Option<Given<'a, String>> {
        self.flags.iter().rev().find_map(|part| {
            let value = prefixes.iter().find_map(|prefix| part.text.strip_prefix(prefix))?;
            Some(Given { value: value.to_owned(), part: part.clone() })
        })
    }

    /// A size in bytes.
    pub(crate) fn size(&self, prefixes: &[&str]) -> Option<Given<'a, Bytes>> {
        let it = self.last(prefixes)?;
        Some(Given { value: Bytes(size(&it.value)?), part: it.part })
    }

    /// `-Xmx` in any of its spellings, or what a start script makes one of.
    pub(crate) fn max_heap(&self) -> Option<Given<'a, Bytes>> {
        let by_flag = self.size(&["-Xmx", "-XX:MaxHeapSize="]).filter(|it| it.value.0 > 0);
        by_flag.or_else(|| self.heap_variable.clone())
    }

    /// `-XX:MaxRAMPercentage`, or the fraction that it replaced.
    pub(crate) fn percentage(&self) -> Option<Given<'a, f64>> {
        let as_number = |it: Given<'a, String>| Some(Given { value: it.value.parse::<f64>().ok()?, part: it.part });
        let percentage = self.last(&["-XX:MaxRAMPercentage="]).and_then(as_number);
        let percentage = percentage.or_else(|| {
            let fraction = self.last(&["-XX:MaxRAMFraction="]).and_then(as_number).filter(|it| it.value >= 1.0)?;
            Some(Given { value: 100.0 / fraction.value, part: fraction.part })
        });
        percentage.or_else(|| self.ratio.clone())
    }

    /// A flag is switched on (true) or off by the last one that names it.
    pub(crate) fn switch(&self, name: &str) -> Option<bool> {
        self.flags.iter().rev().find_map(|part| {
            let it = part.text.strip_prefix("-XX:")?;
            (it.get(1..) == Some(name)).then(|| it.starts_with('+'))
        })
    }

    /// The heap's maximum under a limit, and the flag that says it, if one does.
    pub(crate) fn heap(&self, limit: Bytes) -> (Bytes, Option<Part<'a>>) {
        if let Some(given) = self.max_heap() {
            return (given.value, Some(given.part));
        }
        let seen = self.size(&["-XX:MaxRAM="]).map_or(limit, |it| it.value.min(limit));
        let percentage = self.percentage();
        let least = self.last(&["-XX:MinRAMPercentage="]).and_then(|it| it.value.parse().ok());
        let usual = Percentages::default();
        let percentages =
            Percentages { max: percentage.as_ref().map_or(usual.max, |it| it.value), min: least.unwrap_or(usual.min) };
        (jvm::default_heap(seen, percentages), percentage.map(|it| it.part))
    }

    /// The collector that it will choose.
    pub(crate) fn collector(&self, limit: Bytes, cpus: u32) -> Collector {
        let asked = [
            ("UseSerialGC", Collector::Serial),
            ("UseParallelGC", Collector::Parallel),
            ("UseG1GC", Collector::G1),
            ("UseZGC", Collector::Z),
            ("UseShenandoahGC", Collector::Shenandoah),
        ];
        let asked = asked.into_iter().find(|(name, _)| self.switch(name) == Some(true));
        asked.map_or_else(|| jvm::default_collector(limit, cpus), |(_, collector)| collector)
    }

    /// What its flags cap.
    pub(crate) fn caps(&self, limit: Bytes) -> Caps {
        let of = |name: &str| self.size(&[name]).map(|it| it.value).filter(|bytes| bytes.0 > 0);
        Caps {
            heap: self.heap(limit).0,
            metaspace: of("-XX:MaxMetaspaceSize="),
            code_cache: of("-XX:ReservedCodeCacheSize="),
            direct: of("-XX:MaxDirectMemorySize="),
            stack: of("-Xss").or_else(|| self.last(&["-XX:ThreadStackSize="])?.value.parse().ok().map(Bytes::kib)),
            threads: None,
        }
    }

    /// What was taken for granted to know its flags.
    pub(crate) fn assumed(&self) -> Vec<String> {
        let scripted = self.scripted.iter().map(|name| format!("the image's start script hands {name} to the JVM"));
        let unseen = self.hidden.iter().map(|name| format!("`{name}`, which is not in the input, sets no flag"));
        scripted.chain(unseen).chain(self.inside.map(str::to_owned)).collect()
    }
}

/// Flags of mounted files that launchers read, a line each: `jvm.options` and what lies beside it (Elasticsearch,
/// OpenSearch, Logstash, Cassandra), `jvm.config` (Trino). Whatever else is given comes behind them.
fn of_files<'a>(subject: &Subject<'_, 'a>) -> Vec<Part<'a>> {
    let is_read = |name: &str| name.ends_with(".options") || name == "jvm.config";
    let files = subject.files().into_iter().filter(|(name, _)| is_read(name));
    let lines = files.flat_map(|(_, node)| node.text().unwrap_or("").lines().map(move |line| (node, line.trim())));
    let flags = lines.filter(|(_, line)| is_flag(line));
    flags
        .map(|(node, line)| Part { text: Cow::Borrowed(line), place: locate(node, line), from: None, starts: false })
        .collect()
}

fn heap_variable<'a>(subject: &Subject<'_, 'a>) -> Option<Given<'a, Bytes>> {
    let mut known = HEAP_VARIABLES.iter().filter(|it| subject.is(&[it.image], &[it.script]));
    known.find_map(|it| {
        let set = subject.program.variable(it.name)?;
        let text = set.text()?;
        let value = size(&format!("{}{}", text.trim(), it.unit)).map(Bytes).filter(|bytes| bytes.0 > 0)?;
        Some(Given { value, part: set.words().into_iter().next()? })
    })
}

/// `JAVA_MAX_MEM_RATIO` of Red Hat's images, which their script makes `-XX:MaxRAMPercentage` of; 0 switches it off
/// (jboss-openshift/cct_module, `jboss/container/java/jvm/bash`, `java-default-options`).
fn ratio<'a>(subject: &Subject<'_, 'a>) -> Option<Given<'a, f64>> {
    let set = subject.program.variable("JAVA_MAX_MEM_RATIO")?;
    let value: f64 = set.text()?.trim().parse().ok().filter(|ratio| *ratio > 0.0)?;
    Some(Given { value, part: set.words().into_iter().next()? })
}

/// CPUs that the JVM sees: its limit, rounded up; the node's, taken to be at least two, without one.
pub(crate) fn cpus(subject: &Subject<'_, '_>) -> u32 {
    let limit = subject.container.resources.cpu_limit.or(subject.scene.workload.resources.cpu_limit);
    let cpus = limit.and_then(|limit| limit.quantity).map(|quantity| quantity.bytes().0).filter(|cpus| *cpus > 0);
    cpus.and_then(|cpus| u32::try_from(cpus).ok()).unwrap_or(2)
}

/// `1.8` is 8.
fn java_version(image: &Image<'_>) -> Vec<u32> {
    let mut version = match image.path.split("distroless/java").nth(1) {
        Some(rest) => rest.chars().take_while(char::is_ascii_digit).collect::<String>().parse().into_iter().collect(),
        None => image.version(),
    };
    if version.first() == Some(&1) && version.len() > 1 {
        version.remove(0);
    }
    version
}

/// A flag of HotSpot; `-XPOST` is one of curl.
fn is_flag(text: &str) -> bool {
    let sized = ["-Xmx", "-Xms", "-Xmn", "-Xss"].iter().find_map(|prefix| text.strip_prefix(prefix));
    sized.is_some_and(|size| size.starts_with(|it: char| it.is_ascii_digit() || it == '$'))
        || ["-XX:", "-Xlog:", "-Xshare:"].iter().any(|prefix| text.starts_with(prefix))
}

/// A script of the command line speaks of a variable, or is not in the input.
fn mentions(program: &Program<'_>, name: &str) -> bool {
    let shell = ["sh", "bash", "ash", "dash"].iter().find_map(|name| program.started(name));
    let Some(shell) = shell else { return false };
    let behind = program.words.iter().skip_while(|word| *word != shell);
    let is_inline = behind.skip(1).take(2).any(|word| word.text.starts_with('-') && word.text.ends_with('c'));
    !is_inline || program.words.iter().any(|word| word.text.contains(name))
}

#[cfg(test)]
mod tests {
    use crate::lint::{Level, Source, lint};

    /// Rule and column of what is at least a warning.
    fn rules(image: &str, environment: &str) -> Vec<(String, u32)> {
        let text =
            format!("services:\n  db:\n    image: {image}\n    mem_limit: 1g\n    environment: {{{environment}}}\n");
        let document = lint(&[Source { name: "compose.yaml".into(), text }]);
        let findings = document.findings.into_iter().filter(|it| it.level > Level::Info);
        findings.map(|it| (it.rule, it.region.column)).collect()
    }

    #[test]
    fn flags_of_a_mounted_file_count_unless_a_variable_comes_behind() {
        let found = |environment: &str| {
            let text = format!(
                "kind: ConfigMap\napiVersion: v1\nmetadata: {{name: c}}\ndata:\n  heap.options: |\n    # half\n    \
                 -Xms3g\n    -Xmx3g\n---\nkind: Pod\napiVersion: v1\nmetadata: {{name: a}}\nspec:\n  volumes: [{{name: c, \
                 configMap: {{name: c}}}}]\n  containers:\n  - name: es\n    image: elasticsearch:8.15.0\n    \
                 volumeMounts: [{{name: c, mountPath: /usr/share/elasticsearch/config/jvm.options.d}}]\n    \
                 resources: {{requests: {{memory: 4Gi}}, limits: {{memory: 4Gi}}}}\n    env: [{environment}]\n"
            );
            let document = lint(&[Source { name: "a.yaml".into(), text }]);
            let findings = document.findings.into_iter().filter(|it| it.level > Level::Info);
            findings.map(|it| (it.rule, it.region.line)).collect::<Vec<_>>()
        };
        assert_eq!(found(""), [("es-heap".to_owned(), 8)]);
        assert_eq!(found("{name: ES_JAVA_OPTS, value: -Xmx2g}"), []);
    }

    #[test]
    fn a_start_scripts_own_variable_is_the_heap_unless_a_flag_says_otherwise() {
        let whole = |column: u32| vec![("jvm-heap-ge-limit".to_owned(), column)];
        assert_eq!(rules("cassandra:5", "MAX_HEAP_SIZE: 1G"), whole(34));
        assert_eq!(rules("bitnami/zookeeper:3.9", "ZK_SERVER_HEAP: 1024"), whole(35));
        assert_eq!(rules("cassandra:5", "MAX_HEAP_SIZE: 1G, JVM_OPTS: -Xmx256m"), []);
        assert_eq!(rules("solr:9", "SOLR_HEAP: 1g"), whole(30));
        assert_eq!(rules("neo4j:5", "NEO4J_server_memory_heap_max__size: 1G"), whole(55));
        assert_eq!(rules("cassandra:5", "MAX_HEAP_SIZE: 256M, HEAP_NEWSIZE: 64M"), []);
        // Another image's variable of this name means what that image makes of it.
        assert_eq!(rules("registry/app:1", "MAX_HEAP_SIZE: 1G"), []);
        assert_eq!(rules("ubi8/openjdk-21:1.20", "JAVA_MAX_MEM_RATIO: \"100\""), whole(40));
        assert_eq!(rules("ubi8/openjdk-21:1.20", "JAVA_MAX_MEM_RATIO: \"0\""), []);
        assert_eq!(rules("semeru:21", "OPENJ9_JAVA_OPTIONS: -Xmx1g"), whole(40));
        assert_eq!(rules("zookeeper:3.9", "JVMFLAGS: -Xmx256m, SERVER_JVMFLAGS: -Xmx2g"), []);
    }
}
