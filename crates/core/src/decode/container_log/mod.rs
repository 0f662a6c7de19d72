//! The lines of a container that tell how it ended.
//!
//! A table of words, each with what it means. Runtimes' own limits are told from an application that merely logs such an
//! error and goes on by how near the end of the log the line stands.

mod dotnet;
mod name;
mod table;

use std::collections::HashMap;
use std::ops::Range;

use jiff::Timestamp;
use memchr::memmem;

use self::table::{RARE, TABLE, TABLED, TOLD};
use super::{Decoded, Input};
use crate::fact::{Coverage, CoverageOf, Locus, LogSign, Sign, What};

/// Lines that may follow the telling one before the log ends; frames of a stack trace do not count.
const NEAR_END: usize = 50;
/// Signs kept of one kind: the first of them and the last.
const KEPT: usize = 4;
/// Characters kept of a line.
const WIDTH: usize = 300;

/// A telling line is in it.
pub(super) fn tells(bytes: &[u8]) -> bool {
    RARE.lines(bytes).any(|line| sign_at(bytes, line).is_some())
}

/// What of a log tells how its writer ended: those lines, and a dash for each other line that counts for how near the
/// end one stands. The rest may hold anything, and is not kept.
pub(crate) fn telling(bytes: &[u8]) -> String {
    let mut kept = String::new();
    let mut end = 0;
    for line in bytes.split(|byte| *byte == b'\n') {
        let start = end;
        end += line.len() + 1;
        let text = String::from_utf8_lossy(line);
        if let Some(sign) = sign_at(bytes, start..start + line.len()) {
            kept.push_str(&text);
            kept.push('\n');
            if sign == Sign::DotnetOom {
                kept.push_str(dotnet::FRAME);
                kept.push('\n');
            }
        } else if !is_frame(line) && !kept.is_empty() {
            kept.push_str("-\n");
        }
    }
    kept
}

/// Decodes a segment.
pub(super) fn decode(input: Input<'_>, out: &mut Decoded) {
    let bytes = input.bytes;
    let subject = name::subject(input);
    let mut found: Vec<(Range<usize>, Sign)> = Vec::new();
    let mut left: HashMap<Sign, usize> = HashMap::new();
    for line in RARE.lines(bytes) {
        if let Some(sign) = sign_at(bytes, line.clone()) {
            found.push((line, sign));
            *left.entry(sign).or_default() += 1;
        }
    }
    let mut seen: HashMap<Sign, usize> = HashMap::new();
    for (Range { start, end }, sign) in found {
        let (before, after) = (seen.entry(sign).or_default(), left.entry(sign).or_default());
        *after -= 1;
        let is_first_or_last = *before < KEPT / 2 || *after < KEPT / 2;
        *before += 1;
        if !is_first_or_last {
            continue;
        }
        let number = memchr::memchr_iter(b'\n', &bytes[..start]).count();
        let line = String::from_utf8_lossy(&bytes[start..end]);
        let (at, text) = dated(&line);
        let sign = LogSign {
            subject: subject.clone(),
            sign,
            at,
            line: text.trim().chars().take(WIDTH).collect(),
            near_end: is_near_end(&bytes[start..]),
        };
        out.fact(What::LogSign(Box::new(sign)), Locus::line(input.id, input.first_line + number));
    }
    let dates = || String::from_utf8_lossy(bytes.split(|byte| *byte == b'\n').next().unwrap_or_default()).into_owned();
    let last = bytes.trim_ascii_end().rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
    let (from, to) = (dated(&dates()).0, dated(&String::from_utf8_lossy(last)).0);
    out.coverage.push(Coverage {
        artifact: input.id,
        of: CoverageOf::ContainerLog,
        node: None,
        boot_id: None,
        from,
        to,
        holes: Vec::new(),
    });
}

/// What the line at a place tells, by itself or with the next one.
fn sign_at(bytes: &[u8], at: Range<usize>) -> Option<Sign> {
    let end = at.end;
    let raw = &bytes[at];
    if !TOLD.any(raw) {
        return None;
    }
    let line = String::from_utf8_lossy(raw);
    sign(&line).or_else(|| {
        let next = bytes.get(end + 1..)?.split(|byte| *byte == b'\n').next()?;
        let next = String::from_utf8_lossy(next);
        dotnet::is_fatal(dated(&line).1, dated(&next).1).then_some(Sign::DotnetOom)
    })
}

/// What a line tells.
fn sign(line: &str) -> Option<Sign> {
    if line.len() > 64 << 10 {
        return None;
    }
    let (_, text) = dated(line);
    let text = text.trim();
    if is_killed_message(text) {
        return Some(Sign::ChildKilled);
    }
    // The kernel's line about a process that it killed holds a shell's word, and none of the table's.
    if !TOLD.any_at(TABLED, text.as_bytes()) {
        return None;
    }
    let (_, sign, _) = TABLE.iter().find(|(words, _, also)| text.contains(words) && text.contains(also))?;
    match sign {
        // The GPU's memory is another matter, and so is a name that only contains the word.
        Sign::PythonMemoryError => is_python_error(text).then_some(*sign),
        Sign::Enomem | Sign::BusError | Sign::Segfault | Sign::SigtermReceived if is_prose(text) => None,
        _ => Some(*sign),
    }
}

/// What shells print of a child that got SIGKILL: `Killed`, `./run.sh: line 3:    7 Killed    python`.
fn is_killed_message(text: &str) -> bool {
    text == "Killed" || text.contains(": line ") && text.split_whitespace().any(|word| word == "Killed")
}

fn is_python_error(text: &str) -> bool {
    let begins = text.split(['.', ' ', ':']).any(|word| matches!(word, "MemoryError" | "_ArrayMemoryError"));
    (begins || text.contains("DefaultCPUAllocator")) && !text.contains("CUDA")
}

/// Words of a sentence about the matter, not of the matter itself.
fn is_prose(text: &str) -> bool {
    text.contains("handle") || text.contains("trap ") || text.len() > 2000
}

/// Few lines follow; frames of a trace and blank lines are none.
fn is_near_end(rest: &[u8]) -> bool {
    let following = rest.split(|byte| *byte == b'\n').skip(1).filter(|line| !is_frame(line));
    following.take(NEAR_END + 1).count() <= NEAR_END
}

/// A frame of a trace, a line of V8's last collections, or a blank one.
fn is_frame(line: &[u8]) -> bool {
    let text = line.trim_ascii();
    text.is_empty()
        || text.starts_with(b"at ")
        || text.starts_with(b"...")
        || text.starts_with(b"File \"")
        || line.starts_with(b"\t")
        || line.starts_with(b"   ")
        || memmem::find(text, b"0x").is_some()
        || memmem::find(text, b"[").is_some_and(|at| at < 40) && memmem::find(text, b" ms: ").is_some()
}

/// The time that a line begins with, and the rest: `kubectl logs --timestamps`, CRI files, Docker's JSON lines.
fn dated(line: &str) -> (Option<Timestamp>, &str) {
    if let Some(rest) = line.strip_prefix("{\"log\":\"") {
        let at = line.rsplit_once("\"time\":\"").and_then(|(_, time)| time.split('"').next()?.parse().ok());
        return (at, rest.rsplit_once("\",\"stream\"").map_or(rest, |(text, _)| text).trim_end_matches("\\n"));
    }
    let Some((word, rest)) = line.split_once(' ').filter(|(word, _)| word.len() >= 20 && word.contains('T')) else {
        return (None, line);
    };
    let Ok(at) = word.parse::<Timestamp>() else { return (None, line) };
    let cri = ["stdout F ", "stderr F ", "stdout P ", "stderr P "].iter().find_map(|mark| rest.strip_prefix(mark));
    (Some(at), cri.unwrap_or(rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::{Artifact, ArtifactId, Kind};
    use crate::decode::decode as decode_artifact;
    use crate::fact::Fact;
    use proptest::prelude::*;

    fn signs(text: &str) -> Vec<(Sign, bool)> {
        let artifact = Artifact { kind: Some(Kind::ContainerLog), ..Artifact::new("x", text) };
        let facts = decode_artifact(ArtifactId(0), &artifact).facts;
        let read = |fact: Fact| match fact.what {
            What::LogSign(sign) => Some((sign.sign, sign.near_end)),
            _ => None,
        };
        facts.into_iter().filter_map(read).collect()
    }

    #[test]
    fn of_a_log_only_what_tells_is_kept_and_how_near_the_end_it_stands() {
        let log = "password=x\nMemoryError\n  File \"a.py\"\n".to_owned() + &"more\n".repeat(60) + "MemoryError: 3\n";
        let kept = telling(log.as_bytes());
        assert!(kept.starts_with("MemoryError\n-\n") && !kept.contains("more") && !kept.contains("password"), "{kept}");
        assert_eq!(signs(&kept), signs(&log));
        assert_eq!(signs(&kept), [(Sign::PythonMemoryError, false), (Sign::PythonMemoryError, true)]);
    }

    #[test]
    fn every_runtime_is_known_by_its_own_words() {
        for (line, sign) in [
            ("Exception in thread \"main\" java.lang.OutOfMemoryError: Java heap space", Sign::JvmHeap),
            ("java.lang.OutOfMemoryError: Metaspace", Sign::JvmMetaspace),
            (
                "java.lang.OutOfMemoryError: Cannot reserve 65536 bytes of direct buffer memory (allocated: 1, limit: 2)",
                Sign::JvmDirect,
            ),
            (
                "java.lang.OutOfMemoryError: unable to create native thread: possibly out of memory or process/resource limits reached",
                Sign::JvmThread,
            ),
            ("Terminating due to java.lang.OutOfMemoryError: Java heap space", Sign::JvmHeap),
            ("FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory", Sign::V8Heap),
            ("fatal error: runtime: out of memory", Sign::GoOom),
            ("fatal error: failed to reserve page summary memory", Sign::GoOom),
            ("MemoryError", Sign::PythonMemoryError),
            ("numpy._core._exceptions._ArrayMemoryError: Unable to allocate 3.2 GiB", Sign::PythonMemoryError),
            (
                "Unhandled exception. System.OutOfMemoryException: Array dimensions exceeded supported range.",
                Sign::DotnetOom,
            ),
            (
                "PHP Fatal error:  Allowed memory size of 134217728 bytes exhausted (tried to allocate 20480 bytes)",
                Sign::PhpMemoryLimit,
            ),
            ("memory allocation of 1073741824 bytes failed", Sign::RustAllocFailed),
            ("terminate called after throwing an instance of 'std::bad_alloc'", Sign::CppBadAlloc),
            ("[ERROR] Worker (pid:7) was sent SIGKILL! Perhaps out of memory?", Sign::ChildKilled),
            ("./run.sh: line 3:     7 Killed                  python app.py", Sign::ChildKilled),
        ] {
            assert_eq!(signs(line), [(sign, true)], "{line}");
        }
    }

    #[test]
    fn the_last_words_of_dotnet_redis_erlang_and_ruby_are_known() {
        for (text, sign) in [
            ("Out of memory.\n   at System.String.Concat(String, String)\n   at Program.Main()\n", Sign::DotnetOom),
            (
                "2024-05-01T11:00:00.5Z stderr F Out of memory.\n2024-05-01T11:00:00.5Z stderr F    at Program.Main()\n",
                Sign::DotnetOom,
            ),
            ("1:M 01 May 2024 11:00:00.000 # Out Of Memory allocating 67108864 bytes!", Sign::AllocFailed),
            ("eheap_alloc: Cannot allocate 1318267840 bytes of memory (of type \"heap\").", Sign::AllocFailed),
            ("[FATAL] failed to allocate memory", Sign::RubyNoMemory),
        ] {
            assert_eq!(signs(text), [(sign, true)], "{text}");
            assert_eq!(signs(&telling(text.as_bytes())), [(sign, true)], "{text}");
        }
        assert_eq!(signs("Out of memory.\nretrying\n"), []);
    }

    #[test]
    fn what_only_mentions_the_matter_is_no_sign() {
        for line in [
            "heap_out_of_memory_total 0",
            "torch.cuda.OutOfMemoryError: CUDA out of memory. MemoryError avoided on CUDA",
            "the MemoryErrorHandler is installed",
            "killed 3 tasks, heap is fine",
        ] {
            assert_eq!(signs(line), [], "{line}");
        }
    }

    #[test]
    fn an_error_survived_long_before_the_end_is_not_near_it() {
        let log = format!(
            "java.lang.OutOfMemoryError: Java heap space\n\tat a.B.c(B.java:1)\n{}",
            "request served\n".repeat(60)
        );
        assert_eq!(signs(&log), [(Sign::JvmHeap, false)]);
        let trace = format!("java.lang.OutOfMemoryError: Java heap space\n{}", "\tat a.B.c(B.java:1)\n".repeat(200));
        assert_eq!(signs(&trace), [(Sign::JvmHeap, true)]);
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let artifact = Artifact { kind: Some(Kind::ContainerLog), ..Artifact::new("x", bytes) };
            let _ = decode_artifact(ArtifactId(0), &artifact);
        }
    }
}
