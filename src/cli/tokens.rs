//! From a clap definition to the options that the reader of [`installer::optparse`] understands.

use clap::{Arg, ArgAction, Command};
use installer::optparse::{self, OptionDefinition, OptionSet};

pub use installer::optparse::{OptionToken, Token, TokenError};

use super::unsupported_options;

/// Reads all words.
pub fn parse(definition: &Command, tokens: &[String]) -> Result<Vec<Token>, TokenError> {
    optparse::parse(&option_set(definition), tokens)
}

/// Reads the options that stand before the first argument; the number is that argument's position.
pub fn parse_leading_options(definition: &Command, tokens: &[String]) -> Result<(Vec<Token>, usize), TokenError> {
    optparse::parse_leading_options(&option_set(definition), tokens)
}

fn option_set(definition: &Command) -> OptionSet {
    let option = |option: &Arg| OptionDefinition {
        id: option.get_id().to_string(),
        long: long_names(option).into_iter().map(str::to_owned).collect(),
        short: option.get_short(),
        takes_value: takes_value(option),
    };
    OptionSet {
        options: definition.get_arguments().map(option).collect(),
        removed: unsupported_options::removed_names(),
    }
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
        let tokens: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        let found = parse(definition.find_subcommand("install").unwrap(), &tokens).map_err(|error| error.message)?;
        Ok(found
            .into_iter()
            .map(|word| match word {
                Token::Argument(argument) => argument,
                Token::Option(OptionToken { name, value: Some(value), .. }) => format!("{name}={value}"),
                Token::Option(OptionToken { name, .. }) => name,
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
