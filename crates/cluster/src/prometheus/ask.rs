//! One query: its bytes, after as many tries as it is worth.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use futures::AsyncReadExt;
use http::header::{ACCEPT, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderName, HeaderValue, Request};
use kube::Client;
use tokio::time::{sleep, timeout};

use super::address::{Address, NoServer};
use crate::kube::innermost;

/// How often a query is tried that the server is too busy for, before it is asked for in parts.
const TRIES: u32 = 4;
/// The first pause between tries; it doubles.
const PAUSE: Duration = Duration::from_millis(500);
/// No pause is longer, whatever the server asks for: a person waits.
const LONGEST: Duration = Duration::from_secs(30);
/// Answers of a busy server, and broken connections, that all queries together put up with.
const PATIENCE: u32 = 60;
/// The most that one answer may weigh: eight times what is planned for.
const LARGEST: usize = 512 << 20;

/// A server that can be asked.
#[derive(Clone)]
pub struct Server {
    client: Client,
    name: String,
    /// The path before `/api/v1`, which the client does not know of.
    prefix: String,
    headers: Vec<(HeaderName, HeaderValue)>,
    deadline: Duration,
    /// By GET: the API server's proxy asks for the right to create where a query is posted.
    by_get: bool,
    patience: Arc<AtomicU32>,
    asked: Arc<AtomicU32>,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// A smaller part of it may succeed.
    TooLarge(String),
    /// Nothing else would help.
    Failed(String),
}

impl Refusal {
    pub(crate) fn because(self) -> String {
        let (Self::TooLarge(because) | Self::Failed(because)) = self;
        because
    }
}

/// What an answer that is no success asks for.
#[derive(Debug, PartialEq, Eq)]
enum Remedy {
    Again,
    Smaller,
    Nothing,
}

impl Server {
    /// Prepares to ask a server by its URL.
    pub fn at(address: &Address) -> Result<Self, NoServer> {
        let headers = address.headers()?;
        Ok(Self::of(address.client()?, address.name(), String::new(), headers, address.deadline, false))
    }

    /// Prepares to ask through the API server, which `client` reaches: `prefix` is the proxy's path.
    pub(crate) fn behind(client: Client, name: String, prefix: String, address: &Address) -> Result<Self, NoServer> {
        Ok(Self::of(client, name, prefix, address.headers()?, address.deadline, true))
    }

    fn of(
        client: Client,
        name: String,
        prefix: String,
        headers: Vec<(HeaderName, HeaderValue)>,
        deadline: Duration,
        by_get: bool,
    ) -> Self {
        let (patience, asked) = (Arc::new(AtomicU32::new(PATIENCE)), Arc::new(AtomicU32::new(0)));
        Self { client, name, prefix, headers, deadline, by_get, patience, asked }
    }

    /// For people: its URL, or the Service behind which it stands.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Requests that were sent.
    pub fn asked(&self) -> u32 {
        self.asked.load(Ordering::Relaxed)
    }

    /// The body of the answer to a query over a range, in seconds of Unix time.
    pub(super) async fn query_range(&self, query: &str, from: i64, to: i64, step: i64) -> Result<Vec<u8>, Refusal> {
        let form = format!("query={}&start={from}&end={to}&step={step}", encoded(query));
        let mut pause = PAUSE;
        for attempt in 1.. {
            let mut wanted = None;
            let because = match timeout(self.deadline, self.send("/api/v1/query_range", &form)).await {
                Ok(Ok((200..300, _, bytes))) => return Ok(bytes),
                Ok(Ok((status, headers, bytes))) => {
                    let said = said(&bytes);
                    let because = format!("{status}: {said}");
                    match remedy(status, &said) {
                        Remedy::Nothing => return Err(Refusal::Failed(because)),
                        Remedy::Smaller => return Err(Refusal::TooLarge(because)),
                        Remedy::Again => {}
                    }
                    wanted = retry_after(&headers);
                    because
                }
                Ok(Err(because)) => because,
                Err(_) => return Err(Refusal::TooLarge(format!("no answer within {:?}", self.deadline))),
            };
            let left = self.patience.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
            if left.is_err() {
                return Err(Refusal::Failed(format!("{because} (the server was too busy {PATIENCE} times)")));
            }
            if attempt == TRIES {
                return Err(Refusal::TooLarge(format!("{because} (tried {TRIES} times)")));
            }
            sleep(wanted.unwrap_or(pause).min(LONGEST)).await;
            pause *= 2;
        }
        unreachable!("the loop returns at its last try")
    }

    /// The body of the answer to a query of this moment, asked once.
    pub(crate) async fn query(&self, query: &str) -> Result<Vec<u8>, Refusal> {
        let form = format!("query={}", encoded(query));
        match timeout(self.deadline, self.send("/api/v1/query", &form)).await {
            Ok(Ok((200..300, _, bytes))) => Ok(bytes),
            Ok(Ok((status, _, bytes))) => Err(Refusal::Failed(format!("{status}: {}", said(&bytes)))),
            Ok(Err(because)) => Err(Refusal::Failed(because)),
            Err(_) => Err(Refusal::Failed(format!("no answer within {:?}", self.deadline))),
        }
    }

    async fn send(&self, path: &str, form: &str) -> Result<(u16, HeaderMap, Vec<u8>), String> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let path = format!("{}{path}", self.prefix);
        let (mut request, body) = if self.by_get {
            (Request::get(format!("{path}?{form}")), Vec::new())
        } else {
            let request = Request::post(path).header(CONTENT_TYPE, "application/x-www-form-urlencoded");
            (request, form.as_bytes().to_vec())
        };
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let request = request
            .header(ACCEPT, "application/json")
            .body(kube::client::Body::from(body))
            .map_err(|error| error.to_string())?;
        let response = self.client.send(request).await.map_err(|error| innermost(&error))?;
        let (head, body) = response.into_parts();
        let status = head.status.as_u16();
        let mut body = Box::pin(futures::TryStreamExt::into_async_read(futures::TryStreamExt::map_err(
            http_body_util::BodyDataStream::new(body),
            std::io::Error::other,
        )));
        let mut bytes = Vec::new();
        let mut chunk = vec![0; 64 << 10];
        loop {
            match body.read(&mut chunk).await {
                Ok(0) => return Ok((status, head.headers, bytes)),
                Ok(count) if bytes.len() + count <= LARGEST => bytes.extend_from_slice(&chunk[..count]),
                Ok(_) => {
                    let because = format!("the answer is larger than {LARGEST} bytes");
                    return Ok((413, head.headers, because.into_bytes()));
                }
                Err(error) => return Err(format!("the connection broke: {}", innermost(&error))),
            }
        }
    }
}

/// What servers say of a query that is too much for them, whatever the status: Prometheus 2.42 `query processing would
/// load too many samples into memory`, `exceeded maximum resolution of 11,000 points`, `query timed out`; Thanos and
/// Mimir name the limit (`err-mimir-max-chunks-per-query`, `exceeded series limit`); VictoriaMetrics its flag
/// (`-search.maxSamplesPerQuery`).
const TOO_MUCH: [&str; 9] = [
    "too many samples",
    "maximum resolution",
    "timed out",
    "timeout",
    "deadline exceeded",
    "limit",
    "err-mimir-max",
    "-search.max",
    "too large",
];

fn remedy(status: u16, said: &str) -> Remedy {
    let too_much = TOO_MUCH.iter().any(|words| said.to_ascii_lowercase().contains(words));
    match status {
        413 => Remedy::Smaller,
        // The API server's proxy of a Service without pods (registry/core/service/storage, v1.37): waiting helps nothing.
        503 if said.contains("no endpoints available") => Remedy::Nothing,
        // Prometheus gives 503 for a query that took too long as well; a gateway gives 504.
        400 | 422 | 500 | 502..=504 if too_much => Remedy::Smaller,
        // 429 is a limit of the rate, which smaller queries do not keep either.
        429 | 502..=504 => Remedy::Again,
        _ => Remedy::Nothing,
    }
}

/// The seconds that the server asks to wait (RFC 9110, 10.2.3); a date is not waited for.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}

/// The server's own words: the error of its JSON, or the first line.
fn said(bytes: &[u8]) -> String {
    #[derive(serde::Deserialize)]
    struct Error {
        #[serde(alias = "message")]
        error: String,
    }
    let text = serde_json::from_slice::<Error>(bytes)
        .map_or_else(|_| String::from_utf8_lossy(bytes).into_owned(), |e| e.error);
    text.lines().next().unwrap_or_default().chars().take(300).collect()
}

/// As a form's value.
fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_much_is_asked_for_in_parts_and_what_is_wrong_is_not() {
        let samples = "query processing would load too many samples into memory in query execution";
        assert_eq!(remedy(422, samples), Remedy::Smaller);
        assert_eq!(remedy(503, "query timed out in expression evaluation"), Remedy::Smaller);
        assert_eq!(remedy(422, "found duplicate series for the match group"), Remedy::Nothing);
        assert_eq!(remedy(400, "parse error"), Remedy::Nothing);
        assert_eq!(remedy(400, "exceeded maximum resolution of 11,000 points per timeseries"), Remedy::Smaller);
        assert_eq!(remedy(429, "too many outstanding requests"), Remedy::Again);
        assert_eq!(remedy(503, ""), Remedy::Again);
        assert_eq!(remedy(503, "no endpoints available for service \"thanos-query\""), Remedy::Nothing);
        assert_eq!(remedy(401, "Unauthorized"), Remedy::Nothing);
    }

    #[test]
    fn the_server_says_how_long_to_wait() {
        let mut headers = HeaderMap::new();
        assert_eq!(retry_after(&headers), None);
        headers.insert(RETRY_AFTER, HeaderValue::from_static("7"));
        assert_eq!(retry_after(&headers), Some(Duration::from_secs(7)));
    }
}
