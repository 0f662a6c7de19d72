//! Memory flags of runtimes and programs, as manifests give them. Only the flags themselves are kept: the rest of a
//! command line or variable may hold secrets.

use crate::fact::Flag;

/// Options of `java` whose value is the next word (`src/java.base/share/native/libjli/java.c`, `IsWhiteSpaceOption`, JDK 9 to 25).
pub const JAVA_WITH_VALUE: [&str; 13] = [
    "-cp",
    "-classpath",
    "--class-path",
    "-p",
    "--module-path",
    "--upgrade-module-path",
    "--add-modules",
    "--limit-modules",
    "--add-exports",
    "--add-opens",
    "--add-reads",
    "--patch-module",
    "--enable-native-access",
];

/// What a flag begins with, whichever variable or argument it stands in.
const PREFIXES: [&str; 40] = [
    // HotSpot and OpenJ9
    "-Xmx",
    "-Xms",
    "-Xss",
    "-Xmn",
    "-Xmso",
    "-Xgcthreads",
    "-Xsoftmx",
    "-XX:MaxRAM",
    "-XX:MinRAM",
    "-XX:InitialRAM",
    "-XX:MaxHeapSize",
    "-XX:InitialHeapSize",
    "-XX:MaxMetaspaceSize",
    "-XX:CompressedClassSpaceSize",
    "-XX:ReservedCodeCacheSize",
    "-XX:MaxDirectMemorySize",
    "-XX:ThreadStackSize",
    "-XX:SoftMaxHeapSize",
    "-XX:+ExitOnOutOfMemoryError",
    "-XX:+CrashOnOutOfMemoryError",
    "-XX:+HeapDumpOnOutOfMemoryError",
    "-XX:+AlwaysPreTouch",
    "-XX:+UseSerialGC",
    "-XX:+UseParallelGC",
    "-XX:+UseG1GC",
    "-XX:+UseZGC",
    "-XX:+UseShenandoahGC",
    "-XX:-UseContainerSupport",
    "-XX:NativeMemoryTracking",
    "-Dio.netty.maxDirectMemory",
    // V8
    "--max-old-space-size",
    "--max_old_space_size",
    "--max-semi-space-size",
    "--max_semi_space_size",
    "--max-heap-size",
    // servers
    "--maxmemory",
    "--shared_buffers",
    "--storage.tsdb.head-chunks",
    "--wiredTigerCacheSizeGB",
    "--innodb-buffer-pool-size",
];

/// Variables whose whole value is a memory setting.
const VARIABLES: [&str; 28] = [
    "GOMEMLIMIT",
    "GOGC",
    "GODEBUG",
    "MALLOC_ARENA_MAX",
    "MALLOC_TRIM_THRESHOLD_",
    "MALLOC_MMAP_THRESHOLD_",
    "PYTHONMALLOC",
    "WEB_CONCURRENCY",
    "GUNICORN_WORKERS",
    "UWSGI_PROCESSES",
    "CELERYD_CONCURRENCY",
    "DOTNET_GCHeapHardLimit",
    "DOTNET_GCHeapHardLimitPercent",
    "DOTNET_gcServer",
    "DOTNET_GCConserveMemory",
    "COMPlus_GCHeapHardLimit",
    "COMPlus_GCHeapHardLimitPercent",
    "RUBY_GC_HEAP_GROWTH_FACTOR",
    "RUBY_GC_MALLOC_LIMIT_MAX",
    "PHP_MEMORY_LIMIT",
    "NODE_MAX_OLD_SPACE_SIZE",
    "JVM_HEAP_SIZE",
    "HEAP_SIZE",
    "MAX_HEAP_SIZE",
    "ES_HEAP_SIZE",
    "KAFKA_HEAP",
    "SPARK_WORKER_MEMORY",
    "SPARK_EXECUTOR_MEMORY",
];

/// Variables whose value is a command line that a runtime reads.
const OPTION_VARIABLES: [&str; 14] = [
    "JAVA_TOOL_OPTIONS",
    "JDK_JAVA_OPTIONS",
    "_JAVA_OPTIONS",
    "JAVA_OPTS",
    "JAVA_OPTIONS",
    "JVM_OPTS",
    "CATALINA_OPTS",
    "ES_JAVA_OPTS",
    "KAFKA_HEAP_OPTS",
    "KAFKA_OPTS",
    "GRADLE_OPTS",
    "MAVEN_OPTS",
    "OPENJ9_JAVA_OPTIONS",
    "NODE_OPTIONS",
];

/// Worker counts of Python servers, which multiply everything else: (program, flags).
const WORKER_FLAGS: [(&str, &[&str]); 4] = [
    ("gunicorn", &["--workers", "-w"]),
    ("uwsgi", &["--processes", "-p"]),
    ("celery", &["--concurrency", "-c"]),
    ("uvicorn", &["--workers"]),
];

/// Variables that give such a count.
const WORKER_VARIABLES: [&str; 4] = ["WEB_CONCURRENCY", "GUNICORN_WORKERS", "UWSGI_PROCESSES", "CELERYD_CONCURRENCY"];

/// A flag or variable of this name says how many workers a server has.
pub(crate) fn counts_workers(name: &str) -> bool {
    WORKER_VARIABLES.contains(&name) || WORKER_FLAGS.iter().any(|(_, flags)| flags.contains(&name))
}

/// The names of all variables that are looked at.
pub fn variables() -> impl Iterator<Item = &'static str> {
    VARIABLES.iter().chain(&OPTION_VARIABLES).copied()
}

/// The value of a variable of this name is a command line that a runtime reads.
pub(crate) fn takes_options(name: &str) -> bool {
    OPTION_VARIABLES.contains(&name)
}

/// Memory flags of a command, its arguments and its environment (name, value).
pub fn find<'a>(
    command: impl IntoIterator<Item = &'a str>,
    arguments: impl IntoIterator<Item = &'a str>,
    environment: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Vec<Flag> {
    let mut flags = Vec::new();
    let command: Vec<&str> = command.into_iter().collect();
    let arguments: Vec<&str> = arguments.into_iter().collect();
    let words = |list: &[&'a str]| list.iter().flat_map(|word| word.split_whitespace()).collect::<Vec<&str>>();
    let program = words(&command).into_iter().chain(words(&arguments)).find_map(worker_flags);
    for (list, from) in [(&command, "command"), (&arguments, "args")] {
        let words = words(list);
        for (position, word) in words.iter().enumerate() {
            if is_flag(word) {
                push(&mut flags, &with_value(word, words.get(position + 1).copied()), from);
            } else if let Some((name, value)) = word.split_once('=').filter(|(name, _)| is_variable(name)) {
                push(&mut flags, &format!("{name}={value}"), from);
            } else if let Some(names) = program {
                let (name, own) = word.split_once('=').map_or((*word, None), |(name, value)| (name, Some(value)));
                let value = own.or(words.get(position + 1).copied()).filter(|value| value.parse::<u32>().is_ok());
                if let Some(value) = value.filter(|_| names.contains(&name)) {
                    push(&mut flags, &format!("{name} {value}"), from);
                }
            }
        }
    }
    for (name, value) in environment {
        if is_variable(name) && value.len() <= 64 && !value.contains(char::is_whitespace) {
            push(&mut flags, &format!("{name}={value}"), name);
        } else if OPTION_VARIABLES.contains(&name) {
            let words: Vec<&str> = value.split_whitespace().collect();
            for (position, word) in words.iter().enumerate() {
                if is_flag(word) {
                    push(&mut flags, &with_value(word, words.get(position + 1).copied()), name);
                }
            }
        }
    }
    flags
}

fn push(flags: &mut Vec<Flag>, text: &str, from: &str) {
    let text = text.trim_matches(['"', '\'', ';', ',']).to_owned();
    let known = flags.iter().any(|flag| flag.text == text && flag.from == from);
    if !known && text.len() <= 128 {
        flags.push(Flag { text, from: from.to_owned() });
    }
}

/// A word is a memory flag.
pub(crate) fn is_flag(word: &str) -> bool {
    let word = word.trim_start_matches(['"', '\'']);
    // Nearly no word is a flag, and every flag begins so.
    word.starts_with('-') && PREFIXES.iter().any(|prefix| word.starts_with(prefix))
}

/// The whole value of a variable of this name is a memory setting.
pub(crate) fn is_variable(name: &str) -> bool {
    VARIABLES.contains(&name)
}

/// `--maxmemory 100mb`: the value is the next word where the flag has none of its own.
fn with_value(word: &str, next: Option<&str>) -> String {
    match next.filter(|next| next.starts_with(|c: char| c.is_ascii_digit())) {
        Some(next) if word.starts_with("--") && !word.contains('=') => format!("{word} {next}"),
        _ => word.to_owned(),
    }
}

fn worker_flags(word: &str) -> Option<&'static [&'static str]> {
    let name = word.rsplit('/').next().unwrap_or(word);
    WORKER_FLAGS.iter().find(|(program, _)| *program == name).map(|(_, flags)| *flags)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(flags: &[Flag]) -> Vec<(&str, &str)> {
        flags.iter().map(|flag| (flag.text.as_str(), flag.from.as_str())).collect()
    }

    #[test]
    fn flags_are_found_in_shell_commands_arguments_and_variables() {
        let flags = find(
            ["sh", "-c", "exec java -Xmx512m -Dpassword=hunter2 -jar app.jar"],
            ["--max-old-space-size", "400"],
            [
                ("JAVA_TOOL_OPTIONS", "-XX:MaxRAMPercentage=75.0 -Dtoken=secret"),
                ("GOMEMLIMIT", "1GiB"),
                ("DB_PASS", "x"),
            ],
        );
        assert_eq!(
            texts(&flags),
            [
                ("-Xmx512m", "command"),
                ("--max-old-space-size 400", "args"),
                ("-XX:MaxRAMPercentage=75.0", "JAVA_TOOL_OPTIONS"),
                ("GOMEMLIMIT=1GiB", "GOMEMLIMIT"),
            ]
        );
    }

    #[test]
    fn worker_counts_are_kept_for_servers_that_fork_them() {
        let flags = find(["gunicorn"], ["-w", "8", "app:app", "-p", "secret"], []);
        assert_eq!(texts(&flags), [("-w 8", "args")]);
    }

    #[test]
    fn nothing_else_of_a_command_line_is_kept() {
        assert!(find(["mysql", "-pSECRET", "--password=SECRET"], ["-c", "7"], [("HEAP", "1")]).is_empty());
    }
}
