//! One question to an engine: the answer's bytes as they came.
//!
//! Not through a typed client: such a one drops the keys it does not know and refuses the states it does not know, of
//! which Podman and every new Docker have some.

use std::io;
use std::time::Duration;

use http::header::HOST;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt as _, Empty};
use hyper::body::{Body, Bytes};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::{Instant, timeout_at};

use super::Endpoint;

/// How long an engine may take to accept a connection.
const CONNECT: Duration = Duration::from_secs(5);

/// What an engine answered.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) bytes: Vec<u8>,
    /// Nothing was left out for its size.
    pub(super) whole: bool,
}

impl Answer {
    /// The engine's own words for a refusal: `{"message": "No such container: web"}`.
    pub(super) fn refusal(&self) -> String {
        #[derive(serde::Deserialize)]
        struct Refusal {
            message: String,
        }
        match serde_json::from_slice::<Refusal>(&self.bytes) {
            Ok(refusal) => format!("{}: {}", self.status.as_u16(), refusal.message.trim()),
            Err(_) => self.status.to_string(),
        }
    }
}

/// Why there was no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoAnswer {
    #[error("{0}")]
    Connect(#[from] io::Error),
    #[error("{0}")]
    Http(#[from] hyper::Error),
    #[error("{0}")]
    Request(#[from] http::Error),
    #[error("no answer in time")]
    Timeout,
}

/// Asks, and keeps at most `most` bytes of the answer.
pub(super) async fn fetch(endpoint: &Endpoint, path: &str, most: usize, deadline: Instant) -> Result<Answer, NoAnswer> {
    let connect = deadline.min(Instant::now() + CONNECT);
    match endpoint {
        Endpoint::Unix(socket) => {
            let stream = timeout_at(connect, UnixStream::connect(socket)).await.map_err(|_| NoAnswer::Timeout)??;
            timeout_at(deadline, ask(stream, "localhost", path, most)).await.map_err(|_| NoAnswer::Timeout)?
        }
        Endpoint::Tcp(address) => {
            let stream = timeout_at(connect, TcpStream::connect(address)).await.map_err(|_| NoAnswer::Timeout)??;
            timeout_at(deadline, ask(stream, address, path, most)).await.map_err(|_| NoAnswer::Timeout)?
        }
    }
}

async fn ask<S>(stream: S, host: &str, path: &str, most: usize) -> Result<Answer, NoAnswer>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    // It ends with the answer, or when `sender` is dropped; its errors are the sender's too.
    tokio::spawn(connection);
    let request = Request::get(path).header(HOST, host).body(Empty::<Bytes>::new())?;
    let response = sender.send_request(request).await?;
    let (head, mut body) = response.into_parts();
    let mut bytes = Vec::with_capacity(usize::try_from(body.size_hint().lower()).unwrap_or(0).min(most));
    let mut whole = true;
    while let Some(frame) = body.frame().await {
        let Ok(part) = frame?.into_data() else { continue };
        let room = most - bytes.len();
        bytes.extend_from_slice(&part[..part.len().min(room)]);
        if part.len() > room {
            whole = false;
            break;
        }
    }
    Ok(Answer { status: head.status, headers: head.headers, bytes, whole })
}
