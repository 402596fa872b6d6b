//! Reads requirements: arguments, requirements and constraint files, and dependency groups, into a
//! [`RequirementSet`]. Markers are kept, not evaluated; only the files named by `-r` and `-c` are downloaded.
//!
//! What a server sends may ask for packages, and nothing else: see `docs/decisions/remote-text-asks-for-packages-only.md`.

use std::collections::HashMap;
use std::fmt;
use std::path::PathBuf;

use packaging::{ExtraName, HashAlgorithm, PackageName, Requirement};
use url::Url;

use crate::error::{Code, Failure};
use crate::options::{IndexOptions, RequirementOptions, SelectionOptions};
use crate::process_environment::ProcessEnvironment;

mod file;
mod file_options;
mod groups;
mod install_requirement;
#[cfg(test)]
mod tests;
mod text;

/// All requirements and constraints, and the options that requirements files contain.
#[derive(Clone, Debug)]
pub struct RequirementSet {
    /// The requirements in the order given: command line, groups, files.
    pub requirements: Vec<InstallRequirement>,
    /// What limits the versions that are chosen.
    pub constraints: Vec<InstallRequirement>,
    /// The settings, changed by the files.
    pub indexes: IndexOptions,
    /// The settings, changed by the files.
    pub selection: SelectionOptions,
    /// `--trusted-host` lines of files; those of the settings are not repeated.
    pub trusted_hosts: Vec<String>,
    /// Every file needs a hash: because an option says so, or because some requirement has one.
    pub require_hashes: bool,
    /// Sentences to print as warnings.
    pub warnings: Vec<String>,
}

/// A requirement or constraint with its hashes and origin.
#[derive(Clone, Debug)]
pub struct InstallRequirement {
    /// What it is.
    pub source: RequirementSource,
    /// The text as written, with its marker and without options; a URL in it may hold a password.
    pub text: String,
    /// Hashes of which one must match; hex in lower case.
    pub hashes: Vec<(HashAlgorithm, String)>,
    /// Where it is written.
    pub origin: RequirementOrigin,
    /// The user requested it; false for requirements that a constraint file includes.
    pub user_supplied: bool,
    /// A server sent it: its URL and its hashes are not the user's word.
    pub is_remote: bool,
    /// It counts only where this holds.
    pub marker: Option<ParsedMarker>,
}

/// What a requirement names.
#[derive(Clone, Debug)]
pub enum RequirementSource {
    /// A name with versions, to be looked for in indexes; has no URL.
    Specifier(Requirement),
    /// One archive: a wheel or a source distribution.
    File {
        /// `http(s)://`, or `file://` with an absolute path; its fragment may hold a hash.
        url: Url,
        /// The last part of the URL's path, decoded.
        filename: String,
        /// Extras asked for.
        extras: Vec<ExtraName>,
        /// The project's name, where it is written down: `name @ url`, `#egg=`, or the file name of a wheel.
        name: Option<PackageName>,
    },
    /// A project's source directory.
    Directory {
        /// Absolute.
        path: PathBuf,
        /// Extras asked for.
        extras: Vec<ExtraName>,
        /// The project's name, where it is written down.
        name: Option<PackageName>,
    },
}

/// An environment marker.
#[derive(Clone, Debug)]
pub struct ParsedMarker {
    /// As written, for `Ignoring x: markers 'y' don't match your environment`.
    pub text: String,
    /// Ready to evaluate.
    pub tree: packaging::Marker,
}

/// Where a requirement is written. Displays as pip prints it after `from`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RequirementOrigin {
    /// An argument of the command line.
    CommandLine,
    /// `--group`
    Group {
        /// The `pyproject.toml`.
        path: String,
        /// The group's name as given.
        name: String,
    },
    /// A line of a file.
    Line {
        /// The file is read for constraints.
        constraint: bool,
        /// Path or URL.
        file: String,
        /// Counted from 1; the first one of a continued line.
        line: usize,
    },
}

/// The result of reading.
#[derive(Debug)]
pub enum Reading {
    /// Everything was read.
    Complete(Box<RequirementSet>),
    /// These files on servers are needed: read again with them. They may include further ones.
    Missing(MissingFiles),
}

/// Files on servers that are to be fetched.
#[derive(Debug, Default)]
pub struct MissingFiles {
    /// Each with what names it, such as `line 3 of r.txt`.
    pub files: Vec<(Url, String)>,
    /// `--trusted-host` lines of the files of this machine that were read so far.
    pub trusted_hosts: Vec<String>,
}

/// Hashes of which a file must have one; any file will do where there are none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequiredHashes {
    /// Hex in lower case.
    pub allowed: Vec<(HashAlgorithm, String)>,
    /// The user wrote them, or a longer list that these are in. Otherwise a server did, so that they vouch for nothing.
    pub are_users: bool,
}

impl RequiredHashes {
    /// Whether the user determines the content of the file.
    pub fn vouch(&self) -> bool {
        self.are_users && self.allowed.iter().any(|(algorithm, _)| algorithm.is_strong())
    }
}

/// Reads all requirements. `remote_files` are the files on servers that were fetched so far, by URL.
///
/// # Errors
/// Files that cannot be read, and invalid lines or arguments.
pub fn read(
    requirement_options: &RequirementOptions,
    indexes: &IndexOptions,
    selection: &SelectionOptions,
    process_environment: &ProcessEnvironment,
    remote_files: &HashMap<Url, Vec<u8>>,
) -> Result<Reading, Failure> {
    let found = RequirementSet {
        requirements: Vec::new(),
        constraints: Vec::new(),
        indexes: indexes.clone(),
        selection: selection.clone(),
        trusted_hosts: Vec::new(),
        require_hashes: false,
        warnings: Vec::new(),
    };
    let mut reader =
        file::RequirementsReader::new(process_environment, remote_files, found, requirement_options.require_hashes);
    for constraint_file in &requirement_options.constraint_files {
        reader.read_constraints(constraint_file)?;
    }
    for word in &requirement_options.requirements {
        reader.add(word, RequirementOrigin::CommandLine, Vec::new())?;
    }
    for group in &requirement_options.groups {
        for text in groups::requirements(group)? {
            let origin = RequirementOrigin::Group { path: group.path.display().to_string(), name: group.name.clone() };
            reader.add(&text, origin, Vec::new())?;
        }
    }
    for requirement_file in &requirement_options.requirement_files {
        reader.read_requirements(requirement_file)?;
    }
    reader.finish()
}

/// The text of a requirements file, whatever its encoding.
///
/// # Errors
/// One sentence without the file's name.
pub fn decoded(bytes: &[u8]) -> Result<String, String> {
    text::decode(bytes)
}

/// The project that one requirement names; `None` when that is known only after it was opened.
///
/// # Errors
/// With pip's message.
pub fn project_of(requirement: &str) -> Result<Option<PackageName>, Failure> {
    let (subject, _) = install_requirement::parse(requirement, &RequirementOrigin::CommandLine, &mut Vec::new())?;
    Ok(match subject {
        RequirementSource::Specifier(requirement) => Some(requirement.name),
        RequirementSource::File { name, .. } | RequirementSource::Directory { name, .. } => name,
    })
}

impl RequirementSet {
    /// The URLs of files that the user wrote, in requirements or constraints.
    pub fn user_urls(&self) -> impl Iterator<Item = Url> {
        let written = self.requirements.iter().chain(&self.constraints).filter(|written| !written.is_remote);
        written.filter_map(|written| match &written.source {
            RequirementSource::File { url, .. } => Some(url.clone()),
            RequirementSource::Specifier(_) | RequirementSource::Directory { .. } => None,
        })
    }
}

impl InstallRequirement {
    /// The project's name, where it is known before anything is opened.
    pub fn name(&self) -> Option<&PackageName> {
        match &self.source {
            RequirementSource::Specifier(requirement) => Some(&requirement.name),
            RequirementSource::File { name, .. } | RequirementSource::Directory { name, .. } => name.as_ref(),
        }
    }

    /// Extras asked for.
    pub fn extras(&self) -> &[ExtraName] {
        match &self.source {
            RequirementSource::Specifier(requirement) => &requirement.extras,
            RequirementSource::File { extras, .. } | RequirementSource::Directory { extras, .. } => extras,
        }
    }
}

impl fmt::Display for RequirementOrigin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CommandLine => formatter.write_str("command line"),
            Self::Group { path, name } => write!(formatter, "--group {path}:{name}"),
            Self::Line { constraint, file, line } => {
                write!(formatter, "{} {file} (line {line})", if *constraint { "-c" } else { "-r" })
            }
        }
    }
}

/// What pip calls an installation error: exit code 1.
fn installation_error(message: impl Into<String>) -> Failure {
    Failure::new(Code::RequirementsInvalid, printable::redacted(&message.into()))
}
