//! One engine that answered: which it is, whose kernel it runs on, and how it wants to be asked.

use std::fs;

use serde::Deserialize;
use tokio::time::Instant;

use super::Endpoint;
use super::http::{Answer, NoAnswer, fetch};

/// The answers to the small questions are small.
const SMALL: usize = 1 << 20;

/// An engine.
#[derive(Debug)]
pub(super) struct Engine {
    pub(super) endpoint: Endpoint,
    pub(super) flavour: Flavour,
    /// The host's name, as the engine tells it.
    pub(super) host: Option<String>,
    /// Its containers run on the kernel that we run on.
    pub(super) local: bool,
    /// What stands before every path: `/v1.41`, `/v4.3.1/libpod`.
    root: String,
    deadline: Instant,
}

/// Which engine it is. Podman speaks Docker's API too, but its own says more and is what `podman inspect` prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flavour {
    Docker,
    Podman,
}

/// Of `GET /info`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Info {
    name: Option<String>,
    kernel_version: Option<String>,
}

impl Engine {
    /// Finds out what listens at an endpoint.
    pub(super) async fn at(endpoint: Endpoint, deadline: Instant) -> Result<Self, NoAnswer> {
        let ping = fetch(&endpoint, "/_ping", SMALL, deadline).await?;
        let header =
            |name: &str| ping.headers.get(name).and_then(|value| value.to_str().ok()).filter(|v| is_version(v));
        let docker = header("api-version").map_or(String::new(), |version| format!("/v{version}"));
        let (flavour, root) = match header("libpod-api-version") {
            Some(version) => (Flavour::Podman, format!("/v{version}/libpod")),
            None => (Flavour::Docker, docker.clone()),
        };
        let info = fetch(&endpoint, &format!("{docker}/info"), SMALL, deadline).await?;
        let info: Info = serde_json::from_slice(&info.bytes).unwrap_or_default();
        let local = matches!(endpoint, Endpoint::Unix(_)) && is_this_machine(&info);
        Ok(Self { endpoint, flavour, host: info.name, local, root, deadline })
    }

    /// Asks for a path below the engine's root.
    pub(super) async fn get(&self, path: &str, most: usize) -> Result<Answer, NoAnswer> {
        fetch(&self.endpoint, &format!("{}{path}", self.root), most, self.deadline).await
    }

    /// The command that shows the same to a person: `docker inspect web`, with the address where it is not the default.
    pub(super) fn command(&self, arguments: &str) -> String {
        let (program, option, default) = match self.flavour {
            Flavour::Docker => ("docker", "-H", "unix:///var/run/docker.sock"),
            Flavour::Podman => ("podman", "--url", "unix:///run/podman/podman.sock"),
        };
        match self.endpoint.to_string() {
            endpoint if endpoint == default => format!("{program} {arguments}"),
            endpoint => format!("{program} {option} {endpoint} {arguments}"),
        }
    }
}

/// Nothing else may get into a path.
fn is_version(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'+'))
}

/// An engine behind a socket may still run in another machine: Docker Desktop's in a virtual one, a forwarded socket's
/// anywhere. One with our kernel's release and our host name is ours. Being wrong here would let the log of one kernel
/// speak of another's kills, so doubt is a no; in a container, whose host name is another, `--node` adds the log.
fn is_this_machine(info: &Info) -> bool {
    let ours = |file: &str, theirs: &Option<String>| {
        theirs.is_some() && fs::read_to_string(file).ok().map(|text| text.trim().to_owned()) == *theirs
    };
    ours("/proc/sys/kernel/osrelease", &info.kernel_version) && ours("/proc/sys/kernel/hostname", &info.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_engine_of_another_kernel_is_not_local() {
        let ours = |file| fs::read_to_string(file).ok().map(|text: String| text.trim().to_owned());
        let (kernel, host) = (ours("/proc/sys/kernel/osrelease"), ours("/proc/sys/kernel/hostname"));
        assert!(is_this_machine(&Info { name: host.clone(), kernel_version: kernel.clone() }));
        assert!(!is_this_machine(&Info { name: host, kernel_version: Some("6.6.1-linuxkit".into()) }));
        assert!(!is_this_machine(&Info { name: Some("another".into()), kernel_version: kernel }));
        assert!(!is_this_machine(&Info::default()));
    }

    #[test]
    fn the_command_names_an_unusual_address() {
        let engine = |endpoint: &str, flavour| Engine {
            endpoint: Endpoint::Unix(endpoint.into()),
            flavour,
            host: None,
            local: false,
            root: String::new(),
            deadline: Instant::now(),
        };
        assert_eq!(engine("/var/run/docker.sock", Flavour::Docker).command("inspect web"), "docker inspect web");
        assert_eq!(engine("/x.sock", Flavour::Podman).command("events"), "podman --url unix:///x.sock events");
    }

    #[test]
    fn a_version_that_is_none_does_not_get_into_a_path() {
        assert!(is_version("1.41") && is_version("5.0.0-dev"));
        assert!(!is_version("") && !is_version("1/../x") && !is_version("1 HTTP"));
    }
}
