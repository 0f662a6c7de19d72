//! Which files say something of others: only their trees are kept until all files are judged.

use memchr::memchr_iter;
use memchr::memmem::Finder;

use super::workload::Found;
use super::{Source, Workers, tree};

/// What changes the meaning of other files has one of these words in it.
const WORDS: [&str; 9] = [
    // Kinds that limits, variables, files and autoscalers are looked up in.
    "LimitRange",
    "ConfigMap",
    "VerticalPodAutoscaler",
    "HorizontalPodAutoscaler",
    "ScaledObject",
    // Of an object that another one made.
    "ownerReferences",
    // Of Docker Compose.
    "services",
    // Of images, as an engine describes them.
    "RepoTags",
    "RepoDigests",
];

/// Files that may say something of others, by their words alone, and those that do not.
pub(super) fn parted(workers: &impl Workers, sources: &[Source]) -> (Vec<usize>, Vec<usize>) {
    // One pass for each word is several times as fast as one for all of them.
    let words = WORDS.map(Finder::new);
    let is_heard = |source: &Source| {
        let Source { name, text } = source;
        tree::is_dockerfile(name, text)
            || is_spelled(text)
            || words.iter().any(|word| word.find(text.as_bytes()).is_some())
    };
    let heard = workers.each(sources.iter().collect(), |_, source| is_heard(source));
    (0..sources.len()).partition(|file| heard[*file])
}

/// A word may be written otherwise than it reads: by the numbers of its letters, or over two lines.
fn is_spelled(text: &str) -> bool {
    let text = text.as_bytes();
    memchr_iter(b'\\', text).any(|at| matches!(text.get(at + 1), Some(b'x' | b'u' | b'U' | b'\n' | b'\r')))
}

/// They speak of objects that may be in any file, whatever stands there: makers by what they made, containers by what
/// scales them.
pub(super) fn is_of_all(found: &[Found<'_>]) -> bool {
    let has = |kinds: &[&str]| found.iter().flat_map(|found| &found.objects).any(|object| kinds.contains(&object.kind));
    found.iter().any(|found| !found.owned.is_empty())
        || has(&["HorizontalPodAutoscaler", "ScaledObject"]) && has(&["VerticalPodAutoscaler"])
}

#[cfg(test)]
mod tests {
    use crate::lint::{Document, Source, lint};

    const FILES: [&str; 9] = [
        // Its variables are a ConfigMap's, its limit is a LimitRange's.
        "{apiVersion: apps/v1, kind: Deployment, metadata: {name: map, namespace: shop}, spec: {template: {spec: {containers: \
         [{name: app, image: openjdk:17, envFrom: [{configMapRef: {name: java}}]}]}}}}",
        "{apiVersion: apps/v1, kind: Deployment, metadata: {name: range}, spec: {template: {spec: {containers: [{name: app, \
         image: openjdk:17, env: [{name: JAVA_TOOL_OPTIONS, value: -Xmx2g}]}]}}}}",
        r#"{apiVersion: v1, kind: "Config\u004dap", metadata: {name: java, namespace: shop}, data: {JAVA_TOOL_OPTIONS: -Xmx3g}}"#,
        "{apiVersion: v1, kind: LimitRange, metadata: {name: usual, namespace: shop}, spec: {limits: [{type: Container, default: \
         {memory: 1Gi}}]}}",
        "{apiVersion: v1, kind: LimitRange, metadata: {name: usual}, spec: {limits: [{type: Container, default: {memory: 1Gi}}]}}",
        "{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, metadata: {name: wide}, spec: {scaleTargetRef: {kind: \
         Deployment, name: range}, metrics: [{type: Resource, resource: {name: memory, target: {type: Utilization, \
         averageUtilization: 80}}}]}}",
        "{apiVersion: autoscaling.k8s.io/v1, kind: VerticalPodAutoscaler, metadata: {name: high}, spec: {targetRef: {kind: \
         Deployment, name: range}, resourcePolicy: {containerPolicies: [{containerName: app, mode: 'Off'}, \
         {containerName: other}]}}}",
        "{apiVersion: v1, kind: Pod, metadata: {name: map-1, namespace: shop, ownerReferences: [{controller: true, kind: \
         ReplicaSet, name: map}]}, spec: {containers: [{name: app, image: 'openjdk:17'}]}}",
        "{apiVersion: apps/v1, kind: ReplicaSet, metadata: {name: map, namespace: shop}, spec: {template: {spec: {containers: \
         [{name: app, image: openjdk:17, resources: {limits: {memory: 2Gi}}}]}}}}",
    ];

    fn of(files: &[&str], also: &str) -> Document {
        let source =
            |(number, text): (usize, &&str)| Source { name: format!("{number}.yaml"), text: format!("{text}{also}") };
        lint(&files.iter().enumerate().map(source).collect::<Vec<_>>())
    }

    #[test]
    fn what_is_judged_at_once_is_judged_as_if_all_were_kept() {
        for only in 0..1 << FILES.len() {
            let files: Vec<&str> =
                (0..FILES.len()).filter(|file| only >> file & 1 == 1).map(|file| FILES[file]).collect();
            assert_eq!(of(&files, "\n"), of(&files, "\n# services\n"), "{files:#?}");
        }
    }

    #[test]
    fn what_a_file_says_of_others_is_heard_however_it_is_written() {
        let rules = |files: &[usize]| {
            let files: Vec<&str> = files.iter().map(|file| FILES[*file]).collect();
            of(&files, "\n").findings.into_iter().map(|it| it.rule).collect::<Vec<_>>()
        };
        let has = |files: &[usize], rule: &str| rules(files).iter().any(|it| it == rule);
        assert!(has(&[0, 2, 3], "jvm-heap-ge-limit") && !has(&[0, 3], "jvm-heap-ge-limit"));
        assert!(has(&[1, 4], "jvm-heap-ge-limit") && !has(&[1], "jvm-heap-ge-limit"));
        // Its one container is left alone by the VPA.
        assert!(has(&[5, 6], "replicas-vpa-hpa-memory") && !has(&[1, 5, 6], "replicas-vpa-hpa-memory"));
        assert_eq!(rules(&[7, 8]), rules(&[8]), "the pod is the ReplicaSet's");
    }
}
