//! The kubelet restarted the container because its spec changed or a resize needs it.

use super::{Cause, Finding, Found, advice, kernel, killing, probe, quote};
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

/// The kubelet kills a container whose postStart hook failed and gives its own reason for a message
/// (pkg/kubelet/kuberuntime/kuberuntime_container.go `startContainer`, v1.37).
fn is_hook(message: &str) -> bool {
    message.contains("FailedPostStartHook") || message.contains("PostStartHook failed")
}

fn judge(case: &Case<'_>) -> Finding {
    let killed = killing::of_main(case);
    if let Some((event, confidence)) = probe::killing_event(case, is_hook).filter(|_| !killed) {
        let mut proofs =
            vec![quote::event(&event, "the kubelet kills the container because its postStart hook failed")];
        let failed = case.events.iter().find(|event| event.reason == "FailedPostStartHook");
        proofs.extend(failed.map(|event| quote::event(event, "the postStart hook had failed")));
        proofs.extend(quote::termination(case));
        let summary = format!("The kubelet killed {} because its postStart hook failed.", case.noun());
        return Found::new(confidence, summary, proofs).oom_kill(kernel::oom_kill(case, Some(false))).into();
    }
    let Some((event, confidence)) = probe::killing_event(case, is_restart) else { return Finding::Absent };
    let mut proofs = vec![quote::event(&event, "the kubelet says that it restarts the container for a change")];
    proofs.extend(quote::termination(case));
    let summary = format!("The kubelet restarted {} because its spec or its resources were changed.", case.noun());
    Found::new(confidence, summary, proofs).oom_kill(kernel::oom_kill(case, Some(false))).into()
}

fn advise(case: &Case<'_>) -> Vec<Advice> {
    if probe::killing_event(case, is_hook).is_some() {
        return vec![advice::advice(
            "correct the postStart hook, or do its work in the program or an init container",
            "the kubelet kills a container whose postStart hook fails, whatever the program does",
            "none",
        )];
    }
    vec![advice::advice(
        "set resizePolicy to NotRequired for memory if the program can live with a new limit while it runs",
        "a resize with RestartContainer, or a changed image, ends the container on purpose",
        "a limit lowered in place below the usage is refused or kills",
    )]
}
