//! `repo add-metadata-to`: signatures for an index that cannot be changed, published elsewhere.
//!
//! The pages are signed with absolute links, so that files stay where they are. Clients fetch pages and metadata from
//! here (the layout's `base` is relative to the metadata) and files from there.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, ValueHint};
use futures_util::{StreamExt as _, stream};
use packaging::PackageName;
use repository::Change;
use url::Url;

use super::{OperatorDirectoryArgs, path, quiet_with_json};
use crate::arguments::values::{index_url, project_name};
use crate::terminal::Terminal;
use installer::context::Context;
use installer::error::{Code, Failure};
use installer::event::Progress;
use installer::event::Reporter;
use installer::index::{IndexFile, PageFetcher, download_request};
use installer::install::resolution;
use installer::options::CommonOptions;
use installer::requirements::RequiredHashes;
use installer::text::count_noun;
use installer::trust::IndexIdentity;
use operator::config::{CONFIG_FILE, Config};
use operator::mirror::ImportMode;
use operator::mirror::{
    CurrentIndex, Importer, MirrorReport, MirrorRules, UpstreamFile, UpstreamProject, follow, project_list, stage,
};
use operator::operator_directory::OperatorDirectory;

/// Sign an index that cannot be changed; the signatures live elsewhere
///
/// Pages and metadata are published here, files stay where they are. Run it again, from cron, when the index has changed. Users run
/// tufpip trust add URL --root FILE --metadata-url BASE/tuf/, with the base of this repository.
#[derive(Clone, Debug, Args)]
pub struct AddMetadataToArgs {
    /// Base URL of the index
    #[arg(value_name = "index_url", required = true, value_hint = ValueHint::DirPath, value_parser = index_url)]
    pub index: Url,
    /// Only this project; may be given several times, or names with commas. Otherwise the index's list of projects is read
    #[arg(long = "project", value_name = "name", value_delimiter = ',', value_parser = project_name)]
    pub projects: Vec<PackageName>,
    /// Only the projects named in this file, one a line
    #[arg(long, value_name = "file", value_parser = path)]
    pub projects_from: Vec<PathBuf>,
    /// Only say what would be done
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub operator_directory: OperatorDirectoryArgs,
}

/// Projects that are compared at a time.
const PROJECTS: usize = 8;

/// Stages the pages of another index.
///
/// # Errors
/// When it cannot be read, belongs to another repository, or has replaced a file that is signed already.
pub async fn add_metadata_to(
    common: &CommonOptions,
    add: &AddMetadataToArgs,
    terminal: &Arc<Terminal>,
) -> Result<(), Failure> {
    let repo = &add.operator_directory;
    let mut operator_directory = OperatorDirectory::open(&repo.directory)?;
    let current_index = CurrentIndex::read(&operator_directory).await?;
    let here = current_index.projects();
    let is_first = bind_to_index(&mut operator_directory, &add.index, &here)?;
    let quiet = quiet_with_json(repo, terminal)?;
    let context = Context::open(common, Arc::clone(&quiet) as Arc<dyn Reporter>)?;
    context.client.add_credentials_of(std::slice::from_ref(&add.index));
    let index = without_credentials(&add.index);
    if !context.client.is_secure_origin(&index) {
        let message = format!(
            "{} is asked over plain http: anybody on the way could have it signed",
            printable::redacted_url(&index)
        );
        return Err(Failure::new(Code::RepoInsecureIndex, message)
            .hint("use https, or say that it does not matter with --trusted-host"));
    }
    let (projects, is_whole) = projects(add, &index, &context, &quiet).await?;

    let importer =
        Importer { context: &context, operator_directory: &operator_directory, import_mode: ImportMode::Link };
    let pages = resolution::page_fetcher(&context);
    let (total, mut done) = (projects.len(), 0);
    let compared = stream::iter(&projects).map(|project| {
        let (importer, pages, current_index, index) = (&importer, &pages, &current_index, &index);
        async move {
            let upstream = followed(project, pages, index, &*importer.context.reporter).await?;
            let here = current_index.page(project).await?;
            follow(upstream, &here, importer, add.dry_run).await
        }
    });
    let mut compared = compared.buffered(PROJECTS);
    let (mut changes, mut report): (Vec<Change>, MirrorReport) = Default::default();
    while let Some(outcome) = compared.next().await {
        let (of_project, told) = outcome?;
        changes.extend(of_project);
        report.add(told);
        done += 1;
        quiet.progress(Progress::Counted { what: "Reading pages", done, total });
    }
    drop(compared);
    if is_whole {
        let listed: BTreeSet<&PackageName> = projects.iter().collect();
        for project in here.iter().filter(|project| !listed.contains(project)) {
            let page = current_index.page(project).await?;
            report.removed.extend(page.files().map(|file| (project.clone(), file.filename.clone())));
            changes.push(Change::Replace { project: project.clone(), files: Vec::new() });
        }
    }
    report.refuse_replaced()?;
    if !add.dry_run {
        if is_first {
            write_index_url(&operator_directory, &index)?;
        }
        stage(&operator_directory, changes)?;
    }
    if repo.json {
        terminal.json(&report.to_json(add.dry_run).to_string());
    } else {
        super::mirror::report_outcome(&report, add.dry_run, terminal);
    }
    Ok(())
}

/// Everything that the index lists of a project.
async fn followed(
    project: &PackageName,
    pages: &PageFetcher,
    index: &Url,
    reporter: &dyn Reporter,
) -> Result<UpstreamProject, Failure> {
    let page = pages.project(index, project).await?.unwrap_or_default();
    for skipped in &page.skipped {
        reporter.detail(1, || format!("{} is left out: {}", printable::line(&skipped.filename), skipped.reason));
    }
    let files: Vec<Arc<IndexFile>> = page.files.into_iter().map(|file| Arc::new(IndexFile::unsigned(file))).collect();
    let wanted = files.iter().filter_map(|file| {
        let request = download_request(project, file, &file.url().ok()?, RequiredHashes::default(), None);
        Some((file.filename().to_owned(), request))
    });
    Ok(UpstreamProject {
        project: project.clone(),
        wanted: wanted.collect(),
        there: files.iter().map(UpstreamFile::of_page).collect(),
        rules: MirrorRules { exactly: true, is_requested: true, prune: false },
    })
}

/// The projects to be signed, and whether these are all projects of the index.
async fn projects(
    add: &AddMetadataToArgs,
    index: &Url,
    context: &Context,
    terminal: &Terminal,
) -> Result<(Vec<PackageName>, bool), Failure> {
    if add.projects.is_empty() && add.projects_from.is_empty() {
        let mut projects = project_list(&context.client, index).await?;
        projects.sort();
        if projects.is_empty() {
            let message = format!("{} lists no projects", printable::redacted_url(index));
            return Err(Failure::new(Code::IndexPage, message)
                .hint("check that the index URL ends in the part that lists projects, often /simple")
                .hint("name the projects with --project or --projects-from if the index has no list of them"));
        }
        terminal
            .verbose(1, || format!("{} has {}", printable::redacted_url(index), count_noun(projects.len(), "project")));
        return Ok((projects, true));
    }
    let mut named: BTreeSet<PackageName> = add.projects.iter().cloned().collect();
    for path in &add.projects_from {
        named.extend(names_in(path)?);
    }
    Ok((named.into_iter().collect(), false))
}

/// The names in a file, one a line; text after `#` is a comment.
fn names_in(path: &PathBuf) -> Result<Vec<PackageName>, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        Failure::new(Code::FileUnreadable, format!("Could not read {}: {error}", path.display())).caused_by(error)
    })?;
    let lines = text.lines().enumerate();
    let names = lines.map(|(number, line)| (number + 1, line.split('#').next().unwrap_or_default().trim()));
    let parsed = names.filter(|(_, name)| !name.is_empty()).map(|(number, name)| {
        name.parse().map_err(|_| {
            let message = format!("{}:{number}: expected the name of a project, found '{name}'", path.display());
            Failure::new(Code::Usage, printable::line(&message))
        })
    });
    parsed.collect()
}

/// Makes sure that this repository signs that index; `true` if this call bound it.
fn bind_to_index(
    operator_directory: &mut OperatorDirectory,
    index: &Url,
    here: &BTreeSet<PackageName>,
) -> Result<bool, Failure> {
    if !matches!(index.scheme(), "http" | "https") {
        let message = format!(
            "{} is not on a web server; its files can be added with `tufpip repo add`",
            printable::redacted_url(index)
        );
        return Err(Failure::new(Code::Usage, message));
    }
    let config = &mut operator_directory.config;
    match &config.index_url {
        Some(known) if IndexIdentity::of(known) == IndexIdentity::of(index) => Ok(false),
        Some(known) => {
            let message = format!(
                "This repository signs {}, not {}",
                printable::redacted_url(known),
                printable::redacted_url(index)
            );
            Err(Failure::new(Code::RepoOtherIndex, message)
                .hint("make another one with `tufpip repo init`, and name it with --repo"))
        }
        None if !here.is_empty() => {
            let message = format!(
                "This repository has packages of its own, and cannot sign {} besides",
                printable::redacted_url(index)
            );
            Err(Failure::new(Code::RepoOtherIndex, message)
                .hint("make another one with `tufpip repo init`, and name it with --repo"))
        }
        None => {
            config.index_url = Some(without_credentials(index));
            Ok(true)
        }
    }
}

fn without_credentials(index: &Url) -> Url {
    let mut url = printable::without_credentials(index);
    url.set_fragment(None);
    if url.query().is_none() && !url.path().ends_with('/') {
        url.set_path(&format!("{}/", index.path()));
    }
    url
}

/// Writes to repo.toml which index this repository signs; everything else in the file stays as it was written.
fn write_index_url(operator_directory: &OperatorDirectory, index: &Url) -> Result<(), Failure> {
    let text = operator_directory.read(CONFIG_FILE)?.unwrap_or_default();
    let text = Config::index_url_written_into(&String::from_utf8_lossy(&text), index)?;
    operator_directory.write(CONFIG_FILE, text.as_bytes())
}
