//! Signals that oomph gets while a command runs are the command's.

use std::io::{self, IsTerminal};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::process::{Pid, Signal, kill_process};
use tokio::signal::unix::{SignalKind, signal};

/// Signals are passed on until the command has ended.
pub(super) struct Passing {
    running: Arc<AtomicBool>,
}

impl Passing {
    /// The command has ended: its pid may be somebody else's soon.
    pub(super) fn end(&self) {
        self.running.store(false, Ordering::SeqCst);
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

/// Passes signals on to a process from a thread of its own. Where they cannot be caught, they do what they do.
pub(super) fn pass_to(pid: u32) -> Passing {
    let running = Arc::new(AtomicBool::new(true));
    let passing = Passing { running: Arc::clone(&running) };
    let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) else { return passing };
    let by_terminal = io::stdin().is_terminal();
    std::thread::spawn(move || {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
        runtime.block_on(async {
            let passes = PASSED.map(|(which, of_terminal)| {
                let running = Arc::clone(&running);
                async move {
                    let Ok(mut signals) = signal(SignalKind::from_raw(which.as_raw())) else { return };
                    while signals.recv().await.is_some() {
                        if running.load(Ordering::SeqCst) && !(of_terminal && by_terminal) {
                            let _ = kill_process(pid, which);
                        }
                    }
                }
            });
            futures::future::join_all(passes).await;
        });
    });
    passing
}
