//! Rows of `docker ps -a` and `podman ps -a`: whose end each tells.

use crate::decode::columns::columns;
use crate::fact::{Container, ContainerStatus, State};

/// A container that ended, by the columns of its row: the id first, the names behind the status.
pub(super) fn row(line: &str) -> Option<Container> {
    let columns = columns(line);
    let id = columns.first().filter(|id| is_id(id))?;
    let status = columns.iter().rposition(|column| column.starts_with("Exited ("))?;
    let end = super::phrase::end(columns[status])?;
    // With `--size` another column follows, and the ports of one that was stopped may stand before.
    let name = columns[status + 1..].iter().rev().find(|column| is_container_name(column));
    let status = ContainerStatus {
        id: Some((*id).to_owned()),
        state: Some(State::Terminated(end)),
        ..ContainerStatus::default()
    };
    let name = name.map(|name| (*name).to_owned());
    Some(Container { name, status: Some(status), ..Container::default() })
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
