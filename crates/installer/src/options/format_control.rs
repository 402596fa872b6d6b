//! Per-project choices; a later option extends or reverts an earlier one.

use std::collections::BTreeSet;

use packaging::PackageName;

use super::SelectionOptions;
use crate::error::{Code, Failure};

/// Which formats of distributions may be chosen for which project.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FormatControl {
    /// Projects without wheels.
    pub no_binary: ProjectNames,
    /// Projects without source distributions.
    pub only_binary: ProjectNames,
}

/// Which projects may have pre-releases.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReleaseControl {
    /// Projects with pre-releases.
    pub all_releases: ProjectNames,
    /// Projects without, even where only they would do.
    pub only_final: ProjectNames,
}

/// Formats that may be chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AllowedFormats {
    /// Wheels.
    pub wheel: bool,
    /// Source distributions.
    pub source: bool,
}

/// A set of project names, or all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProjectNames {
    /// `:all:`
    pub all: bool,
    /// Normalized names.
    pub named: BTreeSet<String>,
}

impl FormatControl {
    /// One `--no-binary` option.
    pub fn no_binary(&mut self, value: &str) -> Result<(), Failure> {
        exclude_mutually("--no-binary / --only-binary", value, &mut self.no_binary, &mut self.only_binary)
    }

    /// One `--only-binary` option.
    pub fn only_binary(&mut self, value: &str) -> Result<(), Failure> {
        exclude_mutually("--no-binary / --only-binary", value, &mut self.only_binary, &mut self.no_binary)
    }

    /// What may be chosen for a project; a name beats `:all:`.
    pub fn allowed(&self, name: &PackageName) -> AllowedFormats {
        let name = name.as_ref();
        if self.only_binary.named.contains(name) {
            AllowedFormats { wheel: true, source: false }
        } else if self.no_binary.named.contains(name) {
            AllowedFormats { wheel: false, source: true }
        } else {
            AllowedFormats { wheel: self.only_binary.all || !self.no_binary.all, source: !self.only_binary.all }
        }
    }

    /// Exactly `--only-binary=:all:`: no source distribution of any project.
    pub fn is_only_binary(&self) -> bool {
        self.no_binary.is_empty() && self.only_binary.all && self.only_binary.named.is_empty()
    }
}

impl ReleaseControl {
    /// One `--all-releases` option.
    pub fn all_releases(&mut self, value: &str) -> Result<(), Failure> {
        exclude_mutually("--all-releases / --only-final", value, &mut self.all_releases, &mut self.only_final)
    }

    /// One `--only-final` option.
    pub fn only_final(&mut self, value: &str) -> Result<(), Failure> {
        exclude_mutually("--all-releases / --only-final", value, &mut self.only_final, &mut self.all_releases)
    }

    /// `--pre` is `--all-releases :all:`, added to what is there.
    pub fn pre(&mut self) {
        self.all_releases.all = true;
    }

    /// No option was given.
    pub fn is_empty(&self) -> bool {
        self.all_releases.is_empty() && self.only_final.is_empty()
    }

    /// Whether pre-releases of a project may be chosen; `None` when no option decides.
    pub fn allows_prereleases(&self, name: &PackageName) -> Option<bool> {
        let name = name.as_ref();
        if self.all_releases.named.contains(name) {
            Some(true)
        } else if self.only_final.named.contains(name) {
            Some(false)
        } else if self.all_releases.all {
            Some(true)
        } else if self.only_final.all {
            Some(false)
        } else {
            None
        }
    }
}

impl ProjectNames {
    /// No name and not `:all:`.
    pub fn is_empty(&self) -> bool {
        !self.all && self.named.is_empty()
    }

    fn clear(&mut self) {
        *self = Self::default();
    }
}

/// Adds a comma-separated value to `target` and takes it from `other`.
///
/// `:all:` cancels everything before it on both sides; what follows it counts only with a `:none:` there,
/// which empties the target.
fn exclude_mutually(
    options: &str,
    value: &str,
    target: &mut ProjectNames,
    other: &mut ProjectNames,
) -> Result<(), Failure> {
    if value.starts_with('-') {
        return Err(Failure::new(Code::UsageConflict, format!("{options} option requires 1 argument.")));
    }
    let mut rest: Vec<&str> = value.split(',').collect();
    while let Some(position) = rest.iter().position(|word| *word == ":all:") {
        other.clear();
        target.clear();
        target.all = true;
        rest.drain(..=position);
        if !rest.contains(&":none:") {
            return Ok(());
        }
    }
    for word in rest {
        if word == ":none:" {
            target.clear();
        } else {
            let name = normalize(word);
            other.named.remove(&name);
            target.named.insert(name);
        }
    }
    Ok(())
}

impl SelectionOptions {
    /// Applies one of the options that extend or take back earlier ones, by its identifier; ignores all others.
    ///
    /// # Errors
    /// The value looks like an option.
    pub fn apply(&mut self, id: &str, value: &str) -> Result<(), Failure> {
        match id {
            "no_binary" => self.formats.no_binary(value),
            "only_binary" => self.formats.only_binary(value),
            "all_releases" => self.releases.all_releases(value),
            "only_final" => self.releases.only_final(value),
            _ => Ok(()),
        }
    }
}

/// The normalized form of a project name (PEP 503), of any text.
pub fn normalize(name: &str) -> String {
    let mut normalized = String::with_capacity(name.len());
    for character in name.chars() {
        if !matches!(character, '-' | '_' | '.') {
            normalized.extend(character.to_lowercase());
        } else if !normalized.ends_with('-') {
            normalized.push('-');
        }
    }
    normalized
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> PackageName {
        text.parse().unwrap()
    }

    #[test]
    fn a_name_beats_all_and_the_last_word_counts() {
        let mut formats = FormatControl::default();
        formats.only_binary(":all:").unwrap();
        assert!(formats.is_only_binary());
        formats.no_binary("A_b.C,other").unwrap();
        assert_eq!(formats.allowed(&name("a-b-c")), AllowedFormats { wheel: false, source: true });
        assert_eq!(formats.allowed(&name("third")), AllowedFormats { wheel: true, source: false });
        assert!(!formats.is_only_binary());
        formats.only_binary("a-b-c").unwrap();
        assert_eq!(formats.allowed(&name("a-b-c")), AllowedFormats { wheel: true, source: false });
        formats.no_binary(":all:").unwrap();
        assert!(formats.only_binary.is_empty());
        assert_eq!(formats.allowed(&name("a-b-c")), AllowedFormats { wheel: false, source: true });
    }

    #[test]
    fn none_empties_and_all_swallows_what_follows() {
        let mut formats = FormatControl::default();
        formats.no_binary("a,:none:,b").unwrap();
        assert_eq!(formats.no_binary.named, BTreeSet::from(["b".to_owned()]));
        formats.no_binary(":all:,c").unwrap();
        assert!(formats.no_binary.all && formats.no_binary.named.is_empty());
        formats.no_binary(":all:,:none:,c").unwrap();
        assert!(!formats.no_binary.all && formats.no_binary.named.contains("c"));
        assert!(formats.no_binary("--only-binary").is_err());
    }

    #[test]
    fn releases_answer_only_when_asked() {
        let mut releases = ReleaseControl::default();
        assert_eq!(releases.allows_prereleases(&name("a")), None);
        releases.only_final("a").unwrap();
        releases.pre();
        assert_eq!(releases.allows_prereleases(&name("a")), Some(false));
        assert_eq!(releases.allows_prereleases(&name("b")), Some(true));
        releases.all_releases("a").unwrap();
        assert_eq!(releases.allows_prereleases(&name("a")), Some(true));
        releases.only_final(":all:").unwrap();
        assert_eq!(releases.allows_prereleases(&name("a")), Some(false));
    }

    #[test]
    fn names_are_normalized() {
        for (written, normalized) in [("A", "a"), ("a__b", "a-b"), ("a.-_b", "a-b"), ("Foo.Bar", "foo-bar")] {
            assert_eq!(normalize(written), normalized, "{written}");
        }
    }
}
