//! Why a request has no solution, as data and in pip's wording.

use std::fmt;

use packaging::{PackageName, Requirement, Version};
use serde::{Deserialize, Serialize};

use crate::catalog::Rejection;
use crate::request::UserRequirement;

/// Why a request is impossible.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Explanation {
    /// Nothing matches one requirement.
    NoMatch(Box<NoMatch>),
    /// Requirements contradict each other.
    Conflict(Conflict),
    /// What a direct reference leads to can not be used.
    Unusable(Box<Unusable>),
}

/// A project at a version, as the origin of a requirement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parent {
    /// The project.
    pub name: PackageName,
    /// The version that has the requirement.
    pub version: Version,
}

/// One requirement that nothing matches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoMatch {
    /// The requirement.
    pub requirement: Requirement,
    /// The package that has the requirement; `None` for the user.
    pub parent: Option<Parent>,
    /// Where the user's requirement was read; empty for a dependency.
    pub source: String,
    /// All versions that could be used here, ascending, yanked ones left out.
    pub versions: Vec<Version>,
    /// Yanked versions, ascending.
    pub yanked: Vec<Version>,
    /// Versions that can not be used here, ascending, with the reason.
    pub rejected: Vec<(Version, Rejection)>,
    /// Versions with unusable metadata, ascending, with the reason.
    pub unusable: Vec<(Version, String)>,
    /// Whether pre-releases were forbidden.
    pub only_final: bool,
    /// What could be done.
    pub notes: Vec<Note>,
}

/// Requirements that contradict each other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conflict {
    /// What can not be installed together: `a==1.0` for a pin, or the requirement itself; sorted.
    pub triggers: Vec<String>,
    /// The requirements in conflict.
    pub causes: Vec<ConflictCause>,
    /// The user's constraints on the projects these are about.
    pub constraints: Vec<UserRequirement>,
    /// Projects among them of which nothing at all can be used here.
    pub without_candidates: Vec<PackageName>,
    /// The reasons: what requires a parent, and which other versions have the same requirement.
    pub notes: Vec<Note>,
}

/// A requirement in a conflict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConflictCause {
    /// The package that has the requirement; `None` for the user.
    pub parent: Option<Parent>,
    /// The requirement.
    pub requirement: Requirement,
    /// Where the user's requirement was read; empty for a dependency.
    pub source: String,
}

/// A direct reference that can not be used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unusable {
    /// The requirement that names it.
    pub requirement: Requirement,
    /// The package that has the requirement; `None` for the user.
    pub parent: Option<Parent>,
    /// What it is, when that is known.
    pub version: Option<Version>,
    /// Why it can not be used.
    pub reason: Rejection,
}

/// Something to know about an explanation that is not part of pip's text. Prints as a sentence.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Note {
    /// A version would match, if it could be used.
    WouldMatch {
        /// Its project.
        name: PackageName,
        /// The version.
        version: Version,
        /// Why it can not be used.
        rejection: Rejection,
    },
    /// Versions that can not be used could avoid a conflict; their metadata is not known.
    CouldFit {
        /// Their project.
        name: PackageName,
        /// The best of them.
        version: Version,
        /// How many there are besides.
        others: usize,
        /// Why they can not be used.
        rejection: Rejection,
    },
    /// How requirements belong together.
    Sentence(String),
}

impl Note {
    /// The sentence, with the caller's text for a rejection.
    pub fn sentence(&self, words: impl Fn(&Rejection) -> String) -> String {
        match self {
            Self::WouldMatch { name, version, rejection } => {
                format!("{name} {version} would match, but: {}", words(rejection))
            }
            Self::CouldFit { name, version, others, rejection } => {
                let others = if *others == 0 { String::new() } else { format!(" and {others} others") };
                format!("{name} {version}{others} could fit, but there is {}", words(rejection))
            }
            Self::Sentence(sentence) => sentence.clone(),
        }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.sentence(Rejection::to_string))
    }
}

impl Explanation {
    /// What is not part of pip's text.
    pub fn notes(&self) -> &[Note] {
        match self {
            Self::NoMatch(problem) => &problem.notes,
            Self::Conflict(problem) => &problem.notes,
            Self::Unusable(_) => &[],
        }
    }
}

impl NoMatch {
    /// The requirement as pip names it in "No matching distribution found for …".
    pub fn requirement_text(&self) -> String {
        shown(&self.requirement)
    }

    /// pip's lines, of which the last names what was not found. Of more than `most` versions the middle is left
    /// out.
    pub fn lines(&self, most: usize) -> Vec<String> {
        let mut lines = Vec::new();
        if !self.yanked.is_empty() {
            lines.push(format!("Ignored the following yanked versions: {}", joined(&self.yanked, ", ", most)));
        }
        let pythons: Vec<String> = (self.rejected.iter())
            .filter_map(|(version, rejection)| match rejection {
                Rejection::Python { requires, .. } => Some(format!("{version} Requires-Python {requires}")),
                _ => None,
            })
            .collect();
        if !pythons.is_empty() {
            let pythons = joined(&pythons, "; ", most);
            lines.push(format!("Ignored the following versions that require a different python version: {pythons}"));
        }
        let kind = if self.only_final { "final version" } else { "version" };
        let mut line = format!("Could not find a {kind} that satisfies the requirement {}", self.requirement_text());
        if let Some(parent) = &self.parent {
            line.push_str(&format!(" (from {})", parent.name));
        }
        let versions = if self.versions.is_empty() { "none".to_owned() } else { joined(&self.versions, ", ", most) };
        lines.push(format!("{line} (from versions: {versions})"));
        lines
    }

    /// For each reason that pip does not report: the versions it applies to, and its text; for a rejection the caller's
    /// text.
    pub fn other_reasons(&self, most: usize, words: impl Fn(&Rejection) -> String) -> Vec<String> {
        let rejected = (self.rejected.iter())
            .filter(|(_, rejection)| !matches!(rejection, Rejection::Python { .. }))
            .map(|(version, rejection)| (words(rejection), version));
        let unusable = self.unusable.iter().map(|(version, reason)| (reason.clone(), version));
        let mut by_reason: Vec<(String, Vec<&Version>)> = Vec::new();
        for (reason, version) in rejected.chain(unusable) {
            match by_reason.iter_mut().find(|(known, _)| *known == reason) {
                Some((_, versions)) => versions.push(version),
                None => by_reason.push((reason, vec![version])),
            }
        }
        by_reason.into_iter().map(|(reason, versions)| format!("{}: {reason}", joined(&versions, ", ", most))).collect()
    }
}

impl Conflict {
    /// The lines after "The conflict is caused by:", without indent.
    pub fn lines(&self) -> Vec<String> {
        let causes = self.causes.iter().map(ToString::to_string);
        let constraints = self
            .constraints
            .iter()
            .map(|wanted| format!("The user requested (constraint) {}", shown(&wanted.requirement)));
        causes.chain(constraints).collect()
    }
}

impl fmt::Display for ConflictCause {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let requirement = specifiers_in_words(&self.requirement);
        match &self.parent {
            Some(Parent { name, version }) => write!(formatter, "{name} {version} depends on {requirement}"),
            None => write!(formatter, "The user requested {requirement}"),
        }
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoMatch(problem) => problem.fmt(formatter),
            Self::Conflict(problem) => problem.fmt(formatter),
            Self::Unusable(problem) => problem.fmt(formatter),
        }
    }
}

impl fmt::Display for NoMatch {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.lines(usize::MAX).join("\n"))
    }
}

impl fmt::Display for Conflict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let triggers = match self.triggers.split_last() {
            None => "the requested packages".to_owned(),
            Some((only, [])) => only.clone(),
            Some((last, others)) => format!("{} and {last}", others.join(", ")),
        };
        write!(
            formatter,
            "Cannot install {triggers} because these package versions have conflicting dependencies.\n\n\
             The conflict is caused by:"
        )?;
        for line in self.lines() {
            write!(formatter, "\n    {line}")?;
        }
        if !self.without_candidates.is_empty() {
            write!(
                formatter,
                "\n\nAdditionally, some packages in these conflicts have no matching distributions available for your \
                 environment:"
            )?;
            for name in &self.without_candidates {
                write!(formatter, "\n    {name}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Unusable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} can not be used: {}", self.requirement.name, self.reason)
    }
}

/// A requirement as pip shows it: the name as written, extras and specifiers sorted, no marker; of a URL neither
/// password nor token.
pub(crate) fn shown(requirement: &Requirement) -> String {
    let in_name = |character: &char| character.is_ascii_alphanumeric() || "-_.".contains(*character);
    let mut text: String = requirement.without_marker().chars().take_while(in_name).collect();
    let mut extras: Vec<_> = requirement.extras.iter().map(ToString::to_string).collect();
    extras.sort();
    if !extras.is_empty() {
        text.push_str(&format!("[{}]", extras.join(",")));
    }
    let Some(url) = &requirement.url else {
        let mut specifiers: Vec<_> = requirement.specifiers.iter().map(ToString::to_string).collect();
        specifiers.sort();
        return text + &specifiers.join(",");
    };
    format!("{text} @ {}", printable::redacted_url(url))
}

/// The requirement `c<2,>=1` as "c<2 and >=1", which is how pip writes it in a conflict.
pub(crate) fn specifiers_in_words(requirement: &Requirement) -> String {
    let text = shown(requirement);
    let parts: Vec<&str> = text.split(',').map(str::trim).collect();
    match parts.split_last() {
        Some((last, others)) if !others.is_empty() && requirement.url.is_none() => {
            format!("{} and {last}", others.join(", "))
        }
        _ => text,
    }
}

/// Of more than `most` the first and the last: the newest are at the end.
fn joined<T: ToString>(all: &[T], separator: &str, most: usize) -> String {
    let texts = |part: &[T]| part.iter().map(ToString::to_string).collect::<Vec<_>>().join(separator);
    match (all.get(..most / 3), all.get(all.len().saturating_sub(most - most / 3)..)) {
        (Some(first), Some(last)) if all.len() > most => {
            let left_out = all.len() - first.len() - last.len();
            format!("{}{separator}… {left_out} more …{separator}{}", texts(first), texts(last))
        }
        _ => texts(all),
    }
}
