//! What the dead instances wrote last.

use std::cmp::Reverse;

use futures::{StreamExt, stream};
use jiff::Timestamp;
use oomph_core::artifact::{Artifact, Captured, Kind, Status};
use tokio::time::Instant;

use super::api::{Api, Refusal, query};
use super::glance::{Life, Pod};
use super::{Ask, Clock, Missing, Permission, refused};

/// Container logs.
pub(super) const LOGS: Permission = Permission {
    name: "container logs",
    group: "",
    resource: "pods/log",
    verbs: &["get"],
    cluster_wide: false,
    without: "a runtime that ran out of its own heap cannot be told from other exits",
    risk: "logs may hold what programs should not have written: tokens, customers' data",
};

/// Lines asked for: an out-of-memory report with its stack trace fits well.
const LINES: &str = "400";
/// Bytes kept of one log: its end, where the death is.
const LARGEST: usize = 512 << 10;
/// Bytes that the lines asked for may take on the way. `limitBytes` counts from the first of them, so a small one
/// would cut off the end: lines are up to 16 KiB each in the runtime's file.
const LONGEST: usize = 8 << 20;
/// Logs fetched at most, of those who failed last.
const MOST: usize = 200;
/// Logs fetched at once.
const CONCURRENT: usize = 8;

/// The log of every container's last ended life; with `running`, of those that never ended too.
pub(super) async fn capture(api: &Api, ask: &Ask, pods: &[Pod], running: bool, clock: Clock) -> Captured {
    let until = clock.source();
    let lives = wanted(ask, pods, running);
    let mut captured = Captured::default();
    let left_out = lives.len().saturating_sub(MOST);
    let (mut slow, mut gone) = (Vec::new(), Vec::new());
    let answers = stream::iter(lives.into_iter().take(MOST)).map(|life| async move {
        let answer = read(api, &life, until).await;
        (life, answer)
    });
    for (life, answer) in answers.buffered(CONCURRENT).collect::<Vec<_>>().await {
        let name = name(&life);
        match answer {
            Ok((artifact, None)) => captured.read(LOGS.name, artifact),
            Ok((artifact, Some(because))) => captured.partial(LOGS.name, artifact, because),
            Err(Refusal::Slow) => slow.push(name),
            // 400 and 404: the runtime has removed the dead container with its log, or it never had one.
            Err(refusal @ (Refusal::Refused(_) | Refusal::Absent(_))) => {
                captured.not_read(name, LOGS.name, Status::Absent, refusal.because());
                gone.push((life, refusal.because()));
            }
            Err(refusal) => {
                refused(&mut captured, &name, &LOGS, life.subject.namespace.as_deref(), &refusal, Missing::Tell);
            }
        }
    }
    if let Some((life, because)) = gone.first() {
        let whose = [&life.subject.namespace, &life.subject.pod, &life.subject.container];
        let whose = whose.map(|name| name.as_deref().unwrap_or_default()).join("/");
        let because = format!("{} are not there any more, such as of {whose}: {because}", gone.len());
        captured.gap("logs of dead containers", because, "");
    }
    if let Some(first) = slow.first() {
        let because = format!("{} of them did not come before the deadline", slow.len());
        captured.gap("container logs", because, format!("kubectl get --raw '{}'", first.trim_start_matches("GET ")));
        for name in slow {
            captured.not_read(name, LOGS.name, Status::Absent, Refusal::Slow.because());
        }
    }
    if left_out > 0 {
        let because = format!("the {MOST} newest failures' logs were read, {left_out} were not");
        captured.gap("older container logs", because, "oomph why -n NAMESPACE POD");
    }
    captured
}

/// Whose logs are wanted, the most telling first: failures before successes, the newest first.
fn wanted(ask: &Ask, pods: &[Pod], running: bool) -> Vec<Life> {
    let mut lives: Vec<Life> = pods
        .iter()
        .flat_map(|pod| pod.lives(running))
        .filter(|life| ask.container.is_none() || life.subject.container == ask.container)
        .filter(|life| life.finished.zip(ask.since).is_none_or(|(finished, since)| finished >= since))
        // Who ended well and was not asked for has nothing to tell.
        .filter(|life| running || life.exit_code != Some(0))
        .collect();
    lives.sort_by_key(|life| (life.exit_code.is_none_or(|code| code == 0), Reverse(life.finished)));
    lives
}

fn path(life: &Life) -> String {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let subject = &life.subject;
    let pairs = [
        ("container", subject.container.as_deref().unwrap_or_default()),
        ("previous", if life.previous { "true" } else { "" }),
    ];
    format!("/api/v1/namespaces/{}/pods/{}/log{}", text(&subject.namespace), text(&subject.pod), query(&pairs))
}

fn name(life: &Life) -> String {
    format!("GET {}", path(life))
}

async fn read(api: &Api, life: &Life, until: Instant) -> Result<(Artifact, Option<String>), Refusal> {
    let limit = LONGEST.to_string();
    let bounds = query(&[("tailLines", LINES), ("timestamps", "true"), ("limitBytes", &limit)]).replace('?', "&");
    let reply = api.get_some(&format!("{}{bounds}", path(life)), None, LONGEST, until).await?;
    let (bytes, cut) = end_of(reply.bytes, LARGEST);
    let artifact = Artifact {
        kind: Some(Kind::ContainerLog),
        about: life.subject.clone(),
        at: Some(Timestamp::now()),
        ..Artifact::new(name(life), bytes)
    };
    Ok((artifact, reply.cut.or(cut)))
}

/// The last whole lines that fit in `limit`, and what was cut off.
fn end_of(mut bytes: Vec<u8>, limit: usize) -> (Vec<u8>, Option<String>) {
    if bytes.len() <= limit {
        return (bytes, None);
    }
    let from = bytes.len() - limit;
    let line = memchr::memchr(b'\n', &bytes[from..]).map_or(from, |newline| from + newline + 1);
    bytes.drain(..line);
    (bytes, Some(format!("only its last {limit} bytes were kept")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pod(name: &str, exit_code: i32, finished: &str) -> Pod {
        Pod::parse(&format!(
            r#"{{"metadata":{{"name":"{name}","namespace":"shop"}},"status":{{"containerStatuses":[{{"name":"app","restartCount":1,
                "state":{{"running":{{}}}},"lastState":{{"terminated":{{"exitCode":{exit_code},"finishedAt":"{finished}"}}}}}}]}}}}"#
        ))
        .unwrap()
    }

    fn names(ask: &Ask, pods: &[Pod], running: bool) -> Vec<String> {
        wanted(ask, pods, running).into_iter().filter_map(|life| life.subject.pod).collect()
    }

    #[test]
    fn the_newest_failures_come_first_and_successes_only_when_asked_for() {
        let pods = [
            pod("well", 0, "2026-01-03T00:00:00Z"),
            pod("old", 137, "2026-01-01T00:00:00Z"),
            pod("new", 1, "2026-01-02T00:00:00Z"),
        ];
        assert_eq!(names(&Ask::default(), &pods, false), ["new", "old"]);
        assert_eq!(names(&Ask::default(), &pods, true), ["new", "old", "well"]);
        let since = Ask { since: "2026-01-02T00:00:00Z".parse().ok(), ..Ask::default() };
        assert_eq!(names(&since, &pods, false), ["new"]);
        let other = Ask { container: Some("sidecar".into()), ..Ask::default() };
        assert!(names(&other, &pods, true).is_empty());
    }

    #[test]
    fn the_end_of_a_long_log_is_kept() {
        assert_eq!(end_of(b"one\ntwo\nthree".to_vec(), 7).0, b"three");
        assert_eq!(end_of(b"one\ntwo".to_vec(), 7), (b"one\ntwo".to_vec(), None));
        assert_eq!(end_of(b"abcdefgh".to_vec(), 3).0, b"fgh");
    }

    #[test]
    fn the_previous_instance_is_asked_for_by_name() {
        let lives = pod("web-0", 137, "").lives(false);
        assert_eq!(name(&lives[0]), "GET /api/v1/namespaces/shop/pods/web-0/log?container=app&previous=true");
    }
}
