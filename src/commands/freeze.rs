//! `freeze`: what is installed, as requirements.

mod checkout;
mod template;

use std::collections::BTreeMap;

use packaging::PackageName;
use wheel::DirectUrl;

use crate::terminal::Terminal;
use installer::cache::CacheDirectory;
use installer::error::Failure;
use installer::options::{CommonOptions, InstalledFilter};
use installer::python::environment::Environment;
use installer::python::installed::{InstalledPackage, filter_installed};

/// Omitted without `--all`: the installer, and before Python 3.12 what every environment contained.
const INSTALLERS: [&str; 4] = ["pip", "setuptools", "distribute", "wheel"];

/// `freeze`
#[derive(Clone, Debug)]
pub struct FreezeOptions {
    /// Which distributions are looked at.
    pub installed: InstalledFilter,
    /// `-r`: files whose order and comments are kept.
    pub requirement_files: Vec<String>,
    /// Also print the installers themselves (`pip`, and `setuptools`, `wheel`, `distribute` before Python 3.12).
    pub all: bool,
    /// Leave editable projects out.
    pub exclude_editable: bool,
}

/// Prints requirements that give the same environment again.
///
/// # Errors
/// When the environment or a requirements file cannot be read.
pub fn freeze(common: &CommonOptions, freeze: &FreezeOptions, terminal: &Terminal) -> Result<(), Failure> {
    let environment = Environment::open(common, &CacheDirectory::open(common, terminal)?)?;
    let is_old = environment.interpreter.major_minor() < (3, 12);
    let mut frozen: BTreeMap<PackageName, FrozenRequirement> = BTreeMap::new();
    for described in filter_installed(&environment, &freeze.installed, terminal)? {
        let one = FrozenRequirement::new(&described, terminal);
        if !(freeze.exclude_editable && one.is_editable) {
            frozen.insert(described.name.clone(), one);
        }
    }
    let print = |line: &str| terminal.data(line);
    if !freeze.requirement_files.is_empty() {
        template::fill(&freeze.requirement_files, &mut frozen, print, terminal)?;
        print("## The following requirements were added by pip freeze:");
    }
    let hidden = |frozen: &FrozenRequirement| {
        let name = frozen.described.name.as_ref();
        frozen.described.is_standard_library()
            || freeze.installed.exclude.iter().any(|excluded| excluded == name)
            || (!freeze.all && (name == "pip" || (is_old && INSTALLERS.contains(&name))))
    };
    let mut rest: Vec<&FrozenRequirement> = frozen.values().filter(|frozen| !hidden(frozen)).collect();
    rest.sort_by_key(|frozen| frozen.described.raw_name().to_lowercase());
    for frozen in rest {
        frozen.lines.iter().for_each(|line| print(line));
    }
    Ok(())
}

/// An installed distribution as a requirement.
struct FrozenRequirement {
    described: InstalledPackage,
    is_editable: bool,
    /// Comments and the requirement.
    lines: Vec<String>,
}

impl FrozenRequirement {
    fn new(described: &InstalledPackage, terminal: &Terminal) -> Self {
        let editable = described.distribution.editable_location();
        let lines = match &editable {
            Some(location) => checkout::requirement(location, described, terminal),
            None => {
                let direct = described.distribution.direct_url().and_then(|direct| reference(described, &direct));
                vec![direct.unwrap_or_else(|| described.to_pin())]
            }
        };
        Self { described: described.clone(), is_editable: editable.is_some(), lines }
    }
}

/// `name @ url`; `None` when the file of PEP 610 does not say what the URL is.
fn reference(described: &InstalledPackage, direct: &DirectUrl) -> Option<String> {
    let mut requirement = format!("{} @ ", described.raw_name());
    let url = without_secret(&direct.url);
    let mut fragments = Vec::new();
    if let Some(vcs) = &direct.vcs_info {
        let (vcs, commit) = (&vcs.vcs, printable::redacted(&vcs.commit_id));
        requirement.push_str(&format!("{vcs}+{url}@{commit}"));
    } else if let Some(archive) = &direct.archive_info {
        requirement.push_str(&url);
        let first = archive.hashes.as_ref().and_then(|hashes| hashes.iter().next());
        fragments
            .extend(first.map(|(algorithm, value)| format!("{algorithm}={value}")).or_else(|| archive.hash.clone()));
    } else if direct.dir_info.is_some() {
        requirement.push_str(&url);
    } else {
        return None;
    }
    fragments.extend(direct.subdirectory.as_ref().map(|directory| format!("subdirectory={directory}")));
    if !fragments.is_empty() {
        requirement.push_str(&format!("#{}", printable::redacted(&fragments.join("&"))));
    }
    Some(requirement)
}

/// A URL without what PEP 610 calls security sensitive, in case another program has stored it; a URL that cannot be
/// parsed is shown redacted. The user `git`, variables, and the user of `ssh` stay: without them it is another place.
fn without_secret(url: &str) -> String {
    let parts = url.split_once("://").and_then(|(scheme, rest)| {
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let at = rest.get(..end)?.rfind('@')?;
        Some((scheme, rest.get(..at)?, rest.get(at + 1..)?))
    });
    let Some((scheme, userinfo, after)) = parts else { return printable::redacted(url) };
    let is_variable = |text: &str| {
        let name = text.strip_prefix("${").and_then(|text| text.strip_suffix('}'));
        name.is_some_and(|name| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c)))
    };
    let (user, password) = userinfo.split_once(':').map_or((userinfo, None), |(user, password)| (user, Some(password)));
    // The rest may have passwords, too: of a place to go on to, or of what is no URL.
    let rest = printable::redacted(&format!("{scheme}://{after}"));
    let kept = match scheme {
        _ if (is_variable(user) && password.is_none_or(is_variable)) || userinfo == "git" => userinfo,
        "ssh" | "git+ssh" => user,
        _ => return rest,
    };
    rest.replacen("://", &format!("://{kept}@"), 1)
}

#[cfg(test)]
mod tests {
    use super::without_secret;

    #[test]
    fn secrets_of_urls_are_not_frozen() {
        for (url, shown) in [
            ("https://u:p@h/a@b", "https://h/a@b"),
            ("https://token@h/a", "https://h/a"),
            ("https://${USER}:${PASSWORD}@h/a", "https://${USER}:${PASSWORD}@h/a"),
            ("https://${TOKEN}@h/a", "https://${TOKEN}@h/a"),
            ("https://${TOKEN}:p@h/a", "https://h/a"),
            ("https://git@h/a", "https://git@h/a"),
            ("ssh://git:p@h/a", "ssh://git@h/a"),
            ("ssh://me@h/a", "ssh://me@h/a"),
            ("https://h/a@b", "https://h/a@b"),
            ("file:///a@b", "file:///a@b"),
            ("https://u:p/q@h", "https://****@h"),
            ("git@h:a", "git@h:a"),
            ("https:/u:p@h/a", "https:/****@h/a"),
            ("https:///u:p@h/a", "https:///****@h/a"),
            ("https://h/?to=https://u:p@h", "https://h/?to=https://****@h"),
            ("https://git@h/?to=https://u:p@h", "https://git@h/?to=https://****@h"),
            ("https://t@h:80/a@b", "https://h:80/a@b"),
        ] {
            assert_eq!(without_secret(url), shown);
        }
    }
}
