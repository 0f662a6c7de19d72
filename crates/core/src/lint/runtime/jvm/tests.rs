use crate::lint::{Level, Source, lint};

/// Rule and column of what is at least a warning.
fn rules(image: &str, environment: &str) -> Vec<(String, u32)> {
    let text = format!("services:\n  db:\n    image: {image}\n    mem_limit: 1g\n    environment: {{{environment}}}\n");
    let document = lint(&[Source { name: "compose.yaml".into(), text }]);
    let findings = document.findings.into_iter().filter(|it| it.level > Level::Info);
    findings.map(|it| (it.rule, it.region.column)).collect()
}

#[test]
fn flags_of_a_mounted_file_count_unless_a_variable_comes_behind() {
    let found = |environment: &str| {
        let text = format!(
            "kind: ConfigMap\napiVersion: v1\nmetadata: {{name: c}}\ndata:\n  heap.options: |\n    # half\n    \
             -Xms3g\n    -Xmx3g\n---\nkind: Pod\napiVersion: v1\nmetadata: {{name: a}}\nspec:\n  volumes: [{{name: c, \
             configMap: {{name: c}}}}]\n  containers:\n  - name: es\n    image: elasticsearch:8.15.0\n    \
             volumeMounts: [{{name: c, mountPath: /usr/share/elasticsearch/config/jvm.options.d}}]\n    \
             resources: {{requests: {{memory: 4Gi}}, limits: {{memory: 4Gi}}}}\n    env: [{environment}]\n"
        );
        let document = lint(&[Source { name: "a.yaml".into(), text }]);
        let findings = document.findings.into_iter().filter(|it| it.level > Level::Info);
        findings.map(|it| (it.rule, it.region.line)).collect::<Vec<_>>()
    };
    assert_eq!(found(""), [("es-heap".to_owned(), 8)]);
    assert_eq!(found("{name: ES_JAVA_OPTS, value: -Xms2g -Xmx2g}"), []);
}

#[test]
fn a_start_scripts_own_variable_is_the_heap_unless_a_flag_says_otherwise() {
    let whole = |column: u32| vec![("jvm-heap-ge-limit".to_owned(), column)];
    assert_eq!(rules("cassandra:5", "MAX_HEAP_SIZE: 1G"), whole(34));
    assert_eq!(rules("bitnami/zookeeper:3.9", "ZK_SERVER_HEAP: 1024"), whole(35));
    assert_eq!(rules("cassandra:5", "MAX_HEAP_SIZE: 1G, JVM_OPTS: -Xmx256m"), []);
    assert_eq!(rules("solr:9", "SOLR_HEAP: 1g"), whole(30));
    assert_eq!(rules("neo4j:5", "NEO4J_server_memory_heap_max__size: 1G"), whole(55));
    assert_eq!(rules("cassandra:5", "MAX_HEAP_SIZE: 256M, HEAP_NEWSIZE: 64M"), []);
    // Another image's variable of this name means what that image makes of it.
    assert_eq!(rules("registry/app:1", "MAX_HEAP_SIZE: 1G"), []);
    assert_eq!(rules("ubi8/openjdk-21:1.20", "JAVA_MAX_MEM_RATIO: \"100\""), whole(40));
    assert_eq!(rules("ubi8/openjdk-21:1.20", "JAVA_MAX_MEM_RATIO: \"0\""), []);
    assert_eq!(rules("semeru:21", "OPENJ9_JAVA_OPTIONS: -Xmx1g"), whole(40));
    assert_eq!(rules("zookeeper:3.9", "JVMFLAGS: -Xmx256m, SERVER_JVMFLAGS: -Xmx2g"), []);
}
