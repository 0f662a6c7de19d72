//! `docker inspect` (1.9 to 29) and `podman inspect` (1 to 5) of containers.
//!
//! Docker: `api/types/container` of moby v28. Podman: `libpod/define/container_inspect.go` of v5.

use serde_json::Value;

use super::super::documents::{number, objects, text};
use super::super::{Decoded, Input, moment};
use crate::fact::{EngineContainer, Gap, Locus, Subject, What};
use crate::signal;
use crate::units::Bytes;

/// Decodes inspect documents: an array, single objects, or a piece such as `"State": {...}`.
pub(in crate::decode) fn inspect(input: Input<'_>, out: &mut Decoded) {
    let before = out.facts.len();
    let objects = objects(input, out);
    for (pointer, object) in &objects {
        let Some(state) = state(object) else { continue };
        if is_sandbox(object) {
            continue;
        }
        let container = container(object, state, input);
        out.fact(What::EngineContainer(Box::new(container)), Locus::pointer(input.id, pointer.as_str()));
    }
    let sandboxes = objects.iter().any(|(_, object)| is_sandbox(object));
    if out.facts.len() == before && !sandboxes {
        out.gaps.push(Gap {
            what: format!("the containers in {}", input.artifact.name),
            because: "no object in it has the state of a container".to_owned(),
            command: String::new(),
        });
    }
}

/// The container's state: a member, or the object itself (`docker inspect -f '{{json .State}}'`). Images, networks,
/// volumes and Podman's pods have none.
fn state(object: &Value) -> Option<&Value> {
    if object["State"].is_object() {
        return Some(&object["State"]);
    }
    let has = |key: &str| object.get(key).is_some();
    (has("OOMKilled") || has("ExitCode") && (has("StartedAt") || has("FinishedAt"))).then_some(object)
}

/// The pause container of dockershim or cri-dockerd: it holds the pod's namespaces and runs nothing of the user's.
fn is_sandbox(object: &Value) -> bool {
    object["Config"]["Labels"]["io.kubernetes.docker.type"].as_str() == Some("podsandbox")
}

fn container(object: &Value, state: &Value, input: Input<'_>) -> EngineContainer {
    let host = &object["HostConfig"];
    let config = &object["Config"];
    let status = status(state);
    let started = moment::of(&state["StartedAt"]);
    let finished = moment::of(&state["FinishedAt"]);
    // A Windows status is a number of 32 bits without a sign: 3221225477, which Kubernetes calls -1073741819.
    let unsigned = |code: i64| u32::try_from(code).ok().map(u32::cast_signed);
    let exit_code = number(&state["ExitCode"]).and_then(|code| i32::try_from(code).ok().or_else(|| unsigned(code)));
    let alive = matches!(status.as_deref(), Some("running" | "paused"));
    let never_ran = status.as_deref() == Some("created");
    EngineContainer {
        subject: subject(object, input),
        engine: engine(object, &input.artifact.name).to_owned(),
        oom_killed: state["OOMKilled"].as_bool(),
        // The zero of a container that has not ended is no exit code; of one that never ran, a failed start's is.
        exit_code: exit_code.filter(|code| !alive && (!never_ran || *code != 0)),
        wait_status: None,
        reason: None,
        error: text(&state["Error"]),
        started,
        finished,
        // Until Docker 1.6 the limits stood in `Config`.
        memory_limit: amount(&host["Memory"]).or_else(|| amount(&config["Memory"])),
        unlimited: number(&host["Memory"]) == Some(0),
        memory_swap: amount(&host["MemorySwap"]).or_else(|| amount(&config["MemorySwap"])),
        oom_kill_disable: host["OomKillDisable"].as_bool().unwrap_or(false),
        oom_score_adj: number(&host["OomScoreAdj"]).and_then(|number| i32::try_from(number).ok()),
        restart_count: number(&object["RestartCount"]).and_then(|number| u32::try_from(number).ok()),
        stop_timeout_seconds: number(&config["StopTimeout"]),
        // Podman before 5 writes the number.
        stop_signal: text(&config["StopSignal"])
            .or_else(|| config["StopSignal"].as_i64().filter(|number| *number > 0).map(signal_name)),
        pid: number(&state["Pid"]).and_then(|pid| u32::try_from(pid).ok()).filter(|pid| *pid > 0),
        cgroup: text(&state["CgroupPath"]),
        host_rebooted: input.artifact.booted.is_some_and(|booted| {
            // No process outlives the kernel. What Docker writes as its end is when the daemon came back, with 255.
            let before = started.is_some_and(|started| started < booted);
            let lost = exit_code == Some(255) && finished.is_some_and(|finished| finished > booted);
            before && (alive || lost)
        }),
        status,
    }
}

/// Docker before 1.9 has the flags alone. Podman's words for the same are its own (`libpod/define/containerstate.go`).
fn status(state: &Value) -> Option<String> {
    let flag = |key: &str| state[key].as_bool() == Some(true);
    let status = match text(&state["Status"]).map(|status| status.to_ascii_lowercase()).as_deref() {
        Some("stopped") => "exited",
        Some("configured" | "initialized") => "created",
        Some("stopping") => "running",
        Some(other) => return Some(other.to_owned()),
        None if flag("Restarting") => "restarting",
        None if flag("Paused") => "paused",
        None if flag("Running") => "running",
        None if flag("Dead") => "dead",
        None if moment::of(&state["FinishedAt"]).is_some() => "exited",
        None => return None,
    };
    Some(status.to_owned())
}

/// An amount in bytes; zero, and -1 for swap, mean no limit.
fn amount(value: &Value) -> Option<Bytes> {
    number(value).and_then(|bytes| u64::try_from(bytes).ok()).filter(|bytes| *bytes > 0).map(Bytes)
}

fn subject(object: &Value, input: Input<'_>) -> Subject {
    let about = &input.artifact.about;
    let labels = &object["Config"]["Labels"];
    let label = |name: &str| text(&labels[format!("io.kubernetes.{name}")]);
    let id = text(&object["Id"]).or_else(|| text(&object["ID"]));
    let name = text(&object["Name"]).map(|name| name.trim_start_matches('/').to_owned());
    let subject = Subject {
        namespace: label("pod.namespace"),
        pod: label("pod.name"),
        pod_uid: label("pod.uid"),
        container: label("container.name").or(name),
        container_id: id,
        restart: text(&labels["annotation.io.kubernetes.container.restartCount"]).and_then(|count| count.parse().ok()),
        node: about.node.clone(),
    };
    // A piece without a name is whose the source says.
    if subject.container.is_none() && subject.container_id.is_none() { about.clone() } else { subject }
}

/// Podman writes members that Docker has not.
fn engine(object: &Value, artifact: &str) -> &'static str {
    const PODMAN: [&str; 8] =
        ["ImageDigest", "Pod", "IsInfra", "ConmonPidFile", "OCIRuntime", "OCIConfigPath", "PidFile", "ConmonPid"];
    let state = &object["State"];
    let podman = artifact.starts_with("podman")
        || ["OciVersion", "ConmonPid", "CgroupPath"].iter().any(|key| state.get(key).is_some())
        || object.get("OciVersion").is_some()
        || PODMAN.iter().any(|key| object.get(key).is_some());
    if podman { "podman" } else { "docker" }
}

/// `SIGTERM` for 15; the bare number where it has no name.
fn signal_name(number: i64) -> String {
    signal::known(number).map_or_else(|| number.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::{Artifact, ArtifactId};
    use proptest::prelude::*;

    const DOCKER: &str = r#"[{
        "Id": "0a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f9",
        "Created": "2026-11-25T21:59:58.1Z",
        "State": {"Status": "exited", "Running": false, "Paused": false, "Restarting": false, "OOMKilled": true,
            "Dead": false, "Pid": 0, "ExitCode": 137, "Error": "", "StartedAt": "2026-11-25T22:00:00.25Z",
            "FinishedAt": "2026-11-25T22:03:00.5Z"},
        "Name": "/web", "RestartCount": 2,
        "HostConfig": {"Memory": 67108864, "MemorySwap": 134217728, "OomKillDisable": false, "OomScoreAdj": 100},
        "Config": {"Env": ["TOKEN=not-to-be-kept"], "StopTimeout": 20, "StopSignal": "SIGQUIT", "Labels": {}}
    }]"#;

    const PODMAN: &str = r#"[{
        "Id": "ffffffff4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f9",
        "Created": "2026-11-25T23:00:00+01:00",
        "State": {"OciVersion": "1.1.0", "Status": "stopped", "Running": false, "OOMKilled": false, "Dead": false,
            "Pid": 0, "ExitCode": 143, "Error": "", "StartedAt": "2026-11-25T23:00:01+01:00",
            "FinishedAt": "2026-11-25T23:00:09+01:00", "CgroupPath": "/machine.slice/libpod-ffff.scope"},
        "Name": "job", "RestartCount": 0, "Pod": "", "IsInfra": false,
        "HostConfig": {"Memory": 0, "MemorySwap": -1}, "Config": {"StopSignal": 15, "StopTimeout": 10}
    }]"#;

    fn decode(artifact: &Artifact) -> (Vec<EngineContainer>, Vec<String>, usize) {
        let mut out = Decoded::default();
        inspect(Input::whole(ArtifactId(0), artifact), &mut out);
        let places = out.facts.iter().map(|fact| fact.from.locator()).collect();
        let containers = out.facts.into_iter().map(|fact| match fact.what {
            What::EngineContainer(container) => *container,
            other => panic!("{other:?}"),
        });
        (containers.collect(), places, out.gaps.len())
    }

    fn one(text: &str) -> EngineContainer {
        let (mut containers, ..) = decode(&Artifact::new("a.json", text));
        assert_eq!(containers.len(), 1);
        containers.remove(0)
    }

    fn at(text: &str) -> Option<jiff::Timestamp> {
        text.parse().ok()
    }

    #[test]
    fn a_docker_container_tells_its_end_and_its_limits() {
        let (containers, places, gaps) = decode(&Artifact::new("docker inspect web", DOCKER));
        assert_eq!((places, gaps), (vec!["/0".to_owned()], 0));
        let web = &containers[0];
        assert_eq!((web.engine.as_str(), web.status.as_deref()), ("docker", Some("exited")));
        assert_eq!(web.subject.container.as_deref(), Some("web"));
        assert_eq!((web.oom_killed, web.exit_code, web.error.as_deref()), (Some(true), Some(137), None));
        assert_eq!((web.started, web.finished), (at("2026-11-25T22:00:00.25Z"), at("2026-11-25T22:03:00.5Z")));
        assert_eq!((web.memory_limit, web.memory_swap), (Some(Bytes::mib(64)), Some(Bytes::mib(128))));
        assert_eq!((web.oom_score_adj, web.restart_count, web.pid), (Some(100), Some(2), None));
        assert_eq!((web.stop_timeout_seconds, web.stop_signal.as_deref()), (Some(20), Some("SIGQUIT")));
        assert!(!format!("{web:?}").contains("not-to-be-kept"), "environment is never kept");
    }

    #[test]
    fn podman_is_told_by_its_own_members() {
        let job = one(PODMAN);
        assert_eq!((job.engine.as_str(), job.status.as_deref(), job.exit_code), ("podman", Some("exited"), Some(143)));
        assert_eq!((job.memory_limit, job.memory_swap), (None, None), "zero and -1 are no limits");
        assert_eq!((job.started, job.stop_signal.as_deref()), (at("2026-11-25T22:00:01Z"), Some("SIGTERM")));
        assert_eq!(job.cgroup.as_deref(), Some("/machine.slice/libpod-ffff.scope"));
        let (compatible, ..) = decode(&Artifact::new("podman --url unix:///run/p.sock inspect web", DOCKER));
        assert_eq!(compatible[0].engine, "podman");
    }

    #[test]
    fn a_piece_of_a_document_is_a_container_too() {
        let piece = "\"State\": {\n    \"OOMKilled\": false,\n    \"ExitCode\": 137,\n    \"StartedAt\": \"2026-07-19T05:15:33\",\n    \"FinishedAt\": \"2026-07-19T05:16:32\"\n}\n# another user, below: killed by a probe, they say\n";
        let container = one(piece);
        assert_eq!((container.oom_killed, container.exit_code), (Some(false), Some(137)));
        assert_eq!((container.started, container.finished), (at("2026-07-19T05:15:33Z"), at("2026-07-19T05:16:32Z")));
        assert_eq!(one("{\"Status\": \"exited\", \"OOMKilled\": true, \"ExitCode\": 137}").oom_killed, Some(true));
        let cut = &DOCKER[..DOCKER.find("\"Name\"").unwrap()];
        assert_eq!(one(cut).exit_code, Some(137));
    }

    #[test]
    fn kubernetes_names_come_from_labels_and_sandboxes_are_none() {
        let of = |kind: &str| {
            format!(
                r#"{{"Id": "aa", "Name": "/k8s_app_web-1_shop_0", "State": {{"Running": true, "ExitCode": 0, "StartedAt": "2026-11-25T22:00:00Z", "FinishedAt": "0001-01-01T00:00:00Z", "Pid": 77}},
                "Config": {{"Labels": {{"io.kubernetes.docker.type": "{kind}", "io.kubernetes.pod.name": "web-1", "io.kubernetes.pod.namespace": "shop",
                "io.kubernetes.pod.uid": "u-1", "io.kubernetes.container.name": "app", "annotation.io.kubernetes.container.restartCount": "3"}}}}}}"#
            )
        };
        let app = one(&of("container"));
        let Subject { namespace, pod, pod_uid, container, restart, .. } = &app.subject;
        let names = [namespace, pod, pod_uid, container].map(Option::as_deref);
        assert_eq!((names, *restart), ([Some("shop"), Some("web-1"), Some("u-1"), Some("app")], Some(3)));
        assert_eq!(
            (app.status.as_deref(), app.exit_code, app.finished, app.pid),
            (Some("running"), None, None, Some(77))
        );
        let (containers, _, gaps) = decode(&Artifact::new("a", of("podsandbox")));
        assert_eq!((containers.len(), gaps), (0, 0));
    }

    #[test]
    fn a_container_that_started_before_the_boot_and_ended_after_it_was_rebooted() {
        let lost = DOCKER.replace("137", "255");
        let rebooted = |booted: &str| {
            let artifact = Artifact { booted: at(booted), ..Artifact::new("docker inspect web", lost.as_str()) };
            decode(&artifact).0[0].host_rebooted
        };
        assert!(rebooted("2026-11-25T22:01:00Z"));
        assert!(!rebooted("2026-11-25T21:00:00Z"));
        assert!(!rebooted("2026-11-25T22:04:00Z"), "it ended before the boot");
    }

    #[test]
    fn images_and_networks_are_no_containers() {
        let (containers, _, gaps) = decode(&Artifact::new("a", r#"[{"Id": "sha256:aa", "RepoTags": []}]"#));
        assert_eq!((containers.len(), gaps), (0, 1));
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            decode(&Artifact::new("a", bytes));
        }

        #[test]
        fn no_cut_or_changed_document_panics(podman: bool, from in 0_usize..1200, to in 0_usize..1200, at in 0_usize..1200, byte: u8) {
            let mut bytes = if podman { PODMAN } else { DOCKER }.as_bytes().to_vec();
            let at = at % bytes.len();
            bytes[at] = byte;
            let to = to.min(bytes.len());
            decode(&Artifact::new("a", &bytes[from.min(to)..to]));
        }
    }
}
