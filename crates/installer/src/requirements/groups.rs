//! Dependency groups of a `pyproject.toml` (PEP 735).

use std::path::Path;

use toml::{Table, Value};

use super::installation_error;
use crate::error::Failure;
use crate::options::DependencyGroup;

/// The requirements of a group, those of included groups in their place.
///
/// # Errors
/// The file or the group is missing or malformed, or a group includes itself.
pub fn requirements(group: &DependencyGroup) -> Result<Vec<String>, Failure> {
    let table = load(&group.path)?;
    let mut collector = Collector { table: &table, open: Vec::new(), found: Vec::new(), steps: 0 };
    collector.collect(&group.name).map_err(|reason| {
        let path = group.path.display();
        installation_error(format!(
            "[dependency-groups] resolution failed for '{}' from '{path}': {reason}",
            group.name
        ))
    })?;
    Ok(collector.found)
}

fn load(path: &Path) -> Result<Table, Failure> {
    let shown = path.display();
    let text = std::fs::read_to_string(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => {
            installation_error(format!("{shown} not found. Cannot resolve '--group' option."))
        }
        _ => installation_error(format!("Error reading {shown}: {error}")).caused_by(error),
    })?;
    let mut project: Table = toml::from_str(&text)
        .map_err(|error| installation_error(format!("Error parsing {shown}: {error}")).caused_by(error))?;
    match project.remove("dependency-groups") {
        Some(Value::Table(table)) => Ok(table),
        Some(_) => Err(installation_error(format!(
            "[dependency-groups] table was malformed in {shown}. Cannot resolve '--group' option."
        ))),
        None => Err(installation_error(format!(
            "[dependency-groups] table was missing from '{shown}'. Cannot resolve '--group' option."
        ))),
    }
}

/// Walks through groups.
struct Collector<'a> {
    table: &'a Table,
    /// Groups whose inclusion has not ended.
    open: Vec<String>,
    found: Vec<String>,
    /// Entries looked at; groups that include others twice over and over would never end.
    steps: usize,
}

const MAX_STEPS: usize = 100_000;
const MAX_DEPTH: usize = 100;

impl Collector<'_> {
    fn collect(&mut self, name: &str) -> Result<(), String> {
        let wanted = normalize(name);
        let mut same = self.table.iter().filter(|(key, _)| normalize(key) == wanted);
        let (_, entries) = same.next().ok_or_else(|| format!("Dependency group '{name}' not found"))?;
        if let Some((twin, _)) = same.next() {
            return Err(format!("Duplicate dependency group names: {name} and {twin}"));
        }
        if self.open.contains(&wanted) {
            return Err(format!("Cyclic dependency group include: {} -> {wanted}", self.open.join(" -> ")));
        }
        let Value::Array(entries) = entries else {
            return Err(format!("Dependency group '{name}' is not a list"));
        };
        self.open.push(wanted);
        for entry in entries {
            self.steps += 1;
            if self.steps > MAX_STEPS || self.open.len() > MAX_DEPTH {
                return Err("the groups include each other too often".to_owned());
            }
            match entry {
                Value::String(requirement) => self.found.push(requirement.clone()),
                Value::Table(include) if include.len() == 1 => match include.get("include-group") {
                    Some(Value::String(included)) => self.collect(included)?,
                    _ => return Err(format!("Invalid dependency group item in '{name}'")),
                },
                _ => return Err(format!("Invalid dependency group item in '{name}'")),
            }
        }
        self.open.pop();
        Ok(())
    }
}

fn normalize(name: &str) -> String {
    crate::options::normalize(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(content: &str, name: &str) -> Result<Vec<String>, String> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("pyproject.toml");
        std::fs::write(&path, content).unwrap();
        requirements(&DependencyGroup { path, name: name.to_owned() }).map_err(|failure| failure.message)
    }

    #[test]
    fn groups_include_groups_by_any_spelling() {
        let content = "[dependency-groups]\nA_b = ['x', {include-group = 'C'}, 'z']\nc = ['y>1']";
        assert_eq!(group(content, "a.B"), Ok(vec!["x".to_owned(), "y>1".to_owned(), "z".to_owned()]));
    }

    #[test]
    fn what_is_wrong_with_groups() {
        for (content, name, reason) in [
            ("", "a", "table was missing"),
            ("dependency-groups = 1", "a", "table was malformed"),
            ("[", "a", "Error parsing"),
            ("[dependency-groups]\nb = []", "a", "'a' not found"),
            ("[dependency-groups]\na = [{include-group = 'b'}]\nb = [{include-group = 'a'}]", "a", "Cyclic"),
            ("[dependency-groups]\na = [1]", "a", "Invalid dependency group item"),
            ("[dependency-groups]\na = [{x = 'b'}]", "a", "Invalid dependency group item"),
            ("[dependency-groups]\na = 'x'", "a", "is not a list"),
            ("[dependency-groups]\na = []\nA = []", "a", "Duplicate"),
        ] {
            let message = group(content, name).unwrap_err();
            assert!(message.contains(reason), "{content}: {message}");
        }
        let missing = DependencyGroup { path: "nowhere/pyproject.toml".into(), name: "a".into() };
        assert!(requirements(&missing).unwrap_err().message.contains("not found. Cannot resolve"));
    }
}
