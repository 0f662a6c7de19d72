//! `oomph inspect`: where the memory of a container went.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Args;
use oomph_cluster::kube::Target;
use oomph_core::fact::Gap;
use oomph_core::recording;
use oomph_core::report;
use oomph_core::waterfall::{Document, document, grown};
use oomph_node::hierarchy::{self, Hierarchy};

use super::since::Since;
use super::{Exit, Global, Output};
use crate::ui::Ui;

mod cluster;
mod subjects;

use subjects::Subjects;

pub(super) const EXAMPLES: &str = "  \
  oomph inspect                          every container of this node, the closest to a kill first
  oomph inspect checkout-7d9f-x2k4b      a pod that runs on this node
  oomph inspect deploy/checkout --exec   pods of the cluster, by a cat in each container, charged to it
  oomph inspect --docker web             a Docker or Podman container
  oomph inspect --pid 4242 --diff 60s    what grew in a minute, in the container of a process
  oomph inspect --recording app.oomph    the peak of a recorded run

Reading the processes of others takes root, or CAP_SYS_PTRACE and CAP_SYS_ADMIN. Of a pod on another node:
  kubectl debug node/NODE -it --profile=sysadmin --image=IMAGE -- oomph inspect POD

Exit codes: 0 it was looked at, 2 the work could not be done.";

#[derive(Debug, Args)]
pub(super) struct Inspect {
    /// A pod that runs on this node, by its name or uid; with --exec, of the cluster, or a workload as TYPE/NAME
    #[arg(value_name = "POD|TYPE/NAME")]
    pod: Option<Target>,
    /// Read the cluster's pods from inside: runs cat in each container, and its memory is charged to it
    #[arg(long, conflicts_with_all = ["docker", "pid", "cgroup", "recording"])]
    exec: bool,
    /// A container of Docker or Podman, by its name or id
    #[arg(long, value_name = "NAME", conflicts_with = "pod")]
    docker: Option<String>,
    /// The container of this process; the host's pid
    #[arg(long, value_name = "N", conflicts_with_all = ["pod", "docker"])]
    pid: Option<u32>,
    /// A cgroup, by its path below the hierarchy's root or in /sys/fs/cgroup
    #[arg(long, value_name = "PATH", conflicts_with_all = ["pod", "docker", "pid"])]
    cgroup: Option<PathBuf>,
    /// The peak of a recording of oomph run
    #[arg(long, value_name = "FILE", conflicts_with_all = ["pod", "docker", "pid", "cgroup", "watch", "diff"])]
    recording: Option<PathBuf>,
    /// Ask runtimes what they say of themselves: NMT of a JVM, the inspector of Node.js. Signals them, unlike all else
    #[arg(long, conflicts_with_all = ["exec", "recording", "watch", "diff"])]
    attach: bool,
    /// Go on, and show it anew every two seconds
    #[arg(short, long)]
    watch: bool,
    /// Look again after this time, and say what grew: 30s, 5m
    #[arg(long, value_name = "TIME", conflicts_with = "watch")]
    diff: Option<Since>,
}

/// Between two looks.
const INTERVAL: Duration = Duration::from_secs(2);

impl Inspect {
    /// Answers. Whoever asked for a document gets one, also where it says only why there is nothing in it.
    pub(super) fn run(self, global: &Global, ui: Ui) -> Result<Exit> {
        let asked = self.asked();
        self.answer(global, ui).or_else(|error| {
            if global.output == Output::Text {
                return Err(error);
            }
            ui.error(format_args!("{error:#}"));
            let gap = Gap { what: asked, because: format!("{error:#}"), command: String::new() };
            show(&document(Vec::new(), &[gap]), global.output, ui)?;
            Ok(Exit::Failed)
        })
    }

    /// What is asked for, in words.
    fn asked(&self) -> String {
        let of = match (&self.pod, &self.docker, self.pid, &self.cgroup, &self.recording) {
            (Some(Target::Pod(name)), ..) => format!("pod {name}"),
            (Some(Target::Workload { kind, name }), ..) => format!("{kind} {name}"),
            (_, Some(name), ..) => format!("container {name}"),
            (_, _, Some(pid), ..) => format!("process {pid}"),
            (.., Some(path), _) => format!("cgroup {}", path.display()),
            (.., Some(path)) => format!("the recording {}", path.display()),
            _ => "the containers of this node".into(),
        };
        format!("the memory of {of}")
    }

    fn answer(self, global: &Global, ui: Ui) -> Result<Exit> {
        if let Some(path) = &self.recording {
            return show(&recorded(path)?, global.output, ui);
        }
        if matches!(self.diff, Some(Since::At(_))) {
            bail!("--diff takes a time to wait, such as 30s or 5m, not a date");
        }
        if self.exec {
            return self.read_inside(global, ui);
        }
        if self.is_of_cluster(global) {
            return self.advise(global, ui);
        }
        let hierarchy = hierarchy::find().context(
            "no cgroup hierarchy with the memory controller is mounted here; run oomph on the node itself, or in a \
             container that sees its /sys/fs/cgroup",
        )?;
        let subjects = match self.subjects(&hierarchy, global) {
            // Not here; perhaps the cluster knows where.
            Err(error) if self.pod.is_some() => return self.advise_or(error, global, ui),
            subjects => subjects?,
        };
        let is_there = |(cgroup, _): &(String, _)| hierarchy.folder(cgroup).is_some_and(|folder| folder.is_dir());
        let runs = || {
            let process = self.pid.is_none_or(|pid| subjects::without_memory(pid).is_none() && is_process(pid));
            process && subjects.found.iter().any(is_there)
        };
        self.look_again(|| self.look(&hierarchy, &subjects), runs, global, ui)
    }

    /// Every subject, and what its runtimes say when they are asked.
    fn look(&self, hierarchy: &Hierarchy, subjects: &Subjects) -> Document {
        let waterfalls = subjects.found.iter().map(|(cgroup, subject)| {
            let mut waterfall = oomph_node::inspect::inspect(hierarchy, cgroup, subject);
            if self.attach {
                oomph_node::attach::ask(&mut waterfall);
            }
            waterfall
        });
        document(waterfalls.collect(), &subjects.gaps)
    }

    /// Looks once, twice for `--diff`, or with `--watch` as long as what was asked for is there, by `look` and `is_there`.
    fn look_again(
        &self,
        mut look: impl FnMut() -> Document,
        is_there: impl Fn() -> bool,
        global: &Global,
        ui: Ui,
    ) -> Result<Exit> {
        loop {
            let first = look();
            if let Some(Since::Ago(time)) = self.diff {
                ui.note(format_args!("looking again in {time:#}"));
                std::thread::sleep(time.unsigned_abs());
                let mut later = look();
                for waterfall in &mut later.waterfalls {
                    let before = first.waterfalls.iter().find(|before| before.subject == waterfall.subject);
                    waterfall.grew = before.map(|before| grown(before, waterfall));
                }
                return show(&later, global.output, ui);
            }
            if !self.watch {
                show(&first, global.output, ui)?;
                return Ok(exit_of(&first));
            }
            ui.print(&one_of_many(&first, global.output, ui))?;
            std::thread::sleep(INTERVAL);
            if !is_there() {
                ui.note(format_args!("{} is there no more", self.asked()));
                return Ok(Exit::Nothing);
            }
        }
    }

    /// Which cgroups are asked for. What was named must be there; without a name all containers are meant.
    fn subjects(&self, hierarchy: &Hierarchy, global: &Global) -> Result<Subjects> {
        let found = match (&self.pod, &self.docker, self.pid, &self.cgroup) {
            (Some(Target::Pod(pod)), ..) => subjects::of_pod(hierarchy, pod, global)?,
            (_, Some(name), ..) => subjects::of_engine(hierarchy, name)?,
            (.., Some(pid), _) => subjects::of_process(hierarchy, pid)?,
            (.., Some(path)) => subjects::of_path(hierarchy, path)?,
            _ => subjects::all(hierarchy, global),
        };
        Ok(found)
    }
}

/// Nothing to look at is an answer; not being able to look for it is none.
fn exit_of(document: &Document) -> Exit {
    if document.waterfalls.is_empty() && !document.gaps.is_empty() { Exit::Failed } else { Exit::Nothing }
}

/// There is a process of this pid.
fn is_process(pid: u32) -> bool {
    std::path::Path::new("/proc").join(pid.to_string()).is_dir()
}

/// The peak of a recording.
fn recorded(path: &PathBuf) -> Result<Document> {
    let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    if !recording::is_recording(&bytes) {
        bail!("{} is no recording of oomph run; make one with: oomph run --record FILE -- CMD", path.display());
    }
    let recording = recording::read(&bytes);
    let gap = Gap {
        what: format!("the memory in {}", path.display()),
        because: "no look at it was taken while the command ran".into(),
        command: String::new(),
    };
    let gaps = if recording.peak.is_none() { vec![gap] } else { Vec::new() };
    let counted = oomph_core::run::counted(&recording);
    let of_recording = |it: oomph_core::waterfall::Waterfall| oomph_core::waterfall::Waterfall {
        source: oomph_core::waterfall::Source::Recording,
        peak_bytes: counted.max(it.peak_bytes),
        ..it
    };
    Ok(document(recording.peak.into_iter().map(of_recording).collect(), &gaps))
}

fn show(document: &Document, output: Output, ui: Ui) -> Result<Exit> {
    ui.print(&render(document, output, ui))?;
    Ok(Exit::Nothing)
}

fn render(document: &Document, output: Output, ui: Ui) -> String {
    match output {
        Output::Text => report::waterfall_text(document, ui.style(), ui.width()),
        Output::Markdown => report::waterfall_markdown(document),
        Output::Json => report::json(document),
        Output::Yaml => report::yaml(document),
    }
}

/// A document in a stream of documents: JSON one a line, YAML and text with a mark between.
fn one_of_many(document: &Document, output: Output, ui: Ui) -> String {
    match output {
        Output::Json => report::json_line(document),
        Output::Yaml => format!("---\n{}", report::yaml(document)),
        Output::Text | Output::Markdown => render(document, output, ui) + "\n",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn not_being_able_to_look_is_a_failure_and_nothing_to_look_at_is_none() {
        let denied = Gap { what: "all containers".into(), because: "permission denied".into(), command: String::new() };
        assert_eq!(exit_of(&document(Vec::new(), &[denied])), Exit::Failed);
        assert_eq!(exit_of(&document(Vec::new(), &[])), Exit::Nothing);
    }
}
