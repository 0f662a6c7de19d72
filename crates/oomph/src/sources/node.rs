//! This node: its kernel log and the counters of its memory cgroups.

use std::time::Duration;

use jiff::Timestamp;
use oomph_core::artifact::Captured;
use oomph_node::KernelLog;

/// The counters of its memory cgroups.
pub(super) async fn counters(now: Timestamp) -> Captured {
    aside(move || oomph_node::cgroup::capture(now)).await.unwrap_or_else(failed)
}

/// Its kernel log: what `log` has of it and what came since, or, without one, all of it once.
pub(super) async fn kernel_log(log: Option<&mut KernelLog>, now: Timestamp) -> Captured {
    let Some(log) = log else { return aside(move || oomph_node::kernel_log(now)).await.unwrap_or_else(failed) };
    with(log, move |log| log.capture(now)).await.unwrap_or_else(failed)
}

/// Waits for the kernel to kill a process; false when it did not within `timeout`.
pub(super) async fn kill(log: &mut KernelLog, timeout: Duration) -> bool {
    with(log, move |log| log.wait_for_kill(timeout)).await.unwrap_or(false)
}

/// Lends the log to a thread of its own. Where that fails, the log is read anew from its beginning the next time.
async fn with<T: Send + 'static>(
    log: &mut KernelLog,
    work: impl FnOnce(&mut KernelLog) -> T + Send + 'static,
) -> Result<T, String> {
    let mut lent = std::mem::take(log);
    let (returned, answer) = aside(move || {
        let answer = work(&mut lent);
        (lent, answer)
    })
    .await?;
    *log = returned;
    Ok(answer)
}

/// Reads on a thread of its own: reading the node waits for disks and commands, and a journal may be long.
async fn aside<T: Send + 'static>(read: impl FnOnce() -> T + Send + 'static) -> Result<T, String> {
    tokio::task::spawn_blocking(read).await.map_err(|error| error.to_string())
}

fn failed(because: String) -> Captured {
    let mut captured = Captured::default();
    captured.gap("this node", because, "dmesg");
    captured
}
