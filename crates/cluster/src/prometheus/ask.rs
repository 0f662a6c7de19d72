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
use super::refusal::{Refusal, Remedy, remedy, said, shown};
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
                    let said = said(&bytes, query);
                    let because = format!("{status}: {}", shown(&said));
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
            Ok(Ok((status, _, bytes))) => Err(Refusal::Failed(format!("{status}: {}", shown(&said(&bytes, query))))),
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

/// The seconds that the server asks to wait (RFC 9110, 10.2.3); a date is not waited for.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
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
    fn the_server_says_how_long_to_wait() {
        let mut headers = HeaderMap::new();
        assert_eq!(retry_after(&headers), None);
        headers.insert(RETRY_AFTER, HeaderValue::from_static("7"));
        assert_eq!(retry_after(&headers), Some(Duration::from_secs(7)));
    }
}
