//! `repo add`: checks wheels and source distributions and stages them.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use serde_json::json;

use super::{OperatorDirectoryArgs, path};
use crate::terminal::Terminal;
use installer::error::{Code, Exit, Failure};
use installer::text::count_noun;
use installer::trust::unix_now;
use operator::add::{CheckedFile, FileToAdd, NewFile, StagedCopies, candidates};
use operator::index_contents::{IndexContents, StageOutcome};
use operator::operator_directory::OperatorDirectory;

/// Add wheels and source distributions, to be published
#[derive(Clone, Debug, Args)]
pub struct AddArgs {
    /// Wheels (.whl), source distributions (.tar.gz), and directories with these in them
    #[arg(value_name = "file", required = true, value_parser = path)]
    pub files: Vec<PathBuf>,
    /// Only say what would be done
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub operator_directory: OperatorDirectoryArgs,
}

/// What was added, by file name.
#[derive(Default)]
struct Added<'a> {
    new: Vec<&'a NewFile>,
    staged: Vec<&'a str>,
    published: Vec<&'a str>,
    /// Published files whose staged removal was cancelled.
    taken_back: Vec<&'a str>,
    warnings: Vec<String>,
}

/// Adds all the named files, or none.
///
/// # Errors
/// When a file cannot be read, is refused, or has a name that stands for another content already. All such files are named.
pub async fn add(add: &AddArgs, terminal: &Arc<Terminal>) -> Result<(), Failure> {
    let repo = &add.operator_directory;
    let operator_directory = OperatorDirectory::open(&repo.directory)?;
    let (candidates, mut failures) = candidates(&add.files, terminal)?;
    let mut content = IndexContents::open(&operator_directory).await?;
    content.load(candidates.iter().map(|candidate| candidate.project.clone()).collect()).await?;
    let copies = StagedCopies::begin(&operator_directory, unix_now().to_string(), add.dry_run)?;
    let mut checked = Vec::new();
    for result in copies.check(&candidates, &content, &operator_directory, terminal) {
        match result {
            Ok(answer) => checked.push(answer),
            Err(failure) => failures.push(failure),
        }
    }
    failures.extend(two_contents(&checked));
    if !failures.is_empty() {
        return Err(nothing_added(failures, add, candidates.len()));
    }
    let added = stage(&candidates, &checked, &mut content, &copies, &operator_directory)?;
    if !add.dry_run {
        copies.flush(&operator_directory).await?;
        content.write(&operator_directory)?;
    }
    for warning in &added.warnings {
        terminal.warning(warning);
    }
    if repo.json {
        terminal.data(&to_json(&added, add.dry_run).to_string());
    } else {
        report(&added, add.dry_run, terminal);
    }
    Ok(())
}

fn stage<'a>(
    candidates: &'a [FileToAdd],
    checked: &'a [CheckedFile],
    content: &mut IndexContents,
    copies: &StagedCopies,
    operator_directory: &OperatorDirectory,
) -> Result<Added<'a>, Failure> {
    let mut added = Added::default();
    let mut seen = HashSet::new();
    let mut names = names_by_hash(content);
    for (place, (candidate, checked)) in candidates.iter().zip(checked).enumerate() {
        let filename = candidate.filename.as_str();
        match checked {
            CheckedFile::Staged => added.staged.push(filename),
            CheckedFile::Published => added.published.push(filename),
            CheckedFile::New(file) => {
                let sha256 = file.addition.file.hashes.sha256.as_str();
                if !seen.insert(filename) {
                    continue;
                }
                if content.add(&file.project, file.addition.clone()) != StageOutcome::Staged {
                    added.taken_back.push(filename);
                    continue;
                }
                if let Some(other) = names.insert(sha256.to_owned(), filename.to_owned())
                    && other != filename
                {
                    added.warnings.push(format!("{filename} has the same content as {other}"));
                }
                copies.take_over(place, file, operator_directory)?;
                added.new.push(file);
            }
        }
    }
    Ok(added)
}

/// The names of files that are published or staged, by SHA-256.
fn names_by_hash(content: &IndexContents) -> HashMap<String, String> {
    let staged = content.staged_files();
    let files = content.published_files().chain(staged.values().map(|addition| &addition.file));
    files.map(|file| (file.hashes.sha256.clone(), file.filename.clone())).collect()
}

/// Failures for given files that have the same name and differ.
fn two_contents(checked: &[CheckedFile]) -> Vec<Failure> {
    let mut known = HashMap::new();
    let mut failures = Vec::new();
    for checked in checked {
        let CheckedFile::New(file) = checked else { continue };
        let (filename, hashes) = (&file.addition.file.filename, &file.addition.file.hashes);
        if known.insert(filename, hashes).is_some_and(|other| other != hashes) {
            let message = format!("{filename} was given twice, with two contents: name only one of them");
            failures.push(Failure::new(Code::RepoOtherContent, message));
        }
    }
    failures
}

/// One failure that names all.
fn nothing_added(mut failures: Vec<Failure>, add: &AddArgs, good: usize) -> Failure {
    if let ([_], [_]) = (failures.as_slice(), add.files.as_slice())
        && good <= 1
        && let Some(failure) = failures.pop()
    {
        return failure;
    }
    let is_refused = failures.iter().any(|failure| failure.code.exit() == Exit::Verification);
    let code = if is_refused { Code::RepoDistribution } else { Code::RepoNothingAdded };
    let message = format!("{} cannot be added, and nothing was", count_noun(failures.len(), "file"));
    let described = |failure: Failure| format!("{} ({})", failure.message, failure.code);
    let failure = Failure::new(code, message);
    failures.into_iter().map(described).fold(failure, |failure, text| failure.detail("file", text))
}

fn to_json(added: &Added<'_>, dry_run: bool) -> serde_json::Value {
    let described = |new: &&NewFile| {
        let file = &new.addition.file;
        json!({
            "project": new.project,
            "version": new.version.to_string(),
            "filename": file.filename,
            "sha256": file.hashes.sha256,
            "size": file.size,
            "path": new.path,
        })
    };
    json!({
        "dry_run": dry_run,
        "added": added.new.iter().map(described).collect::<Vec<_>>(),
        "already_staged": added.staged,
        "already_published": added.published,
        "removal_taken_back": added.taken_back,
        "warnings": added.warnings,
    })
}

fn report(added: &Added<'_>, dry_run: bool, terminal: &Terminal) {
    let projects: BTreeSet<_> = added.new.iter().map(|new| &new.project).collect();
    for file in added.new.iter().map(|new| &new.addition.file) {
        terminal.verbose(1, || format!("{}  sha256 {}", file.filename, file.hashes.sha256));
    }
    for (files, how) in [(&added.published, "published"), (&added.staged, "staged")] {
        match files.as_slice() {
            [] => {}
            [file] => terminal.line(&format!("{file} is {how} already.")),
            files => terminal.line(&format!("{} are {how} already.", count_noun(files.len(), "file"))),
        }
    }
    for file in &added.taken_back {
        let verb = if dry_run { "would be" } else { "is" };
        terminal.line(&format!("{file} is published; its removal, which was staged, {verb} taken back."));
    }
    if added.new.is_empty() {
        return;
    }
    let verb = if dry_run { "Would stage" } else { "Staged" };
    let (files, projects) = (count_noun(added.new.len(), "file"), count_noun(projects.len(), "project"));
    terminal.line(&format!("{verb} {files} of {projects}."));
    if !dry_run {
        terminal.line("`tufpip repo publish` publishes what is staged.");
    }
}
