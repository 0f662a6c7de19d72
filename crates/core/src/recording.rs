//! The recording of a command that ran under a limit: one JSON object a line, so that a recording that was cut short
//! reads as far as it goes.
//!
//! ```text
//! {"schema": "oomph.dev/recording/v1", "run": {...}}     whose it is, first
//! {"sample": {...}}                                        ten times a second, and oftener near the limit
//! {"waterfall": {...}}                                     where the memory was, when it was most
//! {"counters": "==> memory.events <==..."}                 the cgroup's files, at the end
//! {"kernelLog": "..."}                                     what the kernel said meanwhile
//! {"log": "MemoryError\n"}                                what it wrote on standard error that tells how it ended
//! {"end": {...}}                                           how it ended
//! ```

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::units::Bytes;
use crate::waterfall::{Source, Waterfall};

/// The name and version of the format.
pub const SCHEMA: &str = "oomph.dev/recording/v1";

/// What stands in the place of an engine where a command was run by `oomph run`: its cgroup was made for it alone.
pub const ENGINE: &str = "oomph";

/// A line of a recording.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Line {
    /// Whose it is.
    Run(Run),
    /// The charge at one moment.
    Sample(Sample),
    /// Where the memory was.
    Waterfall(Box<Waterfall>),
    /// The cgroup's files, as `tail -n +1 memory.*` prints them.
    Counters(String),
    /// The kernel's log, verbatim.
    KernelLog(String),
    /// What of its standard error tells how it ended, as [`telling`] keeps it.
    Log(String),
    /// How it ended.
    End(End),
}

/// What of a program's log may be kept: the lines that tell how it ended, and a dash for each other.
pub fn telling(log: &[u8]) -> String {
    crate::decode::telling(log)
}

/// A command and its cgroup. Of the command line only the program's name is kept: the rest may hold secrets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Run {
    /// The cgroup's own id: hexadecimal, as a container's is.
    pub id: String,
    /// The cgroup's path.
    pub cgroup: String,
    /// 1 or 2.
    pub cgroup_version: u8,
    /// The machine.
    pub node: Option<String>,
    /// The moment at second 0 of the kernel's log.
    pub booted_at: Option<Timestamp>,
    /// The program, without its path.
    pub command: String,
    /// When it began.
    pub started_at: Timestamp,
    /// The limit on memory.
    pub limit_bytes: Option<Bytes>,
    /// How much may go to swap beside it.
    pub swap_bytes: Option<Bytes>,
}

/// What was charged at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Sample {
    /// Milliseconds since the start.
    pub at: u64,
    /// All that was charged.
    pub usage: Bytes,
    /// Anonymous memory.
    pub anon: Bytes,
    /// Page cache, with tmpfs.
    pub file: Bytes,
    /// Of it tmpfs and shared memory.
    pub shmem: Bytes,
    /// Kernel memory.
    pub kernel: Bytes,
    /// What the kernel cannot take back.
    pub unreclaimable: Bytes,
}

/// How a command ended.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct End {
    /// When.
    pub at: Timestamp,
    /// Its exit code; `None` when a signal ended it.
    pub exit_code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// The most that was charged, by the kernel's own count.
    pub peak_bytes: Option<Bytes>,
    /// Why it could not be started; `exit_code` is then 126 or 127, as a shell says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_started: Option<String>,
    /// It was killed between fork and exec: the program never ran.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub before_exec: bool,
    /// Signals that oomph itself got, which were for the command; oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub received: Vec<Received>,
    /// Processes that it left running, which were killed with its cgroup.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_running: Option<u32>,
}

/// A signal that oomph got while the command ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Received {
    /// When.
    pub at: Timestamp,
    /// Its number.
    pub signal: i32,
}

impl End {
    /// As a shell says it: the exit code, or 128 and the signal.
    pub fn code(&self) -> i32 {
        self.exit_code.or_else(|| self.signal.map(|signal| signal.saturating_add(128))).unwrap_or(0)
    }
}

/// A recording, as far as it could be read.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Recording {
    /// Whose it is; none where the first line is missing.
    pub run: Option<Run>,
    /// The samples.
    pub samples: Vec<Sample>,
    /// The waterfall at the peak: of several the one with the most unreclaimable memory.
    pub peak: Option<Waterfall>,
    /// The cgroup's files at the end, and the line they stand on.
    pub counters: Option<(usize, String)>,
    /// The kernel's log, and the line it stands on.
    pub kernel_log: Option<(usize, String)>,
    /// What it wrote that tells how it ended, and the line it stands on.
    pub log: Option<(usize, String)>,
    /// How it ended, and the line that says so; none when the recording was cut.
    pub end: Option<(usize, End)>,
    /// Lines that are none, by number from 1.
    pub unread: Vec<usize>,
}

impl Line {
    /// The line as it is written, with its newline.
    pub fn written(&self) -> String {
        let mut line = serde_json::to_string(self).expect("a line has string keys and plain numbers");
        if matches!(self, Self::Run(_)) {
            line.insert_str(1, &format!("\"schema\":\"{SCHEMA}\","));
        }
        line.push('\n');
        line
    }
}

/// Reads a recording. A line that is none of ours is noted, not an error.
pub fn read(bytes: &[u8]) -> Recording {
    let mut recording = Recording::default();
    for (number, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        if line.trim_ascii().is_empty() {
            continue;
        }
        let number = number + 1;
        match line_of(line) {
            Some(Line::Run(run)) => recording.run = Some(run),
            Some(Line::Sample(sample)) => recording.samples.push(sample),
            Some(Line::Waterfall(mut waterfall)) => {
                waterfall.source = Source::Recording;
                // What was to be looked at again is gone.
                waterfall.gaps.iter_mut().for_each(|gap| gap.command.clear());
                let most = recording.peak.as_ref().map_or(Bytes(0), |peak| peak.unreclaimable_bytes);
                if recording.peak.is_none() || waterfall.unreclaimable_bytes >= most {
                    recording.peak = Some(*waterfall);
                }
            }
            Some(Line::Counters(text)) => recording.counters = Some((number, text)),
            Some(Line::KernelLog(text)) => recording.kernel_log = Some((number, text)),
            Some(Line::Log(text)) => recording.log = Some((number, text)),
            Some(Line::End(end)) => recording.end = Some((number, end)),
            None => recording.unread.push(number),
        }
    }
    recording
}

/// The first line names the format beside its own field.
fn line_of(line: &[u8]) -> Option<Line> {
    if let Ok(line) = serde_json::from_slice(line) {
        return Some(line);
    }
    let mut fields: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(line).ok()?;
    fields.remove("schema").filter(|schema| schema == SCHEMA)?;
    serde_json::from_value(serde_json::Value::Object(fields)).ok()
}

/// Whether bytes begin as a recording does.
pub fn is_recording(bytes: &[u8]) -> bool {
    let head = &bytes[..bytes.len().min(256)];
    head.trim_ascii_start().starts_with(b"{\"") && memchr::memmem::find(head, SCHEMA.as_bytes()).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn run() -> Run {
        Run {
            id: "0a1b2c3d4e5f6071".into(),
            cgroup: "/oomph-run-0a1b2c3d4e5f6071".into(),
            cgroup_version: 1,
            node: None,
            booted_at: None,
            command: "java".into(),
            started_at: "2026-11-25T22:00:00Z".parse().unwrap(),
            limit_bytes: Some(Bytes::mib(64)),
            swap_bytes: Some(Bytes(0)),
        }
    }

    #[test]
    fn a_recording_reads_back_and_a_cut_one_as_far_as_it_goes() {
        let sample = Sample { at: 100, usage: Bytes::mib(5), ..Sample::default() };
        let end = End { at: run().started_at, exit_code: None, signal: Some(9), ..End::default() };
        let text: String = [
            Line::Run(run()),
            Line::Sample(sample),
            Line::Counters("==> memory.events <==\noom_kill 1\n".into()),
            Line::End(end.clone()),
        ]
        .iter()
        .map(Line::written)
        .collect();
        assert!(text.starts_with("{\"schema\":\"oomph.dev/recording/v1\",\"run\":{"), "{text}");
        assert!(is_recording(text.as_bytes()));
        let read_back = read(text.as_bytes());
        assert_eq!((read_back.run.as_ref(), read_back.samples.len(), read_back.unread.len()), (Some(&run()), 1, 0));
        assert_eq!(read_back.end.map(|(line, end)| (line, end.code())), Some((4, 137)));
        let cut = read(&text.as_bytes()[..text.len() - 20]);
        assert_eq!((cut.end, cut.unread), (None, vec![4]));
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), text in "(\\{\"(sample|end|run|schema)\":|\\{|\\}|1|\"|,|\n){0,20}") {
            read(&bytes);
            read(text.as_bytes());
            is_recording(&bytes);
        }
    }
}
