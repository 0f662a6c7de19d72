//! What a finding advises mends it: applied and linted again, the rule has nothing left to say.
#![allow(clippy::unwrap_used, reason = "a test may fail that way")]

use oomph_core::lint::{DocumentFinding, Level, Source, lint};

/// A container under a limit in MiB, with files in memory of so many MiB.
#[derive(Clone, Copy)]
struct Container<'t> {
    image: &'t str,
    limit: u64,
    tmpfs: u64,
    lines: &'t str,
}

impl Container<'_> {
    /// What is at least a warning by rules whose ids begin so.
    fn grave(&self, rules: &[&str]) -> Option<DocumentFinding> {
        let Self { image, limit, tmpfs, lines } = *self;
        let (volume, mount) = match tmpfs {
            0 => (String::new(), ""),
            _ => (
                format!("  volumes: [{{name: t, emptyDir: {{medium: Memory, sizeLimit: {tmpfs}Mi}}}}]\n"),
                "    volumeMounts: [{name: t, mountPath: /t}]\n",
            ),
        };
        let text = format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: p}}\nspec:\n{volume}  containers:\n  - name: app\n    image: \
             {image}\n    resources: {{requests: {{memory: {limit}Mi}}, limits: {{memory: {limit}Mi}}}}\n{mount}    \
             {lines}\n"
        );
        let document = lint(&[Source { name: "a.yaml".into(), text }]);
        let is_of = |it: &DocumentFinding| rules.iter().any(|rule| it.rule == *rule);
        document.findings.into_iter().find(|it| it.level > Level::Info && is_of(it))
    }
}

/// The number behind a word.
fn number(help: &str, word: &str) -> Option<u64> {
    let behind = help.split(word).nth(1)?;
    behind.chars().take_while(char::is_ascii_digit).collect::<String>().parse().ok()
}

const LIMITS: [u64; 7] = [96, 160, 256, 512, 1024, 2048, 6000];
const FILES: [u64; 3] = [0, 50, 200];

/// Checks all limits and files: `with` puts a heap in MiB into the lines of the container.
fn check(image: &str, rules: &[&str], lines: &str, flag: &str, with: impl Fn(u64) -> String) -> usize {
    let mut advised = 0;
    for limit in LIMITS {
        for tmpfs in FILES {
            let given = Container { image, limit, tmpfs, lines };
            let Some(found) = given.grave(rules) else { continue };
            let help = found.help.clone().unwrap_or_default();
            if tmpfs > 0 {
                let said = found.notes.iter().chain([&found.message]).any(|it| it.contains("files in memory"));
                assert!(said, "{limit} MiB, {tmpfs} MiB of files, {lines}: {found:?}");
            }
            if let Some(heap) = number(&help, flag) {
                let mended = Container { lines: &with(heap), ..given }.grave(rules);
                assert!(mended.is_none(), "{limit} MiB, {tmpfs} MiB of files, {lines}: {help}: {mended:?}");
                advised += 1;
            }
            if let Some(higher) = number(&help, "a limit of at least ") {
                assert!(higher > limit, "{limit} MiB, {lines}: {help}");
                let mended = Container { limit: higher, ..given }.grave(rules);
                assert!(mended.is_none(), "{limit} MiB, {tmpfs} MiB of files, {lines}: {help}: {mended:?}");
                advised += 1;
            }
        }
    }
    advised
}

#[test]
fn a_heap_or_a_limit_that_is_advised_for_a_jvm_fits() {
    let rules = ["jvm-heap-ge-limit", "jvm-headroom"];
    for flags in [
        "-Xmx64m",
        "-Xmx500m",
        "-Xmx1g",
        "-Xmx1900m",
        "-Xmx8g",
        "-XX:+UseSerialGC",
        "-XX:MaxRAMPercentage=75",
        "-XX:MaxRAMPercentage=85",
        "-XX:MaxRAMPercentage=100",
        "-Xmx1g -XX:MaxDirectMemorySize=1g",
        "-Xmx400m -XX:MaxMetaspaceSize=256m -XX:ReservedCodeCacheSize=240m",
        "-Xmx2g -XX:MaxMetaspaceSize=64m -XX:+UseSerialGC",
    ] {
        let lines = |flags: &str| format!("command: [java, {}, -jar, a.jar]", flags.replace(' ', ", "));
        let rest = flags.split(' ').filter(|flag| !flag.starts_with("-Xmx")).collect::<Vec<_>>().join(" ");
        let with = |heap: u64| lines(format!("-Xmx{heap}m {rest}").trim());
        assert!(check("registry/app:1", &rules, &lines(flags), "-Xmx", with) > 0, "{flags}");
    }
}

#[test]
fn a_heap_or_a_limit_that_is_advised_for_node_fits() {
    let rules = ["node-heap-ge-limit", "node-headroom"];
    let flag = "--max-old-space-size=";
    for image in ["node:18", "node:20", "node:24", "node:26"] {
        for lines in [
            "command: [node, --max-old-space-size=256, a.js]",
            "command: [node, --max-old-space-size=1900, a.js]",
            "command: [node, --max-old-space-size=900, --max-semi-space-size=64, a.js]",
        ] {
            let semi = if lines.contains("semi") { "--max-semi-space-size=64, " } else { "" };
            let with = |heap: u64| format!("command: [node, {flag}{heap}, {semi}a.js]");
            assert!(check(image, &rules, lines, flag, with) > 0, "{image} {lines}");
        }
        let with = |heap: u64| format!("command: [node, {flag}{heap}, a.js]");
        let by_default = check(image, &rules, "command: [node, a.js]", flag, with);
        assert_eq!(by_default > 0, image != "node:18", "{image}");
    }
}

#[test]
fn what_is_advised_for_servers_of_data_fits() {
    for (image, rule, name) in
        [("redis:7", "redis-maxmemory", "--maxmemory "), ("postgres:16", "pg-shared-buffers", "shared_buffers = ")]
    {
        for size in [40, 128, 500, 1800] {
            let lines = |size: u64| match image {
                "redis:7" => format!("command: [redis-server, --maxmemory, {size}mb]"),
                _ => format!("args: [-c, shared_buffers={size}MB]"),
            };
            assert!(check(image, &[rule], &lines(size), name.trim_start_matches('-'), lines) > 0, "{image} {size}");
        }
    }
}

#[test]
fn a_share_that_is_advised_for_dotnet_fits() {
    let lines = |share: &str| format!("env: [{{name: DOTNET_GCHeapHardLimitPercent, value: \"{share}\"}}]");
    for limit in LIMITS {
        for tmpfs in FILES {
            let of =
                |lines: &str| Container { image: "registry/app:1", limit, tmpfs, lines }.grave(&["dotnet-gc-limit"]);
            let Some(found) = of(&lines("5A")) else { continue };
            let help = found.help.unwrap_or_default();
            if let Some(rest) = help.split("Percent=").nth(1) {
                let mended = of(&lines(rest.split(' ').next().unwrap()));
                assert!(mended.is_none(), "{limit} MiB, {tmpfs} MiB of files: {help}: {mended:?}");
            }
        }
    }
}

#[test]
fn a_share_of_a_hundred_and_more_is_ignored_by_dotnet() {
    let of = |limit: u64, share: &str| {
        let text = format!(
            "services:\n  a:\n    image: a\n    mem_limit: {limit}m\n    environment: {{DOTNET_GCHeapHardLimitPercent: \
             \"{share}\"}}\n"
        );
        let document = lint(&[Source { name: "compose.yaml".into(), text }]);
        let found = document.findings.into_iter().find(|it| it.rule == "dotnet-gc-limit");
        found.map(|it| (it.level, it.help.unwrap_or_default()))
    };
    assert_eq!(of(1024, "75"), Some((Level::Info, "75 % is written 4B".into())));
    assert_eq!(of(1024, "64"), Some((Level::Info, "64 % is written 40".into())));
    assert_eq!(of(1024, "80"), Some((Level::Info, "80 % is written 50".into())));
    // Three quarters of 100 MiB and the runtime itself do not fit.
    assert_eq!(of(100, "75").map(|it| it.0), Some(Level::Warning));
    assert_eq!(of(1024, "4B"), None);
}
