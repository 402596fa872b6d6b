//! From a clap definition to the options that the reader of [`installer::optparse`] understands.

use clap::{Arg, ArgAction, Command};
use installer::optparse::{self, OptionDefinition, OptionSet};

pub use installer::optparse::{OptionWord, Word, WordError};

use super::known;

/// Reads all words.
pub fn read(definition: &Command, words: &[String]) -> Result<Vec<Word>, WordError> {
    optparse::read(&option_set(definition), words)
}

/// Reads the options that stand before the first argument; the number is that argument's position.
pub fn read_options(definition: &Command, words: &[String]) -> Result<(Vec<Word>, usize), WordError> {
    optparse::read_options(&option_set(definition), words)
}

fn option_set(definition: &Command) -> OptionSet {
    let option = |option: &Arg| OptionDefinition {
        id: option.get_id().to_string(),
        long: long_names(option).into_iter().map(str::to_owned).collect(),
        short: option.get_short(),
        takes_value: takes_value(option),
    };
    OptionSet { options: definition.get_arguments().map(option).collect(), removed: known::removed_names() }
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
