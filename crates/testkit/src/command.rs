//! Runs a program cut off from the machine's configuration, and makes its output comparable. Every process of a test
//! begins here.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, Read, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{self, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::environment::Environment;
use crate::isolation::isolate;
use crate::server::Server;

/// A program about to run with an environment of its own: HOME, XDG directories and TMPDIR are the test's, and neither
/// the variables, the configuration files nor the proxies of the user who runs the tests are in reach.
#[derive(Debug)]
pub struct Command {
    command: process::Command,
    /// The home of [`Command::new`]; removed when the program has ended.
    home: Option<TempDir>,
    input: Vec<u8>,
    time_limit: Duration,
    replacements: Vec<(String, String)>,
}

/// How a program ended.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// Standard output, invalid UTF-8 replaced.
    pub stdout: String,
    /// Standard error, invalid UTF-8 replaced.
    pub stderr: String,
    /// From start to end.
    pub elapsed: Duration,
    /// The most memory it had at a time, in KiB, as of about its last two milliseconds; `None` where there is no
    /// `/proc`.
    pub peak_memory: Option<u64>,
    replacements: Vec<(String, String)>,
}

impl Command {
    /// A program of the machine, or the test program itself: found on PATH as the test would find it, with an empty
    /// home that is removed when it has ended. Runs in the working directory of the test.
    pub fn new(program: impl AsRef<OsStr>) -> Self {
        let home = TempDir::new().unwrap();
        let mut command = Self::at_home(program, home.path());
        command.home = Some(home);
        command
    }

    /// As [`Command::new`], with a home that the test owns.
    pub fn at_home(program: impl AsRef<OsStr>, home: &Path) -> Self {
        let temporary = home.join("tmp");
        fs::create_dir_all(&temporary).unwrap();
        let mut command = process::Command::new(program);
        isolate(&mut command, home, &temporary);
        Self::with(command, Vec::new())
    }

    /// A program in an environment: VIRTUAL_ENV, PATH, home and working directory are those of the environment.
    pub(crate) fn within(environment: &Environment, program: &Path) -> Self {
        let mut command = process::Command::new(program);
        let home = environment.home();
        isolate(&mut command, &home, &environment.temporary());
        command
            .current_dir(environment.work())
            .env("XDG_CACHE_HOME", environment.cache())
            .env("XDG_DATA_HOME", environment.data())
            .env("PATH", search_path(&environment.scripts()));
        if environment.venv().exists() {
            command.env("VIRTUAL_ENV", environment.venv());
        }
        let replacements = [
            (environment.site_packages(), "$SITE_PACKAGES"),
            (environment.venv(), "$VENV"),
            (environment.cache(), "$CACHE"),
            (environment.temporary(), "$TMP"),
            (environment.work(), "$WORK"),
            (home, "$HOME"),
            (environment.interpreter().executable.clone(), "$PYTHON"),
        ]
        .map(|(path, name)| (path.display().to_string(), name.to_owned()))
        .to_vec();
        Self::with(command, replacements)
    }

    fn with(command: process::Command, replacements: Vec<(String, String)>) -> Self {
        Self { command, home: None, input: Vec::new(), time_limit: Duration::from_secs(60), replacements }
    }

    /// Adds an argument.
    pub fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.command.arg(argument);
        self
    }

    /// Adds arguments.
    pub fn args(mut self, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        self.command.args(arguments);
        self
    }

    /// Sets an environment variable.
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Removes an environment variable.
    pub fn env_remove(mut self, name: &str) -> Self {
        self.command.env_remove(name);
        self
    }

    /// Changes the working directory.
    pub fn directory(mut self, directory: &Path) -> Self {
        self.command.current_dir(directory);
        self
    }

    /// What the program reads from standard input; nothing unless set.
    pub fn input(mut self, input: impl AsRef<[u8]>) -> Self {
        self.input = input.as_ref().to_vec();
        self
    }

    /// After how long the program is killed and the test fails; 60 seconds unless set.
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.time_limit = limit;
        self
    }

    /// Shows this text as `name` in [`Outcome::normalized`].
    pub fn showing(mut self, text: &str, name: &str) -> Self {
        self.replacements.push((text.to_owned(), name.to_owned()));
        self
    }

    /// Uses the simple index of `server`, which shows as `$INDEX`: sets `PIP_INDEX_URL`.
    pub fn index(self, server: &Server) -> Self {
        let origin = server.url("");
        self.env("PIP_INDEX_URL", server.url("/simple/")).showing(&origin, "$INDEX")
    }

    /// The process itself, for a test that kills it or talks to it. Not for [`Command::new`], whose home ends with the
    /// command.
    pub fn process(self) -> process::Command {
        assert!(self.home.is_none(), "the home would be gone before the process runs");
        self.command
    }

    /// Runs it to its end; that it cannot be started fails the test.
    pub fn run(self) -> Outcome {
        let program = self.command.get_program().to_owned();
        self.try_run().unwrap_or_else(|error| panic!("cannot start {}: {error}", program.display()))
    }

    /// Runs it to its end, or returns why it cannot be started, for programs that not every machine has.
    pub fn try_run(mut self) -> io::Result<Outcome> {
        let start = Instant::now();
        let mut child = self.command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let mut standard_input = child.stdin.take().unwrap();
        let input = std::mem::take(&mut self.input);
        // A program that reads no input closes it; that is not an error of the test.
        thread::spawn(move || standard_input.write_all(&input));
        let stdout = read_all(child.stdout.take().unwrap());
        let stderr = read_all(child.stderr.take().unwrap());
        let mut peak_memory = None;
        let status = loop {
            // The kernel keeps the peak; a process that has ended has none any more.
            peak_memory = peak_memory_of(child.id()).or(peak_memory);
            if let Some(status) = child.try_wait().unwrap() {
                break status;
            }
            if start.elapsed() > self.time_limit {
                child.kill().unwrap();
                child.wait().unwrap();
                let (stdout, stderr) = (stdout.join().unwrap(), stderr.join().unwrap());
                panic!("still running after {:?}\nstdout:\n{stdout}\nstderr:\n{stderr}", self.time_limit);
            }
            thread::sleep(Duration::from_millis(2));
        };
        Ok(Outcome {
            code: status.code(),
            signal: status.signal(),
            stdout: stdout.join().unwrap(),
            stderr: stderr.join().unwrap(),
            elapsed: start.elapsed(),
            peak_memory,
            replacements: self.replacements,
        })
    }
}

impl Outcome {
    /// Whether it ended with code 0.
    pub fn succeeded(&self) -> bool {
        self.code == Some(0)
    }

    /// Fails the test, with both outputs, unless the program ended with this code.
    #[track_caller]
    pub fn expect_code(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "\nstdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    /// Fails the test unless standard error contains each of these texts.
    #[track_caller]
    pub fn expect_stderr(self, pieces: &[&str]) -> Self {
        for piece in pieces {
            assert!(self.stderr.contains(piece), "no `{piece}` in standard error:\n{}", self.stderr);
        }
        self
    }

    /// Exit code and both outputs as one text for snapshots: paths and addresses as `$NAME`, times as `[TIME]`.
    pub fn normalized(&self) -> String {
        let text = format!(
            "exit code: {}\n----- stdout -----\n{}----- stderr -----\n{}",
            self.code.map_or_else(|| "none".to_owned(), |code| code.to_string()),
            self.stdout,
            self.stderr
        );
        let mut replacements = self.replacements.clone();
        // The longest first: site-packages lies in the environment.
        replacements.sort_by_key(|(text, _)| std::cmp::Reverse(text.len()));
        let text = replacements.iter().fold(text, |text, (found, name)| text.replace(found, name));
        without_times(&text)
    }
}

/// The environment's programs, then those every system has.
fn search_path(scripts: &Path) -> OsString {
    let directories = [scripts, Path::new("/usr/local/bin"), Path::new("/usr/bin"), Path::new("/bin")];
    std::env::join_paths(directories).unwrap()
}

fn read_all(mut pipe: impl Read + Send + 'static) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = pipe.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// In KiB.
fn peak_memory_of(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    peak.trim().strip_suffix(" kB")?.parse().ok()
}

/// Replaces words such as `12ms`, `1.25s` or `0.3 s` by `[TIME]`.
fn without_times(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(|character: char| character.is_ascii_digit()) {
        let (before, from_digit) = rest.split_at(start);
        result += before;
        let end = from_digit.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(from_digit.len());
        let (number, after) = from_digit.split_at(end);
        let in_word = result.ends_with(|c: char| c.is_alphanumeric() || "-_.".contains(c));
        match time_unit(after).filter(|_| !in_word) {
            Some(after_unit) => {
                result += "[TIME]";
                rest = after_unit;
            }
            None => {
                result += number;
                rest = after;
            }
        }
    }
    result + rest
}

/// What follows a unit of time, when `text` begins with one that is a whole word.
fn time_unit(text: &str) -> Option<&str> {
    let text = text.strip_prefix(' ').unwrap_or(text);
    let after = ["ms", "µs", "s"].iter().find_map(|unit| text.strip_prefix(unit))?;
    (!after.starts_with(|c: char| c.is_alphanumeric() || c == '_')).then_some(after)
}

#[cfg(test)]
mod tests {
    use super::without_times;

    #[test]
    fn times_are_replaced_and_versions_are_not() {
        assert_eq!(without_times("Installed 2 in 1.25s, 12ms.\n"), "Installed 2 in [TIME], [TIME].\n");
        assert_eq!(without_times("took 0.3 s"), "took [TIME]");
        assert_eq!(without_times("app-1.0 3 sets v2s 7spam"), "app-1.0 3 sets v2s 7spam");
    }
}
