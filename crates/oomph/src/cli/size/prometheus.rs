//! Histories from a Prometheus-compatible server.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use clap::Args;
use jiff::Timestamp;
use oomph_cluster::kube::{NotFound, find};
use oomph_cluster::prometheus::{Address, Read, Server, plan, read};
use oomph_core::fact::Gap;
use oomph_core::size::STEP;
use oomph_core::size::prometheus::Range;
use oomph_core::units::DAY;

use crate::cli::{Global, event_loop};
use crate::ui::Ui;

/// The environment variable that holds a bearer token.
const TOKEN: &str = "OOMPH_PROMETHEUS_TOKEN";

/// The environment variable that holds a password.
const PASSWORD: &str = "OOMPH_PROMETHEUS_PASSWORD";

/// In place of a URL: one in the cluster.
const AUTO: &str = "auto";

#[derive(Debug, Args)]
pub(super) struct Prometheus {
    /// Ask this server: Prometheus, Thanos, Mimir or VictoriaMetrics, with the path that /api/v1 stands under; auto: one
    /// in the cluster, through the API server
    #[arg(long = "prometheus", id = "prometheus", value_name = "URL")]
    url: Option<String>,
    /// A file with the server's bearer token; without it the variable OOMPH_PROMETHEUS_TOKEN
    #[arg(long = "prometheus-token-file", value_name = "FILE", requires = "prometheus")]
    token_file: Option<PathBuf>,
    /// The user of a server that wants a password
    #[arg(long = "prometheus-user", value_name = "NAME", requires = "prometheus")]
    user: Option<String>,
    /// A file with that user's password; without it the variable OOMPH_PROMETHEUS_PASSWORD
    #[arg(long = "prometheus-password-file", value_name = "FILE", requires = "user")]
    password_file: Option<PathBuf>,
    /// A file with the certificates, PEM, that the server's own must be signed by
    #[arg(long = "prometheus-ca-file", value_name = "FILE", requires = "prometheus")]
    authorities: Option<PathBuf>,
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
    /// None is in the cluster, or none may be asked; what is not permitted.
    NotFound(String, Vec<Gap>),
    /// Only the plan was wanted.
    Planned(String),
    /// The server's URL, and what it said.
    Read(String, Box<Read>),
}

impl Prometheus {
    /// Some server is meant.
    pub(super) fn is_asked(&self) -> bool {
        self.url.is_some()
    }

    /// One in the cluster is meant.
    pub(super) fn is_auto(&self) -> bool {
        self.url.as_deref() == Some(AUTO)
    }

    /// Asks the server. An error where it cannot be asked at all.
    pub(super) fn ask(&self, global: &Global, ui: Ui) -> Result<Asked> {
        let Some(url) = &self.url else { return Ok(Asked::Nobody) };
        let address = self.address(url)?;
        let to = Timestamp::now().as_second() / STEP * STEP;
        let range =
            Range { from: to - i64::from(self.days) * DAY, to, step: STEP, namespace: global.namespace.clone() };
        let runtime = event_loop()?;
        runtime.block_on(async {
            let server = if url == AUTO {
                let ask = super::cluster(global);
                let found = find(&ask, &address);
                match ui.waiting("looking for a Prometheus in the cluster", found).await {
                    Ok(server) => {
                        ui.detail(server.name());
                        server
                    }
                    Err(NotFound::None { looked, gaps }) => {
                        let because = NotFound::None { looked, gaps: Vec::new() }.to_string();
                        return Ok(Asked::NotFound(because, gaps));
                    }
                    Err(error) => return Err(error.into()),
                }
            } else {
                Server::at(&address)?
            };
            let plan = ui
                .waiting("asking the Prometheus how much there is", plan(&server, &range))
                .await
                .map_err(anyhow::Error::msg)?;
            if self.plan {
                return Ok(Asked::Planned(plan.describe()));
            }
            ui.detail(plan.describe());
            let read = ui.waiting("reading histories", read(&server, plan, &|_| ())).await;
            ui.detail(format_args!("{} requests, {} bytes of JSON from {}", read.requests, read.bytes, server.name()));
            Ok(Asked::Read(server.name().to_owned(), Box::new(read)))
        })
    }

    fn address(&self, url: &str) -> Result<Address> {
        let authorities = self.authorities.as_ref().map(|path| {
            std::fs::read(path).with_context(|| format!("cannot read the certificates {}", path.display()))
        });
        let basic = match &self.user {
            None => None,
            Some(user) => {
                let password = secret("password", self.password_file.as_deref(), PASSWORD)?;
                Some((
                    user.clone(),
                    password.with_context(|| {
                        format!(
                            "--prometheus-user needs a password; give --prometheus-password-file, or set {PASSWORD}"
                        )
                    })?,
                ))
            }
        };
        Ok(Address {
            url: url.to_owned(),
            token: secret("token", self.token_file.as_deref(), TOKEN)?,
            basic,
            headers: self.headers.clone(),
            authorities: authorities.transpose()?,
            deadline: Duration::from_mins(2),
        })
    }
}

/// A secret from a file, or else from a variable; none where neither is there.
fn secret(what: &str, file: Option<&Path>, variable: &str) -> Result<Option<String>> {
    let Some(path) = file else { return Ok(std::env::var(variable).ok().filter(|it| !it.is_empty())) };
    let text =
        std::fs::read_to_string(path).with_context(|| format!("cannot read the {what} file {}", path.display()))?;
    Ok(Some(text.trim().to_owned()))
}
