//! `oomph why`: gathers evidence, asks the core, prints the answer.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::rc::Rc;

use anyhow::{Result, bail};
use clap::Args;
use jiff::Timestamp;
use oomph_cluster::kube::{self, Target};
use oomph_core::artifact::{Artifact, Kind};
use oomph_core::decode::detect;
use oomph_core::diagnosis::Document;
use oomph_core::report;
use oomph_core::why::Ask;

use super::question::{Answer, Only, Question};
use super::{Exit, Global, Output, event_loop, follow, since::Since};
use crate::files::{self, Files};
use crate::sources::{Cluster, Containers, Gathered, Live, Otherwise};
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
            return tell(&question.answer(Gathered::default()), global.output, ui);
        }
        event_loop()?.block_on(async {
            if watch {
                return Box::pin(follow::follow(&mut question, global.output, ui)).await;
            }
            let gathered = ui.waiting("gathering evidence", Box::pin(question.live.gather())).await;
            for artifact in &gathered.captured.artifacts {
                ui.detail(&artifact.name);
            }
            tell(&question.answer(gathered), global.output, ui)
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
            shown_only: global.selector.is_some(),
            container: global.container.clone(),
            since,
            now: Some(now),
            ..Ask::default()
        };
        let mut only = Only::All;
        match self.target {
            Some(Target::Pod(name)) => ask.pod = Some(name),
            Some(Target::Workload { kind, name }) if kind == "Node" => only = Only::OnNode(name),
            Some(Target::Workload { kind, name }) => ask.owner = Some((kind, name)),
            None => {
                if let Some(Containers::Named(name)) = self.docker {
                    ask.container = ask.container.or_else(|| Some(name.clone()));
                    only = Only::OfContainer(name);
                }
            }
        }
        Ok(Question { ask, live: Rc::new(live), only, files })
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

/// Prints the answer and says how to exit.
fn tell(answer: &Answer, output: Output, ui: Ui) -> Result<Exit> {
    let found = answer.found();
    let failures = answer.failures.iter().chain(answer.not_understood.iter().filter(|_| !found));
    for failure in failures {
        ui.error(failure);
    }
    // Text about evidence that could not be had would only repeat the errors, where there are any; a machine gets its
    // document always.
    let told = answer.failures.iter().chain(&answer.not_understood).next().is_some();
    if output != Output::Text || answer.has_read() || !told || !answer.document.diagnoses.is_empty() {
        ui.print(&render(&answer.document, output, ui))?;
    }
    Ok(answer.exit())
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
