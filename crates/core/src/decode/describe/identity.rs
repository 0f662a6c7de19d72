//! Who a pod is, by what the kubelet says of it in its events.

use crate::decode::columns::is_name;
use crate::fact::Pod;

/// The uid, which describe does not print, of the kubelet's `... in pod NAME_NAMESPACE(UID)`
/// (pkg/kubelet/util/format/pod.go `Pod`, v1.31).
pub(super) fn take_identity<'m>(pod: &mut Pod, mut messages: impl Iterator<Item = &'m str>) {
    let told = messages.find_map(|message| {
        let (before, uid) = message.match_indices('(').find_map(|(at, _)| {
            let uid = message[at + 1..].split_once(')')?.0;
            let is_uid = uid.len() == 36 && uid.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
            is_uid.then_some((&message[..at], uid))
        })?;
        let (name, namespace) = before.rsplit([' ', '=', '"']).next()?.split_once('_')?;
        let fits = |known: Option<&str>, said: &str| known.is_none_or(|known| known == said);
        let ours = fits(pod.name.as_deref(), name) && fits(pod.namespace.as_deref(), namespace);
        (ours && is_name(name) && is_name(namespace)).then_some((name, namespace, uid))
    });
    if let Some((name, namespace, uid)) = told {
        pod.name.get_or_insert_with(|| name.to_owned());
        pod.namespace.get_or_insert_with(|| namespace.to_owned());
        pod.uid = Some(uid.to_owned());
    }
}
