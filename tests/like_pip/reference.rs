//! pip as the reference: the one that TUFPIP_REFERENCE_PIP names (a directory with the package `pip` in it), else that of
//! `python3` on PATH.

use std::path::PathBuf;

use testkit::{Command, Environment};

/// A pip of version 23 or later.
pub struct Reference {
    runner: PathBuf,
    /// Major and minor version.
    pub version: (u32, u32),
}

impl Reference {
    /// Looks for it; `None`, which is printed, when there is nothing to compare with.
    pub fn find() -> Option<Self> {
        let found = Self::look();
        if found.is_none() {
            println!("skipped the comparison: no pip of version 23 or later");
        }
        found
    }

    fn look() -> Option<Self> {
        let interpreter = testkit::Interpreter::find()?;
        let directory = match std::env::var_os("TUFPIP_REFERENCE_PIP") {
            Some(directory) => PathBuf::from(directory),
            None => {
                let program = "import os, pip; print(os.path.dirname(os.path.dirname(pip.__file__)))";
                PathBuf::from(Command::new("python3").args(["-c", program]).try_run().ok()?.stdout.trim())
            }
        };
        let runner = directory.join("pip/__pip-runner__.py");
        let text = Command::new(&interpreter.executable).arg(&runner).arg("--version").try_run().ok()?.stdout;
        // `pip 26.3 from …`
        let mut numbers = text.split(' ').nth(1)?.split('.').map(|number| number.parse().unwrap_or(0));
        let version = (numbers.next()?, numbers.next().unwrap_or(0));
        (version >= (23, 0)).then_some(Self { runner, version })
    }

    /// pip, working on the environment without being installed in it.
    pub fn command(&self, environment: &Environment) -> Command {
        let command = environment.command(environment.python()).arg(&self.runner);
        command.env("PIP_DISABLE_PIP_VERSION_CHECK", "1")
    }
}
