//! Names of projects and extras, in their normal form.
//!
//! <https://packaging.python.org/en/latest/specifications/name-normalization/>, and PEP 685 for extras: lower case, and one
//! `-` for each run of `-`, `_` and `.`.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize};

/// The normalized name of a project.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct PackageName(String);

/// The normalized name of an extra.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct ExtraName(String);

/// Text that is no name of a project or extra.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a valid name: '{text}': expected ASCII letters, digits, '-', '_' and '.', with a letter or digit at the beginning \
     and at the end"
)]
pub struct NameError {
    /// The text, fit to be shown.
    pub text: String,
}

impl PackageName {
    /// The name as it stands in names of `.dist-info` directories: with `_` instead of `-`.
    ///
    /// <https://packaging.python.org/en/latest/specifications/recording-installed-packages/>
    pub fn as_dist_info_name(&self) -> Cow<'_, str> {
        if self.0.contains('-') { Cow::Owned(self.0.replace('-', "_")) } else { Cow::Borrowed(&self.0) }
    }
}

/// The most characters of a text that a message shows.
const MOST_SHOWN: usize = 200;

fn normalized(text: &str) -> Result<String, NameError> {
    let is_separator = |byte: u8| matches!(byte, b'-' | b'_' | b'.');
    let bytes = text.as_bytes();
    let is_valid = bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || is_separator(*byte))
        && bytes.first().is_some_and(u8::is_ascii_alphanumeric)
        && bytes.last().is_some_and(u8::is_ascii_alphanumeric);
    if !is_valid {
        return Err(NameError { text: printable::shortened(text, MOST_SHOWN) });
    }
    let mut normalized = String::with_capacity(text.len());
    for byte in text.bytes() {
        if !is_separator(byte) {
            normalized.push(char::from(byte.to_ascii_lowercase()));
        } else if !normalized.ends_with('-') {
            normalized.push('-');
        }
    }
    Ok(normalized)
}

macro_rules! name {
    ($name:ident) => {
        impl FromStr for $name {
            type Err = NameError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                normalized(text).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(formatter)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

name!(PackageName);
name!(ExtraName);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_name_are_one_name() {
        for text in
            ["friendly-bard", "Friendly-Bard", "FRIENDLY.BARD", "friendly_bard", "friendly--bard", "FrIeNdLy-._.-bArD"]
        {
            assert_eq!(text.parse::<PackageName>().unwrap().as_ref(), "friendly-bard");
            assert_eq!(text.parse::<ExtraName>().unwrap().to_string(), "friendly-bard");
        }
        for text in ["a", "1", "1okay", "okay2", "a-1"] {
            assert_eq!(text.parse::<PackageName>().unwrap().as_ref(), text);
        }
        assert_eq!("A.b--c".parse::<PackageName>().unwrap().as_dist_info_name(), "a_b_c");
    }

    #[test]
    fn what_is_no_name_is_told_in_one_line() {
        for text in ["", "-", "-a", "a-", "_a", "a.", " a", "a ", "a b", "a!", "alpha-α", "a\n", "\u{1b}[31m", "a/b"] {
            let error = text.parse::<PackageName>().unwrap_err().to_string();
            assert!(error.starts_with("not a valid name: '") && !error.contains(char::is_control), "{error}");
            assert!(text.parse::<ExtraName>().is_err());
        }
        assert!("-".repeat(100_000).parse::<PackageName>().unwrap_err().to_string().len() < 500);
    }

    #[test]
    fn names_are_texts_in_files() {
        let name: PackageName = serde_json::from_str("\"A_b\"").unwrap();
        assert_eq!(serde_json::to_string(&name).unwrap(), "\"a-b\"");
        assert!(serde_json::from_str::<ExtraName>("\"a b\"").is_err());
        assert_eq!(postcard::to_allocvec(&name).unwrap(), postcard::to_allocvec("a-b").unwrap());
    }
}
