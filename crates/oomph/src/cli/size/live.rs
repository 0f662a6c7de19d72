//! What a cluster knows of memory beside a Prometheus, or without one.

use anyhow::Result;
use oomph_cluster::kube::{Ask, autoscalers, usage};

use super::sources::Sources;
use crate::cli::{Global, event_loop};
use crate::ui::Ui;

/// Reads the cluster's autoscalers, and with `now` what its pods use at the moment.
pub(super) fn read(sources: &mut Sources, now: bool, global: &Global, ui: Ui) -> Result<()> {
    // As a Prometheus is asked: for the namespace that is named, or for all.
    let ask = Ask { all_namespaces: global.namespace.is_none(), ..super::cluster(global) };
    let runtime = event_loop()?;
    runtime.block_on(async {
        sources.autoscalers(&ui.waiting("reading autoscalers", autoscalers(&ask)).await?);
        if now {
            sources.usage(&ui.waiting("asking metrics-server", usage(&ask)).await?);
        }
        Ok(())
    })
}
