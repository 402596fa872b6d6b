use repository::roles::{BINS, CLAIMED};
use repository::{BinForm, Draft, Profile, RenewScope, StateError};
use tuf::metadata::{DelegatedRoles, Delegations, Metadata, PathPattern, PathSet, RoleName, Targets};

use crate::world::{Besides, Operator, User, add, key, policy, signed};

/// The new online key signs, and the old one as well: nobody notices.
#[test]
fn a_new_online_key() {
    for profile in [Profile::Small, Profile::Pep458, Profile::Rstuf] {
        let mut operator = Operator::new(policy(profile, BinForm::Succinct));
        operator.publish(&[add("app", "1.0")]);
        let mut user = User::new(&operator);
        assert_eq!(user.files(&operator, "app").len(), 1);

        operator.online = 3;
        let mut besides = operator.new_structure(2, 2, &[key(1)]);
        besides.keys.push(key(2));
        let publication = operator.prepare(&[], besides);
        // In the rstuf profile the online key signs `targets` as well.
        assert_eq!(publication.root_follows, profile != Profile::Rstuf);
        if publication.root_follows {
            // In between: the timestamp is there, the root not yet.
            let mut halfway = publication.clone();
            halfway.root = None;
            let root = operator.root.clone();
            let mut other =
                Operator { store: operator.store.clone(), signed_by_projects: Default::default(), root, ..operator };
            other.write(&halfway);
            let mut user = User::new(&other);
            assert_eq!(user.files(&other, "app").len(), 1);
        }
        operator.write(&publication);
        assert_eq!(user.files(&operator, "app").len(), 1);
        operator.publish(&[add("app", "2.0")]);
        assert_eq!(user.files(&operator, "app").len(), 2);
        assert_eq!(User::new(&operator).files(&operator, "app").len(), 2);
        // What only the old key signs is worth nothing now.
        let stale =
            Besides { root: None, offline_metadata: Vec::new(), renew: RenewScope::Everything, keys: vec![key(2)] };
        let refused = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| operator.prepare(&[], stale)));
        assert!(refused.is_err());
    }
}

/// The old key is lost: clients go on with the new root, and the memory of the old snapshot is gone with its key.
#[test]
fn the_online_key_is_lost() {
    let mut operator = Operator::new(policy(Profile::Pep458, BinForm::Succinct));
    operator.publish(&[add("app", "1.0")]);
    let mut user = User::new(&operator);
    assert_eq!(user.files(&operator, "app").len(), 1);
    operator.online = 3;
    let besides = operator.new_structure(2, 2, &[key(1)]);
    assert!(!operator.publish_with(&[], besides).root_follows);
    assert_eq!(user.files(&operator, "app").len(), 1);
}

#[test]
fn more_bins_and_fewer() {
    for form in [BinForm::Succinct, BinForm::Classic] {
        let mut operator = Operator::new(policy(Profile::Pep458, form));
        let many: Vec<_> = (0..60).map(|number| add(&format!("project-{number}"), "1.0")).collect();
        operator.publish(&many);
        let mut user = User::new(&operator);
        assert_eq!(user.files(&operator, "project-3").len(), 1);
        for (version, bit_length) in [(2, 6), (3, 5), (4, 4)] {
            operator.policy.bit_length = bit_length;
            let Besides { offline_metadata, .. } = operator.new_structure(1, version, &[key(1)]);
            let bins = offline_metadata.into_iter().filter(|(role, _)| role.as_str() == BINS).collect();
            let besides = Besides {
                root: None,
                offline_metadata: bins,
                renew: RenewScope::WhatIsDue,
                keys: vec![key(operator.online)],
            };
            let publication = operator.publish_with(&[], besides);
            assert_eq!(publication.leaves.len(), 1 << bit_length);
            for number in 0..60 {
                let expected = if number == 3 { version as usize - 1 } else { 1 };
                let found = user.files(&operator, &format!("project-{number}")).len();
                assert_eq!(found, expected, "{form:?} {bit_length} project-{number}");
            }
            operator.publish(&[add("project-3", &format!("2.{version}"))]);
        }
        assert_eq!(user.files(&operator, "project-3").len(), 4);
        assert_eq!(User::new(&operator).files(&operator, "project-3").len(), 4);
    }
}

#[test]
fn from_one_role_to_bins() {
    let mut operator = Operator::new(policy(Profile::Small, BinForm::Succinct));
    operator.publish(&[add("app", "1.0"), add("lib", "1.0")]);
    let mut user = User::new(&operator);
    assert_eq!(user.files(&operator, "app").len(), 1);
    operator.policy.profile = Profile::Pep458;
    let structure = operator.new_structure(1, 2, &[key(1)]);
    let bins = roles_at_version_1(&operator);
    let offline_metadata = structure
        .offline_metadata
        .into_iter()
        .map(|(role, bytes)| if role.as_str() == BINS { (role, bins.clone()) } else { (role, bytes) });
    let besides = Besides { root: None, offline_metadata: offline_metadata.collect(), ..structure };
    operator.publish_with(&[], besides);
    assert_eq!(user.files(&operator, "app").len(), 1);
    assert_eq!(user.files(&operator, "lib").len(), 1);
}

fn roles_at_version_1(operator: &Operator) -> Vec<u8> {
    signed(repository::roles::bins(&operator.policy, &operator.signers(), 1, operator.now).unwrap(), &[key(1)])
}

#[test]
fn people_have_to_sign_what_their_new_keys_are_for() {
    let mut operator = Operator::new(policy(Profile::Small, BinForm::Succinct));
    operator.publish(&[add("app", "1.0")]);
    operator.people = 9;
    let structure = operator.new_structure(2, 2, &[key(1), key(9)]);
    let begun = Draft::begin(
        operator.policy,
        operator.published(),
        structure.root.clone(),
        &[],
        RenewScope::WhatIsDue,
        operator.now,
    );
    assert_eq!(begun.err(), Some(StateError::SignAgain { role: RoleName::from("targets") }));
    let mut user = User::new(&operator);
    operator.publish_with(&[], structure);
    assert_eq!(user.files(&operator, "app").len(), 1);
    // A root that the old people have not signed.
    operator.people = 10;
    let forged = operator.new_structure(3, 3, &[key(10)]);
    let begun = Draft::begin(
        operator.policy,
        operator.published(),
        forged.root,
        &forged.offline_metadata,
        RenewScope::WhatIsDue,
        operator.now,
    );
    assert!(matches!(begun.err(), Some(StateError::Signatures { .. })));
}

/// PEP 480: the files of a project count only when its own people have signed them.
#[test]
fn a_project_with_keys_of_its_own() {
    let mut operator = Operator::new(policy(Profile::Pep458, BinForm::Succinct));
    operator.publish(&[add("app", "1.0"), add("lib", "1.0")]);
    let mut user = User::new(&operator);
    assert_eq!(user.files(&operator, "app").len(), 1);

    let role = RoleName::from("project-app");
    let mut targets = operator.published().unwrap().delegators()[&RoleName::from("targets")].clone();
    targets.version = 2;
    let delegations = targets.delegations.as_mut().unwrap();
    let patterns = || PathSet::Patterns(vec![PathPattern::new("dist/app/*")]);
    delegations.add(CLAIMED, &[key(1).public().clone()], 1, patterns());
    // Claimed projects are asked for first.
    let DelegatedRoles::Listed(roles) = &mut delegations.roles else { panic!("not listed") };
    roles.rotate_right(1);
    let mut claimed = Targets::new(1, targets.expires);
    let mut to_projects = Delegations::new(&[], DelegatedRoles::Listed(Vec::new()));
    to_projects.add(role.as_str(), &[key(50).public().clone()], 1, patterns()).unwrap().terminating = Some(true);
    claimed.delegations = Some(to_projects);
    let structure = || Besides {
        root: None,
        offline_metadata: vec![
            (RoleName::from("targets"), signed(targets.clone(), &[key(1)])),
            (RoleName::from(CLAIMED), signed(claimed.clone(), &[key(1)])),
        ],
        renew: RenewScope::WhatIsDue,
        keys: vec![key(2)],
    };
    // Not before they have signed what is there.
    let too_early = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| operator.prepare(&[], structure())));
    assert!(too_early.is_err());
    let theirs = operator.published().unwrap();
    let mut files = Targets::new(1, targets.expires);
    for leaf in theirs.leaves() {
        let found = operator.role(&theirs, &leaf).targets.into_iter();
        files.targets.extend(found.filter(|(path, _)| path.starts_with("dist/app/")));
    }
    // Nor with what has expired since they signed it.
    let expired = Targets { expires: operator.now, ..files.clone() };
    operator.signed_by_projects.insert(role.clone(), signed(expired, &[key(50)]));
    let too_late = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| operator.prepare(&[], structure())));
    assert!(too_late.is_err());
    operator.signed_by_projects.insert(role.clone(), signed(files.clone(), &[key(50)]));
    operator.publish_with(&[], structure());
    assert_eq!(user.files(&operator, "app").len(), 1);
    assert_eq!(user.files(&operator, "lib").len(), 1);
    let found = user.look_up(&operator, "dist/app/app-1.0-py3-none-any.whl").unwrap().unwrap();
    assert_eq!(found.roles.last(), Some(&role));

    // The index alone cannot add a file; other projects do not wait for it.
    operator.signed_by_projects.clear();
    operator.publish(&[add("app", "2.0"), add("lib", "2.0")]);
    assert_eq!(user.files(&operator, "app").len(), 1);
    assert_eq!(user.files(&operator, "lib").len(), 2);

    let next = add("app", "2.0");
    let expected = {
        let file = &next.additions()[0];
        let path = format!("dist/app/{}", file.file.filename);
        let mut target = tuf::metadata::TargetFile::of(b"");
        target.length = file.file.size;
        target.hashes.insert("sha256", file.file.hashes.sha256.clone());
        let mut metadata = target.clone();
        metadata.length = file.core_metadata_size.unwrap();
        metadata.hashes.insert("sha256", file.file.core_metadata.clone().unwrap());
        [(path.clone(), target), (format!("{path}.metadata"), metadata)]
    };
    files.version = 2;
    files.targets.extend(expected);
    operator.signed_by_projects.insert(role.clone(), signed(files.clone(), &[key(50)]));
    operator.publish(&[next]);
    assert_eq!(user.files(&operator, "app").len(), 2);
    let signature: Metadata<Targets> = Metadata::from_bytes(&operator.store["tuf/2.project-app.json"]).unwrap();
    assert_eq!(signature.signed.targets.len(), 4);
}
