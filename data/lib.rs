//! Files that are compiled in, packaged with the crate that holds them: programs that an interpreter runs, and trusted roots.

#![forbid(unsafe_code)]

/// Asks a Python interpreter what it is; prints one JSON object.
pub const PROBE: &str = include_str!("probe.py");

/// Asks the module `_manylinux` of an environment which wheels it refuses. Runs code of the environment.
pub const MANYLINUX: &str = include_str!("manylinux.py");

/// Compiles modules to bytecode; reads jobs from standard input.
pub const COMPILE: &str = include_str!("compile.py");

/// A trusted root that comes with the program.
#[derive(Debug)]
pub struct ShippedRoot {
    /// The index it is for.
    pub index_url: &'static str,
    /// The root metadata, from `roots/`.
    pub root: &'static [u8],
}

/// Every root in `roots/`. Empty: no public index publishes metadata yet.
pub const ROOTS: &[ShippedRoot] = &[];

/// Indexes that publish metadata for everything, so that using them without is always a mistake or an attack. Empty as well.
pub const KNOWN_SECURE: &[&str] = &[];
