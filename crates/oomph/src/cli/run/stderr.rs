//! What the command writes on standard error: passed on as it comes, and its end kept, because that is where runtimes
//! say that their own limit was reached.

use std::collections::VecDeque;
use std::io::{self, IsTerminal, Read};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::ui;

/// Bytes kept: V8 and the JVM end with some screens of traces.
const KEPT: usize = 128 << 10;

/// The command has ended, and what it left running may hold the pipe open for as long as it lives.
const LINGER: Duration = Duration::from_millis(200);

/// The end of a command's standard error. Where that is a terminal the command keeps it, and nothing is learned.
#[derive(Debug, Default)]
pub(super) struct Tail {
    kept: Arc<Mutex<VecDeque<u8>>>,
    passing: Option<JoinHandle<()>>,
}

impl Tail {
    /// Before the command is started.
    pub(super) fn prepare(command: &mut Command) {
        if !io::stderr().is_terminal() {
            command.stderr(Stdio::piped());
        }
    }

    /// Passes on what the started command writes.
    pub(super) fn follow(child: &mut Child) -> Self {
        let kept = Arc::default();
        let passing = child.stderr.take().map(|mut from| {
            let kept = Arc::clone(&kept);
            std::thread::spawn(move || pass(&mut from, &kept))
        });
        Self { kept, passing }
    }

    /// What there is of it, once the command has ended.
    pub(super) fn end(self) -> Vec<u8> {
        let began = Instant::now();
        while self.passing.as_ref().is_some_and(|passing| !passing.is_finished()) && began.elapsed() < LINGER {
            std::thread::sleep(Duration::from_millis(1));
        }
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).iter().copied().collect()
    }
}

fn pass(from: &mut impl Read, kept: &Mutex<VecDeque<u8>>) {
    let mut buffer = vec![0; 16 << 10];
    loop {
        match from.read(&mut buffer) {
            Ok(0) => return,
            Ok(length) => {
                ui::pass_on(&buffer[..length]);
                let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
                kept.extend(&buffer[..length]);
                let over = kept.len().saturating_sub(KEPT);
                kept.drain(..over);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return,
        }
    }
}
