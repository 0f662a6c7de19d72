//! What runs well of a pod that was asked for by name.

use std::fmt::Write as _;

use crate::ask::Ask;
use crate::fact::{Container, CountersOf, Resources, State};

use super::assemble::{asked, bare};
use super::gather::seen;
use super::matching::names;
use super::{Case, Index};

/// One sentence for each running container of the pods that were named and are there, but for those of `told`.
pub fn healthy(index: &Index<'_>, told: &[&Case<'_>], ask: &Ask) -> Vec<String> {
    let is_told = |container: &Container| {
        told.iter().any(|case| case.container.is_some_and(|known| std::ptr::eq(known, container)))
    };
    let mut sentences = Vec::new();
    for view in index.pods.iter().filter(|view| !view.gone && asked(view, ask)) {
        for container in &view.pod.containers {
            let wanted = ask.container.is_none() || ask.container == container.name;
            let of_pod =
                told.iter().any(|case| case.container.is_none() && case.pod.is_some_and(|it| std::ptr::eq(it, view)));
            if wanted && !is_told(container) && !of_pod {
                let case = Case { container: Some(container), ..bare(index, Some(view)) };
                sentences.extend(sentence(&case));
            }
        }
    }
    sentences
}

/// `Container app of pod shop/web-0 runs since 2026-01-02 03:04:05Z, never restarted, and uses 12 MiB of 64 MiB.`
fn sentence(case: &Case<'_>) -> Option<String> {
    let (pod, container) = (case.pod_spec()?, case.container?);
    let status = container.status.as_ref()?;
    let Some(State::Running { started }) = &status.state else { return None };
    let name = [&pod.namespace, &pod.name].into_iter().flatten().map(String::as_str).collect::<Vec<_>>().join("/");
    let mut said = format!("Container {} of pod {name} runs", container.name.as_deref().unwrap_or("without a name"));
    if let Some(started) = started {
        let _ = write!(said, " since {}", started.strftime("%Y-%m-%d %H:%M:%SZ"));
    }
    match status.restart_count {
        Some(0) => said.push_str(", never restarted"),
        Some(1) => said.push_str(", restarted once"),
        Some(count) => {
            let _ = write!(said, ", restarted {count} times");
        }
        None => {}
    }
    let applied = container.applied.as_ref().and_then(Resources::limit_bytes);
    let limit = applied.or_else(|| container.resources.limit_bytes());
    let own = seen(&case.index.counters).filter(|it| it.of == CountersOf::Container && names(case, &it.it.subject));
    let usage = own.filter_map(|counters| counters.it.usage).last();
    match (usage, limit) {
        (Some(usage), Some(limit)) => {
            let _ = write!(said, ", and uses {usage} of its limit of {limit}");
        }
        (Some(usage), None) => {
            let _ = write!(said, ", and uses {usage} without a limit of its own");
        }
        (None, Some(limit)) => {
            let _ = write!(said, ", with a limit of {limit}");
        }
        (None, None) => {}
    }
    Some(said + ".")
}
