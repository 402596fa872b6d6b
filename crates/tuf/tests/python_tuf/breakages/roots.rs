//! New roots.

use serde_json::{Value as Json, json};
use tuf::Check;
use tuf::metadata::TopLevelRole;

use super::Expected::{self, Accepted, Refused};
use super::{History, List};
use crate::python_tuf::repository::{Repository, public};

pub(super) fn add(list: &mut List) {
    use History::Either;
    let mut add = |name: &str, expected, apply: fn(&mut Repository)| {
        list.add(format!("new root: {name}"), Either, expected, move |repository, _| {
            repository.next_root();
            apply(repository);
            repository.publish_root();
        });
    };
    add("with new keys", Accepted, |repository| repository.new_top_level_keys(TopLevelRole::Root));
    add("not signed by the keys before", Refused(&[Check::Signatures]), |repository| {
        repository.new_top_level_keys(TopLevelRole::Root);
        repository.earlier_root_signers.clear();
    });
    add("not signed by its own keys", Refused(&[Check::Signatures]), |repository| {
        repository.new_top_level_keys(TopLevelRole::Root);
        let own: Vec<Json> = repository.signers["root"].iter().map(|key| Json::from(key.key_id().0.clone())).collect();
        repository
            .signatures("root", move |signatures| signatures.retain(|signature| !own.contains(&signature["keyid"])));
    });
    add("skips a version", Refused(&[Check::RootVersion]), |repository| {
        repository.content("root", |content| content["version"] = (content["version"].as_u64().unwrap() + 1).into());
    });
    add("of the version before", Refused(&[Check::RootVersion]), |repository| {
        repository.content("root", |content| content["version"] = (content["version"].as_u64().unwrap() - 1).into());
    });
    add("threshold 0", Refused(&[Check::Format]), |repository| {
        let role = *repository.random.one_of(&["root", "timestamp", "snapshot", "targets"]);
        repository.content("root", move |content| content["roles"][role]["threshold"] = json!(0));
    });
    add("a threshold beyond the number of keys", Refused(&[Check::Signatures]), |repository| {
        let role = *repository.random.one_of(&["root", "timestamp", "snapshot", "targets"]);
        repository.content("root", move |content| content["roles"][role]["threshold"] = json!(9));
    });
    add("a role is missing", Refused(&[Check::Format]), |repository| {
        let role = *repository.random.one_of(&["timestamp", "snapshot", "targets"]);
        repository.content("root", move |content| {
            content["roles"].as_object_mut().unwrap().remove(role);
        });
    });
    add("one key id twice in a role", Refused(&[Check::Format]), |repository| {
        repository.content("root", |content| {
            let key_ids = content["roles"]["snapshot"]["keyids"].as_array_mut().unwrap();
            key_ids.push(key_ids[0].clone());
        });
    });
    add("a key id without a key", Accepted, |repository| {
        repository.content("root", |content| {
            content["roles"]["snapshot"]["keyids"].as_array_mut().unwrap().push("nobody".into());
        });
    });
    add("all keys of a role are missing", Refused(&[Check::Signatures]), |repository| {
        repository.new_top_level_keys(TopLevelRole::Timestamp);
        repository.content("root", |content| {
            let key_ids = content["roles"]["timestamp"]["keyids"].as_array().unwrap().clone();
            let keys = content["keys"].as_object_mut().unwrap();
            for key_id in key_ids {
                keys.remove(key_id.as_str().unwrap());
            }
        });
    });
    add("names its keys as it likes", Accepted, |repository| {
        repository.content("root", |content| {
            let keys = content["keys"].as_object_mut().unwrap();
            let unused = keys.values().next().unwrap().clone();
            keys.insert("a name, not a hash: größe".to_owned(), unused);
        });
    });
    add("keys of a broken kind that nobody needs", Accepted, |repository| {
        repository.content("root", |content| {
            let key = json!({"keytype": "ed25519", "scheme": "ed25519", "keyval": {"public": "00ff"}});
            content["keys"]["broken"] = key;
        });
    });
    add(
        "a key of an unknown kind that nobody needs",
        Expected::Differs(None, "a key that cannot be used does not count; the others do"),
        |repository| {
            repository.content("root", |content| {
                content["keys"]["new"] = json!({"keytype": "hash-based", "scheme": "lms", "keyval": {"public": "00"}});
            });
        },
    );
    add(
        "a role of a name of its own",
        Expected::Differs(None, "TUF 4.3 does not forbid what TAP 5 and others once added; it is kept and not used"),
        |repository| {
            repository.content("root", |content| content["roles"]["mirrors"] = content["roles"]["targets"].clone());
        },
    );
    add(
        "one key under two names for a threshold of two",
        Expected::Differs(Some(Check::Signatures), "TAP 12: a threshold counts keys, not names of keys"),
        |repository| {
            let key = repository.new_key();
            repository.root.set_role(TopLevelRole::Timestamp, &public(std::slice::from_ref(&key)), 1);
            repository.signers.insert("timestamp".to_owned(), vec![key.clone()]);
            repository.enough.insert("timestamp".to_owned(), 1);
            let name = key.key_id().0.clone();
            repository.content("root", move |content| {
                content["keys"]["another name"] = content["keys"][&name].clone();
                let role = &mut content["roles"]["timestamp"];
                role["threshold"] = json!(2);
                role["keyids"].as_array_mut().unwrap().push("another name".into());
            });
            repository.signatures("timestamp", |signatures| {
                let mut signature = signatures[0].clone();
                signature["keyid"] = "another name".into();
                signatures.push(signature);
            });
        },
    );
    list.add("timestamp: lists a second file", Either, Refused(&[Check::Format]), |repository, _| {
        repository.content("timestamp", |content| content["meta"]["targets.json"] = json!({"version": 1}));
    });
}
