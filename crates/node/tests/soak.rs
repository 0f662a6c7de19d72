//! Programs that allocate, fork, start others and end as fast as they can are asked where their memory went, again and
//! again: nothing crashes, nobody gets stuck or is changed, and every answer is of one moment or says that it is not.
//!
//! Several ask at once, since each waits for the locks of whom it asks. `OOMPH_SOAK=1` asks 10,000 times.
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "it is all test code, and figures are printed")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

use cgroup::Cgroup;
use oomph_core::units::Bytes;
use oomph_core::waterfall::{Subject, Waterfall};
use oomph_node::inspect;
use support::Started;

#[path = "support/cgroup.rs"]
mod cgroup;
mod support;

/// Each writes a byte into a file of its name for each round, and ends where memory does not hold what it wrote.
const RESTLESS: &str = "
import mmap, os, sys
folder = sys.argv[1]
def rounds(name, one):
    count = os.open(folder + '/' + name, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    number = 0
    while True:
        number += 1
        one(number)
        os.write(count, b'x')
def allocate(number):
    objects = [bytes([number % 256]) * (at % 500) for at in range(3000)]
    large = bytearray([number % 256]) * (3 << 20)
    shared = mmap.mmap(-1, 1 << 20)
    for at in range(0, 1 << 20, 4096): shared[at] = number % 256
    same = large.count(number % 256) == len(large) and all(shared[at] == number % 256 for at in range(0, 1 << 20, 4096))
    if not same or any(it.count(number % 256) != len(it) for it in objects): os._exit(9)
def fork(number):
    child = os.fork()
    if child == 0:
        allocate(number)
        os._exit(0)
    if os.waitpid(child, 0)[1] != 0: os._exit(9)
def spawn(number):
    if os.spawnvp(os.P_WAIT, 'true', ['true']) != 0: os._exit(9)
for name, one in ('allocate', allocate), ('fork', fork), ('spawn', spawn):
    if os.fork() == 0: rounds(name, one)
if os.fork() == 0:
    with open(folder + '/exec.sh', 'w') as file: file.write('printf x >> \"$1\"; exec sh \"$0\" \"$1\"')
    os.execvp('sh', ['sh', folder + '/exec.sh', folder + '/exec'])
kept = [bytes(400) for _ in range(20000)]
print('ready', flush=True)
os.wait()
";

/// The same in JavaScript, whose collector moves what lives.
const NODE: &str = "
const fs = require('fs'), count = fs.openSync(process.argv[1], 'a');
console.log('ready');
let kept = [];
for (let number = 0; ; number++) {
    const list = Array.from({ length: 20000 }, (_, at) => ({ at, text: 'x' + at + number }));
    kept.push(list, Buffer.alloc(1 << 20, number % 256));
    if (kept.length > 20) kept = kept.slice(2);
    for (const it of kept) if (Array.isArray(it) ? it[7].at !== 7 : it[0] !== it[it.length - 1]) process.exit(9);
    fs.writeSync(count, 'x');
}
";

/// And in Java.
const JAVA: &str = "\
import java.io.FileOutputStream;
import java.util.ArrayDeque;
public class Churn {
    public static void main(String[] arguments) throws Exception {
        FileOutputStream count = new FileOutputStream(arguments[0]);
        ArrayDeque<long[]> kept = new ArrayDeque<>();
        System.out.println(\"ready\");
        for (long number = 0; ; number++) {
            for (int at = 0; at < 50; at++) kept.add(new long[] {number, number, new byte[2000].length});
            while (kept.size() > 20000) if (kept.peek()[0] != kept.poll()[1]) System.exit(9);
            if (number % 100 == 0) count.write('x');
        }
    }
}
";

/// How many ask at the same time.
const ASKING: usize = 4;

/// Programs in a cgroup, and the files that tell how far they are.
struct Restless {
    name: &'static str,
    cgroup: Cgroup,
    started: Started,
    counts: Vec<PathBuf>,
}

impl Restless {
    fn new(name: &'static str, folder: &Path, counts: &[&str], command: &[&str]) -> Option<Self> {
        let cgroup = Cgroup::new(&format!("soak-{name}"))?;
        let mut enter = Command::new("sh");
        enter.args(["-c", "echo $$ > \"$0\" && exec \"$@\""]).arg(cgroup.folder().join("cgroup.procs"));
        let started = Started::new(enter.args(command).stderr(Stdio::inherit()));
        let counts = counts.iter().map(|count| folder.join(count)).collect();
        Some(Self { name, cgroup, started, counts })
    }

    fn rounds(&self) -> Vec<u64> {
        self.counts.iter().map(|path| fs::metadata(path).map_or(0, |file| file.len())).collect()
    }

    /// All of them make a round.
    fn is_stuck_since(&self, rounds: &[u64]) -> bool {
        let began = Instant::now();
        while self.rounds().iter().zip(rounds).any(|(later, sooner)| later <= sooner) {
            if began.elapsed() > Duration::from_mins(1) {
                return true;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        false
    }
}

fn has(program: &str) -> bool {
    let there = Command::new(program).arg("-version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    there.is_ok()
}

fn restless(folder: &Path) -> Vec<Restless> {
    let path = |name: &str| folder.join(name).display().to_string();
    let names = ["allocate", "fork", "spawn", "exec"];
    fs::write(folder.join("Churn.java"), JAVA).unwrap();
    let compiled = Command::new("javac").arg("-d").arg(folder).arg(path("Churn.java")).status();
    let mut all: Vec<Restless> = Vec::new();
    all.extend(Restless::new("python", folder, &names, &["python3", "-c", RESTLESS, &path("")]));
    if has("node") {
        all.extend(Restless::new("node", folder, &["node"], &["node", "-e", NODE, &path("node")]));
    } else {
        println!("not there: node, so that no JavaScript is asked");
    }
    if compiled.is_ok_and(|it| it.success()) {
        let java = ["java", "-Xmx128m", "-cp", &path(""), "Churn", &path("java")];
        all.extend(Restless::new("java", folder, &["java"], &java));
    } else {
        println!("not there: javac, so that no Java is asked");
    }
    all
}

/// What was seen of one cgroup.
#[derive(Debug, Default)]
struct Figures {
    probes: u32,
    torn_looks: usize,
    never_whole: u32,
    longest: Duration,
    /// How often each was missing.
    gaps: BTreeMap<String, u32>,
}

impl Figures {
    fn add(&mut self, looked: &inspect::Looked, took: Duration) {
        self.probes += 1;
        self.torn_looks += looked.torn.len();
        self.never_whole += u32::from(looked.torn.len() == inspect::LOOKS_MAX);
        self.longest = self.longest.max(took);
        for gap in &looked.waterfall.gaps {
            let words = format!("{}: {}", gap.what, gap.because);
            // Numbers are of this process and this moment.
            let words: String = words.chars().filter(|c| !c.is_ascii_digit()).collect();
            *self.gaps.entry(words).or_default() += 1;
        }
    }
}

fn adds_up(waterfall: &Waterfall) -> bool {
    let parts: i128 = waterfall.parts.iter().map(|part| i128::from(part.bytes.0)).sum();
    parts + i128::from(waterfall.unexplained_bytes) == i128::from(waterfall.charged_bytes.0)
}

/// Asks one of the programs where its memory went; whatever the answer is, it is of one moment or says that it is not.
fn ask<'a>(
    all: &'a [Restless],
    probe: usize,
    used: &OnceLock<Option<Bytes>>,
    figures: &Mutex<BTreeMap<&'a str, Figures>>,
) {
    // Of six, four are of the programs that start others.
    let target = match probe % 6 {
        4 => &all[1 % all.len()],
        5 => &all[2 % all.len()],
        _ => &all[0],
    };
    let started = Instant::now();
    let looked = inspect::look(&target.cgroup.hierarchy, &target.cgroup.path, &Subject::default(), inspect::LOOKS_MAX);
    figures.lock().unwrap().entry(target.name).or_default().add(&looked, started.elapsed());
    let waterfall = &looked.waterfall;
    assert!(adds_up(waterfall), "{waterfall:#?}");
    assert!(waterfall.charged_bytes.0 > 1 << 20 && !waterfall.processes.is_empty(), "{waterfall:#?}");
    let says_so = waterfall.gaps.iter().any(|gap| gap.what.ends_with("at one moment"));
    assert_eq!(says_so, looked.torn.len() == inspect::LOOKS_MAX, "{:?} {:#?}", looked.torn, waterfall.gaps);
    if let Some(resting) = waterfall.processes.iter().find(|it| it.pid == all[0].started.pid()) {
        // Whatever the others do, what is said of it is always the same.
        let heap = resting.runtime.heap.used_bytes;
        assert!(heap.is_some() && *used.get_or_init(|| heap) == heap, "{used:?} {:#?}", waterfall.gaps);
    }
}

#[test]
fn whoever_never_rests_gets_an_answer_of_one_moment_or_is_told_that_there_is_none_and_is_not_harmed() {
    let probes = if std::env::var_os("OOMPH_SOAK").is_some() { 10_000 } else { 60 };
    let folder = tempfile::tempdir().unwrap();
    let all = restless(folder.path());
    if all.is_empty() {
        return support::missing("root and a memory cgroup");
    }
    // The parent of the first ones rests; looking must not change it.
    let before = all[0].started.footprint_at_rest();
    let began: Vec<Vec<u64>> = all.iter().map(Restless::rounds).collect();
    let figures: Mutex<BTreeMap<&str, Figures>> = Mutex::default();
    let used = OnceLock::new();
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..ASKING {
            scope.spawn(|| {
                for probe in
                    std::iter::repeat_with(|| next.fetch_add(1, Ordering::Relaxed)).take_while(|it| *it < probes)
                {
                    ask(&all, probe, &used, &figures);
                }
            });
        }
        scope.spawn(|| {
            let mut since = began.clone();
            while next.load(Ordering::Relaxed) < probes {
                for (target, rounds) in all.iter().zip(&mut since) {
                    assert!(!target.is_stuck_since(rounds), "{} {rounds:?}", target.name);
                    *rounds = target.rounds();
                }
                std::thread::sleep(Duration::from_secs(1));
            }
        });
    });
    let figures = figures.into_inner().unwrap();
    println!("{figures:#?}");
    let [resident, tables, threads] = all[0].started.footprint_at_rest();
    let kib = |line: &str| line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap();
    // In so long a time the kernel may take pages of files away; looking adds none.
    assert!(kib(&resident) <= kib(&before[0]), "{resident}, before {}", before[0]);
    assert_eq!([&tables, &threads], [&before[1], &before[2]]);
    for (target, began) in all.iter().zip(&began) {
        println!("{}: rounds {began:?} to {:?}", target.name, target.rounds());
        assert!(!target.is_stuck_since(&target.rounds()), "{}", target.name);
    }
}
