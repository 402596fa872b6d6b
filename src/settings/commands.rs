//! The part of the settings that belongs to one command, and pip's rules on what cannot be combined.

use std::path::{Path, PathBuf};

use super::settle::{Told, options};
use super::trust::{self, WhyTrustSettings};
use super::{
    Command, DEFAULT_INDEX_URL, FreezeSettings, Freshness, ListFormat, ListSettings, ProgressBar, ShowSettings,
    UninstallSettings,
};
use crate::cli::{self, Cli, General, RootUserAction, Security, UpgradeStrategy};
use installer::error::{Failure, Kind};
use installer::options::TrustOptions;
use installer::options::normalize;
use installer::options::{
    DownloadOptions, FormatControl, IndexOptions, InstallOptions, InstalledFilter, Output, Place, ReleaseControl,
    RequirementOptions, SelectionOptions, TargetPython, Upgrade, index_url,
};
use installer::process_environment::ProcessEnvironment;

/// What the words and the configuration of one command come to.
pub(super) struct Settled {
    pub command: Command,
    pub general: General,
    pub progress_bar: ProgressBar,
    pub trust: TrustOptions,
    pub offline: bool,
}

impl Settled {
    /// A command that asks no index.
    pub fn new(general: General, command: Command, process_environment: &ProcessEnvironment) -> Self {
        let trust = trust::places(process_environment);
        Self { command, general, progress_bar: ProgressBar::Auto, trust, offline: false }
    }

    fn with_security(
        self,
        security: Security,
        told: &Told,
        process_environment: &ProcessEnvironment,
    ) -> Result<Self, Failure> {
        let offline = security.offline;
        Ok(Self { trust: trust::settings(security, told, process_environment)?, offline, ..self })
    }
}

/// Checks what was typed and configured for a command.
pub(super) fn settle(
    typed: Cli,
    told: &Told,
    process_environment: &ProcessEnvironment,
    warnings: &mut Vec<String>,
) -> Result<Settled, Failure> {
    let settled = |(general, command): (General, Command)| Settled::new(general, command, process_environment);
    Ok(match typed.command {
        Some(cli::Command::Install(mut install)) => {
            let (progress_bar, security) = (install.wishes.progress_bar, std::mem::take(&mut install.security));
            let settled = settled(self::install(*install, told, process_environment)?);
            Settled { progress_bar, ..settled.with_security(security, told, process_environment)? }
        }
        Some(cli::Command::Download(mut download)) => {
            let (progress_bar, security) = (download.wishes.progress_bar, std::mem::take(&mut download.security));
            let settled = settled(self::download(*download, told, process_environment)?);
            Settled { progress_bar, ..settled.with_security(security, told, process_environment)? }
        }
        Some(cli::Command::Uninstall(uninstall)) => settled(self::uninstall(uninstall)?),
        Some(cli::Command::List(mut list)) => {
            warn_ignored("list", &list.installed.ignored, warnings);
            let security = std::mem::take(&mut list.security);
            settled(self::list(*list, told, process_environment)?).with_security(security, told, process_environment)?
        }
        Some(cli::Command::Freeze(freeze)) => {
            warn_ignored("freeze", &freeze.installed.ignored, warnings);
            settled(self::freeze(freeze, process_environment)?)
        }
        Some(cli::Command::Show(show)) => {
            if show.packages.is_empty() {
                return Err(conflict("Please provide a package name or names."));
            }
            let settings = ShowSettings { packages: show.packages, files: show.files };
            settled((show.general, Command::Show(settings)))
        }
        Some(cli::Command::Check(check)) => {
            warn_ignored("check", &check.ignored, warnings);
            settled((check.general, Command::Check))
        }
        Some(cli::Command::Trust(trust)) => settled(trust::command(trust.command, process_environment)?),
        Some(cli::Command::WhyTrust(mut why)) => {
            let security = std::mem::take(&mut why.security);
            settled(why_trust(*why, told, process_environment)?).with_security(security, told, process_environment)?
        }
        Some(cli::Command::Repo(mut repo)) => {
            let security = super::repo::take_security(&mut repo.command);
            let settled = settled(super::repo::command(repo.command, told, process_environment)?);
            match security {
                Some(security) => settled.with_security(security, told, process_environment)?,
                None => settled,
            }
        }
        // Help pages are printed before anything is settled.
        Some(cli::Command::Help(_)) | None => return Err(Failure::usage("no command")),
    })
}

fn install(
    typed: cli::Install,
    told: &Told,
    process_environment: &ProcessEnvironment,
) -> Result<(General, Command), Failure> {
    if typed.user && typed.target_dir.is_some() {
        return Err(conflict("Can not combine '--user' and '--target'"));
    }
    check_only_deps(&typed.wishes)?;
    let selection = selection(&typed.wishes, typed.selection.pre, typed.selection.prefer_binary, &typed.index, told)?;
    check_target(&typed.wishes, &selection)?;
    if selection.target.is_set() && !typed.dry_run && typed.target_dir.is_none() {
        return Err(conflict(
            "Can not use any platform or abi specific options unless installing via '--target' or using '--dry-run'",
        ));
    }
    if typed.user && typed.prefix.is_some() {
        return Err(conflict("Can not combine '--user' and '--prefix' as they imply different installation locations"));
    }
    let target = typed.target_dir.filter(|target| !target.is_empty()).map(PathBuf::from);
    let place = match (target, typed.prefix.filter(|prefix| !prefix.is_empty())) {
        (Some(_), Some(_)) => {
            return Err(conflict(
                "Can not combine '--target' and '--prefix' as they imply different installation locations",
            ));
        }
        (Some(target), None) if target.exists() && !target.is_dir() => {
            return Err(conflict("Target path exists but is not a directory, will not continue.")
                .detail("target", target.display().to_string()));
        }
        (Some(target), None) => Place::Target(target),
        (None, Some(prefix)) => Place::Prefix(process_environment.expand(&prefix)),
        (None, None) => Place::Environment { user: typed.user.then_some(true).or(typed.no_user.then_some(false)) },
    };
    let upgrade = match typed.upgrade_strategy {
        _ if !typed.upgrade => Upgrade::ToSatisfyOnly,
        UpgradeStrategy::OnlyIfNeeded => Upgrade::OnlyIfNeeded,
        UpgradeStrategy::Eager => Upgrade::Eager,
    };
    let indexes = index_settings(typed.index, process_environment)?;
    let settings = InstallOptions {
        wishes: wishes("install", typed.wishes, &indexes)?,
        indexes,
        selection,
        // pip looks at nothing that is installed when it fills a directory.
        ignore_installed: typed.ignore_installed || matches!(place, Place::Target(_)),
        place,
        root: typed.root.filter(|root| !root.is_empty()).map(|root| process_environment.expand(&root)),
        upgrade,
        force_reinstall: typed.force_reinstall,
        dry_run: typed.dry_run,
        report: typed.report.map(output),
        compile: !typed.no_compile,
        warn_script_location: !typed.no_warn_script_location,
        warn_conflicts: !typed.no_warn_conflicts,
        break_system_packages: typed.break_system_packages,
        warn_root_user: typed.root_user_action == RootUserAction::Warn,
    };
    Ok((typed.general, Command::Install(Box::new(settings))))
}

fn download(
    typed: cli::Download,
    told: &Told,
    process_environment: &ProcessEnvironment,
) -> Result<(General, Command), Failure> {
    check_only_deps(&typed.wishes)?;
    let selection = selection(&typed.wishes, typed.selection.pre, typed.selection.prefer_binary, &typed.index, told)?;
    check_target(&typed.wishes, &selection)?;
    let indexes = index_settings(typed.index, process_environment)?;
    let settings = DownloadOptions {
        wishes: wishes("download", typed.wishes, &indexes)?,
        indexes,
        selection,
        destination: process_environment.expand(&typed.dest),
    };
    Ok((typed.general, Command::Download(Box::new(settings))))
}

fn uninstall(typed: cli::Uninstall) -> Result<(General, Command), Failure> {
    if typed.packages.is_empty() && typed.requirement.is_empty() {
        return Err(conflict("You must give at least one requirement to uninstall (see \"tufpip help uninstall\")"));
    }
    let settings = UninstallSettings {
        packages: typed.packages,
        requirement_files: typed.requirement,
        yes: typed.yes,
        break_system_packages: typed.break_system_packages,
        warn_root_user: typed.root_user_action == RootUserAction::Warn,
    };
    Ok((typed.general, Command::Uninstall(settings)))
}

fn list(
    typed: cli::List,
    told: &Told,
    process_environment: &ProcessEnvironment,
) -> Result<(General, Command), Failure> {
    let selection = selection_for_environment(&typed.selection, &typed.index, told)?;
    let freshness = match (typed.outdated, typed.uptodate) {
        (true, true) => return Err(conflict("Options --outdated and --uptodate cannot be combined.")),
        (true, false) => Freshness::Outdated,
        (false, true) => Freshness::UpToDate,
        (false, false) => Freshness::Any,
    };
    if typed.outdated && typed.format == ListFormat::Freeze {
        return Err(conflict("List format 'freeze' cannot be used with the --outdated option."));
    }
    let settings = ListSettings {
        installed: installed(typed.installed, process_environment)?,
        selection,
        indexes: index_settings(typed.index, process_environment)?,
        freshness,
        editable: typed.editable,
        include_editable: !typed.exclude_editable,
        not_required: typed.not_required,
        format: typed.format,
    };
    Ok((typed.general, Command::List(Box::new(settings))))
}

fn why_trust(
    typed: cli::trust::WhyTrust,
    told: &Told,
    process_environment: &ProcessEnvironment,
) -> Result<(General, Command), Failure> {
    if typed.names.is_empty() {
        return Err(conflict("You must give at least one package name (see \"tufpip help why-trust\")"));
    }
    let settings = WhyTrustSettings {
        names: typed.names,
        selection: selection_for_environment(&typed.selection, &typed.index, told)?,
        indexes: index_settings(typed.index, process_environment)?,
    };
    Ok((typed.general, Command::WhyTrust(Box::new(settings))))
}

fn freeze(typed: cli::Freeze, process_environment: &ProcessEnvironment) -> Result<(General, Command), Failure> {
    let settings = FreezeSettings {
        installed: installed(typed.installed, process_environment)?,
        requirement_files: typed.requirement,
        all: typed.all,
        exclude_editable: typed.exclude_editable,
    };
    Ok((typed.general, Command::Freeze(settings)))
}

fn installed(typed: cli::Installed, process_environment: &ProcessEnvironment) -> Result<InstalledFilter, Failure> {
    if !typed.path.is_empty() && (typed.user || typed.local) {
        return Err(conflict("Cannot combine '--path' with '--user' or '--local'"));
    }
    Ok(InstalledFilter {
        local: typed.local,
        user: typed.user,
        paths: typed.path.iter().map(|path| process_environment.expand(path)).collect(),
        exclude: typed.exclude.iter().map(|name| normalize(name)).collect(),
    })
}

fn wishes(command: &str, typed: cli::Wishes, indexes: &IndexOptions) -> Result<RequirementOptions, Failure> {
    if typed.require_hashes && typed.no_require_hashes {
        return Err(conflict("--require-hashes and --no-require-hashes are mutually exclusive"));
    }
    if typed.requirements.is_empty() && typed.requirement.is_empty() && typed.group.is_empty() {
        let advice = match indexes.find_links.as_slice() {
            [] => format!("(see \"tufpip help {command}\")"),
            links => format!("(maybe you meant \"tufpip {command} {}\"?)", links.join(" ")),
        };
        return Err(conflict(&format!("You must give at least one requirement to {command} {advice}")));
    }
    Ok(RequirementOptions {
        // pip passes over words that are blank.
        requirements: typed.requirements.into_iter().filter(|word| !word.trim().is_empty()).collect(),
        requirement_files: typed.requirement,
        constraint_files: typed.constraint,
        groups: typed.group,
        no_deps: typed.no_deps,
        only_deps: typed.only_deps,
        require_hashes: typed.require_hashes.then_some(true).or(typed.no_require_hashes.then_some(false)),
    })
}

fn selection(
    wishes: &cli::Wishes,
    pre: bool,
    prefer_binary: bool,
    index: &cli::Index,
    told: &Told,
) -> Result<SelectionOptions, Failure> {
    let (formats, releases) = controls(told, pre)?;
    let target = &wishes.target;
    Ok(SelectionOptions {
        formats,
        releases,
        prefer_binary,
        uploaded_prior_to: index.uploaded_prior_to,
        ignore_requires_python: wishes.ignore_requires_python,
        target: TargetPython {
            platforms: target.platform.clone(),
            python_version: target.python_version.as_ref().map(|version| version.0.clone()),
            implementation: target.implementation.clone().filter(|name| !name.is_empty()),
            abis: target.abi.clone(),
        },
    })
}

/// What may be chosen by a command that only knows the environment's own Python.
fn selection_for_environment(
    typed: &cli::Selection,
    index: &cli::Index,
    told: &Told,
) -> Result<SelectionOptions, Failure> {
    let (formats, releases) = controls(told, typed.pre)?;
    Ok(SelectionOptions {
        formats,
        releases,
        prefer_binary: typed.prefer_binary,
        uploaded_prior_to: index.uploaded_prior_to,
        ..SelectionOptions::default()
    })
}

/// The options whose order counts, in the order they were given.
pub(super) fn controls(told: &Told, pre: bool) -> Result<(FormatControl, ReleaseControl), Failure> {
    let mut selection = SelectionOptions::default();
    for option in told.configured.iter().map(|configured| &configured.word).chain(options(&told.words)) {
        selection.apply(&option.id, option.value.as_deref().unwrap_or_default())?;
    }
    let SelectionOptions { formats, mut releases, .. } = selection;
    if pre {
        if !releases.is_empty() {
            return Err(conflict("--pre cannot be used with --all-releases or --only-final."));
        }
        releases.pre();
    }
    Ok((formats, releases))
}

fn check_only_deps(wishes: &cli::Wishes) -> Result<(), Failure> {
    let mut against = Vec::new();
    if wishes.no_deps {
        against.push("'--no-deps'");
    }
    if !wishes.requirement.is_empty() {
        against.push("'--requirement'");
    }
    if !wishes.group.is_empty() {
        against.push("'--group'");
    }
    let Some((last, others)) = against.split_last().filter(|_| wishes.only_deps) else { return Ok(()) };
    let list = if others.is_empty() { (*last).to_owned() } else { format!("{}, or {last}", others.join(", ")) };
    Err(conflict(&format!("Cannot use '--only-dependencies' in combination with {list}.")))
}

fn check_target(wishes: &cli::Wishes, selection: &SelectionOptions) -> Result<(), Failure> {
    if selection.target.is_set() && !selection.formats.is_only_binary() && !wishes.no_deps {
        return Err(conflict(
            "When restricting platform and interpreter constraints using --python-version, --platform, --abi, or \
             --implementation, either --no-deps must be set, or --only-binary=:all: must be set and --no-binary must \
             not be set (or must be set to :none:).",
        ));
    }
    Ok(())
}

pub(super) fn index_settings(
    typed: cli::Index,
    process_environment: &ProcessEnvironment,
) -> Result<IndexOptions, Failure> {
    let main = typed.index_url.as_deref().unwrap_or(DEFAULT_INDEX_URL);
    let all = std::iter::once(main).chain(typed.extra_index_url.iter().map(String::as_str));
    let indexes = if typed.no_index {
        Vec::new()
    } else {
        all.filter(|url| !url.is_empty()).map(|url| index_url(url, process_environment)).collect::<Result<_, _>>()?
    };
    let find_links = typed.find_links.into_iter().map(|link| {
        let expanded = process_environment.expand(&link);
        if link.starts_with('~') && expanded.exists() { expanded.display().to_string() } else { link }
    });
    Ok(IndexOptions { indexes, find_links: find_links.collect(), no_index: typed.no_index })
}

fn output(text: String) -> Output {
    if text == "-" { Output::Stdout } else { Output::File(Path::new(&text).to_owned()) }
}

fn warn_ignored(command: &str, words: &[String], warnings: &mut Vec<String>) {
    if !words.is_empty() {
        warnings.push(format!("`{command}` takes no arguments and ignores: {}", words.join(" ")));
    }
}

/// What pip calls a command error: understood, but it cannot be done. Exit code 1, as pip's.
pub(super) fn conflict(message: &str) -> Failure {
    Failure::new(Kind::Error, "usage", message)
}
