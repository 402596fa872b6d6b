//! Somebody has fewer keys of the root than must sign, and makes a new root with them.

use serde_json::{Value, json};
use testkit::{ForgedSignatures, Profile, SignedIndex, StolenKeys};
use tuf::SigningKey;

use crate::scene::{SignedScene, index};

/// Root, targets and bins have three keys each, and two must sign.
fn scene() -> SignedScene {
    SignedScene::of(SignedIndex::new(index()).profile(Profile::Pep458 { bit_length: 1 }))
}

/// The attacker's own key.
fn own_key() -> SigningKey {
    SigningKey::ed25519(&[0xAB; 32])
}

/// Makes the attacker's key the only one of a role.
fn hand_over(signed: &mut Value, role: &str) {
    let key = own_key();
    let public = json!({
        "keytype": key.public().key_type(),
        "scheme": key.public().scheme(),
        "keyval": {"public": public_hex(&key)},
    });
    signed["keys"][key.key_id().0.as_str()] = public;
    signed["roles"][role] = json!({"keyids": [key.key_id().0], "threshold": 1});
}

fn public_hex(key: &SigningKey) -> String {
    let value = key.public().to_value();
    let public: Value = serde_json::from_slice(&value.canonical()).unwrap();
    public["keyval"]["public"].as_str().unwrap().to_owned()
}

/// Adds the attacker's signature to a file.
fn also_signed(file: &[u8]) -> Vec<u8> {
    let mut file: Value = serde_json::from_slice(file).unwrap();
    let text = file["signed"].to_string();
    let message = tuf::json::parse(text.as_bytes()).unwrap().canonical();
    let signature = own_key().sign(&message);
    let signature = json!({"keyid": signature.key_id.0, "sig": signature.signature});
    file["signatures"].as_array_mut().unwrap().push(signature);
    file.to_string().into_bytes()
}

/// The next root, as the owner would make it but for `edit`.
fn next_root(scene: &SignedScene, edit: impl FnOnce(&mut Value)) -> Value {
    let mut signed = scene.server.signed("root");
    signed["version"] = 2.into();
    edit(&mut signed);
    signed
}

/// This is refused as the next root, and leaves nothing behind.
#[track_caller]
fn is_refused(scene: &SignedScene, root: &[u8], code: &str) {
    scene.server.replace("/tuf/2.root.json", root);
    let code = format!("code      {code}");
    scene.refuses(&["app"], 10, &["(root)", "refused   root version 2", "expected", "received", &code]);
    assert!(!scene.stored("root_history/2.root.json").exists());
    assert!(!scene.stored("root.json").exists(), "a root was stored");
    scene.server.honest();
}

/// The honest next root is followed all the same.
#[track_caller]
fn follows_the_honest_one(scene: &SignedScene) {
    scene.server.rotate("root");
    scene.recovers(&["app"], &["app-1.0", "library-2.0"]);
    assert!(scene.stored("root_history/2.root.json").exists());
}

#[test]
fn too_few_signatures_in_every_way() {
    let scene = scene();
    for signed_by in [
        ForgedSignatures::TooFew,
        ForgedSignatures::OneKeyRepeated,
        ForgedSignatures::OneKeyUnderAllNames,
        ForgedSignatures::WrongKeys,
        ForgedSignatures::WrongKeysUnderRightNames,
        ForgedSignatures::EarlierContent,
        ForgedSignatures::Nobody,
    ] {
        let signed = next_root(&scene, |signed| hand_over(signed, "timestamp"));
        let root = scene.server.file_signed_by("root", &signed, signed_by);
        // TUF 4.2.1: a key signs once.
        let is_doubled = signed_by == ForgedSignatures::OneKeyRepeated;
        is_refused(&scene, &root, if is_doubled { "trust.malformed" } else { "trust.signatures" });
    }
    follows_the_honest_one(&scene);
}

/// New keys that vouch for themselves are nothing without enough of the old ones (TUF 5.3.4).
#[test]
fn a_root_of_his_own_with_one_old_signature() {
    let scene = scene();
    let signed = next_root(&scene, |signed| hand_over(signed, "root"));
    let root = also_signed(&scene.server.file_signed_by("root", &signed, ForgedSignatures::TooFew));
    is_refused(&scene, &root, "trust.signatures");
    follows_the_honest_one(&scene);
}

/// So that the stories above can fail: with one signature more, the index is his.
#[test]
fn with_enough_signatures_the_index_changes_hands() {
    let scene = scene();
    let signed = next_root(&scene, |signed| hand_over(signed, "root"));
    let root = also_signed(&scene.server.file_signed_by("root", &signed, ForgedSignatures::RightKeys));
    scene.server.replace("/tuf/2.root.json", root);
    scene.installs(&["app"]);
    assert!(scene.stored("root_history/2.root.json").exists());
}

/// An honest rotation of which signatures were taken away: those of the new root, then those of the old one.
#[test]
fn a_rotation_with_one_signature_too_few() {
    for taken_from in ["/tuf/2.root.json", "/tuf/1.root.json"] {
        let scene = scene();
        scene.server.rotate("root");
        let files = scene.server.files();
        let mut rotated: Value = serde_json::from_slice(&files["/tuf/2.root.json"]).unwrap();
        let of: Value = serde_json::from_slice(&files[taken_from]).unwrap();
        let key_ids = of["signed"]["roles"]["root"]["keyids"].as_array().unwrap();
        let mut kept = 0;
        rotated["signatures"].as_array_mut().unwrap().retain(|signature| {
            let is_one_of_them = key_ids.contains(&signature["keyid"]);
            kept += usize::from(is_one_of_them);
            !is_one_of_them || kept == 1
        });
        assert_eq!(kept, 3);
        is_refused_and_the_rotation_followed(&scene, &rotated);
    }
}

#[track_caller]
fn is_refused_and_the_rotation_followed(scene: &SignedScene, root: &Value) {
    scene.server.replace("/tuf/2.root.json", root.to_string());
    scene.refuses(&["app"], 10, &["(root)", "refused   root version 2", "expected", "code      trust.signatures"]);
    assert!(!scene.stored("root_history/2.root.json").exists());
    scene.recovers(&["app"], &["app-1.0", "library-2.0"]);
}

/// One person cannot be two: the same key, written down twice.
#[test]
fn one_key_under_two_names() {
    let scene = scene();
    let mut alias = String::new();
    let signed = next_root(&scene, |signed| {
        let key_id = signed["roles"]["root"]["keyids"][0].as_str().unwrap().to_owned();
        alias = format!("{:0<64}", "a11a5");
        signed["keys"][alias.as_str()] = signed["keys"][key_id.as_str()].clone();
        signed["roles"]["root"]["keyids"] = json!([key_id, alias]);
    });
    let mut root: Value =
        serde_json::from_slice(&scene.server.file_signed_by("root", &signed, ForgedSignatures::RightKeys)).unwrap();
    let first = root["signatures"][0]["sig"].clone();
    root["signatures"].as_array_mut().unwrap().push(json!({"keyid": alias, "sig": first}));
    is_refused(&scene, root.to_string().as_bytes(), "trust.");
    follows_the_honest_one(&scene);
}

/// Signed by all who should, and yet no root: a threshold is a whole number from 1.
#[test]
fn thresholds_that_are_none() {
    for role in ["root", "timestamp"] {
        let scene = scene();
        for threshold in [json!(0), json!(-1), json!(1.5), json!("1"), Value::Null, json!(u64::MAX), json!(1e30)] {
            let signed = next_root(&scene, |signed| signed["roles"][role]["threshold"] = threshold.clone());
            let root = scene.server.file_signed_by("root", &signed, ForgedSignatures::RightKeys);
            is_refused(&scene, &root, "trust.");
        }
        follows_the_honest_one(&scene);
    }
}

/// A threshold that nobody can reach leaves a role that nobody can sign for.
#[test]
fn roles_without_keys() {
    for role in ["root", "timestamp"] {
        let scene = scene();
        let signed = next_root(&scene, |signed| signed["roles"][role] = json!({"keyids": [], "threshold": 1}));
        let root = scene.server.file_signed_by("root", &signed, ForgedSignatures::RightKeys);
        scene.server.replace("/tuf/2.root.json", root);
        let before = scene.environment.state();
        scene.install(&["app"]).expect_code(10).expect_stderr(&["expected", "received", "code      trust."]);
        assert_eq!(scene.environment.state(), before);
    }
}

/// The kit's own word for it: what one key of the root can do.
#[test]
fn a_single_stolen_key_takes_no_role_over() {
    for role in ["root", "timestamp", "snapshot", "targets"] {
        let scene = scene();
        scene.server.forge("root", StolenKeys::RootBelowThreshold, |signed| hand_over(signed, role));
        scene.refuses(&["app"], 10, &["(root)", "code      trust.signatures"]);
        scene.recovers(&["app"], &["app-1.0", "library-2.0"]);
    }
}
