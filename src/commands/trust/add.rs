//! `trust add`: pins the root of an index, and shows at once whether the index verifies with it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, ValueHint};
use serde_json::Value;
use url::Url;

use super::list;
use super::new_root::NewRoot;
use crate::arguments::values::{directory_url, index_url, no_url};
use crate::commands::confirmation::confirm;
use crate::terminal::Terminal;
use installer::context::Context;
use installer::error::{Code, Exit, Failure, Source};
use installer::event::Reporter;
use installer::options::{CommonOptions, TrustOptions};
use installer::trust::{
    AnchorKind, AnchorRecord, IndexIdentity, Layout, NOTHING_USED, Rewrite, TrustAnchor, TrustFile,
    default_metadata_url, make_private_directory, unix_now, write_state,
};

/// The most bytes of a layout.
const LAYOUT_SIZE: u64 = 1 << 20;

/// Trust an index from now on
#[derive(Clone, Debug, Args)]
pub struct AddArgs {
    /// Base URL of the package index, or a local directory laid out like one
    #[arg(value_name = "index_url", required = true, value_hint = ValueHint::DirPath, value_parser = index_url)]
    pub index: Url,
    /// The root metadata: a file, or a URL together with --root-sha256
    #[arg(long, value_name = "file_or_url", value_hint = ValueHint::FilePath, value_parser = root_location)]
    pub root: Option<RootLocation>,
    /// SHA-256 of the root metadata, in hexadecimal digits
    #[arg(long, value_name = "hex", value_parser = sha256)]
    pub root_sha256: Option<String>,
    /// Where the index keeps its signed metadata, if not in tuf/ beside its pages
    #[arg(long, value_name = "URL", value_hint = ValueHint::DirPath, value_parser = directory_url)]
    pub metadata_url: Option<Url>,
    /// How the index names what it signs: the name of a known layout, or a JSON file
    #[arg(long, value_name = "layout")]
    pub layout: Option<String>,
    /// A further place with the same metadata and pages; may be given several times
    #[arg(long = "mirror", value_name = "URL", value_hint = ValueHint::DirPath, value_parser = directory_url)]
    pub mirrors: Vec<Url>,
    /// Fetch files whose address begins with FROM from TO instead; may be given several times
    #[arg(long = "rewrite", value_name = "from=to", value_parser = rewrite)]
    pub rewrites: Vec<(String, String)>,
    /// Trust the root that the index shows today, after asking
    #[arg(long)]
    pub tofu: bool,
    /// Do not ask
    #[arg(short, long)]
    pub yes: bool,
}

/// What `--root` names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RootLocation {
    /// A local file; nothing when it is empty.
    File(PathBuf),
    /// `http` or `https`.
    Url(Url),
}

/// Where a root comes from, and so what it proves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RootSource {
    /// A local file, which the user trusts.
    File {
        /// The file.
        path: PathBuf,
        /// The hash it must have, as 64 lower-case digits.
        sha256: Option<String>,
    },
    /// Any server; the hash, which the user trusts, makes up for that.
    Url {
        /// The address.
        url: Url,
        /// The hash it must have, as 64 lower-case digits.
        sha256: String,
    },
    /// Whatever the index shows today.
    FirstUse,
}

impl AddArgs {
    /// Where the root comes from.
    ///
    /// # Errors
    /// When nothing is named, or too much.
    pub fn root_source(&self) -> Result<RootSource, Failure> {
        let sha256 = self.root_sha256.clone();
        let root = self.root.as_ref().filter(|root| **root != RootLocation::File(PathBuf::new()));
        let Some(root) = root else {
            return match (self.tofu, sha256) {
                (true, None) => Ok(RootSource::FirstUse),
                (true, Some(_)) => Err(Failure::usage("--tofu and --root-sha256 cannot be combined").hint(
                    "with a hash there is no need to trust what the index shows: use --root URL --root-sha256 HEX",
                )),
                (false, _) => {
                    Err(Failure::usage("`trust add` needs a root: --root FILE, or --root URL --root-sha256 HEX")
                        .hint("the operator of the index publishes it; --tofu trusts whatever the index shows today"))
                }
            };
        };
        if self.tofu {
            return Err(Failure::usage("--tofu and --root cannot be combined")
                .hint("--tofu trusts whatever the index shows today; with --root there is no need to"));
        }
        match root {
            RootLocation::File(path) => Ok(RootSource::File { path: path.clone(), sha256 }),
            RootLocation::Url(url) => {
                let sha256 = sha256.ok_or_else(|| {
                    Failure::usage("--root with a URL needs --root-sha256")
                        .detail("because", "a root that comes over the network proves nothing by itself")
                        .hint("get the hash from the operator of the index by another way than this URL")
                })?;
                Ok(RootSource::Url { url: url.clone(), sha256 })
            }
        }
    }
}

/// `--root`
fn root_location(text: &str) -> Result<RootLocation, String> {
    match Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https" | "file")) {
        Some(url) if url.scheme() == "file" => url.to_file_path().map(RootLocation::File).map_err(|()| no_url(text)),
        Some(url) => Ok(RootLocation::Url(url)),
        None => Ok(RootLocation::File(PathBuf::from(text))),
    }
}

/// `--root-sha256`
fn sha256(text: &str) -> Result<String, String> {
    let digits = text.trim().to_ascii_lowercase();
    if digits.len() == 64 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(digits);
    }
    Err(format!("expected 64 hexadecimal digits, found '{text}'"))
}

/// `--rewrite`
fn rewrite(rule: &str) -> Result<(String, String), String> {
    let is_url = |text: &str| Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https" | "file"));
    match rule.split_once('=') {
        Some((from, to)) if is_url(from) && is_url(to) => Ok((from.to_owned(), to.to_owned())),
        _ => Err(format!("expected URL=URL, found '{}'", printable::redacted(rule))),
    }
}

/// Trusts an index. One that is trusted already gets the options that are given, if the root is the same; the others stay.
///
/// # Errors
/// When the root cannot be had or is refused, another one is trusted already, nobody confirms it, the disk refuses; and when
/// the index itself is refused, which is trusted all the same then: without its metadata it must not be used.
pub async fn add(common: &CommonOptions, add: &AddArgs, terminal: &Arc<Terminal>) -> Result<(), Failure> {
    let source = add.root_source()?;
    let context = &Context::open(common, Arc::clone(terminal) as Arc<dyn Reporter>)?;
    let identity = IndexIdentity::of(&add.index);
    let layout = add.layout.as_deref().filter(|layout| !layout.is_empty()).map(layout).transpose()?;
    let known = existing_anchor(&common.trust, &identity)?;
    let metadata_url = add.metadata_url.clone().or_else(|| known.as_ref().map(|known| known.metadata_url.clone()));
    let metadata_url = metadata_url.unwrap_or_else(|| default_metadata_url(identity.url()));
    context.client.add_credentials_of(&with_credentials(add));

    let new = NewRoot::obtain(&source, &metadata_url, context, terminal).await?;
    if let Some(known) = &known
        && known.root != new.bytes
    {
        return Err(other_root(known, &new));
    }
    if known.is_none() && source == RootSource::FirstUse {
        terminal.line(&format!("{} shows this root today:", printable::redacted_url(identity.url())));
        new.print(unix_now(), terminal);
        terminal
            .line("Nothing proves that it is the right one. Compare it with what the operator of the index publishes.");
        if !add.yes && !confirm("Trust it from now on", terminal.settings().no_input)? {
            return Err(Failure::new(Code::TrustNotConfirmed, "Nothing was trusted"));
        }
    }
    let stored = known.as_ref().and_then(|known| known.directory.as_deref()).map(TrustFile::read).transpose()?;
    let stored = stored.unwrap_or_default();
    let rewrites = add.rewrites.iter().map(|(from, to)| Rewrite { from: from.clone(), to: to.clone() });
    let trust = TrustFile {
        index_url: Some(identity.url().clone()),
        metadata_url: Some(without_secrets(&metadata_url)),
        layout: layout.or(stored.layout),
        anchor: Some(record(known.as_ref(), &new)),
        mirrors: given_or(add.mirrors.iter().map(without_secrets).collect(), stored.mirrors),
        rewrite: given_or(rewrites.collect(), stored.rewrite),
    };
    let store = common.trust.store.as_deref().ok_or_else(no_home)?;
    let directory = store.join(identity.directory_name());
    let written = match &known {
        Some(_) => write(&directory, &trust),
        None => create(store, &directory, &new, &trust),
    };
    let written = written.and_then(|()| TrustAnchor::remember(&common.trust, &identity));
    written.map_err(|error| unwritable(&directory, error))?;
    print(known.as_ref(), &identity, &trust, &new, terminal);
    verify(&common.trust, &identity, context, terminal).await
}

/// The URLs with a user name. One without would claim its part of the host as a part that needs none.
fn with_credentials(add: &AddArgs) -> Vec<Url> {
    let given = std::iter::once(&add.index).chain(&add.metadata_url).chain(&add.mirrors);
    given.filter(|url| !url.username().is_empty() || url.password().is_some()).cloned().collect()
}

fn given_or<T>(given: Vec<T>, stored: Vec<T>) -> Vec<T> {
    if given.is_empty() { stored } else { given }
}

/// What is trusted about the index already, by the user's own word.
fn existing_anchor(settings: &TrustOptions, identity: &IndexIdentity) -> Result<Option<TrustAnchor>, Failure> {
    let found = match TrustAnchor::find(settings, identity) {
        // It is here to be mended.
        Err(failure) if failure.code == Code::TrustMissing => None,
        found => found?,
    };
    match found {
        Some(anchor) if !anchor.is_users(settings) => {
            let place = anchor.directory.map_or("the program".to_owned(), |directory| directory.display().to_string());
            let message =
                format!("{} is trusted already, by a place that comes first", printable::redacted_url(identity.url()));
            Err(Failure::new(Code::TrustReadOnly, message)
                .detail("place", place)
                .hint("nothing has to be added; whoever administers that place can change it"))
        }
        found => Ok(found),
    }
}

/// A stronger reason to trust a root replaces a weaker one, never the reverse.
fn record(known: Option<&TrustAnchor>, new: &NewRoot) -> AnchorRecord {
    match known.and_then(|known| known.record.clone()) {
        Some(record) if record.kind != AnchorKind::FirstUse || new.kind == AnchorKind::FirstUse => record,
        _ => AnchorRecord {
            kind: new.kind,
            source: new.source.clone(),
            sha256: new.sha256.clone(),
            version: new.root.version,
            added: unix_now().to_string(),
        },
    }
}

/// Creates the directory of an index in one step: with a part of it the index could not be used.
fn create(store: &Path, directory: &Path, new: &NewRoot, trust: &TrustFile) -> std::io::Result<()> {
    make_private_directory(store)?;
    let private = std::os::unix::fs::PermissionsExt::from_mode(0o700);
    let unfinished = tempfile::Builder::new().prefix(".adding-").permissions(private).tempdir_in(store)?;
    let history = unfinished.path().join("root_history");
    make_private_directory(&history)?;
    write_state(unfinished.path(), &history.join(format!("{}.root.json", new.root.version)), &new.bytes)?;
    write(unfinished.path(), trust)?;
    std::fs::rename(unfinished.path(), directory)?;
    // Nothing is left to clean up.
    let _ = unfinished.keep();
    Ok(())
}

fn write(directory: &Path, trust: &TrustFile) -> std::io::Result<()> {
    let bytes = serde_json::to_vec_pretty(trust).map_err(std::io::Error::other)?;
    write_state(directory, &directory.join(TrustFile::NAME), &bytes)
}

/// Prints the anchor as it is now.
fn print(known: Option<&TrustAnchor>, identity: &IndexIdentity, trust: &TrustFile, new: &NewRoot, terminal: &Terminal) {
    let since = if known.is_some() { "Trusted already" } else { "Trusted from now on" };
    terminal.line(&format!("{since}: {}", printable::redacted_url(identity.url())));
    if let Some(url) = &trust.metadata_url {
        terminal.line(&format!("  metadata  {}", printable::redacted_url(url)));
    }
    new.print(unix_now(), terminal);
    if let (Some(known), Some(record)) = (known, &trust.anchor) {
        let before = known.record.as_ref().filter(|before| before.kind != record.kind);
        let before = before.map_or(String::new(), |_| format!(" (until now: {})", list::kind(known)));
        let kind = list::name_of(record.kind);
        terminal.line(&printable::line(&format!("  anchor    {kind} {}, {}{before}", record.source, record.added)));
    }
    if let Some(layout) = &trust.layout {
        terminal.line(&format!("  layout    {}", layout.as_str().unwrap_or("as given")));
    }
    for mirror in &trust.mirrors {
        terminal.line(&format!("  mirror    {}", printable::redacted_url(mirror)));
    }
    for rule in &trust.rewrite {
        terminal.line(&printable::line(&printable::redacted(&format!("  rewrite   {} to {}", rule.from, rule.to))));
    }
}

/// Updates from the pinned root, so that a wrong one, a wrong URL or a missing layout is noticed now. A missing network
/// is no error.
async fn verify(
    settings: &TrustOptions,
    identity: &IndexIdentity,
    context: &Context,
    terminal: &Terminal,
) -> Result<(), Failure> {
    let Some(anchor) = TrustAnchor::find(settings, identity)? else { return Ok(()) };
    let has_layout = anchor.layout.is_some();
    let facts = match context.trust.open(anchor)?.epoch_info().await {
        Ok(facts) => facts,
        Err(failure) if failure.code.exit() == Exit::Network || failure.code == Code::TrustUnauthorized => {
            terminal.warning(&not_verified_yet(&failure));
            return Ok(());
        }
        Err(failure) => return Err(pinned_all_the_same(failure, identity)),
    };
    terminal.line(&format!(
        "Metadata verified: root {}, timestamp {}, snapshot {}, targets {}, {}",
        facts.root,
        facts.timestamp,
        facts.snapshot,
        facts.targets,
        facts.age()
    ));
    match &facts.in_band_layout {
        Ok(None) if !has_layout => terminal.warning(&format!(
            "Nothing says how the signed files of this index are named, so it cannot be used yet. Add it again with --layout \
             and one of {}, or a file.",
            Layout::presets().collect::<Vec<_>>().join(", ")
        )),
        Err(error) if !has_layout => {
            terminal.warning(&printable::line(&format!("The layout that the index signs cannot be used: {error}")));
        }
        _ => {}
    }
    Ok(())
}

/// The note when the index could not be verified yet, without evidence against the root.
fn not_verified_yet(failure: &Failure) -> String {
    let reason = failure.details.iter().find(|(label, _)| *label == "received").map(|(_, text)| text.as_str());
    let advice = if failure.code.exit() == Exit::Network {
        "It is verified when it is used."
    } else {
        "Put a user name and password into the URL, here and where the index is used, or into ~/.netrc."
    };
    let reason = reason.map_or(String::new(), |reason| format!(": {reason}"));
    printable::line(&format!("It was not verified yet. {}{reason}. {advice}", failure.message))
}

/// Keeps the pin: without it, an index that is refused now would be used unverified later.
fn pinned_all_the_same(mut failure: Failure, identity: &IndexIdentity) -> Failure {
    const PINNED: &str = "the root is pinned all the same, so that the index is not used unverified";
    failure.details.retain_mut(|(label, text)| {
        *text = text.replace(&format!("; {NOTHING_USED}"), "");
        *label != "meaning" || !text.is_empty()
    });
    match failure.details.iter_mut().find(|(label, _)| *label == "meaning") {
        Some((_, text)) => *text = format!("{text}; {PINNED}"),
        None => failure.details.push(("meaning", PINNED.to_owned())),
    }
    failure.hint(format!(
        "a root or a metadata URL of another index is a likely cause: give the right --metadata-url, or take the root back \
         with tufpip trust remove {}",
        printable::redacted_url(identity.url())
    ))
}

/// A layout by its name, or from a file.
fn layout(text: &str) -> Result<Value, Failure> {
    let unknown = match Layout::preset(text) {
        Ok(_) => return Ok(Value::from(text)),
        Err(error) => error,
    };
    let wrong =
        |cause: Source| Failure::usage(printable::line(&format!("option --layout: {text}: {cause}"))).caused_by(cause);
    let path = PathBuf::from(text);
    let size = match std::fs::metadata(&path) {
        Ok(metadata) => metadata.len(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(Failure::usage(printable::line(&format!("option --layout: {unknown}"))));
        }
        Err(error) => return Err(wrong(error.into())),
    };
    if size > LAYOUT_SIZE {
        return Err(wrong(format!("expected at most {LAYOUT_SIZE} bytes, found {size}").into()));
    }
    let bytes = std::fs::read(&path).map_err(|error| wrong(error.into()))?;
    let value: Value = serde_json::from_slice(&bytes).map_err(|error| wrong(error.into()))?;
    Layout::from_json(&value).map_err(|error| wrong(error.into()))?;
    Ok(value)
}

/// User name and password belong to the index URL of a command, or into netrc.
fn without_secrets(url: &Url) -> Url {
    let mut url = url.clone();
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url
}

fn other_root(known: &TrustAnchor, new: &NewRoot) -> Failure {
    let message = format!("{} is trusted already, by another root", printable::redacted_url(known.identity.url()));
    let mut failure = Failure::new(Code::TrustOtherRoot, message);
    if let Some(record) = &known.record {
        failure =
            failure.detail("trusted", format!("root {}, sha256 {}", record.version, printable::line(&record.sha256)));
    }
    failure
        .detail("given", format!("root {}, sha256 {}", new.root.version, new.sha256))
        .detail("meaning", "a newer root of the same index is found by itself; nothing was changed")
        .hint(format!(
            "if the root that is trusted was added by mistake, or the operator of the index says that it starts from the beginning, run \
             tufpip trust remove {} first",
            printable::redacted_url(known.identity.url())
        ))
}

fn no_home() -> Failure {
    Failure::new(Code::TrustUnwritable, "There is no directory for user data").hint("set HOME or XDG_DATA_HOME")
}

fn unwritable(directory: &Path, error: std::io::Error) -> Failure {
    Failure::new(Code::TrustUnwritable, format!("Could not write {}: {error}", directory.display()))
        .caused_by(error)
        .hint("make the directory yours, or set XDG_DATA_HOME to another one")
}
