//! HTTP: one client for everything that is fetched, with retries and limits.
//!
//! Nothing else in the program opens a connection.

pub(crate) mod body;
pub(crate) mod client;
mod credentials;
mod remote_failure;
mod transport;

pub use client::{HttpClient, HttpResponse, PartialContent, ResponseLimits};
pub use credentials::Credentials;
pub use remote_failure::{NetworkCause, RemoteFailure};

/// The most bytes a distribution may have when the index does not say its size.
pub const MAXIMUM_DISTRIBUTION_SIZE: u64 = 8 << 30;

/// The path of a `file:` URL. ([`url::Url::to_file_path`] alone takes `http://localhost/` for one, too.)
pub fn local_path(url: &url::Url) -> Option<std::path::PathBuf> {
    (url.scheme() == "file").then(|| url.to_file_path().ok()).flatten()
}
