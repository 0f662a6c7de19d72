//! The limit of /kubepods or of a QoS slice was hit: the node's allocatable memory is used up by all pods together.

use super::{Cause, advice, kernel};
use crate::diagnosis::Verdict;

pub(super) const CAUSE: Cause = Cause {
    verdict: Verdict::NodeAllocatableOom,
    judge: |case| kernel::judge(case, Verdict::NodeAllocatableOom),
    advise: advice::node_short,
};
