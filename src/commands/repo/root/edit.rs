//! `repo root edit`: the next versions of what people sign.

use repository::Group;
use repository::ceremony::{ByPeople, CeremonyError, PeoplesFile, RenewedByPeople, SigningGroup};
use serde_json::json;
use tuf::metadata::{Metadata, RoleName, Targets};
use tuf::{Key, UnixTime};

use crate::settings::{EditRoot, EditedGroup, Renewed, RepoSettings};
use crate::terminal::Terminal;
use installer::error::{Failure, Kind};
use installer::trust::unix_now;
use operator::ceremony::{self, Ceremony};
use operator::config::CONFIG_FILE;
use operator::keys::{self, KeyRing};
use operator::state;
use operator::storage::Storage;
use operator::workplace::Workplace;

/// Writes what people shall sign next.
///
/// # Errors
/// When a key is not found, too few remain, or nothing changes.
pub async fn edit(repo: &RepoSettings, edit: &EditRoot, terminal: &Terminal) -> Result<(), Failure> {
    let workplace = Workplace::open(&repo.directory)?;
    let storage = Storage::open(&workplace.output())?;
    let ceremony = Ceremony::read(&workplace, &storage, terminal).await?;
    let mut ring = ceremony::ring(&workplace, &repo.unlock())?;
    let mut wanted = ceremony.expected().ok_or_else(no_root)?;
    let group = match edit.group {
        EditedGroup::Root => SigningGroup::Root,
        EditedGroup::Targets => SigningGroup::Targets,
        EditedGroup::Online => SigningGroup::Online,
    };
    let mut added = Vec::new();
    for path in &edit.add {
        let key = keys::open(path)?;
        ring.know(key.clone());
        added.push(key);
    }
    if !added.is_empty() || !edit.remove.is_empty() || edit.threshold.is_some() {
        let signers = changed(&wanted.group(group), edit, &added, &ring)?;
        wanted.set_group(group, &signers).map_err(impossible)?;
    }
    let spread = match edit.bins {
        None => None,
        Some(bins) => {
            let config = workplace.config.with_bins(bins).map_err(Failure::usage)?;
            wanted.spread(&config.policy()).map_err(impossible)?;
            Some(config)
        }
    };
    let renewed = RenewedByPeople {
        root: matches!(edit.renew, Renewed::Root | Renewed::All) || edit.expires.is_some(),
        targets: matches!(edit.renew, Renewed::Targets | Renewed::All),
    };
    let mut files = prepare(&workplace, &ceremony, &wanted, renewed);
    if renewed.targets {
        let expires = UnixTime(unix_now().0 + workplace.config.policy().expiry.targets);
        files.extend(renewed_projects(&ceremony, &wanted, &storage, expires).await?);
    }
    if let Some(expires) = edit.expires {
        let until = UnixTime(unix_now().0.saturating_add(i64::try_from(expires.as_secs()).unwrap_or(i64::MAX)));
        for file in files.iter_mut().filter(|file| matches!(file, PeoplesFile::Root(_))) {
            file.set_expires(until);
        }
    }
    if files.is_empty() && ceremony.with(Vec::new()).waiting.len() == ceremony.waiting.len() {
        return Err(Failure::new(Kind::Usage, "repo.nothing-changes", "Nothing would change")
            .hint("--add-key, --remove-key and --threshold change who signs, --bins over what the projects are spread; --renew all signs the same again"));
    }
    if !repo.dry_run {
        for key in &added {
            keys::adopt(&workplace.keys(), key, false)?;
        }
        if let (Some(config), Some(text)) = (&spread, workplace.read(CONFIG_FILE)?) {
            workplace.write(CONFIG_FILE, config.bins_written_into(&String::from_utf8_lossy(&text)).as_bytes())?;
        }
    }
    stage(repo, &workplace, ceremony, files, &ring, terminal)
}

/// The files that have to be signed so that this is published. A file that waits and says the same stays: it may have
/// signatures already.
pub fn prepare(
    workplace: &Workplace,
    ceremony: &Ceremony,
    wanted: &ByPeople,
    renewed: RenewedByPeople,
) -> Vec<PeoplesFile> {
    let published = ceremony.published.as_ref().map(ByPeople::of);
    let files = wanted.since(published.as_ref(), renewed, &workplace.config.policy(), unix_now());
    // What waits only for another expiry.
    let is_there = |waiting: &PeoplesFile| files.iter().any(|file| file.role() == waiting.role());
    let others = ceremony.waiting.iter().filter(|waiting| wanted.is_said_by(waiting) && !is_there(waiting));
    let others: Vec<PeoplesFile> = others.cloned().collect();
    let kept = |file: PeoplesFile| {
        let is_renewed = if matches!(file, PeoplesFile::Root(_)) { renewed.root } else { renewed.targets };
        let mut waiting = ceremony.waiting.iter().filter(|waiting| !is_renewed && waiting.same_but_expiry(&file));
        waiting.next().cloned().unwrap_or(file)
    };
    let mut files: Vec<PeoplesFile> = files.into_iter().map(kept).chain(others).collect();
    files.sort_by_key(|file| (!matches!(file, PeoplesFile::Root(_)), file.role()));
    files
}

/// What the people of projects sign so that it expires later. Where something waits for them already, that does it.
async fn renewed_projects(
    ceremony: &Ceremony,
    wanted: &ByPeople,
    storage: &Storage,
    expires: UnixTime,
) -> Result<Vec<PeoplesFile>, Failure> {
    let Some(published) = &ceremony.published else { return Ok(Vec::new()) };
    let waits =
        |role: &RoleName| ceremony.waiting.iter().any(|file| file.role() == *role && file.expires().0 > unix_now().0);
    let stays = |role: &RoleName| wanted.has(role);
    let roles = published.project_roles().filter(|role| stays(role) && !waits(role)).cloned().collect();
    let mut read = state::roles(published, storage, roles).await?;
    read.sort_by(|(role, _), (other, _)| role.cmp(other));
    let next = |(role, targets): (RoleName, Targets)| {
        PeoplesFile::targets(role, Targets { version: targets.version + 1, expires, ..targets })
    };
    Ok(read.into_iter().map(next).collect())
}

/// Shows what changes, lets it wait, and says what comes next.
///
/// # Errors
/// When the disk refuses.
pub fn stage(
    repo: &RepoSettings,
    workplace: &Workplace,
    ceremony: Ceremony,
    files: Vec<PeoplesFile>,
    ring: &KeyRing,
    terminal: &Terminal,
) -> Result<(), Failure> {
    let before = ceremony.published.as_ref().map(ByPeople::of);
    if !repo.json {
        say_difference(before.as_ref(), &files, ring, terminal);
    }
    if !repo.dry_run {
        ceremony::stage(workplace, &files)?;
    }
    let ceremony = ceremony.with(files);
    super::warn_of_keys(&ceremony, ring, terminal);
    if repo.json {
        let files = super::waiting_json(&ceremony, workplace, ring);
        terminal.data(&json!({"files": files, "dry_run": repo.dry_run}).to_string());
    } else if repo.dry_run {
        terminal.line("Nothing was written.");
    } else {
        super::say_what_is_next(&ceremony, workplace, ring, terminal);
    }
    Ok(())
}

/// Says what changes with each file.
pub fn say_difference(before: Option<&ByPeople>, files: &[PeoplesFile], ring: &KeyRing, terminal: &Terminal) {
    for file in files {
        let published = before.and_then(|before| match file {
            PeoplesFile::Root(_) => Some(PeoplesFile::Root(Metadata::new(before.root.clone()))),
            PeoplesFile::Targets(role, _) => {
                let targets = before.delegators.get(role)?.clone();
                Some(PeoplesFile::targets(role.clone(), targets))
            }
        });
        for line in ceremony::difference(published.as_ref(), file, ring) {
            terminal.line(&line);
        }
    }
}

/// The group as it shall be.
fn changed(group: &Group, edit: &EditRoot, added: &[keys::KeyFile], ring: &KeyRing) -> Result<Group, Failure> {
    let mut signers: Vec<Key> = group.keys.clone();
    for name in &edit.remove {
        let by_name = ring.find(name).map(Key::identifier);
        let is_meant = |key: &Key| {
            let id = key.identifier();
            by_name.as_ref() == Some(&id) || (name.len() >= 4 && id.0.starts_with(name.as_str()))
        };
        let before = signers.len();
        signers.retain(|key| !is_meant(key));
        match before - signers.len() {
            1 => {}
            0 => {
                let present: Vec<String> = group.keys.iter().map(|key| ring.called(&key.identifier())).collect();
                let message = format!("No key of this role is called {name}; it has {}", present.join(", "));
                return Err(Failure::usage(message));
            }
            _ => return Err(Failure::usage(format!("Several keys of this role begin with {name}"))),
        }
    }
    for key in added.iter().filter(|key| !group.keys.contains(&key.public)) {
        signers.push(key.public.clone());
    }
    Group::new(signers, edit.threshold.unwrap_or(group.threshold)).map_err(impossible)
}

/// Why who signs cannot be changed so.
pub fn impossible(error: CeremonyError) -> Failure {
    Failure::new(Kind::Usage, "repo.ceremony", format!("This change is impossible: {error}"))
}

/// There is nothing to change.
pub fn no_root() -> Failure {
    Failure::new(Kind::Error, "repo.no-root", "There is no root, neither published nor waiting")
        .hint("`tufpip repo init` makes the first one")
}
