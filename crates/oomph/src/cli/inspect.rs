//! `oomph inspect`: where the memory of a container went.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Args;
use oomph_core::report;
use oomph_core::waterfall::{Document, SCHEMA, Subject, Waterfall};
use oomph_node::hierarchy::{self, Hierarchy};

use super::{Exit, Global, Output};
use crate::ui::Ui;

pub(super) const EXAMPLES: &str = "  \
  oomph inspect                          every container of this node, the closest to a kill first
  oomph inspect --docker web             a Docker or Podman container
  oomph inspect --pid 4242               the container that a process runs in
  oomph inspect --pid 4242 --diff 60s    what grew in a minute
  oomph inspect --cgroup /kubepods/burstable/pod1f2e3d4c-0000-0000-0000-000000000000

Reading other users' processes takes root, or CAP_SYS_PTRACE and CAP_SYS_ADMIN.";

#[derive(Debug, Args)]
pub(super) struct Inspect {
    /// The container of this process; the host's pid
    #[arg(long, value_name = "N", conflicts_with = "cgroup")]
    pid: Option<u32>,
    /// A cgroup, by its path below the hierarchy's root or in /sys/fs/cgroup
    #[arg(long, value_name = "PATH")]
    cgroup: Option<PathBuf>,
    /// Go on, and show it anew every two seconds
    #[arg(short, long)]
    watch: bool,
}

/// Between two looks.
const INTERVAL: Duration = Duration::from_secs(2);

impl Inspect {
    pub(super) fn run(self, global: &Global, ui: Ui) -> Result<Exit> {
        let hierarchy = hierarchy::find().context(
            "no cgroup hierarchy with the memory controller is mounted here; run oomph on the node itself, or in a \
             container that sees its /sys/fs/cgroup",
        )?;
        loop {
            let document = self.look(&hierarchy)?;
            ui.print(&render(&document, global.output, ui))?;
            if !self.watch {
                return Ok(Exit::Nothing);
            }
            std::thread::sleep(INTERVAL);
        }
    }

    fn look(&self, hierarchy: &Hierarchy) -> Result<Document> {
        let cgroup = match (&self.cgroup, self.pid) {
            (Some(path), _) => path.to_string_lossy().into_owned(),
            (None, Some(pid)) => bail!("pid {pid}"),
            _ => bail!("name a container"),
        };
        let waterfall = oomph_node::inspect::inspect(hierarchy, &cgroup, Subject::default());
        Ok(document(vec![waterfall]))
    }
}

/// The one with the least headroom first; those without a limit come last, the largest first.
fn document(mut waterfalls: Vec<Waterfall>) -> Document {
    waterfalls.sort_by_key(|it| (it.headroom_bytes.is_none(), it.headroom_bytes, std::cmp::Reverse(it.charged_bytes)));
    Document { schema: SCHEMA, waterfalls, gaps: Vec::new() }
}

fn render(document: &Document, output: Output, ui: Ui) -> String {
    match output {
        Output::Text => report::waterfall_text(document, ui.style(), ui.width()),
        Output::Markdown => report::waterfall_markdown(document),
        Output::Json => report::json(document),
        Output::Yaml => report::yaml(document),
    }
}
