//! The settings of one command, and pip's rules about options that cannot be combined.

use std::path::{Path, PathBuf};

use super::resolve_settings::{CommandInput, options};
use super::{Command, DEFAULT_INDEX_URL};
use crate::arguments::{IndexArgs, ReleaseArgs};
use crate::cli::{self, RootUserAction, UpgradeStrategyArg};
use crate::commands::freeze::FreezeOptions;
use crate::commands::list::{Freshness, ListFormat, ListOptions};
use crate::commands::show::ShowOptions;
use crate::commands::uninstall::UninstallOptions;
use crate::commands::why_trust::WhyTrustOptions;
use installer::error::{Code, Failure};
use installer::options::normalize;
use installer::options::{
    DownloadOptions, FormatControl, IndexOptions, InstallLocation, InstallOptions, InstalledFilter, Output,
    ReleaseControl, RequirementOptions, SelectionOptions, index_url,
};
use installer::process_environment::ProcessEnvironment;
use packaging::TargetPython;
use resolve::UpgradeStrategy;

/// Checks what was typed and configured for a command.
pub(super) fn resolve_command(
    typed: cli::Command,
    input: &CommandInput,
    process_environment: &ProcessEnvironment,
    warnings: &mut Vec<String>,
) -> Result<Command, Failure> {
    Ok(match typed {
        cli::Command::Install(install) => self::install(*install, input, process_environment)?,
        cli::Command::Download(download) => self::download(*download, input, process_environment)?,
        cli::Command::Uninstall(uninstall) => self::uninstall(uninstall)?,
        cli::Command::List(list) => {
            warn_ignored("list", &list.installed.ignored, warnings);
            self::list(*list, input, process_environment)?
        }
        cli::Command::Freeze(freeze) => {
            warn_ignored("freeze", &freeze.installed.ignored, warnings);
            self::freeze(freeze, process_environment)?
        }
        cli::Command::Show(show) => {
            if show.packages.is_empty() {
                return Err(command_error("Please provide a package name or names."));
            }
            Command::Show(ShowOptions { packages: show.packages, files: show.files })
        }
        cli::Command::Check(check) => {
            warn_ignored("check", &check.ignored, warnings);
            Command::Check
        }
        cli::Command::Cache(cache) => Command::Cache(cache.command),
        cli::Command::Trust(trust) => Command::Trust(trust.command),
        cli::Command::WhyTrust(why) => why_trust(*why, input, process_environment)?,
        #[cfg(feature = "repo")]
        cli::Command::Repo(mut repo) => {
            use crate::commands::repo::{RepoCommand, mirror::MirrorSources};
            // Only its options about indexes may be configured.
            if let RepoCommand::Mirror(mirror) = &mut repo.command {
                let (_, releases) = format_and_release_control(input, &mirror.releases)?;
                let indexes = index_options(mirror.index.clone(), process_environment)?;
                mirror.sources = MirrorSources { indexes, releases };
            }
            Command::Repo(Box::new(repo.command))
        }
        // Help pages are printed before anything is settled.
        cli::Command::Help(_) => return Err(Failure::usage("no command")),
    })
}

fn install(
    typed: cli::InstallArgs,
    input: &CommandInput,
    process_environment: &ProcessEnvironment,
) -> Result<Command, Failure> {
    if typed.user && typed.target_dir.is_some() {
        return Err(command_error("Can not combine '--user' and '--target'"));
    }
    check_only_deps(&typed.requirement_args)?;
    let selection = selection(&typed.requirement_args, &typed.selection, &typed.index, input)?;
    check_target(&typed.requirement_args, &selection)?;
    if selection.target.is_set() && !typed.dry_run && typed.target_dir.is_none() {
        return Err(command_error(
            "Can not use any platform or abi specific options unless installing via '--target' or using '--dry-run'",
        ));
    }
    if typed.user && typed.prefix.is_some() {
        return Err(command_error(
            "Can not combine '--user' and '--prefix' as they imply different installation locations",
        ));
    }
    let target = typed.target_dir.filter(|target| !target.is_empty()).map(PathBuf::from);
    let place = match (target, typed.prefix.filter(|prefix| !prefix.is_empty())) {
        (Some(_), Some(_)) => {
            return Err(command_error(
                "Can not combine '--target' and '--prefix' as they imply different installation locations",
            ));
        }
        (Some(target), None) if target.exists() && !target.is_dir() => {
            return Err(command_error("Target path exists but is not a directory, will not continue.")
                .detail("target", target.display().to_string()));
        }
        (Some(target), None) => InstallLocation::Target(target),
        (None, Some(prefix)) => InstallLocation::Prefix(process_environment.expand(&prefix)),
        (None, None) => {
            InstallLocation::Environment { user: typed.user.then_some(true).or((!typed.allows_user).then_some(false)) }
        }
    };
    let upgrade = match typed.upgrade_strategy {
        _ if !typed.upgrade => UpgradeStrategy::ToSatisfyOnly,
        UpgradeStrategyArg::OnlyIfNeeded => UpgradeStrategy::OnlyIfNeeded,
        UpgradeStrategyArg::Eager => UpgradeStrategy::Eager,
    };
    let indexes = index_options(typed.index, process_environment)?;
    let settings = InstallOptions {
        requirement_options: requirement_options("install", typed.requirement_args, &indexes)?,
        indexes,
        selection,
        // pip ignores what is installed when it fills a directory.
        ignore_installed: typed.ignore_installed || matches!(place, InstallLocation::Target(_)),
        place,
        root: typed.root.filter(|root| !root.is_empty()).map(|root| process_environment.expand(&root)),
        upgrade,
        force_reinstall: typed.force_reinstall,
        dry_run: typed.dry_run,
        report: typed.report.map(output),
        compile: typed.compiles,
        warn_script_location: typed.warns_script_location,
        warn_conflicts: typed.warns_conflicts,
        break_system_packages: typed.break_system_packages,
        warn_root_user: typed.root_user_action == RootUserAction::Warn,
    };
    Ok(Command::Install(Box::new(settings)))
}

fn download(
    typed: cli::DownloadArgs,
    input: &CommandInput,
    process_environment: &ProcessEnvironment,
) -> Result<Command, Failure> {
    check_only_deps(&typed.requirement_args)?;
    let selection = selection(&typed.requirement_args, &typed.selection, &typed.index, input)?;
    check_target(&typed.requirement_args, &selection)?;
    let indexes = index_options(typed.index, process_environment)?;
    let settings = DownloadOptions {
        requirement_options: requirement_options("download", typed.requirement_args, &indexes)?,
        indexes,
        selection,
        destination: process_environment.expand(&typed.dest),
    };
    Ok(Command::Download(Box::new(settings)))
}

fn uninstall(typed: cli::UninstallArgs) -> Result<Command, Failure> {
    if typed.packages.is_empty() && typed.requirement.is_empty() {
        return Err(command_error(
            "You must give at least one requirement to uninstall (see \"tufpip help uninstall\")",
        ));
    }
    let settings = UninstallOptions {
        packages: typed.packages,
        requirement_files: typed.requirement,
        yes: typed.yes,
        break_system_packages: typed.break_system_packages,
        warn_root_user: typed.root_user_action == RootUserAction::Warn,
    };
    Ok(Command::Uninstall(settings))
}

fn list(
    typed: cli::ListArgs,
    input: &CommandInput,
    process_environment: &ProcessEnvironment,
) -> Result<Command, Failure> {
    let selection = selection_for_environment(&typed.selection, &typed.index, input)?;
    let freshness = match (typed.outdated, typed.uptodate) {
        (true, true) => return Err(command_error("Options --outdated and --uptodate cannot be combined.")),
        (true, false) => Freshness::Outdated,
        (false, true) => Freshness::UpToDate,
        (false, false) => Freshness::Any,
    };
    if typed.outdated && typed.format == ListFormat::Freeze {
        return Err(command_error("List format 'freeze' cannot be used with the --outdated option."));
    }
    let settings = ListOptions {
        installed: installed(typed.installed, process_environment)?,
        selection,
        indexes: index_options(typed.index, process_environment)?,
        freshness,
        editable: typed.editable,
        include_editable: typed.shows_editable,
        not_required: typed.not_required,
        format: typed.format,
    };
    Ok(Command::List(Box::new(settings)))
}

fn why_trust(
    typed: cli::WhyTrustArgs,
    input: &CommandInput,
    process_environment: &ProcessEnvironment,
) -> Result<Command, Failure> {
    if typed.names.is_empty() {
        return Err(command_error("You must give at least one package name (see \"tufpip help why-trust\")"));
    }
    let settings = WhyTrustOptions {
        names: typed.names,
        selection: selection_for_environment(&typed.selection, &typed.index, input)?,
        indexes: index_options(typed.index, process_environment)?,
    };
    Ok(Command::WhyTrust(Box::new(settings)))
}

fn freeze(typed: cli::FreezeArgs, process_environment: &ProcessEnvironment) -> Result<Command, Failure> {
    let settings = FreezeOptions {
        installed: installed(typed.installed, process_environment)?,
        requirement_files: typed.requirement,
        all: typed.all,
        exclude_editable: typed.exclude_editable,
    };
    Ok(Command::Freeze(settings))
}

fn installed(typed: cli::InstalledArgs, process_environment: &ProcessEnvironment) -> Result<InstalledFilter, Failure> {
    if !typed.path.is_empty() && (typed.user || typed.local) {
        return Err(command_error("Cannot combine '--path' with '--user' or '--local'"));
    }
    Ok(InstalledFilter {
        local: typed.local,
        user: typed.user,
        paths: typed.path.iter().map(|path| process_environment.expand(path)).collect(),
        exclude: typed.exclude.iter().map(|name| normalize(name)).collect(),
    })
}

fn requirement_options(
    command: &str,
    typed: cli::RequirementArgs,
    indexes: &IndexOptions,
) -> Result<RequirementOptions, Failure> {
    if typed.require_hashes && typed.no_require_hashes {
        return Err(command_error("--require-hashes and --no-require-hashes are mutually exclusive"));
    }
    if typed.requirements.is_empty() && typed.requirement.is_empty() && typed.group.is_empty() {
        let advice = match indexes.find_links.as_slice() {
            [] => format!("(see \"tufpip help {command}\")"),
            links => format!("(maybe you meant \"tufpip {command} {}\"?)", links.join(" ")),
        };
        return Err(command_error(&format!("You must give at least one requirement to {command} {advice}")));
    }
    Ok(RequirementOptions {
        // pip skips blank arguments.
        requirements: typed.requirements.into_iter().filter(|token| !token.trim().is_empty()).collect(),
        requirement_files: typed.requirement,
        constraint_files: typed.constraint,
        groups: typed.group,
        no_deps: typed.no_deps,
        only_deps: typed.only_deps,
        require_hashes: typed.require_hashes.then_some(true).or(typed.no_require_hashes.then_some(false)),
    })
}

fn selection(
    requirement_args: &cli::RequirementArgs,
    typed: &cli::SelectionArgs,
    index: &IndexArgs,
    input: &CommandInput,
) -> Result<SelectionOptions, Failure> {
    let target = &requirement_args.target;
    Ok(SelectionOptions {
        ignore_requires_python: requirement_args.ignore_requires_python,
        target: TargetPython {
            platforms: target.platform.clone(),
            python_version: target.python_version.as_ref().map(|version| version.0.clone()),
            implementation: target.implementation.clone().filter(|name| !name.is_empty()),
            abis: target.abi.clone(),
        },
        ..selection_for_environment(typed, index, input)?
    })
}

/// What may be chosen by a command that only knows the environment's own Python.
fn selection_for_environment(
    typed: &cli::SelectionArgs,
    index: &IndexArgs,
    input: &CommandInput,
) -> Result<SelectionOptions, Failure> {
    let (formats, releases) = format_and_release_control(input, &typed.releases)?;
    Ok(SelectionOptions {
        formats,
        releases,
        prefer_binary: typed.prefer_binary,
        uploaded_prior_to: index.uploaded_prior_to,
        ..SelectionOptions::default()
    })
}

/// The options whose order counts, in the order they were given.
fn format_and_release_control(
    input: &CommandInput,
    typed: &ReleaseArgs,
) -> Result<(FormatControl, ReleaseControl), Failure> {
    let mut selection = SelectionOptions::default();
    for option in input.configured.iter().map(|configured| &configured.token).chain(options(&input.tokens)) {
        selection.apply(&option.id, option.value.as_deref().unwrap_or_default())?;
    }
    let SelectionOptions { formats, mut releases, .. } = selection;
    if typed.pre {
        if !releases.is_empty() {
            return Err(command_error("--pre cannot be used with --all-releases or --only-final."));
        }
        releases.pre();
    }
    Ok((formats, releases))
}

fn check_only_deps(requirement_options: &cli::RequirementArgs) -> Result<(), Failure> {
    let mut against = Vec::new();
    if requirement_options.no_deps {
        against.push("'--no-deps'");
    }
    if !requirement_options.requirement.is_empty() {
        against.push("'--requirement'");
    }
    if !requirement_options.group.is_empty() {
        against.push("'--group'");
    }
    let Some((last, others)) = against.split_last().filter(|_| requirement_options.only_deps) else { return Ok(()) };
    let list = if others.is_empty() { (*last).to_owned() } else { format!("{}, or {last}", others.join(", ")) };
    Err(command_error(&format!("Cannot use '--only-dependencies' in combination with {list}.")))
}

fn check_target(requirement_options: &cli::RequirementArgs, selection: &SelectionOptions) -> Result<(), Failure> {
    if selection.target.is_set() && !selection.formats.is_only_binary() && !requirement_options.no_deps {
        return Err(command_error(
            "When restricting platform and interpreter constraints using --python-version, --platform, --abi, or \
             --implementation, either --no-deps must be set, or --only-binary=:all: must be set and --no-binary must \
             not be set (or must be set to :none:).",
        ));
    }
    Ok(())
}

fn index_options(typed: IndexArgs, process_environment: &ProcessEnvironment) -> Result<IndexOptions, Failure> {
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

fn warn_ignored(command: &str, tokens: &[String], warnings: &mut Vec<String>) {
    if !tokens.is_empty() {
        warnings.push(format!("`{command}` takes no arguments and ignores: {}", tokens.join(" ")));
    }
}

/// What pip calls a command error: understood, but it cannot be done. Exit code 1, as pip's.
fn command_error(message: &str) -> Failure {
    Failure::new(Code::UsageConflict, message)
}
