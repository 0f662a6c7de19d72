//! Lint of shapes: what is a pod and what is none, and who belongs to whom.
#![allow(clippy::unwrap_used, reason = "a test may fail that way")]

use oomph_core::lint::{Document, Level, Source, lint};

/// Rule and line of what is at least a warning.
fn grave(document: &Document) -> Vec<(&str, u32)> {
    let findings = document.findings.iter().filter(|finding| finding.level > Level::Info);
    findings.map(|finding| (finding.rule.as_str(), finding.region.line)).collect()
}

fn files(files: &[(&str, &str)]) -> Document {
    lint(&files.iter().map(|(name, text)| Source { name: (*name).into(), text: (*text).into() }).collect::<Vec<_>>())
}

/// Whether a rule finds something grave in a text.
fn finds(rule: &str, text: &str) -> bool {
    grave(&files(&[("a.yaml", text)])).iter().any(|(it, _)| *it == rule)
}

#[test]
fn containers_of_what_is_no_object_are_no_pods() {
    for text in [
        "trigger: [main]\nresources:\n  containers:\n  - {container: linux, image: 'ubuntu:22.04'}\n  - {container: pg, \
         image: 'postgres:16'}\n",
        "replicas: 1\ncontainers:\n- {name: a, image: b}\n",
    ] {
        let document = files(&[("a.yaml", text)]);
        assert_eq!((grave(&document), document.checked.templates), (vec![], 0), "{text}");
    }
    let values = "extraObjects:\n- kind: Pod\n  apiVersion: v1\n  spec: {containers: [{name: a, image: b}]}\n";
    assert!(finds("limit-missing", values));
}

#[test]
fn files_in_memory_are_charged_to_who_writes_them() {
    let of = |mode: &str| {
        format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: p}}\nspec:\n  volumes:\n  - {{name: t, emptyDir: {{medium: \
             Memory, sizeLimit: 300Mi}}}}\n  initContainers:\n  - name: w\n    image: b\n    volumeMounts: [{{name: t, \
             mountPath: /t}}]\n    resources: {{requests: {{memory: 1Gi}}, limits: {{memory: 1Gi}}}}\n  containers:\n  - \
             name: app\n    image: a\n    env: [{{name: JAVA_TOOL_OPTIONS, value: -Xmx700m -XX:+UseSerialGC}}]\n    \
             volumeMounts: [{{name: t, mountPath: /t{mode}}}]\n    resources: {{requests: {{memory: 1Gi}}, limits: \
             {{memory: 1Gi}}}}\n"
        )
    };
    assert!(finds("jvm-headroom", &of("")));
    assert!(!finds("jvm-headroom", &of(", readOnly: true")));
    // The limit of a reader is not what a volume fills.
    let small = |mode: &str| {
        let text = of(mode).replace("value: -Xmx700m -XX:+UseSerialGC", "value: -Xmx16m");
        let (before, container) = text.rsplit_once("requests: {memory: 1Gi}").unwrap();
        finds("tmpfs-unbounded", &format!("{before}requests: {{memory: 1Gi}}{}", container.replace("1Gi", "256Mi")))
    };
    assert!(small("") && !small(", readOnly: true"));
}

/// A Deployment with a heap of 512 MiB, an HPA with a metric on memory, and a VPA with a policy.
fn scaled(requests: &str, target: &str, policy: &str) -> bool {
    let metric = match target {
        "" => String::new(),
        target => format!(
            "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {{name: h}}\nspec:\n  scaleTargetRef: \
             {{apiVersion: apps/v1, kind: Deployment, name: d}}\n  metrics:\n  - {{type: Resource, resource: {{name: \
             memory, target: {{{target}}}}}}}\n---\n"
        ),
    };
    finds(
        "replicas-vpa-hpa-memory",
        &format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: d}}\nspec:\n  template:\n    spec:\n      \
             containers:\n      - name: app\n        image: a\n        env: [{{name: JAVA_TOOL_OPTIONS, value: \
             -Xmx512m}}]\n        resources: {{requests: {{memory: {requests}}}, limits: {{memory: 1Gi}}}}\n---\n\
             {metric}apiVersion: autoscaling.k8s.io/v1\nkind: VerticalPodAutoscaler\nmetadata: {{name: v}}\nspec:\n  \
             targetRef: {{apiVersion: apps/v1, kind: Deployment, name: d}}\n  updatePolicy: {{updateMode: Auto}}\n  \
             resourcePolicy: {{containerPolicies: [{policy}]}}\n"
        ),
    )
}

#[test]
fn two_autoscalers_meet_only_where_both_act_on_the_memory_of_a_container() {
    let share = |policy: &str| scaled("1Gi", "type: Utilization, averageUtilization: 80", policy);
    assert!(share("{containerName: '*'}") && share("") && share("{containerName: app}"));
    for policy in [
        "{containerName: '*', controlledResources: [cpu]}",
        "{containerName: app, controlledResources: [cpu]}",
        "{containerName: app, mode: 'Off'}",
        "{containerName: app, mode: 'Off'}, {containerName: '*'}",
    ] {
        assert!(!share(policy), "{policy}");
    }
    assert!(share("{containerName: '*', mode: 'Off'}, {containerName: app}"));
    assert!(!scaled("1Gi", "type: AverageValue, averageValue: 500Mi", "{containerName: '*'}"), "no share");
}

#[test]
fn bounds_of_a_vpa_scale_the_limit_in_proportion() {
    let bounds = |requests: &str, policy: &str| scaled(requests, "", &format!("{{containerName: app, {policy}}}"));
    assert!(bounds("1Gi", "maxAllowed: {memory: 512Mi}"));
    assert!(!bounds("512Mi", "maxAllowed: {memory: 512Mi}"), "the limit is twice the request");
    assert!(!bounds("1Gi", "controlledValues: RequestsOnly, maxAllowed: {memory: 512Mi}"));
    assert!(!bounds("1Gi", "controlledResources: [cpu], maxAllowed: {memory: 512Mi}"));
    assert!(bounds("1Gi", "minAllowed: {memory: 4Mi}"));
    assert!(!bounds("1Gi", "controlledValues: RequestsOnly, minAllowed: {memory: 4Mi}"));
}

/// Rule and line of what a Compose file has that is grave, with a second file beside it.
fn composed(text: &str, second: Option<&str>) -> Vec<(String, u32)> {
    let both = [("a/compose.yaml", text), ("a/compose.override.yml", second.unwrap_or("a: 1\n"))];
    let document = files(&both);
    grave(&document).into_iter().map(|(rule, line)| (rule.to_owned(), line)).collect()
}

#[test]
fn a_service_inherits_what_it_extends() {
    let heap = |extends: &str| {
        composed(
            &format!(
                "services:\n  base:\n    image: a\n    mem_limit: 512m\n    environment: {{A: b}}\n  a:\n    extends: \
                 {extends}\n    environment: {{JAVA_TOOL_OPTIONS: -Xmx512m}}\n"
            ),
            None,
        )
    };
    for extends in ["base", "{service: base}"] {
        assert_eq!(heap(extends), [("jvm-heap-ge-limit".to_owned(), 8)], "{extends}");
    }
    // What another file says is not known.
    assert_eq!(heap("{file: common.yml, service: base}"), []);
    assert_eq!(composed("services:\n  a:\n    image: a\n    extends: a\n", None).len(), 1, "it ends");
}

#[test]
fn a_second_file_of_compose_is_merged_over_the_first() {
    let first = "services:\n  a:\n    image: a\n    environment: [JAVA_TOOL_OPTIONS=-Xmx1g]\n";
    assert_eq!(composed(first, None), [("compose-limit-missing".to_owned(), 3)]);
    assert_eq!(composed(first, Some("services:\n  a:\n    mem_limit: 2g\n")), []);
    let small = composed(first, Some("services:\n  a:\n    mem_limit: 1g\n"));
    assert_eq!(small, [("jvm-heap-ge-limit".to_owned(), 4)]);
    let limited = "services:\n  a:\n    image: a\n    mem_limit: 1g\n";
    assert_eq!(composed(limited, Some("services:\n  a:\n    image: b\n")), []);
    // One of its own is judged by itself, and one whose first file is not here not at all.
    let own = composed(limited, Some("services:\n  b:\n    image: b\n"));
    assert_eq!(own, [("compose-limit-missing".to_owned(), 3)]);
    assert_eq!(grave(&files(&[("compose.override.yaml", "services:\n  b:\n    image: b\n")])), []);
}

#[test]
fn a_limit_of_nothing_is_none_and_a_default_is_assumed() {
    for none in ["0", "-1", "0b"] {
        let found = composed(&format!("services:\n  a:\n    image: a\n    mem_limit: {none}\n"), None);
        assert_eq!(found, [("compose-limit-missing".to_owned(), 4)], "{none}");
    }
    for (limit, heap) in [("${LIMIT:-1g}", "-Xmx1g"), ("1g", "-Xmx${HEAP:-1g}"), ("1g", "${ALL:--Xmx1g -Xms1g}")] {
        let text = format!(
            "services:\n  a:\n    image: a\n    mem_limit: {limit}\n    environment:\n      JAVA_TOOL_OPTIONS: {heap}\n"
        );
        let document = files(&[("compose.yaml", &text)]);
        let found = document.findings.iter().find(|it| it.rule == "jvm-heap-ge-limit").unwrap();
        assert!(found.assumed.iter().any(|it| it.contains("is not set where Compose runs")), "{found:?}");
    }
    assert_eq!(composed("services:\n  a:\n    image: a\n    mem_limit: ${LIMIT}\n", None), []);
}

/// A workflow of Argo with a template, and what stands beside its templates.
fn workflow(beside: &str, template: &str) -> Document {
    let text = format!(
        "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {{name: w}}\nspec:\n{beside}  templates:\n  - name: \
         a\n{template}"
    );
    files(&[("a.yaml", &text)])
}

#[test]
fn a_template_of_argo_takes_what_the_workflow_gives() {
    let java = "    container: {image: a, command: [java, -Xmx1g, -jar, a.jar]}\n";
    let limits = "templateDefaults: {container: {resources: {requests: {memory: 1Gi}, limits: {memory: 1Gi}}}}\n";
    assert_eq!(grave(&workflow(&format!("  {limits}"), java)), [("jvm-heap-ge-limit", 8)]);
    let bare = workflow("  serviceAccountName: a\n", java);
    assert!(grave(&bare).contains(&("limit-missing", 8)), "{bare:?}");
    // What the patch says is not read.
    for patch in ["  podSpecPatch: '{\"containers\": []}'\n", "  templateDefaults: {podSpecPatch: a}\n"] {
        assert_eq!(grave(&workflow(patch, java)), [], "{patch}");
    }
    let volume = "  volumes: [{name: t, emptyDir: {medium: Memory}}]\n";
    let mounted = "    container: {image: a, resources: {requests: {memory: 1Gi}, limits: {memory: 1Gi}}, volumeMounts: \
                   [{name: t, mountPath: /t}]}\n";
    assert_eq!(grave(&workflow(volume, mounted)), [("tmpfs-unbounded", 5)]);
}

#[test]
fn every_container_of_a_template_of_argo_is_judged() {
    let of = |name: &str| format!("{{name: {name}, image: {name}}}");
    let template = format!(
        "    initContainers: [{}]\n    sidecars: [{}]\n    container: {{image: a}}\n    \
         resources: {{}}\n",
        of("i"),
        of("s")
    );
    let document = workflow("", &template);
    let missing: Vec<u32> =
        grave(&document).into_iter().filter(|(rule, _)| *rule == "limit-missing").map(|(_, line)| line).collect();
    assert_eq!(missing, [7, 8, 9], "{document:?}");
}

#[test]
fn init_containers_alone_are_a_template_that_an_operator_completes() {
    let text = "apiVersion: example.org/v1\nkind: Search\nmetadata: {name: s}\nspec:\n  podTemplate:\n    spec:\n      \
                initContainers:\n      - {name: sysctl, image: busybox}\n";
    assert!(finds("limit-missing", text));
}

#[test]
fn a_step_of_tekton_with_a_request_alone_has_the_templates_limit() {
    let text = "apiVersion: tekton.dev/v1\nkind: Task\nmetadata: {name: t}\nspec:\n  stepTemplate: {computeResources: \
                {limits: {memory: 1Gi}}}\n  steps:\n  - {name: a, image: x, command: [java, -Xmx1g, -jar, a.jar], \
                computeResources: {requests: {memory: 512Mi}}}\n";
    assert!(finds("jvm-heap-ge-limit", text) && !finds("limit-missing", text));
}

#[test]
fn no_namespace_is_that_of_default() {
    let range = "apiVersion: v1\nkind: LimitRange\nmetadata: {name: l, namespace: default}\nspec: {limits: [{type: \
                 Container, default: {memory: 512Mi}}]}\n---\n";
    let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: a, image: b}]}\n";
    assert!(!finds("limit-missing", &format!("{range}{pod}")));
    assert!(finds("limit-missing", &format!("{}{pod}", range.replace("default}", "other}"))));
}

#[test]
fn an_object_that_something_is_found_in_is_not_one_that_no_rule_applies_to() {
    let text = "apiVersion: kafka.strimzi.io/v1beta2\nkind: Kafka\nmetadata: {name: k}\nspec: {kafka: {jvmOptions: \
                {-Xmx: 4g}, resources: {limits: {memory: 4Gi}}}}\n";
    let document = files(&[("a.yaml", text)]);
    assert_eq!((grave(&document).len(), document.skipped.len()), (1, 0), "{document:?}");
}

#[test]
fn what_a_custom_resource_claims_is_an_amount_like_any_other() {
    let claims = |head: &str, resources: &str| {
        let text = format!("{head}metadata: {{name: a}}\nspec:\n  server:\n    resources: {resources}\n");
        grave(&files(&[("a.yaml", &text)])).into_iter().map(|(rule, _)| rule.to_owned()).collect::<Vec<_>>()
    };
    let custom = "apiVersion: example.org/v1\nkind: Server\n";
    assert_eq!(claims(custom, "{limits: {memory: 512m}}"), ["quantity-milli"]);
    assert_eq!(claims(custom, "{requests: {memory: 2Gi}, limits: {memory: 1Gi}}"), ["request-gt-limit"]);
    assert!(claims(custom, "{requests: {memory: 1Gi}, limits: {memory: 2Gi}}").is_empty());
    assert!(claims("kind: pipeline\n", "{limits: {memory: 512m}}").is_empty(), "no object of Kubernetes");
    // Of a template it is said once, as of the template.
    let text = "apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nmetadata: {name: a}\nspec: {template: {spec: {containers: \
                [{name: a, image: b, resources: {limits: {memory: 512m}}}]}}}\n";
    let document = files(&[("a.yaml", text)]);
    assert_eq!(document.findings.iter().filter(|it| it.rule == "quantity-milli").count(), 1, "{document:?}");
}
