//! Variables of start scripts that are an amount of heap by themselves, and no flags.

use super::{Given, SCRIPTED, is_flag};
use crate::lint::program::{Program, Set};
use crate::lint::subject::Subject;
use crate::runtime::flags::size;
use crate::units::Bytes;

/// A variable that a server's start script makes `-Xmx` of, in front of the flags that it is given.
struct HeapVariable {
    /// The name that the server's image and its start script have; none where the variable's own name is enough.
    server: Option<(&'static str, &'static str)>,
    name: &'static str,
    /// The unit that the script puts behind the number.
    unit: &'static str,
}

const fn of(image: &'static str, script: &'static str, name: &'static str, unit: &'static str) -> HeapVariable {
    HeapVariable { server: Some((image, script)), name, unit }
}

const fn anywhere(name: &'static str) -> HeapVariable {
    HeapVariable { server: None, name, unit: "" }
}

/// `conf/cassandra-env.sh` (Cassandra 3.0 to 5.0): `-Xmx${MAX_HEAP_SIZE}`, unless the flags hold one; HEAP_NEWSIZE is a
/// part of that heap. `bin/zkEnv.sh` (ZooKeeper 3.5 to 3.9): `-Xmx${ZK_SERVER_HEAP}m $SERVER_JVMFLAGS`.
/// `bin/solr` (Solr 5 to 9): `-Xms$SOLR_HEAP -Xmx$SOLR_HEAP`. Neo4j's image writes its setting into `neo4j.conf`, which
/// its launcher makes `-Xmx` of (`docker-image-src`, 4 and 5). Bitnami's images (`libzookeeper.sh`, `libelasticsearch.sh`,
/// `libopensearch.sh`), NiFi's (`scripts/start.sh` writes it into `bootstrap.conf`) and Atlassian's (`bin/setenv.sh`: `-Xmx${JVM_MAXIMUM_MEMORY}`) have names of their own.
const HEAP_VARIABLES: [HeapVariable; 10] = [
    of("solr", "solr", "SOLR_HEAP", ""),
    of("neo4j", "neo4j", "NEO4J_server_memory_heap_max__size", ""),
    of("neo4j", "neo4j", "NEO4J_dbms_memory_heap_max__size", ""),
    of("cassandra", "cassandra", "MAX_HEAP_SIZE", ""),
    of("zookeeper", "zkServer.sh", "ZK_SERVER_HEAP", "m"),
    of("zookeeper", "zkServer.sh", "ZOO_HEAP_SIZE", "m"),
    of("nifi", "nifi.sh", "NIFI_JVM_HEAP_MAX", ""),
    anywhere("JVM_MAXIMUM_MEMORY"),
    anywhere("OPENSEARCH_HEAP_SIZE"),
    anywhere("ELASTICSEARCH_HEAP_SIZE"),
];

pub(super) fn heap<'a>(subject: &Subject<'_, 'a>) -> Option<Given<'a, Bytes>> {
    let is_of = |it: &HeapVariable| it.server.is_none_or(|(image, script)| subject.is(&[image], &[script]));
    // Few containers have such a variable: the image is looked at where one does.
    HEAP_VARIABLES.iter().find_map(|it| {
        let set = subject.program.variable(it.name).filter(|_| is_of(it))?;
        let text = set.text()?;
        let value = size(&format!("{}{}", text.trim(), it.unit)).map(Bytes).filter(|bytes| bytes.0 > 0)?;
        Some(Given { value, part: set.words().into_iter().next()? })
    })
}

/// `JAVA_MAX_MEM_RATIO` of Red Hat's images, which their script makes `-XX:MaxRAMPercentage` of; 0 switches it off
/// (jboss-openshift/cct_module, `jboss/container/java/jvm/bash`, `java-default-options`).
pub(super) fn ratio<'a>(subject: &Subject<'_, 'a>) -> Option<Given<'a, f64>> {
    let set = subject.program.variable("JAVA_MAX_MEM_RATIO")?;
    let value: f64 = set.text()?.trim().parse().ok().filter(|ratio| *ratio > 0.0)?;
    Some(Given { value, part: set.words().into_iter().next()? })
}

/// Variables with `-Xmx` and a number in them that are none of the known ones: somebody hands them to a JVM.
pub(super) fn unnamed<'a>(program: &Program<'a>, read: &[&str]) -> Vec<&'a str> {
    let has_heap = |set: &&Set<'a>| {
        // Most variables are none of a JVM: only of those that may be are words made.
        if !set.text().is_some_and(|text| text.contains("-Xmx")) {
            return false;
        }
        let words = set.words();
        let mut heaps = words.iter().filter_map(|part| part.text.strip_prefix("-Xmx").filter(|_| is_flag(&part.text)));
        heaps.any(|size| size.starts_with(|it: char| it.is_ascii_digit()))
    };
    let is_known = |name: &str| read.contains(&name) || SCRIPTED.contains(&name);
    let mut names: Vec<&str> = Vec::new();
    for set in program.environment.iter().filter(|set| !is_known(set.name)).filter(has_heap) {
        if !names.contains(&set.name) {
            names.push(set.name);
        }
    }
    names
}
