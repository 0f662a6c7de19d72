//! Node.js, by its inspector: SIGUSR1 opens it on the process's own loopback, and it is closed again.

use std::fs;
use std::io;
use std::net::TcpStream;
use std::os::fd::AsFd;
use std::thread;
use std::time::{Duration, Instant};

use oomph_core::runtime::told::{NODE_EXPRESSION, inspector_path, inspector_value, node_memory, question};
use oomph_core::waterfall::ToldAmount;
use rustix::process::Signal;
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use super::http::{self, Socket};
use super::{Asked, LeftAlone};

/// A program that is busy answers when it comes to it.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where the inspector listens unless it is told otherwise (doc/api/cli.md, `--inspect-port`).
const PORT: u16 = 9229;

pub(super) fn ask(asked: &Asked<'_>) -> Result<Vec<ToldAmount>, LeftAlone> {
    if !asked.catches(Signal::USR1) {
        return Err(LeftAlone::new("it does not handle SIGUSR1, which would end it, and is left alone"));
    }
    let port = port(asked)?;
    let pid = asked.process.pid;
    // In a thread, whose end leaves the namespace again.
    thread::scope(|scope| {
        let asking = scope.spawn(|| {
            enter_network_of(pid)?;
            converse(asked, port)
        });
        asking.join().unwrap_or_else(|_| Err(LeftAlone::new("the thread that asked ended early")))
    })
}

/// The port that its arguments name, or the usual one.
fn port(asked: &Asked<'_>) -> Result<u16, LeftAlone> {
    let arguments = fs::read(format!("/proc/{}/cmdline", asked.process.pid))?;
    let arguments = String::from_utf8_lossy(&arguments);
    let named = arguments
        .split('\0')
        .find_map(|word| ["--inspect-port=", "--debug-port="].iter().find_map(|option| word.strip_prefix(option)));
    let Some(named) = named else { return Ok(PORT) };
    let number = named.rsplit(':').next().and_then(|port| port.parse().ok());
    number
        .filter(|port| *port != 0)
        .ok_or_else(|| LeftAlone::new(format!("its inspector has no port of its own: {named}")))
}

fn enter_network_of(pid: u32) -> io::Result<()> {
    let theirs = format!("/proc/{pid}/ns/net");
    if fs::read_link(&theirs)? != fs::read_link("/proc/thread-self/ns/net")? {
        move_into_link_name_space(fs::File::open(theirs)?.as_fd(), Some(LinkNameSpaceType::Network))?;
    }
    Ok(())
}

fn is_open(port: u16) -> bool {
    TcpStream::connect_timeout(&http::address(port), Duration::from_millis(500)).is_ok()
}

fn converse(asked: &Asked<'_>, port: u16) -> Result<Vec<ToldAmount>, LeftAlone> {
    // Perhaps its own, which somebody opened and uses; perhaps another's.
    if is_open(port) {
        return Err(LeftAlone::new(format!(
            "port {port} is in use already, so no inspector of its own could be opened"
        )));
    }
    asked.signal(Signal::USR1)?;
    // From here on it has an inspector, or will have one when it comes to it.
    let left_open =
        |why: LeftAlone| LeftAlone::new(format!("{}; its inspector may be open on port {port} now", why.because));
    let began = Instant::now();
    while !is_open(port) {
        if began.elapsed() > PATIENCE {
            return Err(left_open(LeftAlone::new(format!("it did not answer a signal within {PATIENCE:?}"))));
        }
        thread::sleep(Duration::from_millis(5));
    }
    let mut socket = open(port).map_err(left_open)?;
    let told = evaluate(&mut socket, 1, NODE_EXPRESSION).and_then(|json| node_memory(&json));
    if matches!(&told, Ok((pid, _)) if *pid != asked.own_pid()) {
        return Err(left_open(LeftAlone::new(format!("another process answered on port {port}"))));
    }
    // Whatever it said: closed again. The connection ends with it, so no answer has to come.
    let _ = socket.send(&question(2, "process._debugEnd()"));
    drop(socket);
    let began = Instant::now();
    while is_open(port) {
        if began.elapsed() > PATIENCE {
            return Err(LeftAlone::new(format!(
                "its inspector is still open on port {port}, though it was told to close"
            )));
        }
        thread::sleep(Duration::from_millis(10));
    }
    told.map(|(_, amounts)| amounts).map_err(LeftAlone::new)
}

/// The page that lists what can be inspected names the WebSocket.
fn open(port: u16) -> Result<Socket, LeftAlone> {
    let list = http::page(port, "/json/list", PATIENCE)?;
    let path = inspector_path(&String::from_utf8_lossy(&list)).map_err(LeftAlone::new)?;
    Ok(Socket::open(port, &path, PATIENCE)?)
}

fn evaluate(socket: &mut Socket, id: u64, expression: &str) -> Result<String, String> {
    socket.send(&question(id, expression)).map_err(|error| crate::because(&error))?;
    let began = Instant::now();
    while began.elapsed() < PATIENCE {
        let message = socket.receive().map_err(|error| crate::because(&error))?;
        if let Some(value) = inspector_value(&message, id) {
            return value;
        }
    }
    Err(format!("it did not answer within {PATIENCE:?}"))
}
