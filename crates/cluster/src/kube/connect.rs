//! Finding a cluster and reaching it, and saying clearly what is wrong when that fails.

use std::path::{Path, PathBuf};
use std::time::Duration;

use kube::config::{KubeConfigOptions, Kubeconfig, KubeconfigError};
use kube::{Client, Config};
use tokio::time::Instant;

use super::Ask;
use super::api::{Api, Refusal};

/// Why there is no cluster to ask. Anything less is a gap, never an error.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// Neither a kubeconfig nor a service account.
    #[error("no cluster is configured: {looked}; name a kubeconfig with --kubeconfig, or give files with -f")]
    NotConfigured {
        /// Where it was looked for.
        looked: String,
    },
    /// The kubeconfig is there and of no use.
    #[error("cannot use kubeconfig {path}: {because}; check it with: kubectl config view --kubeconfig {path}")]
    Kubeconfig {
        /// The file, or the files that were merged.
        path: String,
        /// What is wrong with it.
        because: String,
    },
    /// The context is not in it.
    #[error("context {context:?} is not in kubeconfig {path}; it has {known}; choose one with --context")]
    Context {
        /// The file, or the files that were merged.
        path: String,
        /// The context asked for.
        context: String,
        /// Those that are there.
        known: String,
    },
    /// The server did not answer.
    #[error(
        "cannot reach the API server {server} ({from}): {because}; check with: kubectl cluster-info, or choose another \
         with --context"
    )]
    Unreachable {
        /// Its address.
        server: String,
        /// Where the address came from.
        from: String,
        /// What happened.
        because: String,
    },
    /// The server does not accept who we are.
    #[error(
        "the API server {server} does not accept the credentials of {from}: {because}; log in again, then try: kubectl auth whoami"
    )]
    Unauthorized {
        /// Its address.
        server: String,
        /// Where the credentials came from.
        from: String,
        /// What the server said.
        because: String,
    },
}

/// A connection that answered once, and the namespace that its context names.
pub(super) struct Connected {
    pub(super) api: Api,
    pub(super) namespace: String,
}

/// Finds the cluster as kubectl does and makes sure that it answers.
pub(super) async fn connect(ask: &Ask) -> Result<Connected, ConnectError> {
    let (mut config, from) = configure(ask).await?;
    config.connect_timeout = Some(ask.deadline);
    let namespace = config.default_namespace.clone();
    let server = config.cluster_url.to_string().trim_end_matches('/').to_owned();
    let client = Client::try_from(config)
        .map_err(|error| ConnectError::Kubeconfig { path: from.clone(), because: innermost(&error) })?;
    let api = Api::new(client);
    probe(&api, ask.deadline, server, from).await?;
    Ok(Connected { api, namespace })
}

/// Everybody may read `/version` (ClusterRole `system:public-info-viewer`), so any answer but 401 will do.
async fn probe(api: &Api, deadline: Duration, server: String, from: String) -> Result<(), ConnectError> {
    match api.get("/version", Instant::now() + deadline).await {
        Err(Refusal::Unauthorized(because)) => Err(ConnectError::Unauthorized { server, from, because }),
        Err(Refusal::Slow) => {
            Err(ConnectError::Unreachable { server, from, because: format!("no answer within {deadline:?}") })
        }
        Err(Refusal::Failed(because)) => Err(ConnectError::Unreachable { server, from, because }),
        Ok(_) | Err(Refusal::Forbidden { .. } | Refusal::Absent(_) | Refusal::Gone { .. } | Refusal::Refused(_)) => {
            Ok(())
        }
    }
}

async fn configure(ask: &Ask) -> Result<(Config, String), ConnectError> {
    let paths = match (&ask.kubeconfig, std::env::var_os("KUBECONFIG").filter(|paths| !paths.is_empty())) {
        (Some(path), _) => vec![path.clone()],
        // As kubectl: a list of files, of which some may not exist.
        (None, Some(paths)) => std::env::split_paths(&paths).filter(|path| path.exists()).collect(),
        (None, None) => {
            std::env::home_dir().map(|home| home.join(".kube/config")).into_iter().filter(|p| p.exists()).collect()
        }
    };
    if !paths.is_empty() {
        return from_files(&paths, ask.context.as_deref()).await;
    }
    let looked = "there is no ~/.kube/config and $KUBECONFIG names no file that exists";
    if std::env::var_os("KUBERNETES_SERVICE_HOST").is_none() {
        return Err(ConnectError::NotConfigured { looked: format!("{looked}, and this is not a pod") });
    }
    match Config::incluster() {
        Ok(config) => Ok((config, "the pod's service account".into())),
        Err(error) => Err(ConnectError::NotConfigured {
            looked: format!("{looked}, and the pod has no service account: {}", innermost(&error)),
        }),
    }
}

async fn from_files(paths: &[PathBuf], context: Option<&str>) -> Result<(Config, String), ConnectError> {
    let path = paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(":");
    let wrong = |error: &KubeconfigError| ConnectError::Kubeconfig { path: path.clone(), because: innermost(error) };
    let kubeconfig = read(paths).map_err(|error| wrong(&error))?;
    let known: Vec<_> = kubeconfig.contexts.iter().map(|context| context.name.clone()).collect();
    let options = KubeConfigOptions { context: context.map(str::to_owned), ..KubeConfigOptions::default() };
    match Config::from_custom_kubeconfig(kubeconfig, &options).await {
        Ok(config) => Ok((config, path)),
        Err(KubeconfigError::LoadContext(context)) => {
            let known = if known.is_empty() { "none".into() } else { known.join(", ") };
            Err(ConnectError::Context { path, context, known })
        }
        Err(error) => Err(wrong(&error)),
    }
}

fn read(paths: &[PathBuf]) -> Result<Kubeconfig, KubeconfigError> {
    paths
        .iter()
        .try_fold(Kubeconfig::default(), |merged, path: &PathBuf| merged.merge(Kubeconfig::read_from::<&Path>(path)?))
}

/// The last cause in the chain: `Connection refused` rather than `ServiceError: client error (Connect)`.
pub(crate) fn innermost(error: &dyn std::error::Error) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}
