//! Leaks and healthy histories of real systems, where the shared traces are at hand.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test that cannot go on fails; figures are printed")]
#![allow(clippy::disallowed_methods, reason = "tests read the traces; only the crate itself does no I/O")]

mod shared;

use std::collections::BTreeMap;

use oomph_core::growth::{Class, Growing, of_history};
use oomph_core::size::{History, Kill, MISSING};
use oomph_core::units::Bytes;
use proptest::prelude::*;
use shared::traces::{MIB, genai, histories, nezha, number, rows, sockshop};

#[test]
fn every_leak_is_told_and_hardly_any_healthy_history_is_called_one() {
    let Some(traces) = shared::part("traces") else { return };
    let (sockshop, nezha, genai) = (sockshop(&traces, Some("train")), nezha(&traces), genai(&traces));
    let long =
        |all: BTreeMap<String, History>, least: usize| all.into_iter().filter(move |(_, it)| it.at.len() > least);
    let healthy: Vec<(String, History)> =
        sockshop.into_iter().chain(long(nezha, 360)).chain(long(genai, 900)).collect();
    assert_eq!(healthy.len(), 273);

    let aging = rows(&traces.join("kubeedge-aging/2024-05-5_aging_constant.csv"));
    let aging = (0..)
        .zip(&aging)
        .filter_map(|(n, row)| Some(("kubeedge".to_owned(), n * 20, number(row, "memory_usage")? * 10.0 * MIB)));
    let mut leaks: Vec<(String, History)> = histories(aging).into_iter().collect();
    for period in ["10s", "1s", "5s"] {
        let rows = rows(&traces.join(format!("llm-serving-aging/monitoringgpt-neo-125m_{period}.csv.gz")));
        let points = rows.iter().filter_map(|row| {
            let at: jiff::civil::DateTime = row["currentTime"].replace(' ', "T").parse().ok()?;
            let at = at.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_second();
            Some((format!("llm {period}"), at, number(row, "usedMemory")?))
        });
        leaks.extend(histories(points));
    }
    assert_eq!(leaks.len(), 4);

    for (name, history) in &leaks {
        let it = of_history(history);
        println!("{name}: {:?}, {}", it.class, it.because);
        assert_eq!(it.class, Class::Leak, "{name}");
        println!("{name}: first said and never taken back after {:.1} h", delay(history));
    }
    let alarms: Vec<&str> = healthy
        .iter()
        .filter(|(_, history)| of_history(history).class == Class::Leak)
        .map(|(name, _)| name.as_str())
        .collect();
    println!("{} of {} healthy histories are called a leak: {alarms:?}", alarms.len(), healthy.len());
    assert!(alarms.len() * 50 <= healthy.len());
    let mut classes: BTreeMap<&str, usize> = BTreeMap::new();
    for (_, history) in &healthy {
        *classes.entry(of_history(history).class.id()).or_default() += 1;
    }
    println!("classes of the healthy: {classes:?}");
}

/// Hours after which every longer beginning of the history is judged a leak.
fn delay(history: &History) -> f64 {
    let parts = 100;
    let mut since = history.at.len();
    for part in (1..=parts).rev() {
        let length = history.at.len() * part / parts;
        let beginning =
            History { at: history.at[..length].to_vec(), used: history.used[..length].to_vec(), ..History::default() };
        if of_history(&beginning).class != Class::Leak {
            break;
        }
        since = length;
    }
    (history.at[since - 1] - history.at[0]) as f64 / 3600.0
}

/// Every ten minutes for so many hours.
fn made(hours: i64, shape: impl Fn(f64) -> f64) -> History {
    let at: Vec<i64> = (0..hours * 6).map(|number| number * 600).collect();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bytes")]
    let used = at.iter().map(|at| (shape(*at as f64 / 3600.0) * MIB) as u64).collect();
    History { at, used, ..History::default() }
}

#[test]
fn growth_of_half_a_day_is_a_leak_only_where_it_is_much() {
    let class = |history: &History| of_history(history).class;
    assert_eq!(class(&made(12, |hour| 200.0 + hour * 10.0)), Class::Leak);
    assert_eq!(class(&made(12, |hour| 200.0 + hour * 2.0)), Class::TooLittleData);
    // The same pace with days to compare.
    assert_eq!(class(&made(60, |hour| 200.0 + hour * 2.0)), Class::Leak);
}

/// Noise of so many MiB in both directions.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the number of the sample")]
fn noise(hour: f64, mib: f64) -> f64 {
    (f64::from((hour * 6.0).round() as u32).mul_add(12.9898, 1.0).sin() * 43_758.545).fract() * mib
}

#[test]
fn a_leak_that_begins_inside_of_the_history_is_told_with_its_beginning() {
    for day in [4.0, 7.0, 10.0, 12.0] {
        let it = of_history(&made(14 * 24, |hour| 300.0 + (hour / 24.0 - day).max(0.0) * 60.0 + noise(hour, 5.0)));
        assert_eq!(it.class, Class::Leak, "from day {day}: {}", it.because);
        let when = it.when.map_or(0.0, |at| f64::from(i32::try_from(at).unwrap()) / 86_400.0);
        assert!((when - day).abs() <= 1.8, "from day {day}, told {when}");
    }
    let step = of_history(&made(14 * 24, |hour| if hour < 168.0 { 300.0 } else { 450.0 } + noise(hour, 5.0)));
    assert_eq!(step.class, Class::Step, "{}", step.because);
}

#[test]
fn a_program_that_started_late_and_leaks_is_no_step() {
    let it = of_history(&made(5 * 24, |hour| if hour < 48.0 { 1200.0 } else { 1900.0 + (hour - 48.0) * 8.0 }));
    assert_eq!(it.class, Class::Leak, "{}", it.because);
}

#[test]
fn an_ordinary_restart_does_not_hide_a_leak_and_one_that_mended_it_ends_it() {
    let restarted = |day: f64, again: f64| {
        made(14 * 24, |hour| {
            let day_now = hour / 24.0;
            let grown = if day_now < day { day_now * 30.0 } else { (day_now - day) * again };
            300.0 + grown + noise(hour, 5.0)
        })
    };
    for day in [4.0, 7.0, 10.0, 13.0] {
        let it = of_history(&restarted(day, 30.0));
        assert_eq!(it.class, Class::Leak, "restarted on day {day}: {}", it.because);
    }
    let mended = of_history(&restarted(10.0, 0.0));
    assert_ne!(mended.class, Class::Leak, "{}", mended.because);
}

#[test]
fn what_grows_ever_more_slowly_may_be_a_cache_that_fills_and_an_even_leak_stays_one() {
    let (all, days) = (14.0 * 24.0, 14 * 24);
    let of = |shape: &dyn Fn(f64) -> f64| of_history(&made(days, |hour| 300.0 + shape(hour / all) + noise(hour, 5.0)));
    let shapes: [&dyn Fn(f64) -> f64; 4] = [
        &|part| 300.0 * (1.0 - (-part).exp()),
        &|part| 300.0 * (1.0 - (-1.5 * part).exp()),
        &|part| 300.0 * part.sqrt(),
        &|part| 100.0 * (1.0 + 10.0 * part).ln(),
    ];
    for (number, shape) in shapes.into_iter().enumerate() {
        let it = of(shape);
        assert_eq!(it.class, Class::TooLittleData, "{number}: {}", it.because);
        assert!(it.because.contains("ever more slowly"), "{number}: {}", it.because);
    }
    let wave = |part: f64| (part * 14.0 * std::f64::consts::TAU).sin();
    let leaks: [&dyn Fn(f64) -> f64; 3] = [
        &|part| 300.0 * part,
        &|part| 300.0 * part + 20.0 * wave(part),
        // An older one that was started anew.
        &|part| 500.0 * if part < 0.4 { part } else { part - 0.4 },
    ];
    for (number, shape) in leaks.into_iter().enumerate() {
        let it = of(shape);
        assert_eq!(it.class, Class::Leak, "{number}: {}", it.because);
    }
}

#[test]
fn a_leak_under_a_noisy_floor_is_no_sawtooth() {
    for swing in [20.0, 40.0] {
        let it = of_history(&made(14 * 24, |hour| 300.0 + hour * 0.6 + noise(hour, swing)));
        assert_eq!(it.class, Class::Leak, "{}", it.because);
    }
}

#[test]
fn no_sentence_says_that_a_floor_does_not_rise_which_does() {
    let full = History { limit: vec![512 << 20; 14 * 144], ..made(14 * 24, |hour| (200.0 + hour * 2.0).min(512.0)) };
    let it = of_history(&full);
    assert!(
        it.class != Class::LimitTooLow || it.because.contains("its floor rose from"),
        "{:?} {}",
        it.class,
        it.because
    );
    let quick = History {
        kills: (1..48).map(|number| Kill { at: number * 5_400, limit: Some(Bytes::mib(512)) }).collect(),
        limit: vec![512 << 20; 432],
        ..made(72, |hour| 200.0 + (hour % 1.5) * 200.0)
    };
    let it = of_history(&quick);
    assert!(it.because.contains("it grew evenly until it was killed"), "{:?} {}", it.class, it.because);
}

#[test]
fn samples_that_failed_are_no_restarts() {
    let it = of_history(&made(14 * 24, |hour| if hour % 30.0 < 0.1 { 0.0 } else { 300.0 + hour * 0.6 }));
    assert_eq!(it.class, Class::Leak, "{}", it.because);
}

#[test]
fn less_evidence_gives_no_surer_verdict() {
    // The same growth of 15 % over more and more hours.
    for minutes in [40, 55, 90, 240, 720] {
        let at: Vec<i64> = (0..minutes * 4).map(|number| number * 15).collect();
        #[expect(clippy::cast_sign_loss, reason = "bytes")]
        let used = at.iter().map(|at| (200_000_000 + 30_000_000 * at / (minutes * 60)) as u64).collect();
        let it = of_history(&History { at, used, ..History::default() });
        assert_eq!(it.class, Class::TooLittleData, "{minutes} min: {}", it.because);
    }
}

/// Four days under a limit of 512 MiB, with so much anonymous memory and page cache.
fn cached(anonymous: impl Fn(f64) -> f64, cache: impl Fn(f64) -> f64) -> History {
    let (rss, cache) = (made(96, anonymous).used, made(96, cache).used);
    let used: Vec<u64> = rss.iter().zip(&cache).map(|(rss, cache)| rss + cache).collect();
    History { limit: vec![512 << 20; used.len()], used, rss, cache, ..made(96, |_| 0.0) }
}

#[test]
fn page_cache_that_fills_a_limit_does_not_make_it_too_low() {
    let full = of_history(&cached(|_| 60.0, |_| 450.0));
    assert_eq!(full.class, Class::Cache, "{}", full.because);
    let own = of_history(&cached(|_| 490.0, |_| 20.0));
    assert_eq!(own.class, Class::LimitTooLow, "{}", own.because);
}

#[test]
fn a_leak_shows_under_a_full_cgroup_where_page_cache_makes_room_for_it() {
    let it = of_history(&cached(|hour| 100.0 + hour * 3.0, |hour| 410.0 - hour * 3.0));
    assert_eq!((it.class, it.growing), (Class::Leak, Some(Growing::Anon)), "{}", it.because);
    // 508 - 410 + 285 MiB, and 3 MiB an hour: 43 hours are left.
    assert!(it.seconds_to_limit.is_some_and(|seconds| (36..50).contains(&(seconds / 3600))), "{it:?}");
}

#[test]
fn kills_at_the_limit_prove_it_too_low_whatever_the_samples_show() {
    let kills = (1..7).map(|number| Kill { at: number * 43_200, limit: Some(Bytes::mib(512)) }).collect();
    let it = History { kills, limit: vec![512 << 20; 576], ..made(96, |_| 440.0) };
    let judged = of_history(&it);
    assert_eq!(judged.class, Class::LimitTooLow, "{}", judged.because);
    assert!(judged.because.starts_with("it was killed 6 times at its limit of 512 MiB"), "{}", judged.because);
}

#[test]
fn a_job_that_peaks_once_a_day_is_no_sawtooth() {
    let it = of_history(&made(240, |hour| if hour % 24.0 < 0.5 { 300.0 } else { 37.0 + (hour * 7.0) % 5.0 }));
    assert_eq!(it.class, Class::Spike, "{}", it.because);
}

/// When, used, limit, heap, anonymous, cache.
type Row = (i64, u64, u64, u64, u64, u64);

/// A time and values of any size, often missing, in no order.
fn anything() -> impl Strategy<Value = History> {
    let value = || prop_oneof![Just(MISSING), any::<u64>(), 0..1_u64 << 40];
    let time = prop_oneof![any::<i64>(), 0..1_000_000_i64];
    let row = (time, value(), value(), value(), value(), value());
    (prop::collection::vec(row, 0..120), any::<bool>(), any::<bool>(), prop::collection::vec(any::<i64>(), 0..4))
        .prop_map(|(mut rows, ordered, columns, kills)| {
            if ordered {
                rows.sort_unstable();
            }
            let optional = |of: fn(&Row) -> u64| {
                if columns { rows.iter().map(of).collect() } else { Vec::new() }
            };
            History {
                at: rows.iter().map(|row| row.0).collect(),
                used: rows.iter().map(|row| row.1).collect(),
                limit: optional(|row| row.2),
                heap: optional(|row| row.3),
                rss: optional(|row| row.4),
                cache: optional(|row| row.5),
                kills: kills.into_iter().map(|at| Kill { at, limit: None }).collect(),
                ..History::default()
            }
        })
}

/// Shapes whose class is the same whatever is multiplied or moved: hours, growth an hour, a wave, noise by a seed.
fn shapes() -> impl Strategy<Value = History> {
    (20..100_i64, 0..40_u32, 0..200_u32, any::<u32>()).prop_map(|(hours, growth, wave, seed)| {
        made(hours, |hour| {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the number of the sample")]
            let noise = f64::from((seed ^ (hour * 6.0) as u32).wrapping_mul(2_654_435_761) >> 24) / 64.0;
            500.0 + hour * f64::from(growth) + f64::from(wave) * (hour / 24.0 * std::f64::consts::TAU).sin() + noise
        })
    })
}

proptest! {
    #[test]
    fn no_history_panics(history in anything()) {
        of_history(&history);
    }

    #[test]
    fn a_class_depends_on_no_unit_and_no_clock(history in shapes(), times in 2..1000_u64, later in 0..1_000_000_000_i64) {
        let it = of_history(&history).class;
        let larger = History { used: history.used.iter().map(|used| used * times).collect(), ..history.clone() };
        prop_assert_eq!(of_history(&larger).class, it);
        let moved = History { at: history.at.iter().map(|at| at + later).collect(), ..history.clone() };
        prop_assert_eq!(of_history(&moved).class, it);
        let twice = History {
            at: history.at.iter().flat_map(|at| [*at; 2]).collect(),
            used: history.used.iter().flat_map(|used| [*used; 2]).collect(),
            ..History::default()
        };
        prop_assert_eq!(of_history(&twice).class, it);
    }
}
