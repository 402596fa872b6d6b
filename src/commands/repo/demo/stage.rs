//! The stage of the demonstration: a temporary directory, a server, and commands that see nothing else.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use tempfile::TempDir;

use super::sample_wheel::module;
use super::unexpected;
use crate::terminal::Terminal;
use installer::error::{Code, Failure};
use operator::operator_directory::disk_failure;
use operator::server::{ResponseOverrides, Server};

/// Directory, server and user of the demonstration.
pub struct DemoStage {
    directory: TempDir,
    interpreter: PathBuf,
    program: PathBuf,
    server: Server,
    index: String,
    overrides: ResponseOverrides,
    terminal: Arc<Terminal>,
}

/// How a command ended.
pub struct CommandResult {
    /// The command as a user would type it.
    pub shown: String,
    /// The exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// Its standard output, followed by its standard error.
    pub output: String,
}

/// The keys of the demonstration exist for seconds only.
const PASSPHRASE: &str = "a key for a demonstration";

impl DemoStage {
    /// An empty directory, and a server for what will be published.
    pub async fn new(interpreter: PathBuf, terminal: &Arc<Terminal>) -> Result<Self, Failure> {
        let failed =
            |error| Failure::new(Code::Disk, format!("Could not make a temporary directory: {error}")).caused_by(error);
        let private = Permissions::from_mode(0o700);
        let directory =
            tempfile::Builder::new().prefix("tufpip-demo-").permissions(private).tempdir().map_err(failed)?;
        let public = directory.path().join("index/public");
        std::fs::create_dir_all(&public).map_err(|error| disk_failure(&public, error))?;
        let overrides = ResponseOverrides::default();
        let server = Server::start(&public, 0, Arc::clone(&overrides)).await?;
        let program = std::env::current_exe().map_err(|error| {
            Failure::new(Code::Internal, format!("This program does not find itself: {error}")).caused_by(error)
        })?;
        let interpreter = std::path::absolute(&interpreter).unwrap_or(interpreter);
        let index = format!("{}simple/", server.url());
        Ok(Self { directory, interpreter, program, server, index, overrides, terminal: Arc::clone(terminal) })
    }

    /// The directory that contains everything.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// The base of the index.
    pub fn url(&self) -> &str {
        self.server.url().as_str()
    }

    /// The index URL for installers.
    pub fn index(&self) -> &str {
        &self.index
    }

    /// The responses that replace those of the server.
    pub fn interference(&self) -> &ResponseOverrides {
        &self.overrides
    }

    /// Prints the title of the next part.
    pub fn title(&self, text: &str) {
        self.terminal.line("");
        self.terminal.line(text);
    }

    /// Prints lines of explanation.
    pub fn report(&self, lines: &[&str]) {
        for line in lines {
            self.terminal.line(line);
        }
    }

    /// Prints the output of a command.
    pub fn show(&self, ran: &CommandResult) {
        self.show_beginning(ran, usize::MAX);
    }

    /// Prints the first lines of the output of a command.
    fn show_beginning(&self, ran: &CommandResult, lines: usize) {
        self.terminal.line(&format!("  $ {}", ran.shown));
        for line in ran.output.lines().filter(|line| !line.trim().is_empty()).take(lines) {
            self.terminal.line(&format!("  | {line}"));
        }
    }

    /// Runs this program as the user of the demonstration, who trusts the index after `trust add`.
    pub fn run(&self, words: &[&str]) -> Result<CommandResult, Failure> {
        self.run_program(words, "home")
    }

    /// Runs this program as a user without any trusted index.
    pub fn run_as_stranger(&self, words: &[&str]) -> Result<CommandResult, Failure> {
        self.run_program(words, "home-of-a-stranger")
    }

    /// Runs and shows this program, which must succeed.
    pub fn succeeds(&self, words: &[&str]) -> Result<(), Failure> {
        self.succeeds_with(words, usize::MAX)
    }

    /// The same, showing at most `lines` lines: the rest is advice.
    pub fn succeeds_with(&self, words: &[&str], lines: usize) -> Result<(), Failure> {
        let ran = self.run(words)?;
        self.show_beginning(&ran, lines);
        if ran.code == Some(0) { Ok(()) } else { Err(unexpected("the command should have succeeded", &ran)) }
    }

    /// Runs a module that was installed.
    pub fn runs_module(&self, target: &str, project: &str) -> Result<(), Failure> {
        let module = module(project);
        let mut command = self.command(&self.interpreter, "home");
        command.args(["-B", "-m", &module]).env("PYTHONPATH", target);
        let ran = self.wait(command, format!("PYTHONPATH={target} python3 -m {module}"))?;
        self.show(&ran);
        if ran.code == Some(0) { Ok(()) } else { Err(unexpected("what was installed should run", &ran)) }
    }

    /// Whether the installed module prints this.
    pub fn installed(&self, target: &str, says: &str) -> bool {
        let module = self.directory().join(target).join(format!("{}.py", module(super::GREETING)));
        std::fs::read_to_string(module).is_ok_and(|text| text.contains(says))
    }

    /// Fails unless the installed module prints this.
    pub fn expect(&self, target: &str, says: &str) -> Result<(), Failure> {
        if self.installed(target, says) {
            return Ok(());
        }
        let message = format!("The demonstration failed: what was installed into {target} does not say \"{says}\"");
        Err(Failure::new(Code::RepoDemo, message))
    }

    /// Whether anything was installed.
    pub fn is_there(&self, target: &str) -> bool {
        let entries = std::fs::read_dir(self.directory().join(target));
        entries.is_ok_and(|mut entries| entries.next().is_some())
    }

    fn run_program(&self, words: &[&str], home: &str) -> Result<CommandResult, Failure> {
        let mut command = self.command(&self.program, home);
        command.args(words);
        let shown = words.iter().map(|word| operator::anchor::shell_quoted(word)).collect::<Vec<_>>().join(" ");
        self.wait(command, format!("tufpip {shown}"))
    }

    /// A command with configuration, trust store and cache of the demonstration only.
    fn command(&self, program: &Path, home: &str) -> Command {
        let home = self.directory().join(home);
        let mut command = Command::new(program);
        command
            .env_clear()
            .current_dir(self.directory())
            .env("HOME", &home)
            .env("XDG_DATA_HOME", home.join("data"))
            .env("XDG_CACHE_HOME", home.join("cache"))
            .env("XDG_CONFIG_HOME", home.join("config"))
            .env("TMPDIR", self.directory())
            .env("PIP_CONFIG_FILE", "/dev/null")
            .env("PIP_NO_CACHE_DIR", "1")
            .env("PIP_ROOT_USER_ACTION", "ignore")
            .env("PIP_PYTHON", &self.interpreter)
            .env("NO_PROXY", "*")
            .env("TUFPIP_REPO_PASSPHRASE", PASSPHRASE);
        for kept in ["PATH", "LANG", "LC_ALL"] {
            if let Some(value) = std::env::var_os(kept) {
                command.env(kept, value);
            }
        }
        command
    }

    fn wait(&self, mut command: Command, shown: String) -> Result<CommandResult, Failure> {
        command.stdin(std::process::Stdio::null());
        // The server answers in other threads at the same time.
        let output = tokio::task::block_in_place(|| command.output());
        let output =
            output.map_err(|error| Failure::new(Code::RepoDemo, format!("{shown}: {error}")).caused_by(error))?;
        let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        let text = printable::lines(&text).replace(&format!("{}/", self.directory().display()), "");
        Ok(CommandResult { shown, code: output.status.code(), output: text })
    }
}
