//! A heap dump that is written where nobody can fetch it.

use super::{Finding, Level, Subject};

super::rule!("heap-dump-lost", Warning, Container(judge));

fn judge<'a>(subject: &Subject<'_, 'a>) -> Vec<Finding<'a>> {
    let Some(it) = subject.jvm() else { return Vec::new() };
    if it.switch("HeapDumpOnOutOfMemoryError") != Some(true) {
        return Vec::new();
    }
    let Some(flag) = it.last(&["-XX:+HeapDumpOnOutOfMemoryError"]) else { return Vec::new() };
    let path = it.last(&["-XX:HeapDumpPath="]);
    let place = path.as_ref().map_or(flag.part.place, |path| path.part.place);
    let mounts = &subject.container.mounts;
    // Where nothing else is said it is the folder in which the JVM starts.
    let folder = subject.container.node.text_of("workingDir").map(|folder| folder.trim_end_matches('/'));
    let written = match (path.as_ref().map(|path| path.value.as_str()), folder) {
        (Some(path), Some(folder)) if !path.starts_with('/') => Some(format!("{folder}/{path}")),
        (Some(path), _) => Some(path.to_owned()),
        (None, folder) => folder.map(str::to_owned),
    };
    let inside = written.as_ref().and_then(|written| {
        let holds = |mount: &&crate::lint::workload::Mount<'_>| {
            let folder = mount.path.trim_end_matches('/');
            written.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        mounts.iter().filter(holds).max_by_key(|mount| mount.path.len())
    });
    let tmpfs = inside.and_then(|mount| subject.scene.workload.tmpfs.iter().find(|tmpfs| tmpfs.name == mount.volume));
    if let Some(tmpfs) = tmpfs {
        return vec![
            Finding::new(Level::Warning, place, "the heap dump is written into memory, beside the heap that it is of")
                .label("as large as the heap")
                .related(tmpfs.medium, "files here are charged to the container")
                .help("write it to a volume on disk"),
        ];
    }
    if inside.is_some() {
        return Vec::new();
    }
    vec![
        Finding::new(Level::Warning, place, "the heap dump is lost when the container restarts")
            .label("no volume is mounted there")
            .note("a kill of the kernel writes no dump at all: only an OutOfMemoryError of the JVM's own does")
            .help("set -XX:HeapDumpPath to a folder on a mounted volume"),
    ]
}
