//! Installed distributions as the commands that report on them see them: with name and version of their metadata, and
//! filtered by where they are.

use std::path::{Path, PathBuf};

use packaging::{MarkerEnvironment, MetadataFields, PackageName, Requirement, RequirementError, Version};
use rayon::prelude::*;
use wheel::{InstalledDistribution, InstalledKind};

use crate::error::Failure;
use crate::event::{Reporter, WarningCode};
use crate::options::InstalledFilter;
use crate::python::Interpreter;
use crate::python::environment::Environment;

/// What pip never reports: parts of the standard library that some distributors install with metadata.
const STANDARD_LIBRARY: [&str; 3] = ["python", "wsgiref", "argparse"];

/// An installed distribution with the headers of its METADATA.
#[derive(Clone, Debug)]
pub struct InstalledPackage {
    /// Where it is.
    pub distribution: InstalledDistribution,
    /// The normalized name.
    pub name: PackageName,
    /// The headers of its metadata; empty without metadata. Dependencies of old layouts are among them.
    pub fields: MetadataFields,
}

impl InstalledPackage {
    /// Reads the metadata of a distribution; `None` when its name is none.
    ///
    /// # Errors
    /// When a file of it cannot be read.
    pub fn new(distribution: &InstalledDistribution) -> Result<Option<Self>, Failure> {
        let Some(name) = distribution.normalized_name.clone() else { return Ok(None) };
        let mut text = distribution.metadata_text()?.unwrap_or_default();
        if distribution.kind != InstalledKind::DistInfo
            && let Some(requires) = distribution.read("requires.txt")?
        {
            text = [egg_requirements(&String::from_utf8_lossy(&requires)).as_bytes(), &text].concat();
        }
        let fields = MetadataFields::parse(&text);
        Ok(Some(Self { distribution: distribution.clone(), name, fields }))
    }

    /// What it needs in this environment, without any extra.
    ///
    /// # Errors
    /// The first dependency that is none.
    pub fn dependencies(&self, environment: &MarkerEnvironment) -> Result<Vec<Requirement>, RequirementError> {
        let mut dependencies = Vec::new();
        for text in self.fields.get_all("Requires-Dist") {
            let requirement: Requirement = text.trim().parse()?;
            if requirement.applies(environment, &[]) {
                dependencies.push(requirement);
            }
        }
        Ok(dependencies)
    }

    /// The name as METADATA spells it.
    pub fn raw_name(&self) -> &str {
        self.fields.get("Name").unwrap_or_else(|| self.name.as_ref())
    }

    /// The version as METADATA spells it.
    pub fn raw_version(&self) -> &str {
        self.fields.get("Version").unwrap_or("None")
    }

    /// The version: of the metadata directory's name, else of METADATA.
    ///
    /// # Errors
    /// The text that is no version.
    pub fn version(&self) -> Result<Version, &str> {
        let from_directory = match self.distribution.kind {
            InstalledKind::DistInfo => self.distribution.version.as_deref(),
            _ => None,
        };
        let text = from_directory.filter(|text| !text.is_empty()).unwrap_or_else(|| self.raw_version());
        text.trim().parse().map_err(|_| text)
    }

    /// `name==version`, or with three signs what is no version.
    pub fn to_pin(&self) -> String {
        match self.version() {
            Ok(version) => format!("{}=={version}", self.raw_name()),
            Err(_) => format!("{}==={}", self.raw_name(), self.raw_version()),
        }
    }

    /// Whether it stands for the interpreter or a part of its standard library.
    pub fn is_standard_library(&self) -> bool {
        STANDARD_LIBRARY.contains(&self.name.as_ref())
    }

    /// The directory with its metadata.
    pub fn location(&self) -> &Path {
        &self.distribution.location
    }
}

/// All distributions with a valid name; warns of the others.
///
/// # Errors
/// When metadata cannot be read.
pub fn installed_packages(
    distributions: &[InstalledDistribution],
    reporter: &dyn Reporter,
) -> Result<Vec<InstalledPackage>, Failure> {
    let read: Vec<_> = distributions.par_iter().map(InstalledPackage::new).collect();
    let mut all = Vec::with_capacity(distributions.len());
    for (distribution, described) in distributions.iter().zip(read) {
        match described? {
            Some(described) => all.push(described),
            None => reporter.warning(
                WarningCode::InstalledInvalid,
                format!(
                    "Ignoring invalid distribution {} ({})",
                    printable::line(&crate::options::normalize(&distribution.name)),
                    printable::line(&distribution.location.display().to_string())
                ),
            ),
        }
    }
    Ok(all)
}

/// The distributions that a filter lets through; `exclude` is for the caller, since pip applies it at different
/// moments.
///
/// # Errors
/// When a directory or metadata cannot be read.
pub fn filter_installed(
    environment: &Environment,
    filter: &InstalledFilter,
    reporter: &dyn Reporter,
) -> Result<Vec<InstalledPackage>, Failure> {
    let mut all = if filter.paths.is_empty() {
        installed_packages(environment.distributions(), reporter)?
    } else {
        installed_packages(&wheel::installed(&filter.paths)?, reporter)?
    };
    let interpreter = &environment.interpreter;
    all.retain(|described| {
        let directory = installed_directory(&described.distribution);
        (!filter.local || is_local(interpreter, &directory))
            && (!filter.user || is_in_user_site(interpreter, &directory))
    });
    Ok(all)
}

/// The directory in which an import finds the distribution, links resolved: of an `.egg-link` that of the link.
pub fn installed_directory(distribution: &InstalledDistribution) -> PathBuf {
    let directory = match &distribution.kind {
        InstalledKind::EggLink { link } => link.parent().unwrap_or(link),
        _ => &distribution.location,
    };
    directory.canonicalize().unwrap_or_else(|_| directory.to_owned())
}

/// Whether a directory belongs to the environment; outside of virtual environments everything does.
pub fn is_local(interpreter: &Interpreter, directory: &Path) -> bool {
    !interpreter.is_virtualenv || directory.starts_with(resolved(&interpreter.prefix))
}

/// Whether a directory is the user's site-packages or lies below it.
pub fn is_in_user_site(interpreter: &Interpreter, directory: &Path) -> bool {
    interpreter.user_site.as_deref().is_some_and(|user_site| directory.starts_with(resolved(user_site)))
}

/// `requires.txt` of an `.egg-info` as headers: a section `[extra:marker]` says when its lines count.
fn egg_requirements(text: &str) -> String {
    let mut headers = String::new();
    let mut condition = String::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some(section) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            let (extra, marker) = section.split_once(':').unwrap_or((section, ""));
            let extra = crate::options::normalize(extra);
            condition = match (extra.is_empty(), marker.is_empty()) {
                (true, true) => String::new(),
                (true, false) => format!(" ; {marker}"),
                (false, true) => format!(" ; extra == \"{extra}\""),
                (false, false) => format!(" ; ({marker}) and extra == \"{extra}\""),
            };
        } else {
            headers.push_str(&format!("Requires-Dist: {line}{condition}\n"));
        }
    }
    headers
}

fn resolved(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}
