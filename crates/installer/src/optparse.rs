//! Reads options by the rules of Python's optparse, which pip's command line and its requirements files obey.
//!
//! A long option may be abbreviated while it is unambiguous; an option's value is the next argument whatever it looks
//! like; short options may be joined (`-qqr file`, `-ihttps://…`); options and arguments mix; `--` ends the options.

/// One option that may be given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OptionDefinition {
    /// The identifier by which it is looked for afterwards.
    pub id: String,
    /// Its long names without hyphens, the one for messages first.
    pub long: Vec<String>,
    /// The letter of its short form.
    pub short: Option<char>,
    /// Whether a value follows.
    pub takes_value: bool,
}

/// The options that may be given.
#[derive(Clone, Debug, Default)]
pub struct OptionSet {
    /// Each of them.
    pub options: Vec<OptionDefinition>,
    /// Names, with hyphens, of removed options: they are not taken for abbreviations of others.
    pub removed: Vec<&'static str>,
}

impl OptionDefinition {
    /// The option's name in full, with its hyphens.
    pub fn full_name(&self) -> String {
        self.long.first().map(|long| format!("--{long}")).unwrap_or_default()
    }
}

/// An option or an argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Token {
    /// An option.
    Option(OptionToken),
    /// Anything else.
    Argument(String),
}

/// An option with its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OptionToken {
    /// The identifier of the option.
    pub id: String,
    /// The option in full, with its hyphens: `--index-url`.
    pub name: String,
    /// The value, where the option takes one.
    pub value: Option<String>,
}

/// The arguments do not parse.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenError {
    /// Position of the argument, counted from 0.
    pub position: usize,
    /// What is wrong.
    pub message: String,
    /// The option as written, without a value, when no such option exists.
    pub unknown: Option<String>,
}

/// Reads all arguments.
pub fn parse(definition: &OptionSet, tokens: &[String]) -> Result<Vec<Token>, TokenError> {
    let mut reader = TokenReader { definition, tokens, next: 0, found: Vec::new() };
    while let Some(word) = reader.take() {
        if word == "--" {
            let rest = tokens.get(reader.next..).unwrap_or_default();
            reader.found.extend(rest.iter().cloned().map(Token::Argument));
            break;
        }
        reader.read_one(word)?;
    }
    Ok(reader.found)
}

/// Reads the options that stand before the first argument; the number is that argument's position.
pub fn parse_leading_options(definition: &OptionSet, tokens: &[String]) -> Result<(Vec<Token>, usize), TokenError> {
    let mut reader = TokenReader { definition, tokens, next: 0, found: Vec::new() };
    while let Some(word) = reader.tokens.get(reader.next) {
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

struct TokenReader<'a> {
    definition: &'a OptionSet,
    tokens: &'a [String],
    next: usize,
    found: Vec<Token>,
}

impl<'a> TokenReader<'a> {
    fn take(&mut self) -> Option<&'a String> {
        let word = self.tokens.get(self.next)?;
        self.next += 1;
        Some(word)
    }

    fn read_one(&mut self, word: &str) -> Result<(), TokenError> {
        if let Some(long) = word.strip_prefix("--") {
            self.read_long(long)
        } else if is_option(word) {
            self.read_short(word.strip_prefix('-').unwrap_or(word))
        } else {
            self.found.push(Token::Argument(word.to_owned()));
            Ok(())
        }
    }

    fn read_long(&mut self, word: &str) -> Result<(), TokenError> {
        let (name, value) = match word.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (word, None),
        };
        let option = self.find_abbreviated(name)?;
        if option.takes_value {
            let value = self.value_of(&format!("--{name}"), value)?;
            self.push(option, Some(value));
        } else if value.is_some() {
            return Err(self.error(format!("{} option does not take a value", option.full_name())));
        } else {
            self.push(option, None);
        }
        Ok(())
    }

    fn read_short(&mut self, letters: &str) -> Result<(), TokenError> {
        let mut rest = letters.chars();
        while let Some(letter) = rest.next() {
            let option = self.definition.options.iter().find(|option| option.short == Some(letter));
            let Some(option) = option else {
                return Err(self.unknown(format!("-{letter}")));
            };
            if option.takes_value {
                let joined = Some(rest.as_str()).filter(|value| !value.is_empty()).map(str::to_owned);
                let value = self.value_of(&format!("-{letter}"), joined)?;
                self.push(option, Some(value));
                return Ok(());
            }
            self.push(option, None);
        }
        Ok(())
    }

    fn find_abbreviated(&self, name: &str) -> Result<&'a OptionDefinition, TokenError> {
        let is_named = |option: &&OptionDefinition| option.long.iter().any(|long| long == name);
        if let Some(option) = self.definition.options.iter().find(is_named) {
            return Ok(option);
        }
        let spelled = format!("--{name}");
        if self.definition.removed.contains(&spelled.as_str()) {
            return Err(self.unknown(spelled));
        }
        let matches = |option: &&OptionDefinition| option.long.iter().any(|long| long.starts_with(name));
        let candidates: Vec<&OptionDefinition> = self.definition.options.iter().filter(matches).collect();
        match candidates.as_slice() {
            [option] => Ok(option),
            [] => Err(self.unknown(format!("--{name}"))),
            several => {
                let mut names: Vec<String> = several.iter().map(|option| option.full_name()).collect();
                names.sort();
                Err(self.error(format!("ambiguous option: --{name} ({}?)", names.join(", "))))
            }
        }
    }

    fn value_of(&mut self, spelled: &str, joined: Option<String>) -> Result<String, TokenError> {
        if let Some(value) = joined {
            return Ok(value);
        }
        match self.take() {
            Some(value) => Ok(value.clone()),
            None => Err(self.error(format!("{spelled} option requires 1 argument"))),
        }
    }

    fn push(&mut self, option: &OptionDefinition, value: Option<String>) {
        self.found.push(Token::Option(OptionToken { id: option.id.clone(), name: option.full_name(), value }));
    }

    fn error(&self, message: String) -> TokenError {
        TokenError { position: self.next.saturating_sub(1), message, unknown: None }
    }

    fn unknown(&self, option: String) -> TokenError {
        TokenError { unknown: Some(option.clone()), ..self.error(format!("no such option: {option}")) }
    }
}

/// A lone hyphen is an argument.
fn is_option(word: &str) -> bool {
    word.len() > 1 && word.starts_with('-')
}
