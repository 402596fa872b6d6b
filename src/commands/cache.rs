//! `cache verify`: whether everything in the cache still is what was put there.

use clap::{Args, Subcommand};

use crate::terminal::Terminal;
use installer::cache::check;
use installer::context::Context;
use installer::error::{Code, Failure};

/// Look after the cache
#[derive(Clone, Debug, Args)]
#[command(override_usage = "tufpip cache <command> [options]")]
pub struct CacheArgs {
    #[command(subcommand)]
    pub command: CacheCommand,
}

#[derive(Clone, Debug, Subcommand)]
pub enum CacheCommand {
    /// Hash everything in the cache, and remove what is not what was kept
    ///
    /// What is removed is fetched or made again when it is needed.
    Verify,
}

/// Runs one of the commands below `cache`.
///
/// # Errors
/// When something wrong cannot be removed.
pub fn cache(command: &CacheCommand, context: &Context, terminal: &Terminal) -> Result<(), Failure> {
    match command {
        CacheCommand::Verify => verify(context, terminal),
    }
}

fn verify(context: &Context, terminal: &Terminal) -> Result<(), Failure> {
    let cache = &context.cache;
    let wheels = context.wheels.check();
    let downloads = check::downloads(&cache.path().join("archives"));
    let mut others = check::Checked::default();
    for directory in ["interpreters", "metadata", "pages"] {
        others.add(check::sealed_files(&cache.path().join(directory), cache.key()));
    }
    let counts = [("unpacked wheels", wheels.good), ("downloads", downloads.good), ("other files", others.good)];
    let mut wrong = wheels;
    wrong.add(downloads);
    wrong.add(others);
    for path in &wrong.removed {
        terminal.line(&format!("Removed {}: it is not what was kept, or does not prove that it is", path.display()));
    }
    let counts = counts.map(|(what, count)| format!("{what}: {count}")).join(", ");
    terminal.line(&format!("Verified {counts}, removed: {}", wrong.removed.len()));
    match wrong.stuck.first() {
        None => Ok(()),
        Some(path) => Err(Failure::new(Code::Disk, format!("Could not remove {}", path.display()))
            .detail("meaning", "it is not what was kept, or does not prove that it is; it is not used")
            .hint("remove it as the user it belongs to, or choose another place with --cache-dir")),
    }
}
