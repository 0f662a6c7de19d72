//! Nobody saw the end: the kubelet's placeholder (ContainerStatusUnknown, 137) stands where a status would.

use super::{Cause, Finding, Found, kernel, quote};
use crate::case::Case;
use crate::diagnosis::{Confidence, Verdict};

pub(super) const CAUSE: Cause = Cause { verdict: Verdict::StatusLost, judge, advise: |_| Vec::new() };

/// pkg/kubelet/kubelet_pods.go (v1.37) writes exit code 137 and this reason when the container cannot be found.
fn judge(case: &Case<'_>) -> Finding {
    if case.reason() != Some("ContainerStatusUnknown") {
        return Finding::Absent;
    }
    let proofs = quote::termination(case).into_iter().collect();
    let summary = format!(
        "Nobody saw {} end: the 137 is the kubelet's placeholder for an unknown status, not an exit code.",
        case.noun()
    );
    Found::new(Confidence::Likely, summary, proofs)
        .oom_kill(kernel::oom_kill(case, None))
        .missing("what happened on the node", kernel::kernel_log_command(case))
        .into()
}
