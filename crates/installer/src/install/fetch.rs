//! Everything a plan needs is downloaded, verified, unpacked and compiled, side by side.

use std::collections::HashMap;
use std::sync::Arc;

use packaging::PackageName;
use rayon::prelude::*;
use tokio::task::JoinSet;

use super::plan::{Addition, Plan};
use super::resolution::internal;
use crate::context::Context;
use crate::download::VerifiedFile;
use crate::error::{Code, Failure};
use crate::event::Progress;
use crate::python::Interpreter;
use crate::wheel_cache::bytecode::{Bytecode, Compiler};
use crate::wheel_cache::{UnpackedWheel, WheelCache};

/// The unpacked wheels of a plan, with their bytecode.
#[derive(Default)]
pub struct PreparedWheels(HashMap<PackageName, (UnpackedWheel, Option<Bytecode>)>);

impl PreparedWheels {
    /// The wheel of a project, and its bytecode when that was asked for.
    pub fn get(&self, name: &PackageName) -> Option<&(UnpackedWheel, Option<Bytecode>)> {
        self.0.get(name)
    }

    /// Every file is hashed before it is placed, whatever was remembered about it.
    pub fn forget_times(&mut self) {
        for (wheel, bytecode) in self.0.values_mut() {
            wheel.forget_times();
            if let Some(bytecode) = bytecode {
                bytecode.forget_times();
            }
        }
    }

    /// Remembers when files were linked: they need not be hashed again unless somebody has written to them since.
    pub fn keep_times(&self, wheel_cache: &WheelCache) {
        self.0.par_iter().for_each(|(_, (wheel, bytecode))| wheel_cache.keep_times(wheel, bytecode.as_ref()));
    }

    /// The wheels alone.
    pub fn by_name(&self) -> HashMap<PackageName, UnpackedWheel> {
        self.0.iter().map(|(name, (wheel, _))| (name.clone(), wheel.clone())).collect()
    }
}

/// Downloads, verifies, unpacks and compiles what a plan needs, everything side by side.
///
/// # Errors
/// The first that occurs; what was fetched until then stays in the cache.
pub async fn fetch(
    plan: &Plan,
    interpreter: &Interpreter,
    compile: bool,
    context: &Context,
) -> Result<PreparedWheels, Failure> {
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let compiler = if compile { Compiler::new(interpreter, workers).map(Arc::new) } else { None };
    let additions = plan.largest_first().into_iter();
    let additions: Vec<(&Addition, Option<UnpackedWheel>)> =
        additions.map(|addition| (addition, context.wheels.find(&addition.chosen_file.request))).collect();
    let is_missing = |(addition, unpacked): &&(&Addition, Option<UnpackedWheel>)| {
        unpacked.is_none() && addition.chosen_file.file.is_none()
    };
    let missing = additions.iter().filter(is_missing);
    let sizes: Vec<u64> = missing.map(|(addition, _)| addition.chosen_file.request.size.unwrap_or(0)).collect();
    // Before the first of them can begin.
    if !sizes.is_empty() {
        context.reporter.progress(Progress::DownloadPlanned { files: sizes.len(), bytes: sizes.iter().sum() });
    }
    let mut running: JoinSet<Result<_, Failure>> = JoinSet::new();
    for (addition, unpacked) in additions {
        let request = addition.chosen_file.request.clone();
        let file = addition.chosen_file.file.clone();
        let (downloader, wheel_cache, compiler) =
            (Arc::clone(&context.downloader), context.wheels.clone(), compiler.clone());
        let expected = Arc::clone(&addition.metadata);
        let name = addition.candidate.name.clone();
        running.spawn(async move {
            let file = match (&unpacked, file) {
                (None, None) => Some(downloader.fetch(&request).await?),
                (_, file) => file,
            };
            let work = move || {
                unpack_and_compile(
                    &wheel_cache,
                    unpacked,
                    file.as_ref(),
                    &request.filename,
                    &expected,
                    compiler.as_deref(),
                )
            };
            let wheel = tokio::task::spawn_blocking(work).await.map_err(internal)??;
            Ok((name, wheel))
        });
    }
    let mut wheels = PreparedWheels::default();
    while let Some(joined) = running.join_next().await {
        let (name, wheel): (PackageName, _) = joined.map_err(internal)??;
        wheels.0.insert(name, wheel);
    }
    Ok(wheels)
}

/// Downloads what a plan needs and leaves it packed.
///
/// # Errors
/// The first that occurs.
pub async fn download(plan: &Plan, context: &Context) -> Result<HashMap<PackageName, VerifiedFile>, Failure> {
    let mut running = JoinSet::new();
    let bytes = plan.additions.iter().filter_map(|addition| addition.chosen_file.request.size).sum();
    context.reporter.progress(Progress::DownloadPlanned { files: plan.additions.len(), bytes });
    for addition in plan.largest_first() {
        let Addition { chosen_file, candidate, .. } = addition;
        let (request, file, name) = (chosen_file.request.clone(), chosen_file.file.clone(), candidate.name.clone());
        let downloader = Arc::clone(&context.downloader);
        running.spawn(async move {
            match file {
                Some(file) => Ok((name, file)),
                None => downloader.fetch(&request).await.map(|file| (name, file)),
            }
        });
    }
    let mut files = HashMap::new();
    while let Some(joined) = running.join_next().await {
        let (name, file) = joined.map_err(internal)??;
        files.insert(name, file);
    }
    Ok(files)
}

/// Unpacks a wheel unless the cache has it, compares its metadata with those of the resolution, and compiles it.
fn unpack_and_compile(
    wheel_cache: &WheelCache,
    unpacked: Option<UnpackedWheel>,
    file: Option<&VerifiedFile>,
    filename: &str,
    expected: &packaging::CoreMetadata,
    compiler: Option<&Compiler>,
) -> Result<(UnpackedWheel, Option<Bytecode>), Failure> {
    let wheel = match (unpacked, file) {
        (Some(wheel), _) => wheel,
        (None, Some(file)) => wheel_cache.add(file)?,
        (None, None) => return Err(Failure::new(Code::Internal, "there is nothing to unpack")),
    };
    // Each time: a wheel may have been unpacked before, yet chosen now by other metadata than its own.
    let found = packaging::CoreMetadata::parse(wheel.raw_metadata())
        .map_err(|error| Failure::new(Code::VerifyMetadata, format!("{filename}: {error}")).caused_by(error))?;
    refuse_other_metadata(filename, expected, &found)?;
    let bytecode = compiler.map(|compiler| compiler.bytecode(&wheel, wheel_cache)).transpose()?.flatten();
    Ok((wheel, bytecode))
}

/// The resolved dependencies must be those of the installed file: an index could give others.
fn refuse_other_metadata(
    filename: &str,
    expected: &packaging::CoreMetadata,
    found: &packaging::CoreMetadata,
) -> Result<(), Failure> {
    let same = expected.name == found.name
        && expected.version == found.version
        && expected.raw_requires_python() == found.raw_requires_python()
        && expected.valid_requires_dist() == found.valid_requires_dist();
    if same {
        return Ok(());
    }
    let lines = |metadata: &packaging::CoreMetadata| {
        let mut lines: Vec<String> = metadata.valid_requires_dist().iter().map(ToString::to_string).collect();
        lines.insert(0, format!("{} {}", metadata.name, metadata.version));
        lines.join("\n")
    };
    Err(Failure::new(
        Code::VerifyMetadataMismatch,
        format!("The metadata inside {filename} is not what the index showed for it"),
    )
    .detail("expected", lines(expected))
    .detail("received", lines(found))
    .detail("meaning", "the index announces other dependencies than the file has; nothing was installed")
    .hint("report it to the operator of the index"))
}
