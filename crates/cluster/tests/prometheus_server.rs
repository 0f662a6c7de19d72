//! What a real Prometheus cannot be made to do on demand: limits of its samples, of its rate and of its time. A server of
//! our own on loopback speaks the wire format.
#![allow(clippy::unwrap_used, reason = "scaffolding may fail")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use oomph_cluster::prometheus::{Address, Read, Server, plan, read};
use oomph_core::size::prometheus::Range;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const STEP: i64 = 300;
const DAY: i64 = 86_400;
/// Two of them at eleven moments.
const COUNTS: usize = 22;

/// One request: its head, and its form.
struct Asked {
    head: String,
    query: String,
    from: i64,
    to: i64,
    step: i64,
}

impl Asked {
    fn steps(&self) -> i64 {
        (self.to - self.from) / self.step + 1
    }

    fn counts(&self) -> bool {
        self.query.starts_with("count(")
    }

    fn is_usage(&self) -> bool {
        self.query.contains("working_set") && !self.counts()
    }
}

/// Status, further headers, body; none: it never answers.
type Answer = Option<(u16, &'static str, String)>;

/// What a Prometheus says that has one container, whose usage is the time.
#[allow(clippy::unnecessary_wraps, reason = "an answer that is none closes the connection")]
fn well(asked: &Asked) -> Answer {
    let labels = r#"{"namespace":"shop","pod":"cart-0","container":"app"}"#;
    let points = (0..asked.steps()).map(|index| {
        let at = asked.from + index * asked.step;
        format!("[{at},\"{}\"]", if asked.counts() { 1 } else { at })
    });
    let series = if asked.counts() || asked.is_usage() {
        format!(r#"{{"metric":{labels},"values":[{}]}}"#, points.collect::<Vec<_>>().join(","))
    } else {
        String::new()
    };
    Some((200, "", format!(r#"{{"status":"success","data":{{"resultType":"matrix","result":[{series}]}}}}"#)))
}

#[allow(clippy::unnecessary_wraps, reason = "an answer that is none closes the connection")]
fn error(status: u16, headers: &'static str, kind: &str, words: &str) -> Answer {
    Some((status, headers, format!(r#"{{"status":"error","errorType":"{kind}","error":"{words}"}}"#)))
}

async fn start(answer: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let answer = Arc::new(answer);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, answer.clone()));
        }
    });
    url
}

async fn serve(mut stream: TcpStream, answer: Arc<impl Fn(&Asked) -> Answer>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let Ok(byte) = stream.read_u8().await else { return };
        head.push(byte);
    }
    let head = String::from_utf8(head).unwrap();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
    let mut body = vec![0; length.parse().unwrap()];
    stream.read_exact(&mut body).await.unwrap();
    let body = String::from_utf8(body).unwrap();
    let form: BTreeMap<_, _> = body.split('&').filter_map(|pair| pair.split_once('=')).collect();
    let number = |name: &str| form[name].parse().unwrap();
    let query = form["query"].replace("%28", "(").replace("%20", " ");
    let asked = Asked { query, from: number("start"), to: number("end"), step: number("step"), head };
    let Some((status, headers, body)) = answer(&asked) else {
        tokio::time::sleep(Duration::from_mins(1)).await;
        return;
    };
    let length = body.len();
    let head = format!("HTTP/1.1 {status} X\r\ncontent-length: {length}\r\nconnection: close\r\n{headers}\r\n");
    let _ = stream.write_all(format!("{head}{body}").as_bytes()).await;
}

fn range() -> Range {
    Range { from: 0, to: DAY, step: STEP, namespace: None }
}

async fn all(url: String) -> Read {
    let server = Server::at(&Address { url, deadline: Duration::from_millis(900), ..Address::default() }).unwrap();
    let plan = plan(&server, &range()).await.unwrap();
    read(&server, plan, &|_| ()).await
}

/// Every step of the day is there, once, with its own value.
fn whole(read: &Read) -> bool {
    let [history] = read.histories.histories.as_slice() else { return false };
    let expected: Vec<i64> = (1..=DAY / STEP).map(|index| index * STEP).collect();
    history.at == expected && history.used.iter().zip(&history.at).all(|(used, at)| i64::try_from(*used) == Ok(*at))
}

#[tokio::test]
async fn a_limit_of_samples_is_met_with_smaller_parts() {
    let url = start(|asked| match asked.steps() {
        41.. => {
            error(422, "", "execution", "query processing would load too many samples into memory in query execution")
        }
        _ => well(asked),
    })
    .await;
    let read = all(url).await;
    assert!(whole(&read), "{:?}", read.histories);
    assert!(read.requests >= 8, "{} requests", read.requests);
}

#[tokio::test]
async fn a_limit_that_a_single_step_does_not_keep_ends_the_cutting() {
    let url = start(|asked| {
        if asked.is_usage() {
            error(
                422,
                "",
                "422",
                "the number of matching timeseries exceeds 300000; increase -search.max* command-line flag values",
            )
        } else {
            well(asked)
        }
    })
    .await;
    let read = all(url).await;
    let cut = read.requests as usize - read.plan.slices.len() - COUNTS;
    assert!((8..=20).contains(&cut), "{cut} requests for the parts of {} steps", DAY / STEP);
    assert!(read.histories.gaps.iter().any(|gap| gap.because.contains("exceeds 300000")), "{:?}", read.histories.gaps);
}

/// Thanos 0.42 with its default `--query.partial-response`, and `--query.timeout` too short.
#[tokio::test]
async fn a_warning_of_too_much_is_met_with_smaller_parts_and_one_of_a_store_that_is_down_is_not() {
    let warned = |asked: &Asked, words: &str, keep: bool| {
        let (status, headers, body) = well(asked)?;
        let body = body.replace(r#""data":"#, &format!(r#""warnings":["{words}"],"data":"#));
        Some((status, headers, if keep { body } else { body.replace(r#"{"namespace""#, r#"{"was""#) }))
    };
    let late = "receive series from Addr: 127.0.0.1:29200 MinTime: 1794689723000 MaxTime: 9223372036854775807: rpc error: code = DeadlineExceeded desc = context deadline exceeded";
    let down = "fetch series for Store Gateway Addr: 127.0.0.1:29299: rpc error: code = Unavailable desc = connection error: connect: connection refused";
    let url = start(move |asked| match asked.steps() {
        41.. => warned(asked, late, false),
        _ => well(asked),
    });
    let read = all(url.await).await;
    assert!(whole(&read), "{:?}", read.histories);
    assert_eq!(read.histories.refused, None);
    let url = start(move |asked| if asked.counts() { well(asked) } else { warned(asked, down, true) });
    let read = all(url.await).await;
    assert!(whole(&read), "{:?}", read.histories);
    assert_eq!(read.requests as usize, read.plan.slices.len() + COUNTS);
    assert!(read.histories.refused.is_some_and(|because| because.contains("connection refused")));
}

#[tokio::test]
async fn a_query_that_takes_too_long_is_asked_for_in_parts_whoever_gives_up_first() {
    let server_gives_up = start(|asked| match asked.steps() {
        100.. => error(503, "", "timeout", "query timed out in expression evaluation"),
        _ => well(asked),
    });
    let we_give_up = start(|asked| if asked.steps() >= 200 { None } else { well(asked) });
    for url in [server_gives_up.await, we_give_up.await] {
        let read = all(url).await;
        assert!(whole(&read), "{:?}", read.histories.gaps);
    }
}

#[tokio::test]
async fn a_busy_server_is_asked_again_when_it_wants_to_be() {
    let (busy, begun) = (AtomicUsize::new(2), Instant::now());
    let url = start(move |asked| {
        let refuse =
            asked.is_usage() && busy.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1)).is_ok();
        if refuse { error(429, "retry-after: 1\r\n", "too_many_requests", "slow down") } else { well(asked) }
    })
    .await;
    let read = all(url).await;
    assert!(whole(&read), "{:?}", read.histories.gaps);
    assert!(begun.elapsed() >= Duration::from_secs(2), "it waited {:?}", begun.elapsed());
}

#[tokio::test]
async fn a_server_that_stays_busy_leaves_a_gap_and_not_a_loop() {
    let url =
        start(
            |asked| {
                if asked.counts() { well(asked) } else { error(503, "retry-after: 0\r\n", "unavailable", "no room") }
            },
        )
        .await;
    let read = all(url).await;
    assert!(read.histories.histories.is_empty() && read.requests < 120, "{} requests", read.requests);
    let gap = read.histories.gaps.iter().find(|gap| gap.what == "memory usage").unwrap();
    assert!(gap.because.contains("503: no room"), "{gap:?}");
}

#[tokio::test]
async fn a_query_that_is_wrong_is_not_cut_into_pieces() {
    let url = start(|asked| {
        if asked.query.contains("container_memory_rss") {
            error(422, "", "execution", "found duplicate series for the match group")
        } else {
            well(asked)
        }
    })
    .await;
    let read = all(url).await;
    assert!(whole(&read));
    assert_eq!(read.requests as usize, read.plan.slices.len() + COUNTS, "the counts, and each part once");
    assert!(
        read.histories.gaps.iter().any(|gap| gap.because.contains("duplicate series")),
        "{:?}",
        read.histories.gaps
    );
}

#[tokio::test]
async fn tenant_and_login_are_sent_along() {
    let url = start(|asked| {
        let head = asked.head.to_ascii_lowercase();
        // ann:cret
        let right = head.contains("x-scope-orgid: team-a") && head.contains("authorization: basic yw5uomnyzxq=");
        if right { well(asked) } else { error(401, "", "unauthorized", "who are you") }
    })
    .await;
    let address = |headers: &[(&str, &str)], basic: Option<(&str, &str)>| Address {
        url: url.clone(),
        headers: headers.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect(),
        basic: basic.map(|(user, password)| (user.into(), password.into())),
        deadline: Duration::from_secs(5),
        ..Address::default()
    };
    let right = Server::at(&address(&[("X-Scope-OrgID", "team-a")], Some(("ann", "cret")))).unwrap();
    assert!(plan(&right, &range()).await.is_ok());
    let wrong = Server::at(&address(&[], Some(("ann", "cret")))).unwrap();
    let because = plan(&wrong, &range()).await.unwrap_err();
    assert!(because.contains("401: who are you") && !because.contains("cret"), "{because}");
}
