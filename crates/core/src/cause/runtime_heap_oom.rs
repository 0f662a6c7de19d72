//! The runtime hit its own limit (heap, metaspace, direct memory, V8's, Go's, PHP's): the cgroup's limit did not fire.

use super::{Cause, Finding, Found, advice, kernel, killing, quote};
use crate::case::{Case, Seen, Silence};
use crate::diagnosis::{Advice, Confidence, Verdict};
use crate::fact::{LogSign, Sign};

pub(super) const CAUSE: Cause = Cause { verdict: Verdict::RuntimeHeapOom, judge, advise };

fn judge(case: &Case<'_>) -> Finding {
    let killed = killing::of_main(case);
    if killed || case.exit_code() == Some(0) || case.death.is_none() && case.pod.is_some() && case.is_running() {
        return Finding::Absent;
    }
    match sign(case) {
        Some(sign) => by_sign(case, &sign),
        None => by_exit_code(case),
    }
}

/// The sign that tells most: near the end of this life's log first, and the specific before the general.
fn sign<'a>(case: &Case<'a>) -> Option<Seen<'a, LogSign>> {
    let life = case.death.as_ref().and_then(|death| death.life);
    let general = |sign: Sign| matches!(sign, Sign::JvmExitOnOom | Sign::V8Other);
    case.signs
        .iter()
        .filter(|sign| sign.it.sign.is_runtime_limit() && (sign.it.near_end || case.death.is_none()))
        .max_by_key(|sign| {
            let this_life = sign.it.subject.restart.is_none() || sign.it.subject.restart == life;
            (this_life, !general(sign.it.sign))
        })
        .copied()
}

fn by_sign(case: &Case<'_>, sign: &Seen<'_, LogSign>) -> Finding {
    let life = case.death.as_ref().and_then(|death| death.life);
    let this_life = sign.it.subject.restart.is_none() || life.is_none() || sign.it.subject.restart == life;
    let mut proofs = vec![quote::sign(sign, format!("its log says {}", meaning(sign.it.sign)))];
    proofs.extend(quote::termination(case));
    // A SIGKILL after the message: a limping process that a probe or person ended, or the OOM killer after all.
    let sigkill = case.was_signaled(9);
    let silent = case.counted_none().is_some() || matches!(case.kernel_silence(), Silence::Proves(_));
    let confidence = match (this_life, sigkill && !silent) {
        (_, true) => Confidence::Possible,
        (true, false) if case.death.is_some() && is_last_word(case, sign) => Confidence::Proven,
        (true, false) if case.death.is_some() && is_an_odd_end(case, sign) => Confidence::Possible,
        _ => Confidence::Likely,
    };
    let (who, meaning) = (kernel::capital(&case.noun()), meaning(sign.it.sign));
    let summary = if confidence == Confidence::Possible {
        format!("The log of {} says that {meaning}; whether it ended for that is not told.", case.noun())
    } else if case.death.is_none() {
        format!("The log of {} says that {meaning}; how it ended is not told.", case.noun())
    } else {
        format!("{who} ended because {meaning}; its cgroup's limit did not fire.")
    };
    let otherwise = if sigkill && !silent { None } else { Some(false) };
    Found::new(confidence, summary, proofs).oom_kill(kernel::oom_kill(case, otherwise)).into()
}

/// No program goes on after this line: the runtime itself ends with it, or it aborted (134). An error that can be caught
/// may have been logged and survived.
fn is_last_word(case: &Case<'_>, sign: &Seen<'_, LogSign>) -> bool {
    const WORDS: [&str; 6] =
        ["Terminating due to", "Aborting due to", "terminate called", "Unhandled exception", "atal error", "FATAL"];
    matches!(
        sign.it.sign,
        Sign::JvmExitOnOom
            | Sign::JvmNative
            | Sign::V8Heap
            | Sign::GoOom
            | Sign::PhpMemoryLimit
            | Sign::RustAllocFailed
            | Sign::AllocFailed
    ) || case.exit_code() == Some(134)
        || WORDS.iter().any(|words| sign.it.line.contains(words))
}

/// A JVM whose main thread lets the error through ends with 1, and does not call it a warning: another code is the
/// program's own, a warning may quote what another service answered, and nothing else speaks of a JVM here.
fn is_an_odd_end(case: &Case<'_>, sign: &Seen<'_, LogSign>) -> bool {
    let of_jvm = matches!(
        sign.it.sign,
        Sign::JvmHeap | Sign::JvmMetaspace | Sign::JvmDirect | Sign::JvmGcOverhead | Sign::JvmArraySize
    );
    let known = case.container.is_some_and(|container| {
        container.program.as_deref().is_some_and(|program| program.ends_with("java"))
            || container.flags.iter().any(|flag| flag.text.starts_with("-X"))
    });
    let line = sign.it.line.as_str();
    let warned = ["WARN", "INFO", "DEBUG", "=warn", "=info", "\"warn", "\"info"].iter().any(|word| line.contains(word));
    of_jvm && !known && (case.exit_code() != Some(1) || warned)
}

/// HotSpot leaves with 3 on ExitOnOutOfMemoryError (src/hotspot/share/utilities/debug.cpp, 8 to 25) and for nothing else.
fn by_exit_code(case: &Case<'_>) -> Finding {
    let asked = case
        .container
        .is_some_and(|container| container.flags.iter().any(|flag| flag.text.contains("+ExitOnOutOfMemoryError")));
    if case.exit_code() != Some(3) || !asked {
        return Finding::Absent;
    }
    let proofs = quote::termination(case).into_iter().collect();
    let summary = format!(
        "{}: the JVM hit its own memory limit and left with 3, as -XX:+ExitOnOutOfMemoryError asks.",
        kernel::capital(&case.noun())
    );
    Found::new(Confidence::Likely, summary, proofs)
        .oom_kill(kernel::oom_kill(case, Some(false)))
        .missing("which of the JVM's limits it was: its log says", advice::log_command(case).unwrap_or_default())
        .into()
}

fn meaning(sign: Sign) -> &'static str {
    match sign {
        Sign::JvmHeap => "the JVM's heap was full (-Xmx, MaxRAMPercentage)",
        Sign::JvmMetaspace => "the JVM's metaspace was full (-XX:MaxMetaspaceSize)",
        Sign::JvmDirect => "the JVM's direct memory was full (-XX:MaxDirectMemorySize)",
        Sign::JvmGcOverhead => "the JVM spent nearly all its time collecting a full heap",
        Sign::JvmNative => "the JVM could not get native memory from the system",
        Sign::JvmArraySize => "the JVM was asked for an array larger than any heap can hold",
        Sign::JvmExitOnOom => "the JVM ended on an OutOfMemoryError",
        Sign::V8Heap => "V8's heap was full (--max-old-space-size)",
        Sign::V8Other => "Node.js could not allocate a buffer or lost a worker to its own limit",
        Sign::GoOom => "the Go runtime could not get memory",
        Sign::PythonMemoryError => "Python could not allocate memory (MemoryError)",
        Sign::DotnetOom => "the .NET runtime could not allocate memory (GCHeapHardLimit)",
        Sign::RubyNoMemory => "Ruby could not allocate memory",
        Sign::PhpMemoryLimit => "PHP hit its memory_limit",
        Sign::RustAllocFailed => "an allocation failed and the Rust program aborted",
        Sign::CppBadAlloc => "an allocation failed (std::bad_alloc)",
        Sign::AllocFailed => "an allocation failed and the program aborted",
        _ => "the runtime ran out of memory",
    }
}

fn advise(case: &Case<'_>) -> Vec<Advice> {
    let sign = sign(case).map(|sign| sign.it.sign);
    vec![look_inside(sign), raise(sign)]
}

/// How to see what the memory is full of, by the runtime.
fn look_inside(sign: Option<Sign>) -> Advice {
    use Sign::{
        AllocFailed, CppBadAlloc, DotnetOom, GoOom, JvmArraySize, JvmDirect, JvmMetaspace, JvmNative, PhpMemoryLimit,
        PythonMemoryError, RubyNoMemory, RustAllocFailed, V8Heap, V8Other,
    };
    let (action, risk) = match sign {
        Some(JvmDirect | JvmNative) => (
            "watch the JVM's native memory (-XX:NativeMemoryTracking=summary, then jcmd 1 VM.native_memory) before \
             changing a number",
            "tracking costs 5 to 10 % of speed",
        ),
        Some(JvmMetaspace) => {
            ("count the loaded classes (jcmd 1 VM.classloader_stats) before changing a number", "none")
        }
        Some(JvmArraySize) => ("find who asks for so large an array: the stack trace has it", "none"),
        Some(V8Heap) => (
            "take a heap snapshot near the end (--heapsnapshot-near-heap-limit=1) before changing a number",
            "a snapshot may take as much memory again as the heap, and needs a volume",
        ),
        Some(V8Other) => ("look at its array buffers (process.memoryUsage().arrayBuffers) over time", "none"),
        Some(GoOom) => ("take a heap profile while it grows (net/http/pprof, go tool pprof)", "none"),
        Some(PythonMemoryError) => (
            "see what it allocates (tracemalloc, memray) before changing a number",
            "tracemalloc takes memory and time of its own",
        ),
        Some(PhpMemoryLimit) => ("see what the script of the message takes (memory_get_peak_usage)", "none"),
        Some(RubyNoMemory) => ("see what it holds (ObjectSpace.dump_all, memory_profiler)", "none"),
        Some(DotnetOom) => (
            "take a dump at the end (DOTNET_DbgEnableMiniDump=1), or dotnet-gcdump while it grows",
            "a dump is as large as the heap and needs a volume",
        ),
        Some(RustAllocFailed | CppBadAlloc | AllocFailed) => {
            ("see who allocates (heaptrack, jemalloc's profiler) before changing a number", "none")
        }
        _ => (
            "take a heap dump at the end (-XX:+HeapDumpOnOutOfMemoryError) before changing a number",
            "a dump is as large as the heap and needs a volume",
        ),
    };
    advice::advice(action, "without a history a leak is not excluded, and a leak fills any heap", risk)
}

/// What to raise, if anything. Runtimes without a limit of their own were refused by the system.
fn raise(sign: Option<Sign>) -> Advice {
    let flag = match sign {
        Some(Sign::JvmMetaspace) => "-XX:MaxMetaspaceSize",
        Some(Sign::JvmDirect) => "-XX:MaxDirectMemorySize",
        Some(Sign::V8Heap | Sign::V8Other) => "--max-old-space-size",
        Some(Sign::PhpMemoryLimit) => "memory_limit",
        Some(Sign::DotnetOom) => "DOTNET_GCHeapHardLimit",
        Some(
            Sign::GoOom
            | Sign::PythonMemoryError
            | Sign::RubyNoMemory
            | Sign::RustAllocFailed
            | Sign::CppBadAlloc
            | Sign::AllocFailed
            | Sign::JvmNative
            | Sign::JvmArraySize,
        ) => {
            return advice::advice(
                "look for what refused the memory: ulimit -v, vm.overcommit_memory=2, or one request too large to meet",
                "it has no limit of its own here, and the cgroup's limit kills instead of refusing",
                "none",
            );
        }
        _ => "-Xmx or -XX:MaxRAMPercentage",
    };
    advice::advice(
        format!("if the live data is really that large, raise {flag} and the container's limit together"),
        "raising the container's limit alone changes nothing where the runtime's limit is fixed",
        "a heap close to the container's limit turns this into an OOM kill",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_told_another_runtimes_flag() {
        for (sign, own) in [
            (Sign::PythonMemoryError, "tracemalloc"),
            (Sign::GoOom, "pprof"),
            (Sign::PhpMemoryLimit, "memory_limit"),
            (Sign::RubyNoMemory, "ObjectSpace"),
            (Sign::V8Heap, "--heapsnapshot-near-heap-limit"),
            (Sign::JvmHeap, "HeapDumpOnOutOfMemoryError"),
        ] {
            let told = format!("{} {}", look_inside(Some(sign)).action, raise(Some(sign)).action);
            assert!(told.contains(own), "{sign:?}: {told}");
            for (other, flag) in [(Sign::V8Heap, "heapsnapshot"), (Sign::JvmHeap, "-X")] {
                assert!(other == sign || !told.contains(flag), "{sign:?}: {told}");
            }
        }
    }
}
