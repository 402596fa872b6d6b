//! `trust`: a root is pinned, shown, followed and forgotten, and what cannot be trusted changes nothing.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;
use testkit::{
    Command, Environment, Index, IndexBehavior, Outcome, Response, SignedIndex, SignedLayout, SignedServer, Wheel,
    in_seconds, tree,
};
use tuf::metadata::{Metadata, Root, TopLevelRole};
use tuf::{KeyId, SigningKey};

use crate::scene::{text, tufpip};

/// A signed index that nobody trusts yet.
struct Untrusted {
    environment: Environment,
    server: SignedServer,
    /// The file that its operator published.
    root: PathBuf,
}

impl Untrusted {
    fn new() -> Self {
        Self::of(SignedIndex::new(Index::new().add(Wheel::new("app", "1.0").build())))
    }

    fn of(index: SignedIndex) -> Self {
        let (environment, server) = (Environment::new(), index.serve());
        let root = environment.write("root.json", server.root());
        Self { environment, server, root }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let port = self.server.url("");
        tufpip(&self.environment).env("PIP_RETRIES", "0").showing(&port, "$INDEX").args(arguments)
    }

    fn trust(&self, arguments: &[&str]) -> Outcome {
        self.command(&["trust"]).args(arguments).run()
    }

    /// `trust add` of the index.
    fn add(&self, arguments: &[&str]) -> Outcome {
        self.command(&["trust", "add", &self.server.index_url()]).args(arguments).run()
    }

    fn add_root(&self) -> Outcome {
        self.add(&["--root", text(&self.root)])
    }

    /// `trust add`, which must end with this code, say these things, and leave no trace.
    #[track_caller]
    fn refuses(&self, arguments: &[&str], code: i32, pieces: &[&str]) {
        let before = tree(&self.environment.data());
        self.add(arguments).expect_code(code).expect_stderr(pieces);
        assert_eq!(tree(&self.environment.data()), before, "the store of trust changed");
        assert_eq!(self.environment.leftovers(), Vec::<String>::new());
    }

    /// Where its trust is kept.
    fn directory(&self) -> PathBuf {
        self.server.trust_directory(&self.environment.trust_store())
    }

    fn trust_file(&self) -> Value {
        serde_json::from_slice(&fs::read(self.directory().join("trust.json")).unwrap()).unwrap()
    }
}

#[track_caller]
fn expect_stdout(outcome: &Outcome, pieces: &[&str]) {
    for piece in pieces {
        assert!(outcome.stdout.contains(piece), "expected {piece} in\n{}{}", outcome.stdout, outcome.stderr);
    }
}

#[test]
fn a_root_from_a_file() {
    let scene = Untrusted::new();
    let added = scene.add_root().expect_code(0);
    let sha256 = scene.server.root_sha256();
    let (index, metadata) = (scene.server.index_url(), scene.server.metadata_url());
    expect_stdout(
        &added,
        &[&index, &metadata, &sha256, "version 1", "1 of these must sign", "expires in", "Metadata verified: root 1"],
    );
    assert_eq!(added.stderr, "");

    let trust = scene.trust_file();
    assert_eq!((&trust["index_url"], &trust["metadata_url"]), (&Value::from(index), &Value::from(metadata)));
    let anchor = &trust["anchor"];
    assert_eq!((&anchor["kind"], &anchor["version"]), (&Value::from("file"), &Value::from(1)));
    assert_eq!((&anchor["sha256"], &anchor["source"]), (&Value::from(sha256), &Value::from(text(&scene.root))));
    assert_eq!(fs::read(scene.directory().join("root_history/1.root.json")).unwrap(), scene.server.root());
    use std::os::unix::fs::MetadataExt as _;
    assert_eq!(fs::metadata(scene.directory()).unwrap().mode() & 0o077, 0, "others can look into it");

    let install = scene.command(&["install", "app", "-i", &scene.server.index_url()]).run().expect_code(0);
    assert_eq!(scene.environment.installed(), ["app-1.0"], "{}", install.stdout);
}

#[test]
fn a_root_from_a_url_with_its_hash() {
    let scene = Untrusted::new();
    let url = scene.server.url("/tuf/1.root.json");
    scene.refuses(&["--root", &url], 2, &["--root-sha256", "proves nothing by itself"]);
    let sha256 = scene.server.root_sha256().to_uppercase();
    scene.add(&["--root", &url, "--root-sha256", &sha256]).expect_code(0);
    let anchor = &scene.trust_file()["anchor"];
    assert_eq!((&anchor["kind"], &anchor["source"]), (&Value::from("url"), &Value::from(url)));
}

#[test]
fn a_root_that_was_replaced() {
    let scene = Untrusted::new();
    let other = "0".repeat(64);
    let received = format!("sha256 {}", scene.server.root_sha256());
    let pieces = ["Refused the root", &other, &received, "trust.root-hash"];
    scene.refuses(&["--root", text(&scene.root), "--root-sha256", &other], 10, &pieces);
    let url = scene.server.url("/tuf/1.root.json");
    scene.refuses(&["--root", &url, "--root-sha256", &other], 10, &pieces);
}

#[test]
fn what_is_no_root() {
    let scene = Untrusted::new();
    let mut unsigned: Metadata<Root> = Metadata::from_bytes(&scene.server.root()).unwrap();
    unsigned.signatures.clear();
    for (bytes, piece) in [
        (unsigned.to_bytes(), "signatures"),
        (scene.server.files()["/tuf/timestamp.json"].clone(), "root"),
        (b"{}".to_vec(), "no root metadata that its own keys signed"),
        (vec![b' '; (512 << 10) + 1], "more than 524288 bytes"),
        (b"".to_vec(), "an empty file"),
        (b"\n<!DOCTYPE html><html></html>".to_vec(), "an HTML page"),
        (b"-----BEGIN PUBLIC KEY-----\n".to_vec(), "a PEM file"),
        (scene.server.root()[..200].to_vec(), "a file that was cut off"),
    ] {
        fs::write(&scene.root, bytes).unwrap();
        scene.refuses(&["--root", text(&scene.root)], 1, &[piece, "trust.root"]);
    }
    scene.refuses(&["--root", "missing.json"], 1, &["Could not read the root missing.json"]);
    scene.refuses(&["--root", text(&scene.root), "--layout", "nonsense"], 2, &["there is no layout called 'nonsense'"]);
}

#[test]
fn another_root_for_a_trusted_index() {
    let scene = Untrusted::new();
    scene.add_root().expect_code(0);
    let other = Untrusted::new();
    let other_root = text(&other.root).to_owned();
    // Their keys are the same unless they differ in something.
    let mut root: Metadata<Root> = Metadata::from_bytes(&other.server.root()).unwrap();
    let key = SigningKey::ed25519(&[77; 32]);
    root.signed.set_role(TopLevelRole::Root, &[key.public().clone()], 1);
    root.signatures.clear();
    root.sign(&key);
    fs::write(&other.root, root.to_bytes()).unwrap();
    let pieces = [
        "is trusted already, by another root",
        &scene.server.root_sha256(),
        "added by mistake",
        "tufpip trust remove ",
    ];
    scene.refuses(&["--root", &other_root], 1, &pieces);
}

#[test]
fn the_same_root_with_other_options() {
    let scene = Untrusted::new();
    scene.add_root().expect_code(0);
    let before = scene.trust_file();
    let layout = scene.environment.write("layout.json", r#""static-1""#);
    let mirror = scene.server.url("/mirror/simple");
    scene.add(&["--root", text(&scene.root), "--layout", text(&layout), "--mirror", &mirror]).expect_code(0);
    let after = scene.trust_file();
    assert_eq!(after["anchor"], before["anchor"]);
    assert_eq!(
        (&after["layout"], &after["mirrors"][0]),
        (&Value::from("static-1"), &Value::from(format!("{mirror}/")))
    );
    let shown = scene.trust(&["show"]).expect_code(0);
    expect_stdout(&shown, &["layout     static-1", &format!("mirror     {mirror}/")]);

    let again = scene.add_root().expect_code(0);
    expect_stdout(&again, &["Trusted already", "layout    static-1", &format!("mirror    {mirror}/")]);
    assert_eq!(scene.trust_file(), after, "options that are not given again were forgotten");
}

#[test]
fn on_first_use_somebody_has_to_agree() {
    let scene = Untrusted::new();
    scene.refuses(&["--tofu"], 2, &["there is no terminal to ask at", "--yes"]);
    scene.refuses(&["--tofu", "--no-input"], 2, &["no input is expected"]);
    let added = scene.add(&["--tofu", "--yes"]).expect_code(0);
    expect_stdout(
        &added,
        &["shows this root today", &scene.server.root_sha256(), "Nothing proves that it is the right one"],
    );
    assert_eq!(scene.trust_file()["anchor"]["kind"], "first-use");
    expect_stdout(&scene.trust(&["list"]).expect_code(0), &["first-use", &scene.server.index_url()]);

    // Who has the file knows more; who has less does not take that back.
    expect_stdout(&scene.add_root().expect_code(0), &["Trusted already", "anchor    file ", "(until now: first-use)"]);
    assert_eq!(scene.trust_file()["anchor"]["kind"], "file");
    scene.add(&["--tofu"]).expect_code(0);
    assert_eq!(scene.trust_file()["anchor"]["kind"], "file");
}

#[test]
fn at_a_terminal_only_yes_means_yes() {
    const AT_A_TERMINAL: &str = "
import os, pty, sys
answer, command = sys.argv[1], sys.argv[2:]
child, terminal = pty.fork()
if child == 0:
    os.execv(command[0], command)
shown = b''
while b'(y/N)' not in shown:
    shown += os.read(terminal, 1024)
os.write(terminal, answer.encode() + b'\\n')
try:
    while os.read(terminal, 1024):
        pass
except OSError:
    pass
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
";
    let scene = Untrusted::new();
    let asked = |answer: &str, arguments: &[&str]| {
        let python = scene.environment.python();
        let script = ["-c", AT_A_TERMINAL, answer, env!("CARGO_BIN_EXE_tufpip"), "trust"];
        scene.environment.command(python).args(script).args(arguments).run().code
    };
    let url = scene.server.index_url();
    for answer in ["", "n", "no", "perhaps"] {
        assert_eq!(asked(answer, &["add", &url, "--tofu"]), Some(1), "{answer}");
        assert!(!scene.directory().exists(), "{answer}");
    }
    assert_eq!(asked("y", &["add", &url, "--tofu"]), Some(0));
    assert!(scene.directory().exists());
    assert_eq!(asked("n", &["remove", &url]), Some(1));
    assert!(scene.directory().exists());
    assert_eq!(asked("Yes", &["remove", &url]), Some(0));
    assert!(!scene.directory().exists());
}

#[test]
fn a_repository_that_does_not_fit_its_root_is_said_at_once_and_stays_trusted() {
    let scene = Untrusted::new();
    let wrong = scene.server.url("/elsewhere/");
    let arguments = ["--root", text(&scene.root), "--metadata-url", &wrong];
    scene.add(&arguments).expect_code(11).expect_stderr(&[
        "the root is pinned all the same, so that the index is not used unverified",
        "a likely cause",
        &format!("tufpip trust remove {}", scene.server.index_url()),
    ]);
    // Fail closed: nothing is used unverified now.
    scene.command(&["install", "app", "-i", &scene.server.index_url()]).run().expect_code(11);
    assert_eq!(scene.environment.installed(), Vec::<String>::new());
    // The right URL mends it; what is not given again stays as it was.
    scene.add_root().expect_code(11);
    scene.add(&["--root", text(&scene.root), "--metadata-url", &scene.server.metadata_url()]).expect_code(0);
    scene.command(&["install", "app", "-i", &scene.server.index_url()]).run().expect_code(0);
}

#[test]
fn without_a_network_a_root_is_pinned_all_the_same() {
    let scene = Untrusted::new();
    scene.server.intercept(|_| Some(Response::new(503)));
    scene.add_root().expect_code(0).expect_stderr(&["WARNING: It was not verified yet"]);
    assert_eq!(scene.trust_file()["anchor"]["version"], 1);
    let shown = scene.trust(&["show", &scene.server.index_url()]).expect_code(0);
    expect_stdout(&shown, &["root       version 1", "snapshot   not stored yet"]);
    assert!(!scene.server.log().is_empty());
}

#[test]
fn a_layout_that_nobody_names_is_missed_at_once() {
    let index = Index::new().add(Wheel::new("app", "1.0").build());
    let scene = Untrusted::of(SignedIndex::new(index).layout(SignedLayout::Undeclared));
    scene
        .add_root()
        .expect_code(0)
        .expect_stderr(&["Nothing says how the signed files of this index are named", "static-1"]);
    let named = scene.add(&["--root", text(&scene.root), "--layout", "static-1"]).expect_code(0);
    assert_eq!(named.stderr, "");
}

#[test]
fn what_the_system_trusts_comes_first_and_stays() {
    let scene = Untrusted::new();
    let system = scene.environment.home().join("trust.d");
    let kept = scene.server.write_trust(&system);
    let command = |arguments: &[&str]| scene.command(arguments).env("TUFPIP_TRUST", &system).run();
    let url = scene.server.index_url();

    let refused = command(&["trust", "add", &url, "--root", text(&scene.root)]).expect_code(1);
    assert!(refused.stderr.contains(text(&kept)), "{}", refused.stderr);
    let refused = command(&["trust", "remove", &url, "--yes"]).expect_code(1);
    assert!(refused.stderr.contains(text(&kept)) && kept.exists(), "{}", refused.stderr);
    expect_stdout(&command(&["trust", "list"]).expect_code(0), &["(read-only)", text(&kept)]);
    let listed: Value = serde_json::from_str(&command(&["trust", "list", "--json"]).expect_code(0).stdout).unwrap();
    assert_eq!((&listed[0]["read_only"], &listed[0]["pinned_root"]), (&Value::from(true), &Value::from(1)));
    // Without it nothing is trusted.
    scene.trust(&["remove", &url, "--yes"]).expect_code(1).expect_stderr(&["There is no trusted root for"]);
}

#[test]
fn an_index_is_forgotten() {
    let scene = Untrusted::new();
    let url = scene.server.index_url();
    scene.add_root().expect_code(0);
    scene.trust(&["remove", &url]).expect_code(2).expect_stderr(&["there is no terminal to ask at"]);
    assert!(scene.directory().exists());
    // Another spelling of the same index.
    scene.trust(&["remove", url.trim_end_matches('/'), "-y"]).expect_code(0);
    assert_eq!(fs::read_dir(scene.environment.trust_store()).unwrap().count(), 0);
    for arguments in [["remove", &url], ["log", &url], ["show", &url]] {
        scene.trust(&arguments).expect_code(1).expect_stderr(&["There is no trusted root for"]);
    }
    scene.trust(&["list"]).expect_code(0).expect_stderr(&["No index is trusted"]);
    assert_eq!(scene.trust(&["list", "--json"]).expect_code(0).stdout, "[]\n");
}

#[test]
fn a_damaged_one_is_named_and_can_be_removed() {
    let scene = Untrusted::new();
    scene.add_root().expect_code(0);
    for copy in ["root_history/1.root.json", "root.json"] {
        fs::write(scene.directory().join(copy), "{}").unwrap();
    }
    let healthy = Untrusted::new();
    healthy.server.write_trust(&scene.environment.trust_store());
    let listed = scene.trust(&["list"]).expect_code(1);
    expect_stdout(&listed, &[&healthy.server.index_url()]);
    listed.expect_stderr(&["which was pinned, is not there any more", "tufpip trust remove"]);
    scene.add_root().expect_code(1).expect_stderr(&["trust.damaged"]);
    scene.trust(&["remove", &scene.server.index_url(), "--yes"]).expect_code(0);
    scene.add_root().expect_code(0);
}

#[test]
fn roots_are_followed_and_their_changes_told() {
    let scene = Untrusted::new();
    scene.add_root().expect_code(0);
    let key_of = |version: u64, role: TopLevelRole| {
        let bytes = scene.server.files()[&scene.server.root_path(version)].clone();
        let root: Metadata<Root> = Metadata::from_bytes(&bytes).unwrap();
        root.signed.role(role).key_ids[0].0[..12].to_owned()
    };
    scene.server.rotate("root");
    scene.server.rotate("timestamp");
    scene.add_root().expect_code(0);
    let log = scene.trust(&["log", &scene.server.index_url()]).expect_code(0).stdout;
    let (first, second) = (key_of(1, TopLevelRole::Root), key_of(2, TopLevelRole::Root));
    let (old, new) = (key_of(2, TopLevelRole::Timestamp), key_of(3, TopLevelRole::Timestamp));
    let pieces = [
        "root 1, expires in".to_owned(),
        "pinned: file".to_owned(),
        format!("signed by ed25519 {first}\n"),
        "root 2, expires in".to_owned(),
        format!("root: + ed25519 {second}, - ed25519 {first}\n"),
        "signed by".to_owned(),
        "root 3, expires in".to_owned(),
        format!("timestamp: + ed25519 {new}, - ed25519 {old}\n"),
        format!("signed by ed25519 {second}\n"),
    ];
    let mut rest = log.as_str();
    for piece in &pieces {
        let found = rest.find(piece).unwrap_or_else(|| panic!("expected {piece} next in\n{log}"));
        rest = &rest[found + piece.len()..];
    }
    let both = log.lines().find(|line| line.contains("signed by") && line.contains(',')).unwrap();
    assert!(both.contains(&first) && both.contains(&second), "{both}");
    expect_stdout(&scene.trust(&["list"]).expect_code(0), &["3 (pinned 1)"]);
    let shown = scene.trust(&["show"]).expect_code(0);
    let signed_by = format!("1 of these must sign: ed25519 {new}");
    expect_stdout(&shown, &["root       version 3, expires in", &signed_by, ", signed ", "delegated"]);
}

#[test]
fn what_has_expired_is_shown_as_that() {
    let scene = Untrusted::new();
    scene.add_root().expect_code(0);
    scene.server.set_expiry("timestamp", in_seconds(-600));
    let url = scene.server.index_url();
    scene.command(&["download", "app", "--allow-expired", "1h", "-i", &url]).run().expect_code(0);
    let shown = scene.trust(&["show"]).expect_code(0).stdout;
    let line = shown.lines().find(|line| line.starts_with("  timestamp")).unwrap();
    assert!(line.contains("EXPIRED 10 minutes ago"), "{line}");
    // It is shown, not used.
    scene.server.intercept(|_| Some(Response::new(503)));
    let offline = scene.command(&["install", "app", "--offline", "-i", &url]).run();
    assert_eq!(offline.code, Some(11), "{}", offline.stderr);
}

#[test]
fn a_hostile_root_does_not_steer_the_terminal() {
    let scene = Untrusted::new();
    let key = SigningKey::ed25519(&[5; 32]);
    let mut root: Metadata<Root> = Metadata::from_bytes(&scene.server.root()).unwrap();
    for role in TopLevelRole::ALL {
        root.signed.set_role(role, &[key.public().clone()], 1);
    }
    let hostile = KeyId(format!("\u{1b}[2J\u{202e}{}", "k".repeat(5000)));
    root.signed.keys.insert(hostile.clone(), key.public().clone());
    let role = root.signed.roles.get_mut(&TopLevelRole::Root).unwrap();
    role.key_ids.push(hostile);
    root.signatures.clear();
    root.sign(&key);
    fs::write(&scene.root, root.to_bytes()).unwrap();
    scene.server.intercept(|_| Some(Response::new(503)));
    let url = scene.server.index_url();
    for arguments in [&["add", &url, "--root", text(&scene.root)][..], &["show"], &["log", &url], &["list"]] {
        let outcome = scene.trust(arguments).expect_code(0);
        let all = format!("{}{}", outcome.stdout, outcome.stderr);
        assert!(!all.contains('\u{1b}') && !all.contains('\u{202e}'), "{arguments:?}: {all:?}");
        assert!(all.len() < 4000, "{arguments:?}: {} characters", all.len());
    }
}

#[test]
fn a_local_directory_is_trusted_like_a_server() {
    let scene = Untrusted::new();
    let copy = scene.environment.work().join("copy");
    for (path, bytes) in scene.server.files() {
        let path = copy.join(path.trim_start_matches('/'));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    fs::create_dir_all(copy.join("simple")).unwrap();
    let outcome = scene.trust(&["add", "copy/simple", "--tofu", "--yes"]).expect_code(0);
    expect_stdout(&outcome, &["Metadata verified: root 1"]);
    let shown = scene.trust(&["show", text(&copy.join("simple"))]).expect_code(0);
    expect_stdout(&shown, &["first-use", "file://"]);
}

#[test]
fn passwords_are_kept_out() {
    let scene = Untrusted::new();
    let with_password = |url: String| url.replace("http://", "http://me:secret@");
    let outcome = scene
        .trust(
            &["add", &with_password(scene.server.index_url()), "--root", text(&scene.root), "--metadata-url"]
                .into_iter()
                .chain([with_password(scene.server.metadata_url()).as_str()])
                .collect::<Vec<_>>(),
        )
        .expect_code(0);
    assert!(!format!("{}{}", outcome.stdout, outcome.stderr).contains("secret"));
    assert!(!fs::read_to_string(scene.directory().join("trust.json")).unwrap().contains("secret"));
}

/// An index that shows nothing without a password.
fn with_password() -> Untrusted {
    let basic_auth = Some(("me".to_owned(), "s3cret".to_owned()));
    let index = Index::new()
        .add(Wheel::new("app", "1.0").build())
        .options(IndexBehavior { basic_auth, ..IndexBehavior::default() });
    Untrusted::of(SignedIndex::new(index))
}

#[test]
fn a_password_is_used_and_not_kept() {
    let scene = with_password();
    let url = scene.server.url_with_credentials("me", "s3cret", "/simple/");
    let added = scene.trust(&["add", &url, "--root", text(&scene.root)]).expect_code(0);
    expect_stdout(&added, &["Metadata verified: root 1"]);
    scene.trust(&["remove", &url, "--yes"]).expect_code(0);
    let added = scene.trust(&["add", &url, "--tofu", "--yes"]).expect_code(0);
    expect_stdout(&added, &["Metadata verified: root 1"]);
    assert!(!fs::read_to_string(scene.directory().join("trust.json")).unwrap().contains("s3cret"));
}

#[test]
fn a_password_that_is_missing_is_said() {
    let scene = with_password();
    scene.refuses(&["--tofu", "--yes"], 1, &["401", "user name and password"]);
    let added = scene.add_root().expect_code(0);
    added.expect_stderr(&["WARNING: It was not verified yet", "the server answered 401", "user name and password"]);
    let install = scene.command(&["install", "app", "-i", &scene.server.index_url()]).run().expect_code(1);
    install.expect_stderr(&["the server answered 401", "user name and password", "code      trust.unauthorized"]);
    assert_eq!(scene.environment.installed(), Vec::<String>::new());
}

/// For a repository 403 means that there is no such file; for a reader it may mean something else.
#[test]
fn a_forbidden_file_is_said_to_be_one() {
    let scene = Untrusted::new();
    scene.add_root().expect_code(0);
    scene.server.status("/tuf/timestamp.json", 403);
    let install = scene.command(&["install", "app", "-i", &scene.server.index_url()]).run().expect_code(11);
    install.expect_stderr(&["trust.withheld", "the server answered 403", "if the index wants a password"]);
}

#[test]
fn a_directory_without_a_name_is_listed_as_that() {
    let scene = Untrusted::new();
    scene.add_root().expect_code(0);
    fs::remove_file(scene.directory().join("trust.json")).unwrap();
    let listed = scene.trust(&["list"]).expect_code(0);
    expect_stdout(&listed, &["(no trust.json)", text(&scene.directory())]);
    scene.trust(&["show"]).expect_code(0).expect_stderr(&["does not say which index it belongs to"]);
    expect_stdout(&scene.trust(&["show", &scene.server.index_url()]).expect_code(0), &["root       version 1"]);
}

#[test]
fn what_cannot_be_removed_here_is_not_said_to_be_removed() {
    let scene = Untrusted::new();
    let system = scene.environment.home().join("trust.d");
    let kept = scene.server.write_trust(&system);
    fs::write(kept.join("trust.json"), "{").unwrap();
    for arguments in [&["trust", "list"][..], &["install", "app", "-i", &scene.server.index_url()]] {
        let refused = scene.command(arguments).env("TUFPIP_TRUST", &system).run().expect_code(1);
        assert!(!refused.stderr.contains("trust remove"), "{}", refused.stderr);
        refused.expect_stderr(&["trust.damaged", "is only read here: repair it", text(&kept)]);
    }
}

#[test]
fn the_variable_names_the_directory_above_those_of_indexes() {
    let scene = Untrusted::new();
    let store = scene.environment.work().join("tuf-repositories");
    let kept = scene.server.write_trust(&store);
    let named = |path: &std::path::Path| {
        scene.command(&["install", "app", "-i", &scene.server.index_url()]).env("TUFPIP_TRUST", path).run()
    };
    let above = store.parent().unwrap();
    named(above)
        .expect_code(2)
        .expect_stderr(&["56 hex digits", &format!("name the directory in it: {}", text(&store))]);
    named(&kept).expect_code(2).expect_stderr(&["56 hex digits", &format!("name the one above: {}", text(&store))]);
    assert_eq!(scene.environment.installed(), Vec::<String>::new());
    named(&store).expect_code(0);
}

#[test]
fn why_trust_tells_counted_signatures_from_keys_that_it_did_not_need() {
    let app = Index::new().add(Wheel::new("app", "1.0").build()).add(Wheel::new("library", "1.0").build());
    let scene = Untrusted::of(SignedIndex::new(app).threshold("root", 3, 2));
    scene.add_root().expect_code(0);
    scene.server.set_expiry("timestamp", in_seconds(-600));
    let url = scene.server.index_url();
    let asked = ["why-trust", "-i", &url, "--allow-expired", "1d", "library", "app"];
    let why = scene.command(&asked).run().expect_code(0);
    expect_stdout(
        &why,
        &["2 of 3 keys must sign; counted: ed25519 ", "; also allowed: ed25519 ", "EXPIRED 10 minutes ago"],
    );
    assert!(why.stdout.find("library 1.0") < why.stdout.find("app 1.0"), "{}", why.stdout);

    scene.server.set_expiry("timestamp", in_seconds(-3 * 86_400));
    let refused = scene.command(&asked).run().expect_code(11);
    refused.expect_stderr(&["an expiry date less than 24 hours before", "trust.expired"]);
}

#[test]
fn a_requirements_file_does_not_switch_verification_off() {
    let scene = Untrusted::new();
    scene.add_root().expect_code(0);
    let file = scene.environment.write("requirements.txt", "--disable-repository-security\napp\n");
    let before = scene.environment.state();
    let url = scene.server.index_url();
    let outcome = scene.command(&["install", "-i", &url, "-r", text(&file)]).run();
    assert_ne!(outcome.code, Some(0));
    outcome.expect_stderr(&["--disable-repository-security"]);
    assert_eq!(scene.environment.state(), before);
}
