//! Real Node.js processes of every version at hand, read from outside and compared with what they say of themselves.

mod support;

use std::path::PathBuf;
use std::process::Command;

use oomph_core::runtime::{self, Name, Reading};
use oomph_node::process::{Frames, Process};
use support::{Started, cache, missing, sources};

const VERSIONS: [u32; 6] = [16, 18, 20, 22, 24, 26];

fn node(version: &str) -> PathBuf {
    cache().join("node").join(version).join("node")
}

fn start(program: &PathBuf, words: &[&str]) -> Started {
    let (options, arguments): (Vec<&str>, Vec<&str>) = words.iter().partition(|word| word.starts_with('-'));
    Started::new(Command::new(program).args(options).arg(sources("node").join("quiet.js")).args(arguments))
}

fn look(it: &Started) -> Reading {
    let process = Process::look(it.pid(), &mut Frames::default()).unwrap();
    runtime::read(&process.target(None))
}

#[test]
fn explore() {
    let versions = std::env::var("VERSIONS").unwrap_or_default();
    let words = std::env::var("WORDS").unwrap_or_default();
    for version in versions.split_whitespace() {
        let it = start(&node(version), &words.split_whitespace().collect::<Vec<_>>());
        let before = std::time::Instant::now();
        let r = look(&it);
        println!("== {version} {:?} {:?} {:?}", r.version, r.resolved, before.elapsed());
        let d = |a: Option<oomph_core::units::Bytes>, k: &str| {
            println!("   {k}: {:?} diff {:?}", a, a.map(|a| a.0 as i64 - it.number(k) as i64))
        };
        d(r.heap.committed, "heapTotal");
        d(r.heap.used, "heapUsed");
        d(r.heap.max, "limit");
        d(r.external, "arrayBuffers");
        for i in &r.inside {
            let key = format!("{}.used", i.name.trim_start_matches("objects in ").replace(' ', "_"));
            if it.line.contains(&format!(" {key}=")) {
                println!("      {} {:?} diff {}", i.name, i.bytes, i.bytes.0 as i64 - it.number(&key) as i64);
            }
        }
        println!("   areas {} gaps {:?}", r.areas.len(), r.gaps);
    }
}
