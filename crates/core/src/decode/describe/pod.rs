//! A pod's describe text to a pod fact and its events.

use super::container::{Draft, Under};
use super::identity::take_identity;
use super::label::{is_known, is_of_container, is_reason, probe, qos, some, state};
use super::{Block, Line};
use crate::decode::columns::{date, is_name};
use crate::decode::{Decoded, Input, event_row, message};
use crate::fact::{Condition, Container, ContainerKind, ContainerStatus, Locus, Owner, Pod, Termination, Tmpfs, What};

/// Decodes one pod.
pub(super) fn decode(block: &Block<'_>, input: Input<'_>, out: &mut Decoded) {
    let mut reader = Reader::new(block);
    let mut events = Vec::new();
    let width = block.lines.iter().map(|line| line.raw.len()).max().unwrap_or(0);
    let mut before = "";
    for line in &block.lines {
        match event_row::event(line.raw) {
            Some((event, false)) => events.push((event, line.number)),
            Some((_, true)) => {}
            None => match events.last_mut() {
                Some((event, at)) if continues(line, *at, &event.message) => {
                    // A line as long as the longest is full: it may have been broken within a word.
                    let full = before.len() == width && !line.raw.starts_with(' ');
                    event.message = format!("{}{}{}", event.message, if full { "" } else { " " }, line.raw.trim());
                    *at += 1;
                }
                _ => reader.line(line),
            },
        }
        before = line.raw;
    }
    let (mut pod, at) = reader.finish();
    take_identity(&mut pod, events.iter().map(|(event, _)| event.message.as_str()));
    let (namespace, name) = (pod.namespace.clone(), pod.name.clone());
    if let Some(at) = at {
        out.fact(What::Pod(Box::new(pod)), Locus::line(input.id, at));
    } else if let Some((_, at)) = events.first() {
        // Only the events are left, but the command line above them says whose they are.
        out.fact(What::Pod(Box::new(pod)), Locus::line(input.id, *at));
    }
    for (event, at) in events {
        let event = event_row::about(event, "Pod", namespace.as_deref(), name.as_deref());
        out.fact(What::Event(Box::new(event)), Locus::line(input.id, at));
    }
}

/// The line carries on the message of the event above it, which a terminal's edge has broken.
fn continues(line: &Line<'_>, event_at: usize, message: &str) -> bool {
    let text = line.text();
    line.number == event_at + 1
        && (30..1000).contains(&message.len())
        && line.label().is_none_or(|label| !is_known(label))
        && text.starts_with(|c: char| c.is_alphanumeric() || matches!(c, '"' | '\'' | '(' | '/' | '['))
}

/// Which part of the text the lines are in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Section {
    Top,
    Containers(ContainerKind),
    Conditions,
    Volumes,
    Other,
}

struct Reader {
    pod: Pod,
    section: Section,
    under: Under,
    /// The first line that told something.
    at: Option<usize>,
    current: Option<Draft>,
    volume: Option<String>,
    /// The line before was a message, of a state or (nothing) of the pod.
    open_message: Option<Under>,
}

impl Reader {
    fn new(block: &Block<'_>) -> Self {
        Self {
            pod: Pod {
                name: block.name.map(str::to_owned),
                namespace: block.namespace.map(str::to_owned),
                ..Pod::default()
            },
            section: Section::Top,
            under: Under::Nothing,
            at: None,
            current: None,
            volume: None,
            open_message: None,
        }
    }

    fn line(&mut self, line: &Line<'_>) {
        if self.section == Section::Conditions && self.condition(line) || self.continued(line) {
            return;
        }
        let Some(label) = line.label() else {
            self.unlabelled(line);
            return;
        };
        let value = line.value();
        match label {
            "Init Containers" => self.open(Section::Containers(ContainerKind::Init)),
            "Containers" if value.is_empty() => self.open(Section::Containers(ContainerKind::App)),
            "Ephemeral Containers" => self.open(Section::Containers(ContainerKind::Ephemeral)),
            "Conditions" if value.is_empty() => self.open(Section::Conditions),
            "Volumes" if value.is_empty() => self.open(Section::Volumes),
            "Events" => self.open(Section::Other),
            "QoS Class" => {
                self.open(Section::Other);
                self.pod.qos = qos(value);
                self.told(line);
            }
            _ if self.section == Section::Volumes => self.volume_line(label, value),
            _ if self.is_container_name(label, value) => self.begin_container(label, line),
            "State" | "Last State" | "Last Termination State" => self.begin_state(label, value, line),
            "Exit Code" if self.is_next_exit() => {
                // A grep has left nothing else of the state.
                let reason = self.pod.reason.take_if(|reason| is_reason(reason));
                self.close_container();
                self.begin_state("State", "Terminated", line);
                self.container_line(label, value, line);
                if let Some((_, end)) = self.current.as_mut().and_then(|draft| draft.state.as_mut()) {
                    end.reason = reason;
                }
            }
            _ if self.current.is_some() => self.container_line(label, value, line),
            _ => self.top_line(label, value, line),
        }
    }

    /// Adds a line that a terminal's edge has broken off a message.
    fn continued(&mut self, line: &Line<'_>) -> bool {
        let carries_on = !line.text().is_empty()
            && line.label().is_none_or(|label| !is_known(label) && !self.is_container_name(label, line.value()));
        let draft = self.current.as_mut();
        let message = match self.open_message.take().filter(|_| carries_on) {
            Some(Under::State) => draft.and_then(|draft| draft.state.as_mut()?.1.message.as_mut()),
            Some(Under::LastState) => draft.and_then(|draft| draft.last.as_mut()?.1.message.as_mut()),
            Some(_) => self.pod.message.as_mut(),
            None => None,
        };
        let Some(message) = message.filter(|message| (30..4000).contains(&message.len())) else { return false };
        message.push(' ');
        message.push_str(line.text());
        // Whose it is has not changed: the next line may go on with it.
        self.open_message = Some(if self.current.is_some() { self.under } else { Under::Nothing });
        true
    }

    /// An exit code that belongs to no state before it.
    fn is_next_exit(&self) -> bool {
        self.current.as_ref().is_none_or(|draft| {
            let end = draft.state.as_ref().filter(|_| draft.last.is_none() && draft.container.name.is_none());
            end.is_some_and(|(_, end)| end.exit_code.is_some())
        })
    }

    /// Leaves the container that is being read, if any.
    fn open(&mut self, section: Section) {
        self.close_container();
        self.section = section;
        self.under = Under::Nothing;
    }

    fn told(&mut self, line: &Line<'_>) {
        self.at = self.at.or(Some(line.number));
    }

    /// Container names are lower case, kubectl's labels are not; flags and variables have labels of their own.
    fn is_container_name(&self, label: &str, value: &str) -> bool {
        let listed = matches!(self.under, Under::Command | Under::Args | Under::Environment);
        matches!(self.section, Section::Containers(_))
            && value.is_empty()
            && is_name(label)
            && !(listed && self.current.as_ref().is_some_and(|draft| draft.container.name.as_deref() != Some(label)))
            && !matches!(label, "memory" | "cpu")
    }

    fn begin_container(&mut self, name: &str, line: &Line<'_>) {
        self.close_container();
        let kind = match self.section {
            Section::Containers(kind) => kind,
            _ => ContainerKind::App,
        };
        let container = Container { name: Some(name.to_owned()), kind, ..Container::default() };
        self.current = Some(Draft { container, ..Draft::default() });
        self.under = Under::Nothing;
        self.told(line);
    }

    fn begin_state(&mut self, label: &str, value: &str, line: &Line<'_>) {
        // A piece may show the states alone: they are of a container without a name. A second State is another's.
        let again = label == "State" && self.current.as_ref().is_some_and(|draft| draft.state.is_some());
        if again {
            self.close_container();
        }
        let draft = self.current.get_or_insert_with(Draft::default);
        let (name, rest) = value.split_once([' ', '(', ',']).unwrap_or((value, ""));
        // Other consoles print `Terminated (OOMKilled)`; people, `Terminated, Reason: OOMKilled, Exit Code: 137`.
        let end = message::end(value).unwrap_or_else(|| Termination {
            reason: some(rest.trim_matches([' ', '(', ')'])).filter(|reason| is_reason(reason)),
            ..Termination::default()
        });
        let state = Some((name.to_owned(), end));
        draft.has_status = true;
        if label == "State" {
            draft.state = state;
            self.under = Under::State;
        } else {
            draft.last = state;
            self.under = Under::LastState;
        }
        self.told(line);
    }

    fn container_line(&mut self, label: &str, value: &str, line: &Line<'_>) {
        let Some(draft) = &mut self.current else { return };
        if draft.state_line(self.under, label, value) {
            if label == "Message" {
                self.open_message = Some(self.under);
            }
            return;
        }
        if draft.amount(self.under, label, value) {
            return;
        }
        if self.under == Under::Environment && label != "Mounts" && !is_of_container(label) {
            draft.environment.push((label.to_owned(), value.to_owned()));
            return;
        }
        let listed = matches!(self.under, Under::Command | Under::Args) && !is_of_container(label);
        if listed {
            self.unlabelled(line);
            return;
        }
        self.under = Under::Nothing;
        match label {
            "Container ID" => {
                let (runtime, id) = value.split_once("://").map_or((None, value), |(runtime, id)| (Some(runtime), id));
                draft.status.runtime = runtime.map(str::to_owned);
                draft.status.id = some(id).filter(|id| id.bytes().all(|c| c.is_ascii_hexdigit()));
            }
            "Image" => draft.container.image = some(value),
            "Ready" => {
                draft.status.ready = value.parse::<bool>().ok().or(match value {
                    "True" => Some(true),
                    "False" => Some(false),
                    _ => None,
                });
            }
            "Restart Count" => {
                draft.status.restart_count = value.parse().ok();
                draft.has_status = true;
            }
            "Restart Policy" if value == "Always" && draft.container.kind == ContainerKind::Init => {
                draft.container.kind = ContainerKind::Sidecar;
            }
            "Liveness" => draft.container.liveness = probe(value),
            "Startup" => draft.container.startup = probe(value),
            "Limits" => self.under = Under::Limits,
            "Requests" => self.under = Under::Requests,
            "Command" => self.under = Under::Command,
            "Args" => self.under = Under::Args,
            "Environment" => self.under = Under::Environment,
            "Mounts" => self.under = Under::Mounts,
            // Labels of the pod that follow a piece of its container.
            "Status" | "Reason" | "Message" | "Node" | "Namespace" => self.top_line(label, value, line),
            _ => {}
        }
    }

    /// A line without a label: a word of a command, a mount.
    fn unlabelled(&mut self, line: &Line<'_>) {
        let text = line.text();
        let Some(draft) = &mut self.current else { return };
        match self.under {
            Under::Command => draft.command.push(text.to_owned()),
            Under::Args => draft.args.push(text.to_owned()),
            Under::Mounts => {
                draft.mounts.extend(text.split_once(" from ").and_then(|(_, rest)| some(rest.split(' ').next()?)));
            }
            _ => {}
        }
    }

    fn top_line(&mut self, label: &str, value: &str, line: &Line<'_>) {
        let pod = &mut self.pod;
        match label {
            "Name" => pod.name = some(value).or(pod.name.take()),
            "Namespace" => pod.namespace = some(value),
            "Priority" => pod.priority = value.parse().ok(),
            "Priority Class Name" => pod.priority_class = some(value).filter(|name| name != "<none>"),
            "Runtime Class Name" => pod.runtime_class = some(value),
            "Node" => pod.node = some(value.split('/').next().unwrap_or_default()).filter(|node| node != "<none>"),
            "Start Time" => pod.started = date(value),
            "Status" if value.starts_with("Terminating") => pod.terminating = true,
            "Status" => pod.phase = some(value.split_whitespace().next().unwrap_or_default()),
            "Reason" => pod.reason = some(value),
            "Message" => {
                pod.message = some(value);
                self.open_message = Some(Under::Nothing);
            }
            "Termination Grace Period" => {
                pod.deletion_grace_seconds = crate::decode::columns::age_seconds(value);
            }
            "Controlled By" => {
                pod.owner =
                    value.split_once('/').map(|(kind, name)| Owner { kind: kind.to_owned(), name: name.to_owned() });
            }
            _ => return,
        }
        // A name alone tells nothing yet, but it is where the pod begins.
        if !value.is_empty() {
            self.told(line);
        }
    }

    /// `DisruptionTarget   True`: describe shows no reason.
    fn condition(&mut self, line: &Line<'_>) -> bool {
        let mut words = line.raw.split_whitespace();
        let (Some(kind), Some(status), None) = (words.next(), words.next(), words.next()) else { return false };
        if !matches!(status, "True" | "False" | "Unknown" | "Status") {
            return false;
        }
        if kind == "DisruptionTarget" {
            self.pod.conditions.push(Condition {
                kind: kind.to_owned(),
                status: status.to_owned(),
                reason: None,
                message: None,
                since: None,
            });
        }
        true
    }

    fn volume_line(&mut self, label: &str, value: &str) {
        match (label, value) {
            (name, "") if is_name(name) => self.volume = Some(name.to_owned()),
            ("Medium", "Memory") => {
                if let Some(volume) = &self.volume {
                    self.pod.tmpfs.push(Tmpfs { volume: volume.clone(), size_limit: None });
                }
            }
            ("SizeLimit", size) => {
                if let Some(last) = self.pod.tmpfs.last_mut().filter(|last| Some(&last.volume) == self.volume.as_ref())
                {
                    last.size_limit = size.parse().ok();
                }
            }
            _ => {}
        }
    }

    fn close_container(&mut self) {
        if let Some(draft) = self.current.take() {
            self.pod.containers.push(draft.finish());
        }
    }

    fn finish(mut self) -> (Pod, Option<usize>) {
        self.close_container();
        // The reason of a container alone, as a grep leaves it.
        if self.pod.containers.is_empty()
            && let Some(reason) = self.pod.reason.take_if(|reason| is_reason(reason))
        {
            let end = Termination { reason: Some(reason), ..Termination::default() };
            let status = ContainerStatus { state: state(("Terminated".to_owned(), end)), ..ContainerStatus::default() };
            self.pod.containers.push(Container { status: Some(status), ..Container::default() });
        }
        // Workflow engines print the same labels, and a sentence about the container in the message.
        if self.pod.containers.is_empty()
            && self.pod.reason.is_none()
            && let Some(end) = self.pod.message.as_deref().and_then(message::end)
        {
            let status = ContainerStatus { state: state(("Terminated".to_owned(), end)), ..ContainerStatus::default() };
            self.pod.containers.push(Container { status: Some(status), ..Container::default() });
        }
        let volumes = &self.pod.tmpfs;
        for container in &mut self.pod.containers {
            container.tmpfs_mounts.retain(|mount| volumes.iter().any(|tmpfs| &tmpfs.volume == mount));
        }
        let pod = &self.pod;
        let tells = !pod.containers.is_empty()
            || pod.phase.is_some()
            || pod.reason.is_some()
            || pod.message.is_some()
            || pod.terminating;
        let at = self.at.filter(|_| tells);
        (self.pod, at)
    }
}
