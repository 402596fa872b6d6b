//! Which indexes may offer which projects (after TAP 4, with projects in place of target paths).
//!
//! docs/reference/layouts.md is the manual of the file. It belongs to the user and decides which indexes are trusted,
//! so it is read strictly: a misspelt field is an error and never a weaker rule.

use std::collections::BTreeSet;

use packaging::PackageName;
use tuf::json::{Object, Value};
use tuf::metadata::PathPattern;
use url::Url;

use super::foreign_text::shown;
use super::index_identity::IndexIdentity;

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
    /// Whether the search ends here when none of these has the project.
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
    /// An error with the place of the invalid value. Fields that are not known are errors, too.
    pub fn read(bytes: &[u8]) -> Result<Self, MapError> {
        let value = tuf::json::parse(bytes).map_err(|problem| error("map", format!("it is not JSON: {problem}")))?;
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
    /// Without one, or if the last one does not terminate, the command decides where else to search.
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

#[cfg(test)]
mod tests {
    use super::*;

    const MAP: &str = r#"{
        "repositories": {
            "corp": "https://me:secret@PKGS.example.org/corp/simple",
            "public": "https://pkgs.example.org/simple/",
            "mirror": "https://mirror.pkgs.example.org/simple/"
        },
        "mapping": [
            {"projects": ["Acme_*", "payroll"], "repositories": ["corp"]},
            {"projects": ["flask-?"], "repositories": ["corp"], "terminating": false},
            {"projects": ["flask*"], "repositories": ["public", "mirror"], "threshold": 2},
            {"projects": ["*"], "repositories": ["public", "corp"], "terminating": false}
        ]
    }"#;

    fn name(text: &str) -> PackageName {
        text.parse().unwrap()
    }

    fn asked(map: &ProjectMap, project: &str) -> Vec<String> {
        map.mappings_for(&name(project)).iter().map(|mapping| mapping.names.join("+")).collect()
    }

    /// A map of two repositories with these mappings.
    fn read(mapping: &str) -> Result<ProjectMap, MapError> {
        let repositories = r#"{"a": "https://a.example.org/simple/", "b": "https://b.example.org/simple/"}"#;
        ProjectMap::read(format!(r#"{{"repositories": {repositories}, "mapping": {mapping}}}"#).as_bytes())
    }

    #[test]
    fn the_first_terminating_mapping_is_the_last_asked() {
        let map = ProjectMap::read(MAP.as_bytes()).unwrap();
        for (project, expected) in [
            ("acme-web", vec!["corp"]),
            ("ACME.web", vec!["corp"]),
            ("payroll", vec!["corp"]),
            ("acme", vec!["public+corp"]),
            ("payroll2", vec!["public+corp"]),
            ("not-acme-web", vec!["public+corp"]),
            ("flask-x", vec!["corp", "public+mirror"]),
            ("flask-xy", vec!["public+mirror"]),
            ("flask", vec!["public+mirror"]),
        ] {
            assert_eq!(asked(&map, project), expected, "{project}");
        }
    }

    #[test]
    fn a_mapping_says_who_how_many_and_whether_nobody_else() {
        let map = ProjectMap::read(MAP.as_bytes()).unwrap();
        let [mapping] = map.mappings_for(&name("flask")).try_into().unwrap();
        assert_eq!(mapping.threshold, 2);
        assert!(mapping.terminating);
        let urls: Vec<&str> = mapping.indexes.iter().map(|index| index.url().as_str()).collect();
        assert_eq!(urls, ["https://pkgs.example.org/simple/", "https://mirror.pkgs.example.org/simple/"]);
        let [mapping] = map.mappings_for(&name("payroll")).try_into().unwrap();
        assert_eq!((mapping.threshold, mapping.terminating), (1, true), "the defaults");
        assert_eq!(mapping.indexes[0].url().as_str(), "https://pkgs.example.org/corp/simple/");
        let [mapping] = map.mappings_for(&name("zope")).try_into().unwrap();
        assert!(!mapping.terminating);
    }

    #[test]
    fn a_project_nobody_maps_has_no_mapping() {
        let map = read(r#"[{"projects": ["acme-*"], "repositories": ["a"]}]"#).unwrap();
        assert!(map.mappings_for(&name("flask")).is_empty());
    }

    #[test]
    fn patterns_are_written_as_people_write_names() {
        for (pattern, matching, other) in [
            ("Acme.*", "acme-web", "acmeweb"),
            ("acme-_.*", "acme-web", "acme"),
            ("acme*", "acmeweb", "web-acme"),
            ("*-plugin", "acme-plugin", "plugin"),
            ("a?c", "abc", "ac"),
            ("a*b*c", "a-x-b-y-c", "a-x-c"),
            ("Friendly__Bard", "friendly-bard", "friendlybard"),
        ] {
            let map = read(&format!(r#"[{{"projects": ["{pattern}"], "repositories": ["a"]}}]"#)).unwrap();
            assert_eq!(map.mappings_for(&name(matching)).len(), 1, "{pattern} {matching}");
            assert_eq!(map.mappings_for(&name(other)).len(), 0, "{pattern} {other}");
        }
    }

    #[test]
    fn mistakes_in_mappings_are_named_with_their_place() {
        let good = r#"{"projects": ["x"], "repositories": ["a"]}"#;
        for (mapping, place, problem) in [
            ("[]", "mapping", "list that is not empty"),
            ("{}", "mapping", "list that is not empty"),
            ("[7]", "mapping[0]", "expected an object"),
            (r#"[{"repositories": ["a"]}]"#, "mapping[0].projects", "not empty"),
            (r#"[{"projects": [], "repositories": ["a"]}]"#, "mapping[0].projects", "not empty"),
            (r#"[{"projects": ["x"]}]"#, "mapping[0].repositories", "not empty"),
            (r#"[{"projects": ["x"], "repositories": []}]"#, "mapping[0].repositories", "not empty"),
            (r#"[{"projects": ["x"], "repositories": ["c"]}]"#, "mapping[0].repositories", "'c' is not one of"),
            (r#"[{"projects": ["x"], "repositories": ["A"]}]"#, "mapping[0].repositories", "'A' is not one of"),
            (r#"[{"projects": ["x"], "repositories": ["a", "a"]}]"#, "mapping[0].repositories", "'a' is there twice"),
            (r#"[{"projects": [1], "repositories": ["a"]}]"#, "mapping[0].projects", "expected strings"),
            (r#"[{"projects": [""], "repositories": ["a"]}]"#, "mapping[0].projects", "no project name"),
            (r#"[{"projects": ["-*"], "repositories": ["a"]}]"#, "mapping[0].projects", "no project name"),
            (r#"[{"projects": ["x_"], "repositories": ["a"]}]"#, "mapping[0].projects", "no project name"),
            (r#"[{"projects": ["[ab]c"], "repositories": ["a"]}]"#, "mapping[0].projects", "'[ab]c'"),
            (r#"[{"projects": ["a/b"], "repositories": ["a"]}]"#, "mapping[0].projects", "'a/b'"),
            (r#"[{"projects": ["\u0430cme"], "repositories": ["a"]}]"#, "mapping[0].projects", "project name"),
            (r#"[{"projects": ["x"], "repositories": ["a"], "threshold": 0}]"#, "mapping[0].threshold", "from 1 to 1"),
            (r#"[{"projects": ["x"], "repositories": ["a"], "threshold": 2}]"#, "mapping[0].threshold", "from 1 to 1"),
            (r#"[{"projects": ["x"], "repositories": ["a"], "threshold": -1}]"#, "mapping[0].threshold", "number"),
            (r#"[{"projects": ["x"], "repositories": ["a"], "threshold": "1"}]"#, "mapping[0].threshold", "number"),
            (r#"[{"projects": ["x"], "repositories": ["a"], "terminating": 1}]"#, "mapping[0].terminating", "true or"),
            (
                r#"[{"projects": ["x"], "repositories": ["a"], "treshold": 1}]"#,
                "mapping[0]",
                "unknown field 'treshold'",
            ),
        ] {
            let error = read(mapping).expect_err(mapping);
            assert_eq!(error.place, place, "{mapping}");
            assert!(error.problem.contains(problem), "{mapping}: {error}");
            if place.starts_with("mapping[0]") {
                let second = mapping.replacen('[', &format!("[{good}, "), 1);
                assert_eq!(read(&second).expect_err(&second).place, place.replace("[0]", "[1]"));
            }
        }
    }

    #[test]
    fn mistakes_in_repositories_are_named_with_their_place() {
        for (repositories, place, problem) in [
            ("[]", "repositories", "expected an object"),
            (r#"{"": "https://a.example.org/"}"#, "repositories.", "name of letters"),
            (r#"{"..": "https://a.example.org/"}"#, "repositories...", "name of letters"),
            (r#"{"a/b": "https://a.example.org/"}"#, "repositories.a/b", "name of letters"),
            (r#"{"-a": "https://a.example.org/"}"#, "repositories.-a", "name of letters"),
            (r#"{"\u001b[2J": "https://a.example.org/"}"#, "repositories.\\u{1b}[2J", "name of letters"),
            (r#"{"a": "a.example.org/simple"}"#, "repositories.a", "URL of an index"),
            (r#"{"a": "ftp://a.example.org/"}"#, "repositories.a", "URL of an index"),
            (r#"{"a": "data:text/plain,x"}"#, "repositories.a", "URL of an index"),
            (r#"{"a": "https://"}"#, "repositories.a", "URL of an index"),
            (r#"{"a": 5}"#, "repositories.a", "URL of an index"),
            (
                r#"{"a": "https://h.example.org/x", "b": "https://H.example.org:443/x/"}"#,
                "repositories.b",
                "another name",
            ),
            (r#"{"a": "https://a.example.org/", "a": "https://b.example.org/"}"#, "map", "a"),
        ] {
            let mapping = r#"[{"projects": ["x"], "repositories": ["a"]}]"#;
            let text = format!(r#"{{"repositories": {repositories}, "mapping": {mapping}}}"#);
            let error = ProjectMap::read(text.as_bytes()).expect_err(repositories);
            assert_eq!(error.place, place, "{repositories}");
            assert!(error.problem.contains(problem), "{repositories}: {error}");
        }
    }

    #[test]
    fn what_is_no_map_is_an_error() {
        for text in [
            "",
            "[]",
            "null",
            "{}",
            "\u{feff}{}",
            r#"{"repositories": {}, "mapping": [], "more": 1}"#,
            "{\"mapping\": 1.5}",
        ] {
            ProjectMap::read(text.as_bytes()).expect_err(text);
        }
        ProjectMap::read(&[0xff, 0xfe]).unwrap_err();
        ProjectMap::read("[".repeat(100_000).as_bytes()).unwrap_err();
    }

    #[test]
    fn a_map_with_a_byte_changed_is_a_map_or_an_error() {
        for place in 0..MAP.len() {
            for byte in [b'"', b'{', b']', b'*', b'\\', 0, 0xff] {
                let mut bytes = MAP.as_bytes().to_vec();
                bytes[place] = byte;
                if let Ok(map) = ProjectMap::read(&bytes) {
                    map.mappings_for(&name("flask-x"));
                }
            }
        }
    }
}
