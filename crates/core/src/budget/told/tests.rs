use super::*;

const PEAK: Bytes = Bytes::mib(455);
const NOW: Option<Bytes> = Some(Bytes::mib(1024));

/// What the peaks ask for.
fn asked() -> Bytes {
    super::super::limit_for_peak(PEAK, Bytes(0), Bytes(0))
}

fn told(runtime: Runtime, text: &str, variable: Option<&str>) -> Told {
    let within = Some(Within::Value(format!("{text} -Dx=y")));
    let flag = Some(Given { text: text.into(), variable: variable.map(str::to_owned), within });
    Told { runtime, flag: flag.filter(|flag| !flag.text.is_empty()), least: Bytes(0), assumed: Vec::new() }
}

fn jvm(heap: Option<u64>, share: f64) -> Runtime {
    Runtime::Jvm {
        heap: heap.map(Bytes::mib),
        percentages: Percentages { max: share, ..Percentages::default() },
        max_ram: None,
        collector: Some(Collector::Serial),
        cpus: 2,
        caps: Caps::default(),
    }
}

/// Limit and flag, in that order.
fn proposed(told: &Told) -> (Bytes, Result<FlagProposal, String>) {
    let limit = told.fit(asked(), PEAK, NOW).limit;
    (limit, told.flag_for(limit, PEAK, NOW))
}

#[test]
fn a_heap_above_the_limit_that_the_peaks_ask_for_is_lowered_to_what_was_used_in_all_and_no_further() {
    let (limit, flag) = proposed(&told(jvm(Some(900), 25.0), "-Xmx900m", Some("JAVA_TOOL_OPTIONS")));
    let flag = flag.unwrap();
    let heap: u64 = flag.value.strip_prefix("-Xmx").unwrap().strip_suffix('m').unwrap().parse().unwrap();
    assert!(Bytes::mib(heap) >= PEAK && Bytes::mib(heap + 180) < limit && limit < Bytes::mib(1024), "{heap} {limit}");
    assert_eq!(flag.within, Some(Within::Value(format!("{} -Dx=y", flag.value))));
}

#[test]
fn a_share_of_the_limit_that_leaves_nothing_becomes_a_heap() {
    let it = told(jvm(None, 90.0), "-XX:MaxRAMPercentage=90", None);
    let (limit, flag) = proposed(&it);
    let flag = flag.unwrap();
    assert_eq!(flag.replaces.as_deref(), Some("-XX:MaxRAMPercentage=90"));
    assert!(flag.value.starts_with("-Xmx") && limit > Bytes::mib(600), "{flag:?} {limit}");
}

#[test]
fn a_heap_that_is_a_share_does_not_shrink_with_the_limit_below_what_it_may_have_used() {
    let (limit, flag) = proposed(&told(jvm(None, 25.0), "", None));
    assert_eq!((limit, flag.unwrap().value.as_str()), (asked(), "-Xmx256m"), "a quarter of 1 GiB");
}

#[test]
fn a_flag_that_fits_stays() {
    let (limit, flag) = proposed(&told(jvm(Some(200), 25.0), "-Xmx200m", None));
    assert_eq!((limit, flag.unwrap_err().contains("fits as it is")), (asked(), true));
}

#[test]
fn an_initial_heap_is_not_undercut() {
    let it = Told { least: Bytes::mib(900), ..told(jvm(Some(900), 25.0), "-Xmx900m", None) };
    let (limit, flag) = proposed(&it);
    assert!(limit >= Bytes::mib(900), "{limit}");
    assert!(flag.is_err() || flag.is_ok_and(|flag| flag.value == "-Xmx900m"));
}

#[test]
fn other_runtimes_keep_within_their_limits_too() {
    let node = Runtime::Node { major: 20, old: Some(Bytes::mib(900)), share: None, semi_space: None };
    let (limit, flag) = proposed(&told(node, "--max-old-space-size=900", None));
    let old: u64 = flag.unwrap().value.rsplit('=').next().unwrap().parse().unwrap();
    assert!(Bytes::mib(old) >= PEAK && Bytes::mib(old + 45) < limit, "{old} {limit}");
    let (limit, flag) = proposed(&told(Runtime::Go(Bytes::mib(900)), "900MiB", Some("GOMEMLIMIT")));
    assert_eq!((limit, flag.unwrap().value.as_str()), (asked(), "455MiB"));
    let (limit, flag) = proposed(&told(Runtime::Dotnet(Bytes::mib(768)), "0x30000000", Some("DOTNET_GCHeapHardLimit")));
    let flag = flag.unwrap();
    let heap = u64::from_str_radix(flag.value.trim_start_matches("0x"), 16).unwrap();
    assert!(Bytes(heap) >= PEAK && Bytes(heap) < limit, "{flag:?} {limit}");
}

#[test]
fn an_amount_that_is_not_in_the_manifest_keeps_the_limit_that_is_there() {
    let it = told(Runtime::Unknown, "-Xmx${HEAP}", None);
    let fitted = it.fit(asked(), PEAK, NOW);
    assert_eq!(Some(fitted.limit), NOW);
    assert!(fitted.because.unwrap().contains("is not in the manifest"));
    assert!(it.flag_for(fitted.limit, PEAK, NOW).is_err());
}

#[test]
fn no_limit_that_has_held_is_raised_by_what_is_assumed() {
    let it = told(jvm(Some(300), 25.0), "-Xmx300m", None);
    let fitted = it.fit(Bytes::mib(440), Bytes::mib(376), Some(Bytes::mib(450)));
    assert_eq!(fitted.limit, Bytes::mib(450));
    assert!(it.flag_for(fitted.limit, Bytes::mib(376), Some(Bytes::mib(450))).unwrap_err().contains("as until now"));
}

#[test]
fn a_flag_is_replaced_where_it_is_a_word_and_nowhere_else() {
    let given = |text: &str, value: &str| Given {
        text: text.into(),
        variable: Some("JAVA_TOOL_OPTIONS".into()),
        within: Some(Within::Value(value.into())),
    };
    let with = |text: &str, value: &str| match given(text, value).with("-Xmx301m") {
        Some(Within::Value(value)) => Some(value),
        _ => None,
    };
    assert_eq!(with("-Xmx900m", "-Dchild=-Xmx900m -Xmx900m").as_deref(), Some("-Dchild=-Xmx900m -Xmx301m"));
    let percent = "-XX:MaxRAMPercentage=90";
    assert_eq!(with(percent, &format!("{percent}.0 {percent}")), Some(format!("{percent}.0 -Xmx301m")));
    assert_eq!(with("-Xmx9m", "-Xmx9m -Xmx9m"), None);
}

#[test]
fn what_only_hands_can_change_keeps_its_limit() {
    let by_hand = [
        told(jvm(Some(900), 25.0), "900M", Some("MAX_HEAP_SIZE")),
        told(
            Runtime::Node { major: 22, old: Some(Bytes::mib(900)), share: None, semi_space: None },
            "--node-options=--max-old-space-size=900",
            None,
        ),
        Told {
            runtime: Runtime::Go(Bytes::mib(900)),
            flag: Some(Given { text: "900MiB".into(), variable: Some("GOMEMLIMIT".into()), within: None }),
            least: Bytes(0),
            assumed: Vec::new(),
        },
    ];
    for it in by_hand {
        let (limit, flag) = proposed(&it);
        assert_eq!(Some(limit), NOW, "{it:?}");
        assert!(flag.is_err(), "{flag:?}");
    }
}
