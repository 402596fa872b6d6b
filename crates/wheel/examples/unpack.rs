//! Unpacks all wheels of a directory and says how long it took: `unpack WHEELS OUTPUT [THREADS]`.
//!
//! OUTPUT must not exist. Two hundred wheels from a real index are a fair measure; run it on a quiet machine, several times.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use packaging::WheelFilename;
use rayon::prelude::*;
use wheel::{ArchiveLimits, RecordPolicy, WheelArchive, WheelError, unpack};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(wheels), Some(output)) = (arguments.next(), arguments.next()) else {
        return Err("usage: unpack WHEELS OUTPUT [THREADS]".into());
    };
    let threads = arguments.next().map_or(Ok(0), |text| text.parse())?;
    rayon::ThreadPoolBuilder::new().num_threads(threads).build_global()?;
    fs::create_dir(&output)?;
    let mut wheels: Vec<PathBuf> =
        fs::read_dir(wheels)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    wheels.retain(|path| path.extension().is_some_and(|extension| extension == "whl"));
    wheels.sort_by_key(|path| std::cmp::Reverse(fs::metadata(path).map_or(0, |metadata| metadata.len())));

    let start = Instant::now();
    let archives: Vec<Result<WheelArchive, WheelError>> = wheels.par_iter().filter_map(|path| open(path)).collect();
    println!("opened {} wheels in {:.3} s", archives.len(), start.elapsed().as_secs_f64());
    let results: Vec<Result<(usize, u64), WheelError>> = archives
        .into_par_iter()
        .map(|archive| {
            let archive = archive?;
            let into = Path::new(&output).join(archive.filename().trim_end_matches(".whl"));
            let manifest = unpack(&archive, &into, RecordPolicy::Enforce)?;
            Ok((manifest.files.len(), manifest.files.iter().map(|file| file.size).sum()))
        })
        .collect();
    let seconds = start.elapsed().as_secs_f64();

    let (mut files, mut bytes) = (0, 0);
    for result in results {
        match result {
            Ok((count, size)) => (files, bytes) = (files + count, bytes + size),
            Err(error) => println!("{error}"),
        }
    }
    println!("unpacked {files} files, {bytes} bytes in {seconds:.3} s");
    Ok(())
}

/// `None` if the file name is not a wheel's.
fn open(path: &Path) -> Option<Result<WheelArchive, WheelError>> {
    let name: WheelFilename = path.file_name()?.to_str()?.parse().ok()?;
    Some(WheelArchive::open(path, &name, &ArchiveLimits::default()))
}
