//! Everything that a plan asks for, some queries at a time, into histories.

use futures::StreamExt;
use oomph_core::size::prometheus::{Answer, Assembly, Histories, Plan, Range, Signal, Size, Slice};

use super::ask::Server;
use super::refusal::{Refusal, too_much};

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
    let [raw, containers] = range.counts();
    Ok(Plan::new(
        range,
        Size { raw: most(server, range, &raw).await?, containers: most(server, range, &containers).await? },
    ))
}

/// The highest count of some moments of the range. Each is asked for alone: over the whole range VictoriaMetrics would
/// read every sample between them, and refuse a large fleet (1.79, `-search.maxSamplesPerQuery`).
async fn most(server: &Server, range: &Range, query: &str) -> Result<i64, String> {
    let cannot = |because: String| format!("cannot ask the Prometheus {}: {because}", server.name());
    let moments = range.moments().map(|at| server.query_range(query, at, at, range.step));
    let mut answers = futures::stream::iter(moments).buffer_unordered(AT_ONCE);
    let mut most = 0;
    while let Some(bytes) = answers.next().await {
        let answer = Answer::decode(&bytes.map_err(|refusal| cannot(refusal.because()))?);
        if answer.failed {
            return Err(cannot(answer.because.join("; ")));
        }
        #[allow(clippy::cast_possible_truncation, reason = "a count")]
        let counts = answer.series.iter().flat_map(|s| &s.points).map(|(_, value)| *value as i64);
        most = counts.fold(most, i64::max);
    }
    Ok(most)
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
        for part in parts {
            bytes += part.bytes;
            match part.answer {
                Ok(answer) => assembly.add(part.signal, answer),
                Err(because) => assembly.missed(part.signal, because),
            }
        }
        done += 1;
        progress(Progress { done, of: plan.slices.len(), bytes });
    }
    drop(answers);
    Read { histories: assembly.finish(), bytes, requests: server.asked(), plan }
}

/// What was said to a piece of a slice.
struct Part {
    signal: Signal,
    /// Of JSON.
    bytes: u64,
    answer: Result<Answer, String>,
}

/// A slice, in as many pieces as the server wants. Where it refuses a single step, what is left is asked for as it is:
/// a limit that a step does not keep is none of time, and thousands of queries would not keep it either.
async fn whole(server: &Server, range: &Range, slice: Slice) -> Vec<Part> {
    let query = slice.signal.query(range);
    let mut left = vec![slice];
    let mut parts = Vec::new();
    let mut divisible = true;
    while let Some(slice) = left.pop() {
        let signal = slice.signal;
        let (too_large, part) = match server.query_range(&query, slice.from, slice.to, slice.step).await {
            Ok(bytes) => {
                let answer = Answer::decode(&bytes);
                // Thanos answers with what it has, and warns of a store that was asked for too much (0.42,
                // `--query.partial-response`, which is the default).
                let too_large = answer.because.iter().any(|it| too_much(it));
                (too_large, Part { signal, bytes: bytes.len() as u64, answer: Ok(answer) })
            }
            Err(refusal) => {
                let too_large = matches!(refusal, Refusal::TooLarge(_));
                (too_large, Part { signal, bytes: 0, answer: Err(refusal.because()) })
            }
        };
        let halves = slice.halves();
        divisible &= halves.is_some() || !too_large;
        match halves.filter(|_| too_large && divisible) {
            Some(halves) => left.extend(halves),
            None => parts.push(part),
        }
    }
    parts
}
