//! The containers of one engine: their inspect documents and the end of their logs.

use futures::StreamExt as _;
use jiff::Timestamp;
use oomph_core::artifact::{Artifact, Captured, Kind, SourceStatus, Status};
use oomph_core::fact::{Gap, Subject};
use serde::Deserialize;

use super::engine::Engine;
use super::events::Events;
use super::http::{Answer, NoAnswer};
use super::{Ask, log, why};

/// More containers are not inspected.
const CONTAINERS_MAX: usize = 1000;

/// Questions under way at a time; an engine answers each from its memory.
const AT_A_TIME: usize = 8;

/// Lines of a container's log: runtimes print their last words at the end.
const LOG_LINES: usize = 400;

/// A list, an inspect document or a log is never this large.
const DOCUMENT_MAX: usize = 16 << 20;

/// The containers of one engine.
#[derive(Debug, Default)]
pub(super) struct Containers {
    pub(super) seen: Vec<Container>,
    /// Those of the names in the question that this engine has.
    pub(super) asked: Vec<String>,
    pub(super) gaps: Vec<Gap>,
}

/// A container: its inspect document, and of it what is needed to ask further.
#[derive(Debug)]
pub(super) struct Container {
    document: Vec<u8>,
    inspect: Inspect,
}

/// The keys of an inspect document that tell what else to ask.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Inspect {
    id: String,
    name: String,
    created: Option<Timestamp>,
    restart_count: u64,
    state: State,
    config: Config,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct State {
    running: bool,
    exit_code: i64,
    #[serde(rename = "OOMKilled")]
    oom_killed: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Config {
    tty: bool,
}

/// Which container was made when.
#[derive(Debug, Clone, Copy)]
pub(super) struct Made<'a> {
    pub(super) id: &'a str,
    pub(super) at: Timestamp,
}

/// An entry of the list of containers.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    id: String,
    #[serde(default)]
    state: String,
}

impl Containers {
    /// Inspects the named containers, or all.
    pub(super) async fn read(engine: &Engine, names: &[String]) -> Result<Self, String> {
        let mut containers = Self::default();
        let wanted = if names.is_empty() { containers.all(engine).await? } else { names.to_vec() };
        let answers = futures::stream::iter(&wanted)
            .map(|name| async move {
                // What is no name is no container's, and must not get into a path.
                let path = is_name(name).then(|| format!("/containers/{}/json", name.trim_start_matches('/')));
                match path {
                    Some(path) => (name, Some(inspect(engine, &path).await)),
                    None => (name, None),
                }
            })
            .buffered(AT_A_TIME);
        let mut answers = std::pin::pin!(answers);
        while let Some((name, answer)) = answers.next().await {
            match answer {
                None => {}
                Some(Ok(Answer { status, .. })) if status == http::StatusCode::NOT_FOUND => {}
                Some(Ok(answer)) if answer.status.is_success() => {
                    if names.contains(name) {
                        containers.asked.push(name.clone());
                    }
                    containers.keep(answer.bytes);
                }
                Some(Ok(answer)) => containers.missed(engine, name, &answer.refusal()),
                Some(Err(error)) => containers.missed(engine, name, &why(&error).1),
            }
        }
        Ok(containers)
    }

    /// The ids of all containers, those that ended first.
    async fn all(&mut self, engine: &Engine) -> Result<Vec<String>, String> {
        let answer = engine.get("/containers/json?all=true", DOCUMENT_MAX).await.map_err(|error| why(&error).1)?;
        if !answer.status.is_success() {
            return Err(answer.refusal());
        }
        let mut listed: Vec<Listed> = serde_json::from_slice(&answer.bytes).map_err(|error| error.to_string())?;
        listed.sort_by_key(|container| container.state == "running");
        if listed.len() > CONTAINERS_MAX {
            self.gaps.push(Gap {
                what: format!("{} containers", listed.len() - CONTAINERS_MAX),
                because: format!("only {CONTAINERS_MAX} are inspected, those that ended first; name the others"),
                command: engine.command("ps -a"),
            });
            listed.truncate(CONTAINERS_MAX);
        }
        Ok(listed.into_iter().map(|container| container.id).collect())
    }

    fn keep(&mut self, document: Vec<u8>) {
        // One that is not understood here may still be by the core.
        let inspect: Inspect = serde_json::from_slice(&document).unwrap_or_default();
        if inspect.id.is_empty() || self.seen.iter().all(|container| container.inspect.id != inspect.id) {
            self.seen.push(Container { document, inspect });
        }
    }

    fn missed(&mut self, engine: &Engine, name: &str, because: &str) {
        self.gaps.push(Gap {
            what: format!("the container {name}"),
            because: because.to_owned(),
            command: engine.command(&format!("inspect {name}")),
        });
    }

    /// Asks for events and logs, and gives all as artifacts.
    pub(super) async fn tell(self, engine: &Engine, ask: &Ask<'_>) -> Captured {
        let inspect = engine.command("inspect");
        let mut captured = Captured { gaps: self.gaps, ..Captured::default() };
        if self.seen.is_empty() && !ask.names.is_empty() {
            return captured;
        }
        captured.sources.push(match captured.gaps.as_slice() {
            [] => SourceStatus::read(&inspect, "containers"),
            [gap, ..] => SourceStatus::not_read(&inspect, "containers", Status::Partial, &gap.because),
        });
        let oldest = self.seen.iter().filter_map(Container::made).min_by_key(|made| made.at);
        let events = Events::read(engine, ask.now, oldest, &mut captured).await;
        let wanted = |container: &&Container| !ask.names.is_empty() || container.ended_or_lost(&events);
        let logs: Vec<_> = futures::stream::iter(self.seen.iter().filter(wanted))
            .map(|container| async move { (container, container.log(engine).await) })
            .buffered(AT_A_TIME)
            .collect()
            .await;

        let artifact = |name: String, kind, about, bytes| Artifact {
            kind: Some(kind),
            about,
            at: Some(ask.now),
            booted: ask.booted.filter(|_| engine.local),
            ..Artifact::new(name, bytes)
        };
        captured.sources.extend(status_of(&logs, engine));
        for (container, log) in logs {
            let name = engine.command(&format!("logs {}", container.name()));
            match log {
                Ok(bytes) if bytes.is_empty() => {}
                Ok(bytes) => {
                    captured.artifacts.push(artifact(name, Kind::ContainerLog, container.subject(engine), bytes));
                }
                Err(because) => {
                    captured.gaps.push(Gap {
                        what: format!("the log of {}", container.name()),
                        because,
                        command: name,
                    });
                }
            }
        }
        for container in self.seen {
            let (name, about) = (format!("{inspect} {}", container.name()), container.subject(engine));
            captured.artifacts.push(artifact(name, Kind::EngineInspect, about, container.document));
        }
        if !events.bytes.is_empty() {
            let about = Subject { node: engine.host.clone(), ..Subject::default() };
            captured.artifacts.push(artifact(engine.command("events"), Kind::EngineEvents, about, events.bytes));
        }
        captured
    }
}

/// How the engine answered for logs, if it was asked for any.
fn status_of(logs: &[(&Container, Result<Vec<u8>, String>)], engine: &Engine) -> Option<SourceStatus> {
    let name = engine.command("logs");
    let refusals = logs.iter().filter_map(|(_, log)| log.as_ref().err());
    Some(match (logs.len(), refusals.clone().count(), refusals.clone().next()) {
        (0, ..) => return None,
        (_, _, None) => SourceStatus::read(name, "container logs"),
        (all, refused, Some(because)) => {
            let status = if refused == all { Status::Absent } else { Status::Partial };
            SourceStatus::not_read(name, "container logs", status, because)
        }
    })
}

/// An inspect document. Podman 4.3 answers 500 ("read /proc/N/cgroup: no such process") for a container whose process
/// ended while it looked; asked again, it knows the end.
async fn inspect(engine: &Engine, path: &str) -> Result<Answer, NoAnswer> {
    match engine.get(path, DOCUMENT_MAX).await {
        Ok(answer) if answer.status.is_server_error() => engine.get(path, DOCUMENT_MAX).await,
        answer => answer,
    }
}

impl Container {
    fn name(&self) -> &str {
        let name = self.inspect.name.trim_start_matches('/');
        if name.is_empty() { &self.inspect.id } else { name }
    }

    fn made(&self) -> Option<Made<'_>> {
        self.inspect.created.map(|at| Made { id: &self.inspect.id, at })
    }

    fn subject(&self, engine: &Engine) -> Subject {
        let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        Subject {
            container: some(self.name()),
            container_id: some(&self.inspect.id),
            node: engine.host.clone(),
            ..Subject::default()
        }
    }

    /// It ended badly, ended before, or had a process killed. A child's kill under Podman is seen by the kernel alone.
    fn ended_or_lost(&self, events: &Events) -> bool {
        let state = &self.inspect.state;
        (!state.running && state.exit_code != 0)
            || state.oom_killed
            || self.inspect.restart_count > 0
            || events.struck(&self.inspect.id)
    }

    /// The end of its output, each line with its time.
    async fn log(&self, engine: &Engine) -> Result<Vec<u8>, String> {
        let path =
            format!("/containers/{}/logs?stdout=true&stderr=true&timestamps=true&tail={LOG_LINES}", self.inspect.id);
        let answer = engine.get(&path, DOCUMENT_MAX).await.map_err(|error| why(&error).1)?;
        if !answer.status.is_success() {
            return Err(answer.refusal());
        }
        if !answer.whole {
            return Err(format!("its last {LOG_LINES} lines are over {} MiB", DOCUMENT_MAX >> 20));
        }
        Ok(if self.inspect.config.tty { answer.bytes } else { log::without_frames(&answer.bytes) })
    }
}

/// Names and ids: `[a-zA-Z0-9][a-zA-Z0-9_.-]+` (`RestrictedNameChars` of daemon/names), Docker's with a slash before.
fn is_name(text: &str) -> bool {
    let name = text.strip_prefix('/').unwrap_or(text);
    name.bytes().next().is_some_and(|first| first.is_ascii_alphanumeric())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-'))
}
