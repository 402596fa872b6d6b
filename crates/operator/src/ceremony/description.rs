//! The description shown to key holders: content, changes, and missing signatures.

use std::collections::BTreeMap;

use repository::ceremony::{OfflineMetadata, OfflineMetadataFile, SignatureRequirement, SigningGroup};
use serde_json::{Value, json};
use tuf::metadata::{RoleKeys, RoleName};
use tuf::{KeyId, UnixTime};

use super::contents::FileStatements;
use crate::keys::KeyRing;

use installer::text::count_noun;
use installer::text::duration;

/// The content of a file: its role, version and expiry, who may sign for what, and its targets.
pub fn description(file: &OfflineMetadataFile, ring: &KeyRing, now: UnixTime) -> Vec<String> {
    let left = file.expires().0.saturating_sub(now.0);
    let expiry = match left > 0 {
        true => format!("expires in {}", duration(left)),
        false => "EXPIRED".to_owned(),
    };
    let name = file.file_name();
    let role = file.role();
    let mut lines = vec![format!("{name}: {} {}, {expiry} ({})", role, file.version(), file.expires())];
    for (role, keys) in file.names() {
        lines.push(format!("  {role}: {}", signers(&keys, ring)));
    }
    lines.extend(rules(file));
    if let OfflineMetadataFile::Targets(_, targets) = file {
        let targets = &targets.signed.targets;
        if file.names().is_empty() || !targets.is_empty() {
            lines.push(format!("  vouches for {}", count_noun(targets.len(), "file")));
        }
        for (path, target) in targets {
            let hash = target.hashes.get(tuf::HashAlgorithm::Sha256).unwrap_or_default();
            lines.push(format!("    {path}  sha256 {hash}"));
        }
    }
    lines.iter().map(|line| printable::line(line)).collect()
}

/// What changes with a file; `before` is the published one.
pub fn difference(before: Option<&OfflineMetadataFile>, file: &OfflineMetadataFile, ring: &KeyRing) -> Vec<String> {
    let role = file.role();
    let Some(before) = before else {
        let mut lines = vec![format!("{role} {} is new, until {}", file.version(), file.expires())];
        lines.extend(file.names().iter().map(|(role, keys)| format!("  {role}: {}", signers(keys, ring))));
        lines.extend(rules(file));
        return lines.iter().map(|line| printable::line(line)).collect();
    };
    let versions = format!("{role} {} becomes {role} {}", before.version(), file.version());
    let mut lines = vec![format!("{versions}, until {} instead of {}", file.expires(), before.expires())];
    let old: BTreeMap<RoleName, RoleKeys> = before.names().into_iter().collect();
    let new: BTreeMap<RoleName, RoleKeys> = file.names().into_iter().collect();
    for (role, keys) in &new {
        match old.get(role) {
            None => lines.push(format!("  {role} is new: {}", signers(keys, ring))),
            Some(before) if before != keys => {
                let fresh = keys.key_ids.iter().filter(|id| !before.key_ids.contains(id));
                lines.extend(fresh.map(|id| format!("  {role}: {} may sign from now on", ring.display_name(id))));
                let gone = before.key_ids.iter().filter(|id| !keys.key_ids.contains(id));
                lines.extend(gone.map(|id| format!("  {role}: {} may not sign any more", ring.display_name(id))));
                if before.threshold != keys.threshold {
                    let (before, after) = (before.threshold, keys.threshold);
                    lines.push(format!("  {role}: {after} must sign, instead of {before}"));
                }
            }
            Some(_) => {}
        }
    }
    lines.extend(old.keys().filter(|role| !new.contains_key(*role)).map(|role| format!("  {role} is gone")));
    lines.extend(FileStatements::of(file).changes_since(&FileStatements::of(before)));
    if lines.len() == 1 {
        lines.push("  nothing else changes".to_owned());
    }
    lines.iter().map(|line| printable::line(line)).collect()
}

/// How many signatures a file has and needs.
pub fn progress(file: &OfflineMetadataFile, requirement: &SignatureRequirement, ring: &KeyRing) -> String {
    let names = |signed: bool| -> Vec<String> {
        let keys = requirement.keys.iter().filter(|(_, found)| *found == signed);
        keys.map(|(id, _)| ring.display_name(id)).collect()
    };
    let signed = match names(true) {
        names if names.is_empty() => String::new(),
        names => format!(": {}", names.join(", ")),
    };
    let missing = match requirement.is_met() {
        true => String::new(),
        false => format!("; missing: {}", names(false).join(", ")),
    };
    let misfits = match file.invalid_signatures(requirement) {
        0 => String::new(),
        1 => "; 1 signature is there and does not fit this content: it was changed after signing".to_owned(),
        count => {
            format!("; {count} signatures are there and do not fit this content: it was changed after signing")
        }
    };
    printable::line(&format!(
        "{}: {} of {} signatures for {}{signed}{missing}{misfits}",
        file.file_name(),
        requirement.signed(),
        requirement.threshold,
        requirement.by
    ))
}

/// Online keys that are also used as offline keys: the machine of the online key is the easiest one to attack.
pub fn keys_for_everything(offline_metadata: &OfflineMetadata, ring: &KeyRing) -> Vec<String> {
    let online = offline_metadata.group(SigningGroup::Online);
    let groups =
        [("root", SigningGroup::Root, false), ("targets", SigningGroup::Targets, offline_metadata.targets_is_online())];
    let mut warnings = Vec::new();
    for (role, group, is_meant) in groups {
        for key in offline_metadata.group(group).shared_with(&online).into_iter().filter(|_| !is_meant) {
            warnings.push(format!(
                "The online key {} is a key of {role} too: who breaks into the machine that publishes can sign as one of those \
                 who decide about the index",
                ring.display_name(&key.identifier())
            ));
        }
    }
    warnings
}

/// A file and its signatures as JSON.
pub fn to_json(file: &OfflineMetadataFile, requirements: &[SignatureRequirement], path: &str, ring: &KeyRing) -> Value {
    let key = |(id, signed): &(KeyId, bool)| json!({"keyid": id.0, "name": ring.name(id), "signed": signed});
    let requirements = requirements.iter().map(|requirement| {
        json!({
            "by": requirement.by,
            "threshold": requirement.threshold,
            "met": requirement.is_met(),
            "misfits": file.invalid_signatures(requirement),
            "keys": requirement.keys.iter().map(key).collect::<Vec<_>>(),
        })
    });
    let targets = match file {
        OfflineMetadataFile::Root(_) => Vec::new(),
        OfflineMetadataFile::Targets(_, targets) => targets.signed.targets.iter().collect(),
    };
    let targets = targets.into_iter().map(|(path, target)| {
        json!({"path": path, "length": target.length, "sha256": target.hashes.get(tuf::HashAlgorithm::Sha256)})
    });
    json!({
        "file": path,
        "role": file.role().as_str(),
        "version": file.version(),
        "expires": file.expires().to_string(),
        "signatures": requirements.collect::<Vec<_>>(),
        "targets": targets.collect::<Vec<_>>(),
    })
}

/// The content of a file besides keys, thresholds and targets.
fn rules(file: &OfflineMetadataFile) -> Vec<String> {
    FileStatements::of(file).rules.iter().map(|(name, value)| format!("  {name}: {value}")).collect()
}

fn signers(role: &RoleKeys, ring: &KeyRing) -> String {
    let keys: Vec<String> = role.key_ids.iter().map(|id| ring.display_name(id)).collect();
    match (role.threshold, keys.as_slice()) {
        (1, [key]) => format!("{key} must sign"),
        (threshold, _) => format!("{threshold} of these must sign: {}", keys.join(", ")),
    }
}
