//! `list`: what is installed, and with `--outdated` or `--uptodate` how it compares with the indexes.

mod output;

pub use output::align_columns;

use std::collections::HashSet;

use packaging::{PackageName, Version};
use resolve::Rejection;

use crate::terminal::Terminal;
use installer::context::Context;
use installer::error::{Code, Failure};
use installer::index::{Finder, InstallationCandidate};
use installer::install::resolution;
use installer::install::resolver_input::ResolverInput;
use installer::options::{
    CommonOptions, IndexOptions, InstalledFilter, ReleaseControl, RequirementOptions, SelectionOptions,
};
use installer::python::environment::Environment;
use installer::python::installed::{InstalledPackage, filter_installed};

/// `list`
#[derive(Clone, Debug)]
pub struct ListOptions {
    /// Which distributions are looked at.
    pub installed: InstalledFilter,
    /// Where newer versions are looked for.
    pub indexes: IndexOptions,
    /// Which newer versions count.
    pub selection: SelectionOptions,
    /// Compare with the indexes.
    pub freshness: Freshness,
    /// `-e`: only editable projects.
    pub editable: bool,
    /// Editable projects are shown; off with `--exclude-editable`.
    pub include_editable: bool,
    /// Only what no other distribution requires.
    pub not_required: bool,
    /// How to print.
    pub format: ListFormat,
}

/// What `list` compares with the indexes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// Nothing; every distribution is shown.
    Any,
    /// Only what has a newer version.
    Outdated,
    /// Only what has none.
    UpToDate,
}

/// How `list` prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum ListFormat {
    /// A table.
    Columns,
    /// `name==version` lines.
    Freeze,
    /// JSON.
    Json,
}

/// A distribution to list.
struct ListEntry {
    described: InstalledPackage,
    /// The newest version on the indexes and the type of its file, if it was requested.
    latest: Option<(Version, &'static str)>,
}

/// Prints what is installed.
///
/// # Errors
/// When the environment cannot be read, or an index cannot be fetched.
pub async fn list(
    common: &CommonOptions,
    list: &ListOptions,
    context: &Context,
    terminal: &Terminal,
) -> Result<(), Failure> {
    let environment = Environment::open(common, &context.cache)?;
    let mut distributions = filter_installed(&environment, &list.installed, terminal)?;
    distributions.retain(|described| {
        let is_editable = || described.distribution.editable_location().is_some();
        !described.is_standard_library()
            && (list.include_editable || !is_editable())
            && (!list.editable || is_editable())
    });
    if list.not_required {
        // Before the filters: a distribution that is not shown still has dependencies.
        let mut required = HashSet::new();
        for described in &distributions {
            let dependencies = described.dependencies(&environment.interpreter.markers).map_err(|error| {
                Failure::new(Code::InstalledMetadata, format!("{}: {error}", described.name)).caused_by(error)
            })?;
            required.extend(dependencies.into_iter().map(|requirement| requirement.name));
        }
        distributions.retain(|described| !required.contains(&described.name));
    }
    distributions.retain(|described| !list.installed.exclude.iter().any(|name| described.name.as_ref() == name));
    distributions.sort_by(|one, other| one.name.cmp(&other.name));
    let listed = if list.freshness == Freshness::Any {
        distributions.into_iter().map(|described| ListEntry { described, latest: None }).collect()
    } else {
        let nothing = RequirementOptions::default();
        let requirements = resolution::read_requirements(&nothing, &list.indexes, &list.selection, context).await?;
        let input = ResolverInput::new(requirements, &environment.interpreter.markers, terminal)?;
        compared(distributions, list, &resolution::finder(&input, &environment, context)?).await?
    };
    output::print(&listed, list, terminal)
}

/// The distributions that are outdated or up to date, as requested; one that no index has is neither.
async fn compared(
    distributions: Vec<InstalledPackage>,
    list: &ListOptions,
    finder: &Finder,
) -> Result<Vec<ListEntry>, Failure> {
    let names: Vec<PackageName> = distributions.iter().map(|described| described.name.clone()).collect();
    let offers = finder.installation_candidates(&names).await?;
    let mut listed = Vec::new();
    for described in distributions {
        let offered = offers.get(&described.name).map(Vec::as_slice).unwrap_or_default();
        let latest = latest(&described.name, offered, &list.selection.releases);
        let (Some(latest), Ok(version)) = (latest, described.version()) else { continue };
        let fits = match list.freshness {
            Freshness::Any => true,
            Freshness::Outdated => latest.0 > version,
            Freshness::UpToDate => latest.0 == version,
        };
        if fits {
            listed.push(ListEntry { described, latest: Some(latest) });
        }
    }
    Ok(listed)
}

/// The newest version: not yanked, not a pre-release unless those are allowed. Source distributions count.
fn latest(
    name: &PackageName,
    offers: &[InstallationCandidate],
    releases: &ReleaseControl,
) -> Option<(Version, &'static str)> {
    let prereleases = releases.allows_prereleases(name) == Some(true);
    let best = offers.iter().find(|offer| {
        let candidate = &offer.candidate;
        !candidate.yanked
            && matches!(candidate.rejected, None | Some(Rejection::Source))
            && (prereleases || !candidate.version.any_prerelease())
    })?;
    let kind = if best.file.dist.wheel().is_some() { "wheel" } else { "sdist" };
    Some((best.candidate.version.clone(), kind))
}
