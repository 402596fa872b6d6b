//! Lock files (PEP 751): each package with its version, and the hashes of the files it may be.

use std::path::Path;

use packaging::{HashAlgorithm, PackageName, Version};
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
    // Extras, a URL or a marker behind a name, and further versions, are not what a lock file can say there.
    name.parse::<PackageName>().map_err(|error| problem(&error.to_string()))?;
    version.parse::<Version>().map_err(|error| problem(&error.to_string()))?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use testkit::Mutations;

    const LOCK: &str = r#"lock-version = "1.0"
requires-python = ">=3.9"
[[packages]]
name = "app"
version = "1.0+local"
marker = "python_version > '3.8'"
wheels = [{url = "https://pkgs.example.org/app-1.0-py3-none-any.whl", hashes = {sha256 = "00AB"}}, {hashes = {sha512 = "01"}}]
[[packages]]
name = "library"
version = "2"
sdist = {name = "library-2.tar.gz", hashes = {sha256 = "02", md5 = "03"}}
"#;

    #[test]
    fn damaged_lock_files_require_pinned_and_hashed_files_of_an_index_only() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("pylock.toml");
        let words = [
            "[x]",
            "@ https://evil.example.org/x ",
            " @ file:///x",
            ";",
            "; os_name == 'x'",
            ",",
            "*",
            ".*",
            "==",
            "!=",
            ">=",
            "'",
            "\"",
            "\n",
            "[[packages]]\n",
            "name = \"evil\"\n",
            "version = \"3\"\n",
            "sha1 = \"04\",",
            "{}",
            "{hashes = {}},",
            "#",
            " ",
        ];
        let mut understood = 0;
        for bytes in Mutations::of(LOCK, 2_000).words(words) {
            std::fs::write(&path, &*bytes).unwrap();
            let requirements = match read(&path) {
                Ok(requirements) => requirements,
                Err(failure) => {
                    assert!(failure.message.contains(&path.display().to_string()), "{failure}");
                    assert!(!failure.message.contains(char::is_control), "{failure}");
                    continue;
                }
            };
            understood += 1;
            let text = std::str::from_utf8(&bytes).unwrap().to_ascii_lowercase();
            for locked in &requirements {
                let RequirementSource::Specifier(requirement) = &locked.source else { panic!("{locked:?}") };
                assert!(requirement.url.is_none() && requirement.extras.is_empty(), "{locked:?}");
                assert!(requirement.marker.is_true(), "{locked:?}");
                let versions = requirement.specifiers.to_string();
                let version = versions.strip_prefix("==").unwrap_or_else(|| panic!("{locked:?}"));
                version.parse::<Version>().unwrap_or_else(|_| panic!("{locked:?}"));
                assert!(!locked.hashes.is_empty() && locked.user_supplied && !locked.is_remote, "{locked:?}");
                for (algorithm, hex) in &locked.hashes {
                    assert!(algorithm.is_strong() && text.contains(hex.as_str()), "{locked:?}");
                }
            }
        }
        assert!(understood > 50, "only {understood}");
    }
}
