//! What can be wrong with the file of any role: signatures, expiry, form, and what others say of it.

use serde_json::{Value as Json, json};
use tuf::{Check, HashAlgorithm, UnixTime};

use super::Expected::{self, Accepted, LookUpsRefused, Refused};
use super::{History, List};
use crate::python_tuf::repository::{DAY, Description, Repository};

pub(super) fn of_all(list: &mut List, place: &'static str) {
    use History::Either;
    let mut add = |what: &str, expected, apply: fn(&mut Repository, &str)| {
        list.add(format!("{place}: {what}"), Either, expected, move |repository, delegated| {
            let role = renewed(repository, place, delegated);
            apply(repository, &role);
            published(repository, &role);
        });
    };
    add(
        "signed by other keys under the names of the right ones",
        at(place, &[Check::Signatures]),
        |repository, role| {
            let impostor = repository.new_key();
            repository.signatures(role, move |signatures| {
                for signature in signatures {
                    signature["sig"] = impostor.sign(b"whatever").signature.into();
                }
            });
        },
    );
    add("signed by other keys", at(place, &[Check::Signatures]), |repository, role| {
        let impostor = repository.new_key();
        repository.signatures(role, move |signatures| {
            for signature in signatures.iter_mut() {
                signature["keyid"] = impostor.key_id().0.clone().into();
            }
            signatures.truncate(1);
        });
    });
    add("one signature too few", at(place, &[Check::Signatures]), |repository, role| {
        let too_few = repository.enough[role] - 1;
        repository.signatures(role, move |signatures| signatures.truncate(too_few));
    });
    add("no signatures", at(place, &[Check::Signatures]), |repository, role| {
        repository.signatures(role, Vec::clear);
    });
    add("spare signatures are rubbish", Accepted, |repository, role| {
        let enough = repository.enough[role];
        let earlier = if role == "root" { repository.earlier_root_signers.len() } else { 0 };
        repository.signatures(role, move |signatures| {
            for (signature, rubbish) in signatures.iter_mut().skip(enough.max(earlier)).zip(["", "rubbish"]) {
                signature["sig"] = rubbish.into();
            }
        });
    });
    add(
        "content changed after signing",
        at(place, &[Check::Signatures, Check::LengthAndHashes, Check::Size]),
        |repository, role| {
            repository.file(role, |bytes| {
                let mut file: Json = serde_json::from_slice(bytes).unwrap();
                file["signed"]["x"] = "y".into();
                *bytes = serde_json::to_vec(&file).unwrap();
            });
        },
    );
    add("one key id twice in the signatures", at(place, &[Check::Format]), |repository, role| {
        repository.signatures(role, |signatures| signatures.push(signatures[0].clone()));
    });
    add("signatures that are empty, not hex, or by strangers", Accepted, |repository, role| {
        let stranger = repository.new_key();
        repository.signatures(role, move |signatures| {
            let signature = stranger.sign(b"whatever").signature;
            signatures.insert(0, json!({"keyid": "nobody", "sig": ""}));
            signatures.insert(0, json!({"keyid": stranger.key_id().0, "sig": signature}));
            signatures.push(json!({"keyid": "a ghost", "sig": "boo"}));
        });
    });
    add("unknown fields", Accepted, |repository, role| {
        repository.content(role, |content| content["x-größe"] = json!({"\u{7f}": [1, -1, null, "\u{2028}"]}));
    });
    add("metadata of another type", at(place, &[Check::Type]), |repository, role| {
        repository.content(role, |content| {
            let other = if content["_type"] == "snapshot" { "timestamp" } else { "snapshot" };
            content["_type"] = other.into();
        });
    });
    add("version 2 of the specification", at(place, &[Check::Supported]), |repository, role| {
        repository.content(role, |content| content["spec_version"] = "2.0.0".into());
    });
    add("an unreadable version of the specification", at(place, &[Check::Format]), |repository, role| {
        let version = *repository.random.one_of(&["1", "1.0.x", "1.0.0.0", "", "v1.0.0", "1..0"]);
        repository.content(role, move |content| content["spec_version"] = version.into());
    });
    add("version 1.0 of the specification", Accepted, |repository, role| {
        repository.content(role, |content| content["spec_version"] = "1.0".into());
    });
    add("a date in another form", at(place, &[Check::Format]), |repository, role| {
        let forms = [
            "2035-01-01T00:00:00.5Z",
            "2035-01-01 00:00:00Z",
            "2035-01-01T00:00:00+00:00",
            "2035-02-30T00:00:00Z",
            "2035-1-1T0:0:0Z",
            "",
        ];
        let form = *repository.random.one_of(&forms);
        repository.content(role, move |content| content["expires"] = form.into());
    });
    add("a version that is none", at(place, &[Check::Format]), |repository, role| {
        let version = repository.random.one_of(&[json!(0), json!(-1), json!("1"), Json::Null]).clone();
        repository.content(role, move |content| content["version"] = version.clone());
    });
    add("a field is missing", at(place, &[Check::Format]), |repository, role| {
        let field = *repository.random.one_of(&["_type", "spec_version", "version", "expires"]);
        repository.content(role, move |content| {
            content.as_object_mut().unwrap().remove(field);
        });
    });
    add("not JSON", at(place, &[Check::Format, Check::LengthAndHashes]), |repository, role| {
        repository.file(role, |bytes| bytes.truncate(bytes.len() - 1));
    });
    add("empty", at(place, &[Check::Format, Check::LengthAndHashes]), |repository, role| {
        repository.file(role, Vec::clear);
    });
    add("expired", at(place, &[Check::Expiry]), |repository, role| {
        let ago = *repository.random.one_of(&[0, 1, DAY]);
        let expires = UnixTime(repository.now.0 - ago).to_string();
        repository.content(role, move |content| content["expires"] = expires.clone().into());
    });
    add("expires in a second", Accepted, |repository, role| {
        let expires = UnixTime(repository.now.0 + 1).to_string();
        repository.content(role, move |content| content["expires"] = expires.clone().into());
    });

    add(
        "one member of an object twice",
        Expected::Differs(
            Some(Check::Format),
            "which of the two is meant depends on the reader, so no text may mean two things",
        ),
        |repository, role| {
            repository.described_by = Description { length: false, hashes: Vec::new() };
            repository.file(role, |bytes| {
                let text = String::from_utf8(bytes.clone()).unwrap();
                *bytes = text.replacen("{\"_type\"", "{\"_type\":\"x\",\"_type\"", 1).into_bytes();
            });
        },
    );
}

pub(super) fn of_all_but_root(list: &mut List, place: &'static str) {
    let mut add = |what: &str, expected, apply: fn(&mut Repository, &str)| {
        list.add(format!("{place}: {what}"), History::Either, expected, move |repository, delegated| {
            let role = renewed(repository, place, delegated);
            apply(repository, &role);
        });
    };
    add("missing", at(place, &[Check::Present]), Repository::missing);
    add("longer than any limit", at(place, &[Check::Size]), |repository, role| {
        repository.described_by = Description { length: false, hashes: Vec::new() };
        let limit = if role == "timestamp" { 16 << 10 } else { 16 << 20 };
        repository.file(role, move |bytes| bytes.resize(limit + 1, b' '));
    });
    add(
        "a version beyond 63 bits",
        Expected::Differs(Some(Check::Format), "Python counts without end, nobody else does"),
        |repository, role| match role {
            "timestamp" => repository.timestamp.version = 1 << 63,
            "snapshot" => repository.snapshot.version = 1 << 63,
            _ => repository.targets.get_mut(role).unwrap().version = 1 << 63,
        },
    );
}

pub(super) fn of_described(list: &mut List, place: &'static str) {
    let mut add = |what: &str, expected, apply: fn(&mut Repository, &str, &'static str, String)| {
        list.add(format!("{place}: {what}"), History::Either, expected, move |repository, delegated| {
            let role = renewed(repository, place, delegated);
            let by = if role == "snapshot" { "timestamp" } else { "snapshot" };
            apply(repository, &role, by, format!("{role}.json"));
        });
    };
    const BY_HASH: [HashAlgorithm; 2] = [HashAlgorithm::Sha256, HashAlgorithm::Blake2b];
    add("another content than hashed", at(place, &[Check::LengthAndHashes]), |repository, role, _, _| {
        repository.described_by = Description { length: false, hashes: BY_HASH.to_vec() };
        repository.file(role, |bytes| bytes.push(b'\n'));
    });
    add("one of two hashes wrong", at(place, &[Check::LengthAndHashes]), |repository, _, by, file| {
        repository.described_by = Description { length: false, hashes: BY_HASH.to_vec() };
        let algorithm = *repository.random.one_of(&["sha256", "blake2b"]);
        repository.content(by, move |content| {
            let hash = &mut content["meta"][&file]["hashes"][algorithm];
            let digits: String = hash.as_str().unwrap().chars().rev().collect();
            *hash = digits.into();
        });
    });
    add("longer than described", at(place, &[Check::Size]), |repository, role, _, _| {
        repository.described_by = Description { length: true, hashes: Vec::new() };
        repository.file(role, |bytes| bytes.push(b'\n'));
    });
    add("shorter than described", at(place, &[Check::LengthAndHashes]), |repository, _, by, file| {
        repository.described_by = Description { length: true, hashes: Vec::new() };
        repository.content(by, move |content| {
            let length = &mut content["meta"][&file]["length"];
            *length = (length.as_u64().unwrap() + 1).into();
        });
    });
    add("of a later version than listed", at(place, &[Check::Version]), |repository, role, _, _| {
        repository.described_by = Description { length: false, hashes: Vec::new() };
        repository.content(role, |content| content["version"] = (content["version"].as_u64().unwrap() + 1).into());
    });
    add("of an earlier version than listed", at(place, &[Check::Version]), |repository, role, _, _| {
        repository.described_by = Description { length: false, hashes: Vec::new() };
        repository.content(role, |content| content["version"] = (content["version"].as_u64().unwrap() - 1).into());
    });
    add("hashed by an unknown algorithm alone", at(place, &[Check::Supported]), |repository, _, by, file| {
        repository.content(by, move |content| content["meta"][&file]["hashes"] = json!({"crc32": "00000000"}));
    });
    add("listed with an empty object of hashes", Refused(&[Check::Format]), |repository, _, by, file| {
        repository.content(by, move |content| content["meta"][&file]["hashes"] = json!({}));
    });
    add("listed with version 0", Refused(&[Check::Format]), |repository, _, by, file| {
        repository.content(by, move |content| content["meta"][&file]["version"] = json!(0));
    });
    add("listed with a length below zero", Refused(&[Check::Format]), |repository, _, by, file| {
        repository.content(by, move |content| content["meta"][&file]["length"] = json!(-1));
    });
    add(
        "hashed by an unknown algorithm besides a known one",
        Expected::Differs(None, "a known hash that matches proves the content; an unknown one takes nothing away"),
        |repository, _, by, file| {
            repository.described_by = Description { length: false, hashes: BY_HASH.to_vec() };
            repository.content(by, move |content| content["meta"][&file]["hashes"]["crc32"] = "00000000".into());
        },
    );
    add(
        "hash in upper case",
        Expected::Differs(None, "hex is hex; python-tuf compares texts"),
        |repository, _, by, file| {
            repository.described_by = Description { length: false, hashes: vec![HashAlgorithm::Sha256] };
            repository.content(by, move |content| {
                let hash = &mut content["meta"][&file]["hashes"]["sha256"];
                *hash = hash.as_str().unwrap().to_uppercase().into();
            });
        },
    );
}

/// Makes a next version of a role's file, so that there is something to fetch; gives the role's name.
fn renewed(repository: &mut Repository, place: &str, delegated: &str) -> String {
    let role = if place == "delegated" { delegated } else { place };
    match role {
        "root" => repository.next_root(),
        _ => repository.change(role),
    }
    role.to_owned()
}

/// Roots are only published on demand.
fn published(repository: &mut Repository, role: &str) {
    if role == "root" {
        repository.publish_root();
    }
}

const fn at(place: &str, checks: &'static [Check]) -> Expected {
    match place.as_bytes() {
        b"delegated" => LookUpsRefused(checks),
        _ => Refused(checks),
    }
}
