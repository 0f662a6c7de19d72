//! Servers that keep a cache of a fixed size: where that is said, and whether it fits.

use crate::budget::{round_up, scaled};
use crate::lint::finding::{Finding, Level, Place};
use crate::lint::program::{Part, locate};
use crate::lint::subject::Subject;
use crate::units::Bytes;

/// What the last of these options says (`--name=1`, `--name 1`, `-m1`): of the command line, or of a variable that the
/// start script puts behind it.
pub(crate) fn option(subject: &Subject<'_, '_>, names: &[&str], variables: &[&str]) -> Option<(String, Place)> {
    let of = |words: &[Part<'_>]| {
        words.iter().enumerate().rev().find_map(|(index, word)| {
            names.iter().find_map(|name| {
                let rest = word.text.strip_prefix(name)?;
                match rest.strip_prefix('=') {
                    Some(value) => Some((value.to_owned(), word.place)),
                    None if rest.is_empty() => {
                        words.get(index + 1).map(|next| (next.text.clone().into_owned(), next.place))
                    }
                    // The value of an option of one letter follows at once.
                    None => (name.len() == 2).then(|| (rest.to_owned(), word.place)),
                }
            })
        })
    };
    of(&subject.program.words)
        .or_else(|| variables.iter().find_map(|name| of(&subject.program.variable(name)?.words())))
}

/// What the last line of a mounted file says that begins with this name, and `=` or `:` behind it.
pub(crate) fn line(subject: &Subject<'_, '_>, name: &str) -> Option<(String, Place)> {
    subject.files().into_iter().find_map(|(_, node)| {
        node.text()?.lines().rev().find_map(|line| {
            let (key, value) = line.split_once(['=', ':'])?;
            let value = value.split('#').next().unwrap_or("").trim().trim_matches(['"', '\'']);
            (key.trim().replace('-', "_") == name && !value.is_empty())
                .then(|| (value.to_owned(), locate(node, line.trim())))
        })
    })
}

/// A cache of a fixed size, and what its server needs beside it.
pub(crate) struct Cache {
    /// What it is called.
    pub setting: &'static str,
    pub bytes: Bytes,
    pub place: Place,
    /// What keeping it costs, in percent of it: assumed.
    pub beside: u64,
    /// The server itself: assumed.
    pub itself: Bytes,
    /// Less is refused, or next to nothing.
    pub least: Bytes,
    /// The setting as it is written.
    pub written: fn(Bytes) -> String,
}

impl Cache {
    pub(crate) fn look<'a>(&self, subject: &Subject<'_, 'a>) -> Option<Finding<'a>> {
        let (limit, tmpfs) = (subject.limit()?, subject.tmpfs());
        let Self { setting, bytes, place, beside, itself, .. } = *self;
        let need = Bytes(scaled(bytes, 100 + beside, 100).0.saturating_add(itself.0).saturating_add(tmpfs.0));
        if need <= limit.bytes || bytes.0 == 0 {
            return None;
        }
        let takes_all = bytes.0.saturating_add(tmpfs.0) >= limit.bytes.0;
        let (level, message) = if takes_all {
            (Level::Error, format!("{setting} of {bytes} reaches the limit of {}", limit.bytes))
        } else {
            (Level::Warning, format!("{setting} of {bytes} leaves too little of the limit of {}", limit.bytes))
        };
        let room = Bytes(limit.bytes.0.saturating_sub(itself.0).saturating_sub(tmpfs.0));
        let fitting = scaled(room, 100, 100 + beside);
        let higher = format!("a limit of at least {}Mi", round_up(need).0 >> 20);
        let files = if tmpfs.0 > 0 { format!(" + files in memory {tmpfs}") } else { String::new() };
        let finding = Finding::new(level, place, message)
            .label("charged to the container as it fills, and kept")
            .related(limit.place, limit.says())
            .note(format!(
                "budget: cache {bytes} + {beside} % + the server itself {itself}{files} = {need} of {}",
                limit.bytes
            ))
            .assume(format!("{beside} % to keep it, and {itself} for the server itself"));
        Some(finding.help(if fitting < self.least {
            higher
        } else {
            format!("{} for this limit, or {higher}", (self.written)(fitting))
        }))
    }
}

#[cfg(test)]
mod tests {
    use crate::lint::{Level, Source, lint};

    /// Rule, level and line of what is found in a container with so much more, under 1 GiB.
    fn found(image: &str, more: &str) -> Vec<(String, Level, u32)> {
        let text = format!("services:\n  db:\n    image: {image}\n    mem_limit: 1g\n    {more}\n");
        let document = lint(&[Source { name: "compose.yaml".into(), text }]);
        document.findings.into_iter().map(|it| (it.rule, it.level, it.region.line)).collect()
    }

    #[test]
    fn a_cache_that_takes_the_limit_is_an_error_and_one_that_leaves_too_little_a_warning() {
        for (rule, image, whole, much, fine) in [
            (
                "mysql-buffer-pool",
                "mysql:8.4",
                "command: --innodb-buffer-pool-size=1G",
                "command: [mysqld, --innodb_buffer_pool_size, 900M]",
                "command: --innodb-buffer-pool-size=512M",
            ),
            (
                "mysql-buffer-pool",
                "bitnami/mariadb:11",
                "environment: {MARIADB_EXTRA_FLAGS: \"--innodb-buffer-pool-size=2G\"}",
                "environment: {MARIADB_EXTRA_FLAGS: \"--innodb-buffer-pool-size=900M\"}",
                "environment: {MARIADB_EXTRA_FLAGS: \"--innodb-buffer-pool-size=512M\"}",
            ),
            (
                "mongo-cache",
                "mongo:7",
                "command: [mongod, --wiredTigerCacheSizeGB, \"1\"]",
                "command: --wiredTigerCacheSizeGB=0.9",
                "command: --wiredTigerCacheSizeGB 0.5",
            ),
            (
                "memcached-memory",
                "memcached:1.6",
                "command: [-m, \"1024\"]",
                "command: memcached -m1000",
                "command: memcached --memory-limit=800",
            ),
        ] {
            assert_eq!(found(image, whole), [(rule.to_owned(), Level::Error, 5)], "{whole}");
            assert_eq!(found(image, much), [(rule.to_owned(), Level::Warning, 5)], "{much}");
            assert_eq!(found(image, fine), [], "{fine}");
        }
    }

    #[test]
    fn a_mounted_file_says_it_too() {
        let found = |image: &str, line: &str| {
            let text = format!(
                "kind: ConfigMap\napiVersion: v1\nmetadata: {{name: c}}\ndata:\n  c.cnf: |\n    # ours\n    {line}\n---\nkind: \
                 Pod\napiVersion: v1\nmetadata: {{name: a}}\nspec:\n  volumes: [{{name: c, configMap: {{name: c}}}}]\n  \
                 containers:\n  - name: db\n    image: {image}\n    volumeMounts: [{{name: c, mountPath: /etc/c}}]\n    \
                 resources: {{requests: {{memory: 1Gi}}, limits: {{memory: 1Gi}}}}\n"
            );
            let document = lint(&[Source { name: "a.yaml".into(), text }]);
            document
                .findings
                .into_iter()
                .filter(|it| it.level > Level::Info)
                .map(|it| it.region.line)
                .collect::<Vec<_>>()
        };
        assert_eq!(found("mysql:8", "innodb-buffer-pool-size = 1G # all"), [7]);
        assert_eq!(found("mongo:7", "  cacheSizeGB: 1"), [7]);
        assert_eq!(found("mysql:8", "innodb_buffer_pool_size = 512M"), [] as [u32; 0]);
    }
}
