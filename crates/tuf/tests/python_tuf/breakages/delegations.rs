//! What targets files say of others and of targets.

use serde_json::{Value as Json, json};
use tuf::Check;

use super::Expected::{self, Accepted, Refused};
use super::{History, List};

pub(super) fn add(list: &mut List) {
    use History::Either;
    let mut add = |name: &str, expected, edit: fn(&mut Json)| {
        list.add(format!("delegations: {name}"), Either, expected, move |repository, _| {
            repository.change("targets");
            let key = repository.new_key();
            // One more delegation, that no look-up comes to, to be changed as needed.
            let key_value: Json = serde_json::from_slice(&key.public().to_value().to_json()).unwrap();
            repository.content("targets", move |content| {
                let role = json!({"name": "nobody", "keyids": ["k"], "threshold": 1, "terminating": false,
                    "paths": ["matches/nothing"]});
                if content["delegations"]["roles"].is_array() {
                    content["delegations"]["roles"].as_array_mut().unwrap().push(role);
                } else {
                    content["delegations"] = json!({"keys": {}, "roles": [role]});
                }
                content["delegations"]["keys"]["k"] = key_value.clone();
                edit(&mut content["delegations"]);
            });
        });
    };
    fn last(delegations: &mut Json) -> &mut Json {
        delegations["roles"].as_array_mut().unwrap().last_mut().unwrap()
    }
    let format = Refused(&[Check::Format]);
    add("one that matches nothing", Accepted, |_| {});
    add("threshold 0", format, |delegations| last(delegations)["threshold"] = json!(0));
    add("one role twice", format, |delegations| {
        let role = last(delegations).clone();
        delegations["roles"].as_array_mut().unwrap().push(role);
    });
    add("to a top-level role", format, |delegations| last(delegations)["name"] = "snapshot".into());
    add("to a role without a name", format, |delegations| last(delegations)["name"] = "".into());
    add("paths and prefixes", format, |delegations| last(delegations)["path_hash_prefixes"] = json!(["00"]));
    add("neither paths nor prefixes", format, |delegations| {
        last(delegations).as_object_mut().unwrap().remove("paths");
    });
    add("no paths at all", Accepted, |delegations| last(delegations)["paths"] = json!([]));
    add("a path that is no text", format, |delegations| last(delegations)["paths"] = json!([1]));
    add("one key id twice", format, |delegations| last(delegations)["keyids"] = json!(["k", "k"]));
    add("listed and succinct", format, |delegations| {
        delegations["succinct_roles"] = json!({"keyids": ["k"], "threshold": 1, "bit_length": 1, "name_prefix": "b"});
    });
    add("neither listed nor succinct", format, |delegations| {
        delegations.as_object_mut().unwrap().remove("roles");
    });
    for bit_length in [0, 33] {
        let edit = match bit_length {
            0 => |delegations: &mut Json| *delegations = succinct(0),
            _ => |delegations: &mut Json| *delegations = succinct(33),
        };
        add(&format!("2^{bit_length} bins"), format, edit);
    }
    add("no keys", format, |delegations| {
        delegations.as_object_mut().unwrap().remove("keys");
    });
    add("a list", Refused(&[Check::Supported]), |delegations| *delegations = json!([]));
    add(
        "terminating is not said",
        Expected::Differs(None, "the specification's own example leaves it out; it means no"),
        |delegations| {
            last(delegations).as_object_mut().unwrap().remove("terminating");
        },
    );
    add(
        "a key of an unknown kind",
        Expected::Differs(None, "a key that cannot be used does not count; the others do"),
        |delegations| delegations["keys"]["k"]["scheme"] = "new".into(),
    );
    add(
        "a prefix in upper case",
        Expected::Differs(Some(Check::Format), "it matches nothing, which its author cannot have meant"),
        |delegations| prefix(last(delegations), "AB"),
    );
    add(
        "an empty prefix",
        Expected::Differs(Some(Check::Format), "it matches everything, which its author may not have meant"),
        |delegations| prefix(last(delegations), ""),
    );

    let mut add = |name: &str, expected, edit: fn(&mut Json)| {
        list.add(format!("targets: {name}"), Either, expected, move |repository, _| {
            repository.change("targets");
            repository.content("targets", move |content| {
                let hash = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
                content["targets"]["a.txt"] = json!({"length": 3, "hashes": {"sha256": hash}});
                edit(&mut content["targets"]["a.txt"]);
            });
        });
    };
    add("one more target", Accepted, |_| {});
    add("a target without hashes", format, |target| target["hashes"] = json!({}));
    add("a target without length", format, |target| {
        target.as_object_mut().unwrap().remove("length");
    });
    add("a target of less than no length", format, |target| target["length"] = json!(-1));
    add("a hash that is no text", format, |target| target["hashes"]["sha512"] = json!(1));
    add("a target that is no object", format, |target| *target = json!("a.txt"));
    add("a target hashed by an unknown algorithm", Accepted, |target| target["hashes"] = json!({"crc32": "00000000"}));
    add("a target with a custom field", Accepted, |target| target["custom"] = json!([null, {"\u{0}": ""}]));
}

fn succinct(bit_length: u8) -> Json {
    json!({"keys": {}, "succinct_roles":
        {"keyids": ["k"], "threshold": 1, "bit_length": bit_length, "name_prefix": "b"}})
}

fn prefix(role: &mut Json, prefix: &str) {
    let role = role.as_object_mut().unwrap();
    role.remove("paths");
    role.insert("path_hash_prefixes".to_owned(), json!([prefix]));
}
