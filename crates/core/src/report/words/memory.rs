//! The settings in force, and the memory as a sum.

use super::{Labelled, kills};
use crate::diagnosis::{Composition, Diagnosis, Document, MemoryReport};
use crate::fact::Constraint;
use crate::units::Bytes;

/// The settings in force.
pub(in crate::report) fn settings(memory: &MemoryReport) -> Vec<Labelled> {
    let mut out = Vec::new();
    if let Some(limit) = memory.limit_bytes {
        let from = memory.limit_from.as_ref().map(|from| format!(" (from {from})")).unwrap_or_default();
        out.push(("limit", format!("{limit}{from}")));
    }
    out.extend(memory.request_bytes.map(|request| ("request", request.to_string())));
    out.extend(memory.pod_limit_bytes.map(|limit| ("pod limit", limit.to_string())));
    out.extend(memory.qos_class.map(|qos| ("qos class", format!("{qos:?}"))));
    out.extend(memory.oom_score_adj.map(|adj| ("oom_score_adj", adj.to_string())));
    out
}

/// A cgroup's memory as a sum: `parts` and `rest` make `total`.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::report) struct Balance {
    /// What the kernel charged, or the sum of the parts where no report gives it.
    pub(in crate::report) total: Bytes,
    /// The total is the kernel's own number.
    pub(in crate::report) charged: bool,
    /// The parts: name, bytes, what of it is shared memory.
    pub(in crate::report) parts: Vec<(&'static str, Bytes, Option<Bytes>)>,
    /// What no part names; negative where the report's numbers are not of one instant.
    pub(in crate::report) rest: i128,
    /// Beside the total: swap is not charged to memory.
    pub(in crate::report) swap: Option<Bytes>,
}

/// The composition of a diagnosis as a sum; `None` where nothing of it is known.
pub(in crate::report) fn balance(document: &Document, diagnosis: &Diagnosis) -> Option<Balance> {
    let Composition { anon_bytes, file_bytes, shmem_bytes, kernel_bytes, swap_bytes } = &diagnosis.memory.composition;
    let mut parts = Vec::new();
    parts.extend(anon_bytes.map(|bytes| ("anonymous", bytes, None)));
    match (file_bytes, shmem_bytes) {
        (Some(file), shmem) => parts.push(("files", *file, *shmem)),
        (None, Some(shmem)) => parts.push(("shared memory and tmpfs", *shmem, None)),
        (None, None) => {}
    }
    parts.extend(kernel_bytes.map(|bytes| ("kernel", bytes, None)));
    if parts.is_empty() {
        return None;
    }
    let sum: i128 = parts.iter().map(|(_, bytes, _)| i128::from(bytes.0)).sum();
    let charged = kills(document, diagnosis)
        .find(|kill| kill.constraint == Some(Constraint::Memcg))
        .and_then(|kill| kill.usage_bytes);
    let total = charged.unwrap_or(Bytes(u64::try_from(sum).unwrap_or(u64::MAX)));
    let rest = i128::from(total.0) - sum;
    Some(Balance { total, charged: charged.is_some(), parts, rest, swap: *swap_bytes })
}

/// `94 %` of a total; nothing for a total of zero.
pub(in crate::report) fn share(part: Bytes, total: Bytes) -> String {
    match total.0 {
        0 => String::new(),
        whole => format!("{:.0} %", part.0 as f64 / whole as f64 * 100.0),
    }
}
