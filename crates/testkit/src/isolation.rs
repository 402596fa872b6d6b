//! What a process that a test starts sees of the machine: its programs, and nothing of the user who runs the tests.

use std::path::Path;
use std::process;

/// Variables of the caller that a process may see: where programs are found. All others would change what is tested.
const PASSED_ON: &[&str] = &["PATH", "PYENV_ROOT", "PYENV_VERSION", "LD_LIBRARY_PATH"];

/// Takes the caller's environment away and gives the process a home, the directories that belong to it (XDG Base
/// Directory Specification), a directory for temporary files, and neutral settings for what looks elsewhere.
pub(crate) fn isolate(command: &mut process::Command, home: &Path, temporary: &Path) {
    command.env_clear();
    for name in PASSED_ON {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    // By default pyenv is in the home directory, which is replaced here.
    let of_pyenv = std::env::home_dir().map(|home| home.join(".pyenv")).filter(|directory| directory.is_dir());
    if let (None, Some(directory)) = (std::env::var_os("PYENV_ROOT"), of_pyenv) {
        command.env("PYENV_ROOT", directory);
    }
    command
        .env("HOME", home)
        .env("XDG_CACHE_HOME", home.join(".cache"))
        .env("XDG_CONFIG_HOME", home.join(".config"))
        .env("XDG_CONFIG_DIRS", home.join("etc"))
        .env("XDG_DATA_HOME", home.join(".local/share"))
        .env("XDG_STATE_HOME", home.join(".local/state"))
        .env("TMPDIR", temporary)
        // Configuration of the whole machine, which has no variable for its directory.
        .env("PIP_CONFIG_FILE", "/dev/null")
        .env("NO_PROXY", "*")
        .env("LC_ALL", "C.UTF-8")
        .env("PYTHONDONTWRITEBYTECODE", "1");
}
