//! Redis with a maxmemory that the kernel's limit comes before, or with none.

use super::{Finding, Level, Subject};
use crate::budget::{round_up, scaled};
use crate::lint::expansion::is_open;
use crate::lint::finding::Place;
use crate::lint::program::{Part, locate};
use crate::units::Bytes;

super::rule!("redis-maxmemory", Error, Program(judge));

/// Fragmentation of the allocator and what replicas and clients have in flight, in percent of maxmemory: assumed.
const BESIDE: u64 = 10;
/// Redis itself: assumed.
const ITSELF: Bytes = Bytes::mib(8);

fn judge<'a>(subject: &Subject<'_, 'a>) -> Vec<Finding<'a>> {
    let images = ["redis", "valkey", "keydb", "redis-stack-server"];
    let programs = ["redis-server", "valkey-server", "keydb-server"];
    if !subject.is(&images, &programs) {
        return Vec::new();
    }
    let written = maxmemory(subject);
    if let Some((text, place)) = written.as_ref().filter(|(text, _)| size(text).is_none()) {
        return refused(text, *place).into_iter().collect();
    }
    let Some(limit) = subject.limit() else { return Vec::new() };
    let found = written.and_then(|(text, place)| Some((size(&text).filter(|bytes| bytes.0 > 0)?, place)));
    let Some((bytes, place)) = found else {
        let words = &subject.program.words;
        let is_plain = words.is_empty() || programs.iter().any(|name| subject.program.runs(name));
        // A configuration file that is not in the input may say it.
        let has_file = words.iter().any(|word| word.text.contains(".conf")) || !subject.files().is_empty();
        if !is_plain || has_file || !subject.program.hidden.is_empty() {
            return Vec::new();
        }
        return vec![
            Finding::new(Level::Info, limit.place, "Redis runs without maxmemory: it grows until it is killed")
                .label("the kernel's limit is the only one")
                .assume("no configuration file inside of the image sets it")
                .help(match fitting(limit.bytes, subject.tmpfs()) {
                    Some(fitting) => format!("--maxmemory {}mb with a policy that evicts", fitting.0 >> 20),
                    None => "raise the limit: it has no room for data".to_owned(),
                }),
        ];
    };
    let tmpfs = subject.tmpfs();
    let need = Bytes(scaled(bytes, 100 + BESIDE, 100).0.saturating_add(ITSELF.0).saturating_add(tmpfs.0));
    if need <= limit.bytes {
        return Vec::new();
    }
    let files = if tmpfs.0 > 0 { format!(" + files in memory {tmpfs}") } else { String::new() };
    let higher = format!("a limit of at least {}Mi", round_up(need).0 >> 20);
    vec![
        Finding::new(
            Level::Warning,
            place,
            format!("maxmemory of {bytes} leaves too little of the limit of {}", limit.bytes),
        )
        .label(format!("data may take {bytes}"))
        .related(limit.place, limit.says())
        .note(format!("budget: data {bytes} + {BESIDE} % + Redis itself {ITSELF}{files} = {need} of {}", limit.bytes))
        .note("a snapshot forks: every page that is written meanwhile exists twice")
        .assume(format!("{BESIDE} % for fragmentation and buffers"))
        .help(match fitting(limit.bytes, tmpfs) {
            Some(fitting) => format!("maxmemory {}mb for this limit, or {higher}", fitting.0 >> 20),
            None => higher,
        }),
    ]
}

/// A maxmemory that leaves a fifth of the limit, and room for what else is in it; none under a mebibyte.
fn fitting(limit: Bytes, tmpfs: Bytes) -> Option<Bytes> {
    let room = Bytes(limit.0.checked_sub(ITSELF.0)?.checked_sub(tmpfs.0)?);
    Some(scaled(limit, 80, 100).min(scaled(room, 100, 100 + BESIDE))).filter(|it| *it >= Bytes::mib(1))
}

/// Variables that a start script puts behind the command line: Bitnami's images, Redis Stack's `entrypoint.sh`.
const VARIABLES: [&str; 3] = ["REDIS_EXTRA_FLAGS", "VALKEY_EXTRA_FLAGS", "REDIS_ARGS"];

/// `512Mi`: Redis ends on what is no amount ("argument must be a memory value", `src/config.c`).
fn refused<'a>(text: &str, place: Place) -> Option<Finding<'a>> {
    if is_open(text) {
        return None;
    }
    let finding = Finding::new(Level::Error, place, format!("Redis refuses maxmemory `{text}`"))
        .label("it ends as it starts")
        .note("an amount is a whole number with b, kb, mb or gb behind it, or k, m and g for thousands");
    let meant = text.to_ascii_lowercase().replace('i', "");
    let meant = if meant.ends_with('b') { meant } else { format!("{meant}b") };
    Some(match size(&meant) {
        Some(_) => finding.help(format!("write `{meant}`, if that is meant")),
        None => finding,
    })
}

/// The value of the last `--maxmemory 1gb` or `--maxmemory=1gb` of some words.
fn flag(words: &[Part<'_>]) -> Option<(String, Place)> {
    words.iter().enumerate().rev().find_map(|(index, word)| {
        let rest = word.text.strip_prefix("--maxmemory")?;
        match rest {
            "" => words.get(index + 1).map(|next| (next.text.clone().into_owned(), next.place)),
            _ => Some((rest.strip_prefix('=')?.to_owned(), word.place)),
        }
    })
}

fn maxmemory(subject: &Subject<'_, '_>) -> Option<(String, Place)> {
    let by_flag = flag(&subject.program.words);
    let by_flag = by_flag.or_else(|| VARIABLES.iter().find_map(|name| flag(&subject.program.variable(name)?.words())));
    // An argument overrides the file.
    by_flag.or_else(|| {
        subject.files().into_iter().find_map(|(_, node)| {
            node.text()?.lines().rev().find_map(|line| {
                let mut words = line.split_whitespace();
                let value = words.next().filter(|name| *name == "maxmemory").and_then(|_| words.next())?;
                Some((value.trim_matches(['"', '\'']).to_owned(), locate(node, line.trim())))
            })
        })
    })
}

/// `512mb` counts in 1024s, `512m` in thousands (`src/util.c`, `memtoull`).
fn size(text: &str) -> Option<Bytes> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let factor: u64 = match text[digits.len()..].to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" => 1000,
        "kb" => 1 << 10,
        "m" => 1_000_000,
        "mb" => 1 << 20,
        "g" => 1_000_000_000,
        "gb" => 1 << 30,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(factor).map(Bytes)
}

#[cfg(test)]
mod tests {
    use crate::lint::{Source, lint};

    #[test]
    fn a_variable_that_the_start_script_reads_is_an_argument() {
        let found = |environment: &str| {
            let text = format!(
                "services:\n  a:\n    image: bitnami/redis:7.2\n    mem_limit: 1g\n    environment: {{{environment}}}\n"
            );
            let document = lint(&[Source { name: "compose.yaml".into(), text }]);
            document.findings.into_iter().map(|it| (it.rule, it.region.line)).collect::<Vec<_>>()
        };
        let expected = |line: u32| vec![("redis-maxmemory".to_owned(), line)];
        assert_eq!(found("REDIS_EXTRA_FLAGS: \"--appendonly no --maxmemory 1gb\""), expected(5));
        assert_eq!(found("REDIS_ARGS: --maxmemory=2gb"), expected(5));
        assert_eq!(found("REDIS_ARGS: --maxmemory 500mb"), []);
        // Without any it is the limit that is pointed at.
        assert_eq!(found(""), expected(4));
    }
}
