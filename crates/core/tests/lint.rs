//! Lint as a whole: manifests as people write them, and what is no manifest at all.
#![allow(clippy::unwrap_used, reason = "a test may fail that way")]

use oomph_core::lint::rules::RULES;
use oomph_core::lint::{Document, Level, Source, lint};
use oomph_core::report::Style;
use proptest::prelude::*;

fn source(name: &str, text: &str) -> Source {
    Source { name: name.into(), text: text.into() }
}

fn linted(text: &str) -> Document {
    lint(&[source("a.yaml", text)])
}

/// Rule and line of what is at least a warning.
fn grave(document: &Document) -> Vec<(&str, u32)> {
    let findings = document.findings.iter().filter(|finding| finding.level > Level::Info);
    findings.map(|finding| (finding.rule.as_str(), finding.region.line)).collect()
}

fn pod(container: &str) -> String {
    format!("kind: Pod\nmetadata: {{name: p}}\nspec:\n  containers:\n  - name: app\n    image: x\n{container}")
}

const LIMITED: &str = "    resources: {requests: {memory: 1Gi}, limits: {memory: 1Gi}}\n";

#[test]
fn every_kind_with_a_pod_template_is_looked_at() {
    let spec = "{containers: [{name: a, image: x}]}";
    for text in [
        format!(
            "kind: CronJob\nmetadata: {{name: n}}\nspec: {{jobTemplate: {{spec: {{template: {{spec: {spec}}}}}}}}}"
        ),
        "apiVersion: serving.knative.dev/v1\nkind: Service\nspec: {template: {spec: {containers: [{image: x}]}}}"
            .to_owned(),
        format!(
            "apiVersion: example.org/v1\nkind: Anything\nspec: {{deep: {{er: [{{podTemplate: {{spec: {spec}}}}}]}}}}"
        ),
        format!("apiVersion: v1\nkind: PodList\nitems: [{{kind: Pod, spec: {spec}}}]"),
        format!("[{{kind: Pod, spec: {spec}}}]"),
        format!(
            "kind: Template\nobjects: [{{kind: DeploymentConfig, metadata: {{name: n}}, spec: {{template: {{spec: {spec}}}}}}}]"
        ),
    ] {
        let document = linted(&text);
        assert!(grave(&document).iter().any(|(rule, _)| *rule == "limit-missing"), "{text}: {document:?}");
    }
}

#[test]
fn what_is_skipped_is_listed() {
    let document =
        linted("kind: Service\napiVersion: v1\n---\nkind: Service\napiVersion: v1\n---\nfoo: 1\n---\njust text\n");
    let skipped: Vec<(&str, usize)> = document.skipped.iter().map(|it| (it.kind.as_str(), it.count)).collect();
    assert_eq!(skipped, [("", 2), ("Service", 2)]);
}

#[test]
fn a_pattern_of_a_policy_is_no_pod() {
    let policy = "apiVersion: kyverno.io/v1\nkind: ClusterPolicy\nspec: {rules: [{validate: {pattern: {spec: {containers: [{name: '*', image: '*'}]}}}}]}";
    assert_eq!(grave(&linted(policy)), []);
}

#[test]
fn a_syntax_error_hides_nothing_else() {
    let text = format!("{}---\na: [\n---\n{}", pod(""), pod(""));
    let document = linted(&text);
    assert_eq!(document.parse_errors.len(), 1);
    assert_eq!(grave(&document).iter().filter(|(rule, _)| *rule == "limit-missing").count(), 2);
}

#[test]
fn a_limit_range_counts_across_files_and_in_its_namespace_only() {
    let range =
        "kind: LimitRange\nmetadata: {name: d, namespace: a}\nspec: {limits: [{type: Container, max: {memory: 1Gi}}]}";
    let pod = |namespace: &str| pod("").replace("name: p", &format!("name: p, namespace: {namespace}"));
    let document = lint(&[source("range.yaml", range), source("in.yaml", &pod("a")), source("out.yaml", &pod("b"))]);
    let missing: Vec<&str> =
        document.findings.iter().filter(|it| it.rule == "limit-missing").map(|it| it.region.path.as_str()).collect();
    assert_eq!(missing, ["out.yaml"]);
}

#[test]
fn the_jvm_reads_its_flags_in_its_own_order() {
    let env = |list: &str| pod(&format!("    command: [java, $(EXTRA), -jar, a.jar]\n    env: {list}\n{LIMITED}"));
    let heap = |list: &str| grave(&linted(&env(list))).iter().any(|(rule, _)| *rule == "jvm-heap-ge-limit");
    assert!(heap("[{name: JAVA_TOOL_OPTIONS, value: -Xmx1g}]"));
    assert!(!heap("[{name: JAVA_TOOL_OPTIONS, value: -Xmx1g}, {name: EXTRA, value: -Xmx256m}]"));
    assert!(heap("[{name: EXTRA, value: -Xmx256m}, {name: _JAVA_OPTIONS, value: -Xmx1g}]"));
    assert!(!heap("[{name: JAVA_OPTS, value: -Xmx1g}]"), "nothing hands it on");
}

#[test]
fn a_program_is_what_a_command_starts_and_not_what_it_mentions() {
    let run = |command: &str| {
        let small = "    resources: {requests: {memory: 128Mi}, limits: {memory: 128Mi}}\n";
        grave(&linted(&pod(&format!("    command: {command}\n{small}"))))
            .iter()
            .any(|(rule, _)| *rule == "jvm-headroom")
    };
    for java in
        ["[java, -jar, a.jar]", "[sh, -c, 'cd /app && exec java -jar a.jar']", "[sh, -c, \"set -e\\njava -jar a\"]"]
    {
        assert!(run(java), "{java}");
    }
    for other in ["[generate, --lang, java]", "[sh, -c, 'echo java']", "[curl, -XPOST, x]"] {
        assert!(!run(other), "{other}");
    }
}

#[test]
fn what_is_still_to_be_rendered_is_not_missing() {
    let document = linted(&pod("    resources: {requests: {memory: 1Gi}, limits: {memory: {{ .Values.memory }}}}\n"));
    assert_eq!(grave(&document), []);
    let broken = linted(&pod("    {{- toYaml .Values.resources | nindent 4 }}\n"));
    assert!(broken.parse_errors[0].message.contains("rendered first"), "{broken:?}");
}

#[test]
fn options_beside_resources_are_those_of_strimzi() {
    let text = "apiVersion: kafka.strimzi.io/v1beta2\nkind: Kafka\nspec:\n  kafka:\n    jvmOptions:\n      -Xmx: 4g\n    resources: {limits: {memory: 4Gi}}\n";
    assert_eq!(grave(&linted(text)), [("jvm-heap-ge-limit", 6)]);
    assert_eq!(grave(&linted(&text.replace("4Gi", "6Gi"))), []);
    // 4 GiB of heap, a collector and the rest do not fit 4.2 GiB.
    assert_eq!(grave(&linted(&text.replace("4Gi", "4300Mi"))), [("jvm-headroom", 6)]);
}

#[test]
fn steps_of_argos_workflows_are_pods_and_other_objects_with_a_container_are_none() {
    let text = "apiVersion: argoproj.io/v1alpha1\nkind: KIND\nmetadata: {name: w}\nspec:\n  templates:\n  - name: t\n    \
                STEP:\n      image: x\n      command: [java, -Xmx1g, -jar, a.jar]\n      resources: {requests: {memory: \
                1Gi}, limits: {memory: 1Gi}}\n  - name: all\n    dag: {tasks: [{name: a, template: t}]}\n";
    for (kind, step) in [("Workflow", "container"), ("CronWorkflow", "script")] {
        let text = text.replace("KIND", kind).replace("STEP", step);
        assert_eq!(grave(&linted(&text)), [("jvm-heap-ge-limit", 9)], "{kind}");
    }
    let other = text.replace("KIND", "AppProject").replace("STEP", "container");
    assert_eq!(grave(&linted(&other)), []);
}

#[test]
fn steps_of_tektons_tasks_are_containers_whatever_holds_them() {
    let steps = "stepTemplate: {computeResources: {requests: {memory: 1Gi}, limits: {memory: 2Gi}}}, steps: [{name: a, \
                 image: x, command: [java, -Xmx2g, -jar, a.jar]}, {name: b, image: x, command: [java, -Xmx1g, -jar, \
                 b.jar], computeResources: {limits: {memory: 1Gi}}}], sidecars: [{image: y}]";
    let head = "apiVersion: tekton.dev/v1\nmetadata: {name: t}\n";
    let spec = format!("{{\n{steps}}}").replace("{name: b", "\n{name: b").replace("sidecars", "\nsidecars");
    for (kind, around) in
        [("Task", "SPEC"), ("TaskRun", "{taskSpec: SPEC}"), ("Pipeline", "{tasks: [{name: n, taskSpec: SPEC}]}")]
    {
        let text = format!("{head}kind: {kind}\nspec: {}\n", around.replace("SPEC", &spec));
        let expected =
            [("jvm-heap-ge-limit", 5), ("jvm-heap-ge-limit", 6), ("limit-missing", 7), ("request-missing", 7)];
        assert_eq!(grave(&linted(&text)), expected, "{kind}");
    }
    let elsewhere = format!("{head}kind: Task\nspec: {spec}\n").replace("tekton.dev", "example.org");
    assert_eq!(grave(&linted(&elsewhere)), []);
}

#[test]
fn start_scripts_variables_reach_java_only_through_a_shell_that_names_them() {
    let found = |command: &str| {
        let env = "    env: [{name: JAVA_OPTS, value: -Xmx256m}]\n";
        let document = linted(&pod(&format!("    command: {command}\n{env}{LIMITED}")));
        grave(&document).into_iter().any(|(rule, _)| rule == "jvm-flag-conflict")
    };
    assert!(found("[java, -jar, a.jar]"));
    assert!(found("[java, $JAVA_OPTS, -jar, a.jar]"));
    assert!(found("[sh, -c, exec java -jar a.jar]"));
    assert!(found("[/bin/bash, -ec, 'cd /app; java -jar a.jar']"));
    assert!(!found("[sh, -c, exec java $JAVA_OPTS -jar a.jar]"));
    assert!(!found("[sh, -c, 'exec java ${JAVA_OPTS} -jar a.jar']"));
    assert!(!found("[java, $(JAVA_OPTS), -jar, a.jar]"));
    // What the script does is not in the input.
    assert!(!found("[sh, /start.sh, java]"));
}

#[test]
fn buffers_of_postgres_without_a_unit_are_blocks() {
    let found = |buffers: u64| {
        let text = pod(&format!("    args: [postgres, -c, shared_buffers={buffers}]\n{LIMITED}"));
        grave(&linted(&text)).len()
    };
    // 128 Ki blocks of 8 KiB are the whole GiB, 16 Ki an eighth of it.
    assert_eq!((found(131_072), found(16_384)), (1, 0));
}

#[test]
fn nothing_is_said_of_the_class_where_an_amount_cannot_be_read() {
    let document = linted(&pod("    resources: {requests: {memory: 1gi}, limits: {memory: 1gi}}\n"));
    assert!(grave(&document).iter().all(|(rule, _)| *rule == "quantity-case"), "{document:?}");
}

#[test]
fn the_image_of_node_starts_scripts_and_what_else_is_named() {
    let found = |more: &str| {
        let text = "services:\n  a:\n    image: node:22\n    mem_limit: 256m\n";
        let document = lint(&[source("compose.yaml", &format!("{text}{more}"))]);
        document.findings.iter().any(|it| it.rule == "node-headroom")
    };
    // By itself V8 takes 256 MiB of these for its heap.
    assert!(found("") && found("    command: [server.js]\n") && found("    command: [--inspect, server.js]\n"));
    assert!(!found("    command: [nginx]\n") && !found("    entrypoint: [/run]\n    command: [server.js]\n"));
}

#[test]
fn options_of_node_that_npm_hands_on_count() {
    let command = "    command: [npx, --node-options=--max-old-space-size=2048, next, start]\n";
    assert_eq!(grave(&linted(&pod(&format!("{command}{LIMITED}")))), [("node-heap-ge-limit", 7)]);
}

#[test]
fn a_script_sets_variables_too() {
    let script = "    command: [sh, -c]\n    args:\n    - |\n      export JAVA_OPTS=\"-Xmx1g -Xms1g\"\n      exec java $JAVA_OPTS -jar a.jar\n";
    let document = linted(&pod(&format!("{script}{LIMITED}")));
    let found = grave(&document)
        .into_iter()
        .filter(|(rule, _)| *rule == "jvm-heap-ge-limit")
        .map(|(_, line)| line)
        .collect::<Vec<_>>();
    assert_eq!(found, [10]);
}

#[test]
fn a_java_that_sees_no_limit_is_known_by_its_image() {
    let finds = |image: &str| {
        let text = pod(LIMITED).replace("image: x", &format!("image: {image}"));
        grave(&linted(&text)).iter().any(|(rule, _)| *rule == "jvm-cgroup-support")
    };
    for old in [
        "openjdk:8-jre-alpine",
        "openjdk:8u181",
        "openjdk:11.0.11-jre",
        "java:8",
        "adoptopenjdk:11-jre-hotspot",
        "openjdk:13",
    ] {
        assert!(finds(old), "{old}");
    }
    for new in
        ["eclipse-temurin:8-jre", "eclipse-temurin:8u412-b08-jre", "openjdk:11", "amazoncorretto:17.0.9", "app:8u181"]
    {
        assert!(!finds(new), "{new}");
    }
}

#[test]
fn what_is_not_in_the_input_is_said() {
    let env = "    env: [{name: JAVA_TOOL_OPTIONS, value: -Xmx1g}, {name: JAVA_OPTS, valueFrom: {secretKeyRef: {name: s, key: k}}}]\n    envFrom: [{secretRef: {name: flags}}]\n";
    let document = linted(&pod(&format!("{env}{LIMITED}")));
    let assumed = document.findings.iter().find(|it| it.rule == "jvm-heap-ge-limit").map(|it| it.assumed.join("; "));
    let assumed = assumed.unwrap_or_default();
    assert!(assumed.contains("`flags`, which is not in the input") && assumed.contains("`JAVA_OPTS`"), "{assumed}");
}

#[test]
fn variables_come_from_config_maps_and_fields() {
    let map = "kind: ConfigMap\nmetadata: {name: m}\ndata: {JAVA_TOOL_OPTIONS: -Xmx2g, other: '1'}\n---\n";
    let by_list = format!("{map}{}", pod(&format!("    envFrom: [{{configMapRef: {{name: m}}}}]\n{LIMITED}")));
    assert_eq!(grave(&linted(&by_list)), [("jvm-heap-ge-limit", 3)]);
    let field = "    env: [{name: GOMEMLIMIT, valueFrom: {resourceFieldRef: {resource: limits.memory}}}]\n";
    assert_eq!(grave(&linted(&pod(&format!("{field}{LIMITED}")))), [("go-memlimit-ge-limit", 7)]);
}

#[test]
fn an_anchor_is_found_where_it_stands() {
    let text = "kind: Pod\nx: &r\n  limits: {memory: 512m}\nspec:\n  containers:\n  - {name: a, image: x, resources: *r}\n  - {name: b, image: x, resources: {<<: *r}}\n";
    let document = linted(text);
    let found: Vec<_> = grave(&document).into_iter().filter(|(rule, _)| *rule == "quantity-milli").collect();
    assert_eq!(found, [("quantity-milli", 3), ("quantity-milli", 3)]);
}

#[test]
fn a_slip_of_the_unit_is_found_once_and_nothing_follows_from_it() {
    let document = linted(&pod(
        "    env: [{name: JAVA_TOOL_OPTIONS, value: -Xmx512m}]\n    resources: {limits: {memory: 512m}}\n",
    ));
    assert_eq!(grave(&document), [("quantity-milli", 8)]);
    let fix = document.findings.iter().find_map(|finding| finding.fix.as_ref()).unwrap();
    assert!(fix.safe);
    assert_eq!(fix.edits[0].text, "512Mi");
}

#[test]
fn fingerprints_survive_moved_lines() {
    let of = |text: &str| linted(text).findings.into_iter().map(|it| it.fingerprint).collect::<Vec<_>>();
    let text = pod("");
    assert_eq!(of(&text), of(&format!("# moved\n\n{text}")));
    assert_ne!(of(&text), of(&text.replace("name: p", "name: q")));
}

#[test]
fn text_names_the_place_and_the_way_on() {
    let sources = [source("deploy.yaml", &pod(""))];
    let text = oomph_core::lint::report::text(&lint(&sources), &sources, Style::Plain, 100, false);
    assert!(
        text.contains("error[limit-missing]: container `app` has no memory limit\n --> deploy.yaml:5:11\n"),
        "{text}"
    );
    assert!(text.contains("oomph explain limit-missing"), "{text}");
    assert!(text.ends_with("1 error, 2 warnings, 0 infos in 1 file: 1 pod template, 1 container\n"), "{text}");
}

#[test]
fn control_characters_do_not_reach_the_terminal() {
    let sources = [source("a.yaml", &pod("").replace("app", "\"a\\e[31m\u{1b}[0m\""))];
    let text = oomph_core::lint::report::text(&lint(&sources), &sources, Style::Plain, 100, false);
    assert!(!text.contains('\u{1b}'), "{text:?}");
}

fn check(text: &str) {
    let sources = [source("a.yaml", text)];
    let document = lint(&sources);
    for finding in &document.findings {
        let places = finding.related.iter().map(|related| &related.region).chain([&finding.region]);
        for region in places {
            assert!(text.get(region.place.unwrap().span.range()).is_some());
        }
        assert!(RULES.iter().any(|rule| rule.id == finding.rule && rule.level >= finding.level));
    }
    oomph_core::lint::report::text(&document, &sources, Style::Plain, 100, true);
    oomph_core::lint::report::markdown(&document);
}

proptest! {
    #[test]
    fn no_text_panics(text in "\\PC{0,60}") {
        check(&text);
    }

    #[test]
    fn no_manifest_panics(
        pieces in prop::collection::vec(
            prop::sample::select(vec![
                "kind: Pod\n", "spec:\n", "  containers:\n", "  - name: a\n", "    image: eclipse-temurin:8u1\n",
                "    resources: {limits: {memory: 512m}, requests: {memory: 1Gi}}\n", "    resources: *r\n",
                "    resources: &r {limits: {memory: 99999999999999Ei}}\n", "    args: [java, -Xmx512m, '-Xmx99999999999g']\n",
                "    env: [{name: GOMEMLIMIT, value: 9GiB}, {name: NODE_OPTIONS, value: '--max-old-space-size=18446744073709551615'}]\n",
                "    env: [{name: DOTNET_GCHeapHardLimitPercent, value: 'FFFFFFFFFFFFFFFF'}, {name: GOGC, value: 'off'}]\n",
                "  volumes: [{name: v, emptyDir: {medium: Memory, sizeLimit: 0}}]\n", "    volumeMounts: [{name: v, mountPath: /é}]\n",
                "    command: [gunicorn, -w, '99999999999999999999']\n", "    command: [redis-server, --maxmemory, 9999999999gb]\n",
                "    command: [postgres, -c, shared_buffers=99999999TB]\n", "---\n", "\n", "  initContainers: [{name: i, image: x, restartPolicy: Always}]\n",
                "    livenessProbe: {exec: {command: [java, x]}}\n", "    env:\n    - name: JAVA_OPTS\n      value: |\n        -Xmx1g\n        -Xmx2g\n",
                "    resources: {limits: {memory: 1Gi, cpu: 99999999999}}\n", "    env: [{name: JAVA_TOOL_OPTIONS, value: '-XX:MaxRAMPercentage=1e308 -XX:MaxRAMFraction=0 -XX:MaxRAM=1t'}]\n",
            ]),
            0..24,
        )
    ) {
        check(&pieces.concat());
    }
}
