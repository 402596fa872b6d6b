//! `repo serve`: any installer can be tried with it, and nothing but what is published can be had from it.

use std::fs;
use std::os::unix::fs::symlink;

use testkit::{SignedIndex, tree};

use crate::repo::published::{Published, index};

const JSON: &str = "application/vnd.pypi.simple.v1+json";

#[test]
fn a_signed_package_is_installed_from_it_over_plain_http() {
    let published = Published::new();
    let serving = published.serve();
    let index = format!("{}simple/", serving.url);
    let root = published.directory().join("root.json");
    let tufpip = |arguments: &[&str]| published.environment.command(env!("CARGO_BIN_EXE_tufpip")).args(arguments);
    tufpip(&["trust", "add", &index, "--root"]).arg(&root).run().expect_code(0);
    let outcome = tufpip(&["install", "-i", &index, "--require-signed", "app"]).run().expect_code(0);
    assert!(outcome.stderr.contains("Verified   2 files against snapshot"), "{}", outcome.stderr);
    assert!(!outcome.stderr.contains("trusted-host"), "{}", outcome.stderr);
    assert_eq!(published.environment.installed(), ["app-1.0", "library-2.0"]);
}

#[test]
fn pages_are_json_or_html_as_the_installer_wants_them() {
    let published = Published::new();
    let serving = published.serve();
    for (accept, content_type, file) in [
        ("*/*", "text/html; charset=utf-8", "index.html"),
        (JSON, JSON, "index.json"),
        ("application/vnd.pypi.simple.v1+json, text/html;q=0.01", JSON, "index.json"),
        ("application/vnd.pypi.simple.v1+json;q=0.1, text/html", "text/html; charset=utf-8", "index.html"),
    ] {
        for path in ["/simple/", "/simple/app/"] {
            let answer = serving.request("GET", path, &[("Accept", accept)]);
            assert_eq!(answer.status, 200, "{path} for {accept}");
            assert_eq!(answer.header("content-type"), content_type, "{path} for {accept}");
            assert_eq!(answer.header("vary"), "Accept");
            assert_eq!(answer.header("cache-control"), "max-age=60, must-revalidate");
            assert_eq!(answer.body, fs::read(published.public(path).join(file)).unwrap());
        }
    }
    for path in ["/simple/app", "//simple/app"] {
        let moved = serving.get(path);
        assert_eq!((moved.status, moved.header("location")), (301, "/simple/app/"));
    }
}

#[test]
fn only_what_changes_is_asked_for_again() {
    let published = Published::new();
    let serving = published.serve();
    for (path, content_type, kept) in [
        ("/tuf/timestamp.json", "application/json", "max-age=30, must-revalidate"),
        ("/tuf/1.root.json", "application/json", "public, max-age=31536000, immutable"),
        (&published.server.page_path("app"), JSON, "public, max-age=31536000, immutable"),
        ("/simple/app/index.json", JSON, "max-age=60, must-revalidate"),
        ("/files/app-1.0-py3-none-any.whl", "application/octet-stream", "public, max-age=31536000, immutable"),
    ] {
        let answer = serving.get(path);
        assert_eq!(answer.status, 200, "{path}");
        assert_eq!(answer.header("content-type"), content_type, "{path}");
        assert_eq!(answer.header("cache-control"), kept, "{path}");
        assert_eq!(answer.body, fs::read(published.public(path)).unwrap());
        let (tag, date) = (answer.header("etag"), answer.header("last-modified"));
        for known in [("If-None-Match", tag), ("If-Modified-Since", date)] {
            let again = serving.request("GET", path, &[known]);
            assert_eq!((again.status, again.body.len()), (304, 0), "{path} with {known:?}");
            assert_eq!(again.header("etag"), tag);
        }
        let head = serving.request("HEAD", path, &[]);
        assert_eq!((head.status, head.body.len()), (200, 0));
        assert_eq!(head.header("content-length"), answer.body.len().to_string());
    }
}

#[test]
fn a_download_that_broke_off_is_resumed() {
    let published = Published::new();
    let serving = published.serve();
    let path = "/files/app-1.0-py3-none-any.whl";
    let wheel = serving.get(path);
    let tag = wheel.header("etag");
    let rest = serving.request("GET", path, &[("Range", "bytes=100-"), ("If-Range", tag)]);
    assert_eq!(rest.status, 206);
    assert_eq!(rest.body, wheel.body[100..]);
    let length = wheel.body.len();
    assert_eq!(rest.header("content-range"), format!("bytes 100-{}/{length}", length - 1));
    let of_another = serving.request("GET", path, &[("Range", "bytes=100-"), ("If-Range", "\"other\"")]);
    assert_eq!((of_another.status, of_another.body.len()), (200, length));
    let beyond = serving.request("GET", path, &[("Range", "bytes=999999-")]);
    assert_eq!((beyond.status, beyond.header("content-range")), (416, format!("bytes */{length}").as_str()));
}

#[test]
fn nothing_but_what_is_published_can_be_had() {
    let published = Published::new();
    fs::write(published.directory().join("secret"), "of the operator").unwrap();
    published.environment.write("repository/public/.tufpip-unfinished", "half a file");
    published.environment.write("repository/public/simple/.hidden/index.html", "not for you");
    symlink(published.directory().join("secret"), published.public("simple/link")).unwrap();
    symlink(published.directory(), published.public("above")).unwrap();
    symlink(published.public(".tufpip-unfinished"), published.public("shown")).unwrap();
    let serving = published.serve();
    for path in [
        "/../repo.toml",
        "/simple/../../repo.toml",
        "/%2e%2e/repo.toml",
        "/simple/%2e%2e/%2e%2e/secret",
        "/..%2Frepo.toml",
        "//repo.toml",
        "/%2Fetc/passwd",
        "/simple/link",
        "/above/secret",
        "/above/",
        "/shown",
        "/.tufpip-unfinished",
        "/simple/.hidden/",
        "/",
        "/tuf",
        "/tuf/",
        "/tuf/2.root.json",
        "/simple/other/",
        "/simple/app%00/index.html",
        "/%ff",
    ] {
        let answer = serving.get(path);
        assert_eq!((answer.status, answer.body.len()), (404, 0), "{path}");
    }
    let written = serving.request("PUT", "/tuf/timestamp.json", &[("Content-Length", "0")]);
    assert_eq!((written.status, written.header("allow")), (405, "GET, HEAD"));
}

#[test]
fn serving_changes_nothing_in_the_operators_directory_and_needs_no_key() {
    let published = Published::of(SignedIndex::new(index()));
    let before = tree(&published.directory());
    let serving = published.serve();
    assert_eq!(serving.get("/tuf/timestamp.json").status, 200);
    drop(serving);
    assert_eq!(tree(&published.directory()), before);
}

#[test]
fn a_bucket_serves_itself() {
    let published = Published::new();
    published.environment.write(
        "repository/repo.toml",
        "base = \"https://pkgs.example.org/\"\noutput = \"s3://bucket/index\"\nprofile = \"small\"\n",
    );
    let outcome = published.repo(&["serve"]).run().expect_code(2);
    outcome.expect_stderr(&["which serves itself", "-i https://pkgs.example.org/simple/", "repo.served-elsewhere"]);
}

#[test]
fn a_taken_port_is_named() {
    let published = Published::new();
    let serving = published.serve();
    let port = serving.url.trim_end_matches('/').rsplit(':').next().unwrap().to_owned();
    published.repo(&["serve", "--port", &port]).run().expect_code(1).expect_stderr(&[&port, "--port 0", "repo.port"]);
}

#[test]
fn nothing_is_served_before_something_is_published() {
    let published = Published::new();
    fs::remove_dir_all(published.public("")).unwrap();
    published.repo(&["serve"]).run().expect_code(1).expect_stderr(&["tufpip repo publish", "repo.not-published"]);
}
