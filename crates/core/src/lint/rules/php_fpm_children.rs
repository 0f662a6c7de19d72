//! Children of PHP-FPM, each up to PHP's memory limit.

use super::{Finding, Level, Subject};
use crate::lint::finding::Place;
use crate::lint::program::locate;
use crate::runtime::flags::size;
use crate::units::Bytes;

super::rule!("php-fpm-children", Warning, Program(judge));

/// `memory_limit` where nothing is said (php.ini-development, PHP 8).
const DEFAULT: Bytes = Bytes::mib(128);

fn judge<'a>(subject: &Subject<'_, 'a>) -> Vec<Finding<'a>> {
    let Some(limit) = subject.limit() else { return Vec::new() };
    let setting = |names: &[&str], variables: &[&str]| setting(subject, names, variables);
    let children =
        setting(&["pm.max_children"], &["PM_MAX_CHILDREN", "PHP_FPM_PM_MAX_CHILDREN", "FPM_PM_MAX_CHILDREN"]);
    let Some((children, place)) = children else { return Vec::new() };
    let Ok(count) = children.parse::<u64>() else { return Vec::new() };
    let names = ["php_admin_value[memory_limit]", "php_value[memory_limit]", "memory_limit"];
    let given = setting(&names, &["PHP_MEMORY_LIMIT"]).and_then(|(text, place)| Some((Bytes(size(&text)?), place)));
    let each = given.map_or(DEFAULT, |(bytes, _)| bytes);
    let need = Bytes(each.0.saturating_mul(count));
    if need <= limit.bytes {
        return Vec::new();
    }
    let message = format!("{count} children of PHP-FPM may take {each} each: {need}, and the limit is {}", limit.bytes);
    let mut finding = Finding::new(Level::Warning, place, message)
        .label("so many requests at once")
        .related(limit.place, limit.says())
        .note("memory_limit is PHP's own bound for one request; opcache is shared and comes on top")
        .help(format!(
            "pm.max_children = {} for this limit, or a lower memory_limit",
            (limit.bytes.0 / each.0.max(1)).max(1)
        ));
    match given {
        Some((_, place)) => finding = finding.related(place, format!("{each} a request")),
        None => finding = finding.assume(format!("memory_limit = {DEFAULT}, PHP's default")),
    }
    vec![finding]
}

/// `name = value` in a mounted file, else a variable.
fn setting(subject: &Subject<'_, '_>, names: &[&str], variables: &[&str]) -> Option<(String, Place)> {
    let files = subject.files();
    let in_files = names.iter().find_map(|name| {
        files.iter().find_map(|(_, node)| {
            node.text()?.lines().find_map(|line| {
                let (key, value) = line.trim().split_once('=')?;
                // A comment of such a file begins with a semicolon.
                let value = value.split(';').next().unwrap_or("").trim().trim_matches(['"', '\'']);
                (key.trim() == *name).then(|| (value.to_owned(), locate(*node, line.trim())))
            })
        })
    });
    in_files.or_else(|| {
        variables.iter().find_map(|name| {
            let set = subject.program.variable(name)?;
            Some((set.text()?.to_owned(), set.node.into()))
        })
    })
}

#[cfg(test)]
mod tests {
    use crate::lint::{Source, lint};

    #[test]
    fn a_comment_behind_a_setting_is_none_of_it() {
        let found = |children: &str| {
            let text = format!(
                "kind: ConfigMap\napiVersion: v1\nmetadata: {{name: c}}\ndata:\n  www.conf: |\n    [www]\n    \
                 pm.max_children = {children}\n---\nkind: Pod\napiVersion: v1\nmetadata: {{name: a}}\nspec:\n  volumes: \
                 [{{name: c, configMap: {{name: c}}}}]\n  containers:\n  - name: php\n    image: php:8.3-fpm\n    \
                 volumeMounts: [{{name: c, mountPath: /c}}]\n    resources: {{limits: {{memory: 1Gi}}}}\n"
            );
            let document = lint(&[Source { name: "a.yaml".into(), text }]);
            document.findings.into_iter().any(|it| it.rule == "php-fpm-children" && it.region.line == 7)
        };
        assert!(found("40") && found("40 ; at once") && found("\"40\""));
        assert!(!found("4 ; 40"));
    }
}
