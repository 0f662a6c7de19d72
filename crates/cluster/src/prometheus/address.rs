//! Where a server is, and who asks. What is secret is sent and never shown.

use std::fmt;
use std::time::Duration;

use http::{HeaderName, HeaderValue};
use k8s_openapi::ByteString;
use kube::config::AuthInfo;
use kube::{Client, Config};

use crate::kube::innermost;

/// Where a server is and who asks.
#[derive(Clone, Default)]
pub struct Address {
    /// Its URL, with the path that the API stands under: `https://mimir.example/prometheus`. A user and password in it
    /// are taken out and sent as such.
    pub url: String,
    /// A bearer token.
    pub token: Option<String>,
    /// User and password.
    pub basic: Option<(String, String)>,
    /// Further headers, such as `X-Scope-OrgID`.
    pub headers: Vec<(String, String)>,
    /// The certificates that its own must be signed by, PEM; without them those of the system.
    pub authorities: Option<Vec<u8>>,
    /// How long one query may take.
    pub deadline: Duration,
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Address").field("url", &self.name()).field("deadline", &self.deadline).finish_non_exhaustive()
    }
}

/// Why a server cannot be asked.
#[derive(Debug, thiserror::Error)]
pub enum NoServer {
    /// No URL.
    #[error(
        "{url:?} is no URL of a Prometheus: {because}; write http://HOST:PORT, with the path that /api/v1 stands under"
    )]
    Url {
        /// As given, without user and password.
        url: String,
        /// What is wrong.
        because: String,
    },
    /// No header.
    #[error("the header {name:?} for the Prometheus cannot be sent; write NAME: VALUE")]
    Header {
        /// Its name. The value may be a secret.
        name: String,
    },
    /// No certificate.
    #[error("there is no certificate in the authorities for the Prometheus {url}; give a file in PEM")]
    Authorities {
        /// Its URL.
        url: String,
    },
    /// No client, as when the system has no certificates.
    #[error("cannot prepare a connection to the Prometheus {url}: {because}")]
    Client {
        /// Its URL.
        url: String,
        /// What is wrong.
        because: String,
    },
}

impl Address {
    /// The URL in parts: before the user, user and password, after them.
    fn parts(&self) -> (&str, Option<&str>, &str) {
        let Some((scheme, rest)) = self.url.split_once("://") else { return ("", None, &self.url) };
        let scheme = &self.url[..scheme.len() + 3];
        let authority = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        match rest[..authority].rfind('@') {
            Some(at) => (scheme, Some(&rest[..at]), &rest[at + 1..]),
            None => (scheme, None, rest),
        }
    }

    /// Its URL without what is secret.
    pub fn name(&self) -> String {
        let (scheme, _, rest) = self.parts();
        format!("{scheme}{rest}")
    }

    /// User and password, wherever they stand.
    fn login(&self) -> Option<(String, String)> {
        let in_url = || {
            let (user, password) = self.parts().1.map(|it| it.split_once(':').unwrap_or((it, "")))?;
            Some((decoded(user), decoded(password)))
        };
        self.basic.clone().or_else(in_url)
    }

    pub(super) fn headers(&self) -> Result<Vec<(HeaderName, HeaderValue)>, NoServer> {
        let header = |(name, value): &(String, String)| {
            let wrong = || NoServer::Header { name: name.clone() };
            let header = HeaderName::from_bytes(name.trim().as_bytes()).map_err(|_| wrong())?;
            let mut value = HeaderValue::from_str(value.trim()).map_err(|_| wrong())?;
            value.set_sensitive(true);
            Ok((header, value))
        };
        self.headers.iter().map(header).collect()
    }

    pub(super) fn client(&self) -> Result<Client, NoServer> {
        let url = self.name();
        let wrong = |because: String| NoServer::Url { url: url.clone(), because };
        let uri: http::Uri = url.parse().map_err(|error: http::uri::InvalidUri| wrong(error.to_string()))?;
        if !matches!(uri.scheme_str(), Some("http" | "https")) || uri.host().is_none() {
            return Err(wrong("it names no host by http or https".into()));
        }
        let mut config = Config::new(uri);
        config.default_retry = false; // the pauses that a query deserves stand beside it
        let (username, password) = self.login().unzip();
        let token = self.token.clone().map(Into::into);
        config.auth_info = AuthInfo { token, username, password: password.map(Into::into), ..AuthInfo::default() };
        if let Some(pem) = &self.authorities {
            let found = certificates(pem);
            if found.is_empty() {
                return Err(NoServer::Authorities { url });
            }
            config.root_cert = Some(found);
        }
        Client::try_from(config).map_err(|error| NoServer::Client { url, because: innermost(&error) })
    }
}

/// The certificates of a file in PEM, as DER.
fn certificates(pem: &[u8]) -> Vec<Vec<u8>> {
    let text = String::from_utf8_lossy(pem);
    let blocks = text.split("-----BEGIN CERTIFICATE-----").skip(1);
    let bodies = blocks.filter_map(|block| Some(block.split_once("-----END CERTIFICATE-----")?.0));
    let der = |body: &str| {
        let base64: String = body.split_whitespace().collect();
        serde_json::from_value::<ByteString>(base64.into()).ok().map(|bytes| bytes.0)
    };
    bodies.filter_map(der).filter(|bytes| !bytes.is_empty()).collect()
}

/// Without percent signs.
fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escaped = text.get(at + 1..at + 3).filter(|_| bytes[at] == b'%');
        let byte = escaped.and_then(|hex| u8::from_str_radix(hex, 16).ok());
        out.push(byte.unwrap_or(bytes[at]));
        at += if byte.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(url: &str) -> Address {
        Address { url: url.into(), ..Address::default() }
    }

    #[test]
    fn user_and_password_of_a_url_are_sent_and_never_shown() {
        let address = at("https://ann:s%40cret@mimir.example/prometheus");
        assert_eq!(address.login(), Some(("ann".into(), "s@cret".into())));
        assert_eq!(address.name(), "https://mimir.example/prometheus");
        let shown = format!("{address:?}");
        assert!(!shown.contains("ann") && !shown.contains("cret"), "{shown}");
        assert_eq!(at("http://h:9/a@b").login(), None);
        assert_eq!(at("http://h:9/a@b").name(), "http://h:9/a@b");
    }

    #[test]
    fn what_is_no_url_no_header_and_no_certificate_is_refused_without_secrets() {
        let because = at("ftp://ann:cret@host").client().err().unwrap().to_string();
        assert!(because.contains("ftp://host") && !because.contains("cret"), "{because}");
        let address = Address { headers: vec![("X Y".into(), "cret".into())], ..at("http://h") };
        let because = address.headers().err().unwrap().to_string();
        assert!(because.contains("X Y") && !because.contains("cret"), "{because}");
        let address = Address { authorities: Some(b"nothing".to_vec()), ..at("http://h") };
        assert!(matches!(address.client(), Err(NoServer::Authorities { .. })));
    }

    #[test]
    fn certificates_are_read_from_pem() {
        let pem = b"x\n-----BEGIN CERTIFICATE-----\nAQID\nBA==\n-----END CERTIFICATE-----\n-----BEGIN CERTIFICATE-----\nBQ==\n-----END CERTIFICATE-----\n";
        assert_eq!(certificates(pem), [vec![1, 2, 3, 4], vec![5]]);
        assert!(certificates(b"-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----").is_empty());
    }
}
