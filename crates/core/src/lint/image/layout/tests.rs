use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::inspection;
use crate::lint::{Level, Source, lint};

type Files = BTreeMap<String, Vec<u8>>;

fn config(architecture: &str, environment: &[&str]) -> Value {
    json!({
        "architecture": architecture, "os": "linux",
        "config": {"Env": environment, "Entrypoint": ["java", "-jar", "/a.jar"], "Labels": {"a": "b"}},
        "rootfs": {"type": "layers", "diff_ids": []},
        "history": [{"created_by": "ENV PASSWORD=hunter2"}],
    })
}

fn put(files: &mut Files, digest: &str, value: &Value) -> String {
    files.insert(format!("blobs/sha256/{digest}"), value.to_string().into_bytes());
    format!("sha256:{digest}")
}

/// As `skopeo copy docker://... oci:DIR:NAME` and `cargo xtask dist` write it: an index of platforms under one entry.
fn layout(annotation: &str, name: &str) -> Files {
    let mut files = Files::new();
    let mut manifests = Vec::new();
    for (architecture, heap) in [("arm64", "-Xmx100m"), ("amd64", "-Xmx512m")] {
        let flags = format!("JAVA_TOOL_OPTIONS={heap} -Dpassword=hunter2");
        let of = put(&mut files, &format!("c{architecture}"), &config(architecture, &[&flags, "TOKEN=hunter2"]));
        let manifest = json!({"schemaVersion": 2, "config": {"digest": of}, "layers": []});
        let digest = put(&mut files, &format!("m{architecture}"), &manifest);
        manifests.push(json!({"digest": digest, "platform": {"os": "linux", "architecture": architecture}}));
    }
    manifests.push(json!({"digest": "sha256:att", "platform": {"os": "unknown", "architecture": "unknown"}}));
    let digest = put(&mut files, "list", &json!({"schemaVersion": 2, "manifests": manifests}));
    let index = json!({"schemaVersion": 2, "manifests": [{"digest": digest, "annotations": {annotation: name}}]});
    files.insert("index.json".into(), index.to_string().into_bytes());
    files
}

fn read(files: &Files) -> (String, Vec<String>) {
    let (text, gaps) = inspection("app", &mut |file| files.get(file).cloned());
    (text, gaps.into_iter().map(|gap| format!("{}: {}", gap.what, gap.because)).collect())
}

fn errors(text: &str, image: &str) -> usize {
    let pod = format!(
        "kind: Pod\napiVersion: v1\nmetadata: {{name: a}}\nspec:\n  containers:\n  - {{name: a, image: \"{image}\", \
         resources: {{limits: {{memory: 512Mi}}}}}}\n"
    );
    let sources = [("app", text), ("pod.yaml", &pod)];
    let sources = sources.map(|(name, text)| Source { name: name.into(), text: text.into() });
    lint(&sources).findings.iter().filter(|it| it.level == Level::Error).count()
}

#[test]
fn a_layout_names_its_image_and_of_its_platforms_the_usual_one_counts() {
    for annotation in ["org.opencontainers.image.ref.name", "io.containerd.image.name"] {
        let (text, gaps) = read(&layout(annotation, "ghcr.io/team/app:1"));
        assert_eq!((errors(&text, "ghcr.io/team/app:1"), gaps), (1, vec![]), "{text}");
        assert!(!text.contains("hunter2"), "{text}");
    }
}

#[test]
fn a_layout_without_a_name_is_told_by_its_digests_and_says_so() {
    let (text, gaps) = read(&layout("org.opencontainers.image.ref.name", "v1"));
    assert_eq!(errors(&text, "app:v1"), 0);
    assert_eq!(errors(&text, "app@sha256:list"), 1);
    assert_eq!(errors(&text, "app@sha256:mamd64"), 1);
    assert_eq!(errors(&text, "app@sha256:marm64"), 0);
    assert!(gaps.len() == 1 && gaps[0].contains("names no image"), "{gaps:?}");
}

#[test]
fn what_docker_save_writes_is_read_with_its_names() {
    let mut files = layout("org.opencontainers.image.ref.name", "1");
    let saved = json!([{"Config": "blobs/sha256/camd64", "RepoTags": ["app:1", "app:latest"], "Layers": []}]);
    files.insert("manifest.json".into(), saved.to_string().into_bytes());
    let (text, gaps) = read(&files);
    assert_eq!((errors(&text, "app"), errors(&text, "app:1"), gaps), (1, 1, vec![]));
    // Before Docker 25 there is nothing but the list, and configurations lie at the top.
    let old = json!([{"Config": "aa.json", "RepoTags": ["app:1"], "Layers": ["bb/layer.tar"]}]);
    let one = config("amd64", &["JAVA_TOOL_OPTIONS=-Xmx1g"]);
    let files = [("manifest.json", old), ("aa.json", one)].map(|(name, it)| (name.to_owned(), it.to_string().into()));
    assert_eq!(errors(&read(&Files::from(files)).0, "app:1"), 1);
}

#[test]
fn what_is_missing_or_broken_is_a_gap() {
    assert_eq!(read(&Files::new()), ("[]\n".to_owned(), vec!["app: there is no image in it".to_owned()]));
    let mut files = layout("org.opencontainers.image.ref.name", "app:1");
    files.remove("blobs/sha256/mamd64");
    files.insert("blobs/sha256/carm64".into(), b"{".to_vec());
    let (_, gaps) = read(&files);
    assert_eq!(gaps.len(), 2, "{gaps:?}");
    let out = json!({"manifests": [{"digest": "sha256:../../../etc/passwd"}]});
    let (_, gaps) = read(&Files::from([("index.json".to_owned(), out.to_string().into_bytes())]));
    assert_eq!(gaps, ["sha256:../../../etc/passwd in app: it is no digest"]);
}

#[test]
fn an_index_that_names_itself_comes_to_an_end() {
    let mut files = layout("org.opencontainers.image.ref.name", "app:1");
    let itself = put(&mut files, "list", &json!({"manifests": [{"digest": "sha256:list"}]}));
    assert_eq!(itself, "sha256:list");
    assert_eq!(read(&files).0, "[]\n");
}

/// A byte of a file that is another.
fn flip() -> impl Strategy<Value = (prop::sample::Index, prop::sample::Index, u8)> {
    (any::<prop::sample::Index>(), any::<prop::sample::Index>(), any::<u8>())
}

proptest! {
    #[test]
    fn no_bytes_panic(flips in proptest::collection::vec(flip(), 0..12)) {
        let mut files = layout("org.opencontainers.image.ref.name", "app:1");
        let saved = json!([{"Config": "blobs/sha256/camd64", "RepoTags": ["app:1"]}]);
        files.insert("manifest.json".into(), saved.to_string().into_bytes());
        let names: Vec<String> = files.keys().cloned().collect();
        for (file, at, byte) in flips {
            if let Some(bytes) = files.get_mut(&names[file.index(names.len())]) {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
        }
        let (text, _) = read(&files);
        errors(&text, "app:1");
    }
}
