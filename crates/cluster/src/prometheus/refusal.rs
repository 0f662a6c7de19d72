//! What a server says of a query that it does not answer, and what that asks for.

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// A smaller part of it may succeed.
    TooLarge(String),
    /// Nothing else would help.
    Failed(String),
}

impl Refusal {
    pub(crate) fn because(self) -> String {
        let (Self::TooLarge(because) | Self::Failed(because)) = self;
        because
    }
}

/// What an answer that is no success asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Remedy {
    Again,
    Smaller,
    Nothing,
}

/// What servers say of a query that is too much for them, whatever the status: Prometheus 2.42 `query processing would
/// load too many samples into memory`, `exceeded maximum resolution of 11,000 points`, `query timed out`; Thanos and
/// Mimir name the limit (`err-mimir-max-chunks-per-query`, `exceeded series limit`); VictoriaMetrics its flag
/// (`-search.maxSamplesPerQuery`, `-search.max*`).
const TOO_MUCH: [&str; 9] = [
    "too many samples",
    "maximum resolution",
    "timed out",
    "timeout",
    "deadline exceeded",
    "limit",
    "err-mimir-max",
    "-search.max",
    "too large",
];

/// What they say where others ask as well, in words that name a limit, too: VictoriaMetrics 1.79 `cannot handle more
/// than 8 concurrent search requests during 10s; possible solutions: increase -search.maxQueueDuration`, Prometheus 2.42
/// `query timed out in query queue`.
const BUSY: [&str; 2] = ["concurrent", "query queue"];

/// It says that less may succeed.
pub(super) fn too_much(said: &str) -> bool {
    any(said, &TOO_MUCH)
}

fn any(said: &str, words: &[&str]) -> bool {
    // The name of a metric that is asked for is no limit of the server's.
    let said = said.to_ascii_lowercase().replace("container_resource_limits", "");
    words.iter().any(|it| said.contains(it))
}

/// What helps, by the status and the words of an answer without the query (`said`).
pub(super) fn remedy(status: u16, said: &str) -> Remedy {
    match status {
        413 => Remedy::Smaller,
        // The API server's proxy of a Service without pods (registry/core/service/storage, v1.37): waiting helps nothing.
        503 if said.contains("no endpoints available") => Remedy::Nothing,
        503 if any(said, &BUSY) => Remedy::Again,
        // Prometheus gives 503 for a query that took too long as well; a gateway gives 504.
        400 | 422 | 500 | 502..=504 if too_much(said) => Remedy::Smaller,
        // 429 is a limit of the rate, which smaller queries do not keep either.
        429 | 502..=504 => Remedy::Again,
        _ => Remedy::Nothing,
    }
}

/// The server's own words: the error of its JSON, or the first line, without the query. VictoriaMetrics 1.79 repeats it
/// before the reason: `error when executing query="…" on the time range (…): …`, `requestURI: /api/v1/query_range?…; …`.
pub(super) fn said(bytes: &[u8], query: &str) -> String {
    #[derive(serde::Deserialize)]
    struct Error {
        #[serde(alias = "message")]
        error: String,
    }
    let text = serde_json::from_slice::<Error>(bytes)
        .map_or_else(|_| String::from_utf8_lossy(bytes).into_owned(), |e| e.error);
    let line = text.lines().next().unwrap_or_default().replace(&format!("{query:?}"), "…");
    let words = line.split(' ').map(|word| if word.contains("/api/v1/query") { "…" } else { word });
    words.collect::<Vec<_>>().join(" ")
}

/// As a person reads it: of much that is said, the beginning, and the end, where servers in Go put the reason.
pub(super) fn shown(said: &str) -> String {
    const BEGINNING: usize = 80;
    const END: usize = 220;
    let length = said.chars().count();
    if length <= BEGINNING + END {
        return said.to_owned();
    }
    let beginning: String = said.chars().take(BEGINNING).collect();
    let end: String = said.chars().skip(length - END).collect();
    format!("{beginning} … {end}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_much_is_asked_for_in_parts_and_what_is_wrong_is_not() {
        let samples = "query processing would load too many samples into memory in query execution";
        assert_eq!(remedy(422, samples), Remedy::Smaller);
        assert_eq!(remedy(503, "query timed out in expression evaluation"), Remedy::Smaller);
        assert_eq!(remedy(422, "found duplicate series for the match group"), Remedy::Nothing);
        assert_eq!(remedy(400, "parse error"), Remedy::Nothing);
        assert_eq!(remedy(400, "exceeded maximum resolution of 11,000 points per timeseries"), Remedy::Smaller);
        assert_eq!(remedy(429, "too many outstanding requests"), Remedy::Again);
        assert_eq!(remedy(503, ""), Remedy::Again);
        assert_eq!(remedy(503, "query timed out in query queue"), Remedy::Again);
        assert_eq!(remedy(503, "no endpoints available for service \"thanos-query\""), Remedy::Nothing);
        assert_eq!(remedy(401, "Unauthorized"), Remedy::Nothing);
    }

    /// As VictoriaMetrics 1.79.5 answers.
    #[test]
    fn a_query_that_stands_before_the_reason_is_no_reason() {
        let query = r#"max(kube_pod_container_resource_limits{namespace="limits"})"#;
        let body = |because: &str| {
            format!(
                r#"{{"status":"error","errorType":"422","error":"error when executing query=\"max(kube_pod_container_resource_limits{{namespace=\\\"limits\\\"}})\" on the time range (start=1795813072000, end=1795899472000, step=300000): {because}"}}"#
            )
        };
        let points = "too many points for the given step=300000, start=1795813072000 and end=1795899472000: 289; cannot exceed -search.maxPointsPerTimeseries=10";
        let said_of = |because: &str| said(body(because).as_bytes(), query);
        assert_eq!(remedy(422, &said_of(points)), Remedy::Smaller);
        let text = shown(&said_of(points));
        assert!(!text.contains("resource_limits") && text.ends_with("PointsPerTimeseries=10"), "{text}");
        assert_eq!(remedy(422, &said_of("duplicate timeseries on the left side of `+ on()`")), Remedy::Nothing);
        assert_eq!(
            remedy(422, &said_of("tagFilters=[{__name__=kube_pod_container_resource_limits}]: no space")),
            Remedy::Nothing
        );
    }

    /// As VictoriaMetrics 1.79.5 answers.
    #[test]
    fn a_server_that_others_ask_as_well_is_asked_again_and_not_for_parts() {
        let body = b"remoteAddr: \"127.0.0.1:45654\"; requestURI: /api/v1/query_range?end=1795899472&query=max%28limit%29&start=1794689872&step=300; cannot handle more than 1 concurrent search requests during 1ms; possible solutions: increase `-search.maxQueueDuration`; increase `-search.maxQueryDuration`; increase `-search.maxConcurrentRequests`; increase server capacity\n";
        let said = said(body, "max(limit)");
        assert_eq!(remedy(503, &said), Remedy::Again);
        assert!(!said.contains("max%28"), "{said}");
    }

    #[test]
    fn of_a_long_error_the_reason_at_its_end_is_shown() {
        let text = shown(&format!("expanding series: {} the reason", "x".repeat(1000)));
        assert!(text.starts_with("expanding series") && text.ends_with("the reason"), "{text}");
        assert!(text.chars().count() < 310);
        assert_eq!(shown("short"), "short");
    }
}
