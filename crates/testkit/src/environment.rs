//! A virtual environment with a home, cache and temporary directory of its own, removed at the end of the test.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use tempfile::TempDir;

use crate::command::Command;
use crate::tree::tree;

/// Asks an interpreter who it is; a virtual environment's answers for its base.
const PROBE: &str = "import os, sys
print(os.path.realpath(getattr(sys, '_base_executable', sys.executable)))
print('%d.%d.%d' % sys.version_info[:3])";

/// The Python that environments are made from: `python3` on PATH, probed once.
#[derive(Clone, Debug)]
pub struct Interpreter {
    /// The real executable, no link and no shim.
    pub executable: PathBuf,
    /// Such as `3.11.7`.
    pub version: String,
}

/// A fresh virtual environment and everything a command may write to.
#[derive(Debug)]
pub struct Environment {
    root: TempDir,
    interpreter: Interpreter,
}

impl Interpreter {
    /// The interpreter of this machine; `None`, with a line on standard error, when there is none.
    pub fn find() -> Option<Self> {
        static FOUND: OnceLock<Option<Interpreter>> = OnceLock::new();
        FOUND.get_or_init(probe).clone()
    }

    /// Major and minor version, such as `3.11`.
    pub fn minor_version(&self) -> String {
        self.version.rsplit_once('.').unwrap().0.to_owned()
    }
}

impl Environment {
    /// An environment made by hand, which takes no process; `python -m venv` makes the same layout.
    pub fn new() -> Self {
        let environment = Self::without_venv();
        let venv = environment.venv();
        let interpreter = &environment.interpreter;
        let scripts = environment.scripts();
        fs::create_dir_all(&scripts).unwrap();
        fs::create_dir_all(environment.site_packages()).unwrap();
        fs::create_dir_all(venv.join("include")).unwrap();
        if cfg!(all(target_os = "linux", target_pointer_width = "64")) {
            symlink("lib", venv.join("lib64")).unwrap();
        }
        symlink(&interpreter.executable, scripts.join("python")).unwrap();
        symlink("python", scripts.join("python3")).unwrap();
        symlink("python", scripts.join(format!("python{}", interpreter.minor_version()))).unwrap();
        let configuration = format!(
            "home = {}\ninclude-system-site-packages = false\nversion = {}\nexecutable = {}\n",
            interpreter.executable.parent().unwrap().display(),
            interpreter.version,
            interpreter.executable.display()
        );
        fs::write(venv.join("pyvenv.cfg"), configuration).unwrap();
        environment
    }

    /// An environment made by `python -m venv --without-pip`.
    pub fn made_by_venv() -> Self {
        let environment = Self::without_venv();
        let interpreter = environment.command(&environment.interpreter.executable);
        interpreter.args(["-I", "-m", "venv", "--without-pip"]).arg(environment.venv()).run().expect_code(0);
        environment
    }

    /// No virtual environment; only the directories around it.
    pub fn without_venv() -> Self {
        let interpreter = Interpreter::find().expect("tests of installations need python3 on PATH");
        // Resolved, because the temporary directory of a machine may be a link.
        let root = TempDir::new_in(std::env::temp_dir().canonicalize().unwrap()).unwrap();
        let environment = Self { root, interpreter };
        for directory in [environment.home(), environment.cache(), environment.temporary(), environment.work()] {
            fs::create_dir(directory).unwrap();
        }
        environment
    }

    /// The interpreter it was made from.
    pub fn interpreter(&self) -> &Interpreter {
        &self.interpreter
    }

    /// The virtual environment.
    pub fn venv(&self) -> PathBuf {
        self.root.path().join("venv")
    }

    /// Its interpreter.
    pub fn python(&self) -> PathBuf {
        self.scripts().join("python")
    }

    /// Where its programs are.
    pub fn scripts(&self) -> PathBuf {
        self.venv().join("bin")
    }

    /// Where its packages are.
    pub fn site_packages(&self) -> PathBuf {
        self.venv().join(format!("lib/python{}/site-packages", self.interpreter.minor_version()))
    }

    /// HOME of the commands.
    pub fn home(&self) -> PathBuf {
        self.root.path().join("home")
    }

    /// XDG_CACHE_HOME of the commands.
    pub fn cache(&self) -> PathBuf {
        self.root.path().join("cache")
    }

    /// XDG_DATA_HOME of the commands.
    pub fn data(&self) -> PathBuf {
        self.home().join(".local/share")
    }

    /// Where tufpip keeps what it trusts: a directory for each signed index.
    pub fn trust_store(&self) -> PathBuf {
        self.data().join("tufpip/tuf-repositories")
    }

    /// Where tufpip remembers indexes whose anchors are not the user's: a directory for each.
    pub fn trust_memory(&self) -> PathBuf {
        self.data().join("tufpip/tuf-remembered")
    }

    /// TMPDIR of the commands.
    pub fn temporary(&self) -> PathBuf {
        self.root.path().join("tmp")
    }

    /// The working directory of the commands.
    pub fn work(&self) -> PathBuf {
        self.root.path().join("work")
    }

    /// Writes a file of the working directory, such as a requirements file, and returns its path.
    pub fn write(&self, path: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.work().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        path
    }

    /// A command that knows nothing of the machine but this environment; see [`Command`].
    pub fn command(&self, program: impl AsRef<Path>) -> Command {
        Command::within(self, program.as_ref())
    }

    /// The state of the virtual environment, to compare before and after.
    pub fn state(&self) -> Vec<String> {
        tree(&self.venv())
    }

    /// What is left in the temporary directory.
    pub fn leftovers(&self) -> Vec<String> {
        tree(&self.temporary())
    }

    /// Names of the dist-info directories, such as `app-1.0`, sorted.
    pub fn installed(&self) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(self.site_packages())
            .unwrap()
            .filter_map(|entry| entry.unwrap().file_name().to_str()?.strip_suffix(".dist-info").map(str::to_owned))
            .collect();
        names.sort();
        names
    }

    /// What the environment's Python prints for a program, without the last line end.
    pub fn run_python(&self, program: &str) -> String {
        let outcome = self.command(self.python()).args(["-I", "-c", program]).run();
        assert_eq!(outcome.code, Some(0), "python failed:\n{}", outcome.stderr);
        outcome.stdout.trim_end().to_owned()
    }
}

impl Default for Environment {
    fn default() -> Self {
        Self::new()
    }
}

fn probe() -> Option<Interpreter> {
    let text = match Command::new("python3").args(["-I", "-c", PROBE]).try_run() {
        Ok(outcome) if outcome.succeeded() => outcome.stdout,
        _ => {
            eprintln!("no python3 on PATH");
            return None;
        }
    };
    let (executable, version) = text.trim_end().split_once('\n')?;
    Some(Interpreter { executable: PathBuf::from(executable), version: version.to_owned() })
}
