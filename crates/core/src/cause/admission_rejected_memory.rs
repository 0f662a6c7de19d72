//! The pod never ran: its memory request did not fit the node, or no node.

use super::{Cause, Finding, Found, advice, quote, refusal};
use crate::case::Case;
use crate::diagnosis::{Advice, Confidence, Verdict};
use crate::fact::Qos;
use crate::kubelet;

pub(super) const CAUSE: Cause = Cause { verdict: Verdict::AdmissionRejectedMemory, judge, advise };

const SET: &str = "a quota or limit range of the namespace refuses the memory that it asks for";

fn judge(case: &Case<'_>) -> Finding {
    if let Some((event, true)) = refusal::unmade(case) {
        let says = "the API server refused the pod: its memory does not fit a quota or limit range of the namespace";
        let summary = format!("No pod of {} was made: {SET}. Nothing was killed.", refusal::workload(event.it));
        return Found::new(Confidence::Proven, summary, vec![quote::event(&event, says)]).into();
    }
    let Some(proof) = refusal::for_memory(case) else { return Finding::Absent };
    let why = match refusal::for_pressure(case) {
        Some(_) if is_best_effort(case) == Some(false) => "the node was short of memory",
        Some(_) => "the node was short of memory, and then takes no pod of class BestEffort",
        None => "its memory request does not fit",
    };
    Found::new(Confidence::Proven, format!("The pod never ran: {why}. Nothing was killed."), vec![proof]).into()
}

fn is_best_effort(case: &Case<'_>) -> Option<bool> {
    kubelet::qos(case.pod_spec()?).map(|class| class == Qos::BestEffort)
}

fn advise(case: &Case<'_>) -> Vec<Advice> {
    if refusal::unmade(case).is_some() {
        return vec![advice::advice(
            "set memory that the namespace's quota and limit range allow, or have them raised",
            "they count what is set in the template, not use",
            "a limit below the real use gets the container killed",
        )];
    }
    if refusal::for_pressure(case).is_some() {
        let mut list = vec![advice::advice(
            "see what fills the node's memory (kubectl describe node, kubectl top pod -A)",
            "the kubelet admits again when its MemoryPressure condition is over",
            "none",
        )];
        if is_best_effort(case) != Some(false) {
            list.push(advice::advice(
                "give the pod a memory request: it is then of class Burstable, which a node short of memory admits",
                "the scheduler places pods by their requests, and one without any fits everywhere",
                "what is requested is taken from other pods",
            ));
        }
        return list;
    }
    vec![advice::advice(
        "lower the memory request to what the pod really uses, or give it a node with that much free",
        "scheduling and admission count requests, not use",
        "a request below the real use makes the pod the first to be evicted",
    )]
}
