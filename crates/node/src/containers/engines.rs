//! Names of Docker's and Podman's containers, from the files in which they keep their state; neither is asked.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use serde_json::Value;

/// A container's configuration is some 10 KiB; what is larger by far is not one.
const FILE_MAX: u64 = 16 << 20;

/// Names by id, of all containers whose state can be read below `root`, where the host's files are.
pub(super) fn names(root: &Path) -> HashMap<String, String> {
    let mut names = HashMap::new();
    // A folder for each container, named by its id (daemon/container/container.go, Docker 28).
    let docker = root.join("var/lib/docker/containers");
    for folder in fs::read_dir(docker).into_iter().flatten().flatten() {
        let name = read(&folder.path().join("config.v2.json")).and_then(|state| of_docker(&state));
        names.extend(folder.file_name().into_string().ok().zip(name));
    }
    // One list for all (containers/storage, containers.go, 1.55).
    let podman = root.join("var/lib/containers/storage/overlay-containers/containers.json");
    names.extend(read(&podman).iter().flat_map(of_podman));
    names
}

fn read(file: &Path) -> Option<Value> {
    let is_small = fs::metadata(file).is_ok_and(|file| file.len() <= FILE_MAX);
    is_small.then(|| serde_json::from_slice(&fs::read(file).ok()?).ok())?
}

/// Docker writes a slash before the name.
fn of_docker(state: &Value) -> Option<String> {
    let name = state["Name"].as_str()?.trim_start_matches('/');
    (!name.is_empty()).then(|| name.to_owned())
}

fn of_podman(state: &Value) -> Vec<(String, String)> {
    let containers = state.as_array().map(Vec::as_slice).unwrap_or_default();
    let named = |it: &Value| Some((it["id"].as_str()?.to_owned(), it["names"][0].as_str()?.to_owned()));
    containers.iter().filter_map(named).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_are_read_where_the_engines_keep_them_and_what_is_broken_is_passed_over() {
        let root = tempfile::tempdir().unwrap();
        let put = |path: &str, text: &str| {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        put("var/lib/docker/containers/0a1b/config.v2.json", r#"{"ID":"0a1b","Name":"/web","Config":{}}"#);
        put("var/lib/docker/containers/0c2d/config.v2.json", r#"{"ID":"0c2d","Na"#);
        put(
            "var/lib/containers/storage/overlay-containers/containers.json",
            r#"[{"id":"3e4f","names":["job","alias"]},{"id":"5061"}]"#,
        );
        let mut names: Vec<_> = names(root.path()).into_iter().collect();
        names.sort();
        let expected = [("0a1b", "web"), ("3e4f", "job")].map(|(id, name)| (id.to_owned(), name.to_owned()));
        assert_eq!(names, expected);
        assert!(super::names(Path::new("/no/such/root")).is_empty());
    }

    proptest! {
        #[test]
        fn no_state_panics(text in "[\\[\\]{}\":, a-zNn0-9/é]{0,60}") {
            if let Ok(state) = serde_json::from_str::<Value>(&text) {
                let _ = (of_docker(&state), of_podman(&state));
            }
        }
    }
}
