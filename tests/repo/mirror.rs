//! `repo mirror`: a chosen part of another index is staged, to be signed.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;
use testkit::{HashName, Index, IndexBehavior, ListedFile, MetadataMode, Response, Sdist, SignedIndex, Wheel};

use crate::repo::serving::Serving;
use crate::repo::upstream::{Following, hours_ago, options, uploaded};

fn names(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// `app` needs `library`, before Python 3.12 `backport`, and on Windows `wincolor`.
fn platforms() -> Index {
    let app = Wheel::new("app", "1.0")
        .requires("library>=1")
        .requires("backport; python_version < '3.12'")
        .requires("wincolor; sys_platform == 'win32'");
    let library = |version: &str, tag: &str| Wheel::new("library", version).tag(tag).build();
    Index::new()
        .add(app.build())
        .add(library("2.0", "cp311-cp311-manylinux_2_17_x86_64"))
        .add(library("2.0", "cp312-cp312-win_amd64"))
        .add(library("2.0", "cp312-cp312-macosx_11_0_arm64"))
        .add(library("2.0", "cp311-cp311-manylinux_2_34_x86_64"))
        .add(Sdist::new("library", "2.0").build())
        .add(library("1.0", "cp311-cp311-manylinux_2_17_x86_64"))
        .add(Wheel::new("backport", "1.0").build())
        .add(Wheel::new("wincolor", "1.0").build())
        .add(Wheel::new("unrelated", "1.0").build())
}

const TWO_MACHINES: [&str; 4] = ["--for", "3.11/manylinux_2_28_x86_64", "--for", "3.12/win_amd64"];

#[test]
fn what_each_machine_needs_is_copied() {
    let following = Following::new(platforms());
    let said = following.says(&[&["mirror", "app"], TWO_MACHINES.as_slice()].concat());
    let expected = names(&[
        "app-1.0-py3-none-any.whl",
        "backport-1.0-py3-none-any.whl",
        "library-2.0-cp311-cp311-manylinux_2_17_x86_64.whl",
        "library-2.0-cp312-cp312-win_amd64.whl",
        "wincolor-1.0-py3-none-any.whl",
    ]);
    assert_eq!(following.staged_names(), expected);
    assert_eq!(said["new"].as_array().unwrap().len(), 5, "{said}");
    assert_eq!((&said["projects"], &said["dry_run"]), (&json!(4), &json!(false)));

    let library = Wheel::new("library", "2.0").tag("cp312-cp312-win_amd64").build();
    let (bytes, metadata) = following.staged_copy(&library.filename);
    assert!(bytes == library.bytes && metadata == library.metadata, "another file was staged");
    assert_eq!(following.staged_file(&library.filename)["upload-time"], "2024-01-02T03:04:05.678901Z");
    assert!(!following.asked_pages().contains("/simple/unrelated/"));
}

#[test]
fn only_what_the_own_machine_needs() {
    let elsewhere = Wheel::new("library", "1.0").tag("py3-none-win_amd64").build();
    let index = Index::new().add(Wheel::new("library", "1.0").build()).add(elsewhere);
    let following = Following::new(index.add(Wheel::new("library", "0.9").build()));
    following.does(&["mirror", "library"]);
    assert_eq!(following.staged_names(), names(&["library-1.0-py3-none-any.whl"]));
    following.refuses(&["mirror", "library", "--for", "3"], 2, &["--for", "expected a version of Python"]);
    following.refuses(&["mirror", "library", "--for", "3.12/beos"], 2, &["--for", "manylinux_2_28_x86_64"]);
}

#[test]
fn all_files_and_source_distributions_on_request() {
    let following = Following::new(platforms());
    let machine = ["--for", "3.11/manylinux_2_28_x86_64"];
    following.does(&[&["mirror", "library", "--all-files"], machine.as_slice()].concat());
    assert_eq!(following.staged_names().len(), 4, "{:?}", following.staged_names());
    following.does(&[&["mirror", "library", "--sdists"], machine.as_slice()].concat());
    assert!(following.staged_names().contains("library-2.0.tar.gz"));
    assert_eq!(following.staged_names().len(), 5);
}

#[test]
fn what_is_young_is_held_back() {
    let index = || {
        Index::new()
            .add(uploaded("library", "1.0", &hours_ago(24 * 30)))
            .add(uploaded("library", "2.0", &hours_ago(24 * 8)))
            .add(uploaded("library", "3.0", &hours_ago(24)))
            .add(uploaded("library", "4.0", &hours_ago(1)))
    };
    let following = Following::new(index());
    let said = following.says(&["mirror", "library", "--min-age", "7d"]);
    assert_eq!(following.staged_names(), names(&["library-2.0-py3-none-any.whl"]));
    assert_eq!(said["held_back"], json!([{"project": "library", "version": "4.0"}]));
    following.refuses(&["mirror", "library>=3", "--min-age", "7d"], 1, &["library", "younger than --min-age"]);
    // Who may be configured to be more careful still is.
    let command = following.command(&["mirror", "library", "--min-age", "1h", "--json"]);
    let outcome = command.env("PIP_UPLOADED_PRIOR_TO", "P20D").run().expect_code(0);
    assert!(outcome.stdout.contains("library-1.0"), "{}", outcome.stdout);

    let timeless = Following::with_options(index(), IndexBehavior { upload_time: false, ..options() });
    timeless.refuses(
        &["mirror", "library", "--min-age", "7d"],
        12,
        &["upload time", "--min-age", "policy.upload-time"],
    );
}

#[test]
fn what_was_mirrored_stays_unless_it_is_pruned() {
    let both = || Index::new().add(Wheel::new("library", "1.0").build()).add(Wheel::new("library", "2.0").build());
    let following = Following::new(both().add(Wheel::new("other", "1.0").build()));
    following.does(&["mirror", "library<2", "other"]);
    let said = following.says(&["mirror", "library"]);
    assert_eq!(said["new"], json!([{"project": "library", "file": "library-2.0-py3-none-any.whl"}]));
    assert_eq!(said["removed"], json!([]));
    assert_eq!(following.says(&["mirror", "library"])["new"], json!([]), "the same was staged twice");

    let said = following.says(&["mirror", "library", "--prune"]);
    let removed = json!([
        {"project": "library", "file": "library-1.0-py3-none-any.whl"},
        {"project": "other", "file": "other-1.0-py3-none-any.whl"},
    ]);
    assert_eq!(said["removed"], removed);
    let said = following.says(&["mirror", "library", "--prune"]);
    assert_eq!(said["removed"], json!([]), "the same was removed twice");
}

#[test]
fn what_happens_upstream_is_followed_or_refused() {
    let library = |version: &str| ListedFile::from(Wheel::new("library", version).build());
    let following = Following::new(Index::new().add(library("1.0")).add(library("2.0")));
    following.does(&["mirror", "library==1.0"]);
    following.does(&["mirror", "library==2.0"]);

    following.becomes(Index::new().add(library("1.0").yanked("broken")).add(library("2.0")));
    let said = following.says(&["mirror", "library"]);
    assert_eq!(
        said["yanked"],
        json!([{"project": "library", "file": "library-1.0-py3-none-any.whl", "reason": "broken"}])
    );
    let last = following.staged().pop().unwrap();
    assert_eq!((&last["change"], &last["reason"]), (&json!("yank"), &json!("broken")));
    assert_eq!(following.says(&["mirror", "library"])["yanked"], json!([]));

    // A file that vanished stays: somebody has it in a lock file.
    following.becomes(Index::new().add(library("2.0")));
    let outcome =
        following.does(&["mirror", "library"]).expect_stderr(&["library-1.0-py3-none-any.whl is not upstream"]);
    assert!(outcome.stdout.contains("Nothing has changed."), "{}", outcome.stdout);

    // A file that was replaced is refused, whatever else there is to mirror.
    let other = Wheel::new("library", "2.0").file("library/evil.py", "import os").build();
    following.becomes(Index::new().add(other.clone()).add(Wheel::new("new", "1.0").build()));
    let (sha256, name) = (HashName::Sha256.hex(&other.bytes), "library-2.0-py3-none-any.whl");
    following.refuses(&["mirror", "library", "new"], 10, &[name, &sha256, "repo.upstream-replaced"]);
    // So it is if it is not wanted for the moment, without stopping what is.
    following.does(&["mirror", "new"]).expect_stderr(&[name, "another file upstream"]);
    following.refuses(&["mirror", "library", "new", "--prune"], 10, &[name]);
}

#[test]
fn a_file_that_is_not_what_its_page_says_is_refused() {
    let wheel = ListedFile::from(Wheel::new("library", "1.0").build());
    let following = Following::new(Index::new().add(wheel.wrong_hash()));
    following.refuses(&["mirror", "library"], 10, &["library-1.0", "verify."]);

    let broken = Wheel::new("broken", "1.0").file("broken.py", "x = 1").wrong_record_hash("broken.py").build();
    let following = Following::new(Index::new().add(broken));
    following.refuses(&["mirror", "broken"], 10, &["broken"]);
}

#[test]
fn linked_files_stay_where_they_are() {
    let index = Index::new()
        .add(Wheel::new("app", "1.0").requires("library").requires_python(">=3.8").build())
        .add(ListedFile::from(Wheel::new("library", "1.0").build()).without_hash().yanked(""))
        .add(ListedFile::from(Wheel::new("plain", "1.0").build()).core_metadata(MetadataMode::Absent));
    let following = Following::new(index);
    // A page over http may be linked to only where the own index is not more secure than that.
    following.refuses(&["mirror", "plain", "--files", "link"], 1, &["would leave https", "repo.link"]);
    following.environment.write(
        "repository/repo.toml",
        "base = \"http://pkgs.example.org/\"\noutput = \"public\"\nprofile = \"small\"\n",
    );
    following.does(&["mirror", "app", "library==1.0", "plain", "--files", "link"]);

    let app = Wheel::new("app", "1.0").requires("library").requires_python(">=3.8").build();
    let row = following.staged_file(&app.filename);
    assert_eq!(row["url"], following.upstream.url(&format!("/files/{}", app.filename)));
    assert_eq!(row["hashes"], json!({"sha256": HashName::Sha256.hex(&app.bytes)}));
    assert_eq!((&row["size"], &row["requires-python"]), (&json!(app.bytes.len()), &json!(">=3.8")));
    assert_eq!(row["core-metadata"]["sha256"], HashName::Sha256.hex(&app.metadata));
    // What the page did not say was measured.
    let library = Wheel::new("library", "1.0").build();
    let row = following.staged_file(&library.filename);
    assert_eq!(row["hashes"], json!({"sha256": HashName::Sha256.hex(&library.bytes)}));
    assert_eq!(row["yanked"], json!(true));
    assert!(following.staged_file("plain-1.0-py3-none-any.whl").get("core-metadata").is_none());
    assert!(!following.path("staged/packages").exists(), "something was copied");
}

#[test]
fn a_lying_metadata_file_is_not_linked() {
    let library = ListedFile::from(Wheel::new("library", "1.0").build());
    let following = Following::new(Index::new().add(library.core_metadata(MetadataMode::WrongHash)));
    following.environment.write(
        "repository/repo.toml",
        "base = \"http://pkgs.example.org/\"\noutput = \"public\"\nprofile = \"small\"\n",
    );
    following.refuses(&["mirror", "library", "--files", "link"], 10, &["library-1.0", "verify.metadata-hash-mismatch"]);
}

#[test]
fn a_dry_run_only_says_what_would_come() {
    let following = Following::new(platforms());
    let before = testkit::tree(&following.path(""));
    let outcome = following.does(&["mirror", "backport", "--dry-run"]);
    assert!(outcome.stdout.contains("Would be new:\n  backport-1.0-py3-none-any.whl"), "{}", outcome.stdout);
    let after = testkit::tree(&following.path(""));
    let without_lock = |tree: Vec<String>| tree.into_iter().filter(|line| !line.contains(".lock")).collect::<Vec<_>>();
    assert_eq!(without_lock(after), without_lock(before));
    assert!(!following.upstream.log().iter().any(|line| line.ends_with(".whl")), "{:?}", following.upstream.log());
}

#[test]
fn names_of_own_projects_are_told_to_nobody() {
    let following = Following::new(Index::new().add(Wheel::new("library", "1.0").build()));
    let own = Wheel::new("secret-project", "1.0").build();
    let row =
        json!({"filename": own.filename, "url": "../../packages/x", "hashes": {"sha256": "0".repeat(64)}, "size": 1});
    let change = json!([{"change": "add", "project": "secret-project", "file": row}]);
    following.environment.write("repository/staged/changes.json", change.to_string());
    following.does(&["mirror", "library", "--prune"]);
    following.does(&["mirror", "library", "--prune"]);
    assert_eq!(following.asked_pages(), names(&["/simple/library/"]));
    assert!(following.staged_names().contains(&own.filename));
}

#[test]
fn requirements_come_from_files_and_hashes_are_demanded() {
    let library = Wheel::new("library", "1.0").build();
    let index = Index::new().add(library.clone()).add(Wheel::new("library", "2.0").build());
    let following = Following::new(index);
    following.environment.write("approved.txt", "library\n");
    following.environment.write("limits.txt", "library<2\n");
    following.does(&["mirror", "-r", "approved.txt", "-c", "limits.txt"]);
    assert_eq!(following.staged_names(), names(&[&library.filename]));

    let sha256 = "0".repeat(64);
    following.environment.write("approved.txt", format!("library==2.0 --hash=sha256:{sha256}\n"));
    following.refuses(&["mirror", "-r", "approved.txt"], 10, &["library"]);
    following.refuses(&["mirror"], 1, &["at least one requirement"]);
    let url = following.upstream.url("/files/library-1.0-py3-none-any.whl");
    following.refuses(&["mirror", &format!("library @ {url}")], 2, &["only what indexes offer"]);
}

#[test]
fn lock_files_say_which_files_are_meant() {
    let (old, new) = (Wheel::new("library", "1.0").build(), Wheel::new("library", "2.0").build());
    let index = Index::new().add(old.clone()).add(new).add(Wheel::new("app", "1.0").requires("library").build());
    let following = Following::new(index.add(Wheel::new("wincolor", "1.0").build()));
    let package = |name: &str, version: &str, bytes: &[u8], more: &str| {
        let sha256 = HashName::Sha256.hex(bytes);
        format!(
            "[[packages]]\nname = \"{name}\"\nversion = \"{version}\"\n{more}\n\
             [[packages.wheels]]\nname = \"{name}-{version}-py3-none-any.whl\"\nhashes = {{sha256 = \"{sha256}\"}}\n"
        )
    };
    let app = package("app", "1.0", &Wheel::new("app", "1.0").requires("library").build().bytes, "");
    let library = package("library", "1.0", &old.bytes, "");
    let wincolor = package("wincolor", "1.0", b"", "marker = \"sys_platform == 'win32'\"");
    let lock = |packages: &[&str]| format!("lock-version = \"1.0\"\ncreated-by = \"x\"\n{}", packages.concat());
    following.environment.write("pylock.toml", lock(&[&app, &library, &wincolor]));
    following.does(&["mirror", "--lock", "pylock.toml", "--for", "3.12/manylinux_2_28_x86_64"]);
    assert_eq!(following.staged_names(), names(&["app-1.0-py3-none-any.whl", "library-1.0-py3-none-any.whl"]));

    following.environment.write("pylock.toml", lock(&[&app]));
    following.refuses(&["mirror", "--lock", "pylock.toml"], 12, &["library", "policy.require-hashes"]);
    following.environment.write("pylock.toml", lock(&[&app, &package("library", "2.0", b"other", "")]));
    following.refuses(&["mirror", "--lock", "pylock.toml"], 10, &["library", "verify.hash-mismatch"]);
    let checkout = "[[packages]]\nname = \"library\"\nvcs = {type = \"git\", url = \"x\"}\n";
    following.environment.write("pylock.toml", lock(&[&app, checkout]));
    following.refuses(&["mirror", "--lock", "pylock.toml"], 1, &["library", "repo.lock-file"]);
    following.environment.write("pylock.toml", "lock-version = \"2.0\"\n");
    following.refuses(&["mirror", "--lock", "pylock.toml"], 1, &["expected version 1", "repo.lock-file"]);
}

#[test]
fn what_is_mirrored_is_installed_with_signatures() {
    let following = Following::begun(platforms().add(Wheel::new("library", "1.5").build()));
    following.does(&["mirror", "app", "library<2"]);
    following.publishes();
    let serving = Serving::start(&following.environment, &following.path(""));
    following.trust(&serving.index_url(), &serving);
    // Nothing is left of upstream: not even its index answers any more.
    following.becomes(Index::new());
    let outcome = following.installs(&serving.index_url(), &["app"]).expect_code(0);
    let installed = following.environment.installed();
    assert!(
        ["app-1.0", "library-1.5"].iter().all(|name| installed.iter().any(|one| one == name)),
        "{}",
        outcome.stdout
    );

    // What is published is compared like what is staged.
    let tampered = Wheel::new("library", "1.5").file("library/evil.py", "import os").build();
    following.becomes(platforms().add(tampered));
    following.refuses(&["mirror", "app", "library<2"], 10, &["library-1.5", "repo.upstream-replaced"]);
    following.becomes(platforms().add(ListedFile::from(Wheel::new("library", "1.5").build()).yanked("broken")));
    following.does(&["mirror", "app", "library==1.5"]);
    following.publishes();
    let outcome = following.installs(&serving.index_url(), &["library", "--force-reinstall"]);
    outcome.expect_code(1).expect_stderr(&["library"]);
}

#[test]
fn a_linked_file_that_is_tampered_with_is_refused() {
    let library = || ListedFile::from(Wheel::new("library", "1.0").build());
    let following = Following::begun(Index::new().add(library()));
    following.does(&["mirror", "library", "--files", "link"]);
    following.publishes();
    let serving = Serving::start(&following.environment, &following.path(""));
    following.trust(&serving.index_url(), &serving);

    let honest = library();
    let mut bytes = honest.bytes.clone();
    *bytes.last_mut().unwrap() ^= 1;
    following.becomes(Index::new().add(library().served_as(bytes)));
    following.installs(&serving.index_url(), &["library"]).expect_code(10).expect_stderr(&["library-1.0", "verify."]);
    assert_eq!(following.environment.installed(), Vec::<String>::new());

    following.becomes(Index::new().add(honest));
    following.installs(&serving.index_url(), &["library"]).expect_code(0);
    assert_eq!(following.environment.installed(), ["library-1.0"]);
}

#[test]
fn a_signed_index_is_mirrored_by_its_signatures() {
    let following = Following::new(Index::new());
    let signed = SignedIndex::new(Index::new().add(Wheel::new("library", "1.0").build())).serve();
    signed.write_trust(&following.environment.trust_store());
    let url = signed.index_url();
    let tampers = Arc::new(AtomicBool::new(true));
    let is_on = Arc::clone(&tampers);
    signed.intercept(move |request| {
        let hit = request.path.ends_with(".whl") && is_on.load(Ordering::SeqCst);
        hit.then(|| Response::ok("text/plain", "something else"))
    });
    following.refuses(&["mirror", "library", "-i", &url], 10, &["library-1.0", "verify."]);
    tampers.store(false, Ordering::SeqCst);
    following.does(&["mirror", "library", "-i", &url, "--require-signed"]);
    let library = Wheel::new("library", "1.0").build();
    assert!(following.staged_copy(&library.filename).0 == library.bytes, "another file was staged");
    following.refuses(&["mirror", "other", "--require-signed"], 12, &["policy.require-signed"]);
}
