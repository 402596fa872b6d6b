//! Where a repository is published: a directory, or a bucket of an S3-compatible store.
//!
//! A file appears whole or not at all, even if a process is killed, and never replaces one that must not change. The
//! meaning of the files and their order are up to `publish`.

mod bucket;
mod directory;
#[cfg(test)]
mod tests;
mod unflushed;

use std::path::PathBuf;

use futures_util::{StreamExt as _, TryStreamExt as _};
use url::Url;

use self::bucket::Bucket;
use self::directory::Directory;
use installer::error::{Code, Failure};
use installer::event::{Progress, Reporter};

/// A place where files are published, by paths such as `tuf/1.root.json`: relative, with `/`.
#[derive(Clone, Debug)]
pub enum Storage {
    /// A directory of this machine, which a web server serves.
    Directory(Directory),
    /// A bucket, or the keys with a prefix in it.
    Bucket(Bucket),
}

/// The kind of a file, which determines its cache time and media type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileClass {
    /// Signed metadata with a version in its name.
    Metadata,
    /// The one file of signed metadata that changes.
    Timestamp,
    /// A page with its hash in its name.
    HashedPage,
    /// A page for other installers, in HTML.
    HtmlPage,
    /// A page for other installers, in JSON.
    JsonPage,
    /// A wheel or source distribution, in a directory named by its hash.
    Distribution,
    /// The METADATA beside a distribution.
    CoreMetadata,
}

/// What is written.
#[derive(Clone, Debug)]
pub enum FileContent {
    /// Something small.
    Bytes(Vec<u8>),
    /// A file of any size, which must not change during the write.
    File(PathBuf),
}

/// The version of the bytes at a path, to detect changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectVersion(String);

/// The result of [`Storage::create`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CreateOutcome {
    /// The file was created.
    Written,
    /// A file exists already and is unchanged. Its bytes may be the same, for instance when the publisher was
    /// interrupted the last time.
    Exists,
}

/// The result of [`Storage::replace`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplaceOutcome {
    /// The new bytes are stored.
    Done,
    /// The present version is not the expected one and is unchanged: another publisher was faster.
    Changed,
}

/// An existing file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StorageEntry {
    /// As the other functions take it.
    pub path: String,
    /// Bytes.
    pub size: u64,
    /// When it was written, in seconds since 1970.
    pub modified: i64,
}

impl Storage {
    /// The storage that `location` names: a path, a `file:` URL, or `s3://bucket/prefix`. No request is sent and
    /// nothing is created yet. Keys and endpoint of a bucket come from the usual `AWS_` variables of the environment.
    ///
    /// # Errors
    /// Locations of another kind, and invalid variables.
    pub fn open(location: &str) -> Result<Self, Failure> {
        if location.starts_with("s3://") {
            return Ok(Self::Bucket(Bucket::from_environment(location)?));
        }
        if location.starts_with("file:") {
            let path = Url::parse(location).ok().and_then(|url| url.to_file_path().ok());
            let path =
                path.ok_or_else(|| unknown_location(location, "this file: URL is not the path of a directory"))?;
            return Directory::new(&path).map(Self::Directory);
        }
        match location.split_once("://") {
            Some((scheme, _)) => Err(unknown_location(location, &format!("nothing can be published by '{scheme}:'"))),
            None if location.is_empty() => Err(unknown_location(location, "it is empty")),
            None => Directory::new(location.as_ref()).map(Self::Directory),
        }
    }

    /// How many files are best written at once.
    pub fn parallel(&self) -> usize {
        match self {
            Self::Directory(_) => 4,
            Self::Bucket(_) => 16,
        }
    }

    /// Waits for changes, several at once, and counts them. Gives what became of them, in any order.
    ///
    /// # Errors
    /// The first one of a change; those under way are given up.
    pub async fn with_progress<T, C: Future<Output = Result<T, Failure>>>(
        &self,
        changes: impl Iterator<Item = C>,
        what: &'static str,
        total: usize,
        reporter: &dyn Reporter,
    ) -> Result<Vec<T>, Failure> {
        let mut changes = futures_util::stream::iter(changes).buffer_unordered(self.parallel());
        let mut done = Vec::with_capacity(total);
        while let Some(outcome) = changes.try_next().await? {
            done.push(outcome);
            reporter.progress(Progress::Counted { what, done: done.len(), total });
        }
        Ok(done)
    }

    /// The file under `path` and which version of it that is; `None` if there is none.
    ///
    /// # Errors
    /// A file of more than `limit` bytes, and a storage that cannot be read.
    pub async fn read(&self, path: &str, limit: u64) -> Result<Option<(Vec<u8>, ObjectVersion)>, Failure> {
        check_path(path)?;
        match self {
            Self::Directory(directory) => {
                let (directory, path) = (directory.clone(), path.to_owned());
                on_disk(move || directory.read(&path, limit)).await
            }
            Self::Bucket(bucket) => bucket.read(path, limit).await,
        }
    }

    /// Writes a file that does not exist yet. Of several processes that try, one writes.
    ///
    /// In a directory it survives a crash of the machine only after [`Storage::flush`].
    ///
    /// # Errors
    /// A storage that cannot be written, or content that cannot be read.
    pub async fn create(&self, path: &str, content: FileContent, class: FileClass) -> Result<CreateOutcome, Failure> {
        check_path(path)?;
        match self {
            Self::Directory(directory) => {
                let (directory, path) = (directory.clone(), path.to_owned());
                on_disk(move || directory.create(&path, &content, class)).await
            }
            Self::Bucket(bucket) => bucket.create(path, content, class).await,
        }
    }

    /// Replaces the `expected` version of a file, or creates it if that is `None`. Of several processes that expect the
    /// same, one writes. Everything that was written before survives a crash of the machine when the new bytes appear,
    /// and the new bytes do when this returns.
    ///
    /// # Errors
    /// A storage that cannot be written.
    pub async fn replace(
        &self,
        path: &str,
        bytes: &[u8],
        class: FileClass,
        expected: Option<&ObjectVersion>,
    ) -> Result<ReplaceOutcome, Failure> {
        check_path(path)?;
        match self {
            Self::Directory(directory) => {
                let (directory, path, bytes) = (directory.clone(), path.to_owned(), bytes.to_vec());
                let expected = expected.cloned();
                on_disk(move || directory.replace(&path, bytes, expected.as_ref())).await
            }
            Self::Bucket(bucket) => bucket.replace(path, bytes, class, expected).await,
        }
    }

    /// Writes a file, whatever was there.
    ///
    /// In a directory it survives a crash of the machine only after [`Storage::flush`].
    ///
    /// # Errors
    /// A storage that cannot be written, or content that cannot be read.
    pub async fn put(&self, path: &str, content: FileContent, class: FileClass) -> Result<(), Failure> {
        check_path(path)?;
        match self {
            Self::Directory(directory) => {
                let (directory, path) = (directory.clone(), path.to_owned());
                on_disk(move || directory.put(&path, &content)).await
            }
            Self::Bucket(bucket) => bucket.put(path, content, class).await,
        }
    }

    /// Waits until everything that was written survives a crash of the machine.
    ///
    /// # Errors
    /// When the disk refuses.
    pub async fn flush(&self) -> Result<(), Failure> {
        match self {
            Self::Directory(directory) => {
                let directory = directory.clone();
                on_disk(move || directory.flush()).await
            }
            // An object store keeps what it has acknowledged.
            Self::Bucket(_) => Ok(()),
        }
    }

    /// How many bytes the file under `path` has; `None` if there is none.
    ///
    /// # Errors
    /// A storage that cannot be read.
    pub async fn size(&self, path: &str) -> Result<Option<u64>, Failure> {
        check_path(path)?;
        match self {
            Self::Directory(directory) => {
                let (directory, path) = (directory.clone(), path.to_owned());
                on_disk(move || directory.size(&path)).await
            }
            Self::Bucket(bucket) => bucket.size(path).await,
        }
    }

    /// All files below the directory `below` (`""`: all), sorted by path.
    ///
    /// # Errors
    /// A storage that cannot be read.
    pub async fn list(&self, below: &str) -> Result<Vec<StorageEntry>, Failure> {
        if !below.is_empty() {
            check_path(below)?;
        }
        let mut listed = match self {
            Self::Directory(directory) => {
                let (directory, below) = (directory.clone(), below.to_owned());
                on_disk(move || directory.list(&below)).await?
            }
            Self::Bucket(bucket) => bucket.list(below).await?,
        };
        listed.sort_unstable_by(|one, other| one.path.cmp(&other.path));
        Ok(listed)
    }

    /// Removes a file, if it exists.
    ///
    /// # Errors
    /// A storage that cannot be written.
    pub async fn delete(&self, path: &str) -> Result<(), Failure> {
        check_path(path)?;
        match self {
            Self::Directory(directory) => {
                let (directory, path) = (directory.clone(), path.to_owned());
                on_disk(move || directory.delete(&path)).await
            }
            Self::Bucket(bucket) => bucket.delete(path).await,
        }
    }

    /// Removes unfinished files of publishers that were killed more than a day ago. In a bucket they are invisible; its
    /// lifecycle rules remove it.
    ///
    /// # Errors
    /// A storage that cannot be written.
    pub async fn remove_unfinished(&self) -> Result<(), Failure> {
        match self {
            Self::Directory(directory) => {
                let directory = directory.clone();
                on_disk(move || directory.remove_unfinished()).await
            }
            Self::Bucket(_) => Ok(()),
        }
    }
}

impl FileClass {
    /// What `Content-Type` says.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Metadata | Self::Timestamp => "application/json",
            // PEP 691.
            Self::HashedPage | Self::JsonPage => "application/vnd.pypi.simple.v1+json",
            Self::HtmlPage => "text/html; charset=utf-8",
            Self::Distribution | Self::CoreMetadata => "application/octet-stream",
        }
    }

    /// What `Cache-Control` says.
    pub fn cache_control(self) -> &'static str {
        match self {
            Self::Metadata | Self::HashedPage | Self::Distribution | Self::CoreMetadata => {
                "public, max-age=31536000, immutable"
            }
            Self::Timestamp => "max-age=30, must-revalidate",
            Self::HtmlPage | Self::JsonPage => "max-age=60, must-revalidate",
        }
    }

    /// Whether the path contains a hash of the content, so that the content can never differ.
    fn is_named_by_content(self) -> bool {
        matches!(self, Self::HashedPage | Self::Distribution | Self::CoreMetadata)
    }
}

/// Paths are made of names that were checked when they were added; a mistake there must not lead out of the storage.
fn check_path(path: &str) -> Result<(), Failure> {
    let is_name = |segment: &str| {
        !matches!(segment, "" | "." | "..")
            && !segment.starts_with(directory::HIDDEN)
            && !segment.contains(|character: char| character == '\\' || character.is_control())
    };
    if path.split('/').all(is_name) {
        return Ok(());
    }
    let message = format!("'{path}' is not the path of a file that can be published");
    Err(Failure::new(Code::RepoStoragePath, message))
}

fn unknown_location(location: &str, reason: &str) -> Failure {
    let location = Url::parse(location).map_or_else(|_| location.to_owned(), |url| printable::redacted_url(&url));
    Failure::usage(format!("Cannot publish to '{location}': {reason}"))
        .hint("give the path of a directory, a file: URL, or s3://BUCKET/PREFIX")
}

async fn on_disk<T: Send + 'static>(work: impl FnOnce() -> Result<T, Failure> + Send + 'static) -> Result<T, Failure> {
    let stopped = |error| {
        Failure::new(Code::Internal, format!("Writing to the disk ended unexpectedly: {error}")).caused_by(error)
    };
    tokio::task::spawn_blocking(work).await.map_err(stopped)?
}
