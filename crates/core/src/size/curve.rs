//! A workload's history as it is drawn: the highest use of each stretch of time, with limits and kills.

use super::document::Setting;
use super::history::MISSING;
use super::observed::date;
use super::workload::Workload;

/// What a plot shows.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Curve {
    /// Whose: `shop/cart/app`.
    pub title: String,
    /// The first moment, seconds.
    pub from: i64,
    /// The last moment, seconds.
    pub to: i64,
    /// The moments are dates, not seconds since a start.
    pub dated: bool,
    /// The highest use of any replica in each stretch; `None` where nothing was measured.
    pub used: Vec<Option<u64>>,
    /// The limit in force in each stretch, the lowest of the replicas'.
    pub limit: Vec<Option<u64>>,
    /// In which stretches kills happened.
    pub kills: Vec<usize>,
    /// The proposed limit.
    pub proposed: Option<u64>,
}

/// A workload in so many stretches.
pub fn curve(workload: &Workload, proposed: Option<&Setting>, stretches: usize) -> Curve {
    let times = || workload.replicas.iter().flat_map(|it| it.at.iter().copied().chain(it.kills.iter().map(|it| it.at)));
    let (Some(from), Some(to)) = (times().min(), times().max()) else { return Curve::default() };
    // No more stretches than samples: a picture of a short run has no holes.
    let samples = workload.replicas.iter().map(|it| it.at.len()).max().unwrap_or(0);
    let stretches = stretches.min(samples).max(1);
    let span = i128::from(to) - i128::from(from) + 1;
    let place = |at: i64| {
        let since = i128::from(at) - i128::from(from);
        // Of most histories the numbers are small, and divided much faster so.
        let index =
            match (u64::try_from(since).ok().and_then(|it| it.checked_mul(stretches as u64)), u64::try_from(span)) {
                (Some(product), Ok(span)) => i128::from(product / span),
                _ => since * stretches as i128 / span,
            };
        usize::try_from(index).unwrap_or(0).min(stretches - 1)
    };
    let mut curve = Curve {
        title: title(workload),
        from,
        to,
        dated: date(from).is_some(),
        used: vec![None; stretches],
        limit: vec![None; stretches],
        kills: Vec::new(),
        proposed: proposed.and_then(|it| it.limit_bytes).map(|limit| limit.0),
    };
    for replica in &workload.replicas {
        for (at, used) in replica.points() {
            let slot = &mut curve.used[place(at)];
            *slot = (*slot).max(Some(used));
        }
        for (at, limit) in replica.at.iter().zip(&replica.limit).filter(|(_, limit)| **limit != MISSING) {
            let slot = &mut curve.limit[place(*at)];
            *slot = Some(slot.map_or(*limit, |lowest| lowest.min(*limit)));
        }
        curve.kills.extend(replica.kills.iter().map(|kill| place(kill.at)));
    }
    curve.kills.sort_unstable();
    curve.kills.dedup();
    curve
}

/// `namespace/name/container`, of what there is.
pub fn title(workload: &Workload) -> String {
    let it = &workload.subject;
    let names = [&it.namespace, &it.name, &it.container].into_iter().filter(|name| !name.is_empty());
    names.map(String::as_str).collect::<Vec<_>>().join("/")
}

impl Curve {
    /// The highest of everything that it shows.
    pub fn top(&self) -> u64 {
        let shown = self.used.iter().chain(&self.limit).copied().flatten().chain(self.proposed);
        shown.max().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::size::{History, Kill, Subject};

    #[test]
    fn a_curve_keeps_the_peaks_of_all_replicas() {
        let one = |used: [u64; 4], limit: u64| History {
            at: vec![0, 10, 20, 30],
            used: used.to_vec(),
            limit: vec![limit; 4],
            kills: vec![Kill { at: 30, limit: None }],
            ..History::default()
        };
        let subject = Subject { namespace: "shop".into(), name: "cart".into(), ..Subject::default() };
        let it = Workload {
            replicas: vec![one([1, 9, 2, MISSING], 20), one([3, 4, MISSING, MISSING], 10)],
            subject,
            ..Workload::default()
        };
        let curve = curve(&it, None, 2);
        assert_eq!((curve.title.as_str(), &curve.used[..]), ("shop/cart", &[Some(9), Some(2)][..]));
        assert_eq!((&curve.limit[..], &curve.kills[..], curve.top()), (&[Some(10), Some(10)][..], &[1][..], 20 / 2));
    }
}
