//! A user of a real systemd who has no cgroup of their own: `oomph run` asks systemd for one.
//!
//! `OOMPH_TEST_GUEST` names the script that boots the node, `OOMPH_TEST_SYSTEMD` the root with systemd in it. The binary is
//! `OOMPH_TEST_STATIC` where that is set, else the one that was built for the tests, with the libraries that it needs.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test that cannot go on fails; figures are printed")]

#[path = "../../../tests/support/component.rs"]
mod component;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use plant::Tree;
use serde_json::Value;

#[path = "guest/plant.rs"]
mod plant;

/// MiB of the node, which holds systemd's files in memory.
const MEMORY: &str = "768";

#[test]
fn a_user_of_systemd_gets_a_scope_from_it_and_hears_why_where_there_is_none() {
    let mut components = Vec::new();
    for variable in ["OOMPH_TEST_GUEST", "OOMPH_TEST_SYSTEMD"] {
        let Some(component) = component::component(variable) else { return };
        components.push(component);
    }
    let scratch = tempfile::tempdir().unwrap();
    let tree = Tree::with_oomph(scratch.path().join("tree"));
    plant::copy(Path::new(&components[1]), &tree.folder.join("systemd.tar"));
    tree.libraries();
    let began = Instant::now();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/guest/systemd.sh");
    let mut guest = Command::new(&components[0]);
    // The processor is emulated, and shared with other tests.
    guest.env("GUEST_TIMEOUT", "600");
    let booted = guest.args(["-m", MEMORY]).arg(script).arg(&tree.folder).output().unwrap();
    let told = String::from_utf8_lossy(&booted.stdout);
    assert!(told.contains("##file end\n"), "{told}\n{}", String::from_utf8_lossy(&booted.stderr));
    println!("the guest ended after {:.1} s", began.elapsed().as_secs_f64());
    let files: BTreeMap<&str, &str> = told.split("##file ").skip(1).filter_map(|part| part.split_once('\n')).collect();
    let file = |name: &str| files.get(name).unwrap_or_else(|| panic!("{name}: {told}")).trim();

    assert_eq!(file("own-cgroup"), "0::/system.slice/told.service", "it is root's");
    assert_eq!(file("killed-code"), "137", "{told}");
    let run: Value = serde_json::from_str(file("killed")).unwrap();
    assert_eq!(run["diagnosis"]["verdict"], "container-limit-oom", "{run:#}");
    assert_eq!(run["diagnosis"]["memory"]["limitBytes"], 64 << 20);
    let header: Value = serde_json::from_str(file("record").lines().next().unwrap()).unwrap();
    let cgroup = header["run"]["cgroup"].as_str().unwrap_or_else(|| panic!("{header}"));
    println!("it ran in {cgroup}");
    assert!(cgroup.starts_with("/user.slice/user-1000.slice/user@1000.service/app.slice/run-"), "{cgroup}");
    assert_eq!(file("ended-code"), "7", "{told}");

    assert_eq!(file("refused-code"), "125", "{told}");
    assert!(file("refused").contains("--watch-only"), "{}", file("refused"));
    assert_eq!(file("left"), "", "nothing stays behind");
}
