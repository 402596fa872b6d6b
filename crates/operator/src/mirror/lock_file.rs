//! Lock files (PEP 751): each package with its version, and the hashes of the files it may be.

use std::path::Path;

use packaging::HashAlgorithm;
use serde::Deserialize;
use toml::Spanned;

use installer::error::{Code, Failure, Source};
use installer::requirements::{InstallRequirement, ParsedMarker, RequirementOrigin, RequirementSource};

/// The fields of a lock file that are used.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Lock {
    lock_version: String,
    #[serde(default)]
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: Spanned<String>,
    version: Option<String>,
    marker: Option<String>,
    #[serde(default)]
    wheels: Vec<ProjectFile>,
    sdist: Option<ProjectFile>,
}

#[derive(Deserialize)]
struct ProjectFile {
    #[serde(default)]
    hashes: std::collections::BTreeMap<String, String>,
}

/// Reads a lock file: each package is required in its version, where its marker holds, and only with one of its hashes.
///
/// # Errors
/// When it cannot be read, or locks something that is not on an index.
pub fn read(path: &Path) -> Result<Vec<InstallRequirement>, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        Failure::new(Code::FileUnreadable, format!("Could not read {}: {error}", path.display())).caused_by(error)
    })?;
    let lock: Lock = toml::from_str(&text).map_err(|error| unusable(path, error))?;
    if lock.lock_version.split('.').next() != Some("1") {
        return Err(unusable(path, format!("expected version 1 of the format, found {}", lock.lock_version)));
    }
    lock.packages.iter().map(|package| to_requirement(package, path, &text)).collect()
}

fn to_requirement(package: &Package, path: &Path, text: &str) -> Result<InstallRequirement, Failure> {
    let name = package.name.get_ref();
    let problem = |problem: &str| unusable(path, format!("{name}: {problem}"));
    let version = package.version.as_ref().filter(|_| !package.wheels.is_empty() || package.sdist.is_some());
    let version = version.ok_or_else(|| problem("it is locked to something else than files of an index"))?;
    let text_of_wish = format!("{name}=={version}");
    let requirement = text_of_wish.parse().map_err(|error| problem(&format!("{error}")))?;
    let files = package.wheels.iter().chain(&package.sdist);
    let hashes = files.flat_map(|file| &file.hashes).filter_map(|(algorithm, hex)| {
        let algorithm = HashAlgorithm::from_name(algorithm).filter(|algorithm| algorithm.is_strong())?;
        Some((algorithm, hex.to_ascii_lowercase()))
    });
    let hashes: Vec<_> = hashes.collect();
    if hashes.is_empty() {
        return Err(problem("none of its files has a SHA-256 or better hash"));
    }
    let marker = package.marker.as_ref().map(|text| {
        let tree = text.parse().map_err(|error| problem(&format!("its marker '{text}' is not understood: {error}")))?;
        Ok::<_, Failure>(ParsedMarker { text: text.clone(), tree })
    });
    let before = text.get(..package.name.span().start).unwrap_or_default();
    Ok(InstallRequirement {
        source: RequirementSource::Specifier(requirement),
        text: text_of_wish,
        hashes,
        origin: RequirementOrigin::Line {
            constraint: false,
            file: path.display().to_string(),
            line: before.matches('\n').count() + 1,
        },
        user_supplied: true,
        is_remote: false,
        marker: marker.transpose()?,
    })
}

fn unusable(path: &Path, cause: impl Into<Source>) -> Failure {
    let cause = cause.into();
    let problem = cause.to_string();
    let message = format!("The lock file {} cannot be used: {}", path.display(), printable::line(problem.trim_end()));
    Failure::new(Code::RepoLockFile, message).caused_by(cause)
}
