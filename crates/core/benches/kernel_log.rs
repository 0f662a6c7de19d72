//! How fast kernel logs are read: a node's syslog with a report now and then, a log of nothing but reports, and what a
//! real node printed, in three dresses, beside the floor: finding the ends of lines.

use std::fmt::Write;
use std::sync::LazyLock;

use divan::counter::BytesCount;
use oomph_core::artifact::{Artifact, ArtifactId, Kind};
use oomph_core::decode::decode;

fn main() {
    divan::main();
}

/// Bytes of each log: more than caches hold, and few enough to be read within one turn on a busy machine.
const SIZE: usize = 16 * 1024 * 1024;

/// A node's syslog: a report every two megabytes.
static SYSLOG: LazyLock<Artifact> = LazyLock::new(|| log(2 * 1024 * 1024));

/// Nothing but reports.
static REPORTS: LazyLock<Artifact> = LazyLock::new(|| log(0));

/// A real node's ring buffer, again and again: mostly call traces, counters and short tables.
static DMESG: LazyLock<Artifact> =
    LazyLock::new(|| again(include_str!("../../../fixtures/k8s-1.37-cgroup-v1/dmesg.txt")));

/// The same as `/dev/kmsg` gives it.
static KMSG: LazyLock<Artifact> =
    LazyLock::new(|| again(include_str!("../../../fixtures/k8s-1.37-cgroup-v1/kmsg.raw")));

/// The same as syslog wrote it.
static KERN: LazyLock<Artifact> =
    LazyLock::new(|| again(include_str!("../../../fixtures/k8s-1.37-cgroup-v1/kern.log")));

fn again(text: &str) -> Artifact {
    artifact(text.repeat(SIZE.div_ceil(text.len())))
}

fn artifact(text: String) -> Artifact {
    Artifact { kind: Some(Kind::KernelLog), ..Artifact::new("syslog", text.into_bytes()) }
}

const LOGS: [&str; 5] = ["syslog", "reports", "dmesg", "kmsg", "kern.log"];

fn log(between: usize) -> Artifact {
    let mut text = String::with_capacity(SIZE + 64 * 1024);
    let mut number = 0_u32;
    while text.len() < SIZE {
        let start = text.len();
        while text.len() - start < between {
            noise(&mut text, number);
            number += 1;
        }
        report(&mut text, number);
        number += 1;
    }
    artifact(text)
}

/// What a node's syslog is full of.
fn noise(text: &mut String, number: u32) {
    let second = number / 40 % 60;
    let head = format!("Oct 12 19:0{}:{second:02} pool-7", number / 2400 % 10);
    let written = match number % 8 {
        0 => writeln!(
            text,
            "{head} kubelet[990]: I1012 19:00:20.{number:06} 990 reconciler_common.go:258] \"operationExecutor.UnmountVolume started for volume\" pod=\"web-{number}\" UID=\"2b7f3c1a\""
        ),
        1 => writeln!(
            text,
            "{head} containerd[2388]: time=\"2023-10-12T19:00:20.{number:09}Z\" level=info msg=\"StopPodSandbox for \\\"4f1d7a90c2b35e68\\\" returns successfully\""
        ),
        2 => writeln!(
            text,
            "{head} kernel: [ 8523.{number:06}] IPv6: ADDRCONF(NETDEV_CHANGE): veth{number}: link becomes ready"
        ),
        3 => writeln!(
            text,
            "{head} systemd[1]: run-docker-runtime\\x2drunc-moby-{number}.mount: Deactivated successfully."
        ),
        4 => writeln!(
            text,
            "{head} sshd[{number}]: Received disconnect from 10.0.0.7 port 50022:11: disconnected by user"
        ),
        5 => writeln!(text, "{head} kernel: [ 8523.{number:06}] cni0: port 3(veth{number}) entered forwarding state"),
        6 => writeln!(text, "{head} CRON[{number}]: (root) CMD (command -v debian-sa1 > /dev/null && debian-sa1 1 1)"),
        _ => writeln!(text, "{head} app[77]: GET /v1/things/{number} 200 12ms memory=512Mi process=5 order=0"),
    };
    written.expect("a string takes all that is written");
}

/// A report with a hundred processes.
fn report(text: &mut String, number: u32) {
    let head = "Oct 12 19:00:20 pool-7 kernel:";
    let pod = "/kubepods/burstable/pod2b7f3c1a-90de-4c58-8a11-6f0e5d4c3b2a";
    let container = "4f1d7a90c2b35e68f7a1d0c94be6832157adf0e9b8c6d4123f5e7a8b9c0d1e2f";
    // Printing takes a few microseconds a line.
    let mut clock = u64::from(number) * 500_000;
    let mut line = |message: &str| {
        let (second, micro) = (clock / 1_000_000, clock % 1_000_000);
        writeln!(text, "{head} [{second:5}.{micro:06}] {message}").expect("a string takes all that is written");
        clock += 7;
    };
    line("app invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=969");
    line(&format!("CPU: 1 PID: {number} Comm: app Not tainted 6.1.0-41-amd64 #1"));
    line("Call Trace:");
    for frame in ["dump_stack_lvl+0x48/0x60", "oom_kill_process.cold+0xb/0x10", "mem_cgroup_out_of_memory+0x131/0x150"]
    {
        line(&format!(" {frame}"));
    }
    line("memory: usage 102400kB, limit 102400kB, failcnt 6402");
    line("swap: usage 0kB, limit 0kB, failcnt 0");
    line(&format!("Memory cgroup stats for {pod}:"));
    for key in ["anon", "file", "kernel_stack", "pagetables", "sock", "shmem", "slab", "pgfault", "pgscan"] {
        line(&format!("{key} 98742272"));
    }
    line("Tasks state (memory values in pages):");
    line("[  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name");
    for process in 0..100 {
        line(&format!(
            "[{:7}]     0 {:5}    74798    23376   487424        0           969 worker",
            number + process,
            number + process
        ));
    }
    line(&format!(
        "oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset={container},mems_allowed=0,oom_memcg={pod},task_memcg={pod}/{container},task=worker,pid={number},uid=0"
    ));
    line(&format!(
        "Memory cgroup out of memory: Killed process {number} (worker) total-vm:299192kB, anon-rss:93176kB, file-rss:316kB, shmem-rss:12kB, UID:0 pgtables:476kB oom_score_adj:969"
    ));
    line(&format!("oom_reaper: reaped process {number} (worker), now anon-rss:0kB, file-rss:0kB, shmem-rss:0kB"));
}

#[divan::bench(args = LOGS)]
fn decoded(bencher: divan::Bencher<'_, '_>, which: &str) {
    let artifact = chosen(which);
    bencher.counter(BytesCount::new(artifact.bytes.len())).bench(|| decode(ArtifactId(0), divan::black_box(artifact)));
}

/// What kind of text it is, found out before: without it, a text of many kinds is a text of none.
#[divan::bench(args = LOGS)]
fn detected(bencher: divan::Bencher<'_, '_>, which: &str) {
    let artifact = Artifact { kind: None, ..chosen(which).clone() };
    bencher.counter(BytesCount::new(artifact.bytes.len())).bench(|| decode(ArtifactId(0), divan::black_box(&artifact)));
}

/// The floor: the same bytes, looking only for the ends of lines.
#[divan::bench(args = LOGS)]
fn lines_only(bencher: divan::Bencher<'_, '_>, which: &str) {
    let artifact = chosen(which);
    bencher
        .counter(BytesCount::new(artifact.bytes.len()))
        .bench(|| memchr::memchr_iter(b'\n', divan::black_box(&artifact.bytes)).fold(0, |sum, at| sum ^ at));
}

fn chosen(which: &str) -> &'static Artifact {
    match which {
        "syslog" => &SYSLOG,
        "reports" => &REPORTS,
        "dmesg" => &DMESG,
        "kmsg" => &KMSG,
        _ => &KERN,
    }
}
