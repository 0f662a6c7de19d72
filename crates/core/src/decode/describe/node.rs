//! A node's describe text to a node fact and its events.

use super::Block;
use crate::decode::{Decoded, Input, event_row};
use crate::fact::{Locus, Node, What};

/// Labels that only a node's text has.
pub(super) fn is_node(block: &Block<'_>) -> bool {
    block
        .lines
        .iter()
        .filter(|line| matches!(line.label(), Some("Kubelet Version" | "Allocatable" | "Unschedulable" | "Boot ID")))
        .count()
        >= 2
}

/// Decodes one node.
pub(super) fn decode(block: &Block<'_>, input: Input<'_>, out: &mut Decoded) {
    let mut node = Node::default();
    let mut part = "";
    let mut events = Vec::new();
    for line in &block.lines {
        if let Some((event, named)) = event_row::event(line.raw) {
            if !named {
                events.push((event, line.number));
            }
            continue;
        }
        let (Some(label), value) = (line.label(), line.value()) else { continue };
        let text = || (!value.is_empty()).then(|| value.to_owned());
        match label {
            "Name" if line.depth() == 0 => node.name = text(),
            "Unschedulable" => node.unschedulable = value == "true",
            "Taints" if value != "<none>" => node.taints.extend(text()),
            "Boot ID" => node.boot_id = text().map(|id| id.replace('-', "")),
            "Kernel Version" => node.kernel = text(),
            "Container Runtime Version" => node.runtime = text(),
            "Kubelet Version" => node.kubelet = text(),
            "Operating System" => node.os = text(),
            "Capacity" | "Allocatable" | "System Info" => part = label,
            "memory" if part == "Capacity" => node.memory_capacity = value.parse().ok(),
            "memory" if part == "Allocatable" => node.memory_allocatable = value.parse().ok(),
            _ => {}
        }
    }
    let name = node.name.clone();
    let at = block.lines.first().map_or(input.first_line, |line| line.number);
    out.fact(What::Node(Box::new(node)), Locus::line(input.id, at));
    for (event, at) in events {
        let event = event_row::about(event, "Node", None, name.as_deref());
        out.fact(What::Event(Box::new(event)), Locus::line(input.id, at));
    }
}
