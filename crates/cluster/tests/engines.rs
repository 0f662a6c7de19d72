//! Real Docker and Podman. `OOMPH_TEST_DOCKER` and `OOMPH_TEST_PODMAN` name their sockets, as `tests/engines/docker up`
//! and `tests/engines/podman up` print them; the client `docker`, which speaks to both, must be at hand.
#![allow(clippy::print_stdout)] // a skipped test says why
#![allow(clippy::unwrap_used)] // all of it is test code

#[path = "../../../tests/support/component.rs"]
mod component;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use oomph_cluster::docker::{Answered, Ask, Endpoint, NoEngine, capture};
use oomph_core::artifact::{Artifact, Kind, Status};
use serde_json::Value;

/// The image that both scripts load: busybox.
const IMAGE: &str = "oomph.dev/busybox:1";

/// What a container needs on a machine without bridges and without CAP_SYS_RESOURCE; harmless elsewhere.
const PLAIN: [&str; 6] = ["--network", "host", "--ulimit", "nofile=1024:20000", "--ulimit", "nproc=1000:1000"];

const LIMIT: &str = "--memory=16m";

/// Holds what it reads until a line ends, which never comes.
const HOG: &str = "tail /dev/zero";

/// An engine under test, with the containers that one test made.
struct Engine {
    socket: PathBuf,
    docker: bool,
    made: Vec<String>,
}

impl Engine {
    /// The engine behind a variable; `None`, with a word, where it is not set. A failure when `OOMPH_REQUIRE=all`.
    fn of(variable: &str) -> Option<Self> {
        let socket = component::component(variable)?;
        let socket = socket.to_string_lossy().trim_start_matches("unix://").into();
        Some(Self { socket, docker: variable == "OOMPH_TEST_DOCKER", made: Vec::new() })
    }

    fn client(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("docker");
        command.arg("-H").arg(format!("unix://{}", self.socket.display())).args(arguments);
        command
    }

    fn succeeds(&self, arguments: &[&str]) -> bool {
        self.client(arguments).output().unwrap().status.success()
    }

    /// Starts a container with a script; gives its name.
    fn run(&mut self, name: &str, options: &[&str], script: &str) -> String {
        let name = format!("oomph-test-{}-{name}", std::process::id());
        let arguments: Vec<&str> = ["run", "-d", "--name", &name]
            .into_iter()
            .chain(PLAIN)
            .chain(options.iter().copied())
            .chain([IMAGE, "/bin/sh", "-c", script])
            .collect();
        let output = self.client(&arguments).output().unwrap();
        self.made.push(name.clone());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        name
    }

    /// Waits until a container's state is as wanted.
    fn until(&self, name: &str, format: &str, wanted: &str) {
        let began = Instant::now();
        loop {
            let output = self.client(&["inspect", "-f", format, name]).output().unwrap();
            let state = String::from_utf8_lossy(&output.stdout).trim().to_owned();
            if state == wanted {
                return;
            }
            assert!(began.elapsed() < Duration::from_secs(20), "{name}: {format} is {state}, not {wanted}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn until_ended(&self, name: &str) {
        self.until(name, "{{.State.Status}}", "exited");
    }

    fn until_said(&self, name: &str, words: &str) {
        let began = Instant::now();
        while !String::from_utf8_lossy(&self.client(&["logs", name]).output().unwrap().stdout).contains(words) {
            assert!(began.elapsed() < Duration::from_secs(20), "{name} never said {words:?}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    async fn capture(&self, names: &[&str]) -> Result<Answered, NoEngine> {
        captured_from(&[&self.socket], names).await
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        for name in &self.made {
            self.succeeds(&["rm", "-f", name]);
        }
    }
}

async fn captured_from(sockets: &[&Path], names: &[&str]) -> Result<Answered, NoEngine> {
    let endpoints: Vec<Endpoint> = sockets.iter().map(|socket| Endpoint::Unix((*socket).to_owned())).collect();
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let now = Timestamp::now();
    let booted = Some(now - Duration::from_hours(1));
    capture(&Ask { endpoints: &endpoints, names: &names, now, booted, within: Duration::from_secs(20) }).await
}

fn the<'a>(answered: &'a Answered, kind: Kind, about: &str) -> Option<&'a Artifact> {
    answered.captured.artifacts.iter().find(|artifact| {
        artifact.kind == Some(kind) && (about.is_empty() || artifact.about.container.as_deref() == Some(about))
    })
}

fn state(answered: &Answered, name: &str) -> Value {
    let document: Value = serde_json::from_slice(&the(answered, Kind::EngineInspect, name).unwrap().bytes).unwrap();
    document["State"].clone()
}

fn said(answered: &Answered, name: &str) -> String {
    String::from_utf8(the(answered, Kind::ContainerLog, name).unwrap().bytes.clone()).unwrap()
}

/// What happened to one container: action, signal, exit code.
fn events(answered: &Answered, name: &str) -> Vec<(String, String, String)> {
    let Some(events) = the(answered, Kind::EngineEvents, "") else { return Vec::new() };
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    events
        .bytes
        .split(|byte| *byte == b'\n')
        .filter_map(|line| serde_json::from_slice::<Value>(line).ok())
        .filter(|event| event["Type"] == "container" && event["Actor"]["Attributes"]["name"] == name)
        .map(|event| {
            let attributes = &event["Actor"]["Attributes"];
            let exit = [&attributes["exitCode"], &attributes["containerExitCode"]].map(text);
            (
                text(&event["Action"]),
                text(&attributes["signal"]),
                exit.into_iter().find(|e| !e.is_empty()).unwrap_or_default(),
            )
        })
        .collect()
}

fn actions(answered: &Answered, name: &str) -> Vec<String> {
    events(answered, name).into_iter().map(|(action, ..)| action).collect()
}

fn done(action: &str, signal: &str, exit: &str) -> (String, String, String) {
    (action.into(), signal.into(), exit.into())
}

#[tokio::test]
async fn docker_tells_a_kill_of_the_main_process() {
    let Some(mut engine) = Engine::of("OOMPH_TEST_DOCKER") else { return };
    // An event that comes after the end, as on a busy machine, leaves OOMKilled false for good: another container, then.
    let mut attempt = 1;
    let (name, answered) = loop {
        let name = engine.run(&format!("main{attempt}"), &[LIMIT], &format!("echo begun; exec {HOG}"));
        engine.until_ended(&name);
        let answered = engine.capture(&[&name]).await.unwrap();
        if state(&answered, &name)["OOMKilled"] == true || attempt == 3 {
            break (name, answered);
        }
        attempt += 1;
    };
    assert!(answered.local);
    assert_eq!(state(&answered, &name)["OOMKilled"], true);
    assert_eq!(state(&answered, &name)["ExitCode"], 137);
    assert!(actions(&answered, &name).contains(&"oom".to_owned()));
    assert!(said(&answered, &name).ends_with("Z begun\n"), "{}", said(&answered, &name));

    let inspect = the(&answered, Kind::EngineInspect, &name).unwrap();
    assert!(inspect.name.ends_with(&format!("inspect {name}")), "{}", inspect.name);
    assert_eq!(inspect.about.container_id.as_ref().unwrap().len(), 64);
    assert!(inspect.booted.is_some());
    for source in &answered.captured.sources {
        assert_eq!(source.status, Status::Read, "{source:?}");
    }
}

#[tokio::test]
async fn podman_tells_the_death_but_not_the_kill() {
    let Some(mut engine) = Engine::of("OOMPH_TEST_PODMAN") else { return };
    let name = engine.run("main", &[LIMIT], &format!("echo begun; exec {HOG}"));
    engine.until_ended(&name);
    let answered = engine.capture(&[&name]).await.unwrap();
    assert!(answered.local, "the kernel's log knows what Podman does not");
    println!("OOMKilled under Podman: {}", state(&answered, &name)["OOMKilled"]);
    assert_eq!(state(&answered, &name)["ExitCode"], 137);
    assert!(events(&answered, &name).contains(&done("died", "", "137")));
    assert!(said(&answered, &name).ends_with(" begun\n"));
    assert!(the(&answered, Kind::EngineInspect, &name).unwrap().name.starts_with("podman "));
}

#[tokio::test]
async fn a_child_killed_in_a_running_container_is_captured_without_naming_it() {
    for variable in ["OOMPH_TEST_DOCKER", "OOMPH_TEST_PODMAN"] {
        let Some(mut engine) = Engine::of(variable) else { continue };
        let name = engine.run("child", &[LIMIT], &format!("{HOG} & wait $!; echo lived on: $?; exec sleep 60"));
        engine.until_said(&name, "lived on: 137");
        let answered = engine.capture(&[]).await.unwrap();
        assert_eq!(state(&answered, &name)["Running"], true);
        if engine.docker {
            assert!(actions(&answered, &name).contains(&"oom".to_owned()));
            assert!(said(&answered, &name).contains("lived on: 137"));
        }
    }
}

#[tokio::test]
async fn a_stop_and_its_timeout_are_told_from_a_kill_by_hand() {
    let Some(mut engine) = Engine::of("OOMPH_TEST_DOCKER") else { return };
    let stopped = engine.run("stopped", &["--stop-timeout=1"], "trap '' TERM; echo up; while true; do sleep 1; done");
    let killed = engine.run("killed", &[], "exec sleep 60");
    engine.until_said(&stopped, "up");
    assert!(engine.succeeds(&["stop", &stopped]) && engine.succeeds(&["kill", "-s", "9", &killed]));
    engine.until_ended(&killed);
    let answered = engine.capture(&[&stopped, &killed]).await.unwrap();
    let ends = |name: &str| {
        let events = events(&answered, name);
        events.into_iter().filter(|(action, ..)| ["kill", "die", "stop"].contains(&action.as_str())).collect::<Vec<_>>()
    };
    let timeout = [done("kill", "15", ""), done("kill", "9", ""), done("die", "", "137"), done("stop", "", "")];
    assert_eq!(ends(&stopped), timeout);
    assert_eq!(ends(&killed), [done("kill", "9", ""), done("die", "", "137")]);
}

#[tokio::test]
async fn the_log_of_a_terminal_has_no_frames() {
    for variable in ["OOMPH_TEST_DOCKER", "OOMPH_TEST_PODMAN"] {
        let Some(mut engine) = Engine::of(variable) else { continue };
        let name = engine.run("tty", &["--tty"], "echo said; exit 3");
        engine.until_ended(&name);
        let answered = engine.capture(&[&name]).await.unwrap();
        assert!(said(&answered, &name).ends_with(" said\r\n"), "{:?}", said(&answered, &name));
    }
}

#[tokio::test]
async fn containers_that_ended_well_give_no_log() {
    let Some(mut engine) = Engine::of("OOMPH_TEST_DOCKER") else { return };
    let name = engine.run("well", &[], "echo done");
    engine.until_ended(&name);
    let answered = engine.capture(&[]).await.unwrap();
    assert!(the(&answered, Kind::EngineInspect, &name).is_some());
    assert!(the(&answered, Kind::ContainerLog, &name).is_none());
}

#[tokio::test]
async fn a_container_that_no_engine_has_is_an_error_that_names_it_and_the_sockets() {
    let Some(engine) = Engine::of("OOMPH_TEST_DOCKER") else { return };
    let nowhere = Path::new("/nonexistent/engine.sock");
    for name in ["oomph-no-such", "../info", "a/b", "a b"] {
        let error = captured_from(&[&engine.socket, nowhere], &[name]).await.unwrap_err().to_string();
        let socket = engine.socket.display();
        assert_eq!(
            error,
            format!(
                "no container {name:?}; tried unix://{socket} (it has none of that name), \
                 unix:///nonexistent/engine.sock (not there)"
            )
        );
    }
}

#[tokio::test]
async fn an_engine_found_at_two_places_is_asked_once() {
    let Some(mut engine) = Engine::of("OOMPH_TEST_DOCKER") else { return };
    let name = engine.run("twice", &[], "exit 1");
    engine.until_ended(&name);
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("docker.sock");
    std::os::unix::fs::symlink(&engine.socket, &link).unwrap();
    let answered = captured_from(&[&engine.socket, &link], &[&name]).await.unwrap();
    let inspects = answered.captured.artifacts.iter().filter(|artifact| artifact.kind == Some(Kind::EngineInspect));
    assert_eq!(inspects.count(), 1);
}

#[tokio::test]
async fn where_nothing_listens_is_said_for_every_socket() {
    let folder = tempfile::tempdir().unwrap();
    let dead = folder.path().join("dead.sock");
    drop(std::os::unix::net::UnixListener::bind(&dead).unwrap());
    let absent = folder.path().join("absent.sock");
    let error = captured_from(&[&dead, &absent], &[]).await.unwrap_err().to_string();
    let expected = format!(
        "no Docker or Podman answers; tried unix://{} (nothing listens), unix://{} (not there)",
        dead.display(),
        absent.display()
    );
    assert_eq!(error, expected);
}

#[tokio::test]
async fn an_engine_that_never_answers_costs_no_more_than_the_time_given() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("silent.sock");
    let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    let endpoints = [Endpoint::Unix(socket)];
    let began = Instant::now();
    let ask = Ask {
        endpoints: &endpoints,
        names: &[],
        now: Timestamp::now(),
        booted: None,
        within: Duration::from_millis(300),
    };
    let error = capture(&ask).await.unwrap_err().to_string();
    assert!(error.ends_with("(no answer in time)"), "{error}");
    assert!(began.elapsed() < Duration::from_secs(5));
}
