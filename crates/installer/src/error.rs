//! The one error of the program: what went wrong, in words for its user, and the exit code it means.
//!
//! Library crates have their own error types; `From` impls here are the only place where those become sentences.

use std::fmt;

use wheel::{TransactionError, WheelError};

/// Why a command failed; decides the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The user's wish cannot be fulfilled: no such version, a conflict, a file that is missing. Exit code 1.
    Error,
    /// The command line or the configuration is wrong. Exit code 2.
    Usage,
    /// A virtual environment is required and there is none. Exit code 3.
    NoVirtualEnvironment,
    /// A downloaded file is not what it must be: hash, length, RECORD, a hostile archive. Exit code 10.
    Verification,
    /// Signed metadata has expired or is withheld. Exit code 11.
    Expired,
    /// A policy the user asked for forbids it, for instance hash-checking mode. Exit code 12.
    Policy,
    /// The network or a server failed; the only kind that is safe to retry. Exit code 13.
    Network,
}

/// A failed command: message, what led to it, what to do, and a stable code.
#[derive(Debug)]
pub struct Failure {
    /// Decides the exit code.
    pub kind: Kind,
    /// Stable identifier such as `verify.hash-mismatch`, the same on screen, in JSON and in the documentation.
    pub code: &'static str,
    /// pip's phrase where pip has one; may have several lines. Printed behind `ERROR: `.
    pub message: String,
    /// Labelled facts: `file`, `expected`, `received`, `cause` …
    pub details: Vec<(&'static str, String)>,
    /// What the reader can do about it.
    pub hints: Vec<String>,
}

impl Failure {
    /// A failure with a message and nothing else yet.
    pub fn new(kind: Kind, code: &'static str, message: impl Into<String>) -> Self {
        Self { kind, code, message: message.into(), details: Vec::new(), hints: Vec::new() }
    }

    /// A wrong command line or configuration.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Kind::Usage, "usage", message)
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

    /// The process exit code: stable and documented.
    pub fn exit_code(&self) -> u8 {
        match self.kind {
            Kind::Error => 1,
            Kind::Usage => 2,
            Kind::NoVirtualEnvironment => 3,
            Kind::Verification => 10,
            Kind::Expired => 11,
            Kind::Policy => 12,
            Kind::Network => 13,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Whoever made the texts may have forgotten that some of them are foreign, or that a URL is in them.
        for (index, line) in shown(&self.message).lines().enumerate() {
            writeln!(formatter, "{}{}", if index == 0 { "ERROR: " } else { "" }, line)?;
        }
        for (label, text) in &self.details {
            let text = shown(text);
            let mut lines = text.lines();
            writeln!(formatter, "  {label:<9} {}", lines.next().unwrap_or_default())?;
            for line in lines {
                writeln!(formatter, "  {:<9} {line}", "")?;
            }
        }
        for hint in &self.hints {
            writeln!(formatter, "  {:<9} {}", "help", shown(hint))?;
        }
        write!(formatter, "  {:<9} {}", "code", self.code)
    }
}

fn shown(text: &str) -> String {
    printable::lines(&printable::redacted(text))
}

impl From<WheelError> for Failure {
    fn from(error: WheelError) -> Self {
        let message = error.to_string();
        match &error {
            WheelError::Refused(refusal) => Self::new(Kind::Verification, refusal.rule.code(), message)
                .detail("meaning", "the file breaks a rule that protects you; nothing of it was installed")
                .hint("report it to the project, or choose another version"),
            WheelError::Io { .. } => Self::new(Kind::Error, "disk", format!("Could not read or write {message}")),
            WheelError::InstalledRecord { .. } => Self::new(Kind::Error, "installed.record", message)
                .hint("install that distribution again with --ignore-installed"),
        }
    }
}

impl From<TransactionError> for Failure {
    fn from(error: TransactionError) -> Self {
        let message = error.to_string();
        match error {
            TransactionError::Wheel(error) => error.into(),
            TransactionError::NoRecord { ref installer, .. } if !installer.is_empty() => {
                let hint = format!("it was installed by {installer}, which may be able to remove it");
                Self::new(Kind::Error, "installed.no-record", capitalized(&message)).hint(hint)
            }
            _ => Self::new(Kind::Error, "place", capitalized(&message)),
        }
    }
}

fn capitalized(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map(|first| first.to_uppercase().chain(characters).collect()).unwrap_or_default()
}
