//! Small evidence that many tests are about: one pod, web in shop, with one container, app.

use oomph_core::artifact::Artifact;
use oomph_core::diagnosis::Diagnosis;
use oomph_core::why::{Ask, why};
use serde_json::{Value, json};

/// The container's id.
pub(crate) const ID: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
/// That of the life before.
pub(crate) const EARLIER: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
/// The pod's uid.
pub(crate) const UID: &str = "11111111-2222-3333-4444-555555555555";

/// Objects as kubectl prints a list of them.
pub(crate) fn objects(items: &[Value]) -> Artifact {
    Artifact::new("objects.json", json!({"apiVersion": "v1", "items": items, "kind": "List"}).to_string())
}

/// A kernel's log.
pub(crate) fn log(text: impl Into<String>) -> Artifact {
    Artifact::new("kern.log", text.into())
}

/// Every diagnosis of the evidence.
pub(crate) fn explain(artifacts: &[Artifact]) -> Vec<Diagnosis> {
    why(artifacts, Vec::new(), Vec::new(), &Ask::default()).diagnoses
}

/// The only one.
#[track_caller]
pub(crate) fn only(artifacts: &[Artifact]) -> Diagnosis {
    let mut all = explain(artifacts);
    assert_eq!(all.len(), 1, "{:?}", all.iter().map(|it| (it.verdict, &it.summary)).collect::<Vec<_>>());
    all.remove(0)
}

/// A report of a kill in the pod's cgroup: `rows` of pid and name, the first the victim.
pub(crate) fn kill(at: &str, id: &str, rows: &[(u32, &str)]) -> String {
    let head = format!("2026-03-01T{at}.5Z n1 kernel:");
    let pod = format!("/kubepods/burstable/pod{UID}");
    let (pid, comm) = rows[0];
    let table: String = rows
        .iter()
        .map(|(pid, comm)| {
            format!("{head} [ {pid:>6}]     0 {pid:>6}     1000      500    40960        0           999 {comm}\n")
        })
        .collect();
    format!(
        "{head} {comm} invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=999\n\
         {head} memory: usage 24576kB, limit 24576kB, failcnt 9\n\
         {head} Tasks state (memory values in pages):\n\
         {head} [  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name\n{table}\
         {head} oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=x,mems_allowed=0,oom_memcg={pod},\
         task_memcg={pod}/{id},task={comm},pid={pid},uid=0\n\
         {head} Memory cgroup out of memory: Killed process {pid} ({comm}) total-vm:9000kB, anon-rss:8000kB, \
         file-rss:4kB, shmem-rss:0kB, UID:0 pgtables:40kB oom_score_adj:999\n"
    )
}

/// A log of the whole morning with these reports in it.
pub(crate) fn whole_log(reports: &str) -> Artifact {
    let quiet = (0..360).map(|n| {
        format!(
            "2026-03-01T{:02}:{:02}:{:02}.0Z n1 kernel: eth0: link is up, {n}\n",
            9 + n / 120,
            n / 2 % 60,
            n % 2 * 30
        )
    });
    let mut lines: Vec<String> = quiet.chain(reports.split_inclusive('\n').map(str::to_owned)).collect();
    lines.sort_by_key(|line| line.split(' ').next().map(str::to_owned));
    log(lines.concat())
}
