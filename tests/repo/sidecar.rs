//! `repo add-metadata-to`: an index that cannot be changed gets signatures that are published elsewhere.

use serde_json::json;
use testkit::{HashName, Index, IndexBehavior, ListedFile, Sdist, Wheel};

use crate::repo::serving::Serving;
use crate::repo::upstream::{Following, options};

fn index() -> Index {
    Index::new()
        .add(Wheel::new("app", "1.0").requires("library").build())
        .add(Wheel::new("library", "1.0").build())
        .add(Wheel::new("library", "2.0").build())
        .add(Sdist::new("library", "2.0").build())
        .add_empty("nothing")
}

#[test]
fn every_file_of_every_project_is_listed_where_it_is() {
    for options in [options(), IndexBehavior { json: false, size: false, ..options() }] {
        let following = Following::with_options(index(), options);
        let said = following.says(&["add-metadata-to", &following.url()]);
        assert_eq!((&said["projects"], &said["new"].as_array().unwrap().len()), (&json!(3), &4), "{said}");
        let library = Wheel::new("library", "2.0").build();
        let row = following.staged_file(&library.filename);
        assert_eq!(row["url"], following.upstream.url(&format!("/files/{}", library.filename)));
        assert_eq!(row["hashes"], json!({"sha256": HashName::Sha256.hex(&library.bytes)}));
        assert_eq!(row["size"], json!(library.bytes.len()));
        assert_eq!(row["core-metadata"]["sha256"], HashName::Sha256.hex(&library.metadata));
        assert!(following.staged_names().contains("library-2.0.tar.gz"));
        let config = std::fs::read_to_string(following.path("repo.toml")).unwrap();
        assert!(config.contains(&format!("index-url = \"{}\"", following.url())), "{config}");
        assert!(config.contains("base = \"https://pkgs.example.org/\""), "{config}");
    }
}

#[test]
fn what_changes_is_followed() {
    let following = Following::new(index());
    following.does(&["add-metadata-to", &following.url()]);
    following.upstream.forget_requests();
    let outcome = following.does(&["add-metadata-to", &following.url()]);
    assert!(outcome.stdout.contains("Nothing has changed."), "{}", outcome.stdout);
    let fetched: Vec<String> = following.upstream.log().into_iter().filter(|line| line.contains("/files/")).collect();
    assert_eq!(fetched, Vec::<String>::new(), "files were fetched although nothing has changed");

    let library = |version: &str| ListedFile::from(Wheel::new("library", version).build());
    let next = || Index::new().add(library("2.0").yanked("broken")).add(library("3.0"));
    following.becomes(next());
    let said = following.says(&["add-metadata-to", &following.url()]);
    assert_eq!(said["new"], json!([{"project": "library", "file": "library-3.0-py3-none-any.whl"}]));
    assert_eq!(said["yanked"][0]["reason"], "broken");
    let removed: Vec<&str> =
        said["removed"].as_array().unwrap().iter().map(|file| file["file"].as_str().unwrap()).collect();
    assert_eq!(removed, ["library-1.0-py3-none-any.whl", "library-2.0.tar.gz", "app-1.0-py3-none-any.whl"]);

    following.becomes(Index::new().add(library("2.0")).add(library("3.0")));
    let said = following.says(&["add-metadata-to", &following.url()]);
    assert_eq!(said["unyanked"], json!([{"project": "library", "file": "library-2.0-py3-none-any.whl"}]));
    assert_eq!(said["new"], json!([]));
}

#[test]
fn a_replaced_file_is_refused() {
    let following = Following::new(index());
    following.does(&["add-metadata-to", &following.url()]);
    let other = Wheel::new("library", "1.0").file("library/evil.py", "import os").build();
    following.becomes(Index::new().add(other).add(Wheel::new("app", "2.0").build()));
    let (url, name) = (following.url(), "library-1.0-py3-none-any.whl");
    following.refuses(&["add-metadata-to", &url], 10, &[name, "nothing was changed", "repo.upstream-replaced"]);
    // Neither is it taken under the pretence that its hash is not known.
    let moved = ListedFile::from(Wheel::new("library", "1.0").file("library/evil.py", "").build()).without_hash();
    following.becomes(Index::new().add(moved));
    following.refuses(&["add-metadata-to", &url], 10, &[name, "repo.upstream-replaced"]);
}

#[test]
fn an_index_without_a_list() {
    let following = Following::new(index());
    let absent = following.upstream.url("/files/");
    following.refuses(&["add-metadata-to", &absent], 1, &["--project", "--projects-from"]);
    following.environment.write("projects.txt", "# ours\nApp  # the tool\n\n");
    following.does(&["add-metadata-to", &following.url(), "--projects-from", "projects.txt"]);
    assert_eq!(following.staged_names().into_iter().collect::<Vec<_>>(), ["app-1.0-py3-none-any.whl"]);
    // What is not named stays as it is.
    let said = following.says(&["add-metadata-to", &following.url(), "--project", "library"]);
    assert_eq!(said["removed"], json!([]));
    assert_eq!(following.staged_names().len(), 4);
}

#[test]
fn one_repository_signs_one_index() {
    let following = Following::new(index());
    following.does(&["add-metadata-to", &following.url()]);
    let other = Following::new(index());
    following.refuses(&["add-metadata-to", &other.url()], 2, &["repo.other-index"]);

    other.does(&["mirror", "app"]);
    other.refuses(&["add-metadata-to", &other.url()], 2, &["packages of its own", "repo.other-index"]);
}

#[test]
fn credentials_are_used_and_not_written_down() {
    let options = IndexBehavior { basic_auth: Some(("ann".into(), "secret".into())), ..options() };
    let following = Following::with_options(index(), IndexBehavior { links: testkit::Links::Relative, ..options });
    following.does(&["add-metadata-to", &following.upstream.url_with_credentials("ann", "secret", "/simple/")]);
    assert_eq!(following.staged_names().len(), 4);
    for file in ["repo.toml", "staged/changes.json"] {
        let text = std::fs::read_to_string(following.path(file)).unwrap();
        assert!(!text.contains("secret"), "{file}:\n{text}");
    }
}

#[test]
fn pages_come_from_beside_the_metadata_and_files_from_the_index() {
    let following = Following::begun(index());
    following.does(&["add-metadata-to", &following.url()]);
    following.publishes();
    let serving = Serving::start(&following.environment, &following.path(""));
    following.trust(&following.url(), &serving);
    following.upstream.forget_requests();

    following.installs(&following.url(), &["app", "library<2"]).expect_code(0);
    assert_eq!(following.environment.installed(), ["app-1.0", "library-1.0"]);
    let asked = following.upstream.log();
    assert!(asked.iter().any(|line| line.contains("/files/library-1.0-py3-none-any.whl")), "{asked:?}");
    assert!(!asked.iter().any(|line| line.contains("/simple/")), "an unsigned page was read: {asked:?}");

    // What the index shows besides is not signed, and nobody sees it; what it replaces is refused.
    let evil = Wheel::new("library", "2.0").file("library/evil.py", "import os").build();
    following.becomes(index().add(Wheel::new("library", "3.0").build()));
    following.installs(&following.url(), &["library", "--upgrade"]).expect_code(0);
    assert_eq!(following.environment.installed(), ["app-1.0", "library-2.0"]);
    following.becomes(Index::new().add(evil));
    let before = following.environment.state();
    following.installs(&following.url(), &["library==2.0", "--force-reinstall"]).expect_code(10);
    assert_eq!(following.environment.state(), before, "the environment changed");

    // The next release is signed when the operator says so.
    following.becomes(index().add(Wheel::new("library", "3.0").build()));
    following.does(&["add-metadata-to", &following.url()]);
    following.publishes();
    following.installs(&following.url(), &["library", "--upgrade"]).expect_code(0);
    assert_eq!(following.environment.installed(), ["app-1.0", "library-3.0"]);
}
