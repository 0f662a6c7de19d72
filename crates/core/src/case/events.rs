//! Events, found by what they are about: a large cluster's are many, and so are its deaths.

use std::collections::HashMap;

use crate::fact::{Event, Locus, Pod};

use super::Seen;
use super::matching::bare_uid;

/// Events, in the order of the evidence.
#[derive(Debug, Default)]
pub struct Events {
    list: Vec<(Event, Locus)>,
    /// Places in the list of what may be about a pod: by the uid without its dashes, by the name, and of those that
    /// name none.
    by_uid: HashMap<String, Vec<usize>>,
    by_name: HashMap<String, Vec<usize>>,
    nameless: Vec<usize>,
    by_reason: HashMap<String, Vec<usize>>,
}

impl Events {
    /// Adds one.
    pub(super) fn push(&mut self, event: Event, from: Locus) {
        let place = self.list.len();
        let object = &event.object;
        if object.kind.as_deref().is_none_or(|kind| kind == "Pod") {
            if let Some(uid) = &object.uid {
                self.by_uid.entry(bare_uid(uid)).or_default().push(place);
            }
            match &object.name {
                Some(name) => self.by_name.entry(name.clone()).or_default().push(place),
                None => self.nameless.push(place),
            }
        }
        self.by_reason.entry(event.reason.clone()).or_default().push(place);
        self.list.push((event, from));
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = Seen<'_, Event>> {
        self.list.iter().map(|(it, from)| Seen { it, from })
    }

    /// Those with this reason.
    pub fn with_reason(&self, reason: &str) -> impl Iterator<Item = Seen<'_, Event>> {
        self.by_reason.get(reason).into_iter().flatten().map(|place| self.at(*place))
    }

    /// Every event that may be about this pod: by uid or name, or without a name. Of a pod without a name that may be
    /// any of a pod.
    pub(super) fn near(&self, pod: &Pod) -> Vec<Seen<'_, Event>> {
        let mut places: Vec<usize> = self.nameless.clone();
        let uids = [&pod.uid, &pod.config_hash].into_iter().flatten();
        places.extend(uids.filter_map(|uid| self.by_uid.get(&bare_uid(uid))).flatten());
        match &pod.name {
            Some(name) => places.extend(self.by_name.get(name).into_iter().flatten()),
            None => places.extend(self.by_name.values().flatten()),
        }
        places.sort_unstable();
        places.dedup();
        places.into_iter().map(|place| self.at(place)).collect()
    }

    fn at(&self, place: usize) -> Seen<'_, Event> {
        let (it, from) = &self.list[place];
        Seen { it, from }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::ArtifactId;
    use crate::case::matching::is_uid_of;
    use crate::fact::ObjectRef;
    use proptest::prelude::*;

    /// One of three words, or none.
    fn word(words: [&'static str; 3]) -> impl Strategy<Value = Option<String>> {
        prop::option::of(prop::sample::select(words.to_vec()).prop_map(str::to_owned))
    }

    fn object() -> impl Strategy<Value = ObjectRef> {
        let kind = prop::sample::select(vec![Some("Pod"), Some("Node"), None]);
        let all = (kind, word(["web", "db", "job"]), word(["a-1", "a1", "b-2"]));
        all.prop_map(|(kind, name, uid)| ObjectRef { kind: kind.map(str::to_owned), name, uid, ..ObjectRef::default() })
    }

    proptest! {
        #[test]
        fn no_event_that_may_be_about_a_pod_is_passed_over(
            objects in prop::collection::vec(object(), 0..12),
            name in word(["web", "db", "job"]),
            uid in word(["a-1", "b2", "c-3"]),
            config_hash in word(["a1", "b2", "c3"]),
        ) {
            let mut events = Events::default();
            for object in &objects {
                events.push(Event { object: object.clone(), ..Event::default() }, Locus::whole(ArtifactId(0)));
            }
            let pod = Pod { name: name.clone(), uid, config_hash, ..Pod::default() };
            let may_be = |object: &&ObjectRef| {
                let named = object.name.is_none() || name.is_none() || object.name == name;
                object.kind.as_deref() != Some("Node") && (named || is_uid_of(&pod, object.uid.as_deref()))
            };
            let near: Vec<&ObjectRef> = events.near(&pod).iter().map(|event| &event.it.object).collect();
            prop_assert_eq!(near, objects.iter().filter(may_be).collect::<Vec<_>>());
        }
    }
}
