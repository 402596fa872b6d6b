//! The cache of unpacked wheels: each unpacked once per machine, then placed by link.
//!
//! Entries are named by the SHA-256 of the wheel and appear by one rename, so that several processes can share the
//! directory and a killed one leaves nothing that looks finished.

pub mod bytecode;

use std::path::{Path, PathBuf};

use wheel::{ArchiveLimits, Manifest, RecordPolicy, WheelArchive};

use crate::download::{DownloadRequest, Proof, VerifiedFile};
use crate::error::{Code, Failure};

/// A wheel whose bytes were verified and which is unpacked in the cache. Only the cache makes one.
#[derive(Clone, Debug)]
pub struct UnpackedWheel {
    directory: PathBuf,
    sha256: String,
    proof: Proof,
    manifest: Manifest,
}

impl UnpackedWheel {
    /// The root of the unpacked archive.
    pub fn tree(&self) -> PathBuf {
        self.directory.join("tree")
    }

    /// The store's own directory for this wheel; things derived from it are kept there, too.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// What the wheel consists of.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// SHA-256 of the wheel in hex.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// What the wheel was checked by in this command.
    pub fn proof(&self) -> Proof {
        self.proof
    }

    /// The METADATA file in the wheel.
    ///
    /// # Errors
    /// When the file is gone.
    pub fn raw_metadata(&self) -> Result<Vec<u8>, Failure> {
        let path = self.tree().join(&self.manifest.dist_info).join("METADATA");
        std::fs::read(&path).map_err(|error| unusable(&path, &error.to_string()))
    }
}

/// A directory of unpacked wheels.
#[derive(Clone, Debug)]
pub struct WheelCache {
    root: PathBuf,
}

impl WheelCache {
    /// The store in `root`, which need not exist yet.
    pub fn new(root: PathBuf) -> Self {
        Self { root }
    }

    /// The wheel that `request` asks for, if its hash is known and it was unpacked before.
    ///
    /// The entry's name is the hash that the index or the user gave, and it was made from bytes with that hash.
    pub fn find(&self, request: &DownloadRequest) -> Option<UnpackedWheel> {
        let sha256 = request.known_sha256()?;
        self.read(&sha256, request.proof_by_sha256(&sha256)?)
    }

    /// Whether such a wheel is in the cache; it may still prove unusable.
    pub fn has(&self, request: &DownloadRequest) -> bool {
        request.known_sha256().is_some_and(|sha256| self.root.join(sha256).join("manifest").exists())
    }

    /// Unpacks `file`, unless that was done before.
    ///
    /// # Errors
    /// When the wheel is refused (see the wheel crate) or the disk fails; then nothing of it is kept.
    pub fn add(&self, file: &VerifiedFile) -> Result<UnpackedWheel, Failure> {
        if let Some(found) = self.read(file.sha256(), file.proof()) {
            return Ok(found);
        }
        let filename = file.filename().parse().map_err(|_| {
            let shown = printable::line(file.filename());
            Failure::new(Code::RequirementsWheelName, format!("{shown} is not a valid wheel filename."))
        })?;
        let archive = WheelArchive::open(file.path(), &filename, &ArchiveLimits::default())?;
        let disk = |error: std::io::Error| unusable(&self.root, &error.to_string());
        std::fs::create_dir_all(&self.root).map_err(disk)?;
        let temporary = tempfile::Builder::new().prefix(".unpacking-").tempdir_in(&self.root).map_err(disk)?;
        let manifest = wheel::unpack(&archive, &temporary.path().join("tree"), RecordPolicy::Enforce)?;
        let bytes = postcard::to_allocvec(&manifest).map_err(|error| unusable(&self.root, &error.to_string()))?;
        std::fs::write(temporary.path().join("manifest"), bytes).map_err(disk)?;
        let directory = self.root.join(file.sha256());
        let staged = temporary.keep();
        publish_directory(&staged, &directory, || self.read(file.sha256(), file.proof()).is_some()).map_err(disk)?;
        // Read it back: if another process unpacked first, the files are its.
        self.read(file.sha256(), file.proof())
            .ok_or_else(|| unusable(&directory, "a wheel was unpacked and is not there"))
    }

    /// Forgets the wheel that a file of `tree`, or of the bytecode beside it, belongs to: another process changed it.
    pub fn forget(&self, tree: &Path) {
        if let Some(directory) = tree.parent().filter(|directory| directory.parent() == Some(&self.root)) {
            let _ = std::fs::remove_dir_all(directory);
        }
    }

    fn read(&self, sha256: &str, proof: Proof) -> Option<UnpackedWheel> {
        // The name comes from a server: it must not lead elsewhere.
        if sha256.len() != 64 || !sha256.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        let sha256 = sha256.to_ascii_lowercase();
        let directory = self.root.join(&sha256);
        let bytes = std::fs::read(directory.join("manifest")).ok()?;
        let manifest = postcard::from_bytes(&bytes).ok()?;
        Some(UnpackedWheel { directory, sha256, proof, manifest })
    }
}

/// Gives a finished directory its name in the cache. When the name is taken by another that `is_whole`, another process
/// was faster and its directory is as good; one that is not whole makes room.
///
/// # Errors
/// When the directory cannot be moved.
pub fn publish_directory(staged: &Path, name: &Path, is_whole: impl FnOnce() -> bool) -> std::io::Result<()> {
    let Err(error) = std::fs::rename(staged, name) else { return Ok(()) };
    if is_whole() {
        return std::fs::remove_dir_all(staged);
    }
    if std::fs::remove_dir_all(name).is_err() {
        return Err(error);
    }
    std::fs::rename(staged, name)
}

fn unusable(path: &Path, reason: &str) -> Failure {
    Failure::new(Code::Disk, format!("Could not use the cache at {}: {reason}", path.display()))
        .hint("free some space, remove that directory, or choose another place with --cache-dir")
}
