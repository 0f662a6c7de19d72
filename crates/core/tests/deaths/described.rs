//! A describe text, which tells neither the pod's uid nor the id of the container that ended, beside the kernel's log.

use oomph_core::artifact::Artifact;
use oomph_core::diagnosis::Confidence;
use oomph_core::fact::Level;

use crate::evidence::{EARLIER, explain, kill, log, only};

/// Pod `name`, whose container was restarted after its end at 10:05:00.
fn described(name: &str, limit: &str) -> Artifact {
    let id = "c".repeat(64);
    let text = format!(
        "Name:             {name}\nNamespace:        shop\nNode:             n1/10.0.0.1\nStatus:           Running\n\
         Containers:\n  app:\n    Container ID:   containerd://{id}\n    State:          Running\n      \
         Started:      Sun, 01 Mar 2026 10:05:01 +0000\n    Last State:     Terminated\n      Reason:       OOMKilled\n      \
         Exit Code:    137\n      Started:      Sun, 01 Mar 2026 10:00:00 +0000\n      \
         Finished:     Sun, 01 Mar 2026 10:05:00 +0000\n    Restart Count:  1\n    Limits:\n      memory:  {limit}\n    \
         Requests:\n      memory:     16Mi\nQoS Class:                   Burstable\n"
    );
    Artifact::new(format!("{name}.txt"), text)
}

#[test]
fn the_one_kill_of_its_moment_and_limit_is_that_of_the_pod_that_is_described() {
    let report = kill("10:05:00", EARLIER, &[(77, "app")]);
    let found = only(&[described("web", "24Mi"), log(report.clone())]);
    assert_eq!(
        (found.verdict.id(), found.oom_kill, found.confidence),
        ("container-limit-oom", Some(true), Confidence::Likely)
    );
    assert_eq!((found.kills, found.level), (vec!["k1".to_owned()], Some(Level::Pod)));
    // As `dmesg -T` has it, in a zone that it does not name.
    let local = report.replace("2026-03-01T10:05:00.5Z n1 kernel:", "[Sun Mar  1 12:05:00 2026]");
    let found = only(&[described("web", "24Mi"), log(local)]);
    assert_eq!((found.verdict.id(), found.kills), ("container-limit-oom", vec!["k1".to_owned()]));
}

#[test]
fn a_kill_of_another_limit_moment_or_node_or_of_one_of_two_pods_is_not() {
    let report = |at: &str| kill(at, EARLIER, &[(77, "app")]);
    for (pods, log) in [
        (vec![described("web", "48Mi")], log(report("10:05:00"))),
        (vec![described("web", "24Mi")], log(report("10:03:00"))),
        (vec![described("web", "24Mi")], log(report("10:05:00").replace(" n1 ", " n2 "))),
        (vec![described("web", "24Mi"), described("db", "24Mi")], log(report("10:05:00"))),
    ] {
        let count = pods.len();
        let found = explain(&[pods, vec![log]].concat());
        let own: Vec<_> = found.iter().filter(|it| it.subject.pod.is_some()).collect();
        assert_eq!((own.len(), found.len()), (count, count + 1));
        assert!(own.iter().all(|it| it.kills.is_empty()), "{own:#?}");
    }
}

/// The same with the id of no container, and in this state after an end at 10:05:00.
fn after(state: &str, restarts: u32) -> Artifact {
    let described = String::from_utf8(described("web", "24Mi").bytes).unwrap();
    let running = "State:          Running\n      Started:      Sun, 01 Mar 2026 10:05:01 +0000";
    let text = described.replace(running, state).replace("Restart Count:  1", &format!("Restart Count:  {restarts}"));
    Artifact::new("web.txt", text)
}

fn ended(reason: &str, code: i32) -> String {
    format!(
        "State:          Terminated\n      Reason:       {reason}\n      Exit Code:    {code}\n      \
         Started:      Sun, 01 Mar 2026 10:05:02 +0000\n      Finished:     Sun, 01 Mar 2026 10:08:00 +0000"
    )
}

#[test]
fn kills_of_two_lives_are_both_the_containers() {
    let current = "c".repeat(64);
    let kills = |last: &str| kill("10:04:59", EARLIER, &[(77, "app")]) + &kill("10:07:59", last, &[(99, "app")]);
    let nameless = |state: &str| {
        let text = String::from_utf8(after(state, 1).bytes).unwrap();
        Artifact::new(
            "web.txt",
            text.lines().filter(|line| !line.contains("Container ID")).collect::<Vec<_>>().join("\n"),
        )
    };
    // By the id that the text shows, by the moments of both ends, and by those in a log of an unnamed zone.
    for (text, log_text, confidence) in [
        (after(&ended("OOMKilled", 137), 1), kills(&current), Confidence::Proven),
        (nameless(&ended("OOMKilled", 137)), kills(&"d".repeat(64)), Confidence::Likely),
        (
            nameless(&ended("OOMKilled", 137)),
            kills(&"d".repeat(64))
                .replace("2026-03-01T10:04:59.5Z n1 kernel:", "[Sun Mar  1 12:04:59 2026]")
                .replace("2026-03-01T10:07:59.5Z n1 kernel:", "[Sun Mar  1 12:07:59 2026]"),
            Confidence::Likely,
        ),
    ] {
        let found = only(&[text, log(log_text)]);
        assert_eq!((found.verdict.id(), found.confidence), ("container-limit-oom", confidence), "{}", found.summary);
        assert_eq!(found.kills, ["k2"]);
    }
}

#[test]
fn the_kill_of_the_life_before_is_not_of_an_end_of_its_own() {
    let text = after(&ended("Error", 1), 1);
    let found = only(&[text, log(kill("10:04:59", EARLIER, &[(77, "app")]))]);
    assert_eq!((found.verdict.id(), found.oom_kill), ("app-error", Some(false)), "{}", found.summary);
    assert!(found.kills.is_empty(), "{:?}", found.kills);
}
