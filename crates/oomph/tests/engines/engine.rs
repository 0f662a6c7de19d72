//! An engine of the repository's own, driven by its own client and asked by oomph.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// Which engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flavour {
    /// Docker.
    Docker,
    /// Podman.
    Podman,
}

impl Flavour {
    fn name(self) -> &'static str {
        match self {
            Self::Docker => "docker",
            Self::Podman => "podman",
        }
    }
}

/// A running engine; its containers are removed at the end.
#[derive(Debug)]
pub(crate) struct Engine {
    pub(crate) flavour: Flavour,
    socket: PathBuf,
}

impl Engine {
    /// The engine whose socket the environment names. `None` where it names none; a failure with `OOMPH_REQUIRE=all`.
    pub(crate) fn given(flavour: Flavour) -> Option<Self> {
        let variable = format!("OOMPH_TEST_{}", flavour.name().to_ascii_uppercase());
        let engine = Self { flavour, socket: crate::component::component(&variable)? };
        engine.remove_all();
        Some(engine)
    }

    /// Runs the engine's client and gives how it went.
    pub(crate) fn client(&self, arguments: &[&str]) -> Output {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/engines").join(self.flavour.name());
        let folder = format!("{}_DIR", self.flavour.name().to_ascii_uppercase());
        Command::new(script)
            .env(folder, self.socket.parent().unwrap())
            .arg("in")
            .args(arguments)
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    /// Runs the client, which must succeed, and gives what it printed.
    pub(crate) fn run(&self, arguments: &[&str]) -> String {
        let output = self.client(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// Starts a container. A network of its own and raised limits need more than a container in a container may have.
    pub(crate) fn start(&self, name: &str, options: &[&str], command: &[&str]) -> Output {
        let mut arguments = vec!["run", "-d", "--name", name, "--network", "host"];
        if self.flavour == Flavour::Podman {
            arguments.extend(["--ulimit", "nofile=1024:20000", "--ulimit", "nproc=1000:1000"]);
        }
        arguments.extend(options);
        arguments.push("oomph.dev/busybox:1");
        arguments.extend(command);
        self.client(&arguments)
    }

    /// A field of the container's state. Podman 4.3 reads the cgroup of a process that may have ended meanwhile, and
    /// then fails with "no such process": asked again, it knows the end.
    pub(crate) fn state(&self, name: &str, field: &str) -> String {
        let arguments = ["inspect", "--format", &format!("{{{{.State.{field}}}}}"), name];
        for _ in 0..20 {
            let output = self.client(&arguments);
            if output.status.success() {
                return String::from_utf8(output.stdout).unwrap().trim().to_owned();
            }
            let error = String::from_utf8_lossy(&output.stderr);
            assert!(error.contains("no such process"), "{arguments:?}: {error}");
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("{name}: the engine does not say its state")
    }

    /// Waits until the container has ended.
    pub(crate) fn wait(&self, name: &str) {
        let began = Instant::now();
        while self.state(name, "Status") == "running" {
            assert!(began.elapsed() < Duration::from_secs(20), "{name} does not end");
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Waits until the container has printed the word.
    pub(crate) fn wait_for(&self, name: &str, word: &str) {
        let began = Instant::now();
        while !self.run(&["logs", name]).contains(word) {
            assert!(began.elapsed() < Duration::from_secs(20), "{name} does not say {word}");
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// What `inspect` says of the containers.
    pub(crate) fn inspect(&self, names: &[&str]) -> String {
        self.run(&[&["inspect"], names].concat()) + "\n"
    }

    /// Every event since a moment (seconds of Unix time), one JSON object a line.
    pub(crate) fn events(&self, since: u64) -> String {
        let (since, until) = (since.to_string(), (now() + 1).to_string());
        let mut arguments = vec!["events", "--since", &since, "--format", "{{json .}}"];
        match self.flavour {
            Flavour::Docker => arguments.extend(["--until", &until]),
            // With an end Podman 4.3 leaves the newest out.
            Flavour::Podman => arguments.push("--stream=false"),
        }
        self.run(&arguments) + "\n"
    }

    /// What oomph answers about a container, or, without a name, about all: its exit code and its document.
    pub(crate) fn why(&self, name: &str) -> (Option<i32>, Value) {
        let mut command = self.oomph();
        if !name.is_empty() {
            command.arg(name);
        }
        let output = command.output().unwrap();
        let document = serde_json::from_slice(&output.stdout);
        (
            output.status.code(),
            document.unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr))),
        )
    }

    /// `oomph why` of all its containers, as JSON.
    pub(crate) fn oomph(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_oomph"));
        command.args(["why", "-o", "json", "--docker"]).env("DOCKER_HOST", format!("unix://{}", self.socket.display()));
        command.env_remove("CONTAINER_HOST");
        command
    }

    fn remove_all(&self) {
        for name in self.run(&["ps", "-aq"]).lines() {
            self.run(&["rm", "-f", name]);
        }
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.remove_all();
        }
    }
}

/// Seconds of Unix time.
pub(crate) fn now() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs()
}

/// Every record of the kernel's ring.
fn ring() -> Vec<String> {
    const NONBLOCK: i32 = 0o4000;
    let mut ring = File::options().read(true).custom_flags(NONBLOCK).open("/dev/kmsg").unwrap();
    let mut record = vec![0; 16 << 10];
    let mut records = Vec::new();
    // The end is an error of its own (EAGAIN); so is a record overwritten meanwhile (EPIPE), which is passed over.
    loop {
        match ring.read(&mut record) {
            Ok(length) => records.push(String::from_utf8_lossy(&record[..length]).into_owned()),
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => {}
            Err(_) => return records,
        }
    }
}

/// The newest record.
pub(crate) fn last_record() -> String {
    ring().pop().unwrap_or_default()
}

/// The records after `mark`, as read.
pub(crate) fn records_after(mark: &str) -> String {
    let records = ring();
    let from = records.iter().position(|record| record == mark).map_or(0, |at| at + 1);
    records[from..].concat()
}
