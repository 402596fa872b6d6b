//! The cache of unpacked wheels: each unpacked once per machine, then placed by link.
//!
//! Entries are named by the SHA-256 of the wheel and appear by one rename, so that several processes can share the
//! directory and a killed one leaves nothing that looks finished.
//!
//! An entry proves itself: its manifest is sealed with the user's key ([`local_key`](crate::local_key)). One without such
//! a seal, or that others own or may write to, is made again from the verified wheel; where that is not possible, or there
//! is no key, wheels are unpacked for this command alone.

pub mod bytecode;
mod check;

use std::collections::HashMap;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;
use wheel::{ArchiveLimits, BytecodeFile, LinkTimes, Manifest, RecordPolicy, SealKey, WheelArchive};

use crate::cache;
use crate::download::{DownloadRequest, Proof, VerifiedFile};
use crate::error::{Code, Failure};
use crate::local_key::LocalKey;
use crate::ownership;
use bytecode::Bytecode;

/// How often an entry is made again in the cache before it is made for this command alone.
const PATIENCE: u32 = 2;
/// How often entries are made again before everything is: where a user with another key works in the same cache, each undoes
/// what the other did.
const PATIENCE_IN_ALL: u32 = 4;
const MANIFEST: &str = "manifest";
const TIMES: &str = "times";

/// A wheel whose bytes were verified and which is unpacked in the cache. Only the cache makes one.
#[derive(Clone, Debug)]
pub struct UnpackedWheel {
    directory: PathBuf,
    sha256: String,
    proof: Proof,
    manifest: Arc<Manifest>,
    times: Arc<LinkTimes>,
    metadata: Arc<[u8]>,
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

    /// When its files were linked last.
    pub fn times(&self) -> &LinkTimes {
        &self.times
    }

    /// SHA-256 of the wheel in hex.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// What the wheel was checked by in this command.
    pub fn proof(&self) -> Proof {
        self.proof
    }

    /// The METADATA file in the wheel, with the hash that it had there.
    pub fn raw_metadata(&self) -> &[u8] {
        &self.metadata
    }

    /// Everything is hashed again before it is placed.
    pub fn forget_times(&mut self) {
        self.times = Arc::new(LinkTimes::unknown(self.manifest.files.len()));
    }
}

/// A directory of unpacked wheels.
#[derive(Clone, Debug)]
pub struct WheelCache {
    kept: PathBuf,
    /// Where wheels are unpacked: the same, unless it cannot be written to.
    writable: PathBuf,
    key: LocalKey,
    own: Arc<Mutex<CommandsOwn>>,
}

/// What one command has on its own.
#[derive(Debug, Default)]
struct CommandsOwn {
    /// Wheels that are unpacked for it alone; they go with it.
    unpacked: HashMap<String, (UnpackedWheel, TempDir)>,
    /// Bytecode that was compiled for it alone.
    bytecode: Vec<TempDir>,
    /// How often an entry of the cache proved unusable.
    unusable: HashMap<String, u32>,
}

impl CommandsOwn {
    /// Whether the entry for a wheel is not looked for in the cache any more.
    fn has_given_up(&self, sha256: &str) -> bool {
        let times = |counted: &u32| *counted >= PATIENCE;
        self.unusable.get(sha256).is_some_and(times) || self.unusable.values().sum::<u32>() >= PATIENCE_IN_ALL
    }
}

impl WheelCache {
    /// The store in `kept`, which need not exist yet; new wheels are unpacked in `writable`. `key` proves which entries are
    /// the user's own.
    pub fn new(kept: PathBuf, writable: PathBuf, key: LocalKey) -> Self {
        Self { kept, writable, key, own: Arc::default() }
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
        request.known_sha256().is_some_and(|sha256| self.kept.join(sha256).join(MANIFEST).exists())
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
        if let Some(key) = self.key_of_entries(file.sha256()) {
            let (unpacked, manifest) = self.unpack(&archive)?;
            let disk = |error: std::io::Error| unusable(&self.kept, &error.to_string());
            let bytes = postcard::to_allocvec(&manifest).map_err(std::io::Error::other);
            let mut bytes = bytes.map_err(disk)?;
            key.seal(&what(file.sha256(), MANIFEST), &mut bytes);
            std::fs::write(unpacked.path().join(MANIFEST), bytes).map_err(disk)?;
            let is_whole = || self.read(file.sha256(), file.proof()).is_some();
            let published = publish_directory(unpacked.path(), &self.kept.join(file.sha256()), is_whole);
            // Read it back: if another process unpacked first, the files are its.
            if let Some(found) = published.ok().and_then(|()| self.read(file.sha256(), file.proof())) {
                return Ok(found);
            }
            // Something is in the way, or somebody with another key shares the cache and was faster.
            self.own().unusable.insert(file.sha256().to_owned(), PATIENCE);
        }
        let (temporary, manifest) = self.unpack(&archive)?;
        let directory = temporary.path().to_owned();
        let unpacked = unpacked(directory, file.sha256().to_owned(), file.proof(), manifest)
            .ok_or_else(|| unusable(&self.writable, "a wheel was unpacked and is not there"))?;
        self.own().unpacked.insert(file.sha256().to_owned(), (unpacked.clone(), temporary));
        Ok(unpacked)
    }

    /// Unpacks a wheel into a new directory beside the entries.
    fn unpack(&self, archive: &WheelArchive) -> Result<(TempDir, Manifest), Failure> {
        let disk = |error: std::io::Error| unusable(&self.writable, &error.to_string());
        cache::make_private(&self.writable).map_err(disk)?;
        let private = Permissions::from_mode(0o700);
        let temporary = tempfile::Builder::new().prefix(".unpacking-").permissions(private).tempdir_in(&self.writable);
        let temporary = temporary.map_err(disk)?;
        let manifest = wheel::unpack(archive, &temporary.path().join("tree"), RecordPolicy::Enforce)?;
        Ok((temporary, manifest))
    }

    /// Forgets the wheel that a file of `tree`, or of the bytecode beside it, belongs to: another process changed it.
    pub fn forget(&self, tree: &Path) {
        let Some(directory) = tree.parent() else { return };
        let name = directory.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let mut own = self.own();
        own.unpacked.retain(|_, (wheel, _)| wheel.directory() != directory);
        if directory.parent() == Some(&self.kept) {
            let is_gone = remove_directory(directory).is_ok();
            *own.unusable.entry(name).or_default() += if is_gone { 1 } else { PATIENCE };
        }
    }

    /// Remembers when the files of a wheel and of its bytecode were linked. Where that cannot be kept, they are hashed the
    /// next time.
    pub fn keep_times(&self, wheel: &UnpackedWheel, bytecode: Option<&Bytecode>) {
        self.write_times(wheel, TIMES, &wheel.times);
        let bytecode = bytecode.map(Bytecode::directory);
        if let Some(bytecode) = bytecode.filter(|bytecode| bytecode.path.parent() == Some(wheel.directory())) {
            let name = bytecode.path.file_name().unwrap_or_default().to_string_lossy();
            self.write_times(wheel, &format!("{name}/{TIMES}"), bytecode.times);
        }
    }

    fn write_times(&self, wheel: &UnpackedWheel, name: &str, times: &LinkTimes) {
        let Some(key) = self.key_of_entries(&wheel.sha256) else { return };
        if let Ok(mut bytes) = postcard::to_allocvec(&times.to_vec()) {
            key.seal(&what(&wheel.sha256, name), &mut bytes);
            cache::file::keep(&wheel.directory.join(name), &bytes);
        }
    }

    /// The times under a name, if they are of that many files.
    fn read_times(&self, wheel: &Path, sha256: &str, name: &str, files: usize) -> Option<LinkTimes> {
        let times: Vec<i64> = self.read_sealed(wheel, sha256, name)?;
        (times.len() == files).then(|| LinkTimes::new(times))
    }

    /// Bytecode that was compiled before.
    fn read_bytecode(&self, wheel: &UnpackedWheel, name: &str) -> Option<Bytecode> {
        let root = wheel.directory().join(name);
        let metadata = std::fs::symlink_metadata(&root).ok()?;
        if !metadata.is_dir() || ownership::writable_by_others_or_group(&metadata).is_some() {
            return None;
        }
        let files: Vec<BytecodeFile> =
            self.read_sealed(wheel.directory(), &wheel.sha256, &format!("{name}/{MANIFEST}"))?;
        let source = |file: &BytecodeFile| wheel.manifest.files.get(file.source).map(|source| &source.sha256);
        if !files.iter().all(|file| source(file) == Some(&file.source_sha256)) {
            return None;
        }
        let times = self.read_times(wheel.directory(), &wheel.sha256, &format!("{name}/{TIMES}"), files.len());
        Some(Bytecode::new(root, files, times))
    }

    /// A new directory to compile into: beside the unpacked wheel, unless nothing can be written there.
    fn directory_for_bytecode(&self, wheel: &UnpackedWheel) -> std::io::Result<TempDir> {
        let private = || Permissions::from_mode(0o700);
        let mut builder = tempfile::Builder::new();
        builder.prefix(".compiling-").permissions(private());
        builder.tempdir_in(wheel.directory()).or_else(|_| {
            cache::make_private(&self.writable)?;
            builder.tempdir_in(&self.writable)
        })
    }

    /// Puts compiled files into the cache, or keeps them for this command alone. `None` when they are gone: somebody with
    /// another key, who shares the cache, has replaced the wheel that they lay beside.
    fn keep_bytecode(
        &self,
        wheel: &UnpackedWheel,
        name: &str,
        compiled: TempDir,
        files: Vec<BytecodeFile>,
    ) -> std::io::Result<Option<Bytecode>> {
        if !compiled.path().exists() {
            return Ok(None);
        }
        let is_beside = compiled.path().parent() == Some(wheel.directory());
        if let Some(key) = self.key_of_entries(&wheel.sha256).filter(|_| is_beside) {
            let mut bytes = postcard::to_allocvec(&files).map_err(std::io::Error::other)?;
            key.seal(&what(&wheel.sha256, &format!("{name}/{MANIFEST}")), &mut bytes);
            std::fs::write(compiled.path().join(MANIFEST), bytes)?;
            let is_whole = || self.read_bytecode(wheel, name).is_some();
            // Read it back: if another process compiled first, the files are its.
            if publish_directory(compiled.path(), &wheel.directory().join(name), is_whole).is_ok()
                && let Some(found) = self.read_bytecode(wheel, name)
            {
                return Ok(Some(found));
            }
        }
        if !compiled.path().exists() {
            return Ok(None);
        }
        let root = compiled.path().to_owned();
        self.own().bytecode.push(compiled);
        Ok(Some(Bytecode::new(root, files, None)))
    }

    fn read(&self, sha256: &str, proof: Proof) -> Option<UnpackedWheel> {
        // The name comes from a server: it must not lead elsewhere.
        if sha256.len() != 64 || !sha256.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        let sha256 = sha256.to_ascii_lowercase();
        if let Some((wheel, _)) = self.own().unpacked.get(&sha256) {
            return Some(UnpackedWheel { proof, ..wheel.clone() });
        }
        if self.own().has_given_up(&sha256) {
            return None;
        }
        let directory = self.kept.join(&sha256);
        let metadata = std::fs::symlink_metadata(&directory).ok()?;
        if !metadata.is_dir() || ownership::writable_by_others_or_group(&metadata).is_some() {
            return None;
        }
        let manifest: Manifest = self.read_sealed(&directory, &sha256, MANIFEST)?;
        let times = self.read_times(&directory, &sha256, TIMES, manifest.files.len());
        let mut wheel = unpacked(directory, sha256, proof, manifest)?;
        if let Some(times) = times {
            wheel.times = Arc::new(times);
        }
        Some(wheel)
    }

    /// A file of an entry that this user wrote.
    fn read_sealed<T: serde::de::DeserializeOwned>(&self, directory: &Path, sha256: &str, name: &str) -> Option<T> {
        let bytes = std::fs::read(directory.join(name)).ok()?;
        postcard::from_bytes(self.key.get()?.open(&what(sha256, name), &bytes)?).ok()
    }

    /// The key, if the entry for a wheel can be in the cache.
    fn key_of_entries(&self, sha256: &str) -> Option<&SealKey> {
        let can_be = self.kept == self.writable && {
            let own = self.own();
            !own.unpacked.contains_key(sha256) && !own.has_given_up(sha256)
        };
        self.key.get().filter(|_| can_be)
    }

    fn own(&self) -> std::sync::MutexGuard<'_, CommandsOwn> {
        self.own.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A file of an entry, for its seal.
fn what<'s>(sha256: &'s str, name: &'s str) -> [&'s [u8]; 3] {
    [b"wheel", sha256.as_bytes(), name.as_bytes()]
}

/// An unpacked wheel, with its METADATA if that is what was unpacked.
fn unpacked(directory: PathBuf, sha256: String, proof: Proof, manifest: Manifest) -> Option<UnpackedWheel> {
    let path = format!("{}/METADATA", manifest.dist_info);
    let listed = manifest.files.iter().find(|file| file.path == path)?;
    let metadata = std::fs::read(directory.join("tree").join(&path)).ok()?;
    if hash(&metadata) != listed.sha256 {
        return None;
    }
    let times = LinkTimes::new(manifest.files.iter().map(|file| file.changed));
    let (manifest, times) = (Arc::new(manifest), Arc::new(times));
    Some(UnpackedWheel { directory, sha256, proof, manifest, times, metadata: metadata.into() })
}

/// A hash in the form of RECORD.
fn hash(contents: &[u8]) -> String {
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(Sha256::digest(contents))
}

/// Gives a finished directory its name in the cache. When the name is taken by another that `is_whole`, another process
/// was faster and its directory is as good; one that is not whole makes room.
///
/// # Errors
/// When the directory cannot be moved.
fn publish_directory(staged: &Path, name: &Path, is_whole: impl FnOnce() -> bool) -> std::io::Result<()> {
    if std::fs::rename(staged, name).is_ok() || is_whole() {
        return Ok(());
    }
    remove_directory(name)?;
    std::fs::rename(staged, name)
}

/// Takes a directory out of the cache, at once, and deletes it. Of another user's not everything can be deleted, which
/// then stays under another name.
fn remove_directory(directory: &Path) -> std::io::Result<()> {
    let name = directory.file_name().unwrap_or_default().to_string_lossy();
    let aside = directory.with_file_name(format!(".unpacking-{}-{name}", std::process::id()));
    match std::fs::rename(directory, &aside) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
        Ok(()) => {}
    }
    let _ = std::fs::remove_dir_all(&aside);
    Ok(())
}

fn unusable(path: &Path, reason: &str) -> Failure {
    Failure::new(Code::Disk, format!("Could not use the cache at {}: {reason}", path.display()))
        .hint("free some space, remove that directory, or choose another place with --cache-dir")
}
