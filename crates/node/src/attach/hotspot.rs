//! A Java virtual machine, by the protocol of `jcmd` (src/hotspot/os/posix/attachListener_posix.cpp, 25; linux before).

use std::fs::{self, File, Metadata};
use std::io::{self, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{MetadataExt, fchown};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use oomph_core::runtime::told::native_memory;
use oomph_core::waterfall::ToldAmount;
use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, openat, openat2};
use rustix::io::Errno;
use rustix::process::{Gid, Signal, Uid};
use rustix::thread::{set_thread_res_gid, set_thread_res_uid};

use super::{Asked, LeftAlone};

/// `jcmd` waits as long for the listener (sun.tools.attach.VirtualMachineImpl, 25: ten seconds).
const PATIENCE: Duration = Duration::from_secs(10);

/// The version of the protocol, the command, and its three arguments, each ended by a zero.
const REQUEST: &[u8] = b"1\0jcmd\0VM.native_memory summary\0\0\0";

/// A summary has some 100 lines.
const ANSWER_MAX: u64 = 1 << 20;

pub(super) fn ask(asked: &Asked<'_>) -> Result<Vec<ToldAmount>, LeftAlone> {
    may_be_asked(asked)?;
    // Its own /tmp, whatever mount namespace that is in; held open, since another user could not walk there any more.
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let root =
        openat(CWD, format!("/proc/{}/root", asked.process.pid), flags, Mode::empty()).map_err(io::Error::from)?;
    // Where /tmp is a link, it leads to a place below the process's root, not ours (openat2(2), Linux 5.6).
    let folder = match openat2(&root, "tmp", flags, Mode::empty(), ResolveFlags::IN_ROOT) {
        // An older kernel: a link is not followed at all.
        Err(Errno::NOSYS) => openat(&root, "tmp", flags | OFlags::NOFOLLOW, Mode::empty()),
        opened => opened,
    };
    let folder = File::from(folder.map_err(io::Error::from)?);
    let tmp = PathBuf::from(format!("/proc/self/fd/{}", folder.as_raw_fd()));
    let owner = fs::metadata(format!("/proc/{}", asked.process.pid))?;
    // Of a process that may not be dumped they are root's, and it would take the mark for nobody's and print its threads.
    if asked.before.uid != Some(owner.uid()) {
        return Err(LeftAlone::new(
            "its files are not its own user's (prctl(2), PR_SET_DUMPABLE), and it is left alone",
        ));
    }
    let socket = format!("{}/.java_pid{}", tmp.display(), asked.own_pid());
    if !is_socket_of(&socket, &owner) {
        start_listener(asked, &owner, &tmp, &socket)?;
    }
    let answer = as_owner(&owner, || exchange(&socket))?;
    let answer = String::from_utf8_lossy(&answer);
    // The first line is the result: 0 where it went well.
    let Some(text) = answer.strip_prefix("0\n") else {
        let words = answer.split_whitespace().take(20).collect::<Vec<_>>().join(" ");
        return Err(LeftAlone::new(format!("it refused the command: {words}")));
    };
    native_memory(text).map_err(|words| LeftAlone::new(format!("it says: {words}")))
}

/// What is read from outside tells whether the machine listens, and whether it has an answer: nothing else is touched.
fn may_be_asked(asked: &Asked<'_>) -> Result<(), LeftAlone> {
    if !asked.process.runtime.resolved {
        return Err(LeftAlone::new("its settings could not be read, so it is not known whether it may be asked"));
    }
    if asked.flag("DisableAttachMechanism").is_some() {
        return Err(LeftAlone::new("it was started with -XX:+DisableAttachMechanism, and is left alone"));
    }
    if asked.flag("ReduceSignalUsage").is_some() || !asked.catches(Signal::QUIT) {
        return Err(LeftAlone::new("it does not handle SIGQUIT (-Xrs), which would end it, and is left alone"));
    }
    if !matches!(asked.flag("NativeMemoryTracking"), Some("summary" | "detail")) {
        return Err(LeftAlone {
            because: "its native memory tracking is off, so it has no answer; it was not asked".into(),
            remedy: "start it with -XX:NativeMemoryTracking=summary, for example in JAVA_TOOL_OPTIONS".into(),
        });
    }
    Ok(())
}

/// The process's own: anybody may put a file into /tmp.
fn is_socket_of(path: &str, owner: &Metadata) -> bool {
    use std::os::unix::fs::FileTypeExt;
    fs::symlink_metadata(path).is_ok_and(|file| file.file_type().is_socket() && file.uid() == owner.uid())
}

/// A file of the process's owner in its folder tells it that SIGQUIT means to listen, not to print its threads.
fn start_listener(asked: &Asked<'_>, owner: &Metadata, tmp: &Path, socket: &str) -> Result<(), LeftAlone> {
    let name = format!(".attach_pid{}", asked.own_pid());
    let cwd = PathBuf::from(format!("/proc/{}/cwd", asked.process.pid));
    let mark = Mark::put(&cwd.join(&name), owner).or_else(|_| Mark::put(&tmp.join(&name), owner))?;
    asked.signal(Signal::QUIT)?;
    let began = Instant::now();
    while !is_socket_of(socket, owner) {
        if began.elapsed() > PATIENCE {
            return Err(LeftAlone::new(format!("it did not begin to listen within {PATIENCE:?}")));
        }
        thread::sleep(Duration::from_millis(5));
    }
    drop(mark);
    Ok(())
}

/// A file that is gone afterwards.
struct Mark(PathBuf);

impl Mark {
    fn put(path: &Path, owner: &Metadata) -> io::Result<Self> {
        // `create_new` follows no link.
        let file = File::options().write(true).create_new(true).open(path)?;
        let mark = Self(path.to_owned());
        fchown(&file, Some(owner.uid()), Some(owner.gid()))?;
        Ok(mark)
    }
}

impl Drop for Mark {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// Does something as the process's owner, whom alone older machines answer. In a thread, whose end undoes it.
fn as_owner<T: Send>(owner: &Metadata, act: impl FnOnce() -> io::Result<T> + Send) -> io::Result<T> {
    let (uid, gid) = (Uid::from_raw(owner.uid()), Gid::from_raw(owner.gid()));
    thread::scope(|scope| {
        let acting = scope.spawn(move || {
            // The system calls themselves, which are about one thread; the C library's would be about all. JDK 8
            // compares both, so a group of its own counts also where the user is ours.
            if rustix::process::getegid() != gid {
                set_thread_res_gid(None, Some(gid), None)?;
            }
            if rustix::process::geteuid() != uid {
                set_thread_res_uid(None, Some(uid), None)?;
            }
            act()
        });
        acting.join().unwrap_or_else(|_| Err(io::Error::other("the thread that asked ended early")))
    })
}

fn exchange(socket: &str) -> io::Result<Vec<u8>> {
    let mut stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.write_all(REQUEST)?;
    let mut answer = Vec::new();
    stream.take(ANSWER_MAX).read_to_end(&mut answer)?;
    Ok(answer)
}
