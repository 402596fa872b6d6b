//! `repo verify`: whether what is published is what a client that trusts the first root will accept, and for how long.

use std::sync::Arc;

use clap::{Args, ValueHint};
use repository::layout;
use serde_json::{Value, json};
use tuf::UnixTime;
use tuf::metadata::{RoleName, TopLevelRole};
use url::Url;

use super::OperatorDirectoryArgs;
use crate::arguments::values::{WholeMessage, index_url, with_slash};
use crate::commands::trust::key_text;
use crate::terminal::Terminal;
use installer::error::{Code, Exit, Failure};
use installer::event::Reporter;
use installer::options::CommonOptions;
use installer::text::count_noun;
use operator::anchor::NewestRoot;
use operator::config::Config;
use operator::operator_directory::{OperatorDirectory, SeenVersions};
use operator::verification::{self, Findings, IndexProblem, PublishedIndex};

/// Check what is published as a client would, from the first root on
#[derive(Clone, Debug, Args)]
pub struct VerifyArgs {
    /// Hash every file, instead of looking whether it is there and as long as signed
    #[arg(long)]
    pub files: bool,
    /// Look at the copy below this URL, instead of where the index is published from here
    #[arg(long, value_name = "url", value_hint = ValueHint::DirPath, value_parser = base_url)]
    pub url: Option<Url>,
    /// Fail when something that people sign expires in fewer days
    #[arg(long, value_name = "days", default_value_t = 14)]
    pub min_days: u32,
    #[command(flatten)]
    pub operator_directory: OperatorDirectoryArgs,
}

/// `--url`
fn base_url(text: &str) -> Result<Url, WholeMessage> {
    index_url(text).map(with_slash)
}

/// People need time to come together and sign.
const WARN_DAYS: i64 = 60;
const DAY: i64 = 24 * 60 * 60;

/// Verifies everything that is published, as a client.
///
/// # Errors
/// When something is not as it must be, has expired, or will soon.
pub async fn verify(common: &CommonOptions, verify: &VerifyArgs, terminal: &Arc<Terminal>) -> Result<(), Failure> {
    let repo = &verify.operator_directory;
    let operator_directory = OperatorDirectory::open_to_read(&repo.directory)?;
    let (config, seen) = (operator_directory.config.clone(), operator_directory.seen()?);
    let own_root = NewestRoot::read(&repo.directory)?;
    let base = verify.url.clone().unwrap_or_else(|| published_at(&config, &config.output(&repo.directory)));
    let reporter = Arc::clone(terminal) as Arc<dyn Reporter>;
    let published_index = PublishedIndex::open(&base, &config, common, &reporter).await?;
    let findings = verification::verify(&published_index, verify.files, terminal).await;
    let mut findings = findings.map_err(|failure| match failure.code {
        Code::TrustExpired => renewable(failure),
        _ => failure,
    })?;
    findings.problems.extend(other_root(&published_index, &own_root, &findings).await?);
    findings.problems.extend(older(&findings, seen));
    findings.problems.extend(soon_expired(&findings, verify.min_days));
    if repo.json {
        terminal.data(&to_json(&findings, &base).to_string());
    } else {
        report(&findings, &base, verify, terminal);
    }
    match failure(&findings, &base) {
        Some(failure) => Err(failure),
        None => Ok(()),
    }
}

/// The place to read from: the directory itself, or the public URL of a bucket.
fn published_at(config: &Config, output: &str) -> Url {
    match output.split_once("://") {
        None => Url::from_directory_path(output).unwrap_or_else(|()| config.base.clone()),
        Some(("file", _)) => {
            let directory = output.parse().ok().and_then(|url: Url| url.to_file_path().ok());
            directory.and_then(|path| Url::from_directory_path(path).ok()).unwrap_or_else(|| config.base.clone())
        }
        Some(_) => config.base.clone(),
    }
}

/// Whether the first root leads to the operator's own.
async fn other_root(
    published_index: &PublishedIndex,
    own: &NewestRoot,
    findings: &Findings,
) -> Result<Option<IndexProblem>, Failure> {
    let path = layout::metadata_path(&RoleName::from(TopLevelRole::Root), own.version);
    if findings.epoch_info.root >= own.version
        && published_index.read(&path).await?.is_some_and(|bytes| bytes == own.bytes)
    {
        return Ok(None);
    }
    let text = format!(
        "the operator's root {} (sha256 {}) is not among the roots that clients follow from the first one to root {}",
        own.version, own.sha256, findings.epoch_info.root
    );
    Ok(Some(IndexProblem::wrong(text)))
}

/// Whether an old state was put back: clients that have not seen the newer one would accept it.
fn older(findings: &Findings, seen: SeenVersions) -> Vec<IndexProblem> {
    let epoch_info = &findings.epoch_info;
    let roles = [("timestamp", epoch_info.timestamp, seen.timestamp), ("snapshot", epoch_info.snapshot, seen.snapshot)];
    let old = roles.into_iter().filter(|(_, found, seen)| found < seen);
    old.map(|(role, found, seen)| {
        IndexProblem::wrong(format!("{role} {found} is older than {role} {seen}, which this machine has seen"))
    })
    .collect()
}

/// Adds advice how to sign expired metadata again.
fn renewable(failure: Failure) -> Failure {
    failure
        .hint("`tufpip repo refresh` signs again what the online key signs")
        .hint("`tufpip repo root edit --renew all` begins to renew what people sign")
}

fn soon_expired(findings: &Findings, min_days: u32) -> Vec<IndexProblem> {
    let soon = findings.offline_metadata.iter().filter(|(_, expires)| left(findings, **expires) < i64::from(min_days));
    soon.map(|(role, expires)| IndexProblem {
        exit: if left(findings, *expires) < 0 { Exit::Expired } else { Exit::Error },
        text: printable::line(&format!(
            "{role} {}: people have to sign it again",
            key_text::expiry(*expires, findings.epoch_info.now)
        )),
        is_only_due: true,
        has_expired: left(findings, *expires) < 0,
    })
    .collect()
}

/// In days, the last one not counted.
fn left(findings: &Findings, expires: UnixTime) -> i64 {
    expires.0.saturating_sub(findings.epoch_info.now.0).div_euclid(DAY)
}

fn report(findings: &Findings, base: &Url, verify: &VerifyArgs, terminal: &Terminal) {
    let epoch_info = &findings.epoch_info;
    terminal.line(&format!(
        "Looked at {} as a client that trusts its first root: root {}, timestamp {}, snapshot {}, {}",
        printable::redacted_url(base),
        epoch_info.root,
        epoch_info.timestamp,
        epoch_info.snapshot,
        epoch_info.age()
    ));
    let how = if verify.files { "hashed" } else { "there, and as long as signed (--files hashes them)" };
    let (projects, files) = (count_noun(findings.projects, "project"), count_noun(findings.files, "file"));
    terminal.line(&format!("  {projects}, {files} with {} bytes {how}", findings.bytes));
    for (role, expires) in &findings.offline_metadata {
        terminal.line(&printable::line(&format!("  {role} {}", key_text::expiry(*expires, epoch_info.now))));
    }
    for (role, expires) in &findings.offline_metadata {
        let days = left(findings, *expires);
        if (i64::from(verify.min_days)..=WARN_DAYS).contains(&days) {
            let days = count_noun(usize::try_from(days).unwrap_or(0), "day");
            terminal.warning(&printable::line(&format!(
                "{role} expires in {days}; those who sign it have to come together"
            )));
        }
    }
    for problem in &findings.problems {
        terminal.error(&problem.text);
    }
    if findings.problems.is_empty() {
        terminal.line("Everything is as it was signed.");
    }
}

fn to_json(findings: &Findings, base: &Url) -> Value {
    let epoch_info = &findings.epoch_info;
    let people = findings.offline_metadata.iter().map(|(role, expires)| {
        (role.to_string(), json!({"expires": expires.to_string(), "days": left(findings, *expires)}))
    });
    json!({
        "base": printable::redacted_url(base),
        "versions": epoch_info.versions(),
        "expires": epoch_info.expires.to_string(),
        "signed_by_people": people.collect::<serde_json::Map<_, _>>(),
        "projects": findings.projects,
        "files": findings.files,
        "bytes": findings.bytes,
        "problems": findings.problems.iter().map(|problem| problem.text.as_str()).collect::<Vec<_>>(),
    })
}

/// The most severe problem decides the exit code.
fn failure(findings: &Findings, base: &Url) -> Option<Failure> {
    let gravity = |exit: Exit| match exit {
        Exit::Verification => 4,
        Exit::Expired => 3,
        Exit::Network => 1,
        _ => 2,
    };
    let gravest = findings.problems.iter().max_by_key(|problem| gravity(problem.exit))?;
    let count = count_noun(findings.problems.len(), "problem");
    let code = match gravest.exit {
        Exit::Error if gravest.is_only_due => Code::RepoExpiresSoon,
        Exit::Network => Code::RepoUnreachable,
        Exit::Expired => Code::RepoExpired,
        Exit::Verification => Code::RepoNotAsSigned,
        _ => Code::RepoUnreadable,
    };
    let failure = Failure::new(code, format!("{count} with what is published below {}", printable::redacted_url(base)));
    Some(match gravest.exit {
        Exit::Error if gravest.is_only_due => {
            failure.hint("`tufpip repo root edit --renew all` writes what they have to sign; then `tufpip repo root sign`, and `finalize`")
        }
        _ if gravest.has_expired => renewable(failure.detail("gravest", &gravest.text)),
        _ => failure.detail("gravest", &gravest.text),
    })
}
