//! The distribution: an image that a real containerd imports and runs.
//!
//! `cargo xtask dist` builds the binary (set `OOMPH_TEST_STATIC` to it); containerd is the one of `tests/cluster/cluster
//! up`, whose kubeconfig `OOMPH_TEST_CLUSTER` names.
#![allow(clippy::print_stdout, reason = "a skipped test says why")]
#![allow(clippy::unwrap_used, reason = "all of it is test code")]

#[path = "../../tests/support/component.rs"]
mod component;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use component::component;
use xtask::dist::{Binary, write};

fn native(path: PathBuf) -> Binary {
    Binary { architecture: if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" }, path }
}

fn output(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let both = [output.stdout, output.stderr].map(|it| String::from_utf8_lossy(&it).into_owned()).concat();
    assert!(output.status.success(), "{command:?}: {both}");
    both
}

#[test]
fn containerd_imports_the_image_and_runs_oomph_in_it() {
    let Some(path) = component("OOMPH_TEST_STATIC") else { return };
    let Some(kubeconfig) = component("OOMPH_TEST_CLUSTER") else { return };
    let out = tempfile::tempdir().unwrap();
    write(&[native(path)], None, "oomph.dev/dist-test:1", out.path()).unwrap();
    let socket = kubeconfig.with_file_name("containerd.sock");
    let image = out.path().join(format!("oomph-v{}-oci.tar", env!("CARGO_PKG_VERSION")));
    let said = run_in(&socket, &image);
    output(ctr(&socket).args(["images", "rm", "--sync", "oomph.dev/dist-test:1"]));
    let [version, inspected] = said;
    assert_eq!(version.trim(), format!("oomph {}", env!("CARGO_PKG_VERSION")));
    let document: serde_json::Value = serde_json::from_str(&inspected).unwrap();
    assert!(document["schema"].as_str().is_some_and(|it| it == "oomph.dev/waterfall/v1"), "{inspected}");
}

/// The entrypoint with an argument, and a command found on the path as `kubectl debug -- oomph ...` gives it.
fn run_in(socket: &Path, image: &Path) -> [String; 2] {
    output(ctr(socket).args(["images", "import"]).arg(image));
    let name = format!("oomph-dist-{}", std::process::id());
    let run = |command: &[&str]| {
        let mut run = ctr(socket);
        run.args(["run", "--rm", "--privileged", "--snapshotter", "native"]);
        run.args(["--mount", "type=bind,src=/sys/fs/cgroup,dst=/sys/fs/cgroup,options=rbind:ro"]);
        output(run.args(["oomph.dev/dist-test:1", &name]).args(command))
    };
    [run(&["/usr/bin/oomph", "--version"]), run(&["oomph", "inspect", "--pid", "1", "-o", "json"])]
}

fn ctr(socket: &Path) -> Command {
    let mut ctr = Command::new("ctr");
    ctr.arg("--address").arg(socket).args(["--namespace", "oomph-dist"]);
    ctr
}

#[test]
fn checksums_and_manifest_are_those_of_the_archives() {
    let Some(path) = component("OOMPH_TEST_STATIC") else { return };
    let out = tempfile::tempdir().unwrap();
    write(&[native(path)], Some("https://example.test/v1/"), "oomph:1", out.path()).unwrap();
    let sums = fs::read_to_string(out.path().join("SHA256SUMS")).unwrap();
    assert_eq!(sums.lines().count(), 3);
    output(Command::new("sha256sum").args(["--check", "--strict", "SHA256SUMS"]).current_dir(out.path()));
    let manifest = fs::read_to_string(out.path().join("oomph.yaml")).unwrap();
    let archive = sums.lines().find(|line| line.ends_with(".tar.gz")).unwrap();
    let (sum, name) = archive.split_once("  ").unwrap();
    assert!(manifest.contains(sum) && manifest.contains(&format!("https://example.test/v1/{name}")), "{manifest}");
    let listed = output(Command::new("tar").arg("-tzf").arg(out.path().join(name)));
    assert_eq!(listed.lines().collect::<Vec<_>>(), ["LICENSE", "kubectl-oomph"]);
}

#[test]
fn a_binary_that_needs_a_loader_is_refused() {
    let out = tempfile::tempdir().unwrap();
    let dynamic = native(std::env::current_exe().unwrap());
    let error = write(&[dynamic], None, "oomph:1", out.path()).unwrap_err();
    assert!(format!("{error:#}").contains("is not static"), "{error:#}");
    let mut foreign = native(std::env::current_exe().unwrap());
    foreign.architecture = if foreign.architecture == "amd64" { "arm64" } else { "amd64" };
    let error = write(&[foreign], None, "oomph:1", out.path()).unwrap_err();
    assert!(format!("{error:#}").contains("is not built for"), "{error:#}");
}
