//! Bytecode, compiled once per machine and interpreter version and kept beside the unpacked wheel.
//!
//! A .pyc file is valid by the modification time and size of its source. A hard link keeps both, so that what was
//! compiled in the cache is valid wherever the pair is linked to. The interpreter sets the file name in the code when
//! it imports. Nobody sees from a .pyc file what it was made from, so that sources are hashed before they are compiled
//! and, where somebody may have written to them meanwhile, afterwards.

use std::fs::Permissions;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};

use rayon::prelude::*;
use sha2::{Digest, Sha256};
use wheel::{BytecodeDirectory, BytecodeFile, LinkTimes, UnpackedFile};

use crate::cache;
use crate::error::{Code, Failure};
use crate::process_environment;
use crate::python::Interpreter;
use crate::wheel_cache::{UnpackedWheel, WheelCache, hash};

/// What a worker process runs: a line of source, destination and shown name in, a line with the outcome out.
const WORKER: &str = data::COMPILE;
/// Sources given to a worker at a time: enough to keep it busy, few enough to keep all workers busy to the end.
const BATCH: usize = 40;

/// The bytecode of one unpacked wheel for one interpreter version.
#[derive(Clone, Debug)]
pub struct Bytecode {
    root: PathBuf,
    files: Arc<[BytecodeFile]>,
    times: Arc<LinkTimes>,
}

impl Bytecode {
    /// The .pyc files below `root`; `times` are known if they were linked before.
    pub(super) fn new(root: PathBuf, files: Vec<BytecodeFile>, times: Option<LinkTimes>) -> Self {
        let times = times.unwrap_or_else(|| LinkTimes::new(files.iter().map(|file| file.changed)));
        Self { root, files: files.into(), times: Arc::new(times) }
    }

    /// What is placed of it.
    pub fn directory(&self) -> BytecodeDirectory<'_> {
        BytecodeDirectory { path: &self.root, files: &self.files, times: &self.times }
    }

    /// Everything is hashed again before it is placed.
    pub fn forget_times(&mut self) {
        self.times = Arc::new(LinkTimes::unknown(self.files.len()));
    }
}

/// Compiles with a few processes of the environment's own interpreter, which start when the first source comes.
pub struct Compiler {
    cache_tag: String,
    executable: PathBuf,
    queue: Mutex<Sender<Batch>>,
}

struct Batch {
    sources: Vec<BytecodeSource>,
    done: Sender<Result<(), String>>,
}

struct BytecodeSource {
    source: PathBuf,
    destination: PathBuf,
    shown: String,
}

impl Compiler {
    /// A compiler for `interpreter` with that many processes; none when the interpreter keeps no bytecode.
    pub fn new(interpreter: &Interpreter, workers: usize) -> Option<Self> {
        let mut cache_tag = interpreter.cache_tag.clone()?;
        if std::env::var_os("SOURCE_DATE_EPOCH").is_some() {
            // Then the interpreter makes files that are valid by the hash of their source.
            cache_tag.push_str("-hash");
        }
        let (sender, receiver) = channel::<Batch>();
        let receiver = Arc::new(Mutex::new(receiver));
        for _ in 0..workers {
            let receiver = Arc::clone(&receiver);
            let executable = interpreter.executable.clone();
            std::thread::spawn(move || work(&executable, &receiver));
        }
        Some(Self { cache_tag, executable: interpreter.executable.clone(), queue: Mutex::new(sender) })
    }

    /// The bytecode of `wheel`: from the cache, or compiled now and put there. `None` when a source is not what was
    /// unpacked, which placing will find, too. Blocks.
    ///
    /// # Errors
    /// When the interpreter cannot be run or the disk fails; a source with a syntax error is no failure.
    pub fn bytecode(&self, wheel: &UnpackedWheel, cache: &WheelCache) -> Result<Option<Bytecode>, Failure> {
        let name = self.directory_name(wheel);
        if let Some(found) = cache.read_bytecode(wheel, &name) {
            return Ok(Some(found));
        }
        let disk = |error: std::io::Error| failed(&error.to_string());
        let temporary = cache.directory_for_bytecode(wheel).map_err(disk)?;
        let path = temporary.path().to_owned();
        let kept = match self.compile_into(&path, wheel) {
            Ok(Some(files)) => cache.keep_bytecode(wheel, &name, temporary, files).map_err(disk),
            Ok(None) => Ok(None),
            Err(failure) => Err(failure),
        };
        match kept {
            // Somebody with another key has replaced the wheel meanwhile, which placing finds, too.
            Err(_) if !path.exists() => Ok(None),
            kept => kept,
        }
    }

    /// Compiles everything in a wheel; `None` when a source is not what was unpacked.
    fn compile_into(&self, directory: &Path, wheel: &UnpackedWheel) -> Result<Option<Vec<BytecodeFile>>, Failure> {
        let disk = |error: std::io::Error| failed(&error.to_string());
        let tree = wheel.tree();
        let tag = self.cache_tag.trim_end_matches("-hash");
        let mut compiled = Vec::new();
        let mut sources = Vec::new();
        for (number, file) in wheel.manifest().files.iter().enumerate() {
            let Some(path) = compiled_path(&file.path, tag) else { continue };
            let destination = directory.join(&path);
            if let Some(parent) = destination.parent() {
                cache::make_private(parent).map_err(disk)?;
            }
            let mut source = tree.join(&file.path);
            if is_script(&file.path)
                && let Some(contents) =
                    std::fs::read(&source).ok().and_then(|text| wheel::rewritten_script(&self.executable, &text))
            {
                // What is placed is the rewritten script with the time of the original, so that is what is compiled.
                source = directory.join("scripts").join(&file.path);
                write_at(&source, &contents, file.modified).map_err(disk)?;
            }
            sources.push(BytecodeSource { source, destination, shown: file.path.clone() });
            compiled.push((number, file, path));
        }
        let before: Option<Vec<i64>> =
            compiled.par_iter().map(|(_, file, _)| unchanged_since(&tree, file, None)).collect();
        let Some(before) = before else { return Ok(None) };
        self.compile(sources)?;
        let still = |((_, file, _), time): (&(usize, &UnpackedFile, String), &i64)| {
            unchanged_since(&tree, file, Some(*time)).is_some()
        };
        if !compiled.par_iter().zip(&before).all(still) {
            return Ok(None);
        }
        let files = compiled.into_par_iter().filter_map(|(source, file, path)| {
            // Sources that do not compile have no .pyc file.
            bytecode_file(&directory.join(&path), source, &file.sha256)
                .map_err(disk)
                .transpose()
                .map(|found| found.map(|found| BytecodeFile { path, ..found }))
        });
        files.collect::<Result<Vec<_>, Failure>>().map(Some)
    }

    /// Scripts name their interpreter in the first line, so that their bytecode is that interpreter's alone.
    fn directory_name(&self, wheel: &UnpackedWheel) -> String {
        let plain = format!("bytecode-{}", self.cache_tag);
        if !wheel.manifest().files.iter().any(|file| file.path.ends_with(".py") && is_script(&file.path)) {
            return plain;
        }
        let digest = Sha256::digest(self.executable.as_os_str().as_encoded_bytes());
        format!("{plain}-{}", hex::encode(digest.get(..8).unwrap_or_default()))
    }

    fn compile(&self, sources: Vec<BytecodeSource>) -> Result<(), Failure> {
        let (done, outcomes) = channel();
        let mut rest = sources;
        let mut unanswered = 0_usize;
        while !rest.is_empty() {
            let tail = rest.split_off(rest.len().min(BATCH));
            let batch = Batch { sources: rest, done: done.clone() };
            let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
            queue.send(batch).map_err(|_| failed("no worker is left"))?;
            unanswered += 1;
            rest = tail;
        }
        drop(done);
        for outcome in outcomes {
            outcome.map_err(|reason| failed(&reason))?;
            unanswered -= 1;
        }
        // A worker that panics takes its batch with it; what it had must not pass for sources that do not compile.
        if unanswered == 0 { Ok(()) } else { Err(failed("a worker has ended early")) }
    }
}

/// Processes batches until the compiler is dropped; the process starts with the first one.
fn work(executable: &Path, receiver: &Mutex<Receiver<Batch>>) {
    let mut worker: Option<Worker> = None;
    loop {
        let batch = match receiver.lock().unwrap_or_else(PoisonError::into_inner).recv() {
            Ok(batch) => batch,
            Err(_) => return,
        };
        let outcome = (|| -> std::io::Result<()> {
            let running = match &mut worker {
                Some(running) => running,
                none => none.insert(Worker::start(executable)?),
            };
            running.compile(&batch.sources)
        })();
        if outcome.is_err() {
            worker = None;
        }
        // The receiver is gone when another batch of the wheel failed.
        let _ = batch.done.send(outcome.map_err(|error| error.to_string()));
    }
}

/// A running interpreter that compiles.
struct Worker {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Worker {
    fn start(executable: &Path) -> std::io::Result<Self> {
        let mut child = process_environment::child(executable)
            .args(["-I", "-S", "-c", WORKER])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let missing = || std::io::Error::other("the compiler process has no pipes");
        let input = child.stdin.take().ok_or_else(missing)?;
        let output = BufReader::new(child.stdout.take().ok_or_else(missing)?);
        Ok(Self { child, input, output })
    }

    fn compile(&mut self, sources: &[BytecodeSource]) -> std::io::Result<()> {
        let mut request = Vec::new();
        for source in sources {
            let line = serde_json::to_vec(&(
                source.source.to_string_lossy(),
                source.destination.to_string_lossy(),
                &source.shown,
            ))?;
            request.extend_from_slice(&line);
            request.push(b'\n');
        }
        self.input.write_all(&request)?;
        self.input.flush()?;
        let mut answer = String::new();
        for _ in sources {
            answer.clear();
            if self.output.read_line(&mut answer)? == 0 {
                return Err(std::io::Error::other("the compiler process ended early"));
            }
        }
        Ok(())
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Where the bytecode of a source goes (PEP 3147): `pkg/m.py` to `pkg/__pycache__/m.TAG.pyc`.
fn compiled_path(source: &str, tag: &str) -> Option<String> {
    let stem = source.strip_suffix(".py")?;
    Some(match stem.rsplit_once('/') {
        Some((directory, module)) => format!("{directory}/__pycache__/{module}.{tag}.pyc"),
        None => format!("__pycache__/{stem}.{tag}.pyc"),
    })
}

/// Whether a path of an archive is in the `scripts` part of its `.data` directory.
fn is_script(path: &str) -> bool {
    let mut parts = path.split('/');
    parts.next().is_some_and(|top| top.ends_with(".data")) && parts.next() == Some("scripts")
}

fn write_at(path: &Path, contents: &[u8], (seconds, nanoseconds): (i64, u32)) -> std::io::Result<()> {
    if let Some(directory) = path.parent() {
        cache::make_private(directory)?;
    }
    let mut file = std::fs::File::create(path)?;
    file.write_all(contents)?;
    let since = std::time::Duration::new(u64::try_from(seconds).unwrap_or(0), nanoseconds);
    file.set_modified(std::time::UNIX_EPOCH + since)
}

/// The change time of a source that is what was unpacked. It is hashed unless its change time is still `known`.
fn unchanged_since(tree: &Path, file: &UnpackedFile, known: Option<i64>) -> Option<i64> {
    let path = tree.join(&file.path);
    let time = change_time(&std::fs::symlink_metadata(&path).ok()?);
    (Some(time) == known || hash(&std::fs::read(&path).ok()?) == file.sha256).then_some(time)
}

/// A .pyc file without its path, or nothing if it is not there.
fn bytecode_file(path: &Path, source: usize, source_sha256: &str) -> std::io::Result<Option<BytecodeFile>> {
    let metadata = match std::fs::metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        other => other?,
    };
    // Whatever the umask: what others may write to is not believed later.
    if metadata.mode() & 0o022 != 0 {
        std::fs::set_permissions(path, Permissions::from_mode(metadata.mode() & 0o7755))?;
    }
    let contents = std::fs::read(path)?;
    Ok(Some(BytecodeFile {
        path: String::new(),
        size: contents.len() as u64,
        changed: change_time(&std::fs::metadata(path)?),
        sha256: hash(&contents),
        source,
        source_sha256: source_sha256.to_owned(),
    }))
}

/// As [`LinkTimes`] has it.
fn change_time(metadata: &std::fs::Metadata) -> i64 {
    metadata.ctime().saturating_mul(1_000_000_000).saturating_add(metadata.ctime_nsec())
}

fn failed(reason: &str) -> Failure {
    Failure::new(Code::PythonCompile, "Could not compile to bytecode")
        .detail("cause", reason)
        .hint("install without bytecode: --no-compile")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_that_ends_with_its_batch_is_a_failure() {
        let (sender, receiver) = channel::<Batch>();
        let compiler = Compiler { cache_tag: "x".to_owned(), executable: PathBuf::new(), queue: Mutex::new(sender) };
        let sources = |count: usize| {
            let source = |number: usize| PathBuf::from(format!("{number}.py"));
            let sources =
                (0..count).map(|n| BytecodeSource { source: source(n), destination: source(n), shown: n.to_string() });
            sources.collect::<Vec<_>>()
        };
        std::thread::spawn(move || {
            let answered = receiver.recv().unwrap();
            answered.done.send(Ok(())).unwrap();
            drop(receiver.recv().unwrap());
        });
        let failure = compiler.compile(sources(BATCH + 1)).unwrap_err();
        assert_eq!(failure.code, Code::PythonCompile);
        assert!(compiler.compile(sources(1)).is_err());
    }
}
