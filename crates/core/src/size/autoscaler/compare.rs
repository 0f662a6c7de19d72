//! A VPA beside what we propose.

use super::defect::defects;
use super::document::{Peak, Vpa, VpaBounds};
use super::propose::{bytes, days};
use super::{Autoscaler, Policy};
use crate::growth::Class;
use crate::size::document::Setting;
use crate::size::vpa::Recommender;
use crate::size::workload::Workload;
use crate::units::Bytes;

/// Everything that is known when a VPA is judged.
pub(super) struct Scene<'a> {
    pub(super) workload: &'a Workload,
    pub(super) autoscaler: &'a Autoscaler,
    pub(super) policy: Option<&'a Policy>,
    pub(super) class: Class,
    pub(super) current: &'a Setting,
    pub(super) proposed: Option<&'a Setting>,
    /// The request that it recommends: as its status says, or as the checkpoint asks for.
    pub(super) target: Option<Bytes>,
}

impl Scene<'_> {
    /// It changes the memory of pods by itself.
    pub(super) fn changes_memory(&self) -> bool {
        let vertical = self.autoscaler.vertical.as_ref();
        vertical.is_some_and(super::Vertical::applies) && self.policy.is_none_or(|it| !it.off && !it.other_resources)
    }

    /// The limit that a pod gets with the target: upstream keeps the ratio to the request, and a limit that is as large as
    /// the request stays so (`GetProportionalLimit`, `pkg/utils/vpa/limit_and_request_scaling.go` of VPA 1.8.1).
    pub(super) fn scaled_limit(&self) -> Option<Bytes> {
        let keeps = self.policy.and_then(|it| it.values.as_deref()) != Some("RequestsOnly");
        let (request, limit) = (self.current.request_bytes?, self.current.limit_bytes?);
        if !keeps || !self.changes_memory() || request.0 == 0 {
            return None;
        }
        let scaled = u128::from(limit.0) * u128::from(self.target?.0) / u128::from(request.0);
        Some(Bytes(u64::try_from(scaled).unwrap_or(u64::MAX)))
    }
}

/// What the VPA of a workload does, and what is known to go wrong with it here; `None` where there is none.
pub(in super::super) fn compare(
    workload: &Workload,
    class: Class,
    current: &Setting,
    proposed: Option<&Setting>,
) -> Option<Vpa> {
    let autoscaler = workload.autoscaler.as_ref()?;
    let policy = autoscaler.policy();
    let mut model = autoscaler.saved.as_ref().and_then(|saved| Recommender::load(saved).ok());
    let computed = model.as_mut().map(|model| {
        let it = model.recommend(autoscaler.containers);
        let amount = |amount: i64| Bytes(u64::try_from(amount).unwrap_or(0));
        VpaBounds {
            target_bytes: amount(it.target),
            lower_bytes: Some(amount(it.lower)),
            upper_bytes: Some(amount(it.upper)),
            uncapped_target_bytes: None,
        }
    });
    let peaks = model.map(|mut model| model.peaks()).unwrap_or_default();
    let recommended = autoscaler.recommended();
    let target = recommended.or(computed).map(|it| it.target_bytes);
    let scene = Scene { workload, autoscaler, policy, class, current, proposed, target };
    let vertical = autoscaler.vertical.as_ref();
    let mut vpa = Vpa {
        name: autoscaler.name.clone(),
        update_mode: vertical.and_then(|it| it.mode.clone()),
        changes_memory: vertical.map(|_| scene.changes_memory()),
        controlled_values: policy.and_then(|it| it.values.clone()),
        min_allowed_bytes: policy.and_then(|it| it.least),
        max_allowed_bytes: policy.and_then(|it| it.most),
        recommended,
        from_checkpoint: computed,
        limit_bytes: scene.scaled_limit(),
        days: autoscaler.saved.as_ref().and_then(days).map(|days| (days * 100.0).round() / 100.0),
        peaks: peaks
            .iter()
            .map(|(end, share)| Peak { up_to_bytes: bytes(*end), share_pct: (share * 10_000.0).round() / 100.0 })
            .collect(),
        defects: Vec::new(),
    };
    vpa.defects = defects(&scene, &vpa);
    Some(vpa)
}
