use crate::lint::{Document, Source, lint};

fn document(text: &str) -> Document {
    lint(&[Source { name: "a.yaml".into(), text: text.to_owned() }])
}

fn pod(name_line: &str, limit_lines: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\nspec:\n  containers:\n{name_line}\n    image: x:1\n    \
         resources:\n      requests: {{memory: 64Mi}}\n{limit_lines}"
    )
}

/// Rules that were found, without those that are about QoS.
fn rules(text: &str) -> Vec<String> {
    let all = document(text).findings.into_iter().map(|it| it.rule);
    all.filter(|rule| rule != "qos-class").collect()
}

#[test]
fn at_the_end_of_a_line_it_is_for_that_line() {
    let missing = pod("  - name: app", "");
    assert_eq!(rules(&missing), ["limit-missing"]);
    assert!(rules(&pod("  - name: app # oomph: ignore[limit-missing] a batch node of its own", "")).is_empty());
    let elsewhere = pod("  - name: app", "").replace("image: x:1", "image: x:1 # oomph: ignore[limit-missing] why");
    assert_eq!(rules(&elsewhere), ["limit-missing", "suppression-unused"]);
}

#[test]
fn alone_above_a_node_it_is_for_all_of_it_and_for_the_container_around() {
    let milli = "      limits: {memory: 512m}\n";
    assert_eq!(rules(&pod("  - name: app", milli)), ["quantity-milli"]);
    let above = |rule: &str| {
        let text = pod("  - name: app", milli);
        let comment = format!("    # oomph: ignore[{rule}] measured\n\n    # and more words\n    resources:");
        rules(&text.replace("    resources:", &comment))
    };
    assert!(above("quantity-milli").is_empty());
    assert_eq!(above("quantity-milli, tmpfs-unbounded"), ["suppression-unused"]);
    // The finding is on the container's name, the comment above its resources.
    let missing =
        pod("  - name: app", "").replace("    resources:", "    # oomph: ignore[limit-missing] x\n    resources:");
    assert!(rules(&missing).is_empty());
    // A comment on one container says nothing of its neighbour.
    let two = missing + "  - name: other\n    image: y:1\n    resources: {requests: {memory: 64Mi}}\n";
    assert_eq!(rules(&two), ["limit-missing"]);
    // Above the whole.
    let whole = format!("# oomph: ignore[limit-missing] x\n{}", pod("  - name: app", ""));
    assert!(rules(&whole).is_empty());
}

#[test]
fn an_annotation_is_for_the_whole_object() {
    let text = pod("  - name: app", "");
    let with =
        text.replace("  name: a\n", "  name: a\n  annotations: {oomph.dev/ignore.limit-missing: a node of its own}\n");
    assert!(rules(&with).is_empty());
    assert_eq!(document(&with).checked.suppressed, 1);
    let without = text.replace("  name: a\n", "  name: a\n  annotations: {oomph.dev/ignore.limit-missing: ''}\n");
    assert_eq!(rules(&without), ["suppression-without-reason", "limit-missing"]);
}

#[test]
fn without_a_reason_or_a_rule_it_does_nothing_and_that_is_said() {
    let text = pod("  - name: app # oomph: ignore[limit-missing]", "");
    assert_eq!(rules(&text), ["limit-missing", "suppression-without-reason"]);
    let text = pod("  - name: app # oomph: ignore[limit-mising] why", "");
    assert_eq!(rules(&text), ["limit-missing", "suppression-unused"]);
}

#[test]
fn the_place_is_the_rules_name_and_one_that_finds_nothing_can_go() {
    let text = pod("  - name: app # oomph: ignore[quantity-milli] gone", "      limits: {memory: 64Mi}\n");
    let document = document(&text);
    let it = document.findings.iter().find(|it| it.rule == "suppression-unused").unwrap();
    assert_eq!((it.region.line, it.region.column), (7, 31));
    assert_eq!(it.region.end_column - it.region.column, 14);
}
