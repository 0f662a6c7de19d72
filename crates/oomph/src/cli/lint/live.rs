//! The workloads of a cluster, as they are and as their pods were admitted.

use std::time::Duration;

use anyhow::Result;
use oomph_cluster::kube::{self, Ask};
use oomph_core::artifact::Status;
use oomph_core::diagnosis::GapReport;
use oomph_core::lint::{Source, live};

use crate::cli::{Global, event_loop};
use crate::ui::Ui;

/// How long one list may take: a large cluster has many pages of pods.
const DEADLINE: Duration = Duration::from_secs(20);

/// What a cluster said.
#[derive(Debug, Default)]
pub(super) struct Live {
    /// Its objects.
    pub(super) sources: Vec<Source>,
    /// What could not be read.
    pub(super) gaps: Vec<GapReport>,
    /// Nothing at all could be read.
    pub(super) nothing: bool,
}

/// Asks the cluster. An error where none answers.
pub(super) fn read(global: &Global, ui: Ui) -> Result<Live> {
    let ask = Ask {
        namespace: global.namespace.clone(),
        all_namespaces: global.all_namespaces,
        selector: global.selector.clone(),
        kubeconfig: global.kubeconfig.clone(),
        context: global.context.clone(),
        deadline: DEADLINE,
        ..Ask::default()
    };
    let runtime = event_loop()?;
    let captured = runtime.block_on(ui.waiting("asking the cluster for its workloads", kube::manifests(&ask)))?;
    for source in &captured.sources {
        ui.detail(&source.name);
    }
    let is_read = |status| matches!(status, Status::Read | Status::Partial);
    Ok(Live {
        sources: live::sources(&captured),
        gaps: captured.gaps.iter().cloned().map(GapReport::from).collect(),
        nothing: captured.sources.iter().all(|source| !is_read(source.status)),
    })
}
