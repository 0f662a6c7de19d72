//! Nobody saw the end: the kubelet's placeholder (ContainerStatusUnknown, 137) stands where a status would.

use super::{Cause, Finding, Found, kernel, quote};
use crate::case::Case;
use crate::diagnosis::{Confidence, Verdict};

pub(super) const CAUSE: Cause = Cause { verdict: Verdict::StatusLost, judge, advise: |_| Vec::new() };

/// pkg/kubelet/kubelet_pods.go (v1.37) writes exit code 137 and ContainerStatusUnknown when the container cannot be
/// found; containerd (internal/cri/server/restart.go, v2.1) 255 and Unknown of one whose task is gone when it starts.
fn judge(case: &Case<'_>) -> Finding {
    let placeholder = match (case.reason(), case.exit_code()) {
        (Some("ContainerStatusUnknown"), _) => "the 137 is the kubelet's",
        (Some("Unknown"), Some(255)) => "the 255 is containerd's",
        _ => return Finding::Absent,
    };
    let proofs = quote::termination(case).into_iter().collect();
    let summary =
        format!("Nobody saw {} end: {placeholder} placeholder for an unknown status, not an exit code.", case.noun());
    Found::new(Confidence::Likely, summary, proofs)
        .oom_kill(kernel::oom_kill(case, None))
        .missing("what happened on the node", kernel::kernel_log_command(case))
        .into()
}
