//! `oomph why`: gathers evidence, asks the core, prints the answer.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::rc::Rc;

use anyhow::{Context, Result, bail};
use clap::Args;
use jiff::Timestamp;
use oomph_cluster::kube::{self, Target};
use oomph_core::artifact::{Artifact, Captured, Kind};
use oomph_core::decode::detect;
use oomph_core::diagnosis::{Document, GapReport, SourceState, Verdict};
use oomph_core::report;
use oomph_core::why::{Ask, why};

use super::{Exit, Global, Output, follow, since::Since};
use crate::files::{self, Files};
use crate::sources::{self, Cluster, Containers, Gathered, Live, Otherwise};
use crate::ui::Ui;

pub(super) const EXAMPLES: &str = "  \
  oomph why                                  every death in the current namespace
  oomph why deploy/checkout --since 2h       of one workload, in the last two hours
  oomph why -f pods.json events.json dmesg   from files, joined into one answer
  dmesg | oomph why checkout-7d9f -f -       the node's log beside what the API says
  oomph why --docker web -o markdown         a Docker container, for a ticket

Exit codes: 0 nothing needs action, 1 something was found, 2 the work could not be done.";

#[derive(Debug, Args)]
pub(super) struct Why {
    /// A pod, or a workload as TYPE/NAME
    #[arg(value_name = "POD|TYPE/NAME")]
    target: Option<Target>,
    /// Files, folders, or - for stdin; the kind of each is detected
    #[arg(short = 'f', long = "filename", value_name = "PATH", num_args = 1..)]
    files: Vec<PathBuf>,
    /// Ask Docker or Podman, about all containers or one
    #[arg(long, value_name = "NAME", num_args = 0..=1, default_missing_value = "")]
    docker: Option<Containers>,
    /// Ask this node: kernel log and cgroup counters
    #[arg(long)]
    node: bool,
    /// Go on and report each new death
    #[arg(short, long)]
    watch: bool,
    /// Only deaths since: 10m, 2h, 1d, or a date
    #[arg(long, value_name = "TIME")]
    since: Option<Since>,
}

/// The question, put to evidence as often as needed.
pub(super) struct Question {
    pub(super) ask: Ask,
    pub(super) live: Rc<Live>,
    /// Only containers of this node.
    node: Option<String>,
    files: Files,
}

/// One answer, and how it was reached.
pub(super) struct Answer {
    pub(super) document: Document,
    /// What had to be read and could not.
    pub(super) failures: Vec<String>,
    /// What was given and could not be understood, a pod's name included.
    pub(super) not_understood: Vec<String>,
}

impl Why {
    pub(super) fn run(self, global: &Global, ui: Ui) -> Result<Exit> {
        if self.files.iter().filter(|path| path.as_os_str() == "-").count() > 1 {
            bail!("stdin can be read once; give `-f -` one time");
        }
        let stdin = self.files.iter().any(|path| path.as_os_str() == "-");
        if stdin && std::io::stdin().is_terminal() {
            ui.note("reading from the terminal; end with Ctrl-D");
        }
        let watch = self.watch;
        let mut question = self.question(global, Timestamp::now())?;
        for artifact in &question.files.captured.artifacts {
            ui.detail(&artifact.name);
        }
        if question.live.is_empty() {
            return question.answer(Gathered::default()).tell(global.output, ui);
        }
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .context("cannot start the network's event loop")?;
        runtime.block_on(async {
            if watch {
                return Box::pin(follow::follow(&mut question, global.output, ui)).await;
            }
            let gathered = ui.waiting("gathering evidence", Box::pin(question.live.gather())).await;
            for artifact in &gathered.captured.artifacts {
                ui.detail(&artifact.name);
            }
            question.answer(gathered).tell(global.output, ui)
        })
    }

    /// What is asked, and of whom.
    fn question(self, global: &Global, now: Timestamp) -> Result<Question> {
        let files = files::read(&self.files);
        let since = self.since.map(|since| since.before(now));
        let live = Live { cluster: self.cluster(global, &files, since), docker: self.docker.clone(), node: self.node };
        if self.watch && live.is_empty() {
            bail!(
                "files do not change by themselves; leave out -w, or name a live source (--node, --docker, --context)"
            );
        }
        if global.selector.is_some() && live.cluster.is_none() {
            bail!("-l selects pods of a cluster, and only files or a node are asked; name the pod in its place");
        }
        let mut ask = Ask {
            namespace: global.namespace.clone().filter(|_| !global.all_namespaces),
            container: global.container.clone(),
            since,
            now: Some(now),
            ..Ask::default()
        };
        let mut node = None;
        match self.target {
            Some(Target::Pod(name)) => ask.pod = Some(name),
            Some(Target::Workload { kind, name }) if kind == "Node" => node = Some(name),
            Some(Target::Workload { kind, name }) => ask.owner = Some((kind, name)),
            None => {}
        }
        Ok(Question { ask, live: Rc::new(live), node, files })
    }

    /// Whether and how the cluster is asked: always when nothing else is given or a context is named; besides other
    /// evidence when a target is named that this evidence does not describe.
    fn cluster(&self, global: &Global, files: &Files, since: Option<Timestamp>) -> Option<Cluster> {
        let alone = self.files.is_empty() && self.docker.is_none() && !self.node;
        let otherwise = if global.kubeconfig.is_some() || global.context.is_some() || (alone && self.target.is_some()) {
            Otherwise::Fail
        } else if alone {
            Otherwise::Node
        } else if self.target.is_some() && !describes_containers(&files.captured.artifacts) {
            Otherwise::GoOn
        } else {
            return None;
        };
        let ask = kube::Ask {
            target: self.target.clone(),
            namespace: global.namespace.clone(),
            all_namespaces: global.all_namespaces,
            selector: global.selector.clone(),
            container: global.container.clone(),
            since,
            kubeconfig: global.kubeconfig.clone(),
            context: global.context.clone(),
            ..kube::Ask::default()
        };
        Some(Cluster { ask, otherwise })
    }
}

/// Whether files already say what the API would: objects, a `describe`, an engine's view.
fn describes_containers(artifacts: &[Artifact]) -> bool {
    let tells = |kind| {
        matches!(
            kind,
            Kind::KubernetesJson
                | Kind::KubernetesYaml
                | Kind::Describe
                | Kind::Table
                | Kind::EngineInspect
                | Kind::CriInspect
        )
    };
    artifacts.iter().any(|artifact| detect::segments(artifact).iter().any(|segment| tells(segment.kind)))
}

/// Whether anything that was read names the pod: a healthy one has no diagnosis, and neither has a misspelt one.
fn speaks_of(captured: &Captured, pod: &str) -> bool {
    let finder = memchr::memmem::Finder::new(pod);
    captured
        .artifacts
        .iter()
        .any(|artifact| artifact.about.pod.as_deref() == Some(pod) || finder.find(&artifact.bytes).is_some())
}

impl Question {
    /// Joins the files with what the live sources gave, and judges. The files' bytes are not copied for it: they may
    /// be large.
    pub(super) fn answer(&mut self, gathered: Gathered) -> Answer {
        let captured = &mut self.files.captured;
        let of_files = (captured.artifacts.len(), captured.sources.len(), captured.gaps.len());
        captured.append(gathered.captured);
        let (sources, gaps) = sources::reports(captured);
        let known = gaps.len();
        let mut document = why(&captured.artifacts, sources, gaps, &self.ask);
        let unheard_of = self.ask.pod.as_ref().filter(|pod| document.diagnoses.is_empty() && !speaks_of(captured, pod));
        let unheard_of =
            unheard_of.map(|pod| format!("no evidence speaks of pod {pod}; check its name and the namespace (-n)"));
        captured.artifacts.truncate(of_files.0);
        captured.sources.truncate(of_files.1);
        captured.gaps.truncate(of_files.2);
        if let Some(node) = &self.node {
            document.diagnoses.retain(|diagnosis| diagnosis.subject.node.as_ref() == Some(node));
        }
        let mut failures = self.files.failures.clone();
        failures.extend(gathered.failures);
        let mut not_understood = self.not_understood(&document, known);
        not_understood.extend(unheard_of);
        Answer { document, failures, not_understood }
    }

    /// The files, or parts of them, that could not be understood. In a folder a file of no known kind is nothing
    /// special, unless all are.
    fn not_understood(&self, document: &Document, known_gaps: usize) -> Vec<String> {
        let artifacts = &self.files.captured.artifacts;
        let unknown = |name: &str| document.sources.iter().any(|source| source.name == name && source.kind == UNKNOWN);
        let all = artifacts.iter().all(|artifact| unknown(&artifact.name));
        let of_no_kind = artifacts
            .iter()
            .filter(|artifact| unknown(&artifact.name) && (all || self.files.named.contains(&artifact.name)))
            .map(|artifact| {
                if artifact.bytes.iter().all(u8::is_ascii_whitespace) {
                    format!("{} is empty", artifact.name)
                } else {
                    format!("nothing in {} was recognised; {KINDS}", artifact.name)
                }
            });
        let in_part = document.gaps.iter().skip(known_gaps).filter(|gap| !unknown(&gap.what) && !artifacts.is_empty());
        let mut out: Vec<String> = of_no_kind.collect();
        out.extend(in_part.map(|GapReport { what, because, .. }| format!("{what}: {because}")));
        out
    }
}

/// How the core reports the kind of a source in which nothing was recognised.
const UNKNOWN: &str = "unknown";

const KINDS: &str = "give pods or events as JSON or YAML, `kubectl describe`, a kernel log, `docker inspect` or a \
                     container's log";

impl Answer {
    /// Prints the answer and says how to exit.
    fn tell(&self, output: Output, ui: Ui) -> Result<Exit> {
        let found = self.found();
        let failures = self.failures.iter().chain(self.not_understood.iter().filter(|_| !found));
        for failure in failures {
            ui.error(failure);
        }
        // Text about evidence that could not be had would only repeat the errors; a machine gets its document always.
        if output != Output::Text || self.has_read() || !self.document.diagnoses.is_empty() {
            ui.print(&render(&self.document, output, ui))?;
        }
        Ok(self.exit())
    }

    fn found(&self) -> bool {
        self.document.diagnoses.iter().any(|diagnosis| diagnosis.verdict != Verdict::Completed)
    }

    fn has_read(&self) -> bool {
        let read = |state| matches!(state, SourceState::Read | SourceState::Partial);
        self.document.sources.iter().any(|source| read(source.status) && source.kind != UNKNOWN)
    }

    /// What was named and could not be read outweighs what was found: the answer may be wrong for it.
    pub(super) fn exit(&self) -> Exit {
        if !self.failures.is_empty() {
            Exit::Failed
        } else if self.found() {
            Exit::Found
        } else if !self.not_understood.is_empty() || !self.has_read() {
            Exit::Failed
        } else {
            Exit::Nothing
        }
    }
}

/// The document in the form asked for.
pub(super) fn render(document: &Document, output: Output, ui: Ui) -> String {
    match output {
        Output::Text if ui.is_quiet() => report::brief(document, ui.style(), ui.width()),
        Output::Text => report::text(document, ui.style(), ui.width()),
        Output::Json => report::json(document),
        Output::Yaml => report::yaml(document),
        Output::Markdown => report::markdown(document),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The question put to files, as if `files::read` had read them from the command line.
    fn question(files: &[(&str, Option<Kind>, &str)], named: &[&str]) -> Question {
        let artifacts =
            files.iter().map(|(name, kind, text)| Artifact { kind: *kind, ..Artifact::new(*name, *text) }).collect();
        let captured = Captured { artifacts, ..Captured::default() };
        let named = named.iter().map(|name| (*name).to_owned()).collect();
        let files = Files { captured, named, failures: Vec::new() };
        Question { ask: Ask::default(), live: Rc::new(Live::default()), node: None, files }
    }

    fn answer(files: &[(&str, Option<Kind>, &str)], named: &[&str]) -> Answer {
        question(files, named).answer(Gathered::default())
    }

    const QUIET_LOG: (&str, Option<Kind>, &str) =
        ("dmesg", Some(Kind::KernelLog), "[    1.000000] Linux version 6.12.0\n[    2.000000] eth0: link up\n");

    const KILL: (&str, Option<Kind>, &str) = (
        "kern.log",
        Some(Kind::KernelLog),
        "[10.000001] oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=/batch,\
         task_memcg=/batch,task=hog,pid=10,uid=0\n[10.000002] Memory cgroup out of memory: Killed process 10 (hog) \
         total-vm:2000kB, anon-rss:1000kB, file-rss:4kB, shmem-rss:0kB, UID:0 pgtables:40kB oom_score_adj:0\n",
    );

    #[test]
    fn a_log_without_kills_needs_no_action() {
        let answer = answer(&[QUIET_LOG], &["dmesg"]);
        assert_eq!(answer.not_understood, [""; 0]);
        assert_eq!(answer.exit(), Exit::Nothing);
    }

    #[test]
    fn a_kill_is_found() {
        assert_eq!(answer(&[QUIET_LOG, KILL], &["dmesg", "kern.log"]).exit(), Exit::Found);
    }

    #[test]
    fn a_named_file_of_no_known_kind_is_a_failure_and_one_in_a_folder_is_not() {
        let readme = ("README", None, "how these files were made\n");
        assert_eq!(answer(&[QUIET_LOG, readme], &["dmesg", "README"]).exit(), Exit::Failed);
        assert_eq!(answer(&[QUIET_LOG, readme], &["dmesg"]).exit(), Exit::Nothing);
        assert_eq!(answer(&[readme], &[]).exit(), Exit::Failed, "nothing in the folder was recognised");
    }

    #[test]
    fn what_was_named_and_not_read_outweighs_what_was_found() {
        let mut answer = answer(&[KILL], &["kern.log"]);
        answer.failures.push("cannot read pods.json: there is no such file; check the path".into());
        assert_eq!(answer.exit(), Exit::Failed);
    }

    #[test]
    fn a_pod_that_no_evidence_names_is_a_failure_and_a_healthy_one_is_not() {
        let events = ("events", Some(Kind::KernelLog), "[    1.000000] Linux version 6.12.0 on checkout-7d9f\n");
        for (pod, exit) in [("checkout-7d9f", Exit::Nothing), ("chekcout-7d9f", Exit::Failed)] {
            let mut question = question(&[events], &["events"]);
            question.ask.pod = Some(pod.into());
            assert_eq!(question.answer(Gathered::default()).exit(), exit, "{pod}");
        }
    }

    #[test]
    fn a_node_as_target_leaves_the_deaths_of_others_out() {
        let mut question = question(&[KILL], &[]);
        question.node = Some("node-b".into());
        assert!(question.answer(Gathered::default()).document.diagnoses.is_empty());
    }
}
