//! Metadata that is no metadata. It is refused before and after the check of its signatures, and nothing of it is written
//! anywhere but where metadata belongs.

use std::path::Path;

use serde_json::{Value, json};
use testkit::{Environment, ForgedSignatures, Outcome, SignedIndex, StolenKeys, Wheel, target, tree};
use tuf::SigningKey;

use crate::scene::{SignedScene, index};

/// Not JSON, or not as TUF has it: bytes.
fn broken_files() -> Vec<(&'static str, Vec<u8>)> {
    let signed =
        r#"{"_type":"timestamp","expires":"2090-01-01T00:00:00Z","meta":{},"spec_version":"1.0.31","version":9}"#;
    let file = |signed: &str| format!(r#"{{"signatures":[],"signed":{signed}}}"#).into_bytes();
    let deep = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    vec![
        ("nothing", Vec::new()),
        ("no JSON", b"<html>".to_vec()),
        ("no object", b"[]".to_vec()),
        ("null", b"null".to_vec()),
        ("deep", deep(5_000).into_bytes()),
        ("deep and open", "[".repeat(15_000).into_bytes()),
        ("deep inside", file(&signed.replace("{}", &format!("{{\"x\":{}}}", deep(5_000))))),
        ("signed twice", format!(r#"{{"signatures":[],"signed":{signed},"signed":{signed}}}"#).into_bytes()),
        ("two versions", file(&signed.replace(r#""version":9"#, r#""version":1,"version":9"#))),
        ("NaN", file(&signed.replace(":9}", ":NaN}"))),
        ("Infinity", file(&signed.replace(":9}", ":Infinity}"))),
        ("1e400", file(&signed.replace(":9}", ":1e400}"))),
        ("ten thousand digits", file(&signed.replace(":9}", &format!(":{}}}", "9".repeat(10_000))))),
        ("2^64", file(&signed.replace(":9}", ":18446744073709551616}"))),
        ("invalid UTF-8", file(signed).into_iter().map(|byte| if byte == b'Z' { 0xFF } else { byte }).collect()),
        ("byte order mark", [b"\xEF\xBB\xBF".to_vec(), file(signed)].concat()),
        ("half a surrogate", file(&signed.replace("{}", r#"{"\ud800":1}"#))),
        ("NUL", file(&signed.replace("{}", "{\"\0\":1}"))),
        ("more behind it", [file(signed), b"{}".to_vec()].concat()),
        ("no signatures", format!(r#"{{"signed":{signed}}}"#).into_bytes()),
        ("signatures of another kind", format!(r#"{{"signatures":{{}},"signed":{signed}}}"#).into_bytes()),
    ]
}

/// Each of them in the place of each role, under a hash that is signed where one is.
#[test]
fn bytes_that_are_no_metadata() {
    for role in ["root", "timestamp", "snapshot", "targets", "index"] {
        let scene = SignedScene::signed();
        // What reads them is the same for all roles.
        let step = if role == "timestamp" { 1 } else { 4 };
        for (name, bytes) in broken_files().into_iter().step_by(step) {
            scene.server.forge_bytes(role, StolenKeys::Online, &bytes);
            let named = format!("({role})");
            let outcome = scene.refuses_and_learns(&["app"], 10, &[&named, "expected", "received", "code      trust."]);
            expect_refused_for_what_it_is(&outcome, role, name);
            scene.server.honest();
            // What he signed so far has to be older than what he signs next.
            for _ in 0..3 {
                scene.server.publish(|index| index);
            }
        }
        for role in ["snapshot", "timestamp"] {
            scene.server.rotate(role);
        }
        scene.recovers(&["app"], &["app-1.0", "library-2.0"]);
    }
}

/// Well signed nonsense: the owner's own software has gone mad, or those with the keys have.
#[test]
fn signed_content_that_is_no_metadata() {
    type Edit = fn(&mut Value);
    let edits: [(&str, Edit); 16] = [
        ("type of another role", |signed| signed["_type"] = "mirrors".into()),
        ("no type", |signed| signed["_type"] = Value::Null),
        ("type of another kind", |signed| signed["_type"] = json!(["root"])),
        ("another TUF", |signed| signed["spec_version"] = "2.0.0".into()),
        ("no TUF", |signed| signed["spec_version"] = "".into()),
        ("version 0", |signed| signed["version"] = 0.into()),
        ("version -1", |signed| signed["version"] = (-1).into()),
        ("version 1.5", |signed| signed["version"] = 1.5.into()),
        ("version in words", |signed| signed["version"] = "3".into()),
        ("a huge version", |signed| signed["version"] = 1e30.into()),
        ("no version", |signed| signed["version"] = Value::Null),
        ("no expiry", |signed| signed["expires"] = Value::Null),
        ("expires never", |signed| signed["expires"] = "never".into()),
        ("expires in another zone", |signed| signed["expires"] = "2090-01-01T00:00:00+02:00".into()),
        ("expires in the year 10000", |signed| signed["expires"] = "10000-01-01T00:00:00Z".into()),
        ("expires on no day", |signed| signed["expires"] = "2090-02-30T00:00:00Z".into()),
    ];
    for role in ["root", "timestamp", "snapshot", "targets", "index"] {
        let step = if role == "timestamp" { 1 } else { 3 };
        for (name, edit) in edits.into_iter().step_by(step) {
            let scene = SignedScene::signed();
            // The role's next file, under a name that does not depend on what is in it.
            let mut signed = scene.server.signed(role);
            signed["version"] = (scene.server.version(role) + 1).into();
            edit(&mut signed);
            let bytes = scene.server.file_signed_by(role, &signed, ForgedSignatures::RightKeys);
            scene.server.forge_bytes(role, StolenKeys::Online, &bytes);
            let named = format!("({role})");
            let outcome = scene.refuses_and_learns(&["app"], 10, &[&named, "expected", "received", "code      trust."]);
            expect_refused_for_what_it_is(&outcome, role, name);
            assert!(!outcome.stderr.contains("trust.signatures"), "{role}, {name}: {}", outcome.stderr);
            assert!(!scene.stored("root_history/2.root.json").exists(), "{role}, {name}");
        }
    }
}

/// The story has come as far as reading it.
#[track_caller]
fn expect_refused_for_what_it_is(outcome: &Outcome, role: &str, name: &str) {
    for piece in ["panicked", "trust.hash-mismatch", "trust.rollback"] {
        assert!(!outcome.stderr.contains(piece), "{role}, {name}: {}", outcome.stderr);
    }
}

/// The file of one role in the place of another, with all signatures.
#[test]
fn the_file_of_another_role() {
    for (role, other) in
        [("timestamp", "snapshot"), ("snapshot", "targets"), ("targets", "index"), ("index", "targets")]
    {
        let scene = SignedScene::signed();
        let file = scene.server.files()[&scene.server.role_path(other)].clone();
        scene.server.forge_bytes(role, StolenKeys::Online, &file);
        let named = format!("({role})");
        scene.refuses_and_learns(&["app"], 10, &[&named, "expected", "received", "code      trust."]);
        for role in ["snapshot", "timestamp"] {
            scene.server.rotate(role);
        }
        scene.recovers(&["app"], &["app-1.0", "library-2.0"]);
    }
}

/// Names that are paths, as names of delegated roles whose files are there and well signed.
#[test]
fn names_of_roles_that_lead_elsewhere() {
    for name in [
        "../evil",
        "../../../../evil",
        "/evil",
        "..",
        ".",
        "a/b",
        "a\\b",
        "evil\0",
        "evil\n",
        "root",
        "timestamp",
        "targets",
        "1.root",
        "CON",
        "\u{202e}live",
        "",
    ] {
        let scene = SignedScene::signed();
        let long_name = if name.is_empty() { "e".repeat(300) } else { name.to_owned() };
        delegate_to(&scene, &long_name);
        let outside = outside(&scene.environment);
        let root = std::fs::read(scene.stored("root_history/1.root.json")).unwrap();
        let outcome = scene.install(&["app"]);
        assert!(matches!(outcome.code, Some(0 | 10 | 11)), "{name:?}: {:?}\n{}", outcome.code, outcome.stderr);
        assert!(!outcome.stderr.contains("panicked"), "{name:?}: {}", outcome.stderr);
        assert!(!outcome.stderr.contains(['\0', '\u{202e}']), "{name:?}: {}", outcome.stderr);
        assert_eq!(self::outside(&scene.environment), outside, "{name:?}: written outside");
        assert_eq!(std::fs::read(scene.stored("root_history/1.root.json")).unwrap(), root);
        assert_eq!(top_level(&scene), top_level_expected(&scene), "{name:?}");
        if matches!(name, "../evil" | "root") {
            for role in ["snapshot", "timestamp", "targets"] {
                scene.server.rotate(role);
            }
            scene.recovers(&["app"], &["app-1.0", "library-2.0"]);
        }
    }
}

/// So that the story above can fail: with a name like others, the role is asked for and kept.
#[test]
fn a_name_like_others() {
    let scene = SignedScene::signed();
    delegate_to(&scene, "team");
    scene.installs(&["app"]);
    assert_eq!(scene.server.requests_for("/tuf/1.team.json").len(), 1);
    let name = scene.stored("").file_name().unwrap().to_owned();
    let roles = scene.environment.cache().join("tufpip/tuf").join(name).join("roles");
    assert!(roles.join("team.json").exists());
}

/// `targets` delegates everything to a role of this name before anybody else; its key and file are there.
fn delegate_to(scene: &SignedScene, name: &str) {
    let key = SigningKey::ed25519(&[0xCD; 32]);
    let key_id = key.key_id().0.clone();
    let public: Value = serde_json::from_slice(&key.public().to_value().canonical()).unwrap();
    let mut role = scene.server.signed("index");
    role["version"] = 1.into();
    role["targets"] = json!({});
    let message = tuf::json::parse(role.to_string().as_bytes()).unwrap().canonical();
    let signature = json!({"keyid": key_id, "sig": key.sign(&message).signature});
    let file = json!({"signatures": [signature], "signed": role}).to_string().into_bytes();
    // However the program encodes the name.
    let served = file.clone();
    let is_metadata =
        |path: &str| ["timestamp", ".snapshot.", ".targets.", ".index."].iter().any(|known| path.contains(known));
    scene.server.intercept(move |request| {
        let is_its = request.path.starts_with("/tuf/1.") && !is_metadata(&request.path);
        is_its.then(|| testkit::Response::ok("application/json", served.clone()))
    });
    scene.server.forge_signed_by("targets", ForgedSignatures::RightKeys, StolenKeys::Online, |signed| {
        signed["delegations"]["keys"][&key_id] = public;
        let mut listed = vec![json!({
            "name": name, "keyids": [key_id], "threshold": 1, "terminating": false,
            "path_hash_prefixes": (0..16).map(|digit| format!("{digit:x}")).collect::<Vec<_>>(),
        })];
        listed.extend(signed["delegations"]["roles"].as_array().unwrap().iter().cloned());
        signed["delegations"]["roles"] = listed.into();
    });
    scene.server.forge("snapshot", StolenKeys::Online, |signed| {
        signed["meta"][format!("{name}.json")] = target(&file);
        signed["meta"][format!("{name}.json")]["version"] = 1.into();
    });
}

/// All that is on the disk of the user, but for where metadata and other content of indexes belong, and for what each command
/// with a signed index writes: the user's key, and that the index is trusted.
fn outside(environment: &Environment) -> Vec<String> {
    let root = environment.home().parent().map(Path::to_owned).unwrap();
    let own =
        ["home/.local/share/tufpip/tuf-repositories/", "home/.local/share/tufpip/local-key ", "cache/tufpip/", "venv/"];
    let is_own = |line: &str| own.iter().any(|own| line.starts_with(own));
    let is_memory = |line: &str| {
        let memory = line.strip_prefix("home/.local/share/tufpip/tuf-remembered/");
        let hash =
            |name: &str| name.is_empty() || (name.len() == 56 && name.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let (name, file) = memory.and_then(|memory| memory.split_once('/')).or(memory.map(|name| (name, "")))?;
        let known = file.is_empty() || file.starts_with("lock ") || file.starts_with("trusted-by-user.json ");
        (hash(name) && known).then_some(())
    };
    tree(&root).into_iter().filter(|line| !is_own(line) && is_memory(line).is_none()).collect()
}

/// What lies in the store of the index: nothing has a name but top-level metadata.
fn top_level(scene: &SignedScene) -> Vec<String> {
    let entries = std::fs::read_dir(scene.stored("")).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

fn top_level_expected(scene: &SignedScene) -> Vec<String> {
    let all = ["lock", "root.json", "root_history", "snapshot.json", "targets.json", "timestamp.json", "trust.json"];
    all.iter().filter(|name| scene.stored(name).exists()).map(ToString::to_string).collect()
}

/// Names that are paths, as names of targets and of files on a signed page.
#[test]
fn names_of_targets_that_lead_elsewhere() {
    let names =
        ["../evil", "../../../../evil", "/evil", "simple/../../evil", "evil\0", "a\\..\\b", "", ".", "%2e%2e/evil"];
    let scene = SignedScene::of(SignedIndex::new(index()));
    scene.server.forge("index", StolenKeys::Online, |signed| {
        for name in names {
            signed["targets"][name] = target(b"evil");
        }
    });
    let outside = outside(&scene.environment);
    scene.installs(&["app"]);
    scene.expect_installed(&["app-1.0", "library-2.0"]);
    assert_eq!(self::outside(&scene.environment), outside);

    let evil = Wheel::new("app", "9.0").build();
    for name in
        ["../../../app-9.0-py3-none-any.whl", "/app-9.0-py3-none-any.whl", "app-9.0-py3-none-any.whl\0", "..", ""]
    {
        let scene = SignedScene::signed();
        let mut page: Value = serde_json::from_slice(&scene.server.page("app")).unwrap();
        let file = json!({"filename": name, "url": "../../files/evil.whl", "size": evil.bytes.len(),
            "hashes": {"sha256": evil.sha256()}});
        page["files"].as_array_mut().unwrap().push(file);
        scene.server.replace("/files/evil.whl", evil.bytes.clone());
        scene.server.forge_page("app", page.to_string().as_bytes(), StolenKeys::Online);
        let outside = self::outside(&scene.environment);
        scene.installs(&["app"]);
        scene.expect_installed(&["app-1.0", "library-2.0"]);
        assert_eq!(self::outside(&scene.environment), outside, "{name:?}");
    }
}
