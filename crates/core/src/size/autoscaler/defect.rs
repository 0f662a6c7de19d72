//! What is known to go wrong with the VPA (1.8.1, read in its source), where it does so here.

use std::collections::BTreeMap;

use super::compare::Scene;
use super::document::{Defect, Vpa};
use crate::growth::Class;
use crate::size::vpa::least;
use crate::size::workload::Workload;
use crate::units::{Bytes, DAY};

/// With equal replicas and eight days of history the newest peak of one weighs 0.502 of a replica's share: the 90th
/// percentile does not see it from so many replicas on.
const REPLICAS_DILUTED: usize = 6;

/// A limit that differs from what is needed by less is not worth a word: percent.
const MATERIAL_PERCENT: u64 = 10;

/// An upper bound that is raised by a seventh or less, as after seven days, is not young.
const YOUNG_DAYS: f64 = 7.0;

/// `MaxResourceAmount`: the bound where nothing is known.
const UNBOUNDED: Bytes = Bytes(100_000_000_000_000);

/// All that apply.
pub(super) fn defects(scene: &Scene<'_>, vpa: &Vpa) -> Vec<Defect> {
    let all = [
        ("leak-fed", leak_fed(scene)),
        ("memory-scaled-twice", scaled_twice(scene)),
        ("limit-scaled", limit_scaled(scene)),
        ("maximum-too-low", maximum_too_low(scene)),
        ("peaks-above-target", peaks_above(scene, vpa)),
        ("kill-diluted", kill_diluted(scene)),
        ("kill-from-request", kill_from_request(scene)),
        ("minimum", minimum(scene, vpa)),
        ("young-upper-bound", young(scene, vpa)),
    ];
    all.into_iter().filter_map(|(id, what)| Some(Defect { id, what: what? })).collect()
}

fn leak_fed(scene: &Scene<'_>) -> Option<String> {
    let fed = scene.class == Class::Leak && scene.changes_memory();
    fed.then(|| "it follows the leak: each day's peak raises the target, and with it what the leak may take".into())
}

fn scaled_twice(scene: &Scene<'_>) -> Option<String> {
    let other = scene.autoscaler.horizontal.as_ref().filter(|_| scene.changes_memory())?;
    Some(format!(
        "{other} scales the same memory: a higher request lowers the share that is used, so replicas go, so usage rises"
    ))
}

fn limit_scaled(scene: &Scene<'_>) -> Option<String> {
    let (scaled, target) = (scene.scaled_limit()?, scene.target?);
    let (request, limit) = (scene.current.request_bytes?, scene.current.limit_bytes?);
    let need = scene.proposed?.limit_bytes?;
    let ratio = limit.0 as f64 / request.0 as f64;
    let rule =
        format!("it keeps the ratio of limit to request ({ratio:.1}): a target of {target} makes the limit {scaled}");
    if scaled.0 > need.0.saturating_mul(2) {
        Some(format!("{rule}, where {need} would do"))
    } else if scaled.0 < need.0 / 100 * (100 - MATERIAL_PERCENT) {
        Some(format!("{rule}, where {need} are needed"))
    } else {
        None
    }
}

fn maximum_too_low(scene: &Scene<'_>) -> Option<String> {
    let most = scene.policy?.most?;
    let need = scene.proposed?.request_bytes.filter(|need| *need > most)?;
    Some(format!(
        "maxAllowed of {most} is below the {need} that are used: what it cannot give it makes up again after every kill"
    ))
}

/// Daily peaks, by day and replica: how many there are, how many are above an amount, and the highest.
fn days_above(workload: &Workload, target: Bytes) -> (usize, usize, u64) {
    let mut peaks: BTreeMap<(usize, i64), u64> = BTreeMap::new();
    for (number, replica) in workload.replicas.iter().enumerate() {
        for (at, used) in replica.points() {
            let peak = peaks.entry((number, at.div_euclid(DAY))).or_default();
            *peak = used.max(*peak);
        }
    }
    let above = peaks.values().filter(|peak| **peak > target.0).count();
    (peaks.len(), above, peaks.values().copied().max().unwrap_or(0))
}

fn peaks_above(scene: &Scene<'_>, vpa: &Vpa) -> Option<String> {
    let target = scene.target?;
    let why = "the target is the 90th percentile of daily peaks and 15 %, not the highest";
    let (all, above, highest) = days_above(scene.workload, target);
    if all > 1 {
        return (above > 0).then(|| {
            format!("{above} of {all} days peaked above its target of {target}, up to {}: {why}", Bytes(highest))
        });
    }
    let over = vpa.peaks.iter().filter(|it| it.up_to_bytes > target);
    let (share, highest) =
        over.fold((0.0, Bytes(0)), |(share, most), it| (share + it.share_pct, most.max(it.up_to_bytes)));
    (share > 0.0).then(|| {
        format!("{share:.1} % of its own daily peaks lie above its target of {target}, up to {highest}: {why}")
    })
}

/// The highest limit at which a replica was killed, with the replica and the moment.
fn died_at(workload: &Workload) -> Option<(Bytes, usize, i64)> {
    let all = workload.replicas.iter().enumerate();
    let kills = all.flat_map(|(number, it)| {
        it.kills.iter().filter_map(move |kill| Some((it.limit_of_kill(kill)?, number, kill.at)))
    });
    kills.max()
}

fn kill_diluted(scene: &Scene<'_>) -> Option<String> {
    let (limit, _, _) = died_at(scene.workload)?;
    let (target, replicas) = (scene.target?, scene.workload.replicas.len());
    (replicas >= REPLICAS_DILUTED && target < limit).then(|| {
        format!(
            "a kill at {limit} did not move its target of {target}: one of {replicas} replicas weighs too little in the \
             histogram that they share"
        )
    })
}

fn kill_from_request(scene: &Scene<'_>) -> Option<String> {
    let (limit, replica, at) = died_at(scene.workload)?;
    let request = scene.current.request_bytes?;
    let day = scene.workload.replicas[replica].points().filter(|(seen, _)| *seen <= at && *seen > at - DAY);
    let used = day.map(|(_, used)| used).max().unwrap_or(0).max(request.0);
    // oom-min-bump-up-bytes and oom-bump-up-ratio.
    let learned = Bytes(used.saturating_add(100 << 20).max(used.saturating_add(used / 5)));
    (learned < limit).then(|| {
        format!(
            "after the kill at a limit of {limit} it learns {learned}: it starts from the request or the highest sample, \
             not from the limit at which it died"
        )
    })
}

fn minimum(scene: &Scene<'_>, vpa: &Vpa) -> Option<String> {
    let target = scene.target?;
    let containers = scene.autoscaler.containers;
    let least = Bytes(u64::try_from(least(containers)).ok()?);
    let is_least = target == least || vpa.recommended.and_then(|it| it.uncapped_target_bytes) == Some(least);
    if !is_least || vpa.min_allowed_bytes.is_some_and(|it| it >= least) {
        return None;
    }
    let need = scene.proposed.and_then(|it| it.request_bytes);
    if need.is_some_and(|need| need >= least) {
        return None;
    }
    let shared =
        if containers > 1 { format!(" (250 MiB for a pod of {containers} containers)") } else { String::new() };
    let need = need.map_or("how much less is needed it does not tell".into(), |need| format!("{need} would do"));
    Some(format!("its target of {target} is the recommender's own minimum{shared}, not a measurement: {need}"))
}

fn young(scene: &Scene<'_>, vpa: &Vpa) -> Option<String> {
    let upper = vpa.recommended.or(vpa.from_checkpoint)?.upper_bytes?;
    let what = "a request that is far too high is not lowered";
    if upper >= UNBOUNDED {
        return Some(format!("it has seen too little for an upper bound (it says 100T): {what}"));
    }
    let saved = scene.autoscaler.saved.as_ref()?;
    let counted = vpa.days?.min(saved.samples as f64 / 1440.0);
    (counted > 0.0 && counted < YOUNG_DAYS).then(|| {
        let times = 1.0 + 1.0 / counted;
        format!("its upper bound of {upper} is multiplied by {times:.1} for {counted:.1} days of samples: {what}")
    })
}
