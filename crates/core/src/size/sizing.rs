//! The whole way from a workload's history to what it should be given.

use super::advice::advise;
use super::autoscaler;
use super::censor;
use super::days::{Days, Replica};
use super::document::{Document, Observed, SCHEMA, Setting, Sizing};
use super::enough::too_little;
use super::flags;
use super::judged::{Judged, judge};
use super::limit::{Amount, as_wished, from_peaks, of_cache};
use super::modelled::limit_by;
use super::observed::{observe, percentile, percentile_between};
use super::replay::replay;
use super::risk::{Tail, risk};
use super::runs;
use super::wishes::{Qos, Wishes};
use super::workload::Workload;
use crate::diagnosis::{Confidence, GapReport, SourceReport};
use crate::growth::Class;
use crate::units::Bytes;

/// A proposal is worth a change where it differs by more than this: the VPA's updater acts from a tenth on
/// (`pod-update-threshold`, updater 1.8).
const MATERIAL_PERCENT: u64 = 10;

/// The policy that is followed where no other is asked for.
const OURS: &str = "oomph";

/// Sizes workloads; the document has them in the same order.
pub fn size(workloads: &[Workload], wishes: &Wishes, sources: Vec<SourceReport>, gaps: Vec<GapReport>) -> Document {
    Document { schema: SCHEMA, workloads: workloads.iter().map(|it| size_one(it, wishes)).collect(), sources, gaps }
}

/// Sizes one workload.
pub fn size_one(workload: &Workload, wishes: &Wishes) -> Sizing {
    let days = Days::of(workload);
    let observed = observe(workload, &days);
    let mut judged = judge(workload);
    if let Some(saved) = autoscaler::knows(workload).filter(|_| judged.class == Class::TooLittleData) {
        judged.because = autoscaler::class_evidence(saved);
    }
    let cut = censor::cut(workload);
    let tail = Tail::of(&days);
    let worst = workload.runs.iter().filter_map(|run| run.peak.as_ref()).max_by_key(|peak| peak.unreclaimable_bytes);
    let current = Setting {
        request_bytes: workload.request(),
        limit_bytes: workload.limit(),
        flags: worst.map_or_else(|| flags::now(workload), runs::flags_now),
    };
    let proposal = propose(workload, wishes, &days, &observed, &judged, cut, tail.as_ref());
    let (proposed, reasons, missing, flags_missing) = match proposal {
        Ok(it) => (Some(it.setting), it.reasons, None, it.flags_missing),
        Err(because) => (None, Vec::new(), Some(because), None),
    };
    let limit = proposed.as_ref().and_then(|it| it.limit_bytes);
    let replay =
        if cut.is_some() || workload.replicas.is_empty() { None } else { Some(replay(workload, &days, limit)) };
    // Peaks that were cut off tell no risk, and those of a leak come nearer every day.
    let tells = cut.is_none() && judged.class != Class::Leak;
    let risk = risk(tail.as_ref().filter(|_| tells), limit, current.limit_bytes);
    let subject = &workload.subject;
    let policy = wishes.policy.map_or(OURS, |known| known.name);
    let known = |name: &str| (!name.is_empty()).then(|| name.to_owned());
    Sizing {
        namespace: known(&subject.namespace),
        kind: known(&subject.kind),
        name: subject.name.clone(),
        container: known(&subject.container),
        replicas: workload.replicas.len(),
        class: judged.class,
        class_evidence: judged.because.clone(),
        growing_part: judged.growing.clone(),
        censored: cut.is_some(),
        needs_action: needs_action(judged.class, &current, proposed.as_ref(), observed.kills)
            || replay.is_some_and(|it| it.oom_kills_after.is_some_and(|kills| kills > 0)),
        advice: advise(workload, &judged, cut, &observed, proposed.as_ref()),
        vpa: autoscaler::compare(workload, judged.class, &current, proposed.as_ref()),
        stands: workload.stands,
        current,
        policy,
        proposed,
        proposed_missing: missing,
        flags_missing,
        reasons,
        replay,
        risk,
        seconds_to_limit: judged.seconds_to_limit,
        confidence: confidence(&judged, cut.is_some()),
        observed,
    }
}

/// A proposal and how it came about.
struct Proposal {
    setting: Setting,
    reasons: Vec<String>,
    flags_missing: Option<String>,
}

fn propose(
    workload: &Workload,
    wishes: &Wishes,
    days: &Days<'_>,
    observed: &Observed,
    judged: &Judged,
    cut: Option<censor::Cut>,
    tail: Option<&Tail>,
) -> Result<Proposal, String> {
    if judged.class == Class::Leak {
        return Err("it grows without end: any limit is only a time to the next kill; find what grows".into());
    }
    let saved = autoscaler::knows(workload);
    let highest = days.peak().unwrap_or_default();
    if let Some(because) = too_little(workload).filter(|_| saved.is_none()) {
        return Err(match &workload.autoscaler {
            // The VPA's target is no measurement: who follows it needs no oomph.
            Some(_) if workload.replicas.is_empty() => ONLY_TARGET.into(),
            _ => because,
        });
    }
    let other = wishes.policy.filter(|known| known.name != OURS);
    let (limit, usual, peak) = if let Some(saved) = saved {
        let containers = workload.autoscaler.as_ref().map_or(1, |it| it.containers);
        let (limit, usual) = from_saved(saved, other, containers)?;
        (limit, usual, None)
    } else if let Some(known) = other {
        if !workload.runs.is_empty() {
            return Err(format!("recordings of runs are too short for the policy {}; it needs a history", known.name));
        }
        let limit = limit_by(workload, known);
        let usual = Amount { bytes: limit.bytes, because: vec!["request: the same, as the back-test has it".into()] };
        (limit, usual, None)
    } else if workload.runs.is_empty() {
        let limit = from_peaks(workload, highest, cut);
        let limit = if judged.class == Class::Cache { of_cache(limit, workload) } else { limit };
        (limit, request(workload, days, observed), None)
    } else {
        let needed = runs::needed(workload)?;
        let usual = Amount {
            bytes: needed.request,
            because: vec!["request: what the runs needed at most; they are too short for percentiles".into()],
        };
        (needed.limit, usual, needed.peak)
    };
    let used = flags::peak(highest, limit.bytes);
    // Another policy sets what it would set.
    let limit = if other.is_none() { flags::hold(limit, used, workload) } else { limit };
    let limit = as_wished(limit, wishes, tail);
    let mut reasons = limit.because.clone();
    let request_bytes = match wishes.qos {
        Qos::Guaranteed => {
            reasons.push("request: as large as the limit, as Guaranteed asks for".into());
            limit.bytes
        }
        Qos::Burstable => {
            reasons.extend(usual.because);
            wishes.rounded(usual.bytes).max(wishes.least.unwrap_or_default()).min(limit.bytes)
        }
    };
    let flags = if workload.runs.is_empty() {
        flags::flags(workload, judged.class, limit.bytes, used)
    } else {
        runs::flags(peak, limit.bytes)
    };
    let (flags, flags_missing) = flags.map_or_else(|because| (Vec::new(), Some(because)), |flags| (flags, None));
    let setting = Setting { request_bytes: Some(request_bytes), limit_bytes: Some(limit.bytes), flags };
    Ok(Proposal { setting, reasons, flags_missing })
}

const ONLY_TARGET: &str = "a VPA's recommendation says what it would set, not what was used; give its checkpoints as well \
                           (kubectl get vpacheckpoints,vpa -A -o yaml), or a history";

/// Limit and request by a checkpoint alone.
fn from_saved(
    saved: &super::vpa::Checkpoint,
    policy: Option<super::policy::Known>,
    containers: u32,
) -> Result<(Amount, Amount), String> {
    let (limit, usual) = autoscaler::from_peaks(saved)?;
    match policy {
        None => Ok((limit, usual)),
        Some(known) if known.of_vpa => {
            let target = super::vpa::Recommender::load(saved)?.recommend(containers).target;
            let bytes = Bytes(u64::try_from(target).unwrap_or(0));
            let limit = Amount { bytes, because: vec![format!("limit: as the policy vpa sets it ({})", known.what)] };
            Ok((limit, Amount { bytes, because: vec!["request: the same".into()] }))
        }
        Some(known) => {
            Err(format!("a VPA's checkpoint keeps daily peaks alone; the policy {} needs a history", known.name))
        }
    }
}

/// The request: what is used most of the time. Of runs that end by themselves, what most runs need at their peak: a run
/// is scheduled once, and its peak comes.
fn request(workload: &Workload, days: &Days<'_>, observed: &Observed) -> Amount {
    if workload.is_runs() {
        let peaks: Vec<u64> = days.replicas.iter().filter_map(|it| Some(it.ends().both()?.1)).collect();
        let number = peaks.len();
        let bytes = percentile(&[&peaks], 950).unwrap_or_default();
        return Amount { bytes, because: vec![format!("request: 95 % of {number} runs peaked at {bytes} or less")] };
    }
    // Of each replica its own: a busy one is not diluted by nine idle ones.
    let of = |it: &Replica<'_>| percentile_between(&[&it.history.used], it.ends(), 950);
    let bytes = match days.replicas.as_slice() {
        [_] => observed.p95_bytes,
        several => several.iter().filter_map(of).max(),
    };
    let bytes = bytes.unwrap_or_default();
    let whose = if workload.replicas.len() > 1 { "the busiest replica" } else { "it" };
    Amount { bytes, because: vec![format!("request: 95 % of the time {whose} used {bytes} or less")] }
}

fn needs_action(class: Class, current: &Setting, proposed: Option<&Setting>, kills: u64) -> bool {
    let differs = |now: Option<Bytes>, then: Option<Bytes>| match (now, then) {
        (Some(now), Some(then)) => now.0.abs_diff(then.0) > now.0 / 100 * MATERIAL_PERCENT,
        // Nothing is said of what is not known.
        _ => false,
    };
    let proposal = proposed.is_some_and(|it| {
        differs(current.limit_bytes, it.limit_bytes) || differs(current.request_bytes, it.request_bytes)
    });
    matches!(class, Class::Leak | Class::LimitTooLow) || kills > 0 || proposal
}

/// A proposal is no surer than its class, and what was cut off leaves its size open.
fn confidence(judged: &Judged, censored: bool) -> Confidence {
    if censored && judged.class != Class::Leak && judged.class != Class::LimitTooLow {
        judged.confidence.min(Confidence::Possible)
    } else {
        judged.confidence
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::size::History;

    #[test]
    fn a_proposal_under_which_the_history_would_have_been_killed_needs_action() {
        let history =
            History { at: (0..300).map(|step| step * 300).collect(), used: vec![100 << 20; 300], ..History::default() };
        let workload = Workload { replicas: vec![history], ..Workload::default() };
        let of = |most| size_one(&workload, &Wishes { most, ..Wishes::default() });
        let low = of(Some(Bytes::mib(90)));
        assert!(low.needs_action && low.replay.is_some_and(|it| it.oom_kills_after > Some(0)), "{low:?}");
        let enough = of(None);
        assert!(!enough.needs_action);
        assert!(enough.reasons[0].ends_with("and a margin of 64 MiB"), "{:?}", enough.reasons);
    }
}
