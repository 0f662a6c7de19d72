//! Objects as kubectl prints them, and what becomes of them.

use super::*;
use crate::growth::Class;
use crate::lint::Source;
use crate::size::vpa::Recommender;
use crate::size::workload::Stands;
use crate::size::{History, Kill, Subject, Wishes, Workload, size_one, workloads};
use crate::units::DAY;

const START: i64 = 1_800_000_000;

fn read_all(texts: &[&str]) -> Objects {
    let source = |(number, text): (usize, &&str)| Source { name: format!("{number}.yaml"), text: (*text).to_owned() };
    objects(&texts.iter().enumerate().map(source).collect::<Vec<_>>())
}

/// A checkpoint as the recommender writes it after a history of one replica, as YAML.
fn checkpoint(vpa: &str, container: &str, days: i64, used: impl Fn(i64) -> i64) -> String {
    let mut recommender = Recommender::default();
    for minute in 0..days * 1440 {
        let at = START + minute * 60;
        recommender.cpu(0, at);
        recommender.used(0, at, used(minute));
    }
    let saved = recommender.save(START + days * DAY);
    let date = |at: Option<i64>| jiff::Timestamp::from_second(at.unwrap()).unwrap();
    let weights: Vec<String> =
        saved.memory.bucket_weights.iter().map(|(bucket, weight)| format!("        \"{bucket}\": {weight}")).collect();
    format!(
        "apiVersion: autoscaling.k8s.io/v1
kind: VerticalPodAutoscalerCheckpoint
metadata: {{name: {vpa}-{container}, namespace: shop}}
spec: {{containerName: {container}, vpaObjectName: {vpa}}}
status:
    cpuHistogram: {{bucketWeights: {{\"1\": 10000}}, referenceTimestamp: \"2027-01-15T00:00:00Z\", totalWeight: 10.5}}
    firstSampleStart: \"{}\"
    lastSampleStart: \"{}\"
    lastUpdateTime: \"2027-01-25T00:00:00Z\"
    memoryHistogram:
      bucketWeights:
{}
      referenceTimestamp: \"{}\"
      totalWeight: {:e}
    totalSamplesCount: {}
    version: v3
",
        date(saved.first_sample),
        date(saved.last_sample),
        weights.join("\n"),
        date(saved.memory.reference),
        saved.memory.total_weight,
        saved.samples
    )
}

fn vertical(rest: &str) -> String {
    format!(
        "apiVersion: autoscaling.k8s.io/v1
kind: VerticalPodAutoscaler
metadata: {{name: web, namespace: shop}}
spec:
  targetRef: {{apiVersion: apps/v1, kind: Deployment, name: web}}
{rest}"
    )
}

const RECOMMENDS: &str = "status:
  recommendation:
    containerRecommendations:
    - {containerName: app, lowerBound: {cpu: 25m, memory: 262144k}, target: {cpu: 25m, memory: 262144k},
       uncappedTarget: {cpu: 25m, memory: 262144k}, upperBound: {cpu: 1, memory: 100T}}
";

fn sized(mut workloads: Vec<Workload>, objects: &Objects) -> Vec<crate::size::Sizing> {
    attach(&mut workloads, objects);
    workloads.iter().map(|it| size_one(it, &Wishes::default())).collect()
}

fn defects(sizing: &crate::size::Sizing) -> Vec<&'static str> {
    sizing.vpa.as_ref().unwrap().defects.iter().map(|it| it.id).collect()
}

/// A day of minutes of a replica.
fn history(replica: &str, days: i64, used: impl Fn(i64) -> u64) -> History {
    let minutes = 0..days * 288;
    History {
        subject: Subject {
            namespace: "shop".into(),
            kind: "Deployment".into(),
            name: "web".into(),
            container: "app".into(),
            replica: replica.into(),
        },
        at: minutes.clone().map(|it| START + it * 300).collect(),
        used: minutes.map(used).collect(),
        ..History::default()
    }
}

#[test]
fn a_checkpoint_alone_gives_the_vpa_s_own_recommendation_and_a_proposal_without_a_class() {
    let text = checkpoint("web", "app", 8, |minute| (300 << 20) + (minute % 1440) * (100 << 10));
    let objects = read_all(&[&text]);
    assert_eq!((objects.saved.len(), objects.gaps.len()), (1, 0), "{:?}", objects.gaps);
    let all = sized(Vec::new(), &objects);
    let [it] = all.as_slice() else { panic!("{all:?}") };
    assert_eq!((it.name.as_str(), it.container.as_deref(), it.class), ("web", Some("app"), Class::TooLittleData));
    assert!(it.class_evidence.contains("keeps how high daily peaks were, not when"), "{}", it.class_evidence);
    let vpa = it.vpa.as_ref().unwrap();
    // 440.6 MiB is the highest: the end of its bucket and 15 %.
    let target = vpa.from_checkpoint.unwrap().target_bytes;
    assert!(target > Bytes::mib(506) && target < Bytes::mib(532), "{target}");
    let proposed = it.proposed.as_ref().unwrap();
    let (request, limit) = (proposed.request_bytes.unwrap(), proposed.limit_bytes.unwrap());
    assert!(request >= Bytes::mib(440) && request <= Bytes::mib(464) && limit > request, "{request} {limit}");
    assert!(it.replay.is_none() && it.observed.max_bytes.is_none() && it.observed.from.is_some());
    assert_eq!(vpa.days, Some(8.0));
}

#[test]
fn a_checkpoint_of_hours_proposes_nothing() {
    let objects = read_all(&[&checkpoint("web", "app", 1, |_| 1 << 30).replace("2027-01-16", "2027-01-15")]);
    let all = sized(Vec::new(), &objects);
    let why = all[0].proposed_missing.as_ref().unwrap();
    assert!(all[0].proposed.is_none() && why.contains("a proposal needs one"), "{why}");
}

#[test]
fn what_upstream_refuses_is_a_gap_that_says_why() {
    let good = checkpoint("web", "app", 2, |_| 1 << 30);
    for (from, to, says) in [
        ("version: v3", "version: v2", "version \"v2\""),
        ("totalWeight: ", "totalWeight: x", "is no number"),
        ("referenceTimestamp: \"20", "referenceTimestamp: \"x", "is no time"),
        ("memoryHistogram:", "other:", "no histogram of memory"),
        ("        \"", "        \"9", "there is no bucket"),
        ("vpaObjectName", "x", "does not name a VPA"),
    ] {
        let objects = read_all(&[&good.replace(from, to)]);
        assert!(objects.saved.is_empty(), "{from}");
        assert!(objects.gaps.iter().any(|gap| gap.because.contains(says)), "{from}: {:?}", objects.gaps);
    }
    assert!(read_all(&["a: [b"]).broken[0].because.contains("neither YAML nor JSON"));
}

#[test]
fn a_list_as_kubectl_prints_it_is_read_and_a_vpa_without_a_checkpoint_says_what_is_missing() {
    let indented = vertical(RECOMMENDS).replace('\n', "\n  ");
    let objects = read_all(&[&format!("apiVersion: v1\nkind: List\nitems:\n- {indented}")]);
    let all = sized(Vec::new(), &objects);
    assert_eq!((all[0].kind.as_deref(), all[0].name.as_str()), (Some("Deployment"), "web"));
    assert!(all[0].proposed.is_none() && all[0].proposed_missing.as_ref().unwrap().contains("vpacheckpoints"));
    assert_eq!(defects(&all[0]), ["minimum", "young-upper-bound"]);
}

#[test]
fn items_of_an_api_server_s_list_bear_the_kind_of_their_list() {
    let mut captured = crate::artifact::Captured::default();
    let body = r#"{"kind":"HorizontalPodAutoscalerList","apiVersion":"autoscaling/v2","items":[{"metadata":{"name":"web",
        "namespace":"shop"},"spec":{"scaleTargetRef":{"kind":"Deployment","name":"web"},
        "metrics":[{"type":"Resource","resource":{"name":"memory"}}]}}]}"#;
    captured.read("list", crate::artifact::Artifact::new("GET", body));
    let objects = objects(&texts(&captured));
    assert_eq!(objects.horizontal[0].title, "HorizontalPodAutoscaler/shop/web");
}

#[test]
fn an_existing_vpa_is_compared_and_what_goes_wrong_with_it_is_named() {
    let policy = "  updatePolicy: {updateMode: Recreate}
  resourcePolicy: {containerPolicies: [{containerName: '*', maxAllowed: {memory: 100Mi}}]}
";
    let hpa = "apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web, namespace: shop}
spec: {scaleTargetRef: {kind: Deployment, name: web}, metrics: [{resource: {name: memory}}]}
";
    let objects = read_all(&[&vertical(&format!("{policy}{RECOMMENDS}")), hpa]);
    let replica = |number: usize| {
        let mut it = history(&format!("web-{number}"), 3, |step| (150 << 20) + (step.unsigned_abs() % 7) * (1 << 20));
        (it.limit, it.request) = (vec![1 << 30; it.at.len()], Some(Bytes::mib(128)));
        if number == 0 {
            it.used[500] = 700 << 20;
            it.kills = vec![Kill { at: START + 500 * 300 + 60, limit: Some(Bytes(1 << 30)) }];
        }
        it
    };
    let all = sized(workloads((0..6).map(replica).collect(), Vec::new()), &objects);
    let [it] = all.as_slice() else { panic!("the VPA belongs to the workload that is there: {all:?}") };
    let vpa = it.vpa.as_ref().unwrap();
    assert_eq!((vpa.changes_memory, vpa.update_mode.as_deref()), (Some(true), Some("Recreate")));
    // 262144k are 250 MiB; 1 GiB : 128 MiB is kept.
    assert_eq!(vpa.limit_bytes, Some(Bytes(2_097_152_000)));
    assert_eq!(
        defects(it),
        [
            "memory-scaled-twice",
            "maximum-too-low",
            "peaks-above-target",
            "kill-diluted",
            "kill-from-request",
            "minimum",
            "young-upper-bound"
        ]
    );
}

#[test]
fn a_vpa_that_is_off_or_leaves_memory_alone_scales_no_limit() {
    for rest in [
        "  updatePolicy: {updateMode: 'Off'}\n",
        "  resourcePolicy: {containerPolicies: [{containerName: app, mode: 'Off'}]}\n",
        "  resourcePolicy: {containerPolicies: [{containerName: '*', controlledResources: [cpu]}]}\n",
    ] {
        let objects = read_all(&[&vertical(&format!("{rest}{RECOMMENDS}"))]);
        let mut it = history("web-0", 2, |_| 40 << 20);
        (it.limit, it.request) = (vec![1 << 30; it.at.len()], Some(Bytes::mib(64)));
        let all = sized(workloads(vec![it], Vec::new()), &objects);
        let vpa = all[0].vpa.as_ref().unwrap();
        assert_eq!((vpa.changes_memory, vpa.limit_bytes), (Some(false), None), "{rest}");
        assert!(!defects(&all[0]).contains(&"limit-scaled"));
    }
}

#[test]
fn a_limit_that_is_scaled_far_beyond_the_need_is_named() {
    let objects = read_all(&[&vertical(RECOMMENDS)]);
    let mut it = history("web-0", 2, |_| 200 << 20);
    (it.limit, it.request) = (vec![4 << 30; it.at.len()], Some(Bytes::mib(256)));
    let all = sized(workloads(vec![it], Vec::new()), &objects);
    let defect = all[0].vpa.as_ref().unwrap().defects.iter().find(|it| it.id == "limit-scaled").unwrap();
    assert!(defect.what.contains("ratio of limit to request (16.0)"), "{}", defect.what);
}

#[test]
fn a_template_beside_a_vpa_tells_what_is_set() {
    let deployment = "apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec: {template: {spec: {containers: [{name: app, image: a, resources: {requests: {memory: 1Gi}, limits: {memory: 2Gi}}}]}}}
";
    let text = checkpoint("web", "app", 8, |_| 300 << 20);
    let objects = read_all(&[&vertical(RECOMMENDS), deployment, &text]);
    let all = sized(Vec::new(), &objects);
    let [it] = all.as_slice() else { panic!("{all:?}") };
    assert_eq!((it.current.request_bytes, it.current.limit_bytes), (Some(Bytes(1 << 30)), Some(Bytes(2 << 30))));
    assert!(it.needs_action);
}

#[test]
fn a_sidecar_shares_the_least_amount_and_a_series_without_a_container_means_the_only_one() {
    let two = [checkpoint("web", "app", 2, |_| 20 << 20), checkpoint("web", "proxy", 2, |_| 20 << 20)];
    let objects = read_all(&[&two[0], &two[1]]);
    let all = sized(Vec::new(), &objects);
    let target = |at: usize| all[at].vpa.as_ref().unwrap().from_checkpoint.unwrap().target_bytes;
    assert_eq!((all.len(), target(0), target(1)), (2, Bytes::mib(125), Bytes::mib(125)));
    let series = |text: &str| {
        let mut it = history("", 2, |_| 20 << 20);
        it.subject = Subject { name: "web".into(), ..Subject::default() };
        sized(workloads(vec![it], Vec::new()), &read_all(&[text]))
    };
    assert!(series(&two[0])[0].vpa.is_some());
    assert_eq!(series(&two.join("---\n")).len(), 3, "whose of two it is, nobody knows");
}

/// A Deployment with these containers, as a flow mapping of its pod's spec.
fn deployment(spec: &str) -> String {
    format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: web, namespace: shop}}\nspec: {{template: {{spec: {spec}}}}}\n"
    )
}

const JAVA: &str = r#"{containers: [{name: app, image: a, resources: {limits: {memory: 1Gi}},
    env: [{name: JAVA_TOOL_OPTIONS, value: "-Xmx900m -XX:+UseSerialGC"}]}]}"#;

#[test]
fn a_limit_is_not_lowered_below_a_heap_that_the_manifest_gives() {
    let objects = read_all(&[&vertical(RECOMMENDS), &deployment(JAVA), &checkpoint("web", "app", 8, |_| 300 << 20)]);
    let all = sized(Vec::new(), &objects);
    let proposed = all[0].proposed.as_ref().unwrap();
    let [flag] = proposed.flags.as_slice() else { panic!("{proposed:?}") };
    let heap: u64 = flag.value.trim_start_matches("-Xmx").trim_end_matches('m').parse().unwrap();
    let limit = proposed.limit_bytes.unwrap();
    assert!(Bytes::mib(heap) >= Bytes::mib(300) && limit > Bytes::mib(heap + 180), "{heap} MiB under {limit}");
    let written = format!("\"value\":\"{} -XX:+UseSerialGC\"", flag.value);
    let document = crate::size::Document { schema: "", workloads: all, sources: Vec::new(), gaps: Vec::new() };
    let text = crate::report::patches(&document);
    assert!(text.contains(&written), "{text}");
}

#[test]
fn a_manifest_beside_a_trace_names_its_owner_and_its_flags() {
    let mut it = history("", 2, |_| 300 << 20);
    it.subject = Subject { name: "web/app".into(), ..Subject::default() };
    let all = sized(workloads(vec![it.clone()], Vec::new()), &read_all(&[&deployment(JAVA)]));
    let [one] = all.as_slice() else { panic!("{all:?}") };
    assert_eq!(
        (one.kind.as_deref(), one.name.as_str(), one.container.as_deref()),
        (Some("Deployment"), "web", Some("app"))
    );
    assert_eq!(one.current.flags[0].value, "-Xmx900m");
    assert_eq!(one.proposed.as_ref().unwrap().flags.len(), 1);
    it.subject.name = "cart".into();
    let gaps = attach(&mut workloads(vec![it], Vec::new()), &read_all(&[&deployment(JAVA)]));
    assert!(gaps[0].because.ends_with("name the series web or web/app"), "{gaps:?}");
}

#[test]
fn under_the_most_that_is_allowed_a_manifest_s_server_is_given_as_many_workers_as_fit() {
    let web = "{containers: [{name: app, image: a, args: [gunicorn, -w, '4', shop.wsgi], resources: {limits: {memory: 2Gi}}}]}";
    let mut all = workloads(vec![history("web-0", 2, |_| 1000 << 20)], Vec::new());
    attach(&mut all, &read_all(&[&deployment(web)]));
    let of = |most: Option<Bytes>| size_one(&all[0], &Wishes { most, ..Wishes::default() });
    let roomy = of(None);
    assert_eq!(roomy.current.flags[0].value, "-w 4");
    assert_eq!(roomy.proposed.as_ref().map(|it| it.flags.len()), Some(0));
    assert_eq!(roomy.flags_missing.as_deref(), Some("the limit holds what its 4 workers used at most"));
    let tight = of(Some(Bytes::mib(700)));
    let [flag] = tight.proposed.as_ref().unwrap().flags.as_slice() else { panic!("{tight:?}") };
    assert_eq!(flag.setting(), "-w 2 in the place of -w 4 on the command line");
    let document =
        crate::size::Document { schema: "", workloads: vec![tight.clone()], sources: Vec::new(), gaps: Vec::new() };
    let text = crate::report::patches(&document);
    assert!(text.contains(r#""args":["gunicorn","-w","2","shop.wsgi"]"#), "{text}");
}

#[test]
fn a_patch_writes_a_container_where_it_stands_and_none_that_is_not_there() {
    let of = |spec: &str| {
        let text = checkpoint("web", "app", 8, |_| 300 << 20);
        let workloads = sized(Vec::new(), &read_all(&[&vertical(RECOMMENDS), &deployment(spec), &text]));
        crate::report::patches(&crate::size::Document { schema: "", workloads, sources: Vec::new(), gaps: Vec::new() })
    };
    let sidecar =
        of("{initContainers: [{name: app, image: a, restartPolicy: Always}], containers: [{name: main, image: a}]}");
    assert!(sidecar.contains("\"initContainers\":[{\"name\":\"app\""), "{sidecar}");
    let gone = of("{containers: [{name: main, image: a}]}");
    assert!(!gone.contains("kubectl") && gone.contains("no container of that name"), "{gone}");
}

#[test]
fn a_template_that_is_given_twice_is_one_and_two_of_one_name_are_nobody_s() {
    let live = deployment("{containers: [{name: app, image: a, resources: {limits: {memory: 1Gi}}}]}");
    let git = live.replace(", namespace: shop", "");
    let other = live.replace("kind: Deployment", "kind: StatefulSet");
    let given = |texts: &[&str], kind: &str, container: &str| {
        let mut it = history("web-0", 1, |_| 300 << 20);
        (it.subject.kind, it.subject.container) = (kind.into(), container.into());
        let mut all = workloads(vec![it], Vec::new());
        attach(&mut all, &read_all(texts));
        (all[0].stands, all[0].set.as_ref().and_then(|set| set.limit))
    };
    let there = (Stands::AmongContainers, Some(Bytes(1 << 30)));
    assert_eq!(given(&[&live, &live], "Deployment", "app"), there);
    assert_eq!(given(&[&git, &live], "Deployment", "app"), there);
    assert_eq!(given(&[&live, &git], "Deployment", "gone"), (Stands::Nowhere, None));
    assert_eq!(given(&[&live, &other], "", "app"), (Stands::NotKnown, None));
}

#[test]
fn a_vpa_that_recommends_nothing_yet_is_told() {
    let mut none = Vec::new();
    let gaps = attach(&mut none, &read_all(&[&vertical("")]));
    assert!(none.is_empty() && gaps[0].because.starts_with("it recommends nothing"), "{gaps:?}");
}
