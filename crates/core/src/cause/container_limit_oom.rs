//! The container's own limit was hit and its main process was killed for it.

use super::{Cause, advice, kernel};
use crate::diagnosis::Verdict;

pub(super) const CAUSE: Cause = Cause {
    verdict: Verdict::ContainerLimitOom,
    judge: |case| kernel::judge(case, Verdict::ContainerLimitOom),
    advise: advice::limit_hit,
};
