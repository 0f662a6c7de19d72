//! The kubelet restarted the container because its spec changed or a resize needs it.

use super::{Cause, Finding, Found, advice, kernel, probe, quote};
use crate::case::Case;
use crate::diagnosis::{Advice, Verdict};

pub(super) const CAUSE: Cause = Cause { verdict: Verdict::KubeletRestart, judge, advise };

/// `Container app definition changed, will be restarted`; `Container app resize requires restart`
/// (pkg/kubelet/kuberuntime/kuberuntime_manager.go, v1.37).
fn is_restart(message: &str) -> bool {
    message.contains("definition changed")
        || message.contains("resize requires restart")
        || message.contains("spec hash changed")
}

fn judge(case: &Case<'_>) -> Finding {
    let Some((event, confidence)) = probe::killing_event(case, is_restart) else { return Finding::Absent };
    let mut proofs = vec![quote::event(&event, "the kubelet says that it restarts the container for a change")];
    proofs.extend(quote::termination(case));
    let summary = format!("The kubelet restarted {} because its spec or its resources were changed.", case.noun());
    Found::new(confidence, summary, proofs).oom_kill(kernel::oom_kill(case, Some(false))).into()
}

fn advise(_: &Case<'_>) -> Vec<Advice> {
    vec![advice::advice(
        "set resizePolicy to NotRequired for memory if the program can live with a new limit while it runs",
        "a resize with RestartContainer, or a changed image, ends the container on purpose",
        "a limit lowered in place below the usage is refused or kills",
    )]
}
