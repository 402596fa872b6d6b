//! Small wheels under names of the demonstration only: one module that prints one line.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rawzip::ZipArchiveWriter;
use sha2::{Digest as _, Sha256};

use installer::error::{Code, Failure};
use operator::operator_directory::{disk_failure, write_whole};

/// A wheel to be made.
pub struct SampleWheel {
    project: &'static str,
    version: &'static str,
    says: &'static str,
    requires: Option<&'static str>,
}

impl SampleWheel {
    /// A wheel whose module prints a line.
    pub fn new(project: &'static str, version: &'static str, says: &'static str) -> Self {
        Self { project, version, says, requires: None }
    }

    /// Adds a dependency.
    pub fn requires(self, project: &'static str) -> Self {
        Self { requires: Some(project), ..self }
    }

    /// The name of the wheel.
    pub fn filename(&self) -> String {
        format!("{}-{}-py3-none-any.whl", module(self.project), self.version)
    }

    /// Writes it into a directory; returns its name.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn write(&self, directory: &Path) -> Result<String, Failure> {
        let name = self.filename();
        let path = directory.join(&name);
        write_whole(&path, &self.bytes()?).map_err(|error| disk_failure(&path, error))?;
        Ok(name)
    }

    /// The archive.
    ///
    /// # Errors
    /// When writing to memory fails, which does not happen.
    pub fn bytes(&self) -> Result<Vec<u8>, Failure> {
        self.archive()
            .map_err(|error| Failure::new(Code::Internal, format!("{}: {error}", self.filename())).caused_by(error))
    }

    fn archive(&self) -> Result<Vec<u8>, rawzip::Error> {
        let info = format!("{}-{}.dist-info", module(self.project), self.version);
        let requires = self.requires.map(|project| format!("Requires-Dist: {project}\n")).unwrap_or_default();
        let metadata = format!("Metadata-Version: 2.1\nName: {}\nVersion: {}\n{requires}", self.project, self.version);
        let files = [
            (format!("{}.py", module(self.project)), format!("print({:?})\n", self.says)),
            (format!("{info}/METADATA"), metadata),
            (
                format!("{info}/WHEEL"),
                "Wheel-Version: 1.0\nGenerator: tufpip demo\nRoot-Is-Purelib: true\nTag: py3-none-any\n".to_owned(),
            ),
        ];
        let mut record = String::new();
        for (path, text) in &files {
            let hash = URL_SAFE_NO_PAD.encode(Sha256::digest(text));
            // Writing to a string does not fail.
            let _ = writeln!(record, "{path},sha256={hash},{}", text.len());
        }
        let _ = writeln!(record, "{info}/RECORD,,");
        let mut archive = ZipArchiveWriter::new(Vec::new());
        for (path, text) in files.into_iter().chain([(format!("{info}/RECORD"), record)]) {
            let (mut entry, data) = archive.new_file(&path).start()?;
            let mut data = data.wrap(&mut entry);
            data.write_all(text.as_bytes())?;
            let (_, descriptor) = data.finish()?;
            entry.finish(descriptor)?;
        }
        archive.finish()
    }
}

/// The name under which a project of the demonstration is imported.
pub fn module(project: &str) -> String {
    project.replace('-', "_")
}
