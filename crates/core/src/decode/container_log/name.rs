//! Whose a container's log is.

use super::Input;
use crate::fact::Subject;

/// Whose log it is: what the source knew, else what the name says.
pub(super) fn subject(input: Input<'_>) -> Subject {
    let about = &input.artifact.about;
    if about.pod.is_some() || about.container.is_some() || about.container_id.is_some() {
        return about.clone();
    }
    by_name(&input.artifact.name).unwrap_or_else(|| about.clone())
}

/// `logs/POD.CONTAINER.LIFE.log`, `/var/log/pods/NS_POD_UID/CONTAINER/LIFE.log`,
/// `/var/log/containers/POD_NS_CONTAINER-ID.log` (the kubelet's own names, pkg/kubelet/kuberuntime/legacy.go, v1.37).
fn by_name(name: &str) -> Option<Subject> {
    let mut parts = name.rsplit('/');
    let file = parts.next()?.strip_suffix(".log")?;
    let (folder, above) = (parts.next(), parts.next());
    if let (Some(container), Some(above)) = (folder, above)
        && let [namespace, pod, uid] = above.split('_').collect::<Vec<_>>().as_slice()
    {
        return Some(Subject {
            namespace: Some((*namespace).to_owned()),
            pod: Some((*pod).to_owned()),
            pod_uid: Some((*uid).to_owned()),
            container: Some(container.to_owned()),
            restart: file.parse().ok(),
            ..Subject::default()
        });
    }
    if let [pod, namespace, rest] = file.split('_').collect::<Vec<_>>().as_slice()
        && let Some((container, id)) = rest.rsplit_once('-').filter(|(_, id)| id.len() == 64)
    {
        return Some(Subject {
            namespace: Some((*namespace).to_owned()),
            pod: Some((*pod).to_owned()),
            container: Some(container.to_owned()),
            container_id: Some(id.to_owned()),
            ..Subject::default()
        });
    }
    let mut pieces = file.rsplitn(3, '.');
    let (life, container, pod) = (pieces.next()?, pieces.next()?, pieces.next()?);
    Some(Subject {
        pod: Some(pod.to_owned()),
        container: Some(container.to_owned()),
        restart: Some(life.parse().ok()?),
        ..Subject::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_log_files_tell_whose_they_are() {
        let subject = by_name("logs/web-1.app.6.log").unwrap();
        assert_eq!(
            (subject.pod.as_deref(), subject.container.as_deref(), subject.restart),
            (Some("web-1"), Some("app"), Some(6))
        );
        let subject = by_name("/var/log/pods/shop_web-1_0f1e/app/2.log").unwrap();
        assert_eq!((subject.pod_uid.as_deref(), subject.restart), (Some("0f1e"), Some(2)));
        assert_eq!(by_name("notes.log"), None);
    }
}
