//! `repo root sign`, `repo sign`: a signature more on what waits for people, after they have seen what it says.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use repository::ceremony::{ByPeople, PeoplesFile, Requirement, requirements};
use serde_json::json;
use tuf::KeyId;
use tuf::metadata::{Metadata, Root};

use crate::commands::confirmation::confirmed;
use crate::failure::{Failure, Kind};
use crate::repo::ceremony::{self, Ceremony};
use crate::repo::config::CONFIG_FILE;
use crate::repo::keys::{self, KeyRing, Passphrases};
use crate::repo::storage::Storage;
use crate::repo::workplace::{Workplace, disk, write_whole};
use crate::settings::{RepoSettings, SignFiles};
use crate::terminal::{Terminal, printable};
use crate::trust::unix_now;

/// A file, whose signatures it needs, and the keys here that will sign it.
struct ToSign {
    path: PathBuf,
    file: PeoplesFile,
    requirements: Vec<Requirement>,
    signers: Vec<KeyId>,
}

/// Signs.
///
/// # Errors
/// When a file or key cannot be used, no key here may sign, or nobody agrees.
pub async fn sign(repo: &RepoSettings, sign: &SignFiles, terminal: &Terminal) -> Result<(), Failure> {
    let workplace = match repo.directory.join(CONFIG_FILE).is_file() {
        true => Some(Workplace::open(&repo.directory)?),
        false => None,
    };
    let ceremony = match &workplace {
        Some(workplace) => Some(known(workplace, terminal).await?),
        None => None,
    };
    let mut ring = ring(repo, sign, workplace.as_ref())?;
    let mut files = to_sign(sign, workplace.as_ref(), ceremony.as_ref(), &ring)?;
    if !repo.json {
        for one in &files {
            for line in ceremony::description(&one.file, &ring, unix_now()) {
                terminal.line(&line);
            }
        }
        if let (Some(workplace), Some(ceremony)) = (&workplace, &ceremony) {
            say_what_changes(&files, ceremony, workplace, &ring, terminal).await?;
        }
    }
    let signers = signers(&files);
    if signers.is_empty() && !repo.dry_run {
        return Err(nobody(&files, sign, &ring));
    }
    if !repo.dry_run {
        let names: Vec<String> = signers.iter().map(|id| ring.called(id)).collect();
        if !sign.yes
            && !confirmed(
                &format!("Sign this with {}", names.join(", ")),
                "repo.not-confirmed",
                repo.no_input || repo.json,
            )?
        {
            terminal.line("Nothing was signed.");
            return Ok(());
        }
        for one in &mut files {
            add_signatures(one, &mut ring)?;
        }
    }
    report(repo, &mut files, ceremony.as_ref(), sign, &ring, terminal)
}

/// What is known of the repository: if the place it is published in cannot be read here, only what waits.
async fn known(workplace: &Workplace, terminal: &Terminal) -> Result<Ceremony, Failure> {
    let storage = Storage::open(&workplace.output())?;
    match Ceremony::read(workplace, &storage, terminal).await {
        Err(failure) if failure.kind == Kind::Network => {
            terminal.warning(&format!("What is published cannot be read: {}", failure.message));
            Ceremony::offline(workplace)
        }
        read => read,
    }
}

/// Says what changes with files in whose place others are published.
async fn say_what_changes(
    files: &[ToSign],
    ceremony: &Ceremony,
    workplace: &Workplace,
    ring: &KeyRing,
    terminal: &Terminal,
) -> Result<(), Failure> {
    let storage = Storage::open(&workplace.output())?;
    for one in files {
        if let Some(before) = ceremony.before(&storage, &one.file).await? {
            for line in ceremony::difference(Some(&before), &one.file, ring) {
                terminal.line(&line);
            }
        }
    }
    Ok(())
}

/// The keys that were named, or those of the repository.
fn ring(repo: &RepoSettings, sign: &SignFiles, workplace: Option<&Workplace>) -> Result<KeyRing, Failure> {
    if sign.keys.is_empty() {
        return match workplace {
            Some(workplace) => ceremony::ring(workplace, repo),
            None => Err(Failure::usage("no key to sign with: --key names a .pem file")),
        };
    }
    let mut names = Vec::new();
    if let Some(workplace) = workplace {
        // Only their names: who was not named does not sign.
        names = keys::in_directory(&workplace.keys())?;
        names.iter_mut().for_each(|key| key.private = None);
    }
    let mut ring = KeyRing::new(names, Passphrases::new(repo));
    for path in &sign.keys {
        if path.extension().is_some_and(|extension| extension == "pub") {
            return Err(Failure::usage(format!("{} is a public key; --key wants the .pem file", path.display())));
        }
        ring.open(path)?;
    }
    Ok(ring)
}

fn to_sign(
    sign: &SignFiles,
    workplace: Option<&Workplace>,
    ceremony: Option<&Ceremony>,
    ring: &KeyRing,
) -> Result<Vec<ToSign>, Failure> {
    let previous = sign.previous.as_deref().map(read_root).transpose()?;
    let before = previous.as_ref().or(ceremony.and_then(|ceremony| ceremony.before.as_ref()));
    let mut files: Vec<(PathBuf, PeoplesFile)> = Vec::new();
    if sign.files.is_empty() {
        let (Some(workplace), Some(ceremony)) = (workplace, ceremony) else {
            return Err(Failure::usage("which file? There is no repository here whose waiting files could be meant"));
        };
        files.extend(ceremony.waiting.iter().map(|file| (ceremony::path_of(workplace, file), file.clone())));
    } else {
        for path in &sign.files {
            files.push((path.clone(), ceremony::read_file(path)?));
        }
    }
    let together: Vec<PeoplesFile> = files.iter().map(|(_, file)| file.clone()).collect();
    match (ceremony, before) {
        (Some(ceremony), _) => ceremony.refuse_misnamed_keys(&together)?,
        (None, before) => {
            let known = before.map(|root| ByPeople { root: root.clone(), delegators: BTreeMap::new() });
            together.iter().try_for_each(|file| ceremony::refuse_misnamed_keys(file, known.as_ref()))?;
        }
    }
    let expected = repository::ceremony::ByPeople::expected(ceremony.and_then(Ceremony::expected), &together);
    let mut to_sign = Vec::new();
    for (path, file) in files {
        let requirements = requirements(&file, before, expected.as_ref());
        let mut signers: Vec<KeyId> = match requirements.is_empty() {
            // Who may sign stands in another file, which is not here: whoever was named does.
            true => ring.ids().filter(|_| !sign.keys.is_empty()).cloned().collect(),
            false => requirements.iter().flat_map(Requirement::missing).filter(|id| ring.has(id)).cloned().collect(),
        };
        signers.sort();
        signers.dedup();
        to_sign.push(ToSign { path, file, requirements, signers });
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
    write_whole(&one.path, &one.file.to_bytes()).map_err(|error| disk(&one.path, &error))
}

fn report(
    repo: &RepoSettings,
    files: &mut [ToSign],
    ceremony: Option<&Ceremony>,
    sign: &SignFiles,
    ring: &KeyRing,
    terminal: &Terminal,
) -> Result<(), Failure> {
    let previous = sign.previous.as_deref().map(read_root).transpose()?;
    let before = previous.as_ref().or(ceremony.and_then(|ceremony| ceremony.before.as_ref()));
    let together: Vec<PeoplesFile> = files.iter().map(|one| one.file.clone()).collect();
    let expected = repository::ceremony::ByPeople::expected(ceremony.and_then(Ceremony::expected), &together);
    for one in files.iter_mut() {
        one.requirements = requirements(&one.file, before, expected.as_ref());
    }
    if repo.json {
        let files: Vec<_> = files
            .iter()
            .map(|one| {
                let path = one.path.display().to_string();
                let mut said = ceremony::to_json(&one.file, &one.requirements, &path, ring);
                if let Some(said) = said.as_object_mut() {
                    let signed: Vec<&str> = one.signers.iter().map(|id| id.0.as_str()).collect();
                    said.insert("signed_with".to_owned(), json!(signed));
                }
                said
            })
            .collect();
        terminal.data(&json!({"files": files, "dry_run": repo.dry_run}).to_string());
        return Ok(());
    }
    for one in files.iter() {
        for requirement in &one.requirements {
            terminal.line(&ceremony::progress(&one.file, requirement, ring));
        }
        if one.requirements.is_empty() {
            terminal.line(&printable(&format!(
                "{}: {} on it; who must sign stands in the file that delegates to it",
                one.file.file_name(),
                crate::terminal::counted(one.file.signatures(), "signature")
            )));
        }
    }
    Ok(())
}

fn nobody(files: &[ToSign], sign: &SignFiles, ring: &KeyRing) -> Failure {
    if files.is_empty() {
        return Failure::new(Kind::Error, "repo.nothing-waits", "Nothing waits for signatures");
    }
    let message = "No key here has to sign any of these files, or all of them have signed already";
    let mut failure = Failure::new(Kind::Error, "repo.not-a-signer", message);
    for one in files {
        for requirement in &one.requirements {
            failure = failure.detail("file", ceremony::progress(&one.file, requirement, ring));
        }
    }
    match sign.keys.is_empty() {
        true => failure.hint("--key names a private key that is somewhere else"),
        false => failure.hint("--previous names the root before a new one, whose keys have to sign it too"),
    }
}

fn read_root(path: &Path) -> Result<Root, Failure> {
    let bytes = std::fs::read(path).map_err(|error| disk(path, &error))?;
    let root = Metadata::<Root>::from_bytes(&bytes).map_err(|error| {
        Failure::new(Kind::Error, "repo.metadata-file", format!("{} is no root: {error}", path.display()))
    })?;
    Ok(root.signed)
}
