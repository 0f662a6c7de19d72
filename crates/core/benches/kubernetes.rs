//! How fast a cluster's pods are read from `kubectl get pods -A -o json`, beside the floor: serde_json into borrowed
//! structs of the fields that a tool of this kind cannot do without. The contract is 1.5 times the floor.
#![allow(clippy::unwrap_used, reason = "it measures this program and gives up where it cannot")]

use std::borrow::Cow;
use std::sync::LazyLock;

use divan::counter::BytesCount;
use oomph_core::artifact::{Artifact, ArtifactId};
use oomph_core::decode::decode;
use serde::Deserialize;

mod listing;

fn main() {
    divan::main();
}

/// 100 MB.
static LISTING: LazyLock<Artifact> = LazyLock::new(|| Artifact::new("pods.json", listing::pods(100_000_000)));

#[divan::bench(sample_count = 10, sample_size = 1)]
fn decoded(bencher: divan::Bencher<'_, '_>) {
    let artifact = &*LISTING;
    bencher.counter(BytesCount::new(artifact.bytes.len())).bench(|| decode(ArtifactId(0), divan::black_box(artifact)));
}

#[divan::bench(sample_count = 10, sample_size = 1)]
fn borrowed_structs_only(bencher: divan::Bencher<'_, '_>) {
    let bytes = &LISTING.bytes;
    bencher
        .counter(BytesCount::new(bytes.len()))
        .bench(|| serde_json::from_slice::<List<'_>>(divan::black_box(bytes)).unwrap());
}

#[derive(Deserialize)]
struct List<'a> {
    #[serde(borrow)]
    #[allow(dead_code)] // what the floor builds is all that is asked of it
    items: Vec<Pod<'a>>,
}

macro_rules! shapes {
    ($($name:ident { $($(#[$attribute:meta])* $field:ident: $type:ty,)* })*) => {
        $(
            #[derive(Default, Deserialize)]
            #[serde(rename_all = "camelCase", default)]
            #[allow(dead_code)] // what the floor builds is all that is asked of it
            struct $name<'a> { $( $(#[$attribute])* $field: $type, )* }
        )*
    };
}

shapes! {
    Pod { #[serde(borrow)] metadata: Metadata<'a>, #[serde(borrow)] spec: Spec<'a>, #[serde(borrow)] status: Status<'a>, }
    Metadata {
        name: &'a str, namespace: &'a str, uid: &'a str, creation_timestamp: &'a str, deletion_timestamp: Option<&'a str>,
        #[serde(borrow)] owner_references: Vec<Owner<'a>>,
        #[serde(borrow)] managed_fields: Vec<ManagedField<'a>>,
    }
    ManagedField { manager: &'a str, time: Option<&'a str>, subresource: Option<&'a str>, }
    Owner { kind: &'a str, name: &'a str, }
    Spec {
        node_name: Option<&'a str>, restart_policy: &'a str, termination_grace_period_seconds: Option<i64>,
        priority: Option<i64>, #[serde(borrow)] containers: Vec<Container<'a>>,
        #[serde(borrow)] init_containers: Vec<Container<'a>>, #[serde(borrow)] volumes: Vec<Named<'a>>,
    }
    Container {
        name: &'a str, image: &'a str, #[serde(borrow)] command: Vec<Cow<'a, str>>, #[serde(borrow)] args: Vec<Cow<'a, str>>,
        #[serde(borrow)] env: Vec<Variable<'a>>, #[serde(borrow)] resources: Resources<'a>,
        #[serde(borrow)] volume_mounts: Vec<Named<'a>>,
    }
    Named { name: &'a str, }
    Variable { name: &'a str, #[serde(borrow)] value: Cow<'a, str>, }
    Status {
        phase: &'a str, reason: Option<&'a str>, #[serde(borrow)] message: Cow<'a, str>, qos_class: &'a str,
        start_time: Option<&'a str>, #[serde(borrow)] conditions: Vec<Condition<'a>>,
        #[serde(borrow)] container_statuses: Vec<ContainerStatus<'a>>,
        #[serde(borrow)] init_container_statuses: Vec<ContainerStatus<'a>>,
    }
    Condition { r#type: &'a str, status: &'a str, reason: Option<&'a str>, last_transition_time: Option<&'a str>, }
    ContainerStatus {
        name: &'a str, #[serde(rename = "containerID")] container_id: &'a str, restart_count: u32, ready: bool,
        #[serde(borrow)] state: State<'a>, #[serde(borrow)] last_state: State<'a>, #[serde(borrow)] resources: Resources<'a>,
    }
    State { #[serde(borrow)] terminated: Option<End<'a>>, #[serde(borrow)] running: Option<Running<'a>>, }
    Running { started_at: &'a str, }
    End {
        #[serde(rename = "containerID")] container_id: &'a str, exit_code: i32, reason: &'a str, started_at: &'a str,
        finished_at: &'a str, #[serde(borrow)] message: Cow<'a, str>,
    }
    Resources { #[serde(borrow)] requests: Amounts<'a>, #[serde(borrow)] limits: Amounts<'a>, }
    Amounts { memory: Option<&'a str>, cpu: Option<&'a str>, }
}
