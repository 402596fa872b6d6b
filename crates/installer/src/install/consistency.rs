//! Whether installed distributions satisfy each other's dependencies.
//!
//! `check` reports all of it; `install` what it broke.

use std::collections::{BTreeMap, HashSet};

use packaging::{MarkerEnvironment, PackageName, Requirement, Version};

use crate::error::Failure;
use crate::event::{BrokenRequirement, Event, Reporter, WarningCode};
use crate::install::plan::Plan;
use crate::options::{InstallLocation, InstallOptions};
use crate::python::environment::Environment;
use crate::python::installed::{InstalledPackage, installed_packages};

/// What is or will be installed, in the order of the search path.
#[derive(Default)]
pub struct PackageSet {
    packages: Vec<Package>,
}

struct Package {
    name: PackageName,
    version: Version,
    dependencies: Vec<Requirement>,
}

impl PackageSet {
    /// What is installed; and whether everything could be understood, else there were warnings.
    pub fn of_installed(
        distributions: &[InstalledPackage],
        environment: &MarkerEnvironment,
        reporter: &dyn Reporter,
    ) -> (Self, bool) {
        let mut set = Self::default();
        let mut understood = true;
        for described in distributions {
            let name = &described.name;
            let dependencies = described.dependencies(environment).map_err(|error| error.to_string());
            let version = described.version().map_err(|text| format!("invalid version: '{text}'"));
            match dependencies.and_then(|dependencies| Ok((dependencies, version?))) {
                Ok((dependencies, version)) => set.insert(name.clone(), version, dependencies),
                Err(reason) => {
                    understood = false;
                    reporter.warning(
                        WarningCode::InstalledInvalid,
                        format!("Error parsing dependencies of {name}: {}", printable::line(&reason)),
                    );
                }
            }
        }
        (set, understood)
    }

    /// Puts a package in, in place of another version of it.
    pub fn insert(&mut self, name: PackageName, version: Version, dependencies: Vec<Requirement>) {
        let package = Package { name, version, dependencies };
        match self.packages.iter_mut().find(|known| known.name == package.name) {
            Some(known) => *known = package,
            None => self.packages.push(package),
        }
    }

    /// What is missing, then what has the wrong version.
    pub fn broken(&self) -> Vec<BrokenRequirement> {
        self.broken_of(|_| true)
    }

    fn broken_of(&self, is_asked: impl Fn(&Package) -> bool) -> Vec<BrokenRequirement> {
        let versions: BTreeMap<&PackageName, &Version> =
            self.packages.iter().map(|package| (&package.name, &package.version)).collect();
        let (mut missing, mut conflicting) = (Vec::new(), Vec::new());
        for package in self.packages.iter().filter(|package| is_asked(package)) {
            // Sorted, and the same requirement only once.
            let mut found: BTreeMap<(String, String), BrokenRequirement> = BTreeMap::new();
            for requirement in &package.dependencies {
                let present = versions.get(&requirement.name).copied();
                if present.is_some_and(|version| requirement.specifiers.contains(version)) {
                    continue;
                }
                let text = normal_text(requirement);
                let broken = BrokenRequirement {
                    name: package.name.clone(),
                    version: package.version.clone(),
                    dependency: requirement.name.clone(),
                    requirement: text.clone(),
                    found: present.cloned(),
                };
                found.insert((requirement.name.to_string(), text), broken);
            }
            let (wrong, absent): (Vec<BrokenRequirement>, Vec<BrokenRequirement>) =
                found.into_values().partition(|broken| broken.found.is_some());
            missing.extend(absent);
            conflicting.extend(wrong);
        }
        missing.append(&mut conflicting);
        missing
    }

    /// The packages that depend on one of `names`, and those themselves.
    fn affected_by(&self, names: &HashSet<PackageName>) -> HashSet<PackageName> {
        let depends = |package: &&Package| {
            names.contains(&package.name)
                || package.dependencies.iter().any(|requirement| names.contains(&requirement.name))
        };
        self.packages.iter().filter(depends).map(|package| package.name.clone()).collect()
    }
}

/// Reports after an install which dependencies it broke, of what was installed and of what depends on that.
///
/// # Errors
/// When metadata cannot be read.
pub fn warn_of_conflicts(
    plan: &Plan,
    before: &Environment,
    install: &InstallOptions,
    reporter: &dyn Reporter,
) -> Result<(), Failure> {
    // What is installed elsewhere does not have to fit what is installed here.
    let here = matches!(install.place, InstallLocation::Environment { .. }) && install.root.is_none();
    if !install.warn_conflicts || install.requirement_options.no_deps || !here || plan.additions.is_empty() {
        return Ok(());
    }
    let markers = &before.interpreter.markers;
    let (mut set, _) =
        PackageSet::of_installed(&installed_packages(before.distributions(), reporter)?, markers, reporter);
    let mut names = HashSet::new();
    for addition in &plan.additions {
        let dependencies = addition.metadata.valid_requires_dist();
        let dependencies =
            dependencies.iter().filter(|requirement| requirement.applies(markers, &[])).cloned().collect();
        let candidate = &addition.candidate;
        set.insert(candidate.name.clone(), candidate.version.clone(), dependencies);
        names.insert(candidate.name.clone());
    }
    let affected = set.affected_by(&names);
    let broken = set.broken_of(|package| affected.contains(&package.name));
    if broken.is_empty() {
        return Ok(());
    }
    reporter.report(Event::Conflicts { broken: &broken });
    Ok(())
}

/// A requirement as Python's `packaging` prints it: extras and specifiers sorted, no superfluous space, double quotes.
fn normal_text(requirement: &Requirement) -> String {
    let mut text = requirement.spelled_name().to_owned();
    let mut extras: Vec<String> = requirement.extras.iter().map(ToString::to_string).collect();
    if !extras.is_empty() {
        extras.sort();
        text.push_str(&format!("[{}]", extras.join(",")));
    }
    let marker = requirement.to_string().get(requirement.without_marker().len()..).unwrap_or_default().to_owned();
    let marker = normal_marker(marker.trim_start().trim_start_matches(';').trim());
    if let Some(url) = &requirement.url {
        text.push_str(&format!(" @ {url}"));
        if !marker.is_empty() {
            text.push(' ');
        }
    } else {
        let written = requirement.without_marker();
        let start = written.find(['<', '>', '=', '!', '~']).unwrap_or(written.len());
        let written = written.get(start..).unwrap_or_default().trim_end_matches([')', ' ']);
        let mut specifiers: Vec<String> = written
            .split(',')
            .map(|one| one.split_whitespace().collect())
            .filter(|one: &String| !one.is_empty())
            .collect();
        specifiers.sort();
        text.push_str(&specifiers.join(","));
    }
    if !marker.is_empty() {
        text.push_str(&format!("; {marker}"));
    }
    text
}

/// A marker with single spaces between its parts, none inside brackets, and double quotes.
fn normal_marker(marker: &str) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut rest = marker;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '\'' | '"' => rest.get(1..).and_then(|inner| inner.find(first)).map_or(rest.len(), |end| end + 2),
            '(' | ')' => 1,
            _ if first.is_whitespace() => {
                rest = rest.trim_start();
                continue;
            }
            _ if "<>=!~".contains(first) => rest.find(|c: char| !"<>=!~".contains(c)).unwrap_or(rest.len()),
            _ => {
                let ends = |c: char| c.is_whitespace() || "<>=!~()'\"".contains(c);
                rest.find(ends).unwrap_or(rest.len())
            }
        };
        let (part, after) = rest.split_at(length.max(first.len_utf8()).min(rest.len()));
        parts.push(match first {
            '\'' | '"' => format!("\"{}\"", part.trim_matches(first)),
            _ => part.to_owned(),
        });
        rest = after;
    }
    let mut text = String::new();
    for part in parts {
        if !text.is_empty() && !text.ends_with('(') && part != ")" {
            text.push(' ');
        }
        text.push_str(&part);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requirements_in_the_form_of_packaging() {
        for (written, expected) in [
            ("Simple.Dist", "Simple.Dist"),
            ("a >= 1, < 2", "a<2,>=1"),
            ("a[y,x] (==1.0)", "a[x,y]==1.0"),
            ("a>=1;python_version>='3'", "a>=1; python_version >= \"3\""),
            (
                "a ; ( os_name=='x' or os_name  ==  \"y\") and python_version not  in '2'",
                "a; (os_name == \"x\" or os_name == \"y\") and python_version not in \"2\"",
            ),
            (
                "a @ https://pkgs.example.org/a.whl ; os_name=='x'",
                "a @ https://pkgs.example.org/a.whl ; os_name == \"x\"",
            ),
        ] {
            let requirement: Requirement = written.parse().unwrap();
            assert_eq!(normal_text(&requirement), expected);
        }
    }
}
