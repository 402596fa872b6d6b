//! `repo yank`, `repo unyank`, `repo remove`: what is said of releases that are there.

use std::collections::BTreeSet;
use std::sync::Arc;

use packaging::PackageName;
use serde_json::json;

use crate::commands::confirmation::confirmed;
use crate::settings::{ChangeReleases, RemoveReleases, RepoSettings, YankReleases};
use crate::terminal::Terminal;
use installer::error::{Failure, Kind};
use installer::text::counted;
use operator::content::{Content, Done};
use operator::releases::{Named, Which};
use operator::workplace::Workplace;

/// Somebody's wish about one file.
struct Wish {
    project: PackageName,
    filename: String,
}

/// Marks releases as not to be chosen any more.
///
/// # Errors
/// When there is no such release.
pub async fn yank(repo: &RepoSettings, yank: &YankReleases, terminal: &Arc<Terminal>) -> Result<(), Failure> {
    let (workplace, mut content, wishes) = open(repo, &releases(&yank.releases)?).await?;
    let reason = yank.reason.as_deref();
    let done = each(&wishes, |wish| content.yank(&wish.project, &wish.filename, reason));
    finish(repo, &workplace, &content, &done, "yank", terminal)
}

/// Takes that back.
///
/// # Errors
/// When there is no such release.
pub async fn unyank(repo: &RepoSettings, unyank: &ChangeReleases, terminal: &Arc<Terminal>) -> Result<(), Failure> {
    let (workplace, mut content, wishes) = open(repo, &releases(&unyank.releases)?).await?;
    let done = each(&wishes, |wish| content.set_yanked(&wish.project, &wish.filename, None));
    finish(repo, &workplace, &content, &done, "unyank", terminal)
}

/// Takes releases, files or whole projects out of the index.
///
/// # Errors
/// When there is no such release, or nobody agrees that a project goes.
pub async fn remove(repo: &RepoSettings, remove: &RemoveReleases, terminal: &Arc<Terminal>) -> Result<(), Failure> {
    let named: Vec<Named> = remove.releases.iter().map(|text| Named::parse(text)).collect::<Result<_, _>>()?;
    let (workplace, mut content, wishes) = open(repo, &named).await?;
    let whole: Vec<String> =
        named.iter().filter(|named| named.which == Which::All).map(|named| named.project.to_string()).collect();
    if !whole.is_empty() && !remove.yes && !repo.dry_run {
        let of_whole = wishes.iter().filter(|wish| whole.contains(&wish.project.to_string())).count();
        let question = format!("Remove all {} of {}", counted(of_whole, "file"), whole.join(", "));
        if !confirmed(&question, "repo.not-confirmed", repo.no_input)? {
            return Err(Failure::new(Kind::Error, "repo.not-confirmed", "Nothing was done"));
        }
    }
    let done = each(&wishes, |wish| content.remove(&wish.project, &wish.filename));
    finish(repo, &workplace, &content, &done, "remove", terminal)
}

/// Releases and files, but not whole projects.
fn releases(texts: &[String]) -> Result<Vec<Named>, Failure> {
    let release = |text: &String| {
        let named = Named::parse(text)?;
        if named.which == Which::All {
            let message = format!("{text} names a project, not one of its releases");
            return Err(Failure::usage(message).hint(format!("for example: {text}==1.0")));
        }
        Ok(named)
    };
    texts.iter().map(release).collect()
}

/// The files that are meant, each once.
async fn open(repo: &RepoSettings, named: &[Named]) -> Result<(Workplace, Content, Vec<Wish>), Failure> {
    let workplace = Workplace::open(&repo.directory)?;
    let mut content = Content::open(&workplace).await?;
    content.load(named.iter().map(|named| named.project.clone()).collect()).await?;
    let mut seen = BTreeSet::new();
    let mut wishes = Vec::new();
    for named in named {
        for filename in named.among(&content.files(&named.project))? {
            if seen.insert(filename.clone()) {
                wishes.push(Wish { project: named.project.clone(), filename });
            }
        }
    }
    Ok((workplace, content, wishes))
}

fn each(wishes: &[Wish], mut change: impl FnMut(&Wish) -> Done) -> Vec<(&Wish, Done)> {
    wishes.iter().map(|wish| (wish, change(wish))).collect()
}

fn finish(
    repo: &RepoSettings,
    workplace: &Workplace,
    content: &Content,
    done: &[(&Wish, Done)],
    action: &'static str,
    terminal: &Terminal,
) -> Result<(), Failure> {
    if !repo.dry_run {
        content.write(workplace)?;
    }
    let of = |wanted: Done| done.iter().filter(move |(_, done)| *done == wanted).map(|(wish, _)| &wish.filename);
    if repo.json {
        let file = |(wish, done): &(&Wish, Done)| {
            let result = match done {
                Done::Staged => "staged",
                Done::TakenBack => "taken-back",
                Done::Already => "already",
            };
            json!({"project": wish.project, "filename": wish.filename, "result": result})
        };
        let files: Vec<_> = done.iter().map(file).collect();
        terminal.data(&json!({"dry_run": repo.dry_run, "action": action, "files": files}).to_string());
        return Ok(());
    }
    let verb = if repo.dry_run { "Would stage" } else { "Staged" };
    for filename in of(Done::Staged) {
        terminal.line(&format!("{verb}: {action} {filename}"));
    }
    for filename in of(Done::TakenBack) {
        terminal.line(&format!("{filename}: what was staged is taken back, and nothing else is to be done."));
    }
    for filename in of(Done::Already) {
        terminal.line(&format!("{filename}: it is so already."));
    }
    if !repo.dry_run && of(Done::Staged).next().is_some() {
        terminal.line("`tufpip repo publish` publishes what is staged.");
    }
    Ok(())
}
