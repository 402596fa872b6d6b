//! `targets.json` from anywhere, and whom it delegates to.
#![no_main]

mod round_trip;

use libfuzzer_sys::fuzz_target;
use tuf::metadata::{DelegatedRoles, Targets};

fuzz_target!(|bytes: &[u8]| {
    let Some(metadata) = round_trip::round_trip::<Targets>(bytes) else { return };
    let Some(delegations) = &metadata.signed.delegations else { return };
    let paths = metadata.signed.targets.keys().map(String::as_str).chain(["a/b.txt", ""]);
    match &delegations.roles {
        DelegatedRoles::Listed(roles) => {
            for role in roles {
                assert_eq!(delegations.role_keys(&role.name), Some(&role.keys));
                assert!(role.name.file_stem().len() <= 180 && !role.name.encoded().contains('/'));
            }
            for path in paths {
                assert!(roles.iter().filter(|role| role.matches(path)).count() <= roles.len());
            }
        }
        DelegatedRoles::Succinct(succinct) => {
            for path in paths {
                let bin = succinct.bin(path);
                assert!(bin.as_str().starts_with(&succinct.name_prefix));
                assert!(succinct.bit_length > 10 || succinct.bins().any(|other| other == bin));
            }
        }
    }
});
