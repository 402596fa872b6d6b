//! HTTP: one client for everything that is fetched, with retry, caps and verified downloads.
//!
//! Nothing else in the program opens a connection.

mod body;
mod client;
mod credentials;
mod download;
mod remote_failure;
mod transport;

pub use client::{Client, Fetched, Limits, Part};
pub use credentials::{Credentials, redacted};
pub use download::{DownloadRequest, Downloader, MAXIMUM_SIZE, Proof, VerifiedFile, is_strong, local_path};
pub use remote_failure::{Cause, RemoteFailure};
