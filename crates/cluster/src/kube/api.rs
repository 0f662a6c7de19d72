//! One request: verbatim bytes by a deadline, or the reason why not.

use futures::{AsyncBufRead, AsyncReadExt};
use http::Request;
use http::header::{ACCEPT, ACCEPT_ENCODING, RANGE};
use k8s_openapi::api::core::v1::Pod;
use kube::Client;
use kube::api::AttachParams;
use tokio::time::{Instant, timeout_at};

use super::connect::innermost;

/// The most that one answer may weigh. The largest expected is a page of 500 pods at 100 KiB each.
const LARGEST: usize = 64 << 20;

/// A connection to the API server. Each source bounds its own concurrency, so that a node which does not answer
/// holds up nobody else.
#[derive(Clone)]
pub(super) struct Api {
    client: Client,
}

/// Why there are no bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refusal {
    /// 403, with the user that the server named.
    Forbidden { user: Option<String>, message: String },
    /// 401.
    Unauthorized(String),
    /// 404.
    Absent(String),
    /// 410: the list moved on; the token goes on from here, though in a later state.
    Gone { resume: Option<String> },
    /// Any other answer that is not a success.
    Refused(String),
    /// No answer by the deadline.
    Slow,
    /// No answer at all.
    Failed(String),
}

impl Refusal {
    /// For people.
    pub(super) fn because(&self) -> String {
        match self {
            Self::Forbidden { message, .. } => format!("forbidden: {message}"),
            Self::Unauthorized(message) => format!("not authenticated: {message}"),
            Self::Absent(message) => format!("not there: {message}"),
            Self::Gone { .. } => "the list changed while it was read (410 Gone)".into(),
            Self::Refused(message) => format!("refused: {message}"),
            Self::Slow => "no answer before the deadline".into(),
            Self::Failed(message) => format!("the connection failed: {message}"),
        }
    }
}

/// Bytes, perhaps not all of them.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) bytes: Vec<u8>,
    /// Why they stop early; `None`: they are whole.
    pub(super) cut: Option<String>,
}

/// A command that ran in a container.
#[derive(Debug)]
pub(super) struct Ran {
    /// What it wrote on standard output.
    pub(super) printed: Vec<u8>,
    /// How it ended, in words, where it did not end well.
    pub(super) because: String,
}

/// The most that a command inside a container may print.
const PRINTED: u64 = 4 << 20;

impl Api {
    pub(super) fn new(client: Client) -> Self {
        Self { client }
    }

    /// What sends the requests.
    pub(super) fn client(&self) -> Client {
        self.client.clone()
    }

    /// A whole answer.
    pub(super) async fn get(&self, path: &str, until: Instant) -> Result<Vec<u8>, Refusal> {
        let reply = self.get_some(path, None, LARGEST, until).await?;
        match reply.cut {
            None => Ok(reply.bytes),
            Some(_) if Instant::now() >= until => Err(Refusal::Slow),
            Some(because) => Err(Refusal::Failed(because)),
        }
    }

    /// As much of an answer as comes by the deadline, at most `limit` bytes; `range` as HTTP writes it, without the unit:
    /// `-500` for the last bytes, `0-99` for the first.
    pub(super) async fn get_some(
        &self,
        path: &str,
        range: Option<&str>,
        limit: usize,
        until: Instant,
    ) -> Result<Reply, Refusal> {
        let answer = async {
            let mut request = Request::get(path).header(ACCEPT, "*/*");
            if let Some(range) = range {
                // A range counts the bytes as they travel, so they must not travel compressed.
                request = request.header(RANGE, format!("bytes={range}")).header(ACCEPT_ENCODING, "identity");
            }
            let stream = self.open(request).await?;
            Ok(collect(stream, limit, until).await)
        };
        timeout_at(until, answer).await.unwrap_or(Err(Refusal::Slow))
    }

    /// An answer that goes on, such as a watch. Not compressed: the gzip decoder reads only the first member of
    /// the several that Kubernetes 1.37 sends.
    pub(super) async fn follow(&self, path: &str) -> Result<impl AsyncBufRead + Unpin + Send + use<>, Refusal> {
        self.open(Request::get(path).header(ACCEPT_ENCODING, "identity")).await
    }

    /// Runs a command in a container, given as (namespace, pod, container), without a terminal or standard input.
    pub(super) async fn exec(
        &self,
        (namespace, pod, container): (&str, &str, &str),
        command: Vec<String>,
        until: Instant,
    ) -> Result<Ran, Refusal> {
        let pods: kube::Api<Pod> = kube::Api::namespaced(self.client.clone(), namespace);
        let wanted = AttachParams::default().container(container).stdin(false).stdout(true).stderr(false);
        let running = async {
            let mut process = pods.exec(pod, command, &wanted).await.map_err(|error| refusal(&error))?;
            let status = process.take_status();
            let mut printed = Vec::new();
            if let Some(out) = process.stdout() {
                let mut out = tokio::io::AsyncReadExt::take(out, PRINTED);
                let read = tokio::io::AsyncReadExt::read_to_end(&mut out, &mut printed).await;
                read.map_err(|error| Refusal::Failed(innermost(&error)))?;
            }
            let ended = match status {
                Some(status) => status.await,
                None => None,
            };
            let because = ended.filter(|status| status.status.as_deref() != Some("Success"));
            let because = because.and_then(|status| status.message).unwrap_or_default();
            Ok(Ran { printed, because })
        };
        timeout_at(until, running).await.unwrap_or(Err(Refusal::Slow))
    }

    async fn open(&self, request: http::request::Builder) -> Result<impl AsyncBufRead + Unpin + Send + use<>, Refusal> {
        let request = request.body(Vec::new()).map_err(|error| Refusal::Failed(error.to_string()))?;
        self.client.request_stream(request).await.map(Box::pin).map_err(|error| refusal(&error))
    }
}

/// Reads what comes before the deadline, in the time that is left of it.
async fn collect(mut stream: impl AsyncBufRead + Unpin, limit: usize, until: Instant) -> Reply {
    // What was read must outlive the deadline that ends the reading: leave a moment to return it.
    let until = until.checked_sub(std::time::Duration::from_millis(20)).unwrap_or(until);
    let mut bytes = Vec::new();
    let mut chunk = vec![0; 64 << 10];
    loop {
        let cut = match timeout_at(until, stream.read(&mut chunk)).await {
            Ok(Ok(0)) => return Reply { bytes, cut: None },
            Ok(Ok(count)) if bytes.len() + count <= limit => {
                bytes.extend_from_slice(&chunk[..count]);
                continue;
            }
            Ok(Ok(_)) => format!("only its first {limit} bytes were read"),
            Ok(Err(error)) => format!("the connection broke: {}", innermost(&error)),
            Err(_) => "the deadline came before its end".into(),
        };
        return Reply { bytes, cut: Some(cut) };
    }
}

pub(super) fn refusal(error: &kube::Error) -> Refusal {
    let kube::Error::Api(status) = error else { return Refusal::Failed(innermost(error)) };
    // A proxied answer may be a whole page of HTML; people need its first line.
    let message: String = status.message.lines().next().unwrap_or_default().chars().take(300).collect();
    match status.code {
        401 => Refusal::Unauthorized(message),
        403 => Refusal::Forbidden { user: named_user(&message), message },
        404 => Refusal::Absent(message),
        410 => Refusal::Gone {
            resume: status.metadata.as_ref().and_then(|meta| meta.continue_.clone()).filter(|token| !token.is_empty()),
        },
        code => Refusal::Refused(format!("{code} {message}")),
    }
}

/// `pods is forbidden: User "alice" cannot list resource ...`
/// (kubernetes/staging/src/k8s.io/apiserver/pkg/endpoints/handlers/responsewriters/errors.go, v1.37).
fn named_user(message: &str) -> Option<String> {
    let (_, rest) = message.split_once("User \"")?;
    rest.split_once('"').map(|(user, _)| user.to_owned())
}

/// `?a=b&c=d`, escaped; nothing where there is nothing to ask.
pub(super) fn query(pairs: &[(&str, &str)]) -> String {
    let mut text = String::new();
    for (key, value) in pairs.iter().filter(|(_, value)| !value.is_empty()) {
        text.push(if text.is_empty() { '?' } else { '&' });
        text.push_str(key);
        text.push('=');
        escape(value, &mut text);
    }
    text
}

/// Percent-escapes all but the unreserved characters of RFC 3986.
fn escape(value: &str, out: &mut String) {
    use std::fmt::Write;
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            write!(out, "%{byte:02X}").expect("writing to a string does not fail");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_escaped_and_empty_values_are_left_out() {
        assert_eq!(query(&[("limit", "500"), ("continue", "")]), "?limit=500");
        assert_eq!(query(&[("labelSelector", "a in (b,c)")]), "?labelSelector=a%20in%20%28b%2Cc%29");
        assert_eq!(query(&[]), "");
    }

    #[test]
    fn the_user_is_read_from_a_refusal() {
        let message = r#"pods is forbidden: User "system:serviceaccount:shop:bot" cannot list resource "pods""#;
        assert_eq!(named_user(message).as_deref(), Some("system:serviceaccount:shop:bot"));
        assert_eq!(named_user("forbidden"), None);
    }
}
