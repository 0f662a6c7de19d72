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
    total: Bytes,
    /// The total is the kernel's own number.
    charged: bool,
    /// The parts: name, bytes, what of it is shared memory.
    parts: Vec<(&'static str, Bytes, Option<Bytes>)>,
    /// What no part names; negative where the report's numbers are not of one instant.
    rest: i128,
    /// Beside the total: swap is not charged to memory.
    swap: Option<Bytes>,
}

impl Balance {
    /// The sum as rows of name, bytes and share; `shared` names the part of the files that is shared memory.
    pub(in crate::report) fn rows(&self, shared: &str) -> Vec<Vec<String>> {
        let row = |name: &str, bytes: Bytes, share: String| vec![name.to_owned(), bytes.to_string(), share];
        let mut rows = Vec::new();
        for (name, bytes, of_it) in &self.parts {
            rows.push(row(name, *bytes, share(*bytes, self.total)));
            rows.extend(of_it.map(|of_it| row(shared, of_it, String::new())));
        }
        if let Ok(rest @ 1..) = u64::try_from(self.rest) {
            rows.push(row("not named by the report", Bytes(rest), share(Bytes(rest), self.total)));
        }
        let total = if self.charged { "charged by the kernel" } else { "sum of what is known" };
        rows.push(row(total, self.total, String::new()));
        let swap = self.swap.filter(|swap| swap.0 > 0);
        rows.extend(swap.map(|swap| row("beside it, swapped out", swap, String::new())));
        rows
    }

    /// What a reader who adds up the parts must know.
    pub(in crate::report) fn caveat(&self) -> Option<&'static str> {
        (self.rest < 0).then_some("The parts exceed the total: the kernel did not read them in one instant.")
    }
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
fn share(part: Bytes, total: Bytes) -> String {
    match total.0 {
        0 => String::new(),
        whole => format!("{:.0} %", part.0 as f64 / whole as f64 * 100.0),
    }
}
