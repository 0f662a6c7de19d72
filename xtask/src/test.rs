//! The whole test suite with its real components: each is started by its own script under `tests/`, handed to the tests
//! through an environment variable, and stopped at the end.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};

use crate::accuracy::Measured;
use crate::{root, say};

/// A component: a script with `up` (prints the variable's value last) and `down`.
struct Component {
    name: &'static str,
    script: &'static str,
    variable: &'static str,
    installs: &'static str,
}

/// Programs that tests use besides, as `tests/packages` takes them.
const PACKAGES: [&str; 4] = [
    "journalctl=systemd",
    "/lib/systemd/systemd-journal-remote=systemd-journal-remote",
    "prometheus=prometheus",
    "victoria-metrics=victoria-metrics",
];

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

/// Runtimes in many versions, into a cache of their own: each script brings those that are not there yet, and the tests
/// take what they find.
const RUNTIMES: [(&str, &str); 6] = [
    ("tests/runtimes/get-jdk", "JDK 8, 11, 17, 21, 25"),
    ("tests/runtimes/get-node", "Node 16 to 26, Bun, Deno"),
    ("tests/runtimes/get-go", "targets built with Go 1.19 to 1.27"),
    ("tests/runtimes/get-python", "CPython 3.8 to 3.14"),
    ("tests/runtimes/get-glibc", "glibc 2.31 to 2.43"),
    ("tests/runtimes/get-recognised", "Ruby, PHP"),
];

/// Programs that tests run: the script that brings it and prints where it is, what it is, and the variable for it. The
/// tests run in a network of their own, from which nothing can be fetched any more.
const PROGRAMS: [(&str, &str, &str); 4] = [
    ("tests/guest/guest", "a node with cgroup version 2, from Debian's qemu, busybox and kernel", "OOMPH_TEST_GUEST"),
    ("tests/guest/systemd", "a root with systemd for that node, from Debian", "OOMPH_TEST_SYSTEMD"),
    ("tests/helm/get-helm", "Helm, from Go modules", "OOMPH_TEST_HELM"),
    ("tests/vpa-oracle/vpa-oracle", "the VPA's recommender, from Go modules", "OOMPH_TEST_VPA_ORACLE"),
];

/// Sets up the components (unless `bare`), runs every test, and takes the components down again.
pub fn run(bare: bool) -> Result<()> {
    let mut started = Started::default();
    if !bare {
        timed("build the tests", build)?;
        say(&format!("test: packages (tests/packages; needs root; installs Debian: {})", PACKAGES.join(" ")));
        let installed = Command::new(root().join("tests/packages")).args(PACKAGES).status();
        if !installed.is_ok_and(|status| status.success()) {
            started.missing("packages", "tests/packages could not install them")?;
        }
        for (script, what) in RUNTIMES {
            say(&format!("test: runtimes ({script}; {what})"));
            let begun = Instant::now();
            let got = Command::new(root().join(script)).status();
            if !got.is_ok_and(|status| status.success()) {
                started.missing(what, &format!("{script} could not get them all"))?;
            }
            say(&format!("test: {script}: {:.0} s", begun.elapsed().as_secs_f64()));
        }
        for program in PROGRAMS {
            started.program(program)?;
        }
        for component in &COMPONENTS {
            started.start(component)?;
        }
    }
    let mut variables = started.variables.clone();
    // Tests fill and start them, and reach them in the network namespace that they run in.
    for (variable, script) in [
        ("OOMPH_TEST_PROMETHEUS", "tests/prometheus/prometheus"),
        ("OOMPH_TEST_VICTORIA_METRICS", "tests/prometheus/victoria-metrics"),
    ] {
        variables.insert(variable.into(), root().join(script).to_string_lossy().into_owned());
    }
    // What `cargo xtask dist` built last: a release build of its own would take longer than all the tests.
    let binary = crate::dist::kept(&crate::dist::native());
    if binary.exists() {
        variables.insert("OOMPH_TEST_STATIC".into(), binary.to_string_lossy().into_owned());
    }
    let inside = variables.contains_key("OOMPH_TEST_CLUSTER").then(|| root().join("tests/cluster/cluster"));
    let (skipped, measured) = timed("run the tests", || run_all(&variables, inside.as_ref()))?;
    let rows = measured.missing();
    ensure!(rows.is_empty(), "docs/reference/accuracy.md lacks rows; run cargo xtask accuracy: {}", rows.join("; "));
    for missing in &started.missing {
        say(&format!("test: not there: {missing}"));
    }
    say(&format!("test: {} tests could not run{}", skipped.len(), if skipped.is_empty() { "" } else { ":" }));
    for test in skipped {
        say(&format!("  {test}"));
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
        self.missing(component.name, &format!("{} up ended with {}", component.script, output.status))
    }

    fn program(&mut self, (script, what, variable): (&str, &str, &str)) -> Result<()> {
        say(&format!("test: {what} ({script}; minutes once)"));
        let output = Command::new(root().join(script)).stderr(Stdio::inherit()).output();
        match output {
            Ok(output) if output.status.success() => {
                let path = String::from_utf8_lossy(&output.stdout).trim().to_owned();
                self.variables.insert(variable.into(), path);
                Ok(())
            }
            _ => self.missing(what, &format!("{script} could not bring it")),
        }
    }

    /// Notes what is missing; a failure where everything is required.
    fn missing(&mut self, what: &str, because: &str) -> Result<()> {
        if std::env::var_os("OOMPH_REQUIRE").is_some_and(|value| value == "all") {
            bail!("{what}: {because}; OOMPH_REQUIRE=all makes that a failure");
        }
        self.missing.push(format!("{what}: {because}"));
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

fn build() -> Result<()> {
    let mut command = Command::new(env!("CARGO"));
    let status = command.args(["test", "--workspace", "--no-run", "--quiet"]).current_dir(root()).status();
    ensure!(status.context("cannot run cargo")?.success(), "the tests do not build");
    Ok(())
}

/// What a run of the tests printed about itself.
#[derive(Default)]
struct Outcome {
    passed: bool,
    /// Tests that said that they were skipped, and why.
    skipped: Vec<String>,
    /// Tests that failed, by name.
    failed: Vec<String>,
    /// What those said of it.
    said: Vec<String>,
    /// How exact the probes were.
    measured: Measured,
    /// Test programs that were started, less those that came to their end.
    crashed: usize,
}

/// How often a test that failed is run again.
const AGAIN: usize = 2;

/// Runs every test. Those that failed are run again, alone: real kernels, engines and runtimes share two cores with the
/// rest of the tests. One that then passes is named as unsteady; one that never does has failed.
fn run_all(variables: &BTreeMap<String, String>, inside: Option<&PathBuf>) -> Result<(Vec<String>, Measured)> {
    let first = run_tests(variables, inside, &[])?;
    let (mut failed, mut said) = (first.failed, first.said);
    ensure!(first.passed || (!failed.is_empty() && first.crashed == 0), "tests failed");
    for _ in 0..AGAIN {
        if failed.is_empty() {
            break;
        }
        say(&format!("test: {} failed, run again alone: {}", failed.len(), failed.join(", ")));
        let again = run_tests(variables, inside, &failed)?;
        for test in failed.iter().filter(|test| !again.failed.contains(test)) {
            say(&format!("test: unsteady, passed when run again: {test}"));
        }
        ensure!(again.passed || !again.failed.is_empty(), "tests failed");
        (failed, said) = (again.failed, [said, again.said].concat());
    }
    // Once more at the end, why: of a long output its middle is what gets lost.
    for line in &said {
        say(line);
    }
    ensure!(failed.is_empty(), "tests failed: {}", failed.join(", "));
    Ok((first.skipped, first.measured))
}

/// Runs the named tests, or all, inside the cluster's network namespace where one is given.
fn run_tests(variables: &BTreeMap<String, String>, inside: Option<&PathBuf>, only: &[String]) -> Result<Outcome> {
    let mut command = match inside {
        Some(script) => {
            let mut command = Command::new(script);
            command.arg("in").arg(env!("CARGO"));
            command
        }
        None => Command::new(env!("CARGO")),
    };
    command.args(["test", "--workspace", "--offline", "--no-fail-fast", "--"]);
    // `--show-output`: the figures that tests print, and the words of those that are skipped.
    command.arg("--show-output");
    if !only.is_empty() {
        command.args(["--exact", "--test-threads", "1"]).args(only);
    }
    let mut child =
        command.envs(variables).current_dir(root()).stdout(Stdio::piped()).spawn().context("cannot run cargo")?;
    let output = child.stdout.take().context("cargo has no output")?;
    let mut outcome = Outcome::default();
    let (mut test, mut failures) = (String::new(), false);
    let mut out = std::io::stdout().lock();
    for line in BufReader::new(output).lines() {
        let line = line?;
        if let Some(name) = line.strip_prefix("---- ").and_then(|rest| rest.strip_suffix(" stdout ----")) {
            name.clone_into(&mut test);
        }
        // Headings of libtest: what tests that failed printed, then their names.
        failures = line == "failures:" || failures && line != "successes:" && !line.starts_with("test result: ");
        if failures && !line.is_empty() {
            outcome.said.push(line.clone());
        }
        if let Some(why) = line.strip_prefix("skipped: ") {
            outcome.skipped.push(format!("{test}: {why}"));
        }
        outcome.failed.extend(failed(&line));
        outcome.measured.take(&line);
        if line.starts_with("running ") && line.ends_with(" tests") || line == "running 1 test" {
            outcome.crashed += 1;
        } else if line.starts_with("test result: ") {
            outcome.crashed = outcome.crashed.saturating_sub(1);
        }
        writeln!(out, "{line}")?;
    }
    outcome.passed = child.wait()?.success();
    Ok(outcome)
}

/// The name in `test NAME ... FAILED`.
fn failed(line: &str) -> Option<String> {
    let name = line.strip_prefix("test ")?.strip_suffix(" ... FAILED")?;
    Some(name.trim_end_matches(" - should panic").to_owned())
}

fn timed<T>(what: &str, task: impl FnOnce() -> Result<T>) -> Result<T> {
    let begun = Instant::now();
    let result = task();
    say(&format!("test: {what}: {:.0} s", begun.elapsed().as_secs_f64()));
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_test_is_found_by_its_line() {
        assert_eq!(
            failed("test every_death_under_podman_is_explained ... FAILED").as_deref(),
            Some("every_death_under_podman_is_explained")
        );
        assert_eq!(failed("test case::tests::a ... ok"), None);
        assert_eq!(failed("test result: FAILED. 3 passed; 1 failed"), None);
    }
}
