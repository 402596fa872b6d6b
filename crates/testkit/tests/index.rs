//! The pages of the index to the byte, and pip as a judge where it is installed.

use testkit::{
    Command, Environment, HashName, Index, IndexBehavior, Interpreter, Links, ListedFile, MetadataMode, Sdist, Server,
    Wheel,
};

const ORIGIN: &str = "http://pkgs.example.org";

fn one_file() -> ListedFile {
    ListedFile::from(Wheel::new("app", "1.0").requires_python(">=3.8").build())
}

#[test]
fn an_html_page_is_exact() {
    let file = one_file().yanked("a \"bad\" day");
    let (hash, metadata) = (HashName::Sha256.hex(&file.bytes), HashName::Sha256.hex(&file.metadata));
    let expected = format!(
        r#"<!DOCTYPE html>
<html>
  <head>
    <meta name="pypi:repository-version" content="1.1">
    <title>Links for app</title>
  </head>
  <body>
    <h1>Links for app</h1>
    <a href="http://pkgs.example.org/files/app-1.0-py3-none-any.whl#sha256={hash}" data-requires-python="&gt;=3.8" data-yanked="a &quot;bad&quot; day" data-dist-info-metadata="sha256={metadata}" data-core-metadata="sha256={metadata}">app-1.0-py3-none-any.whl</a><br />
  </body>
</html>
"#
    );
    assert_eq!(Index::new().add(file).html_page("app", ORIGIN), expected);
}

#[test]
fn a_json_page_is_exact() {
    let file = one_file();
    let (hash, metadata) = (HashName::Sha256.hex(&file.bytes), HashName::Sha256.hex(&file.metadata));
    let size = file.bytes.len();
    let expected = serde_json::json!({
        "meta": {"api-version": "1.1"},
        "name": "app",
        "versions": ["1.0"],
        "files": [{
            "filename": "app-1.0-py3-none-any.whl",
            "url": "http://pkgs.example.org/files/app-1.0-py3-none-any.whl",
            "hashes": {"sha256": hash},
            "requires-python": ">=3.8",
            "size": size,
            "upload-time": "2024-01-02T03:04:05.678901Z",
            "yanked": false,
            "core-metadata": {"sha256": metadata},
            "dist-info-metadata": {"sha256": metadata},
        }],
    });
    assert_eq!(Index::new().add(file).json_page("app", ORIGIN), expected.to_string());
}

#[test]
fn knobs_change_what_a_page_says() {
    let page =
        |file: ListedFile, options: IndexBehavior| Index::new().options(options).add(file).html_page("app", ORIGIN);
    let md5 = IndexBehavior { hashes: vec![HashName::Md5], links: Links::Relative, ..IndexBehavior::default() };
    assert!(page(one_file(), md5).contains("href=\"../../files/app-1.0-py3-none-any.whl#md5="));
    let base = IndexBehavior { links: Links::Base, ..IndexBehavior::default() };
    let text = page(one_file().without_hash(), base);
    assert!(text.contains("<base href=\"http://pkgs.example.org/files/\">"), "{text}");
    assert!(text.contains("href=\"app-1.0-py3-none-any.whl\""), "{text}");
    for (setting, new, old) in [
        (MetadataMode::Announced, 1, 1),
        (MetadataMode::OldName, 0, 1),
        (MetadataMode::Unannounced, 0, 0),
        (MetadataMode::Missing, 1, 1),
    ] {
        let text = page(one_file(), IndexBehavior { core_metadata: setting, ..IndexBehavior::default() });
        assert_eq!(text.matches("data-core-metadata=\"sha256=").count(), new, "{setting:?}");
        assert_eq!(text.matches("data-dist-info-metadata=\"sha256=").count(), old, "{setting:?}");
    }
    let text = page(one_file().raw_link("file:///etc/passwd"), IndexBehavior::default());
    assert!(text.contains("href=\"file:///etc/passwd#sha256="), "{text}");
    let text = page(Sdist::new("app", "1.0").build().into(), IndexBehavior::default());
    assert!(!text.contains("metadata"), "{text}");
}

/// Runs `python3 -m pip download app` against a server; `None` when pip is missing.
fn pip_download(server: &Server, index_arguments: &[String]) -> Option<Vec<String>> {
    let Some(interpreter) = Interpreter::find() else {
        eprintln!("skipped: no python3");
        return None;
    };
    let has_pip = Command::new(&interpreter.executable).args(["-I", "-m", "pip", "--version"]).try_run();
    if !has_pip.is_ok_and(|outcome| outcome.succeeded()) {
        eprintln!("skipped: python3 has no pip");
        return None;
    }
    let environment = Environment::without_venv();
    environment
        .command(&interpreter.executable)
        .args(["-I", "-m", "pip", "download", "--disable-pip-version-check", "--no-cache-dir", "-d", "out", "app"])
        .args(index_arguments)
        .run()
        .expect_code(0);
    assert!(!server.requests().is_empty());
    let mut names: Vec<_> = std::fs::read_dir(environment.work().join("out"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    Some(names)
}

fn two_projects(options: IndexBehavior) -> Server {
    Index::new()
        .options(options)
        .add(Wheel::new("app", "1.0").requires("My-Library>=2").build())
        .add_yanked(Wheel::new("app", "2.0").build(), "broken")
        .add(Wheel::new("my.library", "2.0").build())
        .add(Wheel::new("my.library", "2.1").requires_python(">=3.99").build())
        .serve()
}

#[test]
fn pip_downloads_from_every_form_of_the_index() {
    for (json, links, core_metadata) in [
        (true, Links::Absolute, MetadataMode::Announced),
        (true, Links::Relative, MetadataMode::Absent),
        (false, Links::Absolute, MetadataMode::OldName),
        (false, Links::Base, MetadataMode::Announced),
        (false, Links::RelativeToHost, MetadataMode::Unannounced),
    ] {
        let server = two_projects(IndexBehavior { json, links, core_metadata, ..IndexBehavior::default() });
        let Some(names) = pip_download(&server, &["--index-url".into(), server.url("/simple/")]) else { return };
        assert_eq!(names, ["app-1.0-py3-none-any.whl", "my_library-2.0-py3-none-any.whl"], "{json} {links:?}");
        let metadata_requests = server.requests_for("/files/app-1.0-py3-none-any.whl.metadata").len();
        let announced = matches!(core_metadata, MetadataMode::Announced | MetadataMode::OldName);
        assert_eq!(metadata_requests, usize::from(announced), "{json} {core_metadata:?}");
    }
}

#[test]
fn pip_downloads_from_find_links_and_with_a_password() {
    let server = two_projects(IndexBehavior::default());
    let arguments = ["--no-index".into(), "--find-links".into(), server.url("/find-links/")];
    let Some(names) = pip_download(&server, &arguments) else { return };
    assert_eq!(names, ["app-1.0-py3-none-any.whl", "my_library-2.0-py3-none-any.whl"]);

    let login = ("me".to_owned(), "secret".to_owned());
    let server = two_projects(IndexBehavior { basic_auth: Some(login), ..IndexBehavior::default() });
    let url = server.url_with_credentials("me", "secret", "/simple/");
    assert_eq!(pip_download(&server, &["--index-url".into(), url]).unwrap().len(), 2);
}

#[test]
fn the_python_of_both_environments_finds_what_is_in_them() {
    if Interpreter::find().is_none() {
        eprintln!("skipped: no python3");
        return;
    }
    for environment in [Environment::new(), Environment::made_by_venv()] {
        std::fs::write(environment.site_packages().join("here.py"), "x = 42\n").unwrap();
        assert_eq!(environment.run_python("import here; print(here.x)"), "42");
        let prefix = environment.run_python("import sys; print(sys.prefix)");
        assert_eq!(prefix, environment.venv().display().to_string());
        assert!(environment.leftovers().is_empty());
        assert!(environment.state().iter().any(|line| line.starts_with("bin/python3 -> ")));
    }
}
