//! Where passphrases of private keys come from: a file descriptor, a variable, or the user at the terminal.

use std::fs::File;
use std::io::{self, IsTerminal as _, Read as _};

use installer::process_environment::PASSPHRASE_VARIABLE;
use zeroize::Zeroizing;

use installer::error::{Code, Failure};

/// Where passphrases of private keys may come from.
#[derive(Clone, Copy, Debug, Default)]
pub struct UnlockOptions {
    /// A file descriptor whose first line is the passphrase.
    pub passphrase_fd: Option<u32>,
    /// Do not ask.
    pub no_input: bool,
}

/// The most bytes of a passphrase.
const LONGEST: u64 = 64 << 10;

/// The passphrases known during one command.
pub struct Passphrases {
    fd: Option<u32>,
    no_input: bool,
    /// From the file descriptor or the variable, read when first needed.
    given: Option<GivenPassphrase>,
    /// Passphrases typed before: keys often share one.
    typed: Vec<Zeroizing<String>>,
}

/// A passphrase that was given beforehand.
#[derive(Clone)]
pub struct GivenPassphrase {
    /// The secret.
    pub passphrase: Zeroizing<String>,
    /// Where it is from, for messages.
    pub source: &'static str,
}

impl Passphrases {
    /// Takes what `unlock` names.
    pub fn new(unlock: &UnlockOptions) -> Self {
        Self { fd: unlock.passphrase_fd, no_input: unlock.no_input, given: None, typed: Vec::new() }
    }

    /// The passphrase that was given beforehand, if any.
    ///
    /// # Errors
    /// When the file descriptor cannot be read, or the passphrase is empty.
    pub fn given(&mut self) -> Result<Option<GivenPassphrase>, Failure> {
        if self.given.is_none() {
            self.given = match self.fd {
                Some(fd) => Some(from_descriptor(fd)?),
                None => from_variable()?,
            };
        }
        Ok(self.given.clone())
    }

    /// The passphrases typed for other keys.
    pub fn typed(&self) -> Vec<Zeroizing<String>> {
        self.typed.clone()
    }

    /// Asks for the passphrase of an existing key; `again` after a wrong one.
    ///
    /// # Errors
    /// When there is no terminal to ask.
    pub fn ask(&mut self, file: &str, again: bool) -> Result<Zeroizing<String>, Failure> {
        let wrong = if again { "That does not open it. " } else { "" };
        let passphrase = self.prompt(&format!("{wrong}Passphrase of {file}: "))?;
        self.typed.push(passphrase.clone());
        Ok(passphrase)
    }

    /// The passphrase for new keys: the given one, the one typed before in this command, or one that is typed twice.
    ///
    /// # Errors
    /// When there is no terminal to ask, or the two entries differ.
    pub fn for_new_keys(&mut self, names: &str) -> Result<Zeroizing<String>, Failure> {
        if let Some(given) = self.given()? {
            return Ok(given.passphrase);
        }
        let first = self.prompt(&format!("New passphrase for {names}: "))?;
        if first.is_empty() {
            return Err(empty("nothing was typed"));
        }
        let second = self.prompt("The same again: ")?;
        if first != second {
            let message = "The passphrases differ; nothing was written";
            return Err(Failure::new(Code::RepoNoPassphrase, message));
        }
        self.typed.push(first.clone());
        Ok(first)
    }

    fn prompt(&self, question: &str) -> Result<Zeroizing<String>, Failure> {
        let reason = if self.no_input {
            "no input is expected (--no-input)"
        } else if !io::stdin().is_terminal() {
            "there is no terminal to ask at"
        } else {
            let typed = rpassword::prompt_password(question).map(Zeroizing::new);
            return typed.map_err(|error| unasked(&format!("asking for it failed: {error}")));
        };
        Err(unasked(reason))
    }
}

fn from_descriptor(fd: u32) -> Result<GivenPassphrase, Failure> {
    let unreadable = |error: io::Error| {
        let message = format!("No passphrase can be read from file descriptor {fd}: {error}");
        Failure::new(Code::RepoNoPassphrase, message).caused_by(error)
    };
    let file = File::open(format!("/dev/fd/{fd}")).map_err(unreadable)?;
    let mut text = Zeroizing::new(String::new());
    file.take(LONGEST).read_to_string(&mut text).map_err(unreadable)?;
    let passphrase = Zeroizing::new(text.lines().next().unwrap_or_default().to_owned());
    if passphrase.is_empty() {
        return Err(empty(&format!("the first line from file descriptor {fd} is empty")));
    }
    Ok(GivenPassphrase { passphrase, source: "--passphrase-fd" })
}

fn from_variable() -> Result<Option<GivenPassphrase>, Failure> {
    match std::env::var(PASSPHRASE_VARIABLE).map(Zeroizing::new) {
        Ok(passphrase) if passphrase.is_empty() => Ok(None),
        Ok(passphrase) => Ok(Some(GivenPassphrase { passphrase, source: PASSPHRASE_VARIABLE })),
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(std::env::VarError::NotUnicode(_)) => {
            let message = format!("The passphrase in {PASSPHRASE_VARIABLE} is not UTF-8");
            Err(Failure::new(Code::RepoNoPassphrase, message))
        }
    }
}

fn empty(what: &str) -> Failure {
    Failure::new(Code::RepoNoPassphrase, format!("A passphrase must not be empty: {what}"))
        .hint("--no-passphrase makes keys that are not encrypted, for machines that sign alone")
}

fn unasked(reason: &str) -> Failure {
    Failure::new(Code::RepoNoPassphrase, format!("A passphrase is needed, but {reason}"))
        .hint(format!("give it with --passphrase-fd or in {PASSPHRASE_VARIABLE}"))
}
