//! What the API server must allow, and what to say when it does not.

use oomph_core::fact::Gap;

/// One thing that oomph reads, with what is lost without it. The RBAC manifests are generated from these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Permission {
    /// What it lets one see, for people: `events`, `container logs`.
    pub name: &'static str,
    /// API group; empty for the core.
    pub group: &'static str,
    /// Resource, with its subresource where there is one: `pods/log`.
    pub resource: &'static str,
    /// The verbs used.
    pub verbs: &'static [&'static str],
    /// Whether the resource lives in no namespace.
    pub cluster_wide: bool,
    /// What cannot be told without it.
    pub without: &'static str,
    /// What granting it gives away beside, where that is more than it seems; else empty.
    pub risk: &'static str,
}

/// One within namespaces that gives nothing away beside.
pub(super) const fn permission(
    name: &'static str,
    group: &'static str,
    resource: &'static str,
    verbs: &'static [&'static str],
    without: &'static str,
) -> Permission {
    Permission { name, group, resource, verbs, cluster_wide: false, without, risk: "" }
}

impl Permission {
    /// The gap that its refusal leaves: who may not do what, what is lost, and the rule that would grant it.
    /// `namespace` is where the request went, `None` for every namespace or none.
    pub(super) fn gap(&self, namespace: Option<&str>, user: Option<&str>) -> Gap {
        let place = match namespace {
            Some(namespace) if !self.cluster_wide => format!(" in namespace {namespace}"),
            None if !self.cluster_wide => " in all namespaces".to_owned(),
            _ => String::new(),
        };
        let who = user.unwrap_or("this user");
        let verbs = self.verbs.join(", ");
        let risk = if self.risk.is_empty() { String::new() } else { format!("; before granting it: {}", self.risk) };
        Gap {
            what: format!("{}{place}", self.name),
            because: format!(
                "forbidden: {who} may not {verbs} {}{place}; without it {}{risk}",
                self.resource, self.without
            ),
            command: self.grant(namespace, user),
        }
    }

    /// One line of kubectl that grants it to `user`, with nothing else.
    fn grant(&self, namespace: Option<&str>, user: Option<&str>) -> String {
        let verbs = self.verbs.join(",");
        let resource = match (self.group, self.resource.split_once('/')) {
            ("", _) => self.resource.to_owned(),
            (group, None) => format!("{}.{group}", self.resource),
            (group, Some((resource, sub))) => format!("{resource}.{group}/{sub}"),
        };
        let name = format!("oomph-{}", self.resource.replace('/', "-"));
        let subject = subject(user);
        match namespace {
            Some(namespace) if !self.cluster_wide => format!(
                "kubectl create role {name} -n {namespace} --verb={verbs} --resource={resource} && \
                 kubectl create rolebinding {name} -n {namespace} --role={name} {subject}"
            ),
            _ => format!(
                "kubectl create clusterrole {name} --verb={verbs} --resource={resource} && \
                 kubectl create clusterrolebinding {name} --clusterrole={name} {subject}"
            ),
        }
    }
}

/// The flag that names the user, as `kubectl create rolebinding` takes it.
fn subject(user: Option<&str>) -> String {
    let Some(user) = user else { return "--user=USER".to_owned() };
    match user.strip_prefix("system:serviceaccount:") {
        Some(account) => format!("--serviceaccount={account}"),
        None if user.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._:@".contains(&b)) => format!("--user={user}"),
        None => format!("--user='{}'", user.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{LINT_PERMISSIONS, PERMISSIONS};
    use super::*;

    const EVENTS: Permission = Permission {
        name: "events",
        group: "",
        resource: "events",
        verbs: &["list"],
        cluster_wide: false,
        without: "evictions are not seen",
        risk: "",
    };

    #[test]
    fn a_refusal_names_user_place_loss_and_rule() {
        let gap = EVENTS.gap(Some("shop"), Some("alice"));
        assert_eq!(gap.what, "events in namespace shop");
        assert_eq!(
            gap.because,
            "forbidden: alice may not list events in namespace shop; without it evictions are not seen"
        );
        assert_eq!(
            gap.command,
            "kubectl create role oomph-events -n shop --verb=list --resource=events && \
             kubectl create rolebinding oomph-events -n shop --role=oomph-events --user=alice"
        );
    }

    #[test]
    fn a_service_account_is_bound_as_one_and_strange_names_are_quoted() {
        assert_eq!(subject(Some("system:serviceaccount:shop:bot")), "--serviceaccount=shop:bot");
        assert_eq!(subject(Some("o'hara; x")), r"--user='o'\''hara; x'");
        assert!(EVENTS.gap(None, None).command.starts_with("kubectl create clusterrole oomph-events "));
    }

    #[test]
    fn only_reading_is_ever_asked_for() {
        for permission in PERMISSIONS.iter().chain(LINT_PERMISSIONS) {
            assert!(permission.verbs.iter().all(|verb| matches!(*verb, "get" | "list" | "watch")), "{permission:?}");
            assert!(!permission.without.is_empty());
        }
    }

    #[test]
    fn the_node_proxy_says_what_it_gives_away() {
        let proxy = PERMISSIONS.iter().find(|permission| permission.resource == "nodes/proxy").unwrap();
        assert!(proxy.risk.contains("every pod"), "{}", proxy.risk);
    }
}
