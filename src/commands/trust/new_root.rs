//! A root that is about to be trusted: where it comes from, whether it is the intended one, and whether it is valid.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use reqwest::header::{CACHE_CONTROL, HeaderMap, HeaderValue};
use sha2::{Digest as _, Sha256};
use tuf::metadata::{Root, TopLevelRole};
use tuf::{Client, Mode, UnixTime};
use url::Url;

use super::add::RootSource;
use super::key_text;
use crate::terminal::Terminal;
use installer::context::Context;
use installer::error::{Code, Failure, Source};
use installer::net::{ResponseLimits, local_path};
use installer::trust::{AnchorKind, unix_now};

/// A root that its own keys signed.
pub struct NewRoot {
    /// The file.
    pub bytes: Vec<u8>,
    /// Its content.
    pub root: Root,
    /// SHA-256 of the file in hex.
    pub sha256: String,
    /// Why it is trusted.
    pub kind: AnchorKind,
    /// The file or URL, without secrets.
    pub source: String,
}

impl NewRoot {
    /// Reads or fetches a root. One that is trusted on first use comes from `metadata_url`.
    ///
    /// # Errors
    /// When it cannot be fetched, has the wrong hash, or is not signed by its own keys.
    pub async fn obtain(
        source: &RootSource,
        metadata_url: &Url,
        context: &Context,
        terminal: &Terminal,
    ) -> Result<Self, Failure> {
        let (bytes, kind, source, expected) = match source {
            RootSource::File { path, sha256 } => {
                let name = std::path::absolute(path).unwrap_or_else(|_| path.clone()).display().to_string();
                (read(path)?, AnchorKind::File, name, sha256.as_ref())
            }
            RootSource::Url { url, sha256 } => {
                (fetch(url, context).await?, AnchorKind::Url, printable::redacted_url(url), Some(sha256))
            }
            RootSource::FirstUse => {
                let url = metadata_url.join("1.root.json").unwrap_or_else(|_| metadata_url.clone());
                warn_if_insecure(&url, context, terminal);
                (fetch(&url, context).await?, AnchorKind::FirstUse, printable::redacted_url(&url), None)
            }
        };
        let sha256 = hex::encode(Sha256::digest(&bytes));
        if let Some(expected) = expected
            && *expected != sha256
        {
            return Err(other_hash(&source, expected, &sha256));
        }
        let root = verified(&bytes).map_err(|error| unusable(&source, &bytes, error))?;
        Ok(Self { bytes, root, sha256, kind, source })
    }

    /// Prints what the user compares with the operator's statement.
    pub fn print(&self, now: UnixTime, terminal: &Terminal) {
        terminal.line(&format!(
            "  root      version {}, {}",
            self.root.version,
            key_text::expiry(self.root.expires, now)
        ));
        terminal.line(&format!("  sha256    {}", self.sha256));
        let role = self.root.role(TopLevelRole::Root);
        terminal.line(&format!("  keys      {} of these must sign the next root:", role.threshold));
        for id in &role.key_ids {
            terminal.line(&format!("            {}", key_text::whole_key(id, self.root.keys.get(id))));
        }
    }
}

fn verified(bytes: &[u8]) -> Result<Root, tuf::Error> {
    let client = Client::new(bytes, unix_now(), Mode::Offline, tuf::Limits::default())?;
    Ok(client.root().clone())
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let limit = tuf::Limits::default().root_size;
    let unreadable = |cause: Source| {
        Failure::new(Code::TrustRoot, format!("Could not read the root {}: {cause}", path.display()))
            .caused_by(cause)
            .hint("name the file with the root metadata of the index, such as 1.root.json")
    };
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|error| unreadable(error.into()))?;
    file.take(limit + 1).read_to_end(&mut bytes).map_err(|error| unreadable(error.into()))?;
    if bytes.len() as u64 > limit {
        return Err(unreadable(format!("it has more than {limit} bytes, which no root has").into()));
    }
    Ok(bytes)
}

async fn fetch(url: &Url, context: &Context) -> Result<Vec<u8>, Failure> {
    if let Some(path) = local_path(url) {
        return read(&path);
    }
    context.client.add_origins_of([url.clone()]);
    let mut headers = HeaderMap::new();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    let limits = ResponseLimits { bytes: tuf::Limits::default().root_size, ..ResponseLimits::METADATA };
    Ok(context.client.get(url, &headers, limits).await?.body)
}

fn warn_if_insecure(url: &Url, context: &Context, terminal: &Terminal) {
    if url.scheme() != "file" && !context.client.is_secure_origin(url) {
        terminal.warning(&format!(
            "The root comes from {} without a secure connection: anybody on the network may have replaced it.",
            printable::redacted_url(url)
        ));
    }
}

fn other_hash(source: &str, expected: &str, received: &str) -> Failure {
    Failure::new(Code::TrustRootHash, format!("Refused the root {}", printable::line(source)))
        .detail("expected", format!("sha256 {expected}"))
        .detail("received", format!("sha256 {received}"))
        .detail("meaning", "it is not the root that --root-sha256 speaks of; nothing was changed")
        .hint("compare the hash with what the operator of the index publishes; if it is right, the file was replaced")
}

/// What was given instead of metadata, if that is easy to see.
fn other_format(bytes: &[u8]) -> Option<&'static str> {
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
    let begins_with =
        |beginning: &[u8]| text.get(..beginning.len()).is_some_and(|found| found.eq_ignore_ascii_case(beginning));
    if text.is_empty() {
        Some("an empty file")
    } else if begins_with(b"<!doctype html") || begins_with(b"<html") {
        Some("an HTML page")
    } else if begins_with(b"<") {
        Some("an XML file")
    } else if begins_with(b"-----BEGIN ") {
        Some("a PEM file")
    } else if begins_with(b"\x1f\x8b") {
        Some("a gzip archive")
    } else {
        let error = serde_json::from_slice::<serde_json::Value>(bytes).err()?;
        (begins_with(b"{") && error.is_eof()).then_some("a file that was cut off")
    }
}

fn unusable(source: &str, bytes: &[u8], error: tuf::Error) -> Failure {
    let received = match other_format(bytes) {
        Some(format) => format!("{format} ({})", error.found()),
        None => error.found().to_owned(),
    };
    Failure::new(Code::TrustRoot, format!("{} cannot be trusted as a root", printable::line(source)))
        .detail("expected", printable::line(error.expected()))
        .detail("received", printable::line(&received))
        .detail("meaning", "it is no root metadata that its own keys signed; nothing was changed")
        .hint("get the root from the operator of the index once more")
        .caused_by(error)
}
