//! One query: its bytes, after as many tries as it is worth.

use std::time::Duration;

use futures::AsyncReadExt;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, Request};
use kube::config::AuthInfo;
use kube::{Client, Config};
use tokio::time::{sleep, timeout};

use crate::kube::innermost;

/// How often a query is tried that the server is too busy for.
const TRIES: u32 = 5;
/// The first pause between tries; it doubles.
const PAUSE: Duration = Duration::from_millis(500);
/// The most that one answer may weigh: eight times what is planned for.
const LARGEST: usize = 512 << 20;

/// Where a server is and who asks.
#[derive(Clone, Default)]
pub struct Address {
    /// Its URL, with the path that the API stands under: `https://mimir.example/prometheus`.
    pub url: String,
    /// A bearer token.
    pub token: Option<String>,
    /// Further headers, such as `X-Scope-OrgID`.
    pub headers: Vec<(String, String)>,
    /// How long one query may take.
    pub deadline: Duration,
}

/// Why a server cannot be asked.
#[derive(Debug, thiserror::Error)]
pub enum NoServer {
    /// No URL.
    #[error(
        "{url:?} is no URL of a Prometheus: {because}; write http://HOST:PORT, with the path that /api/v1 stands under"
    )]
    Url {
        /// As given.
        url: String,
        /// What is wrong.
        because: String,
    },
    /// No header.
    #[error("the header {name:?} for the Prometheus cannot be sent; write NAME: VALUE")]
    Header {
        /// Its name. The value may be a secret.
        name: String,
    },
    /// No client, as when the system has no certificates.
    #[error("cannot prepare a connection to the Prometheus {url}: {because}")]
    Client {
        /// Its URL.
        url: String,
        /// What is wrong.
        because: String,
    },
}

/// A server that can be asked.
#[derive(Clone)]
pub struct Server {
    client: Client,
    name: String,
    deadline: Duration,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refusal {
    /// A smaller part of it may succeed.
    TooLarge(String),
    /// Nothing else would help.
    Failed(String),
}

impl Server {
    /// Prepares to ask a server by its URL.
    pub fn at(address: &Address) -> Result<Self, NoServer> {
        let wrong = |because: String| NoServer::Url { url: address.url.clone(), because };
        let uri: http::Uri = address.url.parse().map_err(|error: http::uri::InvalidUri| wrong(error.to_string()))?;
        if !matches!(uri.scheme_str(), Some("http" | "https")) || uri.host().is_none() {
            return Err(wrong("it names no host by http or https".into()));
        }
        let mut config = Config::new(uri);
        config.default_retry = false; // this file does it, with the pauses that a query deserves
        config.auth_info = AuthInfo { token: address.token.clone().map(Into::into), ..AuthInfo::default() };
        for (name, value) in &address.headers {
            let wrong = || NoServer::Header { name: name.clone() };
            let header = HeaderName::from_bytes(name.trim().as_bytes()).map_err(|_| wrong())?;
            let mut value = HeaderValue::from_str(value.trim()).map_err(|_| wrong())?;
            value.set_sensitive(true);
            config.headers.push((header, value));
        }
        let client = Client::try_from(config)
            .map_err(|error| NoServer::Client { url: address.url.clone(), because: innermost(&error) })?;
        Ok(Self { client, name: address.url.clone(), deadline: address.deadline })
    }

    /// For people: its URL.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The body of the answer to a query over a range, in seconds of Unix time.
    pub(super) async fn query_range(&self, query: &str, from: i64, to: i64, step: i64) -> Result<Vec<u8>, Refusal> {
        let form = format!("query={}&start={from}&end={to}&step={step}", encoded(query));
        let mut pause = PAUSE;
        for attempt in 1.. {
            let because = match timeout(self.deadline, self.post("/api/v1/query_range", &form)).await {
                Ok(Ok((200..300, bytes))) => return Ok(bytes),
                Ok(Ok((status, bytes))) => {
                    let said = said(&bytes);
                    match status {
                        429 | 502..=504 => format!("{status}: {said}"),
                        // Prometheus: 422 `query processing would load too many samples`; Mimir and Thanos the like.
                        413 | 422 => return Err(Refusal::TooLarge(format!("{status}: {said}"))),
                        _ => return Err(Refusal::Failed(format!("{status}: {said}"))),
                    }
                }
                Ok(Err(because)) => because,
                Err(_) => return Err(Refusal::TooLarge(format!("no answer within {:?}", self.deadline))),
            };
            if attempt == TRIES {
                return Err(Refusal::Failed(format!("{because} (tried {TRIES} times)")));
            }
            sleep(pause).await;
            pause *= 2;
        }
        unreachable!("the loop returns at its last try")
    }

    async fn post(&self, path: &str, form: &str) -> Result<(u16, Vec<u8>), String> {
        let request = Request::post(path)
            .header(ACCEPT, "application/json")
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(kube::client::Body::from(form.as_bytes().to_vec()))
            .map_err(|error| error.to_string())?;
        let response = self.client.send(request).await.map_err(|error| innermost(&error))?;
        let status = response.status().as_u16();
        let mut body = Box::pin(futures::TryStreamExt::into_async_read(futures::TryStreamExt::map_err(
            http_body_util::BodyDataStream::new(response.into_body()),
            std::io::Error::other,
        )));
        let mut bytes = Vec::new();
        let mut chunk = vec![0; 64 << 10];
        loop {
            match body.read(&mut chunk).await {
                Ok(0) => return Ok((status, bytes)),
                Ok(count) if bytes.len() + count <= LARGEST => bytes.extend_from_slice(&chunk[..count]),
                Ok(_) => return Ok((413, format!("the answer is larger than {LARGEST} bytes").into_bytes())),
                Err(error) => return Err(format!("the connection broke: {}", innermost(&error))),
            }
        }
    }
}

/// The server's own words: the error of its JSON, or the first line.
fn said(bytes: &[u8]) -> String {
    #[derive(serde::Deserialize)]
    struct Error {
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
