//! Running a program for its output, with a bound on time and size.

use std::io::{self, Read};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

/// A program that takes longer is stopped; what it has printed is kept.
const TIMEOUT: Duration = Duration::from_secs(30);

/// More is not kept: a kernel log is some megabytes.
const OUTPUT_MAX: usize = 256 << 20;

/// What a program printed on its standard output.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) bytes: Vec<u8>,
    /// Why it is not all; empty when it is.
    pub(crate) cut: String,
    /// The first line that it wrote to its standard error.
    pub(crate) complaint: String,
}

/// Runs `program`, in plain English whatever the locale is. An error when it cannot be started or fails with nothing
/// printed.
pub(crate) fn output(program: &str, arguments: &[&str]) -> io::Result<Output> {
    output_within(program, arguments, TIMEOUT)
}

fn output_within(program: &str, arguments: &[&str], timeout: Duration) -> io::Result<Output> {
    let mut child = Command::new(program)
        .args(arguments)
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let mut bytes = Vec::new();
    let cut = match child.stdout.take() {
        Some(stdout) => drain(stdout, &mut bytes, timeout)?,
        None => String::new(),
    };
    if !cut.is_empty() {
        // It may have ended in the meantime; then there is nothing to stop.
        let _ = child.kill();
    }
    let succeeded = child.wait()?.success();
    let complaint = complaint(&mut child);
    if succeeded || !bytes.is_empty() {
        return Ok(Output { bytes, cut, complaint });
    }
    Err(io::Error::other(match (cut, complaint) {
        (cut, _) if !cut.is_empty() => cut,
        (_, complaint) if complaint.is_empty() => "it failed without a word".into(),
        (_, complaint) => complaint,
    }))
}

/// Reads to the end, the timeout or the bound; tells which of the latter two it was.
fn drain(mut stdout: ChildStdout, bytes: &mut Vec<u8>, timeout: Duration) -> io::Result<String> {
    let ends = Instant::now() + timeout;
    let mut buffer = vec![0; 64 << 10];
    while bytes.len() < OUTPUT_MAX {
        let left = ends.saturating_duration_since(Instant::now());
        let left = Timespec::try_from(left).map_err(io::Error::other)?;
        match poll(&mut [PollFd::new(&stdout, PollFlags::IN)], Some(&left)) {
            Ok(0) => return Ok(format!("it was stopped after {} s", timeout.as_secs_f64())),
            Ok(_) => {}
            Err(Errno::INTR) => continue,
            Err(error) => return Err(error.into()),
        }
        match stdout.read(&mut buffer)? {
            0 => return Ok(String::new()),
            length => bytes.extend_from_slice(&buffer[..length]),
        }
    }
    Ok(format!("only its first {} MiB were kept", OUTPUT_MAX >> 20))
}

fn complaint(child: &mut Child) -> String {
    let mut bytes = Vec::new();
    if let Some(stderr) = child.stderr.take() {
        // A partial complaint is as good as a whole one.
        let _ = stderr.take(4096).read_to_end(&mut bytes);
    }
    String::from_utf8_lossy(&bytes).lines().next().unwrap_or_default().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_output_is_kept_whole() {
        let output = output("sh", &["-c", "head -c 1000000 /dev/zero; echo end >&2"]).unwrap();
        assert_eq!((output.bytes.len(), output.cut.as_str(), output.complaint.as_str()), (1_000_000, "", "end"));
    }

    #[test]
    fn a_failure_is_told_in_the_programs_own_words() {
        let error = output("sh", &["-c", "echo no journal files >&2; exit 1"]).unwrap_err();
        assert_eq!(error.to_string(), "no journal files");
        assert_eq!(output("no-such-program", &[]).unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn a_program_that_hangs_is_stopped_and_its_output_kept() {
        let began = Instant::now();
        let output = output_within("sh", &["-c", "echo begun; exec sleep 60"], Duration::from_millis(300)).unwrap();
        assert_eq!((output.bytes.as_slice(), output.cut.as_str()), (&b"begun\n"[..], "it was stopped after 0.3 s"));
        assert!(began.elapsed() < Duration::from_secs(10));
    }
}
