//! Strimzi's objects: the JVM's options stand in fields of their own.

use super::{Amount, At, Object};
use crate::runtime::flags::size;
use crate::units::Bytes;

/// `jvmOptions` of Strimzi beside `resources`.
pub(in crate::lint) struct Options<'a> {
    /// The mapping.
    pub node: At<'a>,
    /// `-Xmx`.
    pub heap: Bytes,
    /// Its value.
    pub place: At<'a>,
    /// `resources.limits.memory`.
    pub limit: Bytes,
    /// Its value.
    pub limit_place: At<'a>,
}

/// Every one of an object, wherever the two stand together.
pub(in crate::lint) fn options<'a>(object: &Object<'a>) -> Vec<Options<'a>> {
    let mut all = Vec::new();
    if object.group().ends_with("strimzi.io") {
        walk(object.node, &mut all, 0);
    }
    all
}

fn walk<'a>(node: At<'a>, all: &mut Vec<Options<'a>>, depth: usize) {
    let found = || {
        let options = node.get("jvmOptions")?;
        let place = options.get("-Xmx")?;
        let limit = Amount::read(node.path(&["resources", "limits", "memory"])?);
        let heap = Bytes(size(place.text()?)?);
        Some(Options { node: options, heap, place, limit: limit.bytes()?, limit_place: limit.node })
    };
    all.extend(found());
    for child in node.own_children().filter(|_| depth < 16) {
        walk(child, all, depth + 1);
    }
}
