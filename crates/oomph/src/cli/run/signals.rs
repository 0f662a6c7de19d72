//! Signals that oomph gets while a command runs are the command's.

use std::io::{self, IsTerminal};
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};

use jiff::Timestamp;
use oomph_core::recording::Received;
use rustix::process::{Pid, Signal, kill_process};
use tokio::signal::unix::{SignalKind, signal};

/// Signals are caught from here on, and passed on while there is a command.
pub(super) struct Passing {
    /// The command's pid; 0 while there is none.
    pid: Arc<AtomicI32>,
    received: Arc<Mutex<Vec<Received>>>,
}

/// Signals kept: some programs are sent one every second.
const KEPT: usize = 64;

impl Passing {
    /// The command runs.
    pub(super) fn begin(&self, pid: u32) {
        self.pid.store(i32::try_from(pid).unwrap_or(0), Ordering::SeqCst);
    }

    /// The command has ended: its pid may be somebody else's soon. Gives what came for it.
    pub(super) fn end(&self) -> Vec<Received> {
        self.pid.store(0, Ordering::SeqCst);
        self.received.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The signals that are passed on. What the terminal sends (Ctrl-C, Ctrl-\) reaches the command by itself, as it is of
/// the same group; oomph stays, to tell how it ended.
const PASSED: [(Signal, bool); 6] = [
    (Signal::TERM, false),
    (Signal::HUP, false),
    (Signal::USR1, false),
    (Signal::USR2, false),
    (Signal::INT, true),
    (Signal::QUIT, true),
];

/// Catches signals on a thread of its own, and returns when it does: a command that is started afterwards misses none.
/// Where they cannot be caught, they do what they do.
pub(super) fn catch() -> Passing {
    let pid = Arc::new(AtomicI32::new(0));
    let received = Arc::new(Mutex::new(Vec::new()));
    let passing = Passing { pid: Arc::clone(&pid), received: Arc::clone(&received) };
    let by_terminal = io::stdin().is_terminal();
    let (caught, ready) = mpsc::channel();
    std::thread::spawn(move || {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
        runtime.block_on(async {
            let mut passes = Vec::new();
            for (which, of_terminal) in PASSED {
                let Ok(mut signals) = signal(SignalKind::from_raw(which.as_raw())) else { continue };
                let (pid, received) = (Arc::clone(&pid), Arc::clone(&received));
                passes.push(async move {
                    while signals.recv().await.is_some() {
                        let mut kept = received.lock().unwrap_or_else(PoisonError::into_inner);
                        if kept.len() >= KEPT {
                            kept.remove(0);
                        }
                        kept.push(Received { at: Timestamp::now(), signal: which.as_raw() });
                        drop(kept);
                        let command = Pid::from_raw(pid.load(Ordering::SeqCst));
                        if let Some(command) = command.filter(|_| !(of_terminal && by_terminal)) {
                            let _ = kill_process(command, which);
                        }
                    }
                });
            }
            let _ = caught.send(());
            futures::future::join_all(passes).await;
        });
    });
    // The thread says so, or is gone.
    let _ = ready.recv();
    passing
}
