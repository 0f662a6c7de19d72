//! What a cluster knows of memory without a Prometheus: the VPA's objects and checkpoints, and what pods use right now.

use oomph_core::artifact::Captured;

use super::api::Api;
use super::list::{list, request_name};
use super::manifests::{HORIZONTAL_AUTOSCALERS, VERTICAL_AUTOSCALERS};
use super::permission::permission;
use super::surroundings::POD_METRICS;
use super::{Ask, Clock, ConnectError, Missing, Permission, Scope, connect, refused};

/// What `oomph size --prometheus auto` reads besides, where it is permitted.
pub static BESIDE: &[&Permission] =
    &[&VERTICAL_AUTOSCALERS, &CHECKPOINTS, &HORIZONTAL_AUTOSCALERS, &POD_METRICS, &PODS_OF_METRICS];

static CHECKPOINTS: Permission = permission(
    "checkpoints of vertical pod autoscalers",
    "autoscaling.k8s.io",
    "verticalpodautoscalercheckpoints",
    &["list"],
    "the daily peaks that a VPA remembers are not known",
);

static PODS_OF_METRICS: Permission =
    permission("pods", "", "pods", &["list"], "it is not known whose pods use memory, and under which limits");

/// The group of the VPA, and that of HPAs.
const VERTICAL: &str = "/apis/autoscaling.k8s.io/v1";
const HORIZONTAL: &str = "/apis/autoscaling/v2";

/// The VPA's objects and checkpoints, and beside them what scales horizontally. Most clusters have no VPA: then there is
/// nothing, and nothing is missing. An error only when there is no cluster to ask.
pub async fn autoscalers(ask: &Ask) -> Result<Captured, ConnectError> {
    let connect::Connected { api, namespace } = connect::connect(ask).await?;
    let (scope, clock) = (Scope::of(ask, &namespace), Clock::start(ask.deadline));
    let (mut captured, checkpoints) = futures::join!(
        read(&api, &scope, VERTICAL, &VERTICAL_AUTOSCALERS, clock),
        read(&api, &scope, VERTICAL, &CHECKPOINTS, clock)
    );
    captured.append(checkpoints);
    if !captured.artifacts.is_empty() {
        captured.append(read(&api, &scope, HORIZONTAL, &HORIZONTAL_AUTOSCALERS, clock).await);
    }
    Ok(captured)
}

/// The pods and what they use now, as metrics-server says. An error only when there is no cluster to ask.
pub async fn usage(ask: &Ask) -> Result<Captured, ConnectError> {
    let connect::Connected { api, namespace } = connect::connect(ask).await?;
    let (scope, clock) = (Scope::of(ask, &namespace), Clock::start(ask.deadline));
    let mut captured = read(&api, &scope, "/apis/metrics.k8s.io/v1beta1", &POD_METRICS, clock).await;
    if !captured.artifacts.is_empty() {
        captured.append(read(&api, &scope, "/api/v1", &PODS_OF_METRICS, clock).await);
    }
    Ok(captured)
}

async fn read(api: &Api, scope: &Scope, group: &str, permission: &Permission, clock: Clock) -> Captured {
    let path = scope.path(group, permission.resource);
    let name = request_name(&path, &[]);
    match list(api, &path, &[], clock.source(), |_| true).await {
        Ok(listing) => listing.into_captured(permission.name, &name),
        Err(refusal) => {
            let mut captured = Captured::default();
            refused(&mut captured, &name, permission, scope.namespace(), &refusal, Missing::Quiet);
            captured
        }
    }
}
