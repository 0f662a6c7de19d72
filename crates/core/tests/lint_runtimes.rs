//! Lint of what starts in a container: which flags reach the runtime, what they come to, and what is not known.
#![allow(clippy::unwrap_used, reason = "a test may fail that way")]

use oomph_core::lint::{Document, DocumentFinding, Level, Source, lint};

/// A pod of one container with a limit; its other lines are indented by as much as those of the container.
fn pod(limit: &str, container: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: p}}\nspec:\n  containers:\n  - name: app\n    image: \
         registry/app:1\n    resources: {{requests: {{memory: {limit}}}, limits: {{memory: {limit}}}}}\n{container}"
    )
}

fn linted(limit: &str, container: &str) -> Document {
    lint(&[Source { name: "a.yaml".into(), text: pod(limit, container) }])
}

/// What is at least a warning.
fn grave(limit: &str, container: &str) -> Vec<DocumentFinding> {
    linted(limit, container).findings.into_iter().filter(|it| it.level > Level::Info).collect()
}

/// The rules that find something grave, each once.
fn rules(limit: &str, container: &str) -> Vec<String> {
    let mut rules: Vec<String> = grave(limit, container).into_iter().map(|it| it.rule).collect();
    rules.dedup();
    rules
}

/// Those with a variable.
fn with(limit: &str, variable: &str, value: &str) -> Vec<String> {
    rules(limit, &format!("    env: [{{name: {variable}, value: \"{value}\"}}]\n"))
}

/// Those with a script that a shell runs, a line each.
fn script(limit: &str, lines: &str) -> Vec<String> {
    rules(limit, &format!("    command: [sh, -c]\n    args:\n    - |\n      {}\n", lines.replace('\n', "\n      ")))
}

const NONE: [&str; 0] = [];

#[test]
fn comments_of_a_script_set_no_flag() {
    let serial = "-XX:+UseSerialGC";
    assert_eq!(script("512Mi", &format!("#export JAVA_TOOL_OPTIONS=-Xmx2g\nexec java {serial} -jar app.jar")), NONE);
    assert_eq!(script("512Mi", &format!("exec java -Xmx256m {serial} -jar a.jar   # not -Xmx2g; -Xmx3g")), NONE);
    let quoted = format!("echo 'a # b'\nexec java '-Dcolor=#fff' \"-Dx= # \" -Xmx512m {serial} -jar a.jar");
    assert_eq!(script("512Mi", &quoted), ["jvm-heap-ge-limit"]);
}

#[test]
fn what_a_script_only_says_is_no_flag() {
    assert_eq!(script("512Mi", "echo use -Xmx4g; sleep 1"), NONE);
    assert_eq!(script("512Mi", "printf '%s' JAVA_TOOL_OPTIONS=-Xmx4g && sleep 1"), NONE);
    assert_eq!(script("512Mi", "echo starting && exec java -Xmx512m -jar a.jar"), ["jvm-heap-ge-limit"]);
    // What is written into a file is read there.
    assert_eq!(script("512Mi", "echo -Xmx512m > jvm.options; exec ./start"), ["jvm-heap-ge-limit"]);
}

#[test]
fn a_command_goes_on_behind_a_backslash() {
    assert_eq!(script("512Mi", "exec java \\\n  -Xmx512m \\\n  -jar a.jar"), ["jvm-heap-ge-limit"]);
    assert_eq!(script("512Mi", "exec java \\\n  -jar a.jar \\\n  -Xmx512m"), ["jvm-flag-conflict"]);
}

#[test]
fn nothing_is_said_of_a_heap_that_is_not_known() {
    let secret = "    env: [{name: HEAP, valueFrom: {secretKeyRef: {name: s, key: k}}}]\n";
    assert_eq!(rules("128Mi", &format!("    command: [java, -Xmx$(HEAP), -jar, a.jar]\n{secret}")), NONE);
    assert_eq!(with("128Mi", "JAVA_TOOL_OPTIONS", "-Xmx$(HEAP)"), NONE);
    assert_eq!(with("128Mi", "JAVA_TOOL_OPTIONS", "-XX:MaxRAMPercentage=$(SHARE)"), NONE);
    for heap in ["-Xmx$((L*3/4))m", "-Xmx$(( L * 3 / 4 ))m", "-Xmx${HEAP}", "-Xmx\"${HEAP}\"m", "-Xmx`heap`"] {
        assert_eq!(script("128Mi", &format!("exec java {heap} -jar a.jar")), NONE, "{heap}");
    }
    assert_eq!(script("128Mi", "export JAVA_TOOL_OPTIONS=\"-Xmx$((L*3/4))m\"\nexec java -jar a.jar"), NONE);
    // The default is still one.
    assert_eq!(script("128Mi", "exec java -jar a.jar"), ["jvm-headroom"]);
}

#[test]
fn words_behind_the_program_are_its_own() {
    let conflict = ["jvm-flag-conflict"];
    assert_eq!(rules("1Gi", "    command: [java, -jar, a.jar, -Xmx4g]\n"), conflict);
    assert_eq!(rules("1Gi", "    command: [java, -cp, a.jar, org.example.Main, -Xmx4g]\n"), conflict);
    assert_eq!(rules("1Gi", "    command: [java, -m, a/org.example.Main, -Xmx4g]\n"), conflict);
    assert_eq!(rules("1Gi", "    command: [java, -jar, a.jar, --port=80]\n"), NONE);
    let heap = ["jvm-heap-ge-limit"];
    assert_eq!(rules("1Gi", "    command: [java, -cp, a.jar, -Xmx4g, org.example.Main]\n"), heap);
    assert_eq!(script("1Gi", "java -XX:OnOutOfMemoryError=\"kill -9 %p\" -Xmx4g -jar a.jar"), heap);
    assert_eq!(script("1Gi", "java -Xmx64m -jar migrate.jar && exec java -Xmx4g -jar a.jar"), heap);
}

#[test]
fn small_limits_leave_the_heap_to_min_ram_percentage() {
    let share = |limit: &str, flags: &str| with(limit, "JAVA_TOOL_OPTIONS", flags);
    // Half of it, whatever MaxRAMPercentage says; from 252 MiB on that has the say.
    for limit in ["200Mi", "251Mi"] {
        assert!(!share(limit, "-XX:MaxRAMPercentage=100").contains(&"jvm-heap-ge-limit".to_owned()), "{limit}");
    }
    assert_eq!(share("252Mi", "-XX:MaxRAMPercentage=100"), ["jvm-heap-ge-limit"]);
    // All of 200 MiB is more than 126: the other one decides, and the least heap is these 126.
    assert_eq!(share("200Mi", "-XX:MinRAMPercentage=100"), ["jvm-headroom"]);
    assert_eq!(share("120Mi", "-XX:MinRAMPercentage=100"), ["jvm-heap-ge-limit"]);
    assert_eq!(share("1Gi", "-XX:MaxRAMFraction=1"), ["jvm-heap-ge-limit"]);
}

#[test]
fn max_ram_takes_the_limits_place() {
    let found = |flags: &str| {
        let env = format!("    env: [{{name: JAVA_TOOL_OPTIONS, value: {flags}}}]\n");
        grave("1Gi", &env).into_iter().map(|it| (it.rule, it.level)).collect::<Vec<_>>()
    };
    let of = |level: Level| vec![("jvm-heap-ge-limit".to_owned(), level)];
    // A quarter of 8 GiB is twice the limit, a quarter of 2 GiB half of it.
    assert_eq!(found("-XX:MaxRAM=8g"), of(Level::Error));
    assert_eq!(found("-XX:MaxRAM=2g"), of(Level::Warning));
    assert_eq!(found("-XX:MaxRAM=512m"), []);
    assert_eq!(found("-XX:MaxRAM=8g -Xmx512m"), []);
}

#[test]
fn values_that_a_jvm_refuses_are_errors_with_or_without_a_limit() {
    let help = |flags: &str| {
        let found = grave("4Gi", &format!("    env: [{{name: JAVA_TOOL_OPTIONS, value: {flags}}}]\n"));
        let errors = found.iter().filter(|it| it.level == Level::Error && it.rule == "jvm-heap-ge-limit");
        errors.map(|it| it.help.clone().unwrap_or_default()).collect::<Vec<_>>()
    };
    for (flag, meant) in
        [("-Xmx512Mi", "-Xmx512m"), ("-Xmx512MB", "-Xmx512m"), ("-Xmx0.5g", "-Xmx512m"), ("-Xmx512", "-Xmx512m")]
    {
        assert_eq!(help(flag), [format!("write `{meant}`, if that is meant")], "{flag}");
    }
    assert_eq!(help("-XX:MaxRAMPercentage=150"), [""]);
    assert_eq!(help("-XX:MaxMetaspaceSize=128Mi"), ["write `-XX:MaxMetaspaceSize=128m`, if that is meant"]);
    for fine in ["-Xmx512m", "-Xmx536870912", "-Xmx$(HEAP)", "-Xmx{{ heap }}", "-XX:MaxRAMPercentage=100"] {
        assert!(help(fine).iter().all(|help| !help.starts_with("write")), "{fine}");
    }
}

#[test]
fn variables_of_servers_hold_flags_and_amounts() {
    for name in ["PULSAR_MEM", "SCHEMA_REGISTRY_HEAP_OPTS", "GRAYLOG_SERVER_JAVA_OPTS", "HEAP_OPTS", "OWN_OPTIONS"] {
        assert_eq!(with("1Gi", name, "-Xms1g -Xmx1g"), ["jvm-heap-ge-limit"], "{name}");
    }
    for name in ["JVM_MAXIMUM_MEMORY", "OPENSEARCH_HEAP_SIZE", "ELASTICSEARCH_HEAP_SIZE"] {
        assert_eq!(with("1Gi", name, "1024m"), ["jvm-heap-ge-limit"], "{name}");
    }
    let nifi =
        pod("2Gi", "    env: [{name: NIFI_JVM_HEAP_MAX, value: 2g}]\n").replace("registry/app:1", "apache/nifi:1.23");
    let document = lint(&[Source { name: "a.yaml".into(), text: nifi }]);
    assert!(document.findings.iter().any(|it| it.rule == "jvm-heap-ge-limit"), "{document:?}");
    // What a program that is started by itself makes of a variable of its own nobody knows.
    let own = "    command: [java, -Xmx256m, -jar, a.jar]\n    env: [{name: CHILDREN, value: -Xmx1g}]\n";
    assert_eq!(rules("1Gi", own), NONE);
}

/// What a rule has to say of a value that ends the program, and how it says it is meant.
fn refused(rule: &str, lines: &str) -> Vec<String> {
    let found = grave("4Gi", lines);
    let errors = found.into_iter().filter(|it| it.rule == rule && it.level == Level::Error);
    errors.map(|it| it.help.unwrap_or_default().into_owned()).collect()
}

#[test]
fn values_that_a_server_refuses_are_errors() {
    let node = |size: &str| {
        let lines = format!("    command: [node, '--max-old-space-size={size}', a.js]\n");
        refused("node-heap-ge-limit", &lines)
    };
    assert_eq!(node("1Gi"), ["write `--max-old-space-size=1024`, if that is meant"]);
    assert_eq!(node("400m"), ["write `--max-old-space-size=400`, if that is meant"]);
    assert_eq!((node("400"), node("$(HEAP)")), (vec![], vec![]));
    let redis = |size: &str| {
        let lines = format!("    command: [redis-server, --maxmemory, '{size}']\n");
        refused("redis-maxmemory", &lines)
    };
    assert_eq!(redis("512Mi"), ["write `512mb`, if that is meant"]);
    assert_eq!((redis("512mb"), redis("512m"), redis("$(MOST)")), (vec![], vec![], vec![]));
    let postgres = |size: &str| {
        let lines = format!("    command: [postgres, -c, 'shared_buffers={size}']\n");
        refused("pg-shared-buffers", &lines)
    };
    assert_eq!(postgres("512M"), ["write `512MB`, if that is meant"]);
    assert_eq!(postgres("1Gi"), ["write `1GB`, if that is meant"]);
    assert_eq!((postgres("512MB"), postgres("0.5GB"), postgres("65536")), (vec![], vec![], vec![]));
}

#[test]
fn an_old_generation_that_is_not_known_is_not_the_default() {
    let text = pod("256Mi", "    command: [node, '--max-old-space-size=$(HEAP)', a.js]\n");
    let text = text.replace("registry/app:1", "node:22");
    let document = lint(&[Source { name: "a.yaml".into(), text }]);
    assert!(document.findings.iter().all(|it| it.rule != "node-headroom"), "{document:?}");
}

#[test]
fn a_semi_space_that_is_given_counts_three_times() {
    let command = |semi: &str| format!("    command: [node, --max-old-space-size=700, {semi}a.js]\n");
    assert_eq!(rules("1Gi", &command("")), NONE);
    assert_eq!(rules("1Gi", &command("--max-semi-space-size=128, ")), ["node-headroom"]);
}

#[test]
fn a_script_that_waits_runs_one_program() {
    let found = |lines: &str| {
        let env = "    env: [{name: GOMEMLIMIT, value: 300MiB}]\n";
        rules("512Mi", &format!("    command: [sh, -c, '{lines}']\n{env}"))
    };
    assert_eq!(found("./app & wait"), NONE);
    assert_eq!(found("./a & exec ./b"), ["go-memlimit-multiproc"]);
}

#[test]
fn a_number_of_bytes_is_no_memory_limit_of_go() {
    assert_eq!(with("1Gi", "GOMEMLIMIT", "512"), ["go-memlimit-ge-limit"]);
    assert_eq!(with("1Gi", "GOMEMLIMIT", "900000000"), NONE);
}

#[test]
fn an_image_of_a_team_has_a_version_of_its_own() {
    let found = |image: &str| {
        let text = pod("1Gi", "    command: [java, -Xmx256m, -jar, a.jar]\n").replace("registry/app:1", image);
        let document = lint(&[Source { name: "a.yaml".into(), text }]);
        document.findings.iter().any(|it| it.rule == "jvm-cgroup-support")
    };
    assert!(!found("registry/team/java:1.4.2") && found("java:8") && found("library/java:8"));
}

#[test]
fn a_heap_dump_goes_where_the_jvm_starts() {
    let dump = |flags: &str, folder: &str| {
        let lines = format!(
            "    workingDir: {folder}\n    volumeMounts: [{{name: d, mountPath: /data}}]\n    env: [{{name: \
             JAVA_TOOL_OPTIONS, value: '-Xmx256m -XX:+HeapDumpOnOutOfMemoryError {flags}'}}]\n"
        );
        rules("1Gi", &lines)
    };
    assert_eq!(dump("", "/data"), NONE);
    assert_eq!(dump("-XX:HeapDumpPath=dumps", "/data/app"), NONE);
    assert_eq!(dump("", "/app"), ["heap-dump-lost"]);
    assert_eq!(dump("-XX:HeapDumpPath=/tmp", "/data"), ["heap-dump-lost"]);
}

#[test]
fn workers_that_are_threads_take_no_process_each() {
    let said = |pool: &str| {
        let document = linted("512Mi", &format!("    command: [celery, -A, app, worker, {pool}-c, '500']\n"));
        document.findings.iter().any(|it| it.rule == "py-workers")
    };
    assert!(said(""));
    for pool in ["-P, gevent, ", "--pool=threads, ", "--pool, solo, "] {
        assert!(!said(pool), "{pool}");
    }
}

#[test]
fn a_probe_starts_what_stands_where_a_command_does() {
    let said = |command: &str| {
        let document = linted("512Mi", &format!("    livenessProbe: {{exec: {{command: {command}}}}}\n"));
        document.findings.iter().any(|it| it.rule == "probe-exec-cost")
    };
    for starts in ["[java, -version]", "[sh, -c, 'exec python3 check.py']", "[sh, -c, 'true && kafka-topics.sh']"] {
        assert!(said(starts), "{starts}");
    }
    for other in ["[cat, /tmp/python]", "[/bin/check, node]", "[sh, -c, 'test -f /kafka-ready']"] {
        assert!(!said(other), "{other}");
    }
}

#[test]
fn flags_that_are_handed_on_reach_the_jvm() {
    let flags = "    env:\n    - {name: JAVA_OPTS, value: -Xmx256m}\n";
    let with = |more: &str| rules("1Gi", &format!("{flags}{more}"));
    for script in [
        "java ${JAVA_OPTS:-} -jar a.jar",
        "java ${JAVA_OPTS-} -jar a.jar",
        "export JDK_JAVA_OPTIONS=$JAVA_OPTS; java -jar a.jar",
        "JAVA_TOOL_OPTIONS=\"$JAVA_OPTS\" java -jar a.jar",
        "opts=($JAVA_OPTS); java \"${opts[@]}\" -jar a.jar",
        ". /env.sh; java -jar a.jar",
    ] {
        assert_eq!(with(&format!("    command: [bash, -c, '{script}']\n")), NONE, "{script}");
    }
    for shell in ["busybox, sh", "ksh", "/bin/busybox, sh"] {
        assert_eq!(with(&format!("    command: [{shell}, -c, 'exec java $JAVA_OPTS -jar a.jar']\n")), NONE, "{shell}");
    }
    for variable in ["JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS"] {
        let handed = format!("    - {{name: {variable}, value: $(JAVA_OPTS)}}\n    command: [java, -jar, a.jar]\n");
        assert_eq!(with(&handed), NONE, "{variable}");
    }
    assert_eq!(with("    command: [/opt/docker-entrypoint.sh, java, -jar, a.jar]\n"), NONE);
    assert_eq!(with("    command: [java, -jar, a.jar]\n"), ["jvm-flag-conflict"]);
    assert_eq!(with("    command: [sh, -c, 'exec java -jar a.jar']\n"), ["jvm-flag-conflict"]);
}

#[test]
fn flags_of_an_image_that_are_handed_on_reach_the_jvm() {
    let found = |text: &str| {
        let source = Source { name: "Dockerfile".into(), text: format!("FROM eclipse-temurin:21\n{text}\n") };
        lint(&[source]).findings.into_iter().any(|it| it.rule == "dockerfile-flags-unread")
    };
    let end = "ENTRYPOINT [\"java\", \"-jar\", \"a.jar\"]";
    assert!(found(&format!("ENV JAVA_OPTS=-Xmx256m\n{end}")));
    assert!(!found(&format!("ENV JAVA_OPTS=-Xmx256m\nENV JAVA_TOOL_OPTIONS=$JAVA_OPTS\n{end}")));
    assert!(!found(
        "ENV JAVA_OPTS=-Xmx256m\nENTRYPOINT [\"docker-entrypoint.sh\"]\nCMD [\"java\", \"-jar\", \"a.jar\"]"
    ));
}

#[test]
fn a_limit_that_a_script_works_out_or_that_is_not_in_the_input_switches_go_on_again() {
    let off = "    env: [{name: GOGC, value: \"off\"}]\n";
    let rule = "gogc-off-without-memlimit";
    assert_eq!(rules("1Gi", off), [rule]);
    for set in ["$((900 * 1024 * 1024))", "$(cat /limit)", "`cat /limit`"] {
        let script = format!("{off}    command: [sh, -c, 'export GOMEMLIMIT={set}; exec /app']\n");
        assert_eq!(rules("1Gi", &script), NONE, "{set}");
    }
    assert_eq!(rules("1Gi", &format!("{off}    envFrom: [{{configMapRef: {{name: other}}}}]\n")), NONE);
}

#[test]
fn a_default_heap_is_unknown_where_flags_may_come_from_elsewhere() {
    assert_eq!(rules("256Mi", "    command: [java, -jar, a.jar]\n"), ["jvm-headroom"]);
    assert_eq!(rules("256Mi", "    command: [java, '@/jvm.args', -jar, a.jar]\n"), NONE);
    assert_eq!(rules("256Mi", "    command: [sh, -c, 'java $(cat /jvm.args) -jar a.jar']\n"), NONE);
    let secret = "    env: [{name: JAVA_TOOL_OPTIONS, valueFrom: {secretKeyRef: {name: s, key: k}}}]\n";
    assert_eq!(rules("256Mi", &format!("    command: [java, -jar, a.jar]\n{secret}")), NONE);
    let of_list = "    envFrom: [{configMapRef: {name: other}}]\n";
    assert_eq!(rules("256Mi", &format!("    command: [java, -jar, a.jar]\n{of_list}")), NONE);
}

#[test]
fn a_heap_that_begins_large_may_grow_to_that() {
    assert_eq!(with("1Gi", "JAVA_TOOL_OPTIONS", "-Xms2g"), ["jvm-heap-ge-limit"]);
    assert_eq!(with("2Gi", "JAVA_TOOL_OPTIONS", "-Xms2g -XX:MaxRAMPercentage=50"), ["jvm-heap-ge-limit"]);
    assert_eq!(with("1Gi", "JAVA_TOOL_OPTIONS", "-Xms64m"), NONE);
    assert_eq!(with("2Gi", "JAVA_TOOL_OPTIONS", "-Xms512m -Xmx1g"), NONE);
}

#[test]
fn what_the_jvm_refuses_is_an_error() {
    for flags in [
        "-XX:MaxRAMPercentage=80%",
        "-XX:MaxRAMPercentage=80,5",
        "-XX:MaxRAMPercentage=.8",
        "-XX:MaxRAMPercentage=75.0f",
        "-Xmx=1g",
        "-Xmx 1g",
        "-Xmx80%",
        "-Xms2g -Xmx1g",
    ] {
        let refused = grave("4Gi", &format!("    env: [{{name: JAVA_TOOL_OPTIONS, value: \"{flags}\"}}]\n"));
        assert!(refused.iter().any(|it| it.message.starts_with("the JVM refuses")), "{flags}: {refused:?}");
    }
    assert_eq!(with("4Gi", "JAVA_TOOL_OPTIONS", "-XX:MaxRAMPercentage=60.5"), NONE);
    assert_eq!(with("4Gi", "JAVA_TOOL_OPTIONS", "-XX:MaxRAMPercentage=${SHARE}"), NONE);
}

#[test]
fn of_two_jvms_in_a_script_the_larger_one_counts() {
    let whole = ["jvm-heap-ge-limit"];
    assert_eq!(script("1Gi", "java -Xmx1g -jar a.jar; java -Xmx256m -jar b.jar"), whole);
    assert_eq!(script("1Gi", "java -Xmx256m -jar a.jar && exec java -Xmx1g -jar b.jar"), whole);
    assert_eq!(script("1Gi", "java -Xmx128m -jar a.jar; java -Xmx256m -jar b.jar"), NONE);
}

#[test]
fn node_takes_the_size_behind_an_equals_sign_alone() {
    let refused = ["node-heap-ge-limit"];
    assert_eq!(rules("1Gi", "    command: [node, --max-old-space-size, '512', a.js]\n"), refused);
    assert_eq!(with("1Gi", "NODE_OPTIONS", "--max-old-space-size 512"), refused);
    assert_eq!(rules("1Gi", "    command: [pm2-runtime, a.js, --node-args=--max-old-space-size=1024]\n"), refused);
    assert_eq!(script("1Gi", "pm2-runtime a.js --node-args=\"--max-old-space-size=1024 --expose-gc\""), refused);
    assert_eq!(rules("1Gi", "    command: [pm2-runtime, a.js, --node-args=--max-old-space-size=512]\n"), NONE);
}

#[test]
fn a_default_heap_of_node_is_unknown_where_its_options_are() {
    let node = |more: &str| {
        let text = pod("256Mi", more).replace("registry/app:1", "node:22");
        let found = lint(&[Source { name: "a.yaml".into(), text }]).findings;
        found.into_iter().any(|it| it.rule == "node-headroom")
    };
    assert!(node(""));
    assert!(!node("    env: [{name: NODE_OPTIONS, valueFrom: {secretKeyRef: {name: s, key: k}}}]\n"));
    assert!(!node("    envFrom: [{configMapRef: {name: other}}]\n"));
}
