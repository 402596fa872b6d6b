//! `repo yank`, `repo unyank`, `repo remove`: changes to published or staged releases.

use std::collections::BTreeSet;
use std::sync::Arc;

use clap::Args;
use packaging::PackageName;
use serde_json::json;

use super::OperatorDirectoryArgs;
use crate::commands::confirmation::confirm;
use crate::terminal::Terminal;
use installer::error::{Code, Failure};
use installer::text::count_noun;
use operator::index_contents::{IndexContents, StageOutcome};
use operator::operator_directory::OperatorDirectory;
use operator::releases::{FileSelector, NamedFiles};

/// Mark a release as yanked: only who asks for this version gets it
#[derive(Clone, Debug, Args)]
pub struct YankArgs {
    /// Releases (name==version) or file names
    #[arg(value_name = "release", required = true)]
    pub releases: Vec<String>,
    /// Why, for whoever installs it
    #[arg(long, value_name = "text")]
    pub reason: Option<String>,
    /// Only say what would be done
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub operator_directory: OperatorDirectoryArgs,
}

/// Take back that a release is yanked
#[derive(Clone, Debug, Args)]
pub struct UnyankArgs {
    /// Releases (name==version) or file names
    #[arg(value_name = "release", required = true)]
    pub releases: Vec<String>,
    /// Only say what would be done
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub operator_directory: OperatorDirectoryArgs,
}

/// Remove a release or a file from the index
#[derive(Clone, Debug, Args)]
pub struct RemoveArgs {
    /// Projects, releases (name==version) or file names
    #[arg(value_name = "release", required = true)]
    pub releases: Vec<String>,
    /// Do not ask before all files of a project go
    #[arg(short, long)]
    pub yes: bool,
    /// Only say what would be done
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub operator_directory: OperatorDirectoryArgs,
}

/// What is asked about one file.
struct FileSelection {
    project: PackageName,
    filename: String,
}

/// Marks releases as yanked (PEP 592).
///
/// # Errors
/// When there is no such release.
pub async fn yank(yank: &YankArgs, terminal: &Arc<Terminal>) -> Result<(), Failure> {
    let (operator_directory, mut content, selections) =
        open(&yank.operator_directory, &releases(&yank.releases)?).await?;
    let reason = yank.reason.as_deref();
    let done = each(&selections, |selection| content.yank(&selection.project, &selection.filename, reason));
    finish(&yank.operator_directory, yank.dry_run, &operator_directory, &content, &done, "yank", terminal)
}

/// Reverts that.
///
/// # Errors
/// When there is no such release.
pub async fn unyank(unyank: &UnyankArgs, terminal: &Arc<Terminal>) -> Result<(), Failure> {
    let (operator_directory, mut content, selections) =
        open(&unyank.operator_directory, &releases(&unyank.releases)?).await?;
    let done = each(&selections, |selection| content.set_yanked(&selection.project, &selection.filename, None));
    finish(&unyank.operator_directory, unyank.dry_run, &operator_directory, &content, &done, "unyank", terminal)
}

/// Takes releases, files or whole projects out of the index.
///
/// # Errors
/// When there is no such release, or nobody agrees that a project goes.
pub async fn remove(remove: &RemoveArgs, terminal: &Arc<Terminal>) -> Result<(), Failure> {
    let named: Vec<NamedFiles> =
        remove.releases.iter().map(|text| NamedFiles::parse(text)).collect::<Result<_, _>>()?;
    let (operator_directory, mut content, selections) = open(&remove.operator_directory, &named).await?;
    let whole: Vec<String> =
        named.iter().filter(|named| named.which == FileSelector::All).map(|named| named.project.to_string()).collect();
    if !whole.is_empty() && !remove.yes && !remove.dry_run {
        let of_whole = selections.iter().filter(|selection| whole.contains(&selection.project.to_string())).count();
        let question = format!("Remove all {} of {}", count_noun(of_whole, "file"), whole.join(", "));
        if !confirm(&question, terminal.settings().no_input)? {
            return Err(Failure::new(Code::RepoNotConfirmed, "Nothing was done"));
        }
    }
    let done = each(&selections, |selection| content.remove(&selection.project, &selection.filename));
    finish(&remove.operator_directory, remove.dry_run, &operator_directory, &content, &done, "remove", terminal)
}

/// Releases and files, but not whole projects.
fn releases(texts: &[String]) -> Result<Vec<NamedFiles>, Failure> {
    let release = |text: &String| {
        let named = NamedFiles::parse(text)?;
        if named.which == FileSelector::All {
            let message = format!("{text} names a project, not one of its releases");
            return Err(Failure::usage(message).hint(format!("for example: {text}==1.0")));
        }
        Ok(named)
    };
    texts.iter().map(release).collect()
}

/// The selected files, each once.
async fn open(
    repo: &OperatorDirectoryArgs,
    named: &[NamedFiles],
) -> Result<(OperatorDirectory, IndexContents, Vec<FileSelection>), Failure> {
    let operator_directory = OperatorDirectory::open(&repo.directory)?;
    let mut content = IndexContents::open(&operator_directory).await?;
    content.load(named.iter().map(|named| named.project.clone()).collect()).await?;
    let mut seen = BTreeSet::new();
    let mut selections = Vec::new();
    for named in named {
        for filename in named.among(&content.files(&named.project))? {
            if seen.insert(filename.clone()) {
                selections.push(FileSelection { project: named.project.clone(), filename });
            }
        }
    }
    Ok((operator_directory, content, selections))
}

fn each(
    selections: &[FileSelection],
    mut change: impl FnMut(&FileSelection) -> StageOutcome,
) -> Vec<(&FileSelection, StageOutcome)> {
    selections.iter().map(|selection| (selection, change(selection))).collect()
}

fn finish(
    repo: &OperatorDirectoryArgs,
    dry_run: bool,
    operator_directory: &OperatorDirectory,
    content: &IndexContents,
    done: &[(&FileSelection, StageOutcome)],
    action: &'static str,
    terminal: &Terminal,
) -> Result<(), Failure> {
    if !dry_run {
        content.write(operator_directory)?;
    }
    let of = |wanted: StageOutcome| {
        done.iter().filter(move |(_, done)| *done == wanted).map(|(selection, _)| &selection.filename)
    };
    if repo.json {
        let file = |(selection, done): &(&FileSelection, StageOutcome)| {
            let result = match done {
                StageOutcome::Staged => "staged",
                StageOutcome::TakenBack => "taken-back",
                StageOutcome::Already => "already",
            };
            json!({"project": selection.project, "filename": selection.filename, "result": result})
        };
        let files: Vec<_> = done.iter().map(file).collect();
        terminal.json(&json!({"dry_run": dry_run, "action": action, "files": files}).to_string());
        return Ok(());
    }
    let verb = if dry_run { "Would stage" } else { "Staged" };
    for filename in of(StageOutcome::Staged) {
        terminal.line(&format!("{verb}: {action} {filename}"));
    }
    for filename in of(StageOutcome::TakenBack) {
        terminal.line(&format!("{filename}: what was staged is taken back, and nothing else is to be done."));
    }
    for filename in of(StageOutcome::Already) {
        terminal.line(&format!("{filename}: it is so already."));
    }
    if !dry_run && of(StageOutcome::Staged).next().is_some() {
        terminal.line("`tufpip repo publish` publishes what is staged.");
    }
    Ok(())
}
