//! What can go wrong with a wheel and with the place it goes to. Both halves of the crate (reading, placing) share it.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::record::RecordError;

/// Why a wheel was not read, placed or removed.
#[derive(Debug, thiserror::Error)]
pub enum WheelError {
    /// The wheel breaks a rule that protects the user; nothing of it is left on disk.
    #[error(transparent)]
    Refused(#[from] Box<Refusal>),
    /// The disk or the operating system failed, or the file is missing.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or directory in question.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// An installed distribution's RECORD cannot be read.
    #[error("{}: {source}", path.display())]
    InstalledRecord {
        /// The RECORD file.
        path: PathBuf,
        /// What is wrong with it.
        source: RecordError,
    },
}

impl WheelError {
    /// Attaches the path to an error of the operating system: `.map_err(WheelError::io(path))`.
    pub(crate) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> WheelError + '_ {
        move |source| WheelError::Io { path: path.to_path_buf(), source }
    }

    /// The refusal, if this is one.
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            WheelError::Refused(refusal) => Some(refusal),
            _ => None,
        }
    }
}

/// A wheel that is refused: which file, by which rule, because of which entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// File name of the wheel.
    pub file: String,
    /// The rule that it breaks.
    pub rule: Rule,
    /// What is wrong, as text.
    pub problem: String,
    /// The entry in question, raw; escaped when shown. `None` when the whole file is meant.
    pub entry: Option<String>,
}

impl Refusal {
    /// A refusal because of one entry.
    pub(crate) fn entry(file: &str, rule: Rule, problem: impl Into<String>, entry: impl Into<String>) -> WheelError {
        let refusal = Refusal { file: file.to_owned(), rule, problem: problem.into(), entry: Some(entry.into()) };
        WheelError::Refused(Box::new(refusal))
    }

    /// A refusal of the whole file.
    pub(crate) fn whole(file: &str, rule: Rule, problem: impl Into<String>) -> WheelError {
        let refusal = Refusal { file: file.to_owned(), rule, problem: problem.into(), entry: None };
        WheelError::Refused(Box::new(refusal))
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "refused {}: {}", escaped(&self.file), escaped(&self.problem))?;
        match &self.entry {
            Some(entry) => write!(formatter, ": {}", escaped(entry)),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Refusal {}

/// The rules a wheel must obey, as groups a caller may want to tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rule {
    /// The file name is not a wheel's.
    FileName,
    /// The zip structure is ambiguous, damaged or hides bytes.
    Framing,
    /// A compression method or encryption that wheels do not use.
    Compression,
    /// A name that leaves its directory, clashes with another or cannot be shown safely.
    EntryName,
    /// A symbolic link, device or other entry that is neither a file nor a directory.
    EntryKind,
    /// Too many entries, or too much data.
    Size,
    /// The contents do not inflate to the declared length and checksum.
    Contents,
    /// No `.dist-info` directory, more than one, or one of another distribution.
    DistInfo,
    /// METADATA is missing, damaged or of another distribution.
    Metadata,
    /// WHEEL is missing or damaged, or its version is not supported.
    WheelFile,
    /// RECORD is missing or does not describe the files of the archive. The only rule a user may choose to waive.
    Record,
    /// A `.data` directory that would place files where a wheel may not.
    Data,
    /// An entry point that cannot be made into a script safely.
    EntryPoint,
    /// The wheel would overwrite a file that it does not own.
    Placement,
}

impl Rule {
    /// A stable code, for instance `wheel.entry-name`: the same on screen, in JSON and in the documentation.
    pub fn code(self) -> &'static str {
        match self {
            Rule::FileName => "wheel.file-name",
            Rule::Framing => "wheel.framing",
            Rule::Compression => "wheel.compression",
            Rule::EntryName => "wheel.entry-name",
            Rule::EntryKind => "wheel.entry-kind",
            Rule::Size => "wheel.size",
            Rule::Contents => "wheel.contents",
            Rule::DistInfo => "wheel.dist-info",
            Rule::Metadata => "wheel.metadata",
            Rule::WheelFile => "wheel.wheel-file",
            Rule::Record => "wheel.record",
            Rule::Data => "wheel.data",
            Rule::EntryPoint => "wheel.entry-point",
            Rule::Placement => "wheel.placement",
        }
    }
}

/// Longest part of a hostile name that is shown, in characters.
const SHOWN_LENGTH: usize = 200;

fn escaped(text: &str) -> String {
    printable::ascii(text, SHOWN_LENGTH)
}
