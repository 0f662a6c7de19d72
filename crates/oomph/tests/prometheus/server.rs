//! The real server, and what it says of itself.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The script that starts it; `None`, and a word why, where there is none.
pub(crate) fn script() -> Option<PathBuf> {
    crate::component::component("OOMPH_TEST_PROMETHEUS")
}

/// A server that runs until it is dropped.
pub(crate) struct Prometheus {
    pub(crate) url: String,
    script: PathBuf,
    folder: PathBuf,
    address: Option<&'static str>,
}

/// What the server has spent so far.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spent {
    /// Seconds of CPU.
    pub(crate) cpu: f64,
    /// Answers to queries over a range.
    pub(crate) queries: f64,
    /// Their bytes as sent.
    pub(crate) bytes: f64,
}

impl Prometheus {
    /// Fills a server with a file of OpenMetrics and starts it, with its files in `folder`, on an address or the loopback.
    pub(crate) fn start(script: &Path, folder: &Path, file: &Path, address: Option<&'static str>) -> Self {
        let folder = folder.join("prometheus");
        let mut server = Self { url: String::new(), script: script.to_owned(), folder, address };
        let filled = server.command().arg("fill").arg(file).status().unwrap();
        assert!(filled.success(), "promtool does not take the file");
        let up = server.command().arg("up").output().unwrap();
        assert!(up.status.success(), "{}", String::from_utf8_lossy(&up.stderr));
        String::from_utf8_lossy(&up.stdout).trim().clone_into(&mut server.url);
        server
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.script);
        command.env("PROMETHEUS_DIR", &self.folder);
        if let Some(address) = self.address {
            command.env("PROMETHEUS_LISTEN", address);
        }
        command
    }

    /// What it has spent, as it tells itself.
    pub(crate) fn spent(&self) -> Spent {
        let mut page = String::new();
        self.get("/metrics").read_to_string(&mut page).unwrap();
        let value = |name: &str| {
            let line = page.lines().find(|line| line.starts_with(name));
            line.and_then(|line| line.rsplit(' ').next()?.parse().ok()).unwrap_or(0.0)
        };
        Spent {
            cpu: value("process_cpu_seconds_total"),
            queries: value("prometheus_http_response_size_bytes_count{handler=\"/api/v1/query_range\"}"),
            bytes: value("prometheus_http_response_size_bytes_sum{handler=\"/api/v1/query_range\"}"),
        }
    }

    /// Bytes of the answer to a metric's name over the whole range, every five minutes.
    pub(crate) fn naive(&self, metric: &str, from: i64, to: i64) -> u64 {
        let mut answer = self.get(&format!("/api/v1/query_range?query={metric}&start={from}&end={to}&step=300"));
        let mut head = [0; 12];
        answer.read_exact(&mut head).unwrap();
        assert_eq!(&head[9..], b"200");
        std::io::copy(&mut answer, &mut std::io::sink()).unwrap()
    }

    fn get(&self, path: &str) -> TcpStream {
        let host = self.url.trim_start_matches("http://");
        let mut stream = TcpStream::connect(host).unwrap();
        write!(stream, "GET {path} HTTP/1.0\r\nHost: {host}\r\n\r\n").unwrap();
        stream
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.command().arg("down").status();
    }
}
