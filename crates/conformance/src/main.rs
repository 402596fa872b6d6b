//! The client as the tuf-conformance suite wants to call it; the suite's CLIENT-CLI.md is the specification.
//!
//! It is also the smallest whole program around [`tuf::Client`]: `driver.rs` does what the client asks for, one thing
//! after the other; `repository.rs` is the network, `store.rs` and `downloads.rs` are the disk.

mod downloads;
mod driver;
mod repository;
mod store;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use downloads::Downloads;
use driver::Driver;
use repository::Repository;
use store::Store;

/// Why a command failed. Printed and never acted upon: the suite only looks at the exit code.
type Failure = Box<dyn std::error::Error>;

/// A TUF client for the tuf-conformance suite
#[derive(Parser)]
struct CommandLine {
    /// Where verified metadata is kept
    #[arg(long)]
    metadata_dir: PathBuf,
    /// Where the repository has its metadata; ends in a slash
    #[arg(long)]
    metadata_url: Option<String>,
    /// Where the repository has its targets; ends in a slash
    #[arg(long)]
    target_base_url: Option<String>,
    /// What to download, in this order
    #[arg(long = "target-name", value_name = "TARGET_PATH")]
    target_names: Vec<String>,
    /// Where downloaded targets are kept
    #[arg(long)]
    target_dir: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Start to trust a root
    Init { trusted_root: PathBuf },
    /// Update the top-level metadata
    Refresh,
    /// Update the top-level metadata, then download targets
    Download,
}

/// The suite knows two exit codes, 0 and 1, also for wrong usage and a program that broke.
fn main() -> ExitCode {
    std::panic::set_hook(Box::new(|panic| {
        eprintln!("{panic}");
        std::process::exit(1);
    }));
    let result = match CommandLine::try_parse() {
        Ok(command_line) => run(command_line),
        Err(help) if !help.use_stderr() => {
            print!("{help}");
            Ok(())
        }
        Err(wrong_usage) => Err(wrong_usage.into()),
    };
    if let Err(failure) = result {
        // It quotes the repository.
        eprintln!("{}", printable::lines(&failure.to_string()));
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

fn run(command_line: CommandLine) -> Result<(), Failure> {
    let store = Store::new(command_line.metadata_dir);
    if let Command::Init { trusted_root } = command_line.command {
        return store.begin(&std::fs::read(trusted_root)?);
    }
    let metadata_url = command_line.metadata_url.ok_or("--metadata-url is missing")?;
    let mut driver = Driver::new(store, Repository::new(metadata_url))?;
    driver.refresh()?;
    if let Command::Download = command_line.command {
        let base_url = command_line.target_base_url.ok_or("--target-base-url is missing")?;
        let downloads = Downloads::new(command_line.target_dir.ok_or("--target-dir is missing")?);
        for path in &command_line.target_names {
            driver.download(path, &base_url, &downloads)?;
        }
    }
    Ok(())
}
