//! A heap of one size, baked into an image that runs under any limit.

use super::{Finding, Level, Subject};
use crate::lint::finding::Place;
use crate::lint::runtime::jvm::Jvm;
use crate::lint::runtime::{go, node::Node};
use crate::lint::workload::Platform;

super::rule!("dockerfile-heap-fixed", Info, Program(judge));

fn judge<'a>(subject: &Subject<'_, 'a>) -> Vec<Finding<'a>> {
    if subject.scene.workload.platform != Platform::Dockerfile {
        return Vec::new();
    }
    let heap = subject.jvm().and_then(Jvm::max_heap).map(|it| {
        let remedy = "size the heap by the limit (-XX:MaxRAMPercentage), or set -Xmx where the limit is set";
        (it.part.place, format!("the image fixes the JVM's heap at {}", it.value), remedy)
    });
    let old_space = Node::read(subject).and_then(|it| it.old_space).map(|(bytes, part)| {
        let remedy = "set NODE_OPTIONS where the limit is set";
        (part.place, format!("the image fixes V8's old generation at {bytes}"), remedy)
    });
    let limit = go::memory_limit(subject).and_then(|it| Some((it.bytes?, it.node))).map(|(bytes, node)| {
        let remedy = "set GOMEMLIMIT where the limit is set";
        (Place::from(node), format!("the image fixes Go's memory limit at {bytes}"), remedy)
    });
    let found = [heap, old_space, limit].into_iter().flatten();
    found
        .map(|(place, message, remedy)| {
            let finding = Finding::new(Level::Info, place, message)
                .label("the same under every limit")
                .note("a limit near it or below is reached by the heap, and of one far above it most is never used")
                .help(remedy);
            finding.by_default(subject.container.node.tree())
        })
        .collect()
}
