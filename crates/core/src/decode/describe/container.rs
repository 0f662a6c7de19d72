//! A container of a pod's describe text while its lines are read.

use super::label::{some, state};
use crate::decode::columns::date;
use crate::fact::{Container, ContainerStatus, Termination};
use crate::memory_flags;

/// Which value the lines under a container's label belong to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Under {
    Nothing,
    State,
    LastState,
    Limits,
    Requests,
    Command,
    Args,
    Environment,
    Mounts,
}

/// A container while its lines are read.
#[derive(Default)]
pub(super) struct Draft {
    pub(super) container: Container,
    pub(super) status: ContainerStatus,
    pub(super) has_status: bool,
    pub(super) state: Option<(String, Termination)>,
    pub(super) last: Option<(String, Termination)>,
    pub(super) command: Vec<String>,
    pub(super) args: Vec<String>,
    pub(super) environment: Vec<(String, String)>,
    pub(super) mounts: Vec<String>,
}

impl Draft {
    /// A line of a state; false where it is none.
    pub(super) fn state_line(&mut self, under: Under, label: &str, value: &str) -> bool {
        let state = match under {
            Under::State => self.state.as_mut(),
            Under::LastState => self.last.as_mut(),
            _ => None,
        };
        let Some((_, end)) = state else { return false };
        match label {
            "Reason" => end.reason = some(value),
            "Message" => end.message = some(value),
            "Exit Code" => end.exit_code = value.parse().ok(),
            "Signal" => end.signal = value.parse().ok(),
            "Started" => end.started = date(value),
            "Finished" => end.finished = date(value),
            _ => return false,
        }
        true
    }

    /// A line of limits or requests; false where it is none.
    pub(super) fn amount(&mut self, under: Under, label: &str, value: &str) -> bool {
        let resources = &mut self.container.resources;
        let quantity = value.parse().ok();
        match (label, under) {
            ("memory", Under::Limits) => resources.memory_limit = quantity,
            ("memory", Under::Requests) => resources.memory_request = quantity,
            ("cpu", Under::Limits) => resources.cpu_limit = quantity,
            ("cpu", Under::Requests) => resources.cpu_request = quantity,
            _ => return false,
        }
        true
    }

    /// The container, when its lines are over. Of its command and environment the memory flags alone are kept.
    pub(super) fn finish(mut self) -> Container {
        let words = |list: &[String]| list.iter().map(String::as_str).collect::<Vec<_>>().join(" ");
        let environment = self.environment.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        self.container.flags =
            memory_flags::find([words(&self.command).as_str()], [words(&self.args).as_str()], environment);
        let program = self.command.first().or(self.args.first());
        self.container.program = program.and_then(|line| some(line.split_whitespace().next()?));
        self.container.tmpfs_mounts = self.mounts;
        self.status.state = self.state.and_then(state);
        self.status.last = self.last.filter(|(name, _)| name == "Terminated").map(|(_, end)| end);
        if self.has_status {
            self.container.status = Some(self.status);
        }
        self.container
    }
}
