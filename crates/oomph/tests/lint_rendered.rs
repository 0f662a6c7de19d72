//! `oomph lint` on what other programs render: a real Helm (`OOMPH_TEST_HELM`, which `tests/helm/get-helm` prints and
//! `cargo xtask test` sets) and the kustomize in a real kubectl (that of PATH).
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that cannot go on fails, or says why it is skipped"
)]

#[path = "../../../tests/support/component.rs"]
mod component;

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

fn lint(folder: &Path, path: &OsString, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_oomph"));
    command.arg("lint").args(arguments).current_dir(folder).env("PATH", path).stdin(Stdio::null()).output().unwrap()
}

fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn document(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", errors(output)))
}

/// Rule, path, line, template and container of what is graver than an info.
fn found(document: &Value) -> Vec<(String, String, u64, String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let findings = document["findings"].as_array().unwrap().iter().filter(|it| it["level"] != "info");
    findings
        .map(|it| {
            let line = it["line"].as_u64().unwrap();
            (text(&it["rule"]), text(&it["path"]), line, text(&it["object"]["template"]), text(&it["container"]))
        })
        .collect()
}

fn write(folder: &Path, files: &[(&str, &str)]) {
    for (name, text) in files {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

/// A PATH with one program's folder in it.
fn path_of(program: &Path) -> OsString {
    program.parent().unwrap().as_os_str().to_owned()
}

/// A chart with a part of its own and one that it depends on.
fn chart() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let web = "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: {{ .Release.Name }}-web\n  namespace: {{ \
               .Release.Namespace }}\nspec:\n  template:\n    spec:\n      containers:\n      - name: web\n        \
               image: registry/web:1\n        resources:\n          requests: {memory: 64Mi}\n          limits: \
               {memory: {{ .Values.memory }}}\n";
    let database = "apiVersion: v1\nkind: Pod\nmetadata: {name: db}\nspec:\n  containers:\n  - name: db\n    image: \
                    registry/db:1\n    resources: {limits: {memory: 64Mi}}\n---\napiVersion: v1\nkind: \
                    Pod\nmetadata: {name: batch}\nspec:\n  containers:\n  - name: batch\n    image: \
                    registry/batch:1\n    resources: {requests: {memory: 32Mi}}\n";
    write(
        folder.path(),
        &[
            ("shop/Chart.yaml", "apiVersion: v2\nname: shop\nversion: 1.0.0\n"),
            ("shop/values.yaml", "memory: 128Mi\n"),
            ("shop/templates/web.yaml", web),
            ("shop/charts/db/Chart.yaml", "apiVersion: v2\nname: db\nversion: 1.0.0\n"),
            ("shop/charts/db/templates/pods.yaml", database),
            ("prod.yaml", "memory: 128m\n"),
        ],
    );
    folder
}

#[test]
fn findings_in_a_chart_name_the_template_and_the_lines_that_helm_shows_of_it() {
    let Some(helm) = component::component("OOMPH_TEST_HELM") else { return };
    let (chart, path) = (chart(), path_of(&helm));
    let pods = "shop/charts/db/templates/pods.yaml".to_owned();
    let shown = |template: &str| {
        let arguments = ["template", "shop", "--values", "prod.yaml", "--show-only", template];
        let output = Command::new(&helm).args(arguments).current_dir(chart.path()).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let missing = ("limit-missing".to_owned(), pods.clone(), 19, pods.clone(), "batch".to_owned());
    let output = lint(chart.path(), &path, &["--helm", "shop", "-o", "json"]);
    assert_eq!(output.status.code(), Some(1), "{}", errors(&output));
    assert_eq!(found(&document(&output)), std::slice::from_ref(&missing));

    // Values and the namespace reach Helm.
    let arguments = ["--helm", "./shop", "--helm-values", "prod.yaml", "-n", "prod", "-o", "json"];
    let output = lint(chart.path(), &path, &arguments);
    let document = document(&output);
    let template = "shop/templates/web.yaml".to_owned();
    let found = found(&document);
    assert!(found.contains(&missing), "{found:?}");
    assert!(found.iter().any(|it| it.0 == "quantity-milli" && it.1 == template && it.3 == template), "{found:?}");
    let milli = document["findings"].as_array().unwrap().iter().find(|it| it["rule"] == "quantity-milli").unwrap();
    assert_eq!(milli["object"]["namespace"], "prod");

    // The line is the one that Helm prints when it is asked for that template alone.
    let shown = shown("templates/web.yaml");
    let line = usize::try_from(milli["line"].as_u64().unwrap()).unwrap();
    assert!(shown.lines().nth(line - 1).unwrap().contains("128m"), "line {line} of {shown}");

    // Settings beside the chart hold for what comes of it, and SARIF names the template.
    fs::write(chart.path().join("shop/.oomph.yaml"), "lint: {rules: {limit-missing: off}}").unwrap();
    let output = lint(chart.path(), &path, &["--helm", "shop", "--format", "sarif"]);
    assert_eq!(output.status.code(), Some(0), "{}", errors(&output));
    let sarif: Value = serde_json::from_slice(&output.stdout).unwrap();
    for result in sarif["runs"][0]["results"].as_array().unwrap() {
        let uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].as_str().unwrap();
        assert!(uri.starts_with("shop/"), "{uri}");
    }
}

#[test]
fn what_helm_cannot_render_is_a_failure_in_its_own_words() {
    let Some(helm) = component::component("OOMPH_TEST_HELM") else { return };
    let (chart, path) = (chart(), path_of(&helm));
    write(chart.path(), &[("shop/templates/bad.yaml", "a: {{ .Values.no.such.value }}\n")]);
    // A chart's name is never a flag of Helm's.
    for name in ["shop", "--help"] {
        let output = lint(chart.path(), &path, &[&format!("--helm={name}")]);
        let errors = errors(&output);
        assert_eq!(output.status.code(), Some(2), "{errors}");
        assert!(errors.contains(&format!("`helm template {name}` failed")), "{errors}");
        assert!(errors.contains("Error: "), "{errors}");
    }
}

#[test]
fn a_program_that_is_missing_is_named_with_what_was_tried_and_what_to_do() {
    let empty = tempfile::tempdir().unwrap();
    let path = empty.path().as_os_str().to_owned();
    for (arguments, words) in [
        (["--helm", "shop"], ["no helm in PATH", "`helm template shop`", "helm template shop | oomph lint -"]),
        (["--kustomize", "."], ["neither kustomize nor kubectl", "`kubectl kustomize .`", "| oomph lint -"]),
    ] {
        let output = lint(empty.path(), &path, &arguments);
        let errors = errors(&output);
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{errors}");
        assert!(words.iter().all(|word| errors.contains(word)), "{errors}");
    }
    // What is rendered has no file that could be mended, and values are of a chart.
    for arguments in [&["--helm", "shop", "--fix"][..], &["--helm-values", "x.yaml"]] {
        assert_eq!(lint(empty.path(), &path, arguments).status.code(), Some(2), "{arguments:?}");
    }
}

#[test]
fn findings_in_an_overlay_name_the_file_that_kustomize_took_the_object_from() {
    let folders = std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()).collect::<Vec<_>>();
    let kubectl = folders.iter().map(|folder| folder.join("kubectl")).find(|path| path.is_file());
    let Some(kubectl) = kubectl else { return component::missing("there is no kubectl in PATH") };
    // Alone in a folder, so that no kustomize is taken in its place.
    let programs = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(&kubectl, programs.path().join("kubectl")).unwrap();
    let path = std::env::join_paths([programs.path(), Path::new("/usr/bin"), Path::new("/bin")]).unwrap();

    let folder = tempfile::tempdir().unwrap();
    let web = "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: \
               registry/web:1\n    resources: {limits: {memory: 64Mi}}\n";
    let overlay = "resources: [../../base]\nbuildMetadata: [originAnnotations]\npatches:\n- target: {kind: Pod}\n  \
                   patch: |-\n    [{\"op\": \"replace\", \"path\": \"/spec/containers/0/resources/limits/memory\", \
                   \"value\": \"64m\"}]\n";
    write(
        folder.path(),
        &[
            ("base/kustomization.yaml", "resources: [web.yaml]\n"),
            ("base/web.yaml", web),
            ("overlays/prod/kustomization.yaml", overlay),
        ],
    );
    let output = lint(folder.path(), &path, &["--kustomize", "overlays/prod", "-o", "json"]);
    assert_eq!(output.status.code(), Some(1), "{}", errors(&output));
    let found = found(&document(&output));
    let milli = found.iter().find(|it| it.0 == "quantity-milli").unwrap();
    assert_eq!((milli.1.as_str(), milli.3.as_str()), ("kustomize build overlays/prod", "../../base/web.yaml"));
    let built =
        Command::new(&kubectl).args(["kustomize", "overlays/prod"]).current_dir(folder.path()).output().unwrap();
    let line =
        String::from_utf8(built.stdout).unwrap().lines().nth(usize::try_from(milli.2).unwrap() - 1).unwrap().to_owned();
    assert!(line.contains("64m"), "{line}");

    let output = lint(folder.path(), &path, &["--kustomize", "nowhere"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(errors(&output).contains("`kubectl kustomize nowhere` failed"), "{}", errors(&output));
}
