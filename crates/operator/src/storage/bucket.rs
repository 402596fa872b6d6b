//! A repository published in a bucket of an S3-compatible store.
//!
//! Concurrent publishers are kept apart by conditional requests (`If-None-Match: *`, `If-Match`), which the
//! store must support. Failed requests are retried; a conditional write carries a mark, so that one whose
//! answer got lost is not taken for that of another process.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path as FilePath, PathBuf};
use std::time::Duration;

use futures_util::TryStreamExt as _;
use object_store::aws::{AmazonS3, AmazonS3Builder, AmazonS3ConfigKey};
use object_store::client::HttpError;
use object_store::path::Path;
use object_store::{
    Attribute, Attributes, BackoffConfig, ClientConfigKey, Error, GetOptions, MultipartUpload, ObjectStore as _,
    ObjectStoreExt as _, PutMode, PutMultipartOptions, PutOptions, PutPayload, RetryConfig, UpdateVersion,
};

use super::{
    CreateOutcome, FileClass, FileContent, ObjectVersion, ReplaceOutcome, StorageEntry, check_path, on_disk,
    unknown_location,
};
use installer::error::{Code, Failure};

/// Larger files are sent in parts of this many bytes, one after the other. R2 and others require equal sizes.
const PART: u64 = 16 << 20;
/// How many times a conditional write with an unknown result is retried.
const CONDITIONAL_TRIES: usize = 3;
/// How long to wait before that.
const BETWEEN_TRIES: Duration = Duration::from_millis(500);
/// Where a conditional write leaves its mark.
const MARK: Attribute = Attribute::Metadata(Cow::Borrowed("tufpip-write"));

/// A bucket, or the keys with a prefix in it. Clones are the same bucket.
#[derive(Clone, Debug)]
pub struct Bucket {
    store: AmazonS3,
    name: String,
    /// The prefix of all keys: empty, or with `/` at its end.
    prefix: String,
}

/// Other sources of keys that the store's client knows. Without any it would look for the one of a machine in a cloud,
/// for minutes.
const OTHER_KEYS: [&str; 5] = [
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_METADATA_ENDPOINT",
    "AWS_SKIP_SIGNATURE",
];

impl Bucket {
    /// The bucket of `s3://bucket/prefix`, with keys and endpoint from the `AWS_` variables of the environment.
    pub fn from_environment(location: &str) -> Result<Self, Failure> {
        // Check the location first: it may contain a password, which no message may show.
        split(location)?;
        check_environment(location)?;
        Self::new(location, AmazonS3Builder::from_env())
    }

    /// The bucket of `s3://bucket/prefix`, with the keys and the endpoint of `builder`.
    pub(super) fn new(location: &str, builder: AmazonS3Builder) -> Result<Self, Failure> {
        let (name, prefix) = split(location)?;
        // Only the first call has an effect, and all calls are equal.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let store = builder
            .with_bucket_name(&name)
            .with_retry(patience())
            // One part on a slow line.
            .with_config(AmazonS3ConfigKey::Client(ClientConfigKey::Timeout), "300s")
            .with_config(
                AmazonS3ConfigKey::Client(ClientConfigKey::UserAgent),
                concat!("tufpip/", env!("CARGO_PKG_VERSION")),
            )
            // Not every store has the request that deletes many at once.
            .with_disable_bulk_delete(true)
            .build()
            .map_err(|error| unusable(&name, error))?;
        Ok(Self { store, name, prefix })
    }

    /// [`super::Storage::read`].
    pub async fn read(&self, path: &str, limit: u64) -> Result<Option<(Vec<u8>, ObjectVersion)>, Failure> {
        let failed = |error: Error| self.failed("read", path, error);
        let found = match self.store.get(&self.key(path)?).await {
            Err(Error::NotFound { .. }) => return Ok(None),
            found => found.map_err(failed)?,
        };
        let version = found.meta.e_tag.clone().map(ObjectVersion);
        let mut stream = found.into_stream();
        let mut bytes = Vec::new();
        while let Some(piece) = stream.try_next().await.map_err(failed)? {
            if (bytes.len() + piece.len()) as u64 > limit {
                let message = format!("{} has more than the {limit} bytes that such a file may have", self.shown(path));
                return Err(Failure::new(Code::RepoStorage, message));
            }
            bytes.extend_from_slice(&piece);
        }
        let missing = || {
            let message =
                format!("The store sends no ETag for {}, so that changes cannot be noticed", self.shown(path));
            Failure::new(Code::RepoStorage, message)
        };
        Ok(Some((bytes, version.ok_or_else(missing)?)))
    }

    /// [`super::Storage::create`]. A file that is sent in parts may be written by several that begin at the same time:
    /// distributions are, and their paths have hashes of them.
    pub async fn create(&self, path: &str, content: FileContent, class: FileClass) -> Result<CreateOutcome, Failure> {
        let bytes = match content {
            FileContent::Bytes(bytes) => bytes,
            FileContent::File(source) => {
                // A HEAD request is cheaper than an upload.
                if self.size(path).await?.is_some() {
                    return Ok(CreateOutcome::Exists);
                }
                match whole(source).await? {
                    UploadSource::Small(bytes) => bytes,
                    UploadSource::Large(source) => {
                        return self.put_parts(path, source, class).await.map(|()| CreateOutcome::Written);
                    }
                }
            }
        };
        match self.write_if(path, bytes, class, None).await? {
            ReplaceOutcome::Done => Ok(CreateOutcome::Written),
            ReplaceOutcome::Changed => Ok(CreateOutcome::Exists),
        }
    }

    /// [`super::Storage::replace`].
    pub async fn replace(
        &self,
        path: &str,
        bytes: &[u8],
        class: FileClass,
        expected: Option<&ObjectVersion>,
    ) -> Result<ReplaceOutcome, Failure> {
        self.write_if(path, bytes.to_vec(), class, expected).await
    }

    /// [`super::Storage::put`].
    pub async fn put(&self, path: &str, content: FileContent, class: FileClass) -> Result<(), Failure> {
        let bytes = match content {
            FileContent::Bytes(bytes) => bytes,
            FileContent::File(source) => match whole(source).await? {
                UploadSource::Small(bytes) => bytes,
                UploadSource::Large(source) => return self.put_parts(path, source, class).await,
            },
        };
        let options = PutOptions { attributes: attributes(class), ..PutOptions::default() };
        let put = self.store.put_opts(&self.key(path)?, bytes.into(), options).await;
        put.map(drop).map_err(|error| self.failed("write", path, error))
    }

    /// [`super::Storage::size`].
    pub async fn size(&self, path: &str) -> Result<Option<u64>, Failure> {
        match self.store.head(&self.key(path)?).await {
            Ok(found) => Ok(Some(found.size)),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(self.failed("read", path, error)),
        }
    }

    /// [`super::Storage::list`], in any order.
    pub async fn list(&self, below: &str) -> Result<Vec<StorageEntry>, Failure> {
        let failed = |error: Error| self.failed("list", below, error);
        let key = self.key(below)?;
        let mut objects = self.store.list((!key.as_ref().is_empty()).then_some(&key));
        let mut listed = Vec::new();
        while let Some(object) = objects.try_next().await.map_err(failed)? {
            let Some(path) = object.location.as_ref().strip_prefix(&self.prefix) else { continue };
            let modified = object.last_modified.timestamp();
            listed.push(StorageEntry { path: path.to_owned(), size: object.size, modified });
        }
        Ok(listed)
    }

    /// [`super::Storage::delete`].
    pub async fn delete(&self, path: &str) -> Result<(), Failure> {
        match self.store.delete(&self.key(path)?).await {
            Ok(()) | Err(Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(self.failed("remove", path, error)),
        }
    }

    /// Writes an object if it is as expected.
    async fn write_if(
        &self,
        path: &str,
        bytes: Vec<u8>,
        class: FileClass,
        expected: Option<&ObjectVersion>,
    ) -> Result<ReplaceOutcome, Failure> {
        let (key, payload, mark) = (self.key(path)?, PutPayload::from(bytes), mark()?);
        let expected = expected.map(|ObjectVersion(e_tag)| e_tag.clone());
        let mut tries_left = CONDITIONAL_TRIES;
        loop {
            let mode = match &expected {
                None => PutMode::Create,
                Some(e_tag) => PutMode::Update(UpdateVersion { e_tag: Some(e_tag.clone()), version: None }),
            };
            let mut attributes = attributes(class);
            attributes.insert(MARK, mark.clone().into());
            let options = PutOptions { mode, attributes, ..PutOptions::default() };
            let error = match self.store.put_opts(&key, payload.clone(), options).await {
                Ok(_) => return Ok(ReplaceOutcome::Done),
                Err(error) => error,
            };
            tries_left -= 1;
            if matches!(error, Error::Precondition { .. } | Error::AlreadyExists { .. } | Error::NotModified { .. }) {
                let (present, present_mark) = self.present(path, &key).await?;
                if present_mark.as_ref() == Some(&mark) {
                    return Ok(ReplaceOutcome::Done);
                }
                // Otherwise it is unchanged, and another process was about to change it.
                if present != expected {
                    return Ok(ReplaceOutcome::Changed);
                }
            } else if !is_of_the_network(&error) {
                return Err(self.failed("write", path, error));
            }
            if tries_left == 0 {
                return Err(self.failed("write", path, error));
            }
            tokio::time::sleep(BETWEEN_TRIES).await;
        }
    }

    /// ETag and mark of an object, if it exists.
    async fn present(&self, path: &str, key: &Path) -> Result<(Option<String>, Option<String>), Failure> {
        match self.store.get_opts(key, GetOptions { head: true, ..GetOptions::default() }).await {
            Ok(found) => Ok((found.meta.e_tag, found.attributes.get(&MARK).map(|mark| mark.as_ref().to_owned()))),
            Err(Error::NotFound { .. }) => Ok((None, None)),
            Err(error) => Err(self.failed("read", path, error)),
        }
    }

    /// Sends a large file. It is invisible until it is complete.
    async fn put_parts(&self, path: &str, source: PathBuf, class: FileClass) -> Result<(), Failure> {
        let failed = |error: Error| self.failed("write", path, error);
        let options = PutMultipartOptions { attributes: attributes(class), ..PutMultipartOptions::default() };
        let started = self.store.put_multipart_opts(&self.key(path)?, options).await;
        let mut upload = started.map_err(failed)?;
        let sent = match self.send_parts(path, &source, upload.as_mut()).await {
            Ok(()) => upload.complete().await.map(drop).map_err(failed),
            Err(failure) => Err(failure),
        };
        if sent.is_err() {
            // An incomplete upload costs money until a lifecycle rule removes it; the abort is best effort.
            let _ = upload.abort().await;
        }
        sent
    }

    async fn send_parts(&self, path: &str, source: &FilePath, upload: &mut dyn MultipartUpload) -> Result<(), Failure> {
        let mut file = File::open(source).map_err(|error| unreadable(source, error))?;
        loop {
            let (next_file, part) = on_disk(move || Ok(next_part(file))).await?;
            file = next_file;
            let part = part.map_err(|error| unreadable(source, error))?;
            if part.is_empty() {
                return Ok(());
            }
            upload.put_part(part.into()).await.map_err(|error| self.failed("write", path, error))?;
        }
    }

    fn key(&self, path: &str) -> Result<Path, Failure> {
        let key = format!("{}{path}", self.prefix);
        Path::parse(key.trim_end_matches('/')).map_err(|error| self.failed("use", path, error.into()))
    }

    fn shown(&self, path: &str) -> String {
        format!("s3://{}/{}{path}", self.name, self.prefix)
    }

    fn failed(&self, action: &str, path: &str, error: Error) -> Failure {
        let place = self.shown(path);
        match status(&error) {
            Some(401 | 403) => {
                let message = format!("The store does not let this user {action} {place}");
                Failure::new(Code::RepoStorageRefused, message).hint(
                    "check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and that they may list, read, write and delete there",
                )
            }
            Some(404) => Failure::new(
                Code::RepoStorage,
                format!("Could not {action} {place}: there is no such bucket"),
            )
            .hint("make the bucket first; check AWS_ENDPOINT_URL if the store is not Amazon's"),
            _ if is_of_the_network(&error) => {
                let message = format!("Could not {action} {place}: the store does not answer as it should");
                Failure::new(Code::RepoStorageUnreachable, message)
                    .hint("try again; check AWS_ENDPOINT_URL if the store is not Amazon's")
            }
            _ => Failure::new(Code::RepoStorage, format!("Could not {action} {place}")),
        }
        .detail("cause", cause(&error))
        .caused_by(error)
    }
}

/// A file to send.
enum UploadSource {
    /// In one request.
    Small(Vec<u8>),
    /// In parts.
    Large(PathBuf),
}

async fn whole(source: PathBuf) -> Result<UploadSource, Failure> {
    on_disk(move || {
        let read = || match source.metadata()?.len() {
            0..=PART => std::fs::read(&source).map(UploadSource::Small),
            _ => Ok(UploadSource::Large(source.clone())),
        };
        read().map_err(|error| unreadable(&source, error))
    })
    .await
}

/// The next part of `file`, empty at its end.
fn next_part(mut file: File) -> (File, io::Result<Vec<u8>>) {
    let mut part = Vec::new();
    let read = (&mut file).take(PART).read_to_end(&mut part);
    (file, read.map(|_| part))
}

fn attributes(class: FileClass) -> Attributes {
    Attributes::from_iter([
        (Attribute::ContentType, class.content_type()),
        (Attribute::CacheControl, class.cache_control()),
    ])
}

/// Retries for somewhat less than a minute, then fails.
fn patience() -> RetryConfig {
    let backoff =
        BackoffConfig { init_backoff: Duration::from_millis(100), max_backoff: Duration::from_secs(5), base: 2.0 };
    RetryConfig { backoff, max_retries: 6, retry_timeout: Duration::from_secs(60) }
}

/// A unique mark, which shows whether this write happened when its answer got lost.
fn mark() -> Result<String, Failure> {
    let mut mark = [0; 16];
    let filled = rustls::crypto::ring::default_provider().secure_random.fill(&mut mark);
    filled.map_err(|_| Failure::new(Code::Internal, "The system gives no random numbers"))?;
    Ok(hex::encode(mark))
}

/// Whether a retry may succeed: no answer, or a temporary failure.
fn is_of_the_network(error: &Error) -> bool {
    match status(error) {
        Some(status) => status >= 500 || matches!(status, 408 | 409 | 429),
        None => chain(error).any(|error| error.is::<HttpError>()),
    }
}

/// The status of the store's answer, which the library gives as text only.
fn status(error: &Error) -> Option<u16> {
    chain(error).find_map(|error| {
        let text = error.to_string();
        text.split_once("status code: ")?.1.get(..3)?.parse().ok()
    })
}

/// What is wrong, without what was sent: the answer to a wrong signature repeats session tokens.
fn cause(error: &Error) -> String {
    let innermost = chain(error).last().map(ToString::to_string).unwrap_or_default();
    let field = |name: &str| {
        let (_, rest) = innermost.split_once(&format!("<{name}>"))?;
        rest.split_once("</").map(|(text, _)| text.chars().take(300).collect::<String>())
    };
    match (field("Code"), field("Message")) {
        (Some(code), Some(message)) => format!("{code}: {message}"),
        (Some(code), None) => code,
        _ => innermost.split('<').next().unwrap_or_default().trim_end_matches([':', ' ']).chars().take(300).collect(),
    }
}

fn chain(error: &Error) -> impl Iterator<Item = &(dyn std::error::Error + 'static)> {
    std::iter::successors(Some(error as &(dyn std::error::Error + 'static)), |error| error.source())
}

/// The name of the bucket, and the prefix of its keys: empty, or with a slash at the end.
fn split(location: &str) -> Result<(String, String), Failure> {
    let rest = location.strip_prefix("s3://").unwrap_or(location);
    let (name, prefix) = rest.split_once('/').unwrap_or((rest, ""));
    let is_name = |character: char| character.is_ascii_alphanumeric() || matches!(character, '.' | '-' | '_');
    if name.is_empty() || !name.chars().all(is_name) || prefix.contains(['?', '#']) {
        return Err(unknown_location(location, "a bucket is s3://BUCKET or s3://BUCKET/PREFIX, and nothing else"));
    }
    let mut prefix = prefix.trim_matches('/').to_owned();
    if !prefix.is_empty() {
        check_path(&prefix)?;
        prefix.push('/');
    }
    Ok((name.to_owned(), prefix))
}

/// Reports missing variables before any request.
fn check_environment(location: &str) -> Result<(), Failure> {
    let value = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"] {
        if value(name).is_none() && !OTHER_KEYS.iter().any(|name| value(name).is_some()) {
            return Err(Failure::usage(format!("Cannot publish to '{location}': {name} is not set"))
                .hint("AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY say who writes to the bucket")
                .hint("for the role of a machine, set AWS_METADATA_ENDPOINT to where its keys are"));
        }
    }
    let endpoint = value("AWS_ENDPOINT_URL").or_else(|| value("AWS_ENDPOINT")).unwrap_or_default();
    if endpoint.starts_with("http://") && value("AWS_ALLOW_HTTP").is_none() {
        return Err(Failure::usage("The bucket would be written over plain http, where others can read and change it")
            .hint("if nobody else is on the way, for instance on this machine, set AWS_ALLOW_HTTP=true"));
    }
    Ok(())
}

fn unusable(bucket: &str, error: Error) -> Failure {
    Failure::usage(format!("Cannot publish to the bucket '{bucket}'"))
        .detail("cause", cause(&error))
        .hint(
            "give the store's address in AWS_ENDPOINT_URL, and AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; \
             an address that begins with http: needs AWS_ALLOW_HTTP=true",
        )
        .caused_by(error)
}

fn unreadable(source: &FilePath, error: io::Error) -> Failure {
    Failure::new(Code::RepoStorage, format!("Could not read {}: {error}", source.display())).caused_by(error)
}
