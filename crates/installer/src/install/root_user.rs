//! The warning for users who change the system's own environment as root.

use crate::event::{Reporter, WarningCode};
use crate::python::Interpreter;

/// Warns when the environment is no virtual one and the process may write everywhere; `--root-user-action=ignore` stops
/// it.
pub fn warn(interpreter: &Interpreter, wanted: bool, reporter: &dyn Reporter) {
    if !wanted || interpreter.is_virtualenv || !rustix::process::getuid().is_root() {
        return;
    }
    reporter.warning(
        WarningCode::RootUser,
        "Running tufpip as the 'root' user can result in broken permissions and conflicting behaviour with the system \
         package manager, possibly rendering your system unusable. It is recommended to use a virtual environment \
         instead. Use the --root-user-action option if you know what you are doing and want to suppress this warning.",
    );
}
