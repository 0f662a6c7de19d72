//! The whole test suite with its real components: each is started by its own script under `tests/`, handed to the tests
//! through an environment variable, and stopped at the end.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};

use crate::{root, say};

/// A component: a script with `up` (prints the variable's value last) and `down`.
struct Component {
    name: &'static str,
    script: &'static str,
    variable: &'static str,
    installs: &'static str,
}

const COMPONENTS: [Component; 3] = [
    Component {
        name: "Kubernetes",
        script: "tests/cluster/cluster",
        variable: "OOMPH_TEST_CLUSTER",
        installs: "Debian: etcd-server containerd runc jq busybox-static containernetworking-plugins; Go modules: Kubernetes 1.37, built once (9 minutes on two cores)",
    },
    Component {
        name: "Docker",
        script: "tests/engines/docker",
        variable: "OOMPH_TEST_DOCKER",
        installs: "Debian: docker.io busybox-static jq",
    },
    Component {
        name: "Podman",
        script: "tests/engines/podman",
        variable: "OOMPH_TEST_PODMAN",
        installs: "Debian: podman busybox-static jq",
    },
];

/// Sets up the components (unless `bare`), runs every test, and takes the components down again.
pub fn run(bare: bool) -> Result<()> {
    let mut started = Started::default();
    if !bare {
        timed("build the tests", || cargo(&["test", "--workspace", "--no-run"], &BTreeMap::new(), None))?;
        for component in &COMPONENTS {
            started.start(component)?;
        }
    }
    let mut variables = started.variables.clone();
    variables.insert("OOMPH_TEST_GUEST".into(), root().join("tests/guest/guest").to_string_lossy().into_owned());
    let inside = variables.contains_key("OOMPH_TEST_CLUSTER").then(|| root().join("tests/cluster/cluster"));
    timed("run the tests", || cargo(&["test", "--workspace"], &variables, inside))?;
    for missing in &started.missing {
        say(&format!("not run for want of a component: tests of {missing}"));
    }
    Ok(())
}

#[derive(Default)]
struct Started {
    variables: BTreeMap<String, String>,
    running: Vec<&'static Component>,
    missing: Vec<String>,
}

impl Started {
    fn start(&mut self, component: &'static Component) -> Result<()> {
        say(&format!("test: {} ({}; needs root; installs {})", component.name, component.script, component.installs));
        let begun = Instant::now();
        let output = Command::new(root().join(component.script))
            .arg("up")
            .stderr(Stdio::inherit())
            .output()
            .with_context(|| format!("cannot run {}", component.script))?;
        let value = String::from_utf8_lossy(&output.stdout).lines().last().unwrap_or_default().trim().to_owned();
        if output.status.success() && !value.is_empty() {
            say(&format!("test: {} is up after {:.0} s", component.name, begun.elapsed().as_secs_f64()));
            self.variables.insert(component.variable.into(), value);
            self.running.push(component);
            return Ok(());
        }
        let why = format!("{} ({} up ended with {})", component.name, component.script, output.status);
        if std::env::var_os("OOMPH_REQUIRE").is_some_and(|value| value == "all") {
            bail!("{why}; OOMPH_REQUIRE=all makes that a failure");
        }
        self.missing.push(why);
        Ok(())
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        for component in self.running.drain(..).rev() {
            let _ = Command::new(root().join(component.script)).arg("down").status();
        }
    }
}

/// Runs cargo, inside the cluster's network namespace where one is given.
fn cargo(arguments: &[&str], variables: &BTreeMap<String, String>, inside: Option<PathBuf>) -> Result<()> {
    let mut command = match inside {
        Some(script) => {
            let mut command = Command::new(script);
            command.arg("in").arg(env!("CARGO")).arg("--offline");
            command
        }
        None => Command::new(env!("CARGO")),
    };
    let status = command.args(arguments).envs(variables).current_dir(root()).status().context("cannot run cargo")?;
    ensure!(status.success(), "cargo {} failed", arguments.join(" "));
    Ok(())
}

fn timed(what: &str, task: impl FnOnce() -> Result<()>) -> Result<()> {
    let begun = Instant::now();
    let result = task();
    say(&format!("test: {what}: {:.0} s", begun.elapsed().as_secs_f64()));
    result
}
