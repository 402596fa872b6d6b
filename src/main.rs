//! tufpip: a pip-compatible installer that verifies what it downloads. Here is the command line only: what is installed and
//! trusted is decided in `crates/installer`, what is published in `crates/operator`.
//!
//! A module uses only those above it (docs/architecture.md):
//!
//! | module | is responsible for |
//! |---|---|
//! | `messages` | the words of events and the form of failures |
//! | `terminal` | everything that is printed, drawn or asked; obeys `-v`, `-q`, `--log`, `--color`, `--progress-bar`. Only commands and the root use it; what the user chose about it (`terminal::settings`) is for all |
//! | `arguments` | groups of options that several commands share, and values that are more than text |
//! | `commands` | one command a file: options, a call of a library, lines on standard output. Options of `trust` and `repo` stand beside their command |
//! | `cli` | the definition of the command line; tokens by optparse's rules, options of pip that are not there |
//! | `settings` | command line, `PIP_*`, `TUFPIP_*` and pip.conf become one `Settings`; nothing that has a default is optional behind it |

mod arguments;
mod cli;
mod commands;
mod messages;
mod settings;
mod terminal;

use std::ffi::OsString;
use std::process::ExitCode;
use std::sync::Arc;

use crate::settings::{Command, Settings, resolve_settings};
use crate::terminal::Terminal;
use installer::context::Context;
use installer::error::{Code, Failure};
use installer::event::Reporter;
use installer::process_environment::ProcessEnvironment;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let settings = command_line(std::env::args_os().skip(1))
        .and_then(|words| resolve_settings(&words, &ProcessEnvironment::current()));
    let settings = match settings {
        Ok(settings) => settings,
        Err(failure) => {
            eprintln!("{}", messages::of_failure(&failure));
            return ExitCode::from(failure.exit_code());
        }
    };
    let terminal = match Terminal::new(&settings.terminal) {
        Ok(terminal) => Arc::new(terminal),
        Err(failure) => {
            eprintln!("{}", messages::of_failure(&failure));
            return ExitCode::from(failure.exit_code());
        }
    };
    for warning in &settings.warnings {
        terminal.warning(warning);
    }
    match run(&settings, &terminal) {
        Ok(code) => code,
        Err(failure) => {
            terminal.failure(&failure);
            ExitCode::from(failure.exit_code())
        }
    }
}

/// The words behind the name of the program.
///
/// # Errors
/// One of them is not UTF-8: what was corrected could name another file or package.
fn command_line(words: impl Iterator<Item = OsString>) -> Result<Vec<String>, Failure> {
    let text = |(position, word): (usize, OsString)| {
        word.into_string().map_err(|word| {
            let shown = printable::redacted(&word.as_encoded_bytes().escape_ascii().to_string());
            Failure::usage(format!("argument {} is not UTF-8: {shown}", position + 1))
                .hint("files and directories with such a name have to be renamed first")
        })
    };
    words.enumerate().map(text).collect()
}

/// Runs the command; a success of `check` or `show` may still mean exit code 1.
fn run(settings: &Settings, terminal: &Arc<Terminal>) -> Result<ExitCode, Failure> {
    match &settings.command {
        Command::Install(install) => in_runtime(async {
            let context = context(settings, terminal)?;
            installer::install::install(&settings.common, install, &context).await
        }),
        Command::Download(download) => in_runtime(async {
            commands::download::download(&settings.common, download, &context(settings, terminal)?, terminal).await
        }),
        Command::Uninstall(uninstall) => in_runtime(async {
            commands::uninstall::uninstall(&settings.common, uninstall, &context(settings, terminal)?, terminal).await
        }),
        Command::List(list) => in_runtime(async {
            commands::list::list(&settings.common, list, &context(settings, terminal)?, terminal).await
        }),
        Command::Freeze(freeze) => commands::freeze::freeze(&settings.common, freeze, terminal),
        Command::Show(show) => return commands::show::show(&settings.common, show, terminal),
        Command::Check => return commands::check::check(&settings.common, terminal),
        Command::Cache(command) => {
            in_runtime(async { commands::cache::cache(command, &context(settings, terminal)?, terminal) })
        }
        Command::Trust(command) => in_runtime(commands::trust::trust(&settings.common, command, terminal)),
        Command::WhyTrust(why) => {
            return in_runtime(async {
                commands::why_trust::why_trust(&settings.common, why, &context(settings, terminal)?, terminal).await
            });
        }
        #[cfg(feature = "repo")]
        Command::Repo(command) => in_runtime(commands::repo::repo(&settings.common, command, terminal)),
        Command::Version => {
            terminal.data(&commands::version());
            Ok(())
        }
        Command::Help { text } => {
            terminal.data_lines(text.trim_end());
            Ok(())
        }
    }?;
    Ok(ExitCode::SUCCESS)
}

fn context(settings: &Settings, terminal: &Arc<Terminal>) -> Result<Context, Failure> {
    Context::open(&settings.common, Arc::clone(terminal) as Arc<dyn Reporter>)
}

/// Waits for a command that uses the network.
fn in_runtime<T>(command: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(Code::Internal, format!("Could not start: {error}")).caused_by(error))?;
    let outcome = runtime.block_on(command);
    // After a failure, what was under way cleans up behind itself; a server that is still asked cannot hold that up.
    runtime.shutdown_timeout(std::time::Duration::from_secs(2));
    outcome
}
