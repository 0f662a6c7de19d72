//! Where container engines listen.

use std::fmt;
use std::path::PathBuf;

/// Where one engine listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Endpoint {
    /// A Unix socket.
    Unix(PathBuf),
    /// `host:port`, without TLS.
    Tcp(String),
}

impl fmt::Display for Endpoint {
    /// As `DOCKER_HOST` writes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix://{}", path.display()),
            Self::Tcp(address) => write!(f, "tcp://{address}"),
        }
    }
}

/// An address that oomph does not speak to.
#[derive(Debug, thiserror::Error)]
pub enum NoEndpoint {
    /// SSH.
    #[error(
        "cannot reach {0}: oomph does not speak SSH; forward the socket with \
         `ssh -L /tmp/engine.sock:/var/run/docker.sock HOST` and set DOCKER_HOST=unix:///tmp/engine.sock"
    )]
    Ssh(String),
    /// TCP with certificates.
    #[error("cannot reach {0}: oomph does not speak TLS to an engine; run it on the engine's machine, on its socket")]
    Tls(String),
    /// Anything else.
    #[error("{0:?} is no address of an engine; write unix:///PATH or tcp://HOST:PORT")]
    Unknown(String),
}

/// The addresses to ask. What `DOCKER_HOST` or `CONTAINER_HOST` name is asked and nothing else; else every socket at
/// which Docker and Podman listen by default, root's and the user's own.
pub fn endpoints(variable: impl Fn(&str) -> Option<String>) -> Result<Vec<Endpoint>, NoEndpoint> {
    let set = |name| variable(name).filter(|value| !value.is_empty());
    let named: Vec<String> = ["DOCKER_HOST", "CONTAINER_HOST"].into_iter().filter_map(set).collect();
    if !named.is_empty() {
        let tls = set("DOCKER_TLS_VERIFY").is_some();
        return named.iter().map(|address| parse(address, tls)).collect();
    }
    let mut sockets = vec![PathBuf::from("/var/run/docker.sock"), PathBuf::from("/run/podman/podman.sock")];
    if let Some(runtime) = set("XDG_RUNTIME_DIR").map(PathBuf::from) {
        sockets.extend([runtime.join("docker.sock"), runtime.join("podman/podman.sock")]);
    }
    if let Some(home) = set("HOME").map(PathBuf::from) {
        // Docker Desktop, on macOS and on Linux.
        sockets.extend([home.join(".docker/run/docker.sock"), home.join(".docker/desktop/docker.sock")]);
    }
    Ok(sockets.into_iter().map(Endpoint::Unix).collect())
}

/// `tls`: certificates are wanted for TCP.
fn parse(address: &str, tls: bool) -> Result<Endpoint, NoEndpoint> {
    match address.split_once("://") {
        Some(("unix", path)) if path.starts_with('/') => Ok(Endpoint::Unix(path.into())),
        Some(("tcp", _)) if tls => Err(NoEndpoint::Tls(address.into())),
        Some(("https", _)) => Err(NoEndpoint::Tls(address.into())),
        Some(("tcp" | "http", host)) if !host.is_empty() => {
            let host = host.trim_end_matches('/');
            let port = host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
            Ok(Endpoint::Tcp(if port { host.to_owned() } else { format!("{host}:2375") }))
        }
        Some(("ssh", _)) => Err(NoEndpoint::Ssh(address.into())),
        _ => Err(NoEndpoint::Unknown(address.into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(variables: &[(&str, &str)]) -> Result<Vec<String>, String> {
        let variable =
            |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        match endpoints(variable) {
            Ok(endpoints) => Ok(endpoints.iter().map(Endpoint::to_string).collect()),
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn a_named_host_is_asked_alone() {
        assert_eq!(asked(&[("DOCKER_HOST", "unix:///x.sock"), ("HOME", "/h")]).unwrap(), ["unix:///x.sock"]);
        assert_eq!(asked(&[("DOCKER_HOST", "tcp://a:99/")]).unwrap(), ["tcp://a:99"]);
        assert_eq!(asked(&[("DOCKER_HOST", "tcp://a")]).unwrap(), ["tcp://a:2375"]);
        assert_eq!(asked(&[("CONTAINER_HOST", "unix:///p.sock")]).unwrap(), ["unix:///p.sock"]);
    }

    #[test]
    fn without_a_named_host_every_default_socket_is_asked() {
        assert_eq!(
            asked(&[("DOCKER_HOST", "")]).unwrap(),
            ["unix:///var/run/docker.sock", "unix:///run/podman/podman.sock"]
        );
        let rootless = asked(&[("XDG_RUNTIME_DIR", "/run/user/7")]).unwrap();
        assert_eq!(rootless[2..], ["unix:///run/user/7/docker.sock", "unix:///run/user/7/podman/podman.sock"]);
    }

    #[test]
    fn an_address_that_cannot_be_asked_is_refused_with_the_way_out() {
        assert!(asked(&[("DOCKER_HOST", "ssh://me@a")]).unwrap_err().contains("ssh -L"));
        let tls = [("DOCKER_HOST", "tcp://a:2376"), ("DOCKER_TLS_VERIFY", "1")];
        assert!(asked(&tls).unwrap_err().contains("TLS"));
        for address in ["a:1", "unix://", "tcp://", "npipe:////./pipe/x", "://"] {
            assert!(asked(&[("DOCKER_HOST", address)]).unwrap_err().contains("write unix:///PATH"), "{address}");
        }
    }
}
