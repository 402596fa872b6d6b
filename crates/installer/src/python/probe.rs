//! Runs the probe in an interpreter, once: the answer is cached until the executable or its environment changes.

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Stdio;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::Interpreter;
use crate::cache::{CacheDirectory, file};
use crate::error::{Code, Failure};
use crate::local_key::LocalKey;
use crate::process_environment;

/// The probe script.
const PROBE: &str = data::PROBE;

/// A cached answer and what it depends on.
#[derive(Serialize, Deserialize)]
struct CachedInterpreter {
    key: String,
    interpreter: Interpreter,
}

impl Interpreter {
    /// Describes the interpreter `executable`; earlier answers are in the cache.
    ///
    /// # Errors
    /// When it cannot be started, is older than Python 3.8, or its answer is invalid.
    pub fn probe(executable: &Path, cache: &CacheDirectory) -> Result<Self, Failure> {
        let key = key(executable)?;
        let file = cache.path().join("interpreters").join(file_name(executable));
        if let Some(answer) = read(&file, cache.key())
            && answer.key == key
        {
            return Ok(answer.interpreter);
        }
        let interpreter = run(executable)?;
        let answer = CachedInterpreter { key, interpreter };
        if let Ok(bytes) = serde_json::to_vec(&answer) {
            file::write(&file, cache.key(), bytes);
        }
        Ok(answer.interpreter)
    }
}

fn run(executable: &Path) -> Result<Interpreter, Failure> {
    let failed = |reason: String| {
        Failure::new(Code::PythonUnusable, format!("Could not ask {} what it is", executable.display()))
            .detail("cause", reason)
            .hint("choose another interpreter or environment with --python")
    };
    let output = process_environment::child(executable)
        .args(["-I", "-S", "-c", PROBE])
        .stdin(Stdio::null())
        .output()
        .map_err(|error| failed(error.to_string()))?;
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr);
        return Err(failed(text.trim().lines().last().unwrap_or("it ended without an answer").to_owned()));
    }
    serde_json::from_slice(&output.stdout).map_err(|error| failed(format!("its answer is not understood: {error}")))
}

/// What the answer depends on. This includes the kernel, because markers name its release. What is installed is no part of
/// the answer.
fn key(executable: &Path) -> Result<String, Failure> {
    let resolved = executable.canonicalize().map_err(|error| {
        Failure::new(Code::PythonNotFound, format!("Could not read {}: {error}", executable.display())).caused_by(error)
    })?;
    let environment = executable.parent().and_then(Path::parent).unwrap_or(Path::new("/"));
    let kernel = rustix::system::uname();
    let mut parts = vec![
        env!("CARGO_PKG_VERSION").to_owned(),
        hex::encode(Sha256::digest(PROBE)),
        stamp(&resolved),
        // Its content, not its time: an environment created again in the same place is the same.
        std::fs::read_to_string(environment.join("pyvenv.cfg")).unwrap_or_default(),
        kernel.release().to_string_lossy().into_owned(),
        kernel.version().to_string_lossy().into_owned(),
    ];
    for variable in ["HOME", "PYTHONUSERBASE", "PYTHONNOUSERSITE", "LANG", "LC_ALL", "LC_MESSAGES"] {
        parts.push(std::env::var(variable).unwrap_or_default());
    }
    Ok(parts.join("\n"))
}

fn stamp(path: &Path) -> String {
    match std::fs::metadata(path) {
        Ok(metadata) => {
            format!("{} {}.{} {}", path.display(), metadata.mtime(), metadata.mtime_nsec(), metadata.size())
        }
        Err(_) => format!("{} absent", path.display()),
    }
}

fn file_name(executable: &Path) -> String {
    let absolute = std::path::absolute(executable).unwrap_or_else(|_| executable.to_owned());
    format!("{}.json", hex::encode(Sha256::digest(absolute.as_os_str().as_encoded_bytes())))
}

fn read(file: &Path, key: &LocalKey) -> Option<CachedInterpreter> {
    serde_json::from_slice(&file::read(file, key)?).ok()
}
