//! A list followed by its watch, over every break: nothing that changes is missed.

use std::collections::HashSet;
use std::time::Duration;

use futures::{AsyncBufRead, AsyncBufReadExt, Stream, stream};
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::time::{Instant, sleep, timeout};

use super::api::{Api, Refusal, query};
use super::glance::{Metadata, Pod};
use super::list::list;

/// The server ends a watch after this, in seconds; client-go asks for 5 to 10 minutes.
const WATCH_SECONDS: u64 = 290;
/// Between tries when the server is away.
const PAUSE: Duration = Duration::from_secs(1);

/// What a followed list does.
pub(super) enum Step {
    /// A pod that brings nothing new: it was there when the list was first read, or has no trouble.
    Known(Box<Pod>),
    /// An object that came or changed.
    Changed(String),
    /// The list was read anew: these uids are all there are.
    Listed(HashSet<String>),
    /// An object that went, as it was last.
    Gone(String),
    /// The list may not be followed, so it is not.
    Refused(String, Refusal),
}

/// A list and the watch that keeps it up to date.
pub(super) struct Follow {
    api: Api,
    path: String,
    selectors: Vec<(&'static str, String)>,
    /// Where to go on from; empty: from a new list.
    version: String,
    listed_once: bool,
    reader: Option<Box<dyn AsyncBufRead + Unpin + Send>>,
    pending: Vec<Step>,
    over: bool,
}

impl Follow {
    pub(super) fn new(api: Api, path: String, selectors: [(&'static str, &str); 2]) -> Self {
        let selectors = selectors.map(|(key, value)| (key, value.to_owned())).to_vec();
        let (version, reader, pending) = (String::new(), None, Vec::new());
        Self { api, path, selectors, version, listed_once: false, reader, pending, over: false }
    }

    pub(super) fn stream(self) -> impl Stream<Item = Step> + Send {
        stream::unfold(self, |mut follow| async move { follow.next().await.map(|step| (step, follow)) })
    }

    async fn next(&mut self) -> Option<Step> {
        loop {
            if let Some(step) = self.pending.pop() {
                return Some(step);
            }
            if self.over {
                return None;
            }
            if let Some(refusal) = self.advance().await {
                if is_final(&refusal) {
                    self.over = true;
                    return Some(Step::Refused(self.path.clone(), refusal));
                }
                self.reader = None;
                if matches!(refusal, Refusal::Gone { .. }) {
                    self.version.clear();
                } else {
                    sleep(PAUSE).await;
                }
            }
        }
    }

    /// One step of list, open, read. A refusal is what went wrong in it.
    async fn advance(&mut self) -> Option<Refusal> {
        if self.version.is_empty() {
            return self.relist().await.err();
        }
        let Some(reader) = &mut self.reader else { return self.open().await.err() };
        let mut line = Vec::new();
        // A connection that died without a word shows by silence after the server's own end.
        let patience = Duration::from_secs(WATCH_SECONDS + 15);
        match timeout(patience, reader.read_until(b'\n', &mut line)).await {
            Ok(Ok(count)) if count > 0 => self.take(&line),
            // The server ended it, as it does every few minutes: go on from where it was.
            Ok(Ok(_)) => {
                self.reader = None;
                None
            }
            Ok(Err(error)) => Some(Refusal::Failed(error.to_string())),
            Err(_) => Some(Refusal::Slow),
        }
    }

    async fn relist(&mut self) -> Result<(), Refusal> {
        let selectors: Vec<_> = self.selectors.iter().map(|(key, value)| (*key, value.as_str())).collect();
        let (mut steps, mut uids) = (Vec::new(), HashSet::new());
        let (first, of_pods) = (!self.listed_once, self.path.ends_with("/pods"));
        let until = Instant::now() + Duration::from_secs(30);
        let listing = list(&self.api, &self.path, &selectors, until, |json| {
            // Thousands of pods are there that nothing befell: a glance at them is all that is kept.
            let pod = Pod::parse(json).filter(|_| of_pods);
            uids.extend(pod.as_ref().map(|pod| pod.metadata.uid.clone()));
            match pod {
                Some(pod) if first || !pod.has_trouble() => steps.push(Step::Known(Box::new(pod))),
                None if first => {}
                _ => steps.push(Step::Changed(json.to_owned())),
            }
            false
        })
        .await?;
        if let Some(because) = listing.cut {
            return Err(Refusal::Failed(because));
        }
        self.version = listing.version;
        self.listed_once = true;
        if of_pods {
            steps.push(Step::Listed(uids));
        }
        self.pending = steps;
        Ok(())
    }

    async fn open(&mut self) -> Result<(), Refusal> {
        let seconds = WATCH_SECONDS.to_string();
        let mut pairs = vec![
            ("watch", "true"),
            ("allowWatchBookmarks", "true"),
            ("timeoutSeconds", seconds.as_str()),
            ("resourceVersion", self.version.as_str()),
        ];
        pairs.extend(self.selectors.iter().map(|(key, value)| (*key, value.as_str())));
        let reader = self.api.follow(&format!("{}{}", self.path, query(&pairs))).await?;
        self.reader = Some(Box::new(reader));
        Ok(())
    }

    /// One line of the watch.
    fn take(&mut self, line: &[u8]) -> Option<Refusal> {
        #[derive(Deserialize)]
        struct Line<'a> {
            r#type: &'a str,
            #[serde(borrow)]
            object: &'a RawValue,
        }
        #[derive(Deserialize)]
        struct Object {
            #[serde(default)]
            metadata: Metadata,
            #[serde(default)]
            code: u16,
        }
        let Ok(line) = serde_json::from_slice::<Line<'_>>(line) else { return None };
        let Ok(object) = serde_json::from_str::<Object>(line.object.get()) else { return None };
        if line.r#type == "ERROR" {
            return Some(match object.code {
                410 => Refusal::Gone { resume: None },
                code => Refusal::Failed(format!("the watch ended with {code}")),
            });
        }
        if !object.metadata.resource_version.is_empty() {
            self.version = object.metadata.resource_version;
        }
        let json = line.object.get().to_owned();
        match line.r#type {
            "ADDED" | "MODIFIED" => self.pending.push(Step::Changed(json)),
            "DELETED" => self.pending.push(Step::Gone(json)),
            _ => {}
        }
        None
    }
}

/// Whether asking again would bring the same answer.
fn is_final(refusal: &Refusal) -> bool {
    match refusal {
        Refusal::Forbidden { .. } | Refusal::Unauthorized(_) | Refusal::Absent(_) => true,
        Refusal::Refused(status) => status.starts_with('4') && !status.starts_with("429"),
        Refusal::Gone { .. } | Refusal::Slow | Refusal::Failed(_) => false,
    }
}
