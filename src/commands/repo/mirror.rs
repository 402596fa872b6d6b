//! `repo mirror`: a chosen part of another index, signed by this repository.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use futures_util::{StreamExt as _, stream};
use jiff::Timestamp;
use packaging::PackageName;

use super::{OperatorDirectoryArgs, path, quiet_with_json};
use crate::arguments::values::expiry_grace;
use crate::arguments::{IndexArgs, ReleaseArgs, VerificationArgs};
use crate::terminal::Terminal;
use installer::context::Context;
use installer::error::{Code, Failure};
use installer::event::Progress;
use installer::event::Reporter;
use installer::options::{
    CommonOptions, FormatControl, IndexOptions, ReleaseControl, RequirementOptions, SelectionOptions,
};
use installer::text::count_noun;
use operator::mirror::{
    ChosenReleases, Closure, CurrentIndex, ImportMode, Importer, Machine, MirrorOptions, MirrorReport, MirrorRules,
    SHOWN, UpstreamFile, UpstreamProject, collect, follow, stage,
};
use operator::operator_directory::OperatorDirectory;

/// Sign a chosen part of another index
///
/// The releases that the requirements resolve to, with everything they depend on, for each machine named with --for. What was
/// mirrored earlier stays, because lock files may name it; --prune takes it away.
#[derive(Clone, Debug, Args)]
pub struct MirrorArgs {
    /// Names with version specifiers
    #[arg(value_name = "requirement")]
    pub requirements: Vec<String>,
    /// Read requirements from this file or URL; may be given several times
    #[arg(short, long, value_name = "file")]
    pub requirement: Vec<String>,
    /// Read constraints on versions from this file or URL; may be given several times
    #[arg(short, long, value_name = "file")]
    pub constraint: Vec<String>,
    /// Mirror what this lock file (pylock.toml) names, with its hashes; may be given several times
    #[arg(long = "lock", value_name = "file", value_parser = path)]
    pub locks: Vec<PathBuf>,
    /// A machine to mirror for, such as 3.12/manylinux_2_28_x86_64, 3.13/win_amd64, or 3.12 with the platform of this one; may be
    /// given several times. Without it: the interpreter that other commands would install for
    #[arg(long = "for", value_name = "python[/platform]", value_parser = Machine::parse)]
    pub machines: Vec<Machine>,
    /// Mirror all files of a chosen release, not only wheels that one of the machines can use
    #[arg(long)]
    pub all_files: bool,
    /// Mirror source distributions, too; what has no wheel still cannot be chosen
    #[arg(long)]
    pub sdists: bool,
    /// Only what was uploaded at least so long ago (7d, 12h, P7D)
    #[arg(long, value_name = "duration", value_parser = expiry_grace)]
    pub min_age: Option<Duration>,
    /// Copy files into this index, or link to where they are
    #[arg(long, value_name = "how", default_value = "copy", value_parser = import_mode())]
    pub files: ImportMode,
    /// Take away what the requirements do not lead to any more
    #[arg(long)]
    pub prune: bool,
    #[command(flatten)]
    pub releases: ReleaseArgs,
    /// Only say what would be done
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub operator_directory: OperatorDirectoryArgs,
    #[command(flatten)]
    pub security: VerificationArgs,
    #[command(flatten)]
    pub index: IndexArgs,
    /// What the options about indexes come to; `settings` fills it in.
    #[arg(skip)]
    pub sources: MirrorSources,
}

/// Where `repo mirror` looks, and which versions count: typed and configured.
#[derive(Clone, Debug, Default)]
pub struct MirrorSources {
    /// The indexes.
    pub indexes: IndexOptions,
    /// `--pre`, `--all-releases` and `--only-final`, in their order.
    pub releases: ReleaseControl,
}

/// `--files`
fn import_mode() -> impl TypedValueParser<Value = ImportMode> {
    PossibleValuesParser::new(["copy", "link"]).map(|name| match name.as_str() {
        "link" => ImportMode::Link,
        _ => ImportMode::Copy,
    })
}

/// The projects that were ever mirrored: only these are looked at upstream when they are not wanted any more, so that the
/// names of an operator's own projects are told to nobody.
const MIRRORED: &str = "mirrored.json";

/// Projects that are compared at a time.
const PROJECTS: usize = 8;

/// Stages the files that the requirements resolve to.
///
/// # Errors
/// When they cannot be fulfilled, a file is not what the other index says, or was replaced there.
pub async fn mirror(common: &CommonOptions, mirror: &MirrorArgs, terminal: &Arc<Terminal>) -> Result<(), Failure> {
    let (repo, options) = (&mirror.operator_directory, options(mirror)?);
    let operator_directory = OperatorDirectory::open(&repo.directory)?;
    let quiet = quiet_with_json(repo, terminal)?;
    let context = Context::open(common, Arc::clone(&quiet) as Arc<dyn Reporter>)?;
    let closure = collect(common, &options, &context).await?;
    let current_index = CurrentIndex::read(&operator_directory).await?;
    let mut mirrored = read_mirrored(&operator_directory)?;
    let sources = closure.sources.clone();
    let has_unsigned =
        closure.projects.values().flat_map(|release| &release.chosen).any(|(file, _)| file.signed.is_none());
    let (wanted, upstream) = all_followed(closure, &mirrored, &current_index, mirror).await?;

    let importer = Importer { context: &context, operator_directory: &operator_directory, import_mode: mirror.files };
    let (total, mut done) = (upstream.len(), 0);
    let compared = stream::iter(upstream).map(|(upstream, held_back)| {
        let (importer, current_index) = (&importer, &current_index);
        async move {
            let project = upstream.project.clone();
            let here = current_index.page(&project).await?;
            let (changes, mut report) = follow(upstream, &here, importer, mirror.dry_run).await?;
            report.held_back.extend(held_back.map(|version| (project, version)));
            Ok::<_, Failure>((changes, report))
        }
    });
    let mut compared = compared.buffered(PROJECTS);
    let (mut changes, mut report) = (Vec::new(), MirrorReport { sources, has_unsigned, ..MirrorReport::default() });
    while let Some(outcome) = compared.next().await {
        let (of_project, told) = outcome?;
        changes.extend(of_project);
        report.add(told);
        done += 1;
        quiet.progress(Progress::Counted { what: "Mirroring projects", done, total });
    }
    drop(compared);
    report.refuse_replaced()?;
    if !mirror.dry_run {
        stage(&operator_directory, changes)?;
        mirrored.extend(wanted);
        let names = serde_json::to_vec_pretty(&mirrored).unwrap_or_default();
        operator_directory.write(MIRRORED, &names)?;
    }
    if repo.json {
        terminal.json(&report.to_json(mirror.dry_run).to_string());
    } else {
        report_outcome(&report, mirror.dry_run, terminal);
    }
    Ok(())
}

fn options(mirror: &MirrorArgs) -> Result<MirrorOptions, Failure> {
    if mirror.requirements.is_empty() && mirror.requirement.is_empty() && mirror.locks.is_empty() {
        let message = "You must give at least one requirement to mirror (see \"tufpip help repo mirror\")";
        return Err(Failure::new(Code::UsageConflict, message));
    }
    // Without building, nothing can be said of what a source distribution depends on.
    let mut formats = FormatControl::default();
    formats.only_binary(":all:")?;
    let oldest = mirror.min_age.map(before_now).transpose()?;
    let is_blank = |text: &String| text.trim().is_empty();
    Ok(MirrorOptions {
        requirements: RequirementOptions {
            requirements: mirror.requirements.iter().filter(|text| !is_blank(text)).cloned().collect(),
            requirement_files: mirror.requirement.clone(),
            constraint_files: mirror.constraint.clone(),
            ..RequirementOptions::default()
        },
        locks: mirror.locks.clone(),
        indexes: mirror.sources.indexes.clone(),
        selection: SelectionOptions {
            formats,
            releases: mirror.sources.releases.clone(),
            uploaded_prior_to: oldest.into_iter().chain(mirror.index.uploaded_prior_to).min(),
            ..SelectionOptions::default()
        },
        machines: mirror.machines.clone(),
        all_files: mirror.all_files,
        sdists: mirror.sdists,
        min_age: mirror.min_age,
    })
}

fn before_now(age: Duration) -> Result<Timestamp, Failure> {
    Timestamp::now().checked_sub(age).map_err(|error| Failure::usage(format!("--min-age: {error}")).caused_by(error))
}

type WithHeldBack = (UpstreamProject, Option<packaging::Version>);

/// The projects that are needed now, and those that were mirrored earlier.
async fn all_followed(
    mut closure: Closure,
    mirrored: &BTreeSet<PackageName>,
    current_index: &CurrentIndex,
    mirror: &MirrorArgs,
) -> Result<(Vec<PackageName>, Vec<WithHeldBack>), Failure> {
    let releases = std::mem::take(&mut closure.projects);
    let wanted: Vec<PackageName> = releases.keys().cloned().collect();
    let here = current_index.projects();
    let earlier: Vec<PackageName> =
        mirrored.iter().filter(|project| here.contains(project) && !releases.contains_key(project)).cloned().collect();
    let mut upstream: Vec<WithHeldBack> =
        releases.into_iter().map(|(project, release)| of_release(project, release, mirror)).collect();
    for project in earlier {
        let there: Vec<UpstreamFile> = closure.files(&project).await?.iter().map(UpstreamFile::of_page).collect();
        let rules = MirrorRules { exactly: false, is_requested: false, prune: mirror.prune };
        upstream.push((UpstreamProject { project, there, wanted: BTreeMap::new(), rules }, None));
    }
    Ok((wanted, upstream))
}

fn of_release(project: PackageName, release: ChosenReleases, mirror: &MirrorArgs) -> WithHeldBack {
    let mut wanted = BTreeMap::new();
    let mut there: Vec<UpstreamFile> = release.index_files.iter().map(UpstreamFile::of_page).collect();
    for (file, request) in release.chosen {
        // For a signed index, the target decides.
        if let Some(listing) = there.iter_mut().find(|listing| Arc::ptr_eq(&listing.file, &file)) {
            listing.sha256 = request.known_sha256();
            listing.size = request.size;
        }
        wanted.entry(file.filename().to_owned()).or_insert(request);
    }
    let rules = MirrorRules { exactly: false, is_requested: true, prune: mirror.prune };
    (UpstreamProject { project, there, wanted, rules }, release.held_back)
}

fn read_mirrored(operator_directory: &OperatorDirectory) -> Result<BTreeSet<PackageName>, Failure> {
    let Some(bytes) = operator_directory.read(MIRRORED)? else { return Ok(BTreeSet::new()) };
    serde_json::from_slice(&bytes).map_err(|error| {
        let message = format!("{} is damaged: {error}", operator_directory.path(MIRRORED).display());
        Failure::new(Code::RepoDamaged, message)
            .caused_by(error)
            .hint("remove the file: then projects that are not wanted any more are not looked at upstream")
    })
}

/// Prints the result.
pub fn report_outcome(report: &MirrorReport, dry_run: bool, terminal: &Terminal) {
    let would = |text: &'static str, would: &'static str| if dry_run { would } else { text };
    let lists = [
        (would("New", "Would be new"), &report.new),
        (would("Updated", "Would be updated"), &report.updated),
        (would("Not yanked any more", "Would not be yanked any more"), &report.unyanked),
        (would("Removed", "Would be removed"), &report.removed),
    ];
    for (title, files) in lists {
        list(title, files.iter().map(|(_, filename)| printable::line(filename)), terminal);
    }
    let yanked = report.yanked.iter().map(|(_, filename, reason)| match reason.as_str() {
        "" => printable::line(filename),
        reason => format!("{}: {}", printable::line(filename), printable::line(reason)),
    });
    list(would("Yanked, as upstream", "Would be yanked, as upstream"), yanked, terminal);
    let held_back = report.held_back.iter().map(|(project, version)| format!("{project} {version}"));
    list("Held back, because too young", held_back, terminal);
    for (_, filename) in &report.vanished {
        terminal.warning(&format!("{} is not upstream any more; it stays here", printable::line(filename)));
    }
    for (_, filename) in &report.different {
        let filename = printable::line(filename);
        terminal.warning(&format!("{filename} is another file upstream than here; it stays as it is"));
    }
    for (_, filename) in &report.yanked_only_here {
        terminal.note(&format!(
            "{} is yanked here and not upstream; `tufpip repo unyank` takes it back",
            printable::line(filename)
        ));
    }
    let (projects, files) = (count_noun(report.projects, "project"), count_noun(report.files, "file"));
    let from = match report.sources.as_slice() {
        [] => String::new(),
        sources => format!(" from {}", printable::line(&sources.join(", "))),
    };
    terminal.line(&format!("Compared {projects} with {files}{from}."));
    if report.has_unsigned {
        terminal
            .line("Not all of it is signed there: such files are what the index says today, and no more than that.");
    }
    if report.is_change() && !dry_run {
        terminal.line("Staged; `tufpip repo publish` signs and publishes it.");
    } else if !report.is_change() {
        terminal.line("Nothing has changed.");
    }
}

/// A title with lines below it; of a long list the first ones.
fn list(title: &str, lines: impl ExactSizeIterator<Item = String>, terminal: &Terminal) {
    let all = lines.len();
    if all == 0 {
        return;
    }
    terminal.line(&format!("{title}:"));
    for line in lines.take(SHOWN) {
        terminal.line(&format!("  {line}"));
    }
    if all > SHOWN {
        terminal.line(&format!("  and {} more (--json lists all)", all - SHOWN));
    }
}
