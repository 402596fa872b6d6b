//! How connections are made: certificates, proxies and timeouts. One reqwest client for each kind of security, built
//! when it is first needed, because reading certificate authorities costs milliseconds.

use std::path::{Path, PathBuf};
use std::sync::{OnceLock, PoisonError, RwLock};

use reqwest::{Certificate, Identity};
use url::{Host, Url};

use super::{NetworkCause, RemoteFailure};
use crate::error::{Code, Failure};
use crate::options::{NetworkOptions, Proxy};

/// Makes connections as the settings say.
pub(super) struct Transport {
    settings: NetworkOptions,
    trusted_hosts: RwLock<Vec<String>>,
    plain: OnceLock<reqwest::Client>,
    checked: OnceLock<reqwest::Client>,
    unchecked: OnceLock<reqwest::Client>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum TlsMode {
    /// No TLS at all.
    Plain,
    /// TLS with certificates that are checked.
    Checked,
    /// TLS to a host of `--trusted-host`.
    Unchecked,
}

impl Transport {
    pub fn new(settings: NetworkOptions) -> Self {
        Self {
            trusted_hosts: RwLock::new(settings.trusted_hosts.clone()),
            settings,
            plain: OnceLock::new(),
            checked: OnceLock::new(),
            unchecked: OnceLock::new(),
        }
    }

    pub fn trust_hosts(&self, hosts: &[String]) {
        self.trusted_hosts.write().unwrap_or_else(PoisonError::into_inner).extend_from_slice(hosts);
    }

    /// The client for `url`.
    ///
    /// # Errors
    /// Schemes other than http and https, and settings that cannot be used.
    pub fn client(&self, url: &Url) -> Result<&reqwest::Client, RemoteFailure> {
        let (security, cell) = match url.scheme() {
            "http" if !self.proxy_speaks_tls() => (TlsMode::Plain, &self.plain),
            "https" if self.is_trusted(url) => (TlsMode::Unchecked, &self.unchecked),
            "http" | "https" => (TlsMode::Checked, &self.checked),
            other => {
                let reason = format!("'{other}' is no scheme that can be fetched");
                return Err(RemoteFailure::new(url, NetworkCause::Unsupported(reason)));
            }
        };
        if let Some(client) = cell.get() {
            return Ok(client);
        }
        let client =
            self.build(security).map_err(|failure| RemoteFailure::new(url, NetworkCause::Settings(failure)))?;
        Ok(cell.get_or_init(|| client))
    }

    /// Whether content from `url` cannot be altered in transit, or the user accepts that it can.
    pub fn is_secure_origin(&self, url: &Url) -> bool {
        matches!(url.scheme(), "https" | "file") || is_loopback(url) || self.is_trusted(url)
    }

    /// Whether content from `url` cannot be altered in transit.
    pub fn is_authentic(&self, url: &Url) -> bool {
        url.scheme() == "file" || is_loopback(url) || (url.scheme() == "https" && !self.is_trusted(url))
    }

    /// Whether the user named this host with `--trusted-host`.
    fn is_trusted(&self, url: &Url) -> bool {
        let Some(host) = url.host_str() else { return false };
        let trusted_hosts = self.trusted_hosts.read().unwrap_or_else(PoisonError::into_inner);
        trusted_hosts.iter().any(|trusted| match trusted.rsplit_once(':') {
            // An IPv6 address without brackets is all colons and has no port.
            Some((name, port)) if !name.contains(':') || name.ends_with(']') => {
                name.eq_ignore_ascii_case(host) && port.parse().ok() == url.port_or_known_default()
            }
            _ => trusted.trim_matches(['[', ']']).eq_ignore_ascii_case(host.trim_matches(['[', ']'])),
        })
    }

    /// A proxy that is used over TLS needs certificates even for plain http.
    fn proxy_speaks_tls(&self) -> bool {
        let is_https = |address: &str| address.starts_with("https:");
        match &self.settings.proxy {
            Proxy::Off => false,
            Proxy::Url(address) => is_https(address),
            Proxy::Environment => ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"]
                .iter()
                .any(|name| std::env::var(name).is_ok_and(|address| is_https(&address))),
        }
    }

    fn build(&self, security: TlsMode) -> Result<reqwest::Client, Failure> {
        let settings = &self.settings;
        // Only the first call has an effect, and all calls are equal.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("tufpip/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(settings.timeout)
            .read_timeout(settings.timeout)
            // A sane server sends far less than 64 KiB of headers.
            .http2_max_header_list_size(64 << 10);
        builder = match &settings.proxy {
            Proxy::Environment => builder,
            Proxy::Off => builder.no_proxy(),
            Proxy::Url(address) => builder.proxy(proxy(address)?),
        };
        if security == TlsMode::Plain {
            builder = builder.tls_certs_only([]);
        } else if let Some(path) = &settings.client_cert {
            builder = builder.identity(read_identity(path)?);
        }
        let bundle = certificate_bundle(settings).filter(|_| security == TlsMode::Checked);
        builder = match (security, &bundle) {
            (TlsMode::Unchecked, _) => builder.tls_danger_accept_invalid_certs(true),
            (TlsMode::Checked, Some(path)) => builder.tls_certs_only(read_certificates(path)?),
            _ => builder,
        };
        builder.build().map_err(|error| match bundle {
            Some(path) => unusable_bundle(&path, root_cause(&error)),
            None => {
                Failure::new(Code::NetSettings, "Could not set up connections with the certificates of this machine")
                    .detail("cause", root_cause(&error))
                    .hint(
                        "look at SSL_CERT_FILE and SSL_CERT_DIR, or name a file of certificate authorities with --cert",
                    )
            }
        })
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// The address may contain a password, so that only its scheme is ever shown.
fn proxy(address: &str) -> Result<reqwest::Proxy, Failure> {
    let unusable = || {
        Failure::usage("the address given to --proxy is not usable").hint(
            "give it as http://HOST:PORT or https://…, with NAME:PASSWORD and an @ before HOST where it asks for them; \
                 other kinds of proxies are not supported",
        )
    };
    match address.split_once("://") {
        None | Some(("http" | "https", _)) => reqwest::Proxy::all(address).map_err(|_| unusable()),
        Some(_) => Err(unusable()),
    }
}

/// What replaces the system's certificate authorities: `--cert`, or the variables that requests and curl honour.
fn certificate_bundle(settings: &NetworkOptions) -> Option<PathBuf> {
    settings.cert.clone().or_else(|| {
        ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"]
            .iter()
            .filter_map(std::env::var_os)
            .find(|value| !value.is_empty())
            .map(PathBuf::from)
    })
}

/// A bundle that was named but gives no certificate is an error: falling back to other authorities would be silent.
/// A directory gives the certificates of all its files.
fn read_certificates(path: &Path) -> Result<Vec<Certificate>, Failure> {
    let wrong = |reason: String| unusable_bundle(path, reason);
    let unreadable = |error: std::io::Error| wrong(error.to_string());
    let mut certificates = Vec::new();
    if path.is_dir() {
        for entry in std::fs::read_dir(path).map_err(unreadable)? {
            let Ok(bytes) = std::fs::read(entry.map_err(unreadable)?.path()) else { continue };
            certificates.extend(Certificate::from_pem_bundle(&bytes).unwrap_or_default());
        }
    } else {
        let bytes = std::fs::read(path).map_err(unreadable)?;
        certificates = Certificate::from_pem_bundle(&bytes).map_err(|error| wrong(root_cause(&error)))?;
    }
    if certificates.is_empty() {
        return Err(wrong("there is no certificate in it".to_owned()));
    }
    Ok(certificates)
}

fn unusable_bundle(path: &Path, reason: String) -> Failure {
    let message = format!("Could not find a suitable TLS CA certificate bundle, invalid path: {}", path.display());
    Failure::new(Code::NetCertificateFile, message)
        .detail("cause", reason)
        .hint("give --cert a PEM file with at least one certificate")
}

/// The certificate and private key this machine shows to servers.
fn read_identity(path: &Path) -> Result<Identity, Failure> {
    let wrong = |reason: String| {
        let message = format!("Could not find the TLS certificate file, invalid path: {}", path.display());
        Failure::new(Code::NetCertificateFile, message)
            .detail("cause", reason)
            .hint("give --client-cert one PEM file with the private key and its certificate")
    };
    let bytes = std::fs::read(path).map_err(|error| wrong(error.to_string()))?;
    Identity::from_pem(&bytes).map_err(|error| wrong(root_cause(&error)))
}

/// The innermost error of the chain: the outer ones only say that something failed.
pub(super) fn root_cause(error: &dyn std::error::Error) -> String {
    let mut current = error;
    while let Some(source) = current.source() {
        current = source;
    }
    printable::line(&current.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn transport(trusted_hosts: &[&str]) -> Transport {
        Transport::new(NetworkOptions {
            proxy: Proxy::Off,
            timeout: std::time::Duration::from_secs(15),
            retries: 0,
            resume_retries: 0,
            cert: None,
            client_cert: None,
            trusted_hosts: trusted_hosts.iter().map(|host| (*host).to_owned()).collect(),
            cache_dir: None,
            offline: false,
        })
    }

    #[test]
    fn only_loopback_https_and_trusted_hosts_are_secure() {
        let transport = transport(&["pkgs.example.org", "other.example.org:8080", "::2", "[::3]:81"]);
        for (url, secure) in [
            ("https://anything.example.org/", true),
            ("file:///srv/simple", true),
            ("http://localhost:8000/", true),
            ("http://127.1.2.3/", true),
            ("http://[::1]/", true),
            ("http://localhost.example.org/", false),
            ("http://128.0.0.1/", false),
            ("http://pkgs.example.org/", true),
            ("http://PKGS.example.org:99/", true),
            ("http://sub.pkgs.example.org/", false),
            ("http://other.example.org:8080/", true),
            ("http://other.example.org/", false),
            ("http://[::2]:7/", true),
            ("http://[::3]:81/", true),
            ("http://[::3]/", false),
        ] {
            assert_eq!(transport.is_secure_origin(&url.parse().unwrap()), secure, "{url}");
        }
        for (url, authentic) in [
            ("https://anything.example.org/", true),
            ("https://pkgs.example.org/", false),
            ("http://pkgs.example.org/", false),
            ("http://127.0.0.1:8000/", true),
            ("http://anything.example.org/", false),
        ] {
            assert_eq!(transport.is_authentic(&url.parse().unwrap()), authentic, "{url}");
        }
    }
}
