//! The dresses in which tools print or export the kernel's lines: the kill within is the same.
#![allow(clippy::unwrap_used, clippy::format_collect, reason = "small evidence is written as it is read")]

use oomph_core::artifact::Artifact;
use oomph_core::diagnosis::{Document, KillReport};
use oomph_core::why::{Ask, why};
use serde_json::json;

const PATH: &str = "/kubepods/burstable/pod01234567-89ab-cdef-0123-456789abcdef/fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210";

fn messages() -> Vec<String> {
    vec![
        "lua invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=969".into(),
        "memory: usage 65536kB, limit 65536kB, failcnt 77".into(),
        format!("oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg={PATH},task_memcg={PATH},task=lua,pid=771,uid=33"),
        "Memory cgroup out of memory: Killed process 771 (lua) total-vm:80000kB, anon-rss:64000kB, file-rss:800kB, shmem-rss:0kB, UID:33 pgtables:200kB oom_score_adj:969".into(),
    ]
}

fn read(text: &str) -> Document {
    why(&[Artifact::new("pasted", text.to_owned())], Vec::new(), Vec::new(), &Ask::default())
}

fn kill(text: &str) -> KillReport {
    let mut kills = read(text).kernel_kills;
    assert_eq!(kills.len(), 1, "{text}\n{kills:#?}");
    let kill = kills.remove(0);
    assert_eq!(kill.oom_memcg.as_deref(), Some(PATH), "{text}");
    assert_eq!(kill.victims[0].oom_score_adj, Some(969), "{text}");
    assert_eq!(kill.trigger.comm.as_deref(), Some("lua"), "{text}");
    kill
}

#[test]
fn structured_data_of_syslog_is_passed_over() {
    for data in ["-", "[timeQuality tzKnown=\"1\"]", "[a@1 b=\"c\"][meta sequenceId=\"9\"]"] {
        let line = |text: String| format!("<4>1 2026-05-04T08:15:29.5Z n7 kernel - - {data} {text}\n");
        let kill = kill(&messages().into_iter().map(line).collect::<String>());
        assert_eq!(kill.node.as_deref(), Some("n7"));
        assert_eq!(kill.at.unwrap().to_string(), "2026-05-04T08:15:29.5Z");
    }
}

#[test]
fn a_journal_is_read_in_every_form_of_its_output() {
    let fields = |text: &str| {
        [
            ("__REALTIME_TIMESTAMP", "1777882529000000"),
            ("_TRANSPORT", "kernel"),
            ("SYSLOG_IDENTIFIER", "kernel"),
            ("_HOSTNAME", "n7"),
            ("_BOOT_ID", "aa01"),
            ("MESSAGE", text),
        ]
        .map(|(key, value)| (key, value.to_owned()))
    };
    let export = |text: String| fields(&text).map(|(key, value)| format!("{key}={value}\n")).concat() + "\n";
    let verbose = |text: String| {
        "Mon 2026-05-04 08:15:29.000000 UTC [s=1;i=2]\n".to_owned()
            + &fields(&text).map(|(key, value)| format!("    {key}={value}\n")).concat()
    };
    let object = |text: &str| {
        serde_json::Value::Object(fields(text).map(|(key, value)| (key.to_owned(), value.into())).into_iter().collect())
    };
    let pretty = |text: String| serde_json::to_string_pretty(&object(&text)).unwrap() + "\n";
    let bytes = |text: String| {
        let mut entry = object(&text);
        entry["MESSAGE"] = text.as_bytes().into();
        entry.to_string() + "\n"
    };
    let forms: [&dyn Fn(String) -> String; 4] = [&export, &verbose, &pretty, &bytes];
    for form in forms {
        let text: String = messages().into_iter().map(form).collect();
        let kill = kill(&text);
        assert_eq!(kill.at.unwrap().to_string(), "2026-05-04T08:15:29Z", "{text}");
        assert_eq!(kill.node.as_deref(), Some("n7"), "{text}");
        let document = read(&text);
        let place = document.diagnoses[0].evidence[0].locator.clone();
        let line = 1 + text
            .lines()
            .position(|line| line.contains("oom-kill:") || line.contains("111,111,109,45,107,105,108,108,58"))
            .unwrap();
        assert_eq!(place, format!("line {line}"), "{text}");
    }
}

#[test]
fn a_journals_fields_below_a_describe_text_do_not_displace_it() {
    let describe = "Name:         web\nNamespace:    shop\nNode:         n1/10.0.0.1\nContainers:\n  app:\n\
        \x20   State:          Running\n      Started:      Sun, 01 Mar 2026 10:05:02 +0000\n\
        \x20   Last State:     Terminated\n      Reason:       OOMKilled\n      Exit Code:    137\n\
        \x20     Started:      Sun, 01 Mar 2026 10:00:00 +0000\n\
        \x20     Finished:     Sun, 01 Mar 2026 10:05:00 +0000\n    Restart Count:  1\n";
    let entry = format!(
        "Mon 2026-05-04 08:15:29.000000 UTC [s=1;i=2]\n    _TRANSPORT=kernel\n    _HOSTNAME=n7\n    MESSAGE={}\n",
        messages()[3]
    );
    let document = read(&format!("{describe}\n{entry}"));
    let of_pod = document.diagnoses.iter().any(|it| it.subject.container.as_deref() == Some("app"));
    assert!(of_pod, "{document:#?}");
}

#[test]
fn a_config_maps_key_makes_no_journal_of_a_list() {
    let ended = json!({"terminated": {"exitCode": 137, "reason": "OOMKilled"}});
    let list = json!({"apiVersion": "v1", "kind": "List", "items": [
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "words"}, "data": {"MESSAGE": "welcome"}},
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "namespace": "shop"},
            "spec": {"containers": [{"name": "app"}]},
            "status": {"phase": "Failed", "containerStatuses": [{"name": "app", "state": ended}]}}]});
    let document = read(&list.to_string());
    let containers: Vec<_> = document.diagnoses.iter().map(|it| it.subject.container.as_deref()).collect();
    assert_eq!(containers, [Some("app")], "{document:#?}");
}

#[test]
fn exports_of_log_services_hold_the_same_lines() {
    let flat = |text: String| json!({"date": 1_777_882_529.5, "priority": 4, "msg": text}).to_string() + "\n";
    let nested = |text: String| {
        json!({"result": {"_raw": format!("May  4 08:15:29 n7 kernel: {text}"), "host": "n7"}}).to_string() + "\n"
    };
    let cloud = |text: String| json!({"textPayload": text, "timestamp": "2026-05-04T08:15:29.5Z"});
    kill(&messages().into_iter().map(flat).collect::<String>());
    kill(&messages().into_iter().map(nested).collect::<String>());
    let list: Vec<_> = messages().into_iter().map(cloud).collect();
    kill(&serde_json::to_string_pretty(&list).unwrap());
    // A journal's fields are the payload, and the time stands beside it.
    let payload = |text: String| {
        let fields = json!({"MESSAGE": text, "_HOSTNAME": "n7", "SYSLOG_IDENTIFIER": "kernel", "_TRANSPORT": "kernel"});
        json!({"insertId": "a", "jsonPayload": fields, "timestamp": "2026-05-04T08:15:29.5Z"})
    };
    let list: Vec<_> = messages().into_iter().map(payload).collect();
    let lines: String = list.iter().map(|entry| entry.to_string() + "\n").collect();
    for text in [serde_json::to_string_pretty(&list).unwrap(), lines] {
        let at = read(&text).kernel_kills[0].at.map(|at| at.to_string());
        assert_eq!(at.as_deref(), Some("2026-05-04T08:15:29.5Z"));
    }
}

#[test]
fn a_daemon_that_ran_into_a_limit_is_a_trigger_without_a_prefix_too() {
    let text = messages().join("\n").replace("lua invoked", "systemd invoked");
    let kills = read(&text).kernel_kills;
    assert_eq!(kills[0].trigger.comm.as_deref(), Some("systemd"));
}

#[test]
fn a_quiet_ring_is_a_kernel_log_in_every_form_of_its_dates() {
    let quiet = |head: &str| format!("{head} eth0: link becomes ready\n").repeat(9);
    for head in
        ["[Mon May  4 08:15:29 2026]", "kern  :info  : [Mon May  4 08:15:29 2026]", "2026-05-04T08:15:29,000000+00:00"]
    {
        assert_eq!(read(&quiet(head)).sources[0].kind, "kernel log", "{head}");
    }
    assert_ne!(read(&quiet("[Mon May  4 08:15:29 2026] [error]")).sources[0].kind, "kernel log");
}

#[test]
fn words_about_a_kill_that_are_not_read_are_a_gap() {
    let text: String = messages().iter().map(|text| format!("x;y;\"{}\"\n", text.replace(' ', "_"))).collect();
    let document = read(&text);
    assert!(document.kernel_kills.is_empty() != document.gaps.is_empty(), "{document:#?}");
}
