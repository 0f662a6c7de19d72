use super::*;

fn parts(text: &str) -> (String, String, Voice, bool) {
    let line = line(text);
    (line.text.to_string(), line.node.map(|node| node.to_string()).unwrap_or_default(), line.voice, line.date.is_some())
}

#[test]
fn every_prefix_is_taken_off() {
    const KILL: &str = "Out of memory: Killed process 7 (tmux: server) total-vm:1kB";
    for (prefix, node, dated) in [
        ("[ 8523.347168] ", "", false),
        ("[   31.935015][   T71] ", "", false),
        ("    [41368.535735] ", "", false),
        ("[Thu Dec  7 00:05:14 2017] ", "", true),
        ("[二 9月  3 05:57:48 2024] ", "", true),
        ("Thu May 23 18:40:42 2024] ", "", true),
        ("41066.536886] ", "", false),
        ("kern  :err   : [Thu Aug 17 17:29:27 2023] ", "", true),
        ("kern  :warn  : 2025-01-21T04:41:44,287197+00:00 ", "", true),
        ("2024-04-29T14:55:41,678628+02:00 ", "", true),
        ("kern: warning: [2026-01-12T20:27:31.913975631Z]: ", "", true),
        ("Oct 12 19:00:20 web-1 kernel: [ 8523.347168] ", "web-1", true),
        ("Oct 12 19:00:20 web-1 kernel: ", "web-1", true),
        ("Oct 12 19:00:20.123456 web-1 kernel: ", "web-1", true),
        ("2026-09-02T09:08:50.903138+00:00 web-1 kernel: ", "web-1", true),
        ("2026-09-02 09:08:50 web-1 kernel[0]: ", "web-1", true),
        ("Wed 2024-05-01 12:00:00 UTC web-1 kernel: ", "web-1", true),
        ("[12345.678901] web-1 kernel: ", "web-1", false),
        ("Wed 2024-05-01 13:00:00 CEST web-1 kernel: ", "web-1", true),
        ("Wed 2024-05-01 13:00:00 -03 web-1 kernel: ", "web-1", true),
        ("10.0.0.1: kern:     err: [2024-05-01T11:00:00.123456789Z]: ", "10.0.0.1", true),
        ("node-1: kern: warning: [2024-05-01T11:00:00.123456789Z]: ", "node-1", true),
        ("1500316299.123456 web-1 kernel: ", "web-1", true),
        ("1720128512 web-1 [42201.484624] ", "web-1", true),
        ("6,22743,6115623303887,-;", "", false),
        ("6,22743,6115623303887,-,caller=T12;", "", false),
        ("> Nov 30 10:17:44 web-1 kernel: ", "web-1", true),
        ("166233 Apr 18 00:37:34   kernel: [14049899.298694] ", "", true),
        ("12:[ 8523.347168] ", "", false),
        ("/var/log/messages-2024:Oct 12 19:00:20 web-1 kernel: ", "web-1", true),
        ("kern.log:77:Oct 12 19:00:20 web-1 kernel: [1.5] ", "web-1", true),
        ("<4>[ 8523.347168] ", "", false),
        ("<pre><code>[ 8523.347168] ", "", false),
        ("Mon May  1 12:00:00 2023 kern.err kernel: [123.4] ", "", true),
        ("kernel: ", "", false),
        ("| `[ 8523.347168] ", "", false),
        ("[  +0.000123] ", "", false),
        ("[Oct12 19:00] ", "", false),
        ("[ 8523.347168 <    0.000007>] ", "", false),
        ("      \"msg\": \"", "", false),
    ] {
        let text = format!("{prefix}{KILL}");
        let quoted = prefix.ends_with('"');
        let voice = if quoted { Voice::Unknown } else { Voice::Kernel };
        let expected = (KILL.to_owned(), node.to_owned(), voice, dated);
        assert_eq!(parts(&text), expected, "{text}");
    }
}

#[test]
fn messages_lose_nothing_to_the_prefix() {
    for text in [
        "tmux: server invoked oom-killer: gfp_mask=0xcc0",
        "8379834 pages RAM",
        "[ 1381]     0  1381   530382     5191      34       4     5489             0 app",
        "memory: usage 980kB, limit 980kB, failcnt 4152239",
        "CPU: 5 PID: 13536 Comm: app Tainted: P",
        "runc:[1:CHILD] invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=-999",
        "oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null)",
        "kernel_stack 5242880",
    ] {
        assert_eq!(line(text).text, text);
        assert_eq!(line(&format!("[  1.25] {text}")).text, text);
        assert_eq!(line(&format!("2024-04-29T14:55:41,678628+02:00 {text}")).text, text);
        assert_eq!(line(&format!("Oct 12 19:00:20 web kernel: {text}")).text, text);
    }
}

#[test]
fn programs_are_told_from_the_kernel() {
    let line = line("Oct 12 19:00:20 web-1 node-problem-detector[3240]: Memory cgroup out of memory: Killed process 1");
    assert_eq!(line.voice, Voice::Program);
    assert_eq!(line.program.as_deref(), Some("node-problem-detector"));
    assert_eq!(parts("5,12,34,-;text").2, Voice::Kernel);
    assert_eq!(parts("30,12,34,-;text").2, Voice::Program);
}

#[test]
fn a_program_behind_a_bare_clock_is_no_kernel() {
    let (text, node, voice, _) = parts("[ 7064.752252] n1 systemd[1]: user@1000.service: done");
    assert_eq!((text.as_str(), node.as_str(), voice), ("user@1000.service: done", "n1", Voice::Program));
    let (text, node, voice, _) = parts("[ 7064.752252] my app[12]: segfault at 0 ip 0 sp 0 error 4");
    assert_eq!(
        (text.as_str(), node.as_str(), voice),
        ("my app[12]: segfault at 0 ip 0 sp 0 error 4", "", Voice::Kernel)
    );
}
