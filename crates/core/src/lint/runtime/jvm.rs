//! HotSpot: which flags reach it, and what they come to under a limit.

use super::image::Image;
use crate::budget::jvm::{self, Caps, Collector, Percentages};
use crate::lint::program::{Part, Set, Value};
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
    "JVMFLAGS",
    "SERVER_JVMFLAGS",
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
        let is_flag = |part: &Part<'a>| is_flag(part.text);
        let of = |name: &str| -> Vec<Part<'a>> {
            program.variable(name).into_iter().flat_map(Set::words).filter(is_flag).collect()
        };
        let image = subject.container.image.map(Image::read);
        let jdk = image.filter(|image| JDK.contains(&image.name) || image.path.contains("distroless/java"));
        let line: Vec<Part<'a>> = program.words.iter().filter(|word| is_flag(word)).cloned().collect();
        let starts_java = program.runs("java");
        // JAVA_TOOL_OPTIONS comes before the command line, the launcher puts JDK_JAVA_OPTIONS in front of it (JDK 9), and
        // _JAVA_OPTIONS comes last (`src/hotspot/share/runtime/arguments.cpp`, `parse_vm_init_args`).
        let mut flags = of("JAVA_TOOL_OPTIONS");
        let version = jdk.map(|image| java_version(&image));
        let major = version.as_ref().and_then(|version| version.first().copied());
        if major.is_none_or(|major| major >= 9) {
            flags.extend(of("JDK_JAVA_OPTIONS"));
        }
        let (mut unread, mut scripted) = (Vec::new(), Vec::new());
        for name in SCRIPTED {
            let parts = of(name);
            let handed_on = line.iter().any(|part| part.from == Some(name));
            if parts.is_empty() || handed_on {
                continue;
            }
            if starts_java && program.has_command && !mentions(program, name) {
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
        // What another command in such an image does nobody knows.
        let by_image = jdk.is_some() && !program.has_command;
        let is_jvm = starts_java || by_image || !flags.is_empty() || !unread.is_empty();
        let read = ["JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS"].into_iter().chain(SCRIPTED);
        let unknown = read.filter_map(|name| program.variable(name)).filter(|set| set.value == Value::Unknown);
        let hidden = program.hidden.iter().copied().chain(unknown.map(|set| set.name)).collect();
        let version = version.filter(|version| !version.is_empty());
        is_jvm.then_some(Self { flags, unread, version, scripted, hidden })
    }

    /// The last flag that begins so, and what follows.
    pub(crate) fn last(&self, prefixes: &[&str]) -> Option<Given<'a, &'a str>> {
        self.flags.iter().rev().find_map(|part| {
            let value = prefixes.iter().find_map(|prefix| part.text.strip_prefix(prefix))?;
            Some(Given { value, part: part.clone() })
        })
    }

    /// A size in bytes.
    pub(crate) fn size(&self, prefixes: &[&str]) -> Option<Given<'a, Bytes>> {
        let it = self.last(prefixes)?;
        Some(Given { value: Bytes(size(it.value)?), part: it.part })
    }

    /// `-Xmx` in any of its spellings.
    pub(crate) fn max_heap(&self) -> Option<Given<'a, Bytes>> {
        self.size(&["-Xmx", "-XX:MaxHeapSize="]).filter(|it| it.value.0 > 0)
    }

    /// `-XX:MaxRAMPercentage`, or the fraction that it replaced.
    pub(crate) fn percentage(&self) -> Option<Given<'a, f64>> {
        let as_number = |it: Given<'a, &'a str>| Some(Given { value: it.value.parse::<f64>().ok()?, part: it.part });
        let percentage = self.last(&["-XX:MaxRAMPercentage="]).and_then(as_number);
        percentage.or_else(|| {
            let fraction = self.last(&["-XX:MaxRAMFraction="]).and_then(as_number).filter(|it| it.value >= 1.0)?;
            Some(Given { value: 100.0 / fraction.value, part: fraction.part })
        })
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
        scripted.chain(unseen).chain(["no other flags are set inside of the image".to_owned()]).collect()
    }
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
    ["-Xmx", "-Xms", "-Xmn", "-Xss", "-XX:", "-Xlog:", "-Xshare:"].iter().any(|prefix| text.starts_with(prefix))
}

/// A script of the command line speaks of a variable.
fn mentions(program: &crate::lint::Program<'_>, name: &str) -> bool {
    program.words.iter().any(|word| word.text.contains(name)) || program.runs("sh") || program.runs("bash")
}
