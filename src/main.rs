//! tufpip: a pip-compatible installer that verifies what it downloads.

mod cli;
mod failure;
mod requirements;
mod settings;

use std::process::ExitCode;

use crate::settings::{Command, Surroundings, settle};

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
