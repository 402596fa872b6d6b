//! Who signs what, and what follows when that changes.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use tuf::SigningKey;
use tuf::metadata::RoleKeys;

use super::*;
use crate::roles::{BinForm, DistributionTrust, Expiry, Profile};

const NOW: UnixTime = UnixTime(1_800_000_000);

fn key(seed: u8) -> SigningKey {
    SigningKey::ed25519(&[seed; 32])
}

fn group(seeds: &[u8], threshold: u64) -> KeyGroup {
    KeyGroup::new(seeds.iter().map(|seed| key(*seed).public().clone()).collect(), threshold).unwrap()
}

fn policy(profile: Profile, bin_form: BinForm) -> Policy {
    Policy { profile, bin_form, bit_length: 4, trust: DistributionTrust::Both, expiry: Expiry::default() }
}

/// Root and targets are signed by 1 and 2, the rest by 9.
fn first(profile: Profile, bin_form: BinForm) -> (Policy, OfflineMetadata) {
    let policy = policy(profile, bin_form);
    let signers = Signers { root: group(&[1, 2], 2), targets: group(&[1, 2], 2), online: group(&[9], 1) };
    (policy, OfflineMetadata::first(&policy, &signers, NOW).unwrap())
}

fn names(files: &[OfflineMetadataFile]) -> Vec<String> {
    files.iter().map(OfflineMetadataFile::file_name).collect()
}

fn changed(before: &OfflineMetadata, after: &OfflineMetadata, policy: &Policy) -> Vec<String> {
    names(&after.changes_since(Some(before), OfflineRenewal::default(), policy, NOW))
}

#[test]
fn everything_is_new_at_first() {
    for (profile, files) in [
        (Profile::Small, &["1.root.json", "1.targets.json"][..]),
        (Profile::Pep458, &["1.root.json", "1.bins.json", "1.targets.json"]),
        (Profile::Rstuf, &["1.root.json", "1.targets.json"]),
    ] {
        let (policy, first) = first(profile, BinForm::Succinct);
        assert_eq!(names(&first.changes_since(None, OfflineRenewal::default(), &policy, NOW)), files);
        assert_eq!(changed(&first, &first, &policy), Vec::<String>::new());
        assert_eq!(first.targets_is_online(), profile == Profile::Rstuf);
    }
}

#[test]
fn another_root_key_changes_the_root_alone() {
    let (policy, first) = first(Profile::Pep458, BinForm::Succinct);
    let mut next = first.clone();
    next.set_group(SigningGroup::Root, &group(&[1, 3], 1)).unwrap();
    assert_eq!(changed(&first, &next, &policy), ["2.root.json"]);
    assert_eq!(next.group(SigningGroup::Root), group(&[1, 3], 1));
    assert_eq!(next.group(SigningGroup::Targets), group(&[1, 2], 2));
}

#[test]
fn other_targets_keys_sign_all_that_delegates_again() {
    let (policy, first) = first(Profile::Pep458, BinForm::Succinct);
    let mut next = first.clone();
    next.set_group(SigningGroup::Targets, &group(&[3], 1)).unwrap();
    assert_eq!(changed(&first, &next, &policy), ["2.root.json", "2.bins.json", "2.targets.json"]);
    let delegations = next.delegators[&RoleName::from("targets")].delegations.clone().unwrap();
    assert_eq!(delegations.role_keys(&BINS.into()).unwrap().key_ids, RoleKeys::new(&group(&[3], 1).keys, 1).key_ids);
    assert_eq!(delegations.keys.len(), 1, "the old keys are still there");
}

#[test]
fn another_online_key_is_named_wherever_it_signs() {
    for (profile, form, files) in [
        (Profile::Small, BinForm::Succinct, &["2.root.json", "2.targets.json"][..]),
        (Profile::Pep458, BinForm::Succinct, &["2.root.json", "2.bins.json"]),
        (Profile::Pep458, BinForm::Classic, &["2.root.json", "2.bins.json"]),
        (Profile::Rstuf, BinForm::Succinct, &["2.root.json", "2.targets.json"]),
    ] {
        let (policy, first) = first(profile, form);
        let mut next = first.clone();
        next.set_group(SigningGroup::Online, &group(&[8], 1)).unwrap();
        assert_eq!(changed(&first, &next, &policy), files);
        let old = key(9).key_id().clone();
        let remaining = |targets: &Targets| targets.delegations.iter().any(|found| found.keys.contains_key(&old));
        assert!(!next.delegators.values().any(remaining), "{profile:?}");
        assert!(!next.root.keys.contains_key(&old), "{profile:?}");
    }
}

#[test]
fn what_is_renewed_gets_the_next_version_and_a_new_expiry() {
    let (policy, first) = first(Profile::Small, BinForm::Succinct);
    let later = UnixTime(NOW.0 + 1000);
    let files = first.changes_since(Some(&first), OfflineRenewal { root: false, targets: true }, &policy, later);
    assert_eq!(names(&files), ["2.targets.json"]);
    assert_eq!(files[0].expires(), UnixTime(later.0 + policy.expiry.targets));
    let files = first.changes_since(Some(&first), OfflineRenewal { root: true, targets: false }, &policy, later);
    assert_eq!(names(&files), ["2.root.json"]);
}

#[test]
fn a_threshold_that_nobody_can_meet_is_refused() {
    let keys = vec![key(1).public().clone(), key(1).public().clone()];
    assert!(KeyGroup::new(keys.clone(), 2).is_err(), "one key twice is one key");
    assert!(KeyGroup::new(keys.clone(), 0).is_err());
    assert!(KeyGroup::new(keys, 1).is_ok());
    // The same key, written in another way, has another key id.
    let text = String::from_utf8(key(1).public().to_value().to_json()).unwrap();
    let public = &text.split('"').find(|piece| piece.len() == 64).unwrap().to_owned();
    let other_case = text.replace(public.as_str(), &public.to_uppercase());
    for written in [text.replacen('{', "{\"comment\":\"mine\",", 1), other_case] {
        let again = Key::from_value(&tuf::json::parse(written.as_bytes()).unwrap()).unwrap();
        assert_ne!(again.identifier(), *key(1).key_id());
        let keys = vec![key(1).public().clone(), again];
        let refused = KeyGroup::new(keys.clone(), 2).unwrap_err();
        assert_eq!(refused.to_string(), "a threshold of 2 needs 2 keys; there is 1");
        assert_eq!(KeyGroup::new(keys, 1).unwrap(), group(&[1], 1));
    }
}

#[test]
fn a_project_gets_keys_and_loses_them() {
    let project: PackageName = "some-app".parse().unwrap();
    let (policy, first) = first(Profile::Small, BinForm::Succinct);
    let mut next = first.clone();
    next.claim(&policy, &project, &group(&[5], 1)).unwrap();
    // claimed is new, and targets delegates to it before everything else.
    assert_eq!(changed(&first, &next, &policy), ["1.claimed.json", "2.targets.json"]);
    let roles = |role: &str| -> Vec<String> {
        match &next.delegators[&RoleName::from(role)].delegations.as_ref().unwrap().roles {
            DelegatedRoles::Listed(roles) => roles.iter().map(|role| role.name.as_str().to_owned()).collect(),
            DelegatedRoles::Succinct(_) => Vec::new(),
        }
    };
    assert_eq!(roles("targets"), ["claimed", "index"]);
    assert_eq!(roles("claimed"), ["project-some-app"]);
    let claimed = next.delegators[&RoleName::from("claimed")].delegations.clone().unwrap();
    let DelegatedRoles::Listed(listed) = &claimed.roles else { panic!() };
    assert!(listed[0].is_terminating());
    assert!(listed[0].matches("dist/some-app/some_app-1.0.tar.gz"));
    assert!(!listed[0].matches("dist/some-app-2/some_app_2-1.0.tar.gz"));
    assert!(!listed[0].matches("simple/some-app/vnd.pypi.simple.v1.json"), "the page stays the index's");

    // A second project leaves targets as it is; other keys take the place of the first ones.
    let mut two = next.clone();
    two.claim(&policy, &"other".parse().unwrap(), &group(&[6], 1)).unwrap();
    two.claim(&policy, &project, &group(&[7], 1)).unwrap();
    assert_eq!(changed(&next, &two, &policy), ["2.claimed.json"]);
    let mut none = two.clone();
    none.unclaim(&project).unwrap();
    assert_eq!(changed(&two, &none, &policy), ["2.claimed.json"]);
    assert_eq!(none.unclaim(&project), Err(CeremonyError::NotClaimed(project)));

    // The people of targets sign claimed: when they change, it is signed again, and what it claims stays.
    let mut others = two.clone();
    others.set_group(SigningGroup::Targets, &group(&[3], 1)).unwrap();
    assert_eq!(changed(&two, &others, &policy), ["2.root.json", "2.claimed.json", "2.targets.json"]);
}

#[test]
fn where_projects_cannot_have_keys() {
    let project: PackageName = "app".parse().unwrap();
    let (policy, mut rstuf) = first(Profile::Rstuf, BinForm::Succinct);
    assert_eq!(rstuf.claim(&policy, &project, &group(&[5], 1)), Err(CeremonyError::NoClaims));
    assert_eq!(rstuf.set_group(SigningGroup::Targets, &group(&[5], 1)), Err(CeremonyError::NoTargetsKeys));
    let (policy, mut small) = first(Profile::Small, BinForm::Succinct);
    let policy = Policy { trust: DistributionTrust::Page, ..policy };
    assert_eq!(small.claim(&policy, &project, &group(&[5], 1)), Err(CeremonyError::NoDistributionTargets));
}

#[test]
fn a_new_root_needs_the_old_keys_and_its_own() {
    let (policy, first) = first(Profile::Small, BinForm::Succinct);
    let mut next = first.clone();
    next.set_group(SigningGroup::Root, &group(&[2, 3], 2)).unwrap();
    let mut file = next.changes_since(Some(&first), OfflineRenewal::default(), &policy, NOW).remove(0);
    let met = |file: &OfflineMetadataFile| -> Vec<bool> {
        requirements(file, Some(&first.root), None).iter().map(SignatureRequirement::is_met).collect()
    };
    assert_eq!(met(&file), [false, false]);
    file.sign(&key(2));
    file.sign(&key(3));
    assert_eq!(met(&file), [false, true]);
    file.sign(&key(1));
    assert_eq!(met(&file), [true, true]);
    // A file that came back with other content than was signed.
    let bytes = String::from_utf8(file.to_bytes()).unwrap().replace("\"threshold\":2", "\"threshold\":1");
    let forged = OfflineMetadataFile::read("2.root.json", bytes.as_bytes()).unwrap().unwrap();
    let found = requirements(&forged, Some(&first.root), None);
    assert!(!found.iter().any(|requirement| requirement.signed() > 0));
    assert_eq!(forged.invalid_signatures(&found[0]), 2);
    assert_eq!(file.invalid_signatures(&requirements(&file, Some(&first.root), None)[0]), 0);
    // Without the root before it, only its own keys are known.
    assert_eq!(requirements(&file, None, None).len(), 1);
}

#[test]
fn signatures_of_copies_are_put_together() {
    let (policy, first) = first(Profile::Small, BinForm::Succinct);
    let unsigned = first.changes_since(None, OfflineRenewal::default(), &policy, NOW).remove(0);
    let (mut one, mut two) = (unsigned.clone(), unsigned.clone());
    one.sign(&key(1));
    two.sign(&key(2));
    assert!(one.take_signatures(&two));
    assert!(requirements(&one, None, None)[0].is_met());
    let mut later = unsigned;
    later.set_expires(UnixTime(NOW.0 + 5));
    assert!(!later.take_signatures(&one));
    assert_eq!(later.signatures(), 0);
}

#[test]
fn who_signs_targets_is_said_by_the_next_root() {
    let (policy, first) = first(Profile::Pep458, BinForm::Succinct);
    let mut next = first.clone();
    next.set_group(SigningGroup::Targets, &group(&[3], 1)).unwrap();
    let files = next.changes_since(Some(&first), OfflineRenewal::default(), &policy, NOW);
    let waiting = first.clone().with(&files);
    for mut file in files.into_iter().skip(1) {
        assert_eq!(requirements(&file, None, None), [], "nobody knows who signs {}", file.file_name());
        file.sign(&key(1));
        assert!(!requirements(&file, None, Some(&waiting))[0].is_met(), "signed with a key that goes");
        file.sign(&key(3));
        assert!(requirements(&file, None, Some(&waiting))[0].is_met());
    }
}

#[test]
fn names_of_files_tell_the_role() {
    let (policy, mut next) = first(Profile::Small, BinForm::Succinct);
    next.claim(&policy, &"a".parse().unwrap(), &group(&[5], 1)).unwrap();
    for file in next.changes_since(None, OfflineRenewal::default(), &policy, NOW) {
        let read = OfflineMetadataFile::read(&file.file_name(), &file.to_bytes()).unwrap().unwrap();
        assert_eq!(read, file);
    }
    for name in ["root.json", "x.root.json", "1.snapshot.json", "1.timestamp.json", "1.root.txt", "1..json"] {
        assert!(OfflineMetadataFile::read(name, b"{}").is_none(), "{name}");
    }
    assert!(OfflineMetadataFile::read("1.root.json", b"{}").unwrap().is_err());
}

#[test]
fn a_key_under_the_name_of_another_one_is_found() {
    let (_, first) = first(Profile::Small, BinForm::Succinct);
    let online = key(9).key_id().clone();
    let mut root = first.root.clone();
    assert_eq!(OfflineMetadataFile::root(root.clone()).misnamed_keys(None), []);

    root.keys.insert(online.clone(), key(66).public().clone());
    assert_eq!(OfflineMetadataFile::root(root.clone()).misnamed_keys(None), std::slice::from_ref(&online));
    assert_eq!(OfflineMetadataFile::root(root.clone()).misnamed_keys(Some(&first)), std::slice::from_ref(&online));

    // Other tools give keys names of their own: those that are published already are what everybody knows.
    let published = OfflineMetadata { root: root.clone(), ..first.clone() };
    assert_eq!(OfflineMetadataFile::root(root).misnamed_keys(Some(&published)), []);

    let mut targets = first.delegators[&name(TopLevelRole::Targets)].clone();
    targets.delegations.as_mut().unwrap().keys.insert(online.clone(), key(66).public().clone());
    let file = OfflineMetadataFile::targets(name(TopLevelRole::Targets), targets);
    assert_eq!(file.misnamed_keys(Some(&first)), [online]);
}
