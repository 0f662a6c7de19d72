//! Kills for memory that several sources tell of, each counted once.

use std::collections::BTreeMap;

/// What the sources say of one container of one pod.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// When lives ended that were killed: seconds, exact.
    ended: Vec<i64>,
    /// How many lives were behind it, the last of them killed, and when that was first seen.
    lives: BTreeMap<u64, i64>,
    /// When the end of a life that no other follows was first seen.
    dead: Option<i64>,
    /// The kernel's count for each life, as it was seen.
    counted: BTreeMap<String, Vec<(i64, u64)>>,
}

/// From when on, and how finely, the sources were asked.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Grid {
    /// What ended before is not of the range.
    pub(super) from: i64,
    /// Between two looks: seconds.
    pub(super) step: i64,
}

impl Grid {
    /// What stands at the first look already may have happened at any time before it.
    fn is_old(self, seen: i64) -> bool {
        seen <= self.from.saturating_add(self.step)
    }
}

impl Told {
    /// The moment at which a life ended.
    pub(super) fn ended(&mut self, at: i64) {
        self.ended.push(at);
    }

    /// So many lives were behind it at a look, and the last was killed.
    pub(super) fn lives(&mut self, lives: u64, seen: i64) {
        let first = self.lives.entry(lives).or_insert(seen);
        *first = seen.min(*first);
    }

    /// It was dead at a look.
    pub(super) fn dead(&mut self, seen: i64) {
        self.dead = Some(self.dead.map_or(seen, |first| first.min(seen)));
    }

    /// The kernel had counted so many kills in the life `id` at a look.
    pub(super) fn counted(&mut self, id: &str, seen: i64, kills: u64) {
        self.counted.entry(id.to_owned()).or_default().push((seen, kills));
    }

    /// When it was killed. Each source is surest of something else: the end of a life is exact, restarts miss no life
    /// whose end nobody told, the kernel counts children as well. A kill is one where two of them tell of it.
    pub(super) fn kills(&self, grid: Grid) -> Vec<i64> {
        let mut kills: Vec<i64> = self.ended.iter().copied().filter(|at| *at >= grid.from).collect();
        kills.sort_unstable();
        kills.dedup();
        let new = |seen: &i64| !grid.is_old(*seen);
        merge(&mut kills, self.lives.values().copied().filter(new).collect(), grid.step);
        merge(&mut kills, self.dead.into_iter().filter(new).collect(), grid.step);
        let counted = self.counted.values().flat_map(|life| increments(life, grid));
        merge(&mut kills, counted.collect(), grid.step);
        kills
    }
}

/// Adds what is not known yet: of a kill and a look that saw it no more than two steps later, one is enough.
fn merge(kills: &mut Vec<i64>, mut seen: Vec<i64>, step: i64) {
    seen.sort_unstable();
    let mut taken = vec![false; kills.len()];
    let mut added = Vec::new();
    for at in seen {
        let near = |kill: i64| (at.saturating_sub(2 * step)..=at.saturating_add(step)).contains(&kill);
        match kills.iter().zip(&taken).position(|(kill, taken)| !taken && near(*kill)) {
            Some(index) => taken[index] = true,
            None => added.push(at),
        }
    }
    kills.append(&mut added);
    kills.sort_unstable();
}

/// The looks at which a count had risen, each as often as it had. A count that fell began anew.
fn increments(life: &[(i64, u64)], grid: Grid) -> Vec<i64> {
    let mut looks = life.to_vec();
    looks.sort_unstable();
    let mut before = 0;
    let mut kills = Vec::new();
    for (seen, count) in looks {
        let more = if count < before { count } else { count - before };
        if !grid.is_old(seen) {
            // A container is killed a few times between two looks, not a few thousand: a count is no reason to run out
            // of memory.
            kills.extend((0..more.min(1000)).map(|_| seen));
        }
        before = count;
    }
    kills
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const GRID: Grid = Grid { from: 0, step: 300 };

    #[test]
    fn one_kill_that_all_sources_tell_of_is_one() {
        let mut told = Told::default();
        told.ended(1000);
        told.lives(1, 1200);
        told.lives(1, 1500);
        told.dead(1200);
        told.counted("a", 1200, 1);
        told.counted("a", 1500, 1);
        assert_eq!(told.kills(GRID), [1000]);
    }

    #[test]
    fn lives_count_where_nobody_tells_when_they_ended() {
        let mut told = Told::default();
        for (lives, seen) in [(1, 900), (2, 1200), (2, 1500), (4, 9000)] {
            told.lives(lives, seen);
        }
        assert_eq!(told.kills(GRID), [900, 1200, 9000], "of the two lives between 2 and 4 one is known to be killed");
    }

    #[test]
    fn a_child_that_the_kernel_counted_is_a_kill_beside_the_end_of_the_life() {
        let mut told = Told::default();
        told.ended(5000);
        told.counted("a", 3000, 2);
        told.counted("a", 5100, 3);
        assert_eq!(told.kills(GRID), [3000, 3000, 5000]);
    }

    #[test]
    fn what_stands_at_the_first_look_is_of_the_time_before() {
        let mut told = Told::default();
        told.ended(-5);
        told.lives(3, 300);
        told.counted("a", 300, 4);
        told.counted("a", 600, 5);
        assert_eq!(told.kills(GRID), [600]);
        let mut dead = Told::default();
        dead.dead(900);
        dead.dead(300);
        assert!(dead.kills(GRID).is_empty());
    }

    #[test]
    fn a_count_that_began_anew_loses_nothing() {
        assert_eq!(increments(&[(900, 1), (600, 2), (1200, 1), (1500, 2)], GRID), [600, 600, 900, 1500]);
    }

    proptest! {
        #[test]
        fn the_more_sources_the_more_kills_and_never_more_than_their_sum(
            ended in prop::collection::btree_set(1_i64..20_000, 0..8),
            lives in prop::collection::btree_set(301_i64..20_000, 0..8),
        ) {
            let mut told = Told::default();
            for at in ended {
                told.ended(at);
            }
            let alone = told.kills(GRID).len();
            lives.iter().zip(1..).for_each(|(seen, number)| told.lives(number, *seen));
            let both = told.kills(GRID).len();
            prop_assert!(both >= alone.max(lives.len()) && both <= alone + lives.len());
        }
    }
}
