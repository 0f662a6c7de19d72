//! What the user wants of a proposal.

use super::policy::Known;
use crate::units::Bytes;

/// The quality of service that a container is to have (`pkg/apis/core/v1/helper/qos`, Kubernetes 1.37): with the request
/// as large as the limit its memory counts as guaranteed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Qos {
    /// The request is what is used most of the time, the limit is above it.
    #[default]
    Burstable,
    /// The request is as large as the limit.
    Guaranteed,
}

/// What the user wants of a proposal.
#[derive(Debug, Clone)]
pub struct Wishes {
    /// The policy whose number is proposed; ours where none is named.
    pub policy: Option<Known>,
    /// The limit is raised until no more kills than this are expected in 30 days.
    pub risk: Option<f64>,
    /// Quality of service.
    pub qos: Qos,
    /// No amount is below this.
    pub least: Option<Bytes>,
    /// No limit is above this.
    pub most: Option<Bytes>,
    /// Room on top of the limit, in percent.
    pub headroom: u32,
    /// Amounts are rounded up to a multiple of this.
    pub round: Bytes,
}

impl Default for Wishes {
    fn default() -> Self {
        Self {
            policy: None,
            risk: None,
            qos: Qos::default(),
            least: None,
            most: None,
            headroom: 0,
            round: Bytes::mib(1),
        }
    }
}

impl Wishes {
    /// Up to a multiple of what the user rounds to.
    pub fn rounded(&self, bytes: Bytes) -> Bytes {
        let step = self.round.0.max(1);
        Bytes(bytes.0.div_ceil(step).saturating_mul(step))
    }
}
