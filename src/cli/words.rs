//! Reads the words of a command line by optparse's rules, which pip's users know without knowing it.
//!
//! A long option may be abbreviated while it is unambiguous; an option's value is the next word whatever it looks like;
//! short options may be joined (`-qqr file`, `-ihttps://…`); options and arguments mix; `--` ends the options. The
//! options themselves come from a clap definition.

use clap::{Arg, ArgAction, Command};

/// One understood piece of a command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Word {
    /// An option.
    Option(OptionWord),
    /// Anything else.
    Argument(String),
}

/// An option with its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OptionWord {
    /// clap's identifier of the option.
    pub id: String,
    /// The option in full, with its hyphens: `--index-url`.
    pub name: String,
    /// The value, where the option takes one.
    pub value: Option<String>,
}

/// Words that mean nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WordError {
    /// Which word, counted from 0.
    pub position: usize,
    /// What is wrong.
    pub message: String,
    /// The option as written, without a value, when no such option exists.
    pub unknown: Option<String>,
}

/// Reads all words.
pub fn read(definition: &Command, words: &[String]) -> Result<Vec<Word>, WordError> {
    let mut reader = Reader { definition, words, next: 0, found: Vec::new() };
    while let Some(word) = reader.take() {
        if word == "--" {
            let rest = words.get(reader.next..).unwrap_or_default();
            reader.found.extend(rest.iter().cloned().map(Word::Argument));
            break;
        }
        reader.read_one(word)?;
    }
    Ok(reader.found)
}

/// Reads the options that stand before the first argument; the number is that argument's position.
pub fn read_options(definition: &Command, words: &[String]) -> Result<(Vec<Word>, usize), WordError> {
    let mut reader = Reader { definition, words, next: 0, found: Vec::new() };
    while let Some(word) = reader.words.get(reader.next) {
        if word == "--" {
            reader.next += 1;
            break;
        }
        if !is_option(word) {
            break;
        }
        reader.next += 1;
        reader.read_one(word)?;
    }
    Ok((reader.found, reader.next))
}

/// The option with exactly this long name, without hyphens; aliases count.
pub fn find_long<'a>(definition: &'a Command, name: &str) -> Option<&'a Arg> {
    definition.get_arguments().find(|option| long_names(option).contains(&name))
}

/// Whether the option takes a value.
pub fn takes_value(option: &Arg) -> bool {
    matches!(option.get_action(), ArgAction::Set | ArgAction::Append)
}

/// The option's name in full, with its hyphens.
pub fn full_name(option: &Arg) -> String {
    option.get_long().map(|long| format!("--{long}")).unwrap_or_default()
}

/// Every long name of an option, without hyphens.
pub fn long_names(option: &Arg) -> Vec<&str> {
    let mut names: Vec<&str> = option.get_long().into_iter().collect();
    names.extend(option.get_all_aliases().unwrap_or_default());
    names
}

struct Reader<'a> {
    definition: &'a Command,
    words: &'a [String],
    next: usize,
    found: Vec<Word>,
}

impl<'a> Reader<'a> {
    fn take(&mut self) -> Option<&'a String> {
        let word = self.words.get(self.next)?;
        self.next += 1;
        Some(word)
    }

    fn read_one(&mut self, word: &str) -> Result<(), WordError> {
        if let Some(long) = word.strip_prefix("--") {
            self.read_long(long)
        } else if is_option(word) {
            self.read_short(word.strip_prefix('-').unwrap_or(word))
        } else {
            self.found.push(Word::Argument(word.to_owned()));
            Ok(())
        }
    }

    fn read_long(&mut self, word: &str) -> Result<(), WordError> {
        let (name, value) = match word.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (word, None),
        };
        let option = self.find_abbreviated(name)?;
        if takes_value(option) {
            let value = self.value_of(&format!("--{name}"), value)?;
            self.push(option, Some(value));
        } else if value.is_some() {
            return Err(self.error(format!("{} option does not take a value", full_name(option))));
        } else {
            self.push(option, None);
        }
        Ok(())
    }

    fn read_short(&mut self, letters: &str) -> Result<(), WordError> {
        let mut rest = letters.chars();
        while let Some(letter) = rest.next() {
            let option = self.definition.get_arguments().find(|option| option.get_short() == Some(letter));
            let Some(option) = option else {
                return Err(self.unknown(format!("-{letter}")));
            };
            if takes_value(option) {
                let joined = Some(rest.as_str()).filter(|value| !value.is_empty()).map(str::to_owned);
                let value = self.value_of(&format!("-{letter}"), joined)?;
                self.push(option, Some(value));
                return Ok(());
            }
            self.push(option, None);
        }
        Ok(())
    }

    fn find_abbreviated(&self, name: &str) -> Result<&'a Arg, WordError> {
        if let Some(option) = find_long(self.definition, name) {
            return Ok(option);
        }
        if super::known::removed(&format!("--{name}")).is_some() {
            return Err(self.unknown(format!("--{name}")));
        }
        let matches = |option: &&Arg| long_names(option).iter().any(|long| long.starts_with(name));
        let candidates: Vec<&Arg> = self.definition.get_arguments().filter(matches).collect();
        match candidates.as_slice() {
            [option] => Ok(option),
            [] => Err(self.unknown(format!("--{name}"))),
            several => {
                let mut names: Vec<String> = several.iter().map(|option| full_name(option)).collect();
                names.sort();
                Err(self.error(format!("ambiguous option: --{name} ({}?)", names.join(", "))))
            }
        }
    }

    fn value_of(&mut self, spelled: &str, joined: Option<String>) -> Result<String, WordError> {
        if let Some(value) = joined {
            return Ok(value);
        }
        match self.take() {
            Some(value) => Ok(value.clone()),
            None => Err(self.error(format!("{spelled} option requires 1 argument"))),
        }
    }

    fn push(&mut self, option: &Arg, value: Option<String>) {
        let id = option.get_id().to_string();
        self.found.push(Word::Option(OptionWord { id, name: full_name(option), value }));
    }

    fn error(&self, message: String) -> WordError {
        WordError { position: self.next.saturating_sub(1), message, unknown: None }
    }

    fn unknown(&self, option: String) -> WordError {
        WordError { unknown: Some(option.clone()), ..self.error(format!("no such option: {option}")) }
    }
}

/// A lone hyphen is an argument.
fn is_option(word: &str) -> bool {
    word.len() > 1 && word.starts_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn install(line: &str) -> Result<Vec<String>, String> {
        let definition = crate::cli::definition();
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        let found = read(definition.find_subcommand("install").unwrap(), &words).map_err(|error| error.message)?;
        Ok(found
            .into_iter()
            .map(|word| match word {
                Word::Argument(argument) => argument,
                Word::Option(OptionWord { name, value: Some(value), .. }) => format!("{name}={value}"),
                Word::Option(OptionWord { name, .. }) => name,
            })
            .collect())
    }

    #[test]
    fn spellings() {
        for (line, expected) in [
            ("--upgrade a", vec!["--upgrade", "a"]),
            ("--ind=https://i b", vec!["--index-url=https://i", "b"]),
            ("-ihttps://i", vec!["--index-url=https://i"]),
            ("-i https://i -- -x --y", vec!["--index-url=https://i", "-x", "--y"]),
            ("-qqvr file", vec!["--quiet", "--quiet", "--verbose", "--requirement=file"]),
            ("--proxy -x -", vec!["--proxy=-x", "-"]),
            ("--proxy= a", vec!["--proxy=", "a"]),
            ("--no-dependencies", vec!["--no-deps"]),
            ("--no-dep", vec!["--no-deps"]),
            ("--default-timeout 3", vec!["--timeout=3"]),
            ("-I -U", vec!["--ignore-installed", "--upgrade"]),
        ] {
            assert_eq!(install(line), Ok(expected.into_iter().map(str::to_owned).collect()), "{line}");
        }
    }

    #[test]
    fn mistakes() {
        for (line, message) in [
            ("--bogus", "no such option: --bogus"),
            ("-qZ", "no such option: -Z"),
            ("--upgr", "ambiguous option: --upgr (--upgrade, --upgrade-strategy?)"),
            ("--no-deps=1", "--no-deps option does not take a value"),
            ("a -r", "-r option requires 1 argument"),
            ("--requirement", "--requirement option requires 1 argument"),
            ("--build x", "no such option: --build"),
        ] {
            assert_eq!(install(line), Err(message.to_owned()), "{line}");
        }
    }
}
