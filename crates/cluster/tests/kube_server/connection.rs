//! Connections and answers that are wrong.

use std::time::Duration;

use oomph_cluster::kube::{Ask, ConnectError, capture};
use serde_json::json;
use tempfile::NamedTempFile;

use super::server::Answer::{Never, Status, Text};
use super::server::{Server, kubeconfig};

#[tokio::test]
async fn nonsense_from_every_path_is_survived() {
    for body in [
        "",
        "<html>no</html>",
        "[]",
        "{\"kind\":\"PodList\",\"items\":[1,null,{}]}",
        "{\"kind\":\"PodList\",\"items\":[{",
    ] {
        let server = Server::start(move |_| Some(Text(body.into()))).await;
        for target in [None, "a".parse().ok(), "deploy/a".parse().ok(), "cj/a".parse().ok(), "no/a".parse().ok()] {
            capture(&Ask { target, ..server.ask() }).await.unwrap();
        }
    }
}

#[tokio::test]
async fn what_is_wrong_with_the_connection_is_said_with_its_remedy() {
    let check = async |ask: Ask, says: &[&str]| {
        let error = capture(&ask).await.unwrap_err();
        let text = error.to_string();
        assert!(says.iter().all(|part| text.contains(part)), "{text}");
        error
    };
    let missing = Ask { kubeconfig: Some("/nonexistent/config".into()), ..Ask::default() };
    check(missing, &["/nonexistent/config", "No such file"]).await;

    let nowhere = kubeconfig(1);
    let at = |file: &NamedTempFile| Ask { kubeconfig: Some(file.path().to_owned()), ..Ask::default() };
    let refused = check(at(&nowhere), &["http://127.0.0.1:1", "refused", "kubectl cluster-info"]).await;
    assert!(matches!(refused, ConnectError::Unreachable { .. }));

    let other = Ask { context: Some("there".into()), ..at(&nowhere) };
    check(other, &["\"there\"", "it has here", "--context"]).await;

    let broken = NamedTempFile::new().unwrap();
    std::fs::write(broken.path(), "clusters: [").unwrap();
    check(at(&broken), &["cannot use kubeconfig", "kubectl config view"]).await;

    let server =
        Server::start(|_| Some(Status(401, json!({"kind": "Status", "code": 401, "message": "Unauthorized"})))).await;
    check(server.ask(), &["does not accept the credentials", "log in again"]).await;

    let silent = Server::start(|_| Some(Never)).await;
    check(Ask { deadline: Duration::from_millis(300), ..silent.ask() }, &["no answer within 300ms"]).await;
}
