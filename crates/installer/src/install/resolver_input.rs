//! From the requirement set to the resolver's input: markers evaluated, files named, hashes collected.

use std::collections::HashMap;

use packaging::{HashAlgorithm, MarkerEnvironment, Operator, PackageName, Requirement};
use resolve::{Prereleases, UpgradeStrategy, UserRequirement};
use url::Url;

use crate::error::{Code, Failure};
use crate::event::{Event, Reporter, WarningCode};
use crate::index::parse_filename;
use crate::install::plan::Plan;
use crate::options::{IndexOptions, SelectionOptions};
use crate::python::environment::Environment;
use crate::requirements::{InstallRequirement, RequiredHashes, RequirementOrigin, RequirementSet, RequirementSource};

/// The resolver's input, and the hashes the user requires.
pub struct ResolverInput {
    /// What to install.
    pub requirements: Vec<UserRequirement>,
    /// Limits the versions of projects without requiring them.
    pub constraints: Vec<UserRequirement>,
    /// The URLs of files that the user wrote, in requirements or constraints.
    pub user_urls: Vec<Url>,
    /// Hashes by project.
    pub hashes: HashMap<PackageName, RequiredHashes>,
    /// Every file must have one.
    pub require_hashes: bool,
    /// Where to look, as the settings and the files say.
    pub indexes: IndexOptions,
    /// What may be chosen, as the settings and the files say.
    pub selection: SelectionOptions,
}

impl ResolverInput {
    /// Evaluates the requirement set for an environment.
    ///
    /// # Errors
    /// When a requirement is not supported yet, or hash-checking mode refuses it.
    pub fn new(
        requirements: RequirementSet,
        environment: &MarkerEnvironment,
        reporter: &dyn Reporter,
    ) -> Result<Self, Failure> {
        Self::for_machine(requirements, environment, "your environment", reporter)
    }

    /// The same for the environment of another machine, which messages call `machine`.
    ///
    /// # Errors
    /// As [`ResolverInput::new`].
    pub fn for_machine(
        requirements: RequirementSet,
        environment: &MarkerEnvironment,
        machine: &str,
        reporter: &dyn Reporter,
    ) -> Result<Self, Failure> {
        let mut asked = Self {
            requirements: Vec::new(),
            constraints: Vec::new(),
            user_urls: Vec::new(),
            hashes: HashMap::new(),
            require_hashes: requirements.require_hashes,
            indexes: requirements.indexes,
            selection: requirements.selection,
        };
        for install_requirement in &requirements.requirements {
            if let Some(wanted) = asked.user_requirement(install_requirement, environment, machine, reporter)? {
                asked.requirements.push(wanted);
            }
        }
        for install_requirement in &requirements.constraints {
            if let Some(wanted) = asked.user_requirement(install_requirement, environment, machine, reporter)? {
                asked.constraints.push(wanted);
            }
        }
        if asked.require_hashes {
            asked.refuse_unpinned()?;
        }
        Ok(asked)
    }

    /// The request for the resolver.
    pub fn resolve_request<'a>(
        &self,
        environment: &'a Environment,
        upgrade: UpgradeStrategy,
        ignore_installed: bool,
        no_deps: bool,
    ) -> resolve::ResolveRequest<'a> {
        let releases = &self.selection.releases;
        let rule = |allowed: bool| if allowed { Prereleases::Allow } else { Prereleases::Forbid };
        let everywhere = match (releases.all_releases.all, releases.only_final.all) {
            (true, _) => Prereleases::Allow,
            (false, true) => Prereleases::Forbid,
            (false, false) => Prereleases::WhenNeeded,
        };
        let named = releases.all_releases.named.iter().chain(&releases.only_final.named);
        let prereleases_of = named
            .filter_map(|name| {
                let name: PackageName = name.parse().ok()?;
                let allowed = releases.allows_prereleases(&name)?;
                Some((name, rule(allowed)))
            })
            .collect();
        resolve::ResolveRequest {
            requirements: self.requirements.clone(),
            constraints: self.constraints.clone(),
            upgrade,
            ignore_installed,
            prereleases: everywhere,
            prereleases_of,
            no_deps,
            ..resolve::ResolveRequest::new(&environment.interpreter.markers)
        }
    }

    /// The names the user gave, without constraints.
    pub fn names(&self) -> Vec<PackageName> {
        self.requirements.iter().map(|wanted| wanted.requirement.name.clone()).collect()
    }

    /// The URLs of files that requirements or constraints give.
    pub fn named_urls(&self) -> Vec<Url> {
        let named = self.requirements.iter().chain(&self.constraints);
        named.filter_map(|wanted| wanted.requirement.url.clone()).collect()
    }

    /// In hash-checking mode every file needs a hash of the user's, those of dependencies too.
    ///
    /// # Errors
    /// pip's list of what lacks one, with the hashes to add.
    pub fn refuse_unhashed(&self, plan: &Plan) -> Result<(), Failure> {
        if !self.require_hashes {
            return Ok(());
        }
        let mut lines = Vec::new();
        let mut unpinned = Vec::new();
        for addition in &plan.additions {
            let name = &addition.candidate.name;
            if self.hashes.contains_key(name) {
                continue;
            }
            if !addition.requested {
                unpinned.push(format!("    {}", addition.spelled));
            }
            let known = addition
                .chosen_file
                .request
                .known_sha256()
                .or_else(|| addition.chosen_file.file.as_ref().map(|file| file.sha256().to_owned()));
            let hash = known.map(|value| format!(" --hash=sha256:{value}")).unwrap_or_default();
            lines.push(format!("    {name}=={}{hash}", addition.candidate.version));
        }
        if lines.is_empty() {
            return Ok(());
        }
        if !unpinned.is_empty() {
            let message = format!(
                "In --require-hashes mode, all requirements must have their versions pinned with ==. These do not:\n{}",
                unpinned.join("\n")
            );
            return Err(Failure::new(Code::PolicyRequireHashes, message)
                .detail("missing", lines.iter().map(|line| line.trim()).collect::<Vec<_>>().join("\n")));
        }
        let message = format!(
            "Hashes are required in --require-hashes mode, but they are missing from some requirements. Here is a list of \
             those requirements along with the hashes the index gives for them. Add lines like these to your requirements \
             files to prevent tampering. (If you did not enable --require-hashes manually, note that it turns on automatically \
             when any package has a hash.)\n{}",
            lines.join("\n")
        );
        Err(Failure::new(Code::PolicyRequireHashes, message))
    }

    fn user_requirement(
        &mut self,
        install_requirement: &InstallRequirement,
        environment: &MarkerEnvironment,
        machine: &str,
        reporter: &dyn Reporter,
    ) -> Result<Option<UserRequirement>, Failure> {
        if let Some(marker) = &install_requirement.marker
            && !marker.tree.evaluate(environment, &[])
        {
            let text = install_requirement.name().map_or_else(|| install_requirement.text.clone(), ToString::to_string);
            reporter.report(Event::RequirementIgnored {
                requirement: &text,
                marker: &marker.text,
                environment: machine,
            });
            return Ok(None);
        }
        let requirement = match &install_requirement.source {
            RequirementSource::Specifier(requirement) => requirement.clone(),
            RequirementSource::File { url, filename, extras, name } => {
                let name = match name {
                    Some(name) => name.clone(),
                    None => parse_filename(filename).map(|dist| dist.name().clone()).ok_or_else(|| {
                        let shown = printable::line(filename);
                        Failure::new(Code::RequirementsWheelName, format!("{shown} is not a valid wheel filename."))
                    })?,
                };
                let extras = extras.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
                let text = format!("{name}[{extras}] @ {url}");
                text.parse::<Requirement>()
                    .map_err(|error| Failure::new(Code::RequirementUrl, error.to_string()).caused_by(error))?
            }
            RequirementSource::Directory { path, .. } => {
                return Err(Failure::new(
                    Code::SourceNotSupported,
                    format!("{} is a source directory, which tufpip does not build yet", path.display()),
                )
                .hint("build a wheel of it first and give the wheel"));
            }
        };
        if !install_requirement.hashes.is_empty() {
            self.require_hashes_of(&requirement.name, &install_requirement.hashes, !install_requirement.is_remote)?;
        }
        if !install_requirement.is_remote {
            self.user_urls.extend(requirement.url.clone());
        }
        let source = match &install_requirement.origin {
            RequirementOrigin::CommandLine => String::new(),
            origin => origin.to_string(),
        };
        Ok(Some(UserRequirement::new(requirement, source)))
    }

    /// If hashes are given twice for a project, a file must match both lists.
    fn require_hashes_of(
        &mut self,
        name: &PackageName,
        hashes: &[(HashAlgorithm, String)],
        are_users: bool,
    ) -> Result<(), Failure> {
        let required = match self.hashes.get(name) {
            None => RequiredHashes { allowed: hashes.to_vec(), are_users },
            Some(earlier) => RequiredHashes {
                allowed: earlier.allowed.iter().filter(|hash| hashes.contains(hash)).cloned().collect(),
                are_users: earlier.are_users || are_users,
            },
        };
        if required.allowed.is_empty() {
            return Err(Failure::new(
                Code::PolicyNoCommonHash,
                format!(
                    "THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE. Hashes are required in --require-hashes \
                     mode, but they are missing from some requirements.\n\
                     {name} has hashes in several places, and no hash is in all of them, so that no file of it is allowed."
                ),
            )
            .hint("give the same hashes wherever the project is named"));
        }
        self.hashes.insert(name.clone(), required);
        Ok(())
    }

    fn refuse_unpinned(&self) -> Result<(), Failure> {
        let is_pinned = |requirement: &Requirement| {
            requirement.url.is_some()
                || requirement
                    .specifiers
                    .iter()
                    .any(|specifier| matches!(specifier.operator(), Operator::Equal | Operator::ExactEqual))
        };
        let pinned_by_constraint = |name: &PackageName| {
            self.constraints.iter().any(|wanted| wanted.requirement.name == *name && is_pinned(&wanted.requirement))
        };
        let loose: Vec<String> = self
            .requirements
            .iter()
            .filter(|wanted| !is_pinned(&wanted.requirement) && !pinned_by_constraint(&wanted.requirement.name))
            .map(|wanted| match wanted.source.as_str() {
                "" => format!("    {}", wanted.requirement),
                source => format!("    {} (from {source})", wanted.requirement),
            })
            .collect();
        if loose.is_empty() {
            return Ok(());
        }
        let message = format!(
            "In --require-hashes mode, all requirements must have their versions pinned with ==. These do not:\n{}",
            loose.join("\n")
        );
        Err(Failure::new(Code::PolicyRequireHashes, message))
    }
}

/// The extras that were asked for and do not exist, as pip warns of them.
pub fn warn_of_unknown_extras(resolution: &resolve::Resolution, reporter: &dyn Reporter) {
    for warning in &resolution.warnings {
        reporter.warning(WarningCode::UnknownExtra, warning.to_string());
    }
}
