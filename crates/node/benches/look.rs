//! How long a look at a process takes, beside the floor: reading the same bytes of its page table and nothing else.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::FileExt;
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;

use divan::Bencher;
use oomph_node::process::{Frames, Process};

fn main() {
    divan::main();
    // Statics are not dropped.
    for target in [&ANONYMOUS, &SHARED] {
        if let Some(target) = LazyLock::get(target) {
            let _ = Command::new("kill").arg(target.id().to_string()).status();
        }
    }
}

/// A GiB of anonymous memory in small pages.
static ANONYMOUS: LazyLock<Child> = LazyLock::new(|| {
    start("x = mmap.mmap(-1, 1 << 30, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS); x.madvise(15); fill(x)")
});

/// A GiB of shared memory.
static SHARED: LazyLock<Child> = LazyLock::new(|| start("x = mmap.mmap(-1, 1 << 30); fill(x)"));

fn start(script: &str) -> Child {
    let script = format!(
        "import mmap, time\ndef fill(x):\n    for at in range(0, 1 << 30, 4096): x[at] = 1\n{script}\n\
         print('ready', flush=True)\ntime.sleep(600)"
    );
    let mut child =
        Command::new("python3").args(["-c", &script]).stdout(Stdio::piped()).spawn().expect("python3 starts");
    let output = child.stdout.take().expect("its output is a pipe");
    BufReader::new(output).read_line(&mut String::new()).expect("it says that it is ready");
    child
}

/// The whole look at a process of 1 GiB.
#[divan::bench]
fn look_at_anonymous_memory(bencher: Bencher<'_, '_>) {
    let pid = ANONYMOUS.id();
    bencher.bench_local(|| Process::look(pid, &mut Frames::default()).expect("it is there").residency.total());
}

/// The same where every page is asked after who pays for it.
#[divan::bench]
fn look_at_shared_memory(bencher: Bencher<'_, '_>) {
    let pid = SHARED.id();
    let frames = || Frames::charged_to([1]).unwrap_or_default();
    bencher
        .with_inputs(frames)
        .bench_local_refs(|frames| Process::look(pid, frames).expect("it is there").residency.total());
}

/// The floor: the page table's entries, read and dropped.
#[divan::bench]
fn read_the_same_entries(bencher: Bencher<'_, '_>) {
    let pid = ANONYMOUS.id();
    let process = Process::look(pid, &mut Frames::default()).expect("it is there");
    let pagemap = File::open(format!("/proc/{pid}/pagemap")).expect("it is there");
    let mut bytes = vec![0; 64 << 10];
    bencher.bench_local(|| {
        for mapping in process.mappings.iter().filter(|mapping| mapping.length() < 2 << 30) {
            let mut at = mapping.start / 512;
            while at < mapping.end / 512 {
                let length = usize::try_from(mapping.end / 512 - at).unwrap_or(bytes.len()).min(bytes.len());
                let Ok(1..) = pagemap.read_at(&mut bytes[..length], at) else { break };
                at += length as u64;
            }
        }
    });
}
