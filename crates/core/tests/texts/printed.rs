//! What templates and listings print: kubectl's jsonpath, `docker ps`.

use super::{KILLED, Paste, UNKNOWN};

pub(super) const PASTES: &[Paste] = &[
    Paste {
        name: "jsonpath prints the statuses as an array",
        text: "[{\"name\":\"app\",\"restartCount\":4,\"containerID\":\"containerd://4c1e7f0c1f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f\",\
\"lastState\":{\"terminated\":{\"exitCode\":137,\"reason\":\"OOMKilled\",\"startedAt\":\"2024-05-01T10:00:00Z\",\"finishedAt\":\"2024-05-01T11:00:00Z\"}},\
\"state\":{\"running\":{\"startedAt\":\"2024-05-01T11:00:02Z\"}}}]
",
        accept: &[("container-limit-oom", KILLED)],
    },
    Paste {
        name: "jsonpath prints two arrays on a line",
        text: "[{\"name\":\"app\",\"restartCount\":0,\"state\":{\"running\":{\"startedAt\":\"2024-05-01T11:00:02Z\"}}}] \
[{\"name\":\"job\",\"restartCount\":1,\"state\":{\"terminated\":{\"exitCode\":137,\"reason\":\"OOMKilled\",\"finishedAt\":\"2024-05-01T11:00:00Z\"}}}]
",
        accept: &[("container-limit-oom", KILLED)],
    },
    Paste {
        name: "docker lists two that ended alike",
        text: "CONTAINER ID   IMAGE     COMMAND                  CREATED       STATUS                       PORTS     NAMES
0a1b2c3d4e5f   mysql:8   \"docker-entrypoint.s…\"   2 hours ago   Exited (137) 2 minutes ago             db
1b2c3d4e5f60   redis     \"docker-entrypoint.s…\"   2 hours ago   Exited (137) 5 minutes ago             cache
",
        accept: &[("undetermined", UNKNOWN)],
    },
];
