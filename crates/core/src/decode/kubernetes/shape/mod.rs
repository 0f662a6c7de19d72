//! The fields that are read of Kubernetes objects, as borrowed structs. One struct fits every kind: a field that a kind
//! does not have is absent. Everything else is skipped without being built.

#![allow(clippy::struct_field_names, reason = "fields are named as the API names them")]

use std::fmt;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

mod metadata;
mod spec;
mod status;

pub(super) use super::text::Text;
pub(super) use metadata::{ManagedField, Metadata, OwnedAmounts, OwnedResources};
pub(super) use spec::{Amounts, ContainerSpec, ProbeSpec, Requirements, Spec};
pub(super) use status::{ConditionStatus, ContainerStatus, StateStatus, Status, TerminatedStatus};

/// An object of any kind.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Object<'a> {
    #[serde(borrow)]
    pub kind: Option<Text<'a>>,
    #[serde(borrow)]
    pub metadata: Option<Metadata<'a>>,
    #[serde(borrow)]
    pub spec: Option<Spec<'a>>,
    #[serde(borrow, deserialize_with = "status")]
    pub status: Option<Status<'a>>,
    // Events of core/v1 and events.k8s.io/v1.
    #[serde(borrow)]
    pub involved_object: Option<Reference<'a>>,
    #[serde(borrow)]
    pub regarding: Option<Reference<'a>>,
    #[serde(borrow)]
    pub reason: Option<Text<'a>>,
    #[serde(borrow)]
    pub message: Option<Text<'a>>,
    #[serde(borrow)]
    pub note: Option<Text<'a>>,
    #[serde(borrow, rename = "type")]
    pub event_type: Option<Text<'a>>,
    pub count: Option<i64>,
    pub deprecated_count: Option<i64>,
    #[serde(borrow)]
    pub first_timestamp: Option<Text<'a>>,
    #[serde(borrow)]
    pub last_timestamp: Option<Text<'a>>,
    #[serde(borrow)]
    pub deprecated_first_timestamp: Option<Text<'a>>,
    #[serde(borrow)]
    pub deprecated_last_timestamp: Option<Text<'a>>,
    #[serde(borrow)]
    pub event_time: Option<Text<'a>>,
    #[serde(borrow)]
    pub series: Option<Series<'a>>,
    #[serde(borrow)]
    pub source: Option<Source<'a>>,
    #[serde(borrow)]
    pub deprecated_source: Option<Source<'a>>,
    #[serde(borrow)]
    pub reporting_component: Option<Text<'a>>,
    #[serde(borrow)]
    pub reporting_controller: Option<Text<'a>>,
    #[serde(borrow)]
    pub reporting_instance: Option<Text<'a>>,
    /// Of a ControllerRevision.
    pub revision: Option<u64>,
    /// Of a ControllerRevision the part of the workload that it keeps; of others anything.
    #[serde(borrow)]
    pub data: Option<&'a RawValue>,
    /// Of a watch event: the object it carries.
    #[serde(borrow)]
    pub object: Option<&'a RawValue>,
}

/// An object's status is an object; the `Status` that the API answers errors with has a word there.
fn status<'de: 'a, 'a, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Status<'a>>, D::Error> {
    struct StatusVisitor;

    impl<'de> Visitor<'de> for StatusVisitor {
        type Value = Option<Status<'de>>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a status")
        }

        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
            Status::deserialize(MapAccessDeserializer::new(map)).map(Some)
        }

        fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
            Ok(None)
        }

        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok(None)
        }
    }

    deserializer.deserialize_any(StatusVisitor)
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Reference<'a> {
    #[serde(borrow)]
    pub kind: Option<Text<'a>>,
    #[serde(borrow)]
    pub namespace: Option<Text<'a>>,
    #[serde(borrow)]
    pub name: Option<Text<'a>>,
    #[serde(borrow)]
    pub uid: Option<Text<'a>>,
    #[serde(borrow)]
    pub field_path: Option<Text<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Series<'a> {
    pub count: Option<i64>,
    #[serde(borrow)]
    pub last_observed_time: Option<Text<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Source<'a> {
    #[serde(borrow)]
    pub component: Option<Text<'a>>,
    #[serde(borrow)]
    pub host: Option<Text<'a>>,
}
