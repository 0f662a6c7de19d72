use oomph_core::{artifact::*, decode::decode, fact::*};
fn main() {
    for path in std::env::args().skip(1) {
        let mut a = Artifact::new("x", std::fs::read(&path).unwrap());
        a.kind = Some(Kind::KernelLog);
        let d = decode(ArtifactId(0), &a);
        println!("== {path}");
        for f in &d.facts {
            match &f.what {
                What::Kill(k) => {
                    println!(
                        "KILL {} node={:?} at={:?} up={:?} c={:?} lvl={:?} grp={} sysrq={} trig={:?}\n   oom={:?}\n   task={:?}\n   mem={:?} swap={:?} hit={:?} pod={:?} ctr={:?} rt={:?} qos={:?} cand={} stats={}",
                        f.from.locator(),
                        k.node,
                        k.at,
                        k.uptime_seconds,
                        k.constraint,
                        k.level,
                        k.group,
                        k.sysrq,
                        k.trigger,
                        k.oom_memcg,
                        k.task_memcg,
                        k.memory,
                        k.swap,
                        k.limit_hit,
                        k.pod_uid,
                        k.container_id.as_ref().map(|c| &c[..c.len().min(12)]),
                        k.runtime,
                        k.qos,
                        k.candidates.len(),
                        k.stats.len()
                    );
                    for v in &k.victims {
                        println!("   V {v:?}");
                    }
                }
                o => println!("{o:?}"),
            }
        }
        for c in &d.coverage {
            println!("COV {:?} {:?} {:?} {:?}", c.from, c.to, c.node, c.holes);
        }
    }
}
