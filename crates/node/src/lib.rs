//! The machine that oomph runs on, as a source: its kernel log and the counters of its memory cgroups.
//!
//! Synchronous. Nothing here interprets what it reads, and nothing fails: what could not be read
//! is a gap, with the command that would show it.
//!
//! ```no_run
//! let captured = oomph_node::capture(jiff::Timestamp::now());
//! for source in &captured.sources {
//!     eprintln!("{}: {:?} {}", source.name, source.status, source.because);
//! }
//! ```
#![deny(unsafe_code)]

use std::io;

use jiff::Timestamp;
use oomph_core::artifact::{Artifact, Captured, Kind};
use oomph_core::fact::Subject;

pub mod attach;
pub mod cgroup;
pub mod clock;
mod command;
pub mod containers;
pub mod hierarchy;
pub mod inspect;
pub mod journal;
pub mod kmsg;
mod log;
pub mod process;
pub mod sampler;
pub mod scope;
pub mod snapshot;
#[allow(unsafe_code, reason = "the one place for system calls that no library wraps")]
mod sys;
pub mod syslog;
mod tree;

pub use log::KernelLog;

/// Everything that the node says about memory kills: [`kernel_log`] and the cgroups' counters.
pub fn capture(now: Timestamp) -> Captured {
    let mut captured = kernel_log(now);
    captured.append(cgroup::capture(now));
    captured
}

/// The node's kernel log from every place that keeps it: the ring in memory, the journal, the text logs.
///
/// The places overlap; a kill that several of them tell is one kill, which the core sees by its process id and time.
pub fn kernel_log(now: Timestamp) -> Captured {
    let mut captured = kmsg::capture(now);
    captured.append(journal::capture(now));
    captured.append(syslog::capture(now));
    captured
}

/// The name that the machine gives itself; none where nobody set it. A Kubernetes node may be registered under another.
pub fn hostname() -> Option<String> {
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    // The kernel's own word for a name that was never set (CONFIG_DEFAULT_HOSTNAME).
    Some(name).filter(|name| !matches!(name.as_str(), "" | "(none)"))
}

/// The machine in a sentence.
fn this_node() -> String {
    hostname().unwrap_or_else(|| "this node".into())
}

/// An error in a sentence, without the number.
fn because(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::PermissionDenied => "permission denied".into(),
        io::ErrorKind::NotFound => "not there".into(),
        _ => error.to_string(),
    }
}

/// An artifact about this node.
fn artifact(name: impl Into<String>, kind: Option<Kind>, now: Timestamp, bytes: Vec<u8>) -> Artifact {
    let about = Subject { node: hostname(), ..Subject::default() };
    Artifact { kind, about, at: Some(now), ..Artifact::new(name, bytes) }
}
