//! `oomph lint` with images beside the manifests, as Docker, Podman and skopeo write them.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

/// What must never be shown.
const CANARY: &str = "hunter2";

const POD: &str = "\
kind: Pod
apiVersion: v1
metadata: {name: orders}
spec:
  containers:
  - name: app
    image: registry.example.org/orders:1
    resources: {requests: {memory: 512Mi}, limits: {memory: 512Mi}}
";

fn lint(folder: &Path, arguments: &[&str], input: &[u8]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_oomph"));
    command.arg("lint").args(arguments).current_dir(folder);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // Where it does not read stdin the pipe may be closed already.
    let _ = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap()
}

/// Rule, place and the places that errors rest on.
fn errors(output: &Output) -> Vec<(String, String, String)> {
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    let grave = document["findings"].as_array().unwrap().iter().filter(|it| it["level"] == "error");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    grave.map(|it| (text(&it["rule"]), text(&it["path"]), text(&it["related"][0]["path"]))).collect()
}

fn found(of: &str) -> Vec<(String, String, String)> {
    vec![("jvm-heap-ge-limit".to_owned(), "pod.yaml".to_owned(), of.to_owned())]
}

/// Names and contents of what `skopeo copy docker://... oci:FOLDER:NAME` writes, with a layer.
fn layout() -> Vec<(String, Vec<u8>)> {
    let flags = format!("JAVA_TOOL_OPTIONS=-Xmx512m -Dpassword={CANARY}");
    let config = json!({
        "architecture": "amd64", "os": "linux",
        "config": {"Env": [flags, format!("TOKEN={CANARY}")], "Entrypoint": ["java", "-jar", "/a.jar"]},
        "rootfs": {"type": "layers", "diff_ids": []},
        "history": [{"created_by": format!("ENV TOKEN={CANARY}")}],
    });
    let manifest = json!({"schemaVersion": 2, "config": {"digest": "sha256:c0"}, "layers": [{"digest": "sha256:1a"}]});
    let name = json!({"org.opencontainers.image.ref.name": "registry.example.org/orders:1"});
    let index = json!({"schemaVersion": 2, "manifests": [{"digest": "sha256:f0", "annotations": name}]});
    let json = |name: &str, value: &Value| (name.to_owned(), value.to_string().into_bytes());
    vec![
        // Layers come first, and are large.
        ("blobs/sha256/1a".to_owned(), vec![0x55; 2 << 20]),
        json("blobs/sha256/c0", &config),
        json("blobs/sha256/f0", &manifest),
        json("index.json", &index),
        json("oci-layout", &json!({"imageLayoutVersion": "1.0.0"})),
    ]
}

fn archive(files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, format!("./{name}"), &bytes[..]).unwrap();
    }
    builder.into_inner().unwrap()
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("pod.yaml"), POD).unwrap();
    folder
}

#[test]
fn an_inspection_on_stdin_says_what_the_image_brings_along() {
    let folder = folder();
    let inspection = json!([{
        "Id": "sha256:00", "RepoTags": ["registry.example.org/orders:1"], "RepoDigests": [],
        "Config": {"Env": ["JAVA_TOOL_OPTIONS=-Xmx1g", format!("TOKEN={CANARY}")], "Entrypoint": null, "Cmd": ["java"]},
    }]);
    let input = inspection.to_string().into_bytes();
    assert_eq!(errors(&lint(folder.path(), &["-", "pod.yaml", "-o", "json"], &input)), found("<stdin>"));
    assert_eq!(errors(&lint(folder.path(), &["pod.yaml", "-o", "json"], b"")), []);
    for form in ["text", "sarif", "json"] {
        let output = lint(folder.path(), &["-", "pod.yaml", "--format", form], &input);
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains("heap") && !text.contains(CANARY), "{text}");
    }
}

#[test]
fn layouts_and_archives_are_read_by_name_in_folders_and_on_stdin() {
    let folder = folder();
    let at = |name: &str| folder.path().join(name);
    let files = layout();
    for (name, bytes) in &files {
        let path = at("oci").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    let output = lint(folder.path(), &["oci", "pod.yaml", "-o", "json"], b"");
    assert_eq!(errors(&output), found("oci"));
    assert!(!String::from_utf8(output.stdout).unwrap().contains(CANARY));
    assert_eq!(errors(&lint(folder.path(), &[".", "-o", "json"], b"")), found("oci"));
    fs::remove_dir_all(at("oci")).unwrap();

    let plain = archive(&files);
    fs::write(at("orders.tar"), &plain).unwrap();
    fs::write(at("others.tar"), archive(&[("a.txt".to_owned(), b"no image".to_vec())])).unwrap();
    assert_eq!(errors(&lint(folder.path(), &[".", "-o", "json"], b"")), found("orders.tar"));
    fs::remove_file(at("orders.tar")).unwrap();
    fs::write(at("orders.tgz"), packed(&plain)).unwrap();
    assert_eq!(errors(&lint(folder.path(), &["orders.tgz", "pod.yaml", "-o", "json"], b"")), found("orders.tgz"));
    for input in [&plain, &packed(&plain)] {
        assert_eq!(errors(&lint(folder.path(), &["-", "pod.yaml", "-o", "json"], input)), found("<stdin>"));
    }
    let output = lint(folder.path(), &["others.tar"], b"");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(2) && said.contains("there is no image in others.tar"), "{said}");
}

#[test]
fn what_of_an_image_is_missing_is_said_and_the_rest_is_judged() {
    let folder = folder();
    let without: Vec<_> = layout().into_iter().filter(|(name, _)| !name.ends_with("c0")).collect();
    fs::write(folder.path().join("orders.tar"), archive(&without)).unwrap();
    let output = lint(folder.path(), &["."], b"");
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("not known: blobs/sha256/c0 in orders.tar: it is not there"), "{said}");
    assert_eq!(output.status.code(), Some(0));
    // Of an archive that is broken counts what was read; where that is nothing, nothing was done.
    let mut files = layout();
    files.rotate_left(1);
    let mut bytes = archive(&files);
    let header = bytes.windows(15).position(|it| it == b"blobs/sha256/1a").unwrap();
    bytes[header] = b'!';
    let output = lint(folder.path(), &["-", "pod.yaml"], &bytes);
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("error[jvm-heap-ge-limit]") && said.contains("not known: the rest of <stdin>"), "{said}");
    assert_eq!(lint(folder.path(), &["-", "pod.yaml"], &archive(&layout())[..1000]).status.code(), Some(2));
}
