//! `oomph size`: the request, the limit and the flags that a memory history asks for.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand, ValueEnum};
use oomph_cluster::kube::Ask;
use oomph_core::diagnosis::GapReport;
use oomph_core::report;
use oomph_core::size::policy::{Known, POLICIES};
use oomph_core::size::{self, Curve, Document, Qos, Wishes, Workload, autoscaler};

use super::run::Size as Amount;
use super::{Exit, Form, Global};
use crate::ui::Ui;

mod apply;
mod backtest;
mod live;
mod plots;
mod prometheus;
mod sources;

use apply::{Applied, Apply};
use prometheus::{Asked, Prometheus};
use sources::Sources;

pub(super) const EXAMPLES: &str = "  \
  oomph run --record cart.oomph -- ./cart            record it, then
  oomph size --recording cart.oomph                  what it would take
  oomph size --recording runs/                       every recording in a folder; cart-1 and cart-2 are runs of cart
  oomph size --trace memory.csv.gz --plot plots      a history as CSV, with a picture of each workload
  oomph size --prometheus http://127.0.0.1:9090 -n shop   every workload of a namespace, of two weeks
  oomph size --prometheus auto -n shop --apply --dry-run=server   what setting it would change; nothing is set
  oomph size --prometheus auto -A                    the same of the whole cluster, from a Prometheus in it
  kubectl get vpacheckpoints,vpa -A -o yaml | oomph size -f -   what a VPA remembers, and what it does
  oomph size --trace memory.csv -f deploy.yaml       with the limits and runtime flags of a manifest (series web/app)
  oomph size --trace memory.csv --risk 0.1           no more than one expected kill in ten months
  oomph size backtest --trace memory.csv              what limits by several policies would have done
  oomph size --trace memory.csv -o vpa               objects of the VPA in mode Off; -o patch, -o kustomize: patches

A trace has the columns series, time_s, bytes, and where they are known limit_bytes, heap_bytes, rss_bytes,
cache_bytes and oom; plain, .gz or .zst. In the column oom stands what was killed since the row before, or a counter,
which never falls.

Exit codes: 0 nothing needs action, 1 something does: a leak, a limit that is too low, a kill, a proposal that differs by
more than a tenth from what is set, or one under which the same history would have been killed, 2 the work could not be
done.";

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_precedence_over_arg = true)]
pub(super) struct Size {
    #[command(subcommand)]
    command: Option<Command>,
    /// Only this workload: NAME, KIND/NAME, or a trace's series
    #[arg(value_name = "WORKLOAD")]
    workload: Option<String>,
    /// Memory histories as CSV, plain or compressed; - reads stdin
    #[arg(long, value_name = "FILE")]
    trace: Vec<PathBuf>,
    /// Recordings of oomph run, or folders of them
    #[arg(long, value_name = "PATH")]
    recording: Vec<PathBuf>,
    /// Objects of the VPA and its checkpoints, with the HPAs and workloads beside them; or the manifests of what --trace
    /// and --prometheus tell of, for their limits and runtime flags: files, folders, or - for stdin
    #[arg(short = 'f', long = "filename", value_name = "PATH", num_args = 1..)]
    files: Vec<PathBuf>,
    #[command(flatten)]
    prometheus: Prometheus,
    /// Propose what this policy would set: oomph, vpa, krr, autopilot, p99, crane
    #[arg(long, value_name = "NAME", default_value = "oomph", value_parser = followed)]
    policy: Known,
    /// Raise the limit until no more than so many kills are expected in 30 days
    #[arg(long, value_name = "KILLS", value_parser = kills)]
    risk: Option<f64>,
    /// burstable: the request is what is used most of the time; guaranteed: as large as the limit
    #[arg(long, value_enum, default_value_t, value_name = "CLASS", hide_possible_values = true)]
    qos: Class,
    /// No request and no limit below this: 64Mi
    #[arg(long, value_name = "SIZE")]
    min: Option<Amount>,
    /// No limit above this: 4Gi
    #[arg(long, value_name = "SIZE")]
    max: Option<Amount>,
    /// Room on top of the limit, in percent
    #[arg(long, value_name = "PERCENT", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=1000))]
    headroom: u32,
    /// Round up to a multiple of this
    #[arg(long, value_name = "SIZE", default_value = "1Mi")]
    round: Amount,
    #[command(flatten)]
    apply: Apply,
    /// Draw each workload into this folder, as SVG
    #[arg(long, value_name = "FOLDER")]
    plot: Option<PathBuf>,
}

/// What else can be done with a history.
#[derive(Debug, Subcommand)]
enum Command {
    /// Say what limits by this and other policies would have done on a trace
    Backtest(backtest::Backtest),
}

/// Quality of service.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Class {
    /// The request is below the limit.
    #[default]
    Burstable,
    /// The request is as large as the limit.
    Guaranteed,
}

/// A policy that can be followed: the oracle knows the future.
fn followed(name: &str) -> Result<Known, String> {
    let can = |known: &Known| known.name != "oracle";
    size::policy::named(name).filter(can).ok_or_else(|| {
        let names: Vec<&str> = POLICIES.iter().filter(|known| can(known)).map(|known| known.name).collect();
        format!("no policy {name} can be followed; there are {}", names.join(", "))
    })
}

/// A number of kills: not negative, not infinite.
fn kills(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(kills) if kills.is_finite() && kills > 0.0 => Ok(kills),
        _ => Err(format!("{text} is no number of kills a month; write one above 0, such as 0.1")),
    }
}

const NOTHING: &str =
    "there is nothing to size: give --trace FILE, --recording PATH, -f FILE or --prometheus URL, or auto";

/// Stretches of time in a picture.
const STRETCHES: usize = 800;

impl Size {
    pub(super) fn run(self, global: &Global, ui: Ui) -> Result<Exit> {
        if let Some(Command::Backtest(backtest)) = &self.command {
            return backtest.run(global, ui);
        }
        let wishes = self.wishes()?;
        let mut sources = sources::read(&self.trace, &self.recording, ui);
        let beside = !self.trace.is_empty() || !self.recording.is_empty() || self.prometheus.is_asked();
        sources.files(&self.files, beside);
        if let Some(plan) = self.ask(&mut sources, global, ui) {
            ui.print(&format!("{plan}\n"))?;
            return Ok(Exit::Nothing);
        }
        let histories = std::mem::take(&mut sources.histories);
        let recorded = std::mem::take(&mut sources.recorded);
        let mut all = size::workloads(histories, recorded);
        let unused = autoscaler::attach(&mut all, &sources.objects);
        let found = all.len();
        if let (0, true, Some(gap)) = (found, sources.failures.is_empty(), unused.first()) {
            sources.fail(format!("nothing can be sized: {}: {}", gap.what, gap.because));
        }
        let workloads: Vec<Workload> = all.into_iter().filter(|it| self.is_meant(it, global)).collect();
        if workloads.is_empty() && found > 0 {
            sources.fail(format!(
                "none of {found} workloads is {}; leave the name out to see all",
                self.workload.as_deref().unwrap_or("in this namespace and container")
            ));
        }
        let Sources { reports, mut gaps, failures, objects, .. } = sources;
        gaps.extend(objects.gaps.iter().chain(&unused).cloned().map(GapReport::from));
        let document = size::size(&workloads, &wishes, reports, gaps);
        let curves: Vec<Curve> = workloads
            .iter()
            .zip(&document.workloads)
            .map(|(workload, sizing)| size::curve(workload, sizing.proposed.as_ref(), STRETCHES))
            .collect();
        for failure in &failures {
            ui.error(failure);
        }
        // A text that says nothing helps nobody; a machine gets its document whatever happened.
        if !document.workloads.is_empty() || !matches!(global.form, Form::Text) {
            ui.print(&self.render(&document, &curves, global, ui))?;
        }
        if let Some(folder) = &self.plot {
            let number = plots::write(folder, &curves)?;
            ui.note(format_args!("{number} pictures in {}", folder.display()));
        }
        let applied = if failures.is_empty() { self.apply.run(&document, global, ui)? } else { Applied::No };
        Ok(match (failures.is_empty(), applied) {
            (false, _) | (_, Applied::Failed) => Exit::Failed,
            (true, Applied::Some) => Exit::Found,
            (true, Applied::No) if document.needs_action() => Exit::Found,
            (true, Applied::All | Applied::No) => Exit::Nothing,
        })
    }

    /// Asks a Prometheus, and with `auto` the rest of the cluster. The plan, where only that was wanted.
    fn ask(&self, sources: &mut Sources, global: &Global, ui: Ui) -> Option<String> {
        let given = [&self.trace, &self.recording, &self.files].iter().any(|paths| !paths.is_empty());
        match self.prometheus.ask(global, ui) {
            Ok(Asked::Nobody) if !given => sources.fail(NOTHING.into()),
            Ok(Asked::Nobody) => {}
            Ok(Asked::Planned(plan)) => return Some(plan),
            Ok(Asked::NotFound(because, gaps)) => {
                sources.not_found(&because, &gaps);
                let (samples, objects) =
                    (sources.histories.len(), sources.objects.saved.len() + sources.objects.vertical.len());
                let now = self.trace.is_empty() && self.recording.is_empty();
                if let Err(error) = live::read(sources, now, global, ui) {
                    ui.detail(format_args!("{error:#}"));
                }
                let found = sources.histories.len() > samples
                    || sources.objects.saved.len() + sources.objects.vertical.len() > objects;
                if found {
                    sources.no_history(&because);
                } else {
                    sources.fail(because);
                }
            }
            Ok(Asked::Read(url, read)) => {
                sources.prometheus(&url, *read);
                if self.prometheus.is_auto()
                    && let Err(error) = live::read(sources, false, global, ui)
                {
                    ui.detail(format_args!("{error:#}"));
                }
            }
            Err(error) => sources.fail(format!("{error:#}")),
        }
        None
    }

    fn wishes(&self) -> Result<Wishes> {
        let (least, most) = (self.min.map(Amount::bytes), self.max.map(Amount::bytes));
        if let (Some(least), Some(most)) = (least, most)
            && least > most
        {
            bail!("--min {least} is above --max {most}; nothing lies between them");
        }
        Ok(Wishes {
            policy: Some(self.policy),
            risk: self.risk,
            qos: match self.qos {
                Class::Burstable => Qos::Burstable,
                Class::Guaranteed => Qos::Guaranteed,
            },
            least,
            most,
            headroom: self.headroom,
            round: self.round.bytes(),
        })
    }

    /// Whether a workload is one that was asked for.
    fn is_meant(&self, workload: &Workload, global: &Global) -> bool {
        let it = &workload.subject;
        let named = self.workload.as_deref().is_none_or(|name| {
            let of_kind = name.split_once('/').is_some_and(|(kind, name)| {
                name == it.name && (it.kind.eq_ignore_ascii_case(kind) || it.namespace == kind)
            });
            name == it.name || of_kind
        });
        let in_namespace = global.namespace.as_ref().is_none_or(|name| *name == it.namespace);
        named && in_namespace && global.container.as_ref().is_none_or(|name| *name == it.container)
    }

    fn render(&self, document: &Document, curves: &[Curve], global: &Global, ui: Ui) -> String {
        match global.form {
            Form::Text => {
                let full = self.workload.is_some() || global.verbose;
                report::size_text(document, curves, full, ui.style(), ui.width())
            }
            Form::Json => report::json(document),
            Form::Yaml => report::yaml(document),
            Form::Markdown => report::size_markdown(document),
            Form::Patch => report::patches(document),
            Form::Kustomize => report::kustomization(document),
            Form::Vpa => report::vpas(document),
        }
    }
}

/// How the cluster is asked that the kubeconfig names.
fn cluster(global: &Global) -> Ask {
    Ask {
        namespace: global.namespace.clone(),
        all_namespaces: global.all_namespaces,
        kubeconfig: global.kubeconfig.clone(),
        context: global.context.clone(),
        deadline: std::time::Duration::from_secs(15),
        ..Ask::default()
    }
}

/// The folder of pictures.
fn folder(path: &std::path::Path) -> Result<()> {
    std::fs::create_dir_all(path).with_context(|| format!("cannot make {}", path.display()))
}
