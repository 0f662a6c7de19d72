//! `metadata`: names, owners, and which fields of memory each manager set.

#![allow(clippy::struct_field_names, reason = "fields are named as the API names them")]

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::Text;

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(in super::super) struct Metadata<'a> {
    #[serde(borrow)]
    pub name: Option<Text<'a>>,
    #[serde(borrow)]
    pub namespace: Option<Text<'a>>,
    #[serde(borrow)]
    pub uid: Option<Text<'a>>,
    #[serde(borrow)]
    pub creation_timestamp: Option<Text<'a>>,
    #[serde(borrow)]
    pub deletion_timestamp: Option<Text<'a>>,
    pub deletion_grace_period_seconds: Option<i64>,
    pub generation: Option<i64>,
    #[serde(borrow)]
    pub annotations: Option<Annotations<'a>>,
    #[serde(borrow)]
    pub owner_references: Option<Vec<OwnerReference<'a>>>,
    #[serde(borrow)]
    pub managed_fields: Option<Vec<ManagedField<'a>>>,
}

/// The annotations that tell something; the others are passed over, however long they are.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in super::super) struct Annotations<'a> {
    #[serde(rename = "kubernetes.io/config.hash", borrow)]
    pub config_hash: Option<Text<'a>>,
    #[serde(rename = "vpaUpdates", borrow)]
    pub vpa_updates: Option<Text<'a>>,
    #[serde(rename = "vpaObservedContainers", borrow)]
    pub vpa_observed: Option<Text<'a>>,
    #[serde(rename = "kubernetes.io/limit-ranger", borrow)]
    pub limit_ranger: Option<Text<'a>>,
    #[serde(rename = "deployment.kubernetes.io/revision", borrow)]
    pub revision: Option<Text<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in super::super) struct OwnerReference<'a> {
    #[serde(borrow)]
    pub kind: Text<'a>,
    #[serde(borrow)]
    pub name: Text<'a>,
    pub controller: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(in super::super) struct ManagedField<'a> {
    #[serde(borrow)]
    pub manager: Text<'a>,
    #[serde(borrow)]
    pub time: Option<Text<'a>>,
    #[serde(borrow)]
    pub subresource: Option<Text<'a>>,
    #[serde(rename = "fieldsV1", borrow)]
    pub fields: Option<OwnedFields<'a>>,
}

/// Of the fields that a manager owns, the memory resources.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in super::super) struct OwnedFields<'a> {
    #[serde(rename = "f:spec", borrow)]
    pub spec: Option<OwnedSpec<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in super::super) struct OwnedSpec<'a> {
    #[serde(rename = "f:containers", borrow)]
    pub containers: Option<BTreeMap<Text<'a>, OwnedContainer>>,
    #[serde(rename = "f:initContainers", borrow)]
    pub init_containers: Option<BTreeMap<Text<'a>, OwnedContainer>>,
    #[serde(rename = "f:resources")]
    pub resources: Option<OwnedResources>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in super::super) struct OwnedContainer {
    #[serde(rename = "f:resources")]
    pub resources: Option<OwnedResources>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in super::super) struct OwnedResources {
    #[serde(rename = "f:limits")]
    pub limits: Option<OwnedAmounts>,
    #[serde(rename = "f:requests")]
    pub requests: Option<OwnedAmounts>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in super::super) struct OwnedAmounts {
    #[serde(rename = "f:memory")]
    pub memory: Option<IgnoredAny>,
}
