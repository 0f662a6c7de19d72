//! The deaths: how each is brought about, and what is right to say of it.

use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use super::engine::{Engine, Flavour};

/// A container and its end.
#[derive(Debug)]
pub(crate) struct Death {
    /// Its name.
    pub(crate) name: &'static str,
    /// What really happened.
    pub(crate) note: &'static str,
    options: &'static [&'static str],
    command: &'static [&'static str],
    then: Then,
    accept: &'static [(&'static str, Option<bool>)],
    /// The same under Podman, where its events tell less.
    under_podman: Option<&'static [(&'static str, Option<bool>)]>,
    /// Words that the summary must have.
    says: &'static [&'static str],
}

/// What is done to the container once it runs.
#[derive(Debug, Clone, Copy)]
enum Then {
    /// Nothing: it ends by itself.
    Wait,
    /// Nothing: it says `on` and runs on.
    RunsOn,
    /// `stop` with this timeout.
    Stop(&'static str),
    /// `kill` through the engine.
    Kill,
    /// Its engine cannot start it.
    CannotStart,
    /// `kill -9` of its pid, by somebody on the host.
    KillFromHost,
    /// `rm -f`, and the same name again, for a container that ends well.
    Recreate,
}

/// With swap at hand a hog would fill it first.
const LIMIT: &[&str] = &["--memory", "20m", "--memory-swap", "20m"];

/// Holds what it reads until a line ends; zeros have no lines.
const HOG: &[&str] = &["sh", "-c", "exec tail /dev/zero"];

/// The container whose name had another before it.
pub(crate) const RECREATED: &str = "recreated";

pub(crate) const DEATHS: &[Death] = &[
    Death {
        name: "limit-main",
        note: "PID 1 killed at the limit; Podman's OOMKilled is false",
        options: LIMIT,
        command: HOG,
        then: Then::Wait,
        accept: &[("container-limit-oom", Some(true))],
        under_podman: None,
        says: &["limit-main hit its memory limit of 20 MiB", "its main process tail"],
    },
    Death {
        name: "child-exit0",
        note: "a child killed, PID 1 ends well",
        options: LIMIT,
        command: &["sh", "-c", "tail /dev/zero; sleep 1; exit 0"],
        then: Then::Wait,
        accept: &[("child-oom", Some(true))],
        under_podman: None,
        says: &["a child process (tail) of", "exit code 0"],
    },
    Death {
        name: "child-exit1",
        note: "a child killed, PID 1 ends with 1",
        options: LIMIT,
        command: &["sh", "-c", "tail /dev/zero; exit 1"],
        then: Then::Wait,
        accept: &[("child-oom", Some(true))],
        under_podman: None,
        says: &["a child process (tail) of", "exit code 1"],
    },
    Death {
        name: "child-exit137",
        note: "a child killed, PID 1 ends with its status",
        options: LIMIT,
        command: &["sh", "-c", "tail /dev/zero; exit $?"],
        then: Then::Wait,
        accept: &[("child-oom", Some(true))],
        under_podman: None,
        says: &["a child process (tail) of", "exit code 137"],
    },
    Death {
        name: "child-alive",
        note: "a child killed, PID 1 runs on",
        options: LIMIT,
        command: &["sh", "-c", "tail /dev/zero; echo on; exec sleep 100000"],
        then: Then::RunsOn,
        accept: &[("child-oom-invisible", Some(true))],
        under_podman: None,
        says: &["a child process (tail) of", "runs on"],
    },
    Death {
        name: "child-stopped",
        note: "a child killed; the engine's stop ends PID 1 later",
        options: LIMIT,
        command: &["sh", "-c", "trap 'exit 0' TERM; tail /dev/zero; echo on; while :; do sleep 0.1; done"],
        then: Then::Stop("10"),
        accept: &[("child-oom", Some(true)), ("external-sigterm", Some(true))],
        under_podman: None,
        says: &[],
    },
    Death {
        name: "stopped",
        note: "the engine's stop is honoured; PID 1 has a handler",
        options: &[],
        command: &["sh", "-c", "trap 'exit 0' TERM; echo on; while :; do sleep 0.1; done"],
        then: Then::Stop("10"),
        accept: &[("external-sigterm", Some(false))],
        // Podman 4 tells of no stop, and an exit of 0 tells of nothing either.
        under_podman: Some(&[("completed", Some(false))]),
        says: &[],
    },
    Death {
        name: "stopped-143",
        note: "the engine's stop ends PID 1 by the signal itself",
        options: &[],
        command: &["sh", "-c", "trap 'exit 143' TERM; echo on; while :; do sleep 0.1; done"],
        then: Then::Stop("10"),
        accept: &[("external-sigterm", Some(false))],
        under_podman: None,
        says: &[],
    },
    Death {
        name: "stop-timeout",
        note: "PID 1 ignores SIGTERM; the engine's stop kills it after the timeout",
        options: &[],
        command: &["sh", "-c", "trap '' TERM; echo on; while :; do sleep 0.1; done"],
        then: Then::Stop("1"),
        accept: &[("external-sigkill", Some(false))],
        under_podman: None,
        says: &[],
    },
    Death {
        name: "engine-kill",
        note: "killed through the engine",
        options: &[],
        command: &["sh", "-c", "echo on; exec sleep 100000"],
        then: Then::Kill,
        accept: &[("external-sigkill", Some(false))],
        under_podman: None,
        says: &["was killed through its engine"],
    },
    Death {
        name: "host-kill",
        note: "kill -9 of its pid from the host, under a limit that was never hit",
        options: LIMIT,
        command: &["sh", "-c", "echo on; exec sleep 100000"],
        then: Then::KillFromHost,
        accept: &[("external-sigkill", Some(false))],
        under_podman: None,
        says: &["SIGKILL from outside, or left with 137 itself"],
    },
    Death {
        name: "exit-1",
        note: "an exit of its own",
        options: &[],
        command: &["sh", "-c", "echo bad config >&2; exit 1"],
        then: Then::Wait,
        accept: &[("app-error", Some(false))],
        under_podman: None,
        says: &["exit code 1"],
    },
    Death {
        name: "exit-137",
        note: "an exit of its own with the number of SIGKILL: no evidence tells it from a kill from outside",
        options: LIMIT,
        command: &["sh", "-c", "exit 137"],
        then: Then::Wait,
        accept: &[("external-sigkill", Some(false)), ("app-error", Some(false)), ("undetermined", None)],
        under_podman: None,
        says: &[],
    },
    Death {
        name: "exit-143",
        note: "an exit of its own with the number of SIGTERM; the engine sent none",
        options: &[],
        command: &["sh", "-c", "exit 143"],
        then: Then::Wait,
        accept: &[("external-sigterm", Some(false)), ("app-error", Some(false)), ("undetermined", None)],
        under_podman: None,
        says: &["ended on SIGTERM, or left with 143 itself"],
    },
    Death {
        name: "not-found",
        note: "its command is not in the image",
        options: &[],
        command: &["no-such-command"],
        then: Then::CannotStart,
        accept: &[("start-error", Some(false))],
        under_podman: None,
        says: &["never started"],
    },
    Death {
        name: "completed",
        note: "ended well",
        options: &[],
        command: &["true"],
        then: Then::Wait,
        accept: &[("completed", Some(false))],
        under_podman: None,
        says: &["ended well"],
    },
    Death {
        name: RECREATED,
        note: "ended well; a container of the same name was killed at its limit and removed before it was made",
        options: &[],
        command: &["true"],
        then: Then::Recreate,
        accept: &[("completed", Some(false))],
        under_podman: None,
        says: &["ended well"],
    },
];

impl Death {
    /// The pairs of verdict and oomKill that are right.
    pub(crate) fn accept(&self, flavour: Flavour) -> &'static [(&'static str, Option<bool>)] {
        self.under_podman.filter(|_| flavour == Flavour::Podman).unwrap_or(self.accept)
    }

    /// Brings it about.
    pub(crate) fn happen(&self, engine: &Engine) {
        if matches!(self.then, Then::Recreate) {
            return;
        }
        let started = engine.start(self.name, self.options, self.command);
        let failure = String::from_utf8_lossy(&started.stderr);
        assert_eq!(started.status.success(), !matches!(self.then, Then::CannotStart), "{}: {failure}", self.name);
        match self.then {
            Then::CannotStart | Then::Recreate => {}
            Then::Wait => engine.wait(self.name),
            Then::RunsOn => engine.wait_for(self.name, "on"),
            Then::Stop(timeout) => {
                engine.wait_for(self.name, "on");
                engine.run(&["stop", "-t", timeout, self.name]);
            }
            Then::Kill => {
                engine.wait_for(self.name, "on");
                engine.run(&["kill", self.name]);
                engine.wait(self.name);
            }
            Then::KillFromHost => {
                engine.wait_for(self.name, "on");
                let pid = engine.state(self.name, "Pid");
                assert!(Command::new("kill").args(["-9", &pid]).status().unwrap().success());
                engine.wait(self.name);
            }
        }
    }

    /// The right answer needs the kernel's silence, and the one given claims nothing without it.
    pub(crate) fn rests_on_silence(&self, diagnosis: &Value) -> bool {
        self.accept.iter().all(|(_, kill)| *kill != Some(true)) && diagnosis["oomKill"].is_null()
    }

    /// What is wrong with the diagnosis, if anything.
    pub(crate) fn misjudged(
        &self,
        flavour: Flavour,
        diagnosis: &Value,
        code: Option<i32>,
    ) -> impl Iterator<Item = String> {
        let mut wrong = Vec::new();
        let said = (diagnosis["verdict"].as_str().unwrap(), diagnosis["oomKill"].as_bool());
        if !self.accept(flavour).contains(&said) {
            wrong.push(format!(
                "{}: {said:?}, right is {:?}; missing: {}",
                self.name,
                self.accept(flavour),
                diagnosis["missing"]
            ));
        }
        let summary = diagnosis["summary"].as_str().unwrap();
        let unsaid = self.says.iter().filter(|words| !summary.contains(**words));
        wrong.extend(unsaid.map(|words| format!("{}: {summary:?} lacks {words:?}", self.name)));
        if code != Some(i32::from(said.0 != "completed")) {
            wrong.push(format!("{}: exit code {code:?}", self.name));
        }
        wrong.into_iter()
    }
}

/// A container is killed at its limit and removed, and one of the same name ends well. Gives the id of the first.
pub(crate) fn recreate(engine: &Engine) -> String {
    assert!(engine.start(RECREATED, LIMIT, HOG).status.success());
    engine.wait(RECREATED);
    let id = engine.run(&["inspect", "--format", "{{.Id}}", RECREATED]);
    engine.run(&["rm", "-f", RECREATED]);
    let again = DEATHS.iter().find(|death| death.name == RECREATED).unwrap();
    assert!(engine.start(RECREATED, again.options, again.command).status.success());
    engine.wait(RECREATED);
    // The log must reach past the last end to prove anything by its silence.
    std::thread::sleep(Duration::from_millis(1500));
    id
}
