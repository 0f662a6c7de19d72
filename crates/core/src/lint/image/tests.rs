use proptest::prelude::*;
use serde_json::{Value, json};

use super::masked;
use crate::lint::{Document, Level, Source, lint};

/// As `docker image inspect` prints it, in the parts that count and some that do not.
fn inspected(tags: &[&str], digests: &[&str], config: &Value) -> Source {
    let image = json!([{
        "Id": "sha256:5f2d8b1c",
        "RepoTags": tags,
        "RepoDigests": digests,
        "Config": config,
        "Architecture": "amd64",
        "Os": "linux",
        "GraphDriver": {"Name": "overlay2", "Data": null},
    }]);
    let text = serde_json::to_string_pretty(&image).unwrap();
    Source { name: "app.json".into(), text: masked(&text).unwrap() }
}

fn java(environment: &[&str]) -> Value {
    json!({"Env": environment, "Entrypoint": ["java", "-jar", "/app.jar"], "Cmd": null})
}

fn pod(image: &str, more: &str) -> Source {
    let text = format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: a}}\nspec:\n  containers:\n  - name: app\n    image: {image}\n    \
         resources: {{limits: {{memory: 512Mi}}, requests: {{memory: 512Mi}}}}\n{more}"
    );
    Source { name: "pod.yaml".into(), text }
}

/// Rule and line of errors, with the places that they rest on.
fn errors(document: &Document) -> Vec<(String, String, Vec<String>)> {
    let grave = document.findings.iter().filter(|it| it.level == Level::Error);
    let place = |region: &crate::lint::document::Region| format!("{}:{}", region.path, region.line);
    grave
        .map(|it| {
            let related = it.related.iter().map(|it| place(&it.region)).collect();
            (it.rule.clone(), place(&it.region), related)
        })
        .collect()
}

fn rules(sources: &[Source]) -> Vec<String> {
    errors(&lint(sources)).into_iter().map(|(rule, ..)| rule).collect()
}

#[test]
fn a_flag_of_the_image_is_found_at_the_limit_with_the_file_that_it_came_from() {
    let image = inspected(&["app:1"], &[], &java(&["PATH=/usr/bin", "JAVA_TOOL_OPTIONS=-Xmx512m"]));
    let line = image.text.lines().position(|line| line.contains("-Xmx512m")).unwrap() + 1;
    let document = lint(&[image, pod("app:1", "")]);
    assert_eq!(
        errors(&document),
        [("jvm-heap-ge-limit".to_owned(), "pod.yaml:8".to_owned(), vec![format!("app.json:{line}")])]
    );
    let finding = document.findings.iter().find(|it| it.level == Level::Error).unwrap();
    assert!(finding.notes.iter().any(|note| note.contains("app.json")), "{:?}", finding.notes);
    // Nothing of the image is taken for granted any more.
    assert_eq!(finding.assumed, Vec::<String>::new());
    assert_eq!(document.skipped, []);
}

#[test]
fn without_the_image_its_flags_are_unknown_and_nothing_is_said() {
    assert_eq!(rules(&[pod("app:1", "")]), Vec::<String>::new());
}

#[test]
fn images_are_told_by_names_as_an_engine_completes_them_and_by_digests() {
    let image = |tags: &[&str], digests: &[&str]| inspected(tags, digests, &java(&["JAVA_TOOL_OPTIONS=-Xmx600m"]));
    let is_found = |source: Source, name: &str| !rules(&[source, pod(name, "")]).is_empty();
    assert!(is_found(image(&["app:latest"], &[]), "docker.io/library/app"));
    assert!(is_found(image(&["docker.io/team/app:1"], &[]), "team/app:1"));
    assert!(is_found(image(&["localhost/app:1"], &[]), "app:1"));
    assert!(is_found(image(&["<none>:<none>"], &["ghcr.io/app@sha256:aa"]), "ghcr.io/app:7@sha256:aa"));
    assert!(is_found(image(&["app:1"], &[]), "app:1@sha256:bb"));
    assert!(!is_found(image(&["app:1"], &["app@sha256:aa"]), "app:1@sha256:bb"));
    assert!(!is_found(image(&["app:1"], &[]), "app:2"));
    assert!(!is_found(image(&["app:1"], &[]), "ghcr.io/app:1"));
}

#[test]
fn what_a_manifest_says_lies_over_the_image_as_kubernetes_lays_it() {
    let config = json!({
        "Env": ["JAVA_TOOL_OPTIONS=-Xmx1g"],
        "Entrypoint": ["/usr/bin/java", "-Xmx1g"],
        "Cmd": ["-Xmx2g", "-jar", "/app.jar"],
    });
    let found = |more: &str| {
        let document = lint(&[inspected(&["app:1"], &[], &config), pod("app:1", more)]);
        let messages = document.findings.into_iter().filter(|it| it.rule == "jvm-heap-ge-limit");
        messages.map(|it| it.message.split(" of ").nth(1).unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(found(""), ["2 GiB is more than the limit"]);
    // Arguments take the place of the image's command.
    assert_eq!(found("    args: [-jar, /other.jar]\n"), ["1 GiB is more than the limit"]);
    // A command takes that of both; the environment stays.
    assert_eq!(found("    command: [java, -jar, /other.jar]\n"), ["1 GiB is more than the limit"]);
    let own = "    command: [java, -jar, /other.jar]\n    env: [{name: JAVA_TOOL_OPTIONS, value: -Xmx128m}]\n";
    assert_eq!(found(own), Vec::<String>::new());
}

#[test]
fn an_image_that_starts_java_itself_reads_no_variable_of_start_scripts() {
    let more = "    env: [{name: JAVA_OPTS, value: -Xmx256m}]\n";
    let found = |entrypoint: Value| {
        let config = json!({"Env": [], "Entrypoint": entrypoint, "Cmd": []});
        let document = lint(&[inspected(&["app:1"], &[], &config), pod("app:1", more)]);
        document.findings.iter().any(|it| it.rule == "jvm-flag-conflict")
    };
    assert!(found(json!(["java", "-jar", "/app.jar"])));
    assert!(!found(json!(["sh", "-c", "exec java $JAVA_OPTS -jar /app.jar"])));
    assert!(!found(json!(["/start.sh"])));
}

#[test]
fn servers_of_known_images_are_what_their_start_script_is_given() {
    let config =
        json!({"Env": [], "Entrypoint": ["docker-entrypoint.sh"], "Cmd": ["node", "--max-old-space-size=1024"]});
    assert_eq!(rules(&[inspected(&["web:1"], &[], &config), pod("web:1", "")]), ["node-heap-ge-limit"]);
    let config = json!({"Env": ["GOMEMLIMIT=4GiB"], "Entrypoint": ["/server"], "Cmd": null});
    assert_eq!(rules(&[inspected(&["srv:1"], &[], &config), pod("srv:1", "")]), ["go-memlimit-ge-limit"]);
}

#[test]
fn nothing_of_an_inspection_is_kept_but_names_commands_and_flags() {
    let secret = "hunter2-Täst";
    let text = format!(
        r#"[{{"RepoTags":["app:1"],"Author":"{secret}","Config":{{"Env":["DB_PASS={secret}","PIN=4711","TOKEN=-Xmy{secret}",
        "JAVA_TOOL_OPTIONS=-Xmx512m -Dpass={secret} -XX:OnError={secret} -XX:MaxRAMPercentage=75.0","GOMEMLIMIT=1GiB",
        "GUNICORN_CMD_ARGS=--workers 4 --bind {secret}","NODE_OPTIONS=--max-old-space-size=512 --require={secret}"],
        "Entrypoint":["java","-Dtoken={secret}","postgres://u:{secret}@db"],"Cmd":["--workers=4"],
        "Labels":{{"a":"{secret}"}}}},"ContainerConfig":{{"Env":["DB_PASS={secret}"]}}}}]"#
    );
    let masked = masked(&text).unwrap();
    for hidden in [secret, "4711", "hunter2", "-Xmy"] {
        assert!(!masked.contains(hidden), "{hidden}: {masked}");
    }
    let kept = [
        "app:1",
        "-Xmx512m",
        "-XX:MaxRAMPercentage=75.0",
        "GOMEMLIMIT=1GiB",
        "--workers 4",
        "--max-old-space-size=512",
        "--workers=4",
    ];
    for kept in kept {
        assert!(masked.contains(kept), "{kept}: {masked}");
    }
    assert_eq!(masked.chars().count(), text.chars().count());
    assert!(serde_json::from_str::<Value>(&masked).is_ok());
}

#[test]
fn what_is_no_inspection_of_an_image_is_left_as_it_is() {
    assert_eq!(masked(r#"[{"Id":"a","Config":{"Image":"app","Env":["A=b"]}}]"#), None);
    assert_eq!(masked("kind: ConfigMap\ndata: {a: '\"RepoTags\"'}\n"), None);
    assert_eq!(masked(""), None);
}

#[test]
fn a_service_of_compose_is_judged_with_the_dockerfile_that_builds_it() {
    let dockerfile = "FROM eclipse-temurin:21 AS small\nENV JAVA_TOOL_OPTIONS=-Xmx128m\nENTRYPOINT [\"java\", \"-jar\", \
                      \"/a.jar\"]\nFROM small AS large\nENV JAVA_TOOL_OPTIONS=-Xmx2g\n";
    let dockerfile = |path: &str| Source { name: path.into(), text: dockerfile.to_owned() };
    let compose = |build: &str| {
        let text = format!("services:\n  app:\n    build: {build}\n    mem_limit: 512m\n");
        Source { name: "deploy/compose.yaml".into(), text }
    };
    let found = |build: &str, path: &str| errors(&lint(&[compose(build), dockerfile(path)]));
    let expected =
        [("jvm-heap-ge-limit".to_owned(), "app/Dockerfile:5".to_owned(), vec!["deploy/compose.yaml:4".to_owned()])];
    assert_eq!(found("../app", "app/Dockerfile"), expected);
    assert_eq!(found("{context: ../app, target: large}", "app/Dockerfile"), expected);
    assert_eq!(found("{context: ../app, target: \"1\"}", "app/Dockerfile"), expected);
    assert_eq!(found("{context: ../app, target: small}", "app/Dockerfile"), []);
    assert_eq!(found("{context: .., dockerfile: app/Dockerfile}", "app/Dockerfile"), expected);
    assert_eq!(found("../app", "other/Dockerfile"), []);
    assert_eq!(found("https://example.org/app.git", "app/Dockerfile"), []);
}

#[test]
fn values_that_build_arguments_may_change_are_not_known() {
    let dockerfile = "FROM eclipse-temurin:21\nARG HEAP=2g\nENV JAVA_TOOL_OPTIONS=-Xmx$HEAP\n";
    let found = |arguments: &str| {
        let text = format!("services:\n  app:\n    build: {{context: .{arguments}}}\n    mem_limit: 512m\n");
        let compose = Source { name: "compose.yaml".into(), text };
        rules(&[compose, Source { name: "Dockerfile".into(), text: dockerfile.to_owned() }])
    };
    assert_eq!(found(""), ["jvm-heap-ge-limit"]);
    assert_eq!(found(", args: {HEAP: 128m}"), Vec::<String>::new());
}

#[test]
fn a_dockerfile_is_judged_over_the_image_that_it_is_built_on_and_pods_over_both() {
    let base = inspected(&["base:1"], &[], &java(&["JAVA_TOOL_OPTIONS=-Xmx2g"]));
    let dockerfile = Source { name: "Dockerfile".into(), text: "FROM base:1\nCMD [\"--port=80\"]\n".into() };
    let compose = Source {
        name: "compose.yaml".into(),
        text: "services:\n  app:\n    build: .\n    image: team/app:1\n    mem_limit: 4g\n".into(),
    };
    assert_eq!(rules(&[base, dockerfile, compose, pod("team/app:1", "")]), ["jvm-heap-ge-limit"]);
}

proptest! {
    #[test]
    fn no_text_panics(
        text in "\\PC*",
        flips in proptest::collection::vec((any::<prop::sample::Index>(), any::<char>()), 0..8),
    ) {
        let image = inspected(&["app:1"], &["app@sha256:aa"], &java(&["JAVA_TOOL_OPTIONS=-Xmx512m", "A=ä"]));
        let mut mangled: Vec<char> = image.text.chars().collect();
        for (at, c) in flips {
            let at = at.index(mangled.len());
            mangled[at] = c;
        }
        let mangled: String = mangled.into_iter().collect();
        for text in [text, mangled] {
            let text = masked(&text).unwrap_or(text);
            lint(&[Source { name: "a.json".into(), text }, pod("app:1", "")]);
        }
    }
}
