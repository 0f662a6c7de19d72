//! Cluster roles for each command, from the permissions that stand beside each API call.

use std::collections::BTreeSet;

use oomph_cluster::kube::{APPLY, BESIDE, FIND, LINT_PERMISSIONS, ON_REQUEST, PERMISSIONS, Permission};

/// Two roles: what a reader of the namespace's objects may see anyway, and the nodes' proxy, which opens far more.
pub(super) fn why() -> String {
    let (proxy, harmless): (Vec<&Permission>, Vec<&Permission>) =
        PERMISSIONS.iter().copied().partition(|it| it.resource == "nodes/proxy");
    let risk = proxy.iter().map(|it| it.risk).collect::<Vec<_>>().join("; ");
    format!(
        "{}---\n{}",
        role("oomph-why", "Reading for `oomph why`.", &harmless),
        role("oomph-why-nodes", &format!("Before granting it: {risk}"), &proxy)
    )
}

/// Of its own, since config maps are in it.
pub(super) fn lint() -> String {
    let risk = LINT_PERMISSIONS.iter().map(|it| it.risk).filter(|risk| !risk.is_empty()).collect::<Vec<_>>().join("; ");
    role("oomph-lint", &format!("Reading for `oomph lint --live`. Before granting it: {risk}"), LINT_PERMISSIONS)
}

/// What no role for reading should hold: granted to whom it is needed, or to nobody.
pub(super) fn inspect_exec() -> String {
    let risk = ON_REQUEST.iter().map(|it| it.risk).collect::<Vec<_>>().join("; ");
    let comment = format!("For `oomph inspect --exec`, beside oomph-why. Before granting it: {risk}");
    role("oomph-inspect-exec", &comment, ON_REQUEST)
}

/// Two roles: to find and ask a Prometheus with what stands beside it, and to set what is proposed.
pub(super) fn size() -> String {
    let risks = |of: &[&Permission]| {
        let all: BTreeSet<_> = of.iter().map(|it| it.risk).filter(|it| !it.is_empty()).collect();
        all.into_iter().collect::<Vec<_>>().join("; ")
    };
    let find = format!("For `oomph size --prometheus auto`. Before granting it: {}", risks(FIND));
    let apply = format!("For `oomph size --apply`, beside oomph-size. Before granting it: {}", risks(APPLY));
    format!("{}---\n{}", role("oomph-size", &find, &[FIND, BESIDE].concat()), role("oomph-size-apply", &apply, APPLY))
}

fn role(name: &str, comment: &str, permissions: &[&Permission]) -> String {
    let mut text = format!(
        "# {comment}\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata:\n  name: {name}\nrules:\n"
    );
    for it in permissions {
        let verbs = it.verbs.join(", ");
        text.push_str(&format!(
            "- {{apiGroups: [\"{}\"], resources: [{}], verbs: [{verbs}]}} # {}\n",
            it.group, it.resource, it.name
        ));
    }
    text
}
