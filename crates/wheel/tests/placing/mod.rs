//! What the tests of placing share: unpacked wheels made in memory, environments, and pictures of directory trees.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use sha2::{Digest as _, Sha256};
use wheel::{
    EntryPoint, LinkTimes, Manifest, Placement, ProtectedPlaces, Scheme, SealKey, Transaction, TransactionError,
    UnpackedFile,
};

/// The key of whoever runs the tests.
pub fn key() -> SealKey {
    SealKey::new([7; 32])
}

/// A wheel as the unpacking half leaves it.
pub struct Unpacked {
    pub tree: PathBuf,
    pub manifest: Manifest,
    pub times: LinkTimes,
}

/// Writes an unpacked wheel. `files` are paths and contents; a path with a `!` at its end is executable.
pub fn unpack(cache: &Path, name: &str, version: &str, files: &[(&str, &str)], scripts: &[(&str, &str)]) -> Unpacked {
    let tree = cache.join(format!("{name}-{version}"));
    let dist_info = format!("{name}-{version}.dist-info");
    let mut all: Vec<(String, String)> =
        files.iter().map(|(path, text)| (path.to_string(), text.to_string())).collect();
    all.push((format!("{dist_info}/METADATA"), format!("Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")));
    all.push((
        format!("{dist_info}/WHEEL"),
        "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n".to_owned(),
    ));
    if !scripts.is_empty() {
        let lines: String = scripts.iter().map(|(name, target)| format!("{name} = {target}\n")).collect();
        all.push((format!("{dist_info}/entry_points.txt"), format!("[console_scripts]\n{lines}")));
    }
    let mut unpacked = Vec::new();
    for (path, text) in &all {
        let (path, executable) = path.strip_suffix('!').map_or((path.as_str(), false), |path| (path, true));
        let full = tree.join(path);
        fs::create_dir_all(full.parent().unwrap()).unwrap();
        fs::write(&full, text).unwrap();
        fs::set_permissions(&full, fs::Permissions::from_mode(if executable { 0o755 } else { 0o644 })).unwrap();
        let metadata = fs::metadata(&full).unwrap();
        unpacked.push(UnpackedFile {
            path: path.to_owned(),
            size: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec() as u32),
            changed: metadata.ctime() * 1_000_000_000 + metadata.ctime_nsec(),
            executable,
            sha256: sha256(text),
        });
    }
    unpacked.sort_by(|one, other| one.path.cmp(&other.path));
    let data = format!("{name}-{version}.data");
    let console_scripts = scripts.iter().map(|(name, target)| {
        let (module, object) = target.split_once(':').unwrap();
        EntryPoint { name: name.to_string(), module: module.to_owned(), object: object.to_owned() }
    });
    let manifest = Manifest {
        data: unpacked.iter().any(|file| file.path.starts_with(&data)).then_some(data),
        dist_info,
        wheel_version: (1, 0),
        root_is_purelib: true,
        files: unpacked,
        console_scripts: console_scripts.collect(),
        gui_scripts: Vec::new(),
    };
    let times = LinkTimes::new(manifest.files.iter().map(|file| file.changed));
    Unpacked { tree, manifest, times }
}

/// A hash as RECORD has it.
pub fn sha256(text: &str) -> String {
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(Sha256::digest(text))
}

/// The directories of a virtual environment for Python 3.11.
pub fn scheme(prefix: &Path, name: &str) -> Scheme {
    let library = prefix.join("lib/python3.11/site-packages");
    Scheme {
        purelib: library.clone(),
        platlib: library,
        scripts: prefix.join("bin"),
        data: prefix.to_path_buf(),
        headers: prefix.join("include/site/python3.11").join(name),
    }
}

pub fn site_packages(prefix: &Path) -> PathBuf {
    prefix.join("lib/python3.11/site-packages")
}

pub fn placement<'a>(unpacked: &'a Unpacked, scheme: &'a Scheme, interpreter: &'a Path) -> Placement<'a> {
    Placement {
        manifest: &unpacked.manifest,
        tree: &unpacked.tree,
        times: &unpacked.times,
        bytecode: None,
        scheme,
        record_scheme: None,
        interpreter,
        version: (3, 11),
        installer: "pip",
        requested: true,
        direct_url: None,
    }
}

/// Installs wheels into an environment with one transaction.
pub fn install(prefix: &Path, wheels: &[&Unpacked]) -> Result<wheel::TransactionOutcome, TransactionError> {
    let interpreter = prefix.join("bin/python");
    let schemes: Vec<Scheme> = wheels.iter().map(|wheel| scheme(prefix, name_of(wheel))).collect();
    let mut transaction = Transaction::begin(&site_packages(prefix), Some(&key()), || ())?;
    for (wheel, scheme) in wheels.iter().zip(&schemes) {
        transaction.add(placement(wheel, scheme, &interpreter));
    }
    transaction.commit(&ProtectedPlaces::default())
}

pub fn name_of(unpacked: &Unpacked) -> &str {
    unpacked.manifest.dist_info.split('-').next().unwrap()
}

/// Everything below a directory: relative path to kind, mode and contents.
pub fn picture(root: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    look(root, root, &mut found);
    found
}

fn look(root: &Path, directory: &Path, found: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
        let metadata = path.symlink_metadata().unwrap();
        let mode = metadata.mode() & 0o7777;
        if metadata.is_symlink() {
            found.insert(name, format!("link to {}", fs::read_link(&path).unwrap().display()));
        } else if metadata.is_dir() {
            found.insert(name, format!("directory {mode:o}"));
            look(root, &path, found);
        } else {
            found.insert(name, format!("{mode:o} {}", String::from_utf8_lossy(&fs::read(&path).unwrap())));
        }
    }
}
