//! Histories from a Prometheus-compatible server.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Args;
use jiff::Timestamp;
use oomph_cluster::prometheus::{Address, Read, Server, plan, read};
use oomph_core::size::prometheus::Range;

use crate::cli::Global;
use crate::ui::Ui;

/// The environment variable that holds a bearer token.
const TOKEN: &str = "OOMPH_PROMETHEUS_TOKEN";

/// How fine the histories are: seconds. The highest value of each step counts.
const STEP: i64 = 300;

#[derive(Debug, Args)]
pub(super) struct Prometheus {
    /// Ask this server: Prometheus, Thanos, Mimir or VictoriaMetrics, with the path that /api/v1 stands under
    #[arg(long = "prometheus", id = "prometheus", value_name = "URL")]
    url: Option<String>,
    /// A file with the server's bearer token; without it the variable OOMPH_PROMETHEUS_TOKEN
    #[arg(long = "prometheus-token-file", value_name = "FILE", requires = "prometheus")]
    token_file: Option<PathBuf>,
    /// A header to send along, such as the tenant's: "X-Scope-OrgID: team-a"; may be given several times
    #[arg(long = "prometheus-header", value_name = "NAME: VALUE", requires = "prometheus", value_parser = header)]
    headers: Vec<(String, String)>,
    /// How many days to look back
    #[arg(long, value_name = "DAYS", default_value_t = 14, requires = "prometheus", value_parser = clap::value_parser!(u32).range(1..=365))]
    days: u32,
    /// Say how much would be asked for, and ask for nothing
    #[arg(long, requires = "prometheus")]
    plan: bool,
}

fn header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once(':').ok_or_else(|| format!("{text:?} is no header; write NAME: VALUE"))?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

/// What came of asking.
pub(super) enum Asked {
    /// No server was named.
    Nobody,
    /// Only the plan was wanted.
    Planned(String),
    /// The server's URL, and what it said.
    Read(String, Box<Read>),
}

impl Prometheus {
    /// Asks the server. An error where it cannot be asked at all.
    pub(super) fn ask(&self, global: &Global, ui: Ui) -> Result<Asked> {
        let Some(url) = &self.url else { return Ok(Asked::Nobody) };
        if url == "auto" {
            bail!(
                "cannot find a Prometheus in the cluster by itself; forward it (kubectl port-forward -n monitoring \
                 svc/prometheus 9090) and give --prometheus http://127.0.0.1:9090"
            );
        }
        let token = match &self.token_file {
            Some(path) => Some(
                std::fs::read_to_string(path)
                    .with_context(|| format!("cannot read the token file {}", path.display()))?
                    .trim()
                    .to_owned(),
            ),
            None => std::env::var(TOKEN).ok().filter(|token| !token.is_empty()),
        };
        let address =
            Address { url: url.clone(), token, headers: self.headers.clone(), deadline: Duration::from_mins(2) };
        let to = Timestamp::now().as_second() / STEP * STEP;
        let range =
            Range { from: to - i64::from(self.days) * 86_400, to, step: STEP, namespace: global.namespace.clone() };
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("cannot start")?;
        runtime.block_on(async {
            let server = Server::at(&address)?;
            let plan = ui
                .waiting("asking the Prometheus how much there is", plan(&server, &range))
                .await
                .map_err(anyhow::Error::msg)?;
            if self.plan {
                return Ok(Asked::Planned(plan.describe()));
            }
            ui.detail(plan.describe());
            let read = ui.waiting("reading histories", read(&server, plan, &|_| ())).await;
            ui.detail(format_args!("{} bytes of JSON read from {url}", read.bytes));
            Ok(Asked::Read(url.clone(), Box::new(read)))
        })
    }
}
