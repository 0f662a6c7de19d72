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
        (true, false) if case.death.is_some() => Confidence::Proven,
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
        .missing("which of the JVM's limits it was", log_command(case))
        .into()
}

fn log_command(case: &Case<'_>) -> String {
    match advice::pod_args(case) {
        Some(args) => format!("kubectl logs --previous {args}"),
        None => "the container's log".into(),
    }
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
    let flag = match sign(case).map(|sign| sign.it.sign) {
        Some(Sign::JvmMetaspace) => "-XX:MaxMetaspaceSize",
        Some(Sign::JvmDirect) => "-XX:MaxDirectMemorySize",
        Some(Sign::V8Heap | Sign::V8Other) => "--max-old-space-size",
        Some(Sign::PhpMemoryLimit) => "memory_limit",
        Some(Sign::JvmHeap | Sign::JvmGcOverhead | Sign::JvmExitOnOom) | None => "-Xmx or -XX:MaxRAMPercentage",
        _ => "the runtime's own limit",
    };
    vec![
        advice::advice(
            "take a heap dump or profile at the end (-XX:+HeapDumpOnOutOfMemoryError, --heapsnapshot-near-heap-limit) before changing a number",
            "without a history a leak is not excluded, and a leak fills any heap",
            "a dump is as large as the heap and needs a volume",
        ),
        advice::advice(
            format!("if the live data is really that large, raise {flag} and the container's limit together"),
            "raising the container's limit alone changes nothing where the runtime's limit is fixed",
            "a heap close to the container's limit turns this into an OOM kill",
        ),
    ]
}
