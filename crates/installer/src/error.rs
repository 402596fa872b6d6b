//! The one error of this library and of the program: what failed, as a message for the user, with a stable code.
//!
//! A sentence stands where the failure is found, because it needs the values at hand
//! (docs/decisions/where-sentences-stand.md). Errors of `wheel` become failures here, those of `tuf` in
//! `trust/refusal.rs`, of the network in `net/remote_failure.rs`, of `resolve` in `index/explanation.rs`.

mod code;

pub use code::{Code, Exit, Page};

use std::fmt;

use wheel::{Rule, TransactionError, WheelError};

/// A failed command: message, what led to it, what to do, and a stable code.
#[derive(Debug)]
pub struct Failure {
    /// What failed; decides the exit code.
    pub code: Code,
    /// pip's phrase where pip has one; may have several lines. Printed behind `ERROR: `.
    pub message: String,
    /// Labelled facts: `file`, `expected`, `received`, `cause` …
    pub details: Vec<(&'static str, String)>,
    /// What the reader can do about it.
    pub hints: Vec<String>,
    source: Option<Source>,
}

/// The error behind a failure.
pub type Source = Box<dyn std::error::Error + Send + Sync>;

impl Failure {
    /// A failure with a message and nothing else yet.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), details: Vec::new(), hints: Vec::new(), source: None }
    }

    /// A wrong command line or configuration.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Code::Usage, message)
    }

    /// Adds a labelled fact.
    pub fn detail(mut self, label: &'static str, text: impl Into<String>) -> Self {
        self.details.push((label, text.into()));
        self
    }

    /// Adds something the reader can do.
    pub fn hint(mut self, text: impl Into<String>) -> Self {
        self.hints.push(text.into());
        self
    }

    /// Keeps the error that caused it; the message already describes it.
    pub fn caused_by(mut self, source: impl Into<Source>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// The exit code of the process: stable and documented.
    pub fn exit_code(&self) -> u8 {
        self.code.exit().code()
    }
}

impl std::error::Error for Failure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn std::error::Error + 'static))
    }
}

/// For programs and logs; the command line prints failures in its own layout.
impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.message)?;
        for (label, text) in &self.details {
            write!(formatter, "\n{label}: {text}")?;
        }
        for hint in &self.hints {
            write!(formatter, "\nhelp: {hint}")?;
        }
        write!(formatter, "\ncode: {}", self.code)
    }
}

impl From<WheelError> for Failure {
    fn from(error: WheelError) -> Self {
        // One sentence; the paths in it may be a package's.
        let message = printable::line(&error.to_string());
        let failure = match &error {
            WheelError::Refused(refusal) => Self::new(Code::from(refusal.rule), message)
                .detail("meaning", "the file breaks a rule that protects you; nothing of it was installed")
                .hint("report it to the project, or choose another version"),
            WheelError::Io { .. } => Self::new(Code::Disk, format!("Could not read or write {message}")),
            WheelError::InstalledRecord { .. } => Self::new(Code::InstalledRecord, message)
                .hint("install that distribution again with --ignore-installed"),
        };
        failure.caused_by(error)
    }
}

impl From<TransactionError> for Failure {
    fn from(error: TransactionError) -> Self {
        let message = printable::line(&error.to_string());
        match error {
            TransactionError::Wheel(error) => error.into(),
            TransactionError::NoRecord { ref installer, .. } if !installer.is_empty() => {
                let installer = printable::line(installer);
                let hint = format!("it was installed by {installer}, which may be able to remove it");
                Self::new(Code::InstalledNoRecord, capitalized(&message)).hint(hint).caused_by(error)
            }
            TransactionError::StagingNotBelieved { ref problem, ref remedy, ref path } => {
                let message = format!("{} is not believed to be an interrupted change of yours", path.display());
                Self::new(Code::PlaceForeignChange, message)
                    .detail("cause", problem.clone())
                    .detail("meaning", "nothing of it was obeyed, and nothing was changed")
                    .hint(remedy.clone())
                    .caused_by(error)
            }
            TransactionError::Protected { .. } => Self::new(Code::from(Rule::Placement), capitalized(&message))
                .detail("meaning", "no package may change this; nothing was changed")
                .caused_by(error),
            _ => Self::new(Code::Place, capitalized(&message)).caused_by(error),
        }
    }
}

fn capitalized(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map(|first| first.to_uppercase().chain(characters).collect()).unwrap_or_default()
}
