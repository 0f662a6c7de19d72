//! The pod's limit was hit: pod-level resources, or the sum of several containers' limits.

use super::{Cause, advice, kernel};
use crate::diagnosis::Verdict;

pub(super) const CAUSE: Cause = Cause {
    verdict: Verdict::PodLimitOom,
    judge: |case| kernel::judge(case, Verdict::PodLimitOom),
    advise: advice::limit_hit,
};
