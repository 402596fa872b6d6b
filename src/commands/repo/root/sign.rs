//! `repo root sign`, `repo sign`: adds a key holder's signature to offline metadata, after showing its content.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use clap::Args;
use repository::ceremony::{OfflineMetadata, OfflineMetadataFile, SignatureRequirement, requirements};
use serde_json::json;
use tuf::KeyId;
use tuf::metadata::{Metadata, Root, TopLevelRole};

use crate::commands::confirmation::confirm;
use crate::commands::repo::{OperatorDirectoryArgs, PassphraseArgs, path};
use crate::terminal::Terminal;
use installer::error::{Code, Exit, Failure};
use installer::trust::unix_now;
use operator::ceremony::{self, Ceremony};
use operator::config::CONFIG_FILE;
use operator::keys::{self, KeyFile, KeyRing, Passphrases};
use operator::operator_directory::{OperatorDirectory, disk_failure, write_whole};
use operator::storage::Storage;

/// A file, whose signatures it needs, and the keys here that will sign it.
struct ToSign {
    path: PathBuf,
    file: OfflineMetadataFile,
    requirements: Vec<SignatureRequirement>,
    signers: Vec<KeyId>,
    /// Whether signatures of a copy were added.
    has_more: bool,
}

/// What a file is compared with, and what determines whose signatures it needs.
struct SigningContext {
    ceremony: Option<Ceremony>,
    /// What `--previous` names.
    previous: Option<Root>,
}

impl SigningContext {
    /// The root before a new one.
    fn before(&self) -> Option<&Root> {
        self.previous.as_ref().or(self.ceremony.as_ref().and_then(|ceremony| ceremony.before.as_ref()))
    }

    /// The state that these files lead to.
    fn expected(&self, files: &[OfflineMetadataFile]) -> Option<OfflineMetadata> {
        let previous = || Some(OfflineMetadata { root: self.previous.clone()?, delegators: BTreeMap::new() });
        OfflineMetadata::expected(self.ceremony.as_ref().and_then(Ceremony::expected).or_else(previous), files)
    }

    /// Whether the keys of the previous root must sign a file too, and are not known.
    fn lacks_the_old_root(&self, file: &OfflineMetadataFile) -> bool {
        let is_before = |root: &Root| root.version.checked_add(1) == Some(file.version());
        matches!(file, OfflineMetadataFile::Root(_)) && file.version() > 1 && !self.before().is_some_and(is_before)
    }
}

/// Add signatures to what people sign
///
/// Works on the files alone, so that it can be done where the private keys are, without a repository.
#[derive(Clone, Debug, Args)]
pub struct SignArgs {
    /// The files; all that wait in staged/metadata when none is named. Of a file and copies of it, the first gets the
    /// signatures of all
    #[arg(value_name = "file", value_parser = path)]
    pub files: Vec<PathBuf>,
    /// A private key to sign with; may be given several times; otherwise all in the repository's keys
    #[arg(long = "key", value_name = "file", value_parser = path)]
    pub keys: Vec<PathBuf>,
    /// The root before the new one, whose keys must sign it too; otherwise root.json of the repository
    #[arg(long, value_name = "file", value_parser = path)]
    pub previous: Option<PathBuf>,
    /// Do not ask
    #[arg(short, long)]
    pub yes: bool,
    /// Only say what would be signed, and who has signed
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub operator_directory: OperatorDirectoryArgs,
    #[command(flatten)]
    pub unlock: PassphraseArgs,
}

/// Signs.
///
/// # Errors
/// When a file or key cannot be used, no key here may sign, or nobody agrees.
pub async fn sign(sign: &SignArgs, terminal: &Terminal) -> Result<(), Failure> {
    let repo = &sign.operator_directory;
    let operator_directory = match repo.directory.join(CONFIG_FILE).is_file() {
        true => Some(OperatorDirectory::open(&repo.directory)?),
        false => None,
    };
    let ceremony = match &operator_directory {
        Some(operator_directory) => Some(known(operator_directory, terminal).await?),
        None => None,
    };
    let known = SigningContext { ceremony, previous: sign.previous.as_deref().map(read_previous).transpose()? };
    let mut ring = ring(sign, operator_directory.as_ref(), terminal)?;
    let mut files = to_sign(sign, operator_directory.as_ref(), &known, &ring)?;
    if !repo.json {
        for one in &files {
            for line in ceremony::description(&one.file, &ring, unix_now()) {
                terminal.line(&line);
            }
        }
        say_what_changes(&files, &known, operator_directory.as_ref(), &ring, terminal).await?;
        for one in &files {
            for requirement in
                one.requirements.iter().filter(|requirement| one.file.invalid_signatures(requirement) > 0)
            {
                terminal.warning(&ceremony::progress(&one.file, requirement, &ring));
            }
        }
    }
    let signers = signers(&files);
    let has_more = files.iter().any(|one| one.has_more);
    if signers.is_empty() && !sign.dry_run && !has_more {
        return Err(nobody(&files, &known, sign, &ring));
    }
    if signers.is_empty() && !sign.dry_run {
        for one in files.iter().filter(|one| one.has_more) {
            write_whole(&one.path, &one.file.to_bytes()).map_err(|error| disk_failure(&one.path, error))?;
        }
    } else if !sign.dry_run {
        let names: Vec<String> = signers.iter().map(|id| ring.display_name(id)).collect();
        let question = format!("Sign this with {}", names.join(", "));
        if repo.json && !sign.yes {
            let message = "Nothing was signed: with --json nobody is asked";
            return Err(Failure::new(Code::UsageNoInput, message).hint("give --yes, and nobody has to be"));
        }
        if !sign.yes && !confirm(&question, terminal.settings().no_input)? {
            terminal.line("Nothing was signed.");
            return Ok(());
        }
        for one in &mut files {
            add_signatures(one, &mut ring)?;
        }
    }
    report(sign, &mut files, &known, &ring, terminal);
    Ok(())
}

/// What is known of the repository: only the waiting files if the storage cannot be read here.
async fn known(operator_directory: &OperatorDirectory, terminal: &Terminal) -> Result<Ceremony, Failure> {
    let storage = Storage::open(&operator_directory.output())?;
    match Ceremony::read(operator_directory, &storage, terminal).await {
        Err(failure) if failure.code.exit() == Exit::Network => {
            terminal.warning(&format!("What is published cannot be read: {}", failure.message));
            Ceremony::offline(operator_directory)
        }
        read => read,
    }
}

/// Prints what changes with files that replace published ones.
async fn say_what_changes(
    files: &[ToSign],
    known: &SigningContext,
    operator_directory: Option<&OperatorDirectory>,
    ring: &KeyRing,
    terminal: &Terminal,
) -> Result<(), Failure> {
    for one in files {
        let before = match (&one.file, &known.previous, &known.ceremony, operator_directory) {
            (OfflineMetadataFile::Root(_), Some(previous), ..) => Some(OfflineMetadataFile::root(previous.clone())),
            (_, _, Some(ceremony), Some(operator_directory)) => {
                ceremony.before(&Storage::open(&operator_directory.output())?, &one.file).await?
            }
            _ => None,
        };
        if let Some(before) = before {
            for line in ceremony::difference(Some(&before), &one.file, ring) {
                terminal.line(&line);
            }
        }
        if known.lacks_the_old_root(&one.file) {
            terminal.warning(&format!(
                "What {} changes cannot be shown here; --previous names the root before it",
                one.file.file_name()
            ));
        }
    }
    Ok(())
}

/// The keys that were named, or those of the repository.
fn ring(
    sign: &SignArgs,
    operator_directory: Option<&OperatorDirectory>,
    terminal: &Terminal,
) -> Result<KeyRing, Failure> {
    if sign.keys.is_empty() {
        return match operator_directory {
            Some(operator_directory) => ceremony::ring(operator_directory, &sign.unlock.options(terminal)),
            None => Err(Failure::usage("no key to sign with: --key names a .pem file")),
        };
    }
    let mut names = match operator_directory {
        Some(operator_directory) => keys::in_directory(&operator_directory.keys())?,
        None => keys_beside(&sign.keys),
    };
    // Only their names: keys that were not named do not sign.
    names.iter_mut().for_each(|key| key.private = None);
    let mut ring = KeyRing::new(names, Passphrases::new(&sign.unlock.options(terminal)));
    for path in &sign.keys {
        if path.extension().is_some_and(|extension| extension == "pub") {
            return Err(Failure::usage(format!("{} is a public key; --key wants the .pem file", path.display())));
        }
        ring.open(path)?;
    }
    Ok(ring)
}

/// The public keys beside the user's own ones: those of the other key holders. Files that are no keys are ignored.
fn keys_beside(own: &[PathBuf]) -> Vec<KeyFile> {
    let directories: BTreeSet<&Path> = own.iter().filter_map(|path| path.parent()).collect();
    let directories =
        directories.into_iter().map(|path| if path.as_os_str().is_empty() { Path::new(".") } else { path });
    let entries = directories.filter_map(|directory| std::fs::read_dir(directory).ok()).flatten();
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "pub"));
    paths.sort();
    paths.iter().filter_map(|path| keys::open(path).ok()).collect()
}

fn to_sign(
    sign: &SignArgs,
    operator_directory: Option<&OperatorDirectory>,
    known: &SigningContext,
    ring: &KeyRing,
) -> Result<Vec<ToSign>, Failure> {
    let ceremony = known.ceremony.as_ref();
    let mut files: Vec<(PathBuf, OfflineMetadataFile)> = Vec::new();
    let mut with_copies: BTreeSet<String> = BTreeSet::new();
    if sign.files.is_empty() {
        let (Some(operator_directory), Some(ceremony)) = (operator_directory, ceremony) else {
            return Err(Failure::usage("which file? There is no repository here whose waiting files could be meant"));
        };
        files.extend(ceremony.waiting.iter().map(|file| (ceremony::path_of(operator_directory, file), file.clone())));
    } else {
        for path in &sign.files {
            let copy = ceremony::read_file(path)?;
            let Some((first, file)) = files.iter_mut().find(|(_, file)| file.file_name() == copy.file_name()) else {
                files.push((path.clone(), copy));
                continue;
            };
            if !file.take_signatures(&copy) {
                let message = format!("{} and {} say different things", first.display(), path.display());
                return Err(Failure::new(Code::RepoMetadataFile, message)
                    .hint("signatures go from one copy to the other only when both say the same"));
            }
            with_copies.insert(file.file_name());
        }
    }
    let together: Vec<OfflineMetadataFile> = files.iter().map(|(_, file)| file.clone()).collect();
    if let Some(previous) = &known.previous {
        together.iter().try_for_each(|file| refuse_other_previous(file, previous))?;
    }
    match (ceremony, known.before()) {
        (Some(ceremony), _) => ceremony.refuse_misnamed_keys(&together)?,
        (None, before) => {
            let known = before.map(|root| OfflineMetadata { root: root.clone(), delegators: BTreeMap::new() });
            together.iter().try_for_each(|file| ceremony::refuse_misnamed_keys(file, known.as_ref()))?;
        }
    }
    let expected = known.expected(&together);
    let mut to_sign = Vec::new();
    for (path, file) in files {
        let requirements = requirements(&file, known.before(), expected.as_ref());
        let mut signers: Vec<KeyId> = match requirements.is_empty() {
            // The file that lists the permitted keys is not here: all named keys sign.
            true => ring.ids().filter(|_| !sign.keys.is_empty()).cloned().collect(),
            false => {
                requirements.iter().flat_map(SignatureRequirement::missing).filter(|id| ring.has(id)).cloned().collect()
            }
        };
        signers.sort();
        signers.dedup();
        let has_more = with_copies.contains(&file.file_name());
        to_sign.push(ToSign { path, file, requirements, signers, has_more });
    }
    Ok(to_sign)
}

fn signers(files: &[ToSign]) -> Vec<KeyId> {
    let mut signers: Vec<KeyId> = files.iter().flat_map(|one| one.signers.iter().cloned()).collect();
    signers.sort();
    signers.dedup();
    signers
}

fn add_signatures(one: &mut ToSign, ring: &mut KeyRing) -> Result<(), Failure> {
    for id in &one.signers {
        if let Some(key) = ring.get(id)? {
            one.file.sign(key);
        }
    }
    write_whole(&one.path, &one.file.to_bytes()).map_err(|error| disk_failure(&one.path, error))
}

fn report(sign: &SignArgs, files: &mut [ToSign], known: &SigningContext, ring: &KeyRing, terminal: &Terminal) {
    let together: Vec<OfflineMetadataFile> = files.iter().map(|one| one.file.clone()).collect();
    let expected = known.expected(&together);
    for one in files.iter_mut() {
        one.requirements = requirements(&one.file, known.before(), expected.as_ref());
    }
    if sign.operator_directory.json {
        let files: Vec<_> = files
            .iter()
            .map(|one| {
                let path = one.path.display().to_string();
                let mut said = ceremony::to_json(&one.file, &one.requirements, &path, ring);
                if let Some(said) = said.as_object_mut() {
                    let signed: Vec<&str> = one.signers.iter().map(|id| id.0.as_str()).collect();
                    said.insert("signed_with".to_owned(), json!(signed));
                    said.insert("lacks_the_old_root".to_owned(), json!(known.lacks_the_old_root(&one.file)));
                }
                said
            })
            .collect();
        terminal.json(&json!({"files": files, "dry_run": sign.dry_run}).to_string());
        return;
    }
    for one in files.iter() {
        for requirement in &one.requirements {
            terminal.line(&ceremony::progress(&one.file, requirement, ring));
        }
        if known.lacks_the_old_root(&one.file) {
            terminal.line(&not_counted(&one.file));
        }
        if one.requirements.is_empty() {
            terminal.line(&printable::line(&format!(
                "{}: {} on it; who must sign stands in the file that delegates to it",
                one.file.file_name(),
                installer::text::count_noun(one.file.signatures(), "signature")
            )));
        }
    }
}

/// A note that signatures of the previous root's keys are needed too.
fn not_counted(file: &OfflineMetadataFile) -> String {
    let name = file.file_name();
    printable::line(&format!("{name}: the old root's own signatures cannot be counted here; give --previous root.json"))
}

fn nobody(files: &[ToSign], known: &SigningContext, sign: &SignArgs, ring: &KeyRing) -> Failure {
    if files.is_empty() {
        return Failure::new(Code::RepoNothingWaits, "Nothing waits for signatures");
    }
    let here: BTreeSet<&KeyId> = ring.ids().collect();
    let keys = files.iter().flat_map(|one| &one.requirements).flat_map(|requirement| &requirement.keys);
    let signed: BTreeSet<&KeyId> = keys.filter(|(id, signed)| *signed && here.contains(id)).map(|(id, _)| id).collect();
    let mut failure = if signed.is_empty() {
        let message = "No key here has to sign any of these files";
        Failure::new(Code::RepoNotASigner, message)
    } else {
        let names: Vec<String> = signed.iter().map(|id| ring.display_name(id)).collect();
        let message = format!("Nothing more is to be signed here: {} has signed already", names.join(", "));
        Failure::new(Code::RepoNotASigner, message)
    };
    for one in files {
        for requirement in &one.requirements {
            failure = failure.detail("file", ceremony::progress(&one.file, requirement, ring));
        }
        if known.lacks_the_old_root(&one.file) {
            failure = failure.detail("file", not_counted(&one.file));
        }
    }
    if !signed.is_empty() {
        return failure
            .hint("give the files to those who are missing, then to where `tufpip repo root finalize` publishes them");
    }
    let lacks_the_old_root = files.iter().any(|one| known.lacks_the_old_root(&one.file));
    match (sign.keys.is_empty(), lacks_the_old_root) {
        (true, _) => failure.hint("--key names a private key that is somewhere else"),
        (false, true) => failure.hint("--previous names the root before a new one, whose keys have to sign it too"),
        (false, false) => failure.hint("a key that only a new root names signs what is given together with that root"),
    }
}

/// Refuses a root that is not the one directly before a new one.
fn refuse_other_previous(file: &OfflineMetadataFile, previous: &Root) -> Result<(), Failure> {
    if matches!(file, OfflineMetadataFile::Targets(..)) || previous.version.checked_add(1) == Some(file.version()) {
        return Ok(());
    }
    let message = format!(
        "--previous is root {}, and the one before {} is root {}",
        previous.version,
        file.file_name(),
        file.version().saturating_sub(1)
    );
    Err(Failure::new(Code::RepoMetadataFile, message)
        .hint("it is root.json where the index is published from, and tuf/N.root.json of the index"))
}

/// Reads the previous root, which its own keys must have signed.
fn read_previous(path: &Path) -> Result<Root, Failure> {
    let no_root = |problem: String| Failure::new(Code::RepoMetadataFile, format!("{} {problem}", path.display()));
    let bytes = std::fs::read(path).map_err(|error| disk_failure(path, error))?;
    let root = Metadata::<Root>::from_bytes(&bytes).map_err(|error| no_root(format!("is no root: {error}")))?;
    root.verify(&root.signed.keys, root.signed.role(TopLevelRole::Root))
        .map_err(|shortfall| no_root(format!("is not signed by its own keys: {shortfall}")))?;
    Ok(root.signed)
}
