//! A module `_manylinux` in the environment may refuse manylinux wheels (PEP 600).
//!
//! It is the only code of an environment that tufpip runs, and only to choose among wheels of this kind
//! (docs/decisions/what-an-interpreter-runs.md).

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use super::Interpreter;
use crate::process_environment;

impl Interpreter {
    /// The manylinux tags that the environment refuses. Runs its module `_manylinux`, where there is one.
    ///
    /// # Errors
    /// The reason, when the module fails.
    pub fn refused_manylinux(&self) -> Result<Vec<String>, String> {
        if self.is_for_other_machine || self.tag_facts.system != "Linux" {
            return Ok(Vec::new());
        }
        let places = self.site_packages();
        let Some(module) = places.iter().find_map(|place| module_in(place)) else { return Ok(Vec::new()) };
        let failed = |reason: &dyn std::fmt::Display| format!("{}: {reason}", module.display());
        let question = serde_json::json!({
            "path": places.iter().filter_map(|place| place.to_str()).collect::<Vec<_>>(),
            "platform": self.tag_facts.platform,
            "pointer_size": self.tag_facts.pointer_size,
            "glibc": self.tag_facts.glibc,
        });
        let io = |error: std::io::Error| failed(&error);
        let mut child = process_environment::child(&self.executable)
            // Without bytecode: to ask changes nothing.
            .args(["-I", "-S", "-B", "-c", data::MANYLINUX])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(io)?;
        if let Some(mut input) = child.stdin.take() {
            // A child that ends early says why on standard error.
            let _ = input.write_all(question.to_string().as_bytes());
        }
        let output = child.wait_with_output().map_err(io)?;
        if !output.status.success() {
            let text = String::from_utf8_lossy(&output.stderr);
            return Err(failed(&text.trim().lines().last().unwrap_or("it ended without an answer")));
        }
        serde_json::from_slice(&output.stdout)
            .map_err(|error| failed(&format_args!("its answer is not understood: {error}")))
    }
}

/// A file or directory that `import _manylinux` may find in a directory.
fn module_in(directory: &Path) -> Option<PathBuf> {
    let entries = std::fs::read_dir(directory).ok()?.flatten();
    let mut names = entries.map(|entry| entry.file_name());
    names.find(|name| name.to_string_lossy().split('.').next() == Some("_manylinux")).map(|name| directory.join(name))
}
