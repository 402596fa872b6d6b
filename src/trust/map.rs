//! Which indexes may offer which projects (after TAP 4, with projects in place of target paths).
//!
//! docs/reference/layouts.md is the manual of the file. It is the user's own and decides whom to believe, so it is read
//! strictly: a misspelt field is an error and never a weaker rule.

use std::collections::BTreeSet;

use packaging::PackageName;
use tuf::json::{Object, Value};
use tuf::metadata::PathPattern;
use url::Url;

use super::foreign_text::shown;
use super::identity::IndexIdentity;

/// The mappings of `map.json`, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProjectMap {
    mappings: Vec<(Vec<Pattern>, Mapping)>,
}

/// The indexes that may offer the projects of a mapping.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// In order of preference, each once.
    pub indexes: Vec<IndexIdentity>,
    /// What the file calls them, in the same order.
    pub names: Vec<String>,
    /// Whether nobody else is asked when none of these has the project.
    pub terminating: bool,
    /// How many of the indexes must sign the same file; 1 to as many as there are.
    pub threshold: usize,
}

/// Why a file is no map.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {problem}")]
pub struct MapError {
    /// `mapping[0].threshold`
    pub place: String,
    /// What was expected and what was found.
    pub problem: String,
}

/// A normalized name in which `*` stands for any characters and `?` for one.
type Pattern = PathPattern;

impl ProjectMap {
    /// Reads `map.json`.
    ///
    /// # Errors
    /// With the place of what is wrong. Fields that are not known are errors, too.
    pub fn read(bytes: &[u8]) -> Result<Self, MapError> {
        let value = tuf::json::parse(bytes).map_err(|problem| error("map", problem.to_string()))?;
        let fields = object(&value, "map", &["repositories", "mapping"])?;
        let repositories = fields.get("repositories").and_then(Value::as_object);
        let repositories = repositories.ok_or_else(|| error("repositories", "expected an object of names and URLs"))?;
        let known: Vec<(&str, IndexIdentity)> = repositories.iter().map(repository).collect::<Result<_, _>>()?;
        refuse_second_names(&known)?;
        let mappings = list(fields, "mapping", "mapping")?.iter().enumerate();
        let mappings = mappings.map(|(number, value)| mapping(value, &format!("mapping[{number}]"), &known));
        Ok(Self { mappings: mappings.collect::<Result<_, _>>()? })
    }

    /// The mappings of a project in the order in which to ask, up to and with the first terminating one.
    ///
    /// None, or a last one that does not terminate: the map leaves it to the command where else to look.
    pub fn mappings_for(&self, project: &PackageName) -> Vec<Mapping> {
        let mut found = Vec::new();
        for (patterns, mapping) in &self.mappings {
            if patterns.iter().any(|pattern| pattern.matches(project.as_ref())) {
                found.push(mapping.clone());
                if mapping.terminating {
                    break;
                }
            }
        }
        found
    }
}

fn repository<'a>((name, value): (&'a str, &Value<'_>)) -> Result<(&'a str, IndexIdentity), MapError> {
    let mut characters = name.chars();
    let valid = characters.next().is_some_and(|first| first.is_ascii_alphanumeric())
        && characters.all(|other| other.is_ascii_alphanumeric() || matches!(other, '.' | '_' | '-'));
    let place = format!("repositories.{}", shown(name));
    if !valid {
        let expected = "expected a name of letters, digits, '.', '_' and '-' that begins with a letter or digit";
        return Err(error(&place, expected));
    }
    let usable = |url: &Url| matches!(url.scheme(), "http" | "https" | "file");
    let url = value.as_str().and_then(|text| Url::parse(text).ok()).filter(usable);
    let url = url.ok_or_else(|| error(&place, "expected the http, https or file URL of an index"))?;
    Ok((name, IndexIdentity::of(&url)))
}

/// One index under two names would count twice towards a threshold.
fn refuse_second_names(known: &[(&str, IndexIdentity)]) -> Result<(), MapError> {
    let mut indexes = BTreeSet::new();
    match known.iter().find(|(_, index)| !indexes.insert(index)) {
        Some((name, index)) => {
            Err(error(&format!("repositories.{name}"), format!("{} has another name already", index.url())))
        }
        None => Ok(()),
    }
}

fn mapping(
    value: &Value<'_>,
    place: &str,
    known: &[(&str, IndexIdentity)],
) -> Result<(Vec<Pattern>, Mapping), MapError> {
    let fields = object(value, place, &["projects", "repositories", "terminating", "threshold"])?;
    let projects_place = format!("{place}.projects");
    let projects = list(fields, "projects", &projects_place)?.iter();
    let projects = projects.map(|project| pattern(project, &projects_place)).collect::<Result<_, _>>()?;
    let repositories_place = format!("{place}.repositories");
    let (mut indexes, mut names) = (Vec::new(), Vec::new());
    for name in list(fields, "repositories", &repositories_place)? {
        let name = text(name, &repositories_place)?;
        let Some((_, index)) = known.iter().find(|(known, _)| *known == name) else {
            return Err(error(&repositories_place, format!("'{}' is not one of the map's repositories", shown(name))));
        };
        if indexes.contains(index) {
            return Err(error(&repositories_place, format!("'{name}' is there twice")));
        }
        indexes.push(index.clone());
        names.push(name.to_owned());
    }
    let terminating = match fields.get("terminating") {
        None => true,
        Some(Value::Bool(terminating)) => *terminating,
        Some(_) => return Err(error(&format!("{place}.terminating"), "expected true or false")),
    };
    let threshold = match fields.get("threshold") {
        None => Some(1),
        Some(Value::Unsigned(threshold)) => usize::try_from(*threshold).ok(),
        Some(_) => None,
    };
    let threshold = threshold.filter(|threshold| (1..=indexes.len()).contains(threshold)).ok_or_else(|| {
        let expected =
            format!("expected a number from 1 to {}, the number of repositories of this mapping", indexes.len());
        error(&format!("{place}.threshold"), expected)
    })?;
    Ok((projects, Mapping { indexes, names, terminating, threshold }))
}

/// A pattern in the form that project names have (PEP 503): lower case, and `-` for any run of `-`, `_` and `.`.
fn pattern(value: &Value<'_>, place: &str) -> Result<Pattern, MapError> {
    let written = text(value, place)?;
    let mut normalized = String::new();
    for character in written.chars() {
        match character {
            '-' | '_' | '.' if normalized.ends_with('-') => {}
            '-' | '_' | '.' => normalized.push('-'),
            '*' | '?' | 'a'..='z' | 'A'..='Z' | '0'..='9' => normalized.push(character.to_ascii_lowercase()),
            _ => {
                let expected = "expected a project name, with * and ? where any characters may be";
                return Err(error(place, format!("{expected}; found '{}'", shown(written))));
            }
        }
    }
    // Names have a letter or digit at both ends: such a pattern would look like a rule and never apply.
    if normalized.is_empty() || normalized.starts_with('-') || normalized.ends_with('-') {
        return Err(error(place, format!("no project name matches '{}'", shown(written))));
    }
    Ok(PathPattern::new(&normalized))
}

fn object<'v, 'a>(value: &'v Value<'a>, place: &str, known: &[&str]) -> Result<&'v Object<'a>, MapError> {
    let object = value.as_object().ok_or_else(|| error(place, "expected an object"))?;
    match object.iter().find(|(name, _)| !known.contains(name)) {
        Some((name, _)) => Err(error(place, format!("unknown field '{}'; expected {}", shown(name), known.join(", ")))),
        None => Ok(object),
    }
}

fn list<'v, 'a>(fields: &'v Object<'a>, name: &str, place: &str) -> Result<&'v [Value<'a>], MapError> {
    match fields.get(name) {
        Some(Value::Array(values)) if !values.is_empty() => Ok(values),
        _ => Err(error(place, "expected a list that is not empty")),
    }
}

fn text<'v>(value: &'v Value<'_>, place: &str) -> Result<&'v str, MapError> {
    value.as_str().ok_or_else(|| error(place, "expected strings"))
}

fn error(place: &str, problem: impl Into<String>) -> MapError {
    MapError { place: place.to_owned(), problem: problem.into() }
}
