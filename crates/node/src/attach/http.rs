//! As much of HTTP and of WebSocket (RFC 6455) as one question to a Node.js inspector takes.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

/// Longer answers are not the inspector's.
const ANSWER_MAX: usize = 1 << 20;

/// Where the inspector listens: on its own loopback alone.
pub(super) fn address(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

fn connect(port: u16, patience: Duration) -> io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&address(port), patience)?;
    stream.set_read_timeout(Some(patience))?;
    stream.set_write_timeout(Some(patience))?;
    Ok(stream)
}

fn broken(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

/// Up to the empty line behind the head.
fn head(stream: &mut TcpStream) -> io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        head.push(byte[0]);
        if head.len() > 16 << 10 {
            return Err(broken("its answer has no end"));
        }
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

/// The body of a page.
pub(super) fn page(port: u16, path: &str, patience: Duration) -> io::Result<Vec<u8>> {
    let mut stream = connect(port, patience)?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n")?;
    let head = head(&mut stream)?.to_ascii_lowercase();
    if !head.starts_with("http/1.1 200") && !head.starts_with("http/1.0 200") {
        return Err(broken("it does not answer as an inspector does"));
    }
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
    let length: usize =
        length.filter(|length| *length <= ANSWER_MAX).ok_or_else(|| broken("its answer has no length"))?;
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    Ok(body)
}

/// A WebSocket.
pub(super) struct Socket(TcpStream);

impl Socket {
    pub(super) fn open(port: u16, path: &str, patience: Duration) -> io::Result<Self> {
        let mut stream = connect(port, patience)?;
        // The key guards against caches between the two, of which there are none here.
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: b29tcGhvb21waG9vbXBoIQ==\r\n\r\n"
        )?;
        if !head(&mut stream)?.starts_with("HTTP/1.1 101") {
            return Err(broken("it opens no WebSocket"));
        }
        Ok(Self(stream))
    }

    /// Sends a text.
    pub(super) fn send(&mut self, text: &str) -> io::Result<()> {
        // FIN and the opcode of a text; a client masks what it sends, and a mask of zeros changes nothing.
        let mut frame = vec![0x81];
        match u16::try_from(text.len()) {
            Ok(length @ 126..) => {
                frame.push(0x80 | 0x7e);
                frame.extend(length.to_be_bytes());
            }
            Ok(length) => frame.push(0x80 | length.to_be_bytes()[1]),
            Err(_) => return Err(broken("the question is too long")),
        }
        frame.extend([0; 4]);
        frame.extend(text.as_bytes());
        self.0.write_all(&frame)
    }

    /// The next text; frames of other kinds are passed over.
    pub(super) fn receive(&mut self) -> io::Result<String> {
        loop {
            let mut start = [0; 2];
            self.0.read_exact(&mut start)?;
            let length = match start[1] {
                126 => {
                    let mut length = [0; 2];
                    self.0.read_exact(&mut length)?;
                    u64::from(u16::from_be_bytes(length))
                }
                127 => {
                    let mut length = [0; 8];
                    self.0.read_exact(&mut length)?;
                    u64::from_be_bytes(length)
                }
                length => u64::from(length),
            };
            let length = usize::try_from(length).ok().filter(|length| *length <= ANSWER_MAX);
            let mut payload = vec![0; length.ok_or_else(|| broken("its answer is too long"))?];
            self.0.read_exact(&mut payload)?;
            // Node.js sends a message in one frame.
            if start[0] == 0x81 {
                return String::from_utf8(payload).map_err(|_| broken("its answer is no text"));
            }
        }
    }
}
