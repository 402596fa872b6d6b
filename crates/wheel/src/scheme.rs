//! Where the files of one distribution go.

use std::path::PathBuf;

/// The directories of an environment, as its interpreter reports them; absolute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scheme {
    /// Pure Python code.
    pub purelib: PathBuf,
    /// Code with compiled parts.
    pub platlib: PathBuf,
    /// Programs.
    pub scripts: PathBuf,
    /// Everything else: the prefix of the environment.
    pub data: PathBuf,
    /// C headers; ends with the distribution's name already.
    pub headers: PathBuf,
}
