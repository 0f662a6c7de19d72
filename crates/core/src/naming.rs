//! The names that Kubernetes' controllers give to what they make: all that is left to tell whose a pod was, once its
//! events are gone.

/// The letters of generated suffixes (k8s.io/apimachinery/pkg/util/rand, v0.37): no vowels, so that no words come out.
const LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";

/// The random end of a pod's name: five letters.
pub fn is_random(suffix: &str) -> bool {
    suffix.len() == 5 && suffix.bytes().all(|b| LETTERS.contains(&b))
}

/// The place of a pod in its StatefulSet.
pub fn is_ordinal(suffix: &str) -> bool {
    !suffix.is_empty() && suffix.bytes().all(|b| b.is_ascii_digit())
}

/// The hash of a template in a ReplicaSet's name: a 32-bit number in these letters (pkg/controller/deployment/sync.go).
fn is_template_hash(part: &str) -> bool {
    (1..=10).contains(&part.len()) && part.bytes().all(|b| LETTERS.contains(&b))
}

/// Whether a pod of this name can have been made for the workload, by the shape of the name alone.
pub fn is_pod_of(kind: &str, workload: &str, pod: &str) -> bool {
    let Some(rest) = pod.strip_prefix(workload).and_then(|rest| rest.strip_prefix('-')) else { return false };
    let through =
        |middle: fn(&str) -> bool| rest.split_once('-').is_some_and(|(made, suffix)| middle(made) && is_random(suffix));
    match kind {
        "StatefulSet" => is_ordinal(rest),
        "ReplicaSet" | "DaemonSet" | "Job" | "ReplicationController" => is_random(rest),
        "Deployment" => through(is_template_hash),
        "CronJob" => through(is_ordinal),
        _ => false,
    }
}

/// Whether an object of this name can have been made by the workload to make its pods: a Deployment's ReplicaSet, a
/// CronJob's Job.
pub fn is_maker_of(kind: &str, workload: &str, maker: &str) -> bool {
    let Some(rest) = maker.strip_prefix(workload).and_then(|rest| rest.strip_prefix('-')) else { return false };
    match kind {
        "Deployment" => is_template_hash(rest),
        "CronJob" => is_ordinal(rest),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_whose_pod_it_was() {
        for (kind, workload, pod) in [
            ("Deployment", "d-rollout", "d-rollout-784969bd8-hjzsg"),
            ("ReplicaSet", "d-drain-54c8cbf68b", "d-drain-54c8cbf68b-jrp8b"),
            ("StatefulSet", "h-sts", "h-sts-0"),
            ("Job", "l-job-backoff", "l-job-backoff-qjthw"),
            ("CronJob", "a-cron", "a-cron-29930308-95v45"),
        ] {
            assert!(is_pod_of(kind, workload, pod), "{kind}/{workload} {pod}");
        }
    }

    #[test]
    fn a_workload_whose_name_begins_alike_is_another() {
        for (kind, workload, pod) in [
            ("Deployment", "web", "web-api-x2b4z"),
            ("Deployment", "web", "web-784969bd8"),
            ("StatefulSet", "db", "db-main-0"),
            ("DaemonSet", "agent", "agent-proxy"),
            ("rollouts.argoproj.io", "shop", "shop-784969bd8-hjzsg"),
        ] {
            assert!(!is_pod_of(kind, workload, pod), "{kind}/{workload} {pod}");
        }
        assert!(is_maker_of("Deployment", "web", "web-784969bd8") && !is_maker_of("Deployment", "web", "web-api"));
    }
}
