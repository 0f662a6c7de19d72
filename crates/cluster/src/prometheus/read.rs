//! Everything that a plan asks for, some queries at a time, into histories.

use futures::StreamExt;
use oomph_core::size::prometheus::{Answer, Assembly, Histories, Plan, Range, Size, Slice};

use super::ask::{Refusal, Server};

/// Queries under way at once (Prometheus runs 20, `--query.max-concurrency`; others ask too).
const AT_ONCE: usize = 4;

/// How far a reading has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Queries answered.
    pub done: usize,
    /// Queries planned.
    pub of: usize,
    /// Bytes of JSON so far.
    pub bytes: u64,
}

/// What was read.
#[derive(Debug)]
pub struct Read {
    /// Histories, requests and gaps.
    pub histories: Histories,
    /// How it was asked for.
    pub plan: Plan,
    /// Bytes of JSON that came.
    pub bytes: u64,
    /// Requests that were sent, those of the plan and those tried again among them.
    pub requests: u32,
}

/// Counts the series of a range and plans it. An error where the server does not answer at all.
pub async fn plan(server: &Server, range: &Range) -> Result<Plan, String> {
    let step = ((range.to - range.from) / 10).max(1);
    let mut counts = [0_i64; 2];
    for (query, most) in range.counts().iter().zip(&mut counts) {
        let bytes = server
            .query_range(query, range.from, range.to, step)
            .await
            .map_err(|refusal| format!("cannot ask the Prometheus {}: {}", server.name(), refusal.because()))?;
        let answer = Answer::decode(&bytes);
        if answer.failed {
            return Err(format!("cannot ask the Prometheus {}: {}", server.name(), answer.because.join("; ")));
        }
        #[allow(clippy::cast_possible_truncation, reason = "a count")]
        let largest = answer.series.iter().flat_map(|s| &s.points).map(|(_, value)| *value as i64).max();
        *most = largest.unwrap_or(0);
    }
    Ok(Plan::new(range, Size { raw: counts[0], containers: counts[1] }))
}

/// Reads a plan. A query that fails becomes a gap; one that is too large is asked for in halves.
pub async fn read(server: &Server, plan: Plan, progress: &(dyn Fn(Progress) + Sync)) -> Read {
    let mut assembly = Assembly::of(&plan.range);
    let mut bytes = 0;
    let range = &plan.range;
    let mut answers =
        futures::stream::iter(plan.slices.iter().map(|slice| whole(server, range, *slice))).buffer_unordered(AT_ONCE);
    let mut done = 0;
    while let Some(parts) = answers.next().await {
        for (slice, part) in parts {
            match part {
                Ok(part) => {
                    bytes += part.len() as u64;
                    assembly.add(slice.signal, Answer::decode(&part));
                }
                Err(because) => assembly.missed(slice.signal, because),
            }
        }
        done += 1;
        progress(Progress { done, of: plan.slices.len(), bytes });
    }
    drop(answers);
    Read { histories: assembly.finish(), bytes, requests: server.asked(), plan }
}

/// A slice, in as many pieces as the server wants.
async fn whole(server: &Server, range: &Range, slice: Slice) -> Vec<(Slice, Result<Vec<u8>, String>)> {
    let query = slice.signal.query(range);
    let mut left = vec![slice];
    let mut parts = Vec::new();
    while let Some(slice) = left.pop() {
        match server.query_range(&query, slice.from, slice.to, slice.step).await {
            Ok(bytes) => parts.push((slice, Ok(bytes))),
            Err(Refusal::TooLarge(because)) => match slice.halves() {
                Some(halves) => left.extend(halves),
                None => parts.push((slice, Err(because))),
            },
            Err(Refusal::Failed(because)) => parts.push((slice, Err(because))),
        }
    }
    parts
}
