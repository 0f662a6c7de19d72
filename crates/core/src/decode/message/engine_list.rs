//! Rows of `docker ps -a`, `podman ps -a` and `docker compose ps -a`: whose end each tells.

use crate::decode::columns::columns;
use crate::fact::{Container, ContainerStatus, State};

/// A container that ended, by the columns of its row: the id first and the names behind the status, or in the list of
/// `docker compose` the name first.
pub(super) fn row(line: &str) -> Option<Container> {
    let at = line.rfind("Exited (")?;
    let (before, status) = line.split_at(at);
    let end = super::phrase::end(status)?;
    let first = before.split_whitespace().next()?;
    let (id, name) = if is_id(first) {
        (Some(first), name_behind(status))
    } else {
        // Image, command, service and age stand between; fewer columns are a sentence.
        (None, Some(first).filter(|name| is_container_name(name) && columns(before).len() >= 4))
    };
    if id.is_none() && name.is_none() {
        return None;
    }
    let status = ContainerStatus {
        id: id.map(str::to_owned),
        state: Some(State::Terminated(end)),
        ..ContainerStatus::default()
    };
    Some(Container { name: name.map(str::to_owned), status: Some(status), ..Container::default() })
}

/// The last word behind `Exited (137) 2 minutes ago` that may be a name: ports may stand before it, and with `--size`
/// `0B (virtual 1MB)` behind it.
fn name_behind(status: &str) -> Option<&str> {
    let (_, behind) = status.split_once(" ago")?;
    let (behind, sized) = behind.split_once(" (virtual ").map_or((behind, false), |(behind, _)| (behind, true));
    behind.split_whitespace().rev().skip(usize::from(sized)).find(|word| is_container_name(word))
}

/// An id as engines shorten it, or whole (`--no-trunc`).
fn is_id(text: &str) -> bool {
    matches!(text.len(), 12 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// `[a-zA-Z0-9][a-zA-Z0-9_.-]+` (Docker: daemon/names/names.go `RestrictedNameChars`, v28).
fn is_container_name(text: &str) -> bool {
    text.len() > 1
        && text.starts_with(|first: char| first.is_ascii_alphanumeric())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_names_its_container() {
        for (line, name) in [
            (
                "0a1b2c3d4e5f   mysql:8   \"docker-entrypoint.s…\"   2 hours ago   Exited (137) 2 minutes ago             db",
                Some("db"),
            ),
            (
                "0a1b2c3d4e5f  localhost/web  sleep 9  2 hours ago  Exited (137) 2 minutes ago  0.0.0.0:80->80/tcp  my_web.1",
                Some("my_web.1"),
            ),
            (
                "0a1b2c3d4e5f   mysql:8   \"sh\"   2 hours ago   Exited (137) 2 minutes ago   db   0B (virtual 1MB)",
                Some("db"),
            ),
            ("0a1b2c3d4e5f mysql:8 \"sh\" 2 hours ago Exited (137) 2 minutes ago db", Some("db")),
            ("0a1b2c3d4e5f   mysql:8   Exited (137) 2 minutes ago", None),
        ] {
            let container = row(line).unwrap();
            assert_eq!(container.name.as_deref(), name, "{line}");
            let status = container.status.unwrap();
            assert_eq!(status.id.as_deref(), Some("0a1b2c3d4e5f"));
            assert!(matches!(status.state, Some(State::Terminated(end)) if end.exit_code == Some(137)), "{line}");
        }
    }

    #[test]
    fn a_row_of_compose_begins_with_the_name() {
        let line = "shop-db-1   mysql:8   \"sh\"   db   2 hours ago   Exited (137) 2 minutes ago";
        assert_eq!(row(line).unwrap().name.as_deref(), Some("shop-db-1"));
    }

    #[test]
    fn what_runs_and_what_is_no_row_is_left() {
        for line in [
            "0a1b2c3d4e5f   mysql:8   \"sh\"   2 hours ago   Up 2 minutes   3306/tcp   db",
            "CONTAINER ID   IMAGE     COMMAND   CREATED   STATUS   PORTS     NAMES",
            "it Exited (137) 2 minutes ago",
        ] {
            assert!(row(line).is_none(), "{line}");
        }
    }
}
