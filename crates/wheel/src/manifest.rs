//! What an unpacked wheel consists of: written once when a wheel is unpacked, read each time it is placed.

use serde::{Deserialize, Serialize};

/// The contents of an unpacked wheel, so that placing it needs no walk over directories and no hashing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The `*.dist-info` directory, for instance `numpy-2.4.6.dist-info`.
    pub dist_info: String,
    /// The `*.data` directory, when the wheel has one.
    pub data: Option<String>,
    /// `Wheel-Version` of WHEEL: major is 1; a minor above 0 is worth a warning.
    pub wheel_version: (u64, u64),
    /// `Root-Is-Purelib` of WHEEL: whether the root of the archive goes to purelib or to platlib.
    pub root_is_purelib: bool,
    /// Every file to place, in the order of their paths. Not among them: RECORD and its signatures, and what an
    /// installer writes itself (INSTALLER, REQUESTED, direct_url.json).
    pub files: Vec<UnpackedFile>,
    /// `console_scripts` of entry_points.txt, in their order.
    pub console_scripts: Vec<EntryPoint>,
    /// `gui_scripts` of entry_points.txt, in their order.
    pub gui_scripts: Vec<EntryPoint>,
}

/// One regular file of an unpacked wheel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnpackedFile {
    /// Path inside the archive, with `/`; checked to stay inside its directory.
    pub path: String,
    /// Length in bytes.
    pub size: u64,
    /// Modification time of the unpacked copy: seconds and nanoseconds since 1970. It is what a .pyc file made from it
    /// remembers.
    pub modified: (i64, u32),
    /// Its change time when it was unpacked, as in [`LinkTimes`](crate::LinkTimes).
    pub changed: i64,
    /// Whether the archive marks it executable (mode 0755 instead of 0644).
    pub executable: bool,
    /// SHA-256 in the form RECORD uses: URL-safe base64 without padding.
    pub sha256: String,
}

/// A `.pyc` file made from a file of an unpacked wheel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BytecodeFile {
    /// Path relative to the root of the archive, for instance `pkg/__pycache__/module.cpython-311.pyc`.
    pub path: String,
    /// Length in bytes.
    pub size: u64,
    /// Its change time when it was compiled, as in [`LinkTimes`](crate::LinkTimes).
    pub changed: i64,
    /// SHA-256 in the form RECORD uses.
    pub sha256: String,
    /// Which file of the wheel it was made from, counted from 0.
    pub source: usize,
    /// The hash that this file had.
    pub source_sha256: String,
}

/// One script that an installer makes from entry_points.txt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryPoint {
    /// The script's name.
    pub name: String,
    /// Module to import, dotted.
    pub module: String,
    /// Object to call, dotted.
    pub object: String,
}
