//! Which part every page of the processes is: by the areas that the runtimes' probes found, else by its mapping.

use std::collections::{BTreeMap, HashSet};
use std::ops::Range;

use super::measure::Seen;
use super::{Part, PartKind};
use crate::process::{Backing, Mapping, Page};
use crate::runtime::Area;
use crate::units::Bytes;

/// The pages of all processes, each counted once.
#[derive(Debug, Default)]
pub(super) struct Pages {
    /// Anonymous memory by part and process, and in it by name.
    anon: BTreeMap<(PartKind, u32), Names>,
    /// Mapped pages of files and shared memory that this cgroup pays for, or whose payer is not known.
    file: BTreeMap<(PartKind, Option<u32>), Names>,
    /// Of `file`: bytes whose payer is not known.
    of_unknown_payer: u64,
}

type Names = BTreeMap<String, u64>;

/// Names listed in a part; the rest of the files of a program tells nobody anything.
const NAMES: usize = 8;

impl Pages {
    /// Adds the pages of a process that were not counted before.
    pub(super) fn add(&mut self, seen: &Seen<'_>) {
        let areas = apart(&seen.reading.areas);
        let programs: HashSet<&str> =
            seen.mappings.iter().filter(|it| it.executable && it.inode != 0).map(|it| it.name.as_str()).collect();
        for mapping in seen.mappings {
            for run in seen.residency.within(mapping.start..mapping.end) {
                if run.page.counted || run.page.charged_here == Some(false) {
                    continue;
                }
                for (range, area) in cut(run.at, &areas) {
                    let bytes = range.end - range.start;
                    self.page(seen.pid, mapping, run.page, area, bytes, &programs);
                }
            }
        }
    }

    fn page(
        &mut self,
        pid: u32,
        mapping: &Mapping,
        page: Page,
        area: Option<&Area>,
        bytes: u64,
        programs: &HashSet<&str>,
    ) {
        if !page.file {
            let (kind, name) = area.map_or_else(|| anonymous(mapping), |area| (area.part, area.name));
            *self.anon.entry((kind, pid)).or_default().entry(name.to_owned()).or_default() += bytes;
            return;
        }
        let (kind, pid, name) = match (area, mapping.backing()) {
            (Some(area), _) => (area.part, Some(pid), area.name),
            (None, Backing::Shmem | Backing::Anonymous) => (PartKind::SharedMemory, None, mapping.name.as_str()),
            (None, _) if programs.contains(mapping.name.as_str()) => (PartKind::Code, None, mapping.name.as_str()),
            (None, _) => (PartKind::MappedFiles, None, mapping.name.as_str()),
        };
        *self.file.entry((kind, pid)).or_default().entry(name.to_owned()).or_default() += bytes;
        if page.charged_here.is_none() {
            self.of_unknown_payer += bytes;
        }
    }

    /// Anonymous memory, all of it.
    pub(super) fn anon_total(&self) -> u64 {
        self.anon.values().flat_map(BTreeMap::values).sum()
    }

    /// The parts of anonymous memory.
    pub(super) fn anon_parts(&self) -> Vec<Part> {
        self.anon.iter().map(|((kind, pid), names)| part(*kind, Some(*pid), names, true)).collect()
    }

    /// The parts of mapped files or of mapped shared memory, at most `most` in all: more than the kernel says is mapped
    /// cannot be this cgroup's. Then each is cut in proportion and marked as not exact.
    pub(super) fn file_parts(&self, shared: bool, most: Option<Bytes>) -> Vec<Part> {
        let is_shared = |kind: PartKind| !matches!(kind, PartKind::Code | PartKind::MappedFiles);
        let chosen = || self.file.iter().filter(|((kind, _), _)| is_shared(*kind) == shared);
        let total: u64 = chosen().flat_map(|(_, names)| names.values()).sum();
        let most = most.map_or(total, |most| most.0);
        let known = self.of_unknown_payer == 0;
        chosen()
            .map(|((kind, pid), names)| {
                if known || total <= most {
                    return part(*kind, *pid, names, known);
                }
                let share = |bytes: u64| {
                    u64::try_from(u128::from(bytes) * u128::from(most) / u128::from(total)).unwrap_or(bytes)
                };
                let names = names.iter().map(|(name, bytes)| (name.clone(), share(*bytes))).collect();
                part(*kind, *pid, &names, false)
            })
            .collect()
    }
}

/// Anonymous memory that no probe claims.
fn anonymous(mapping: &Mapping) -> (PartKind, &str) {
    match mapping.name.as_str() {
        "[stack]" => (PartKind::ThreadStacks, "main stack"),
        "" => (PartKind::Anonymous, ""),
        "[heap]" => (PartKind::Anonymous, "program break"),
        name if name.starts_with('[') => (PartKind::Anonymous, name),
        // Written pages of a private file mapping: data and relocations.
        _ => (PartKind::Anonymous, "written data of programs and libraries"),
    }
}

fn part(kind: PartKind, pid: Option<u32>, names: &Names, exact: bool) -> Part {
    let of = |name: &str, bytes: u64| Part {
        kind,
        name: name.to_owned(),
        bytes: Bytes(bytes),
        exact,
        reclaimable: kind.is_reclaimable(),
        pid,
        from: "page table".to_owned(),
        parts: Vec::new(),
    };
    let mut whole = of(kind.title(), names.values().sum());
    let mut inside: Vec<(&String, u64)> =
        names.iter().filter(|(name, _)| !name.is_empty()).map(|(name, bytes)| (name, *bytes)).collect();
    inside.sort_by_key(|(name, bytes)| (std::cmp::Reverse(*bytes), *name));
    whole.parts = inside.into_iter().take(NAMES).map(|(name, bytes)| of(name, bytes)).collect();
    whole
}

/// The areas without overlaps, by address: where two overlap, the earlier of the list holds.
fn apart(areas: &[Area]) -> Vec<Area> {
    let mut kept: Vec<Area> = Vec::new();
    for area in areas {
        let mut rest = vec![area.at.clone()];
        let first = kept.partition_point(|it| it.at.end <= area.at.start);
        for taken in kept[first..].iter().take_while(|it| it.at.start < area.at.end) {
            let last = rest.pop().unwrap_or(0..0);
            rest.push(last.start..taken.at.start.max(last.start));
            rest.push(taken.at.end.min(last.end)..last.end);
        }
        let free = rest.into_iter().filter(|at| at.start < at.end).map(|at| Area { at, ..area.clone() });
        for piece in free {
            let at = kept.partition_point(|it| it.at.start < piece.at.start);
            kept.insert(at, piece);
        }
    }
    kept
}

/// A range cut at the borders of the areas, each piece with the area that it lies in.
fn cut(range: Range<u64>, areas: &[Area]) -> Vec<(Range<u64>, Option<&Area>)> {
    let mut pieces = Vec::new();
    let mut next = range.start;
    let first = areas.partition_point(|area| area.at.end <= range.start);
    for area in areas[first..].iter().take_while(|area| area.at.start < range.end) {
        if next < area.at.start {
            pieces.push((next..area.at.start, None));
        }
        let end = area.at.end.min(range.end);
        pieces.push((area.at.start.max(next)..end, Some(area)));
        next = end;
    }
    if next < range.end {
        pieces.push((next..range.end, None));
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn area(at: Range<u64>, name: &'static str) -> Area {
        Area { at, part: PartKind::Malloc, name }
    }

    #[test]
    fn the_earlier_area_holds_where_two_overlap() {
        let areas = apart(&[area(10..20, "a"), area(0..30, "b"), area(5..40, "c")]);
        let all: Vec<_> = areas.iter().map(|it| (it.at.clone(), it.name)).collect();
        assert_eq!(all, [(0..10, "b"), (10..20, "a"), (20..30, "b"), (30..40, "c")]);
        let pieces: Vec<_> =
            cut(15..45, &areas).into_iter().map(|(at, area)| (at, area.map_or("", |area| area.name))).collect();
        assert_eq!(pieces, [(15..20, "a"), (20..30, "b"), (30..40, "c"), (40..45, "")]);
    }

    proptest! {
        #[test]
        fn areas_apart_cover_the_same_addresses_once(list in prop::collection::vec((0_u64..60, 0_u64..20), 0..12)) {
            let areas: Vec<Area> = list.iter().map(|(start, length)| area(*start..start + length, "x")).collect();
            let kept = apart(&areas);
            for address in 0..90 {
                let covered = areas.iter().any(|area| area.at.contains(&address));
                prop_assert_eq!(kept.iter().filter(|area| area.at.contains(&address)).count(), usize::from(covered));
            }
            let whole: u64 = cut(0..90, &kept).iter().map(|(at, _)| at.end - at.start).sum();
            prop_assert_eq!(whole, 90);
        }
    }
}
