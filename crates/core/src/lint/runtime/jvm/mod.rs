//! HotSpot: which flags reach it, and what they come to under a limit.

pub(crate) mod fit;
mod heap_variable;
mod launcher;
mod refused;
mod room;
mod said;

use std::borrow::Cow;

use super::image::Image;
use crate::budget::jvm::{self, Caps, Collector, Percentages};
use crate::budget::percent;
use crate::lint::expansion::is_open;
use crate::lint::program::{Part, Program, Value, locate};
use crate::lint::script::{is_shell, is_start_script};
use crate::lint::subject::Subject;
use crate::units::Bytes;
use launcher::Line;
pub(crate) use refused::Refused;
pub(crate) use room::Room;
use said::Said;

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
pub(crate) const SCRIPTED: [&str; 31] = [
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
    "PULSAR_MEM",
    "BOOKIE_MEM",
    "SCHEMA_REGISTRY_HEAP_OPTS",
    "KSQL_HEAP_OPTS",
    "GRAYLOG_SERVER_JAVA_OPTS",
    "SONAR_SEARCH_JAVAOPTS",
    "HEAP_OPTS",
];

/// Variables that a JVM reads by itself.
const READ: [&str; 5] =
    ["JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS", "IBM_JAVA_OPTIONS", "OPENJ9_JAVA_OPTIONS"];

/// From this share of the limit on, in percent, a heap leaves nothing for the rest of the JVM, whatever the limit.
const WHOLE: f64 = 95.0;

/// A JVM as a container starts it.
#[derive(Debug)]
pub(crate) struct Jvm<'a> {
    /// Its flags in the order in which it reads them: the last one of a kind counts.
    pub flags: Vec<Part<'a>>,
    /// Flags in a variable that nothing hands on: `java` is started by itself.
    pub unread: Vec<Part<'a>>,
    /// Flags behind the program that `java` starts: arguments of that program.
    pub behind: Vec<Part<'a>>,
    /// Java's version, where the image says it.
    pub version: Option<Vec<u32>>,
    /// Variables of start scripts that were taken to be handed on.
    pub scripted: Vec<&'a str>,
    /// What its flags come to.
    said: Said<'a>,
    /// What is taken for granted of the image itself; nothing where the input says what it starts, and that is java.
    inside: Option<&'static str>,
    /// Config maps, secrets and variables whose contents are not in the input, and which may hold flags.
    pub hidden: Vec<&'a str>,
    /// Words of the command line that stand for flags which are not in the input: `@file`, `$(cat file)`.
    is_open: bool,
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
        let is_flag = |part: &Part<'a>| is_flag(&part.text) || is_bare_size(&part.text);
        let of = |name: &str| -> Vec<Part<'a>> {
            let Some(set) = program.variable(name) else { return Vec::new() };
            set.words().into_iter().filter(is_flag).collect()
        };
        let image = subject.container.image;
        let jdk = image.filter(|image| JDK.contains(&image.name) || image.path.contains("distroless/java"));
        let Line { flags: line, behind, is_open } = launcher::read(&program.words);
        let starts_java = program.runs("java");
        // JAVA_TOOL_OPTIONS comes before the command line, the launcher puts JDK_JAVA_OPTIONS in front of it (JDK 9), and
        // _JAVA_OPTIONS comes last (`src/hotspot/share/runtime/arguments.cpp`, `parse_vm_init_args`).
        let mut flags = of_files(subject);
        flags.extend(of("JAVA_TOOL_OPTIONS"));
        // What a team calls so has a version of its own.
        let is_own = |image: &Image<'_>| matches!(image.name, "java" | "jdk") && image.is_somebodys();
        let version = jdk.filter(|image| !is_own(image)).map(|image| java_version(&image));
        let major = version.as_ref().and_then(|version| version.first().copied());
        // OpenJ9 reads these too (eclipse-openj9/openj9-docs, "OPENJ9_JAVA_OPTIONS"; its former name still counts).
        flags.extend(["IBM_JAVA_OPTIONS", "OPENJ9_JAVA_OPTIONS"].into_iter().flat_map(of));
        if major.is_none_or(|major| major >= 9) {
            flags.extend(of("JDK_JAVA_OPTIONS"));
        }
        let (mut unread, mut scripted) = (Vec::new(), Vec::new());
        // An image that is a JDK and nothing else has no entry point that reads more than the JVM does.
        let is_bare = program.has_command || jdk.is_some();
        for name in heap_variable::unnamed(program, &READ).into_iter().chain(SCRIPTED) {
            let parts = of(name);
            if parts.is_empty() || line.iter().chain(&behind).any(|part| part.from == Some(name)) {
                continue;
            }
            if starts_java && is_bare && !mentions(program, name, &parts) {
                // What a program makes of a variable that is its own nobody knows.
                unread.extend(parts.into_iter().filter(|_| SCRIPTED.contains(&name)));
            } else {
                if let Some(set) = program.variable(name) {
                    scripted.push(set.name);
                }
                flags.extend(parts);
            }
        }
        flags.extend(line);
        flags.extend(of("_JAVA_OPTIONS"));
        // What also comes in by another way is read: `JAVA_TOOL_OPTIONS: $(JAVA_OPTS)`.
        unread.retain(|part| !flags.iter().any(|flag| flag.text == part.text));
        let heap_variable = heap_variable::heap(subject);
        if let Some(name) = heap_variable.as_ref().and_then(|it| it.part.from) {
            scripted.push(name);
        }
        // What another command in such an image does nobody knows.
        let by_image = jdk.is_some() && !program.has_command;
        let ratio = heap_variable::ratio(subject).filter(|_| !(starts_java && is_bare));
        if let Some(name) = ratio.as_ref().and_then(|it| it.part.from) {
            scripted.push(name);
        }
        let is_jvm = starts_java
            || by_image
            || heap_variable.is_some()
            || ratio.is_some()
            || !flags.is_empty()
            || !unread.is_empty();
        if !is_jvm {
            return None;
        }
        let read = READ.into_iter().chain(SCRIPTED);
        let unknown = read.filter_map(|name| program.variable(name)).filter(|set| set.value == Value::Unknown);
        let hidden = program.hidden.iter().copied().chain(unknown.map(|set| set.name)).collect();
        let version = version.filter(|version| !version.is_empty());
        let inside = match program.has_image {
            true if starts_java => None,
            true => Some("the image's start script adds no flags"),
            false => Some("no other flags are set inside of the image"),
        };
        let said = Said::read(&flags, heap_variable, ratio);
        Some(Self { flags, unread, behind, version, scripted, said, inside, hidden, is_open })
    }

    /// The last flag that begins so, and what follows.
    pub(crate) fn last(&self, prefixes: &[&str]) -> Option<Given<'a, String>> {
        last(&self.flags, prefixes)
    }

    /// `-Xmx` in any of its spellings, or what a start script makes one of.
    pub(crate) fn max_heap(&self) -> Option<Given<'a, Bytes>> {
        self.said.max_heap.clone()
    }

    /// A flag bounds the heap, and what it says is not in the input, or not readable: nothing is known of the heap.
    pub(crate) fn is_heap_unknown(&self) -> bool {
        self.said.is_heap_unknown
    }

    /// Flags that are not in the input may bound the heap, where those that are do not.
    pub(crate) fn is_default_unknown(&self) -> bool {
        self.is_open || !self.hidden.is_empty()
    }

    /// Flags that end it as it starts.
    pub(crate) fn refused(&self) -> Vec<Refused<'a>> {
        refused::of(self)
    }

    /// `-XX:MaxRAMPercentage`, or the fraction that it replaced.
    pub(crate) fn percentage(&self) -> Option<Given<'a, f64>> {
        self.said.most.clone()
    }

    /// `-XX:MaxRAM`, which takes the place of the limit where the heap is a share of something: also a larger one
    /// (`arguments.cpp`, `set_heap_size`, measured with JDK 17).
    pub(crate) fn max_ram(&self) -> Option<Given<'a, Bytes>> {
        self.said.max_ram.clone()
    }

    /// Which shares of the limit count where no size is given.
    pub(crate) fn percentages(&self) -> Percentages {
        let usual = Percentages::default();
        let of = |given: &Option<Given<'a, f64>>, usual: f64| given.as_ref().map_or(usual, |it| it.value);
        Percentages { max: of(&self.said.most, usual.max), min: of(&self.said.least, usual.min) }
    }

    /// The heap's maximum under a limit, and the flag that says it, if one does.
    pub(crate) fn heap(&self, limit: Bytes) -> (Bytes, Option<&Part<'a>>) {
        let Said { max_heap, initial, most, least, max_ram, .. } = &self.said;
        if let Some(given) = max_heap {
            return (given.value, Some(&given.part));
        }
        let seen = max_ram.as_ref().map_or(limit, |it| it.value);
        let percentages = self.percentages();
        let decides = if jvm::is_small(seen, percentages) { least } else { most };
        let ram = max_ram.as_ref().map(|it| &it.part);
        let heap = jvm::default_heap(seen, percentages);
        // A heap that begins larger than it may grow may grow to that (`arguments.cpp`, `set_heap_size`, measured with
        // JDK 17).
        match initial {
            Some(initial) if initial.value > heap => (initial.value, Some(&initial.part)),
            _ => (heap, decides.as_ref().map(|it| &it.part).or(ram)),
        }
    }

    /// The heap alone takes a limit, or so much of it that no limit has room for the rest.
    pub(crate) fn takes_all(&self, limit: Bytes) -> bool {
        let (heap, flag) = self.heap(limit);
        // Whole units of 2 MiB are what a share comes to.
        let is_share = self.said.max_heap.is_none() && flag.is_some();
        heap >= limit || (is_share && heap.0.saturating_add(2 << 20) > percent(limit, WHOLE).0)
    }

    /// A flag is switched on (true) or off by the last one that names it.
    pub(crate) fn switch(&self, name: &str) -> Option<bool> {
        self.flags.iter().rev().find_map(|part| {
            let it = part.text.strip_prefix("-XX:")?;
            (it.get(1..) == Some(name)).then(|| it.starts_with('+'))
        })
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
        let Said { metaspace, code_cache, direct, stack, .. } = self.said;
        Caps { heap: self.heap(limit).0, metaspace, code_cache, direct, stack, threads: None }
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

/// The last flag that begins so, and what follows.
fn last<'a>(flags: &[Part<'a>], prefixes: &[&str]) -> Option<Given<'a, String>> {
    flags.iter().rev().find_map(|part| {
        let text = prefixes.iter().find_map(|prefix| part.text.strip_prefix(prefix))?;
        Some(Given { value: value(text), part: part.clone() })
    })
}

/// A flag's value without the quotes that a shell takes away: `-Xmx"${HEAP}"m`.
fn value(text: &str) -> String {
    text.replace(['"', '\''], "")
}

/// Flags with a size right behind them.
const SIZED: [&str; 4] = ["-Xmx", "-Xms", "-Xmn", "-Xss"];

/// `-Xmx 1g`: among a JVM's flags one without its size, which the JVM refuses.
fn is_bare_size(text: &str) -> bool {
    SIZED.contains(&text)
}

/// A flag of HotSpot; `-XPOST` is one of curl.
fn is_flag(text: &str) -> bool {
    let sized = SIZED.iter().find_map(|prefix| text.strip_prefix(prefix)).map(value);
    sized.is_some_and(|size| size.starts_with(|it: char| it.is_ascii_digit() || it == '=') || is_open(&size))
        || ["-XX:", "-Xlog:", "-Xshare:"].iter().any(|prefix| text.starts_with(prefix))
}

/// A script of the command line speaks of a variable or hands its flags on, or is not in the input.
fn mentions(program: &Program<'_>, name: &str, flags: &[Part<'_>]) -> bool {
    let words = &program.words;
    let is_unseen = |word: &Part<'_>| word.starts && (is_start_script(&word.text) || is_sourced(&word.text));
    if words.iter().any(is_unseen) {
        return true;
    }
    let Some(shell) = words.iter().position(|word| word.starts && is_shell(&word.text)) else { return false };
    let is_inline =
        words[shell + 1..].iter().take(2).any(|word| word.text.starts_with('-') && word.text.ends_with('c'));
    let speaks = |text: &str| text.contains(name) || flags.iter().any(|flag| text.contains(&*flag.text));
    !is_inline || words.iter().any(|word| speaks(&word.text))
}

/// `. /env.sh`: what it sets is not in the input.
fn is_sourced(word: &str) -> bool {
    matches!(word, "." | "source")
}

#[cfg(test)]
mod tests;
