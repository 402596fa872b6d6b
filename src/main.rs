//! tufpip: a pip-compatible installer that verifies what it downloads.

mod cli;
mod failure;
mod requirements;
mod settings;

use std::process::ExitCode;

use crate::failure::Failure;
use crate::settings::{Command, IndexSettings, SelectionSettings, Surroundings, WishSettings, settle};

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
    match settle(&words, &Surroundings::of_process()) {
        Ok(settings) => {
            for warning in &settings.warnings {
                eprintln!("WARNING: {warning}");
            }
            match &settings.command {
                Command::Version => println!("tufpip {}", env!("CARGO_PKG_VERSION")),
                Command::Help { text } => print!("{text}"),
                Command::Install(install) => {
                    return print_wishes(&install.wishes, &install.indexes, &install.selection);
                }
                Command::Download(download) => {
                    return print_wishes(&download.wishes, &download.indexes, &download.selection);
                }
                _ => println!("{settings:#?}"),
            }
            ExitCode::SUCCESS
        }
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::from(failure.exit_code())
        }
    }
}

fn print_wishes(wishes: &WishSettings, indexes: &IndexSettings, selection: &SelectionSettings) -> ExitCode {
    let surroundings = Surroundings::of_process();
    let fetch = |url: &url::Url| Err(Failure::new(failure::Kind::Network, "network", format!("cannot fetch {url}")));
    let source = requirements::Source { surroundings: &surroundings, fetch: &fetch };
    match requirements::read(wishes, indexes, selection, &source) {
        Ok(found) => {
            println!("{found:#?}");
            ExitCode::SUCCESS
        }
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::from(failure.exit_code())
        }
    }
}
