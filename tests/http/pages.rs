//! Pages of an index: what is read, what is left out, what is remembered, and what is refused.

use testkit::{Environment, HashName, Index, IndexBehavior, ListedFile, Request, Response, Server, Wheel};

use super::scene::{install, refused};

const JSON: &str = "application/vnd.pypi.simple.v1+json";
const PAGE: &str = "/simple/app/";

fn app(version: &str) -> testkit::WheelFile {
    Wheel::new("app", version).build()
}

/// An index with `app 1.0` whose page is answered by `page`; it gets the request and the proper answer.
fn with_page(page: impl Fn(&Request, Response) -> Response + Send + Sync + 'static) -> Server {
    let index = Index::new().add(app("1.0"));
    Server::start(move |request| {
        let proper = index.respond(request);
        if request.path == PAGE { page(request, proper) } else { proper }
    })
}

/// One link on a JSON page.
fn json_page(url: &str) -> String {
    let sha256 = HashName::Sha256.hex(&app("1.0").bytes);
    format!(
        r#"{{"meta":{{"api-version":"1.0"}},"name":"app","files":[{{"filename":"app-1.0-py3-none-any.whl","url":"{url}","hashes":{{"sha256":"{sha256}"}}}}]}}"#
    )
}

/// Installs nothing because the page cannot be used.
#[track_caller]
fn page_refused(server: &Server, code: i32, pieces: &[&str]) {
    let environment = Environment::new();
    let stderr = refused(&environment, install(&environment, server, &["app"]), code);
    for piece in pieces {
        assert!(stderr.contains(piece), "no `{piece}` in\n{stderr}");
    }
}

#[test]
fn html_is_as_good_as_json() {
    let environment = Environment::new();
    let server =
        Index::new().add(app("1.0")).options(IndexBehavior { json: false, ..IndexBehavior::default() }).serve();
    install(&environment, &server, &["app"]).run().expect_code(0);
    assert!(server.requests_for(PAGE)[0].accepts(JSON));
    assert_eq!(environment.installed(), ["app-1.0"]);
}

#[test]
fn a_page_of_another_type_is_refused() {
    let server = with_page(|_, proper| proper.without_header("Content-Type").header("Content-Type", "image/png"));
    page_refused(&server, 1, &["Could not read the page at http://", "'image/png'", "index.page"]);
}

#[test]
fn an_api_from_the_future_is_refused() {
    for json in [true, false] {
        let options = IndexBehavior { api_version: "2.0".to_owned(), json, ..IndexBehavior::default() };
        let server = Index::new().add(app("1.0")).options(options).serve();
        page_refused(&server, 1, &["page has version 2.0 of the simple API: expected 1.x"]);
    }
}

#[test]
fn garbage_is_refused_without_its_control_characters() {
    let server = with_page(|_, _| Response::ok(JSON, b"{\"\x1b[31m\": \"\xff".as_slice()));
    page_refused(&server, 1, &["page is not valid JSON of the simple API"]);
    let server = with_page(|_, _| Response::ok(JSON, format!("{{\"files\": {}", "[".repeat(1_000_000))));
    page_refused(&server, 1, &["page is not valid JSON of the simple API"]);
}

#[test]
fn a_page_that_is_no_page_lists_nothing() {
    let server = with_page(|_, _| Response::ok("text/html", "<h1>Welcome!</h1>"));
    page_refused(&server, 1, &["No matching distribution found for app"]);
}

#[test]
fn an_empty_success_is_no_page() {
    let server = with_page(|_, _| Response::new(204));
    page_refused(&server, 13, &["the server answered 204"]);
    let server = with_page(|_, _| Response::new(304));
    page_refused(&server, 13, &["the server answered 304"]);
}

#[test]
fn an_index_that_fails_is_not_one_without_the_project() {
    let server = with_page(|_, _| Response::new(500));
    let other = Index::new().add(app("9.0")).serve();
    let environment = Environment::new();
    let command = install(&environment, &server, &["app", "--extra-index-url", &other.url("/simple/")]);
    let stderr = refused(&environment, command, 13);
    assert!(stderr.contains(&format!("Could not fetch {}: the server answered 500", server.url(PAGE))), "{stderr}");
}

#[test]
fn links_leave_http_for_nothing_else() {
    let environment = Environment::new();
    let wheel = app("1.0");
    let path = environment.write("app-1.0-py3-none-any.whl", &wheel.bytes);
    let file_url = format!("file://{}", path.display());
    for link in
        [&file_url, "ftp://127.0.0.1/app-1.0-py3-none-any.whl", "data:text/plain,app-1.0-py3-none-any.whl", "//[bad"]
    {
        let json = json_page(link);
        let html = format!("<a href=\"{link}\">app-1.0-py3-none-any.whl</a>");
        for (kind, page) in [(JSON, json), ("text/html", html)] {
            let server = with_page(move |_, _| Response::ok(kind, page.clone()));
            let stderr = refused(&environment, install(&environment, &server, &["app"]), 1);
            assert!(stderr.contains("No matching distribution found for app"), "{stderr}");
        }
    }
}

#[test]
fn base_href_moves_links_but_not_out_of_http() {
    let environment = Environment::new();
    let server = with_page(|_, _| {
        let page = "<base href=\"/files/x/\"><a href=\"../app-1.0-py3-none-any.whl\">app-1.0-py3-none-any.whl</a>";
        Response::ok("text/html", page)
    });
    install(&environment, &server, &["app"]).run().expect_code(0);

    let wheel = app("1.0");
    let path = environment.write("app-1.0-py3-none-any.whl", &wheel.bytes);
    let page = format!("<base href=\"file://{}\"><a href=\"app-1.0-py3-none-any.whl\">x</a>", path.display());
    let server = with_page(move |_, _| Response::ok("text/html", page.clone()));
    page_refused(&server, 1, &["No matching distribution found for app"]);
}

#[test]
fn files_of_other_projects_on_a_page_do_not_count() {
    let server = with_page(|request, _| {
        let page =
            format!("<a href=\"{}/files/evil-9.0-py3-none-any.whl\">evil-9.0-py3-none-any.whl</a>", request.origin());
        Response::ok("text/html", page)
    });
    page_refused(&server, 1, &["No matching distribution found for app"]);
}

/// The page is fetched twice; gives the requests of the second command.
fn second_time(server: &Server) -> Vec<Request> {
    let environment = Environment::new();
    let run = || install(&environment, server, &["--dry-run", "app"]).run().expect_code(0);
    run();
    server.forget_requests();
    run();
    server.requests_for(PAGE)
}

fn cached_for(cache_control: Option<&str>, etag: bool) -> Server {
    let cache_control = cache_control.map(str::to_owned);
    Index::new().add(app("1.0")).options(IndexBehavior { cache_control, etag, ..IndexBehavior::default() }).serve()
}

#[test]
fn a_fresh_page_is_not_asked_for() {
    assert_eq!(second_time(&cached_for(Some("max-age=600, public"), true)).len(), 0);
    assert_eq!(second_time(&cached_for(Some("private, max-age=600"), false)).len(), 0);
}

#[test]
fn a_stale_page_is_asked_for_with_its_etag() {
    for cache_control in [Some("max-age=0"), Some("no-cache"), None] {
        let requests = second_time(&cached_for(cache_control, true));
        assert_eq!(requests.len(), 1);
        assert!(requests[0].header("if-none-match").is_some(), "{cache_control:?}");
    }
}

#[test]
fn without_word_from_the_server_a_page_is_asked_for_each_time() {
    // A date alone is no reason to guess that the page stays for a while.
    let server = with_page(|_, proper| {
        proper
            .without_header("Cache-Control")
            .without_header("ETag")
            .header("Last-Modified", "Mon, 01 Jan 2001 00:00:00 GMT")
    });
    let requests = second_time(&server);
    assert_eq!(requests.len(), 1);
    assert!(requests[0].header("if-modified-since").is_some());
}

#[test]
fn what_must_not_be_stored_is_not() {
    let requests = second_time(&cached_for(Some("no-store"), true));
    assert_eq!(requests.len(), 1);
    assert_eq!(requests[0].header("if-none-match"), None);
    let server = with_page(|_, proper| proper.without_header("Vary").header("Vary", "*"));
    assert_eq!(second_time(&server).len(), 1);
}

#[test]
fn without_a_cache_nothing_is_remembered() {
    let environment = Environment::new();
    let server = Index::new().add(app("1.0")).serve();
    for _ in 0..2 {
        install(&environment, &server, &["--no-cache-dir", "--dry-run", "app"]).run().expect_code(0);
    }
    assert_eq!(server.requests_for(PAGE).len(), 2);
    assert!(!environment.cache().join("tufpip/pages").exists());
    assert_eq!(environment.leftovers(), [""; 0]);
}

#[test]
fn a_new_release_is_seen_when_the_page_is_stale() {
    let environment = Environment::new();
    let old = Index::new().add(app("1.0")).options(IndexBehavior { cache_control: None, ..IndexBehavior::default() });
    let new = old.clone().add(app("2.0"));
    let server = Server::start(move |request| match request.path.as_str() {
        PAGE if request.occurrence == 0 => old.respond(request),
        _ => new.respond(request),
    });
    install(&environment, &server, &["app"]).run().expect_code(0);
    install(&environment, &server, &["-U", "app"]).run().expect_code(0);
    assert_eq!(environment.installed(), ["app-2.0"]);
}

#[test]
fn damaged_files_of_the_cache_are_as_good_as_none() {
    let environment = Environment::new();
    let server = Index::new().add(app("1.0")).serve();
    let run = || install(&environment, &server, &["--dry-run", "app"]).run().expect_code(0);
    run();
    for directory in ["pages", "metadata"] {
        let cached = std::fs::read_dir(environment.cache().join("tufpip").join(directory)).unwrap();
        let cached = cached.map(|entry| entry.unwrap().path()).next().unwrap();
        let good = std::fs::read(&cached).unwrap();
        let mut bit_flipped = good.clone();
        bit_flipped[good.len() / 2] ^= 4;
        for damaged in [bit_flipped, good[..good.len() / 2].to_vec(), Vec::new(), vec![b'x'; 100], good.repeat(2)] {
            std::fs::write(&cached, damaged).unwrap();
            server.forget_requests();
            run();
            assert_eq!(server.requests().len(), 1, "{directory}");
            assert_eq!(server.requests()[0].header("if-none-match"), None);
            server.forget_requests();
            run();
            assert_eq!(server.log(), [""; 0], "it is whole again");
        }
    }
}

#[test]
fn a_page_of_links_is_fetched_once_for_all_projects() {
    let environment = Environment::new();
    let server = Index::new()
        .add(Wheel::new("app", "1.0").requires("library").build())
        .add(Wheel::new("library", "1.0").build())
        .serve();
    install(&environment, &server, &["--no-index", "-f", &server.url("/find-links/"), "app"]).run().expect_code(0);
    assert_eq!(environment.installed(), ["app-1.0", "library-1.0"]);
    assert_eq!(server.requests_for("/find-links/").len(), 1);
    assert!(server.requests().iter().all(|request| !request.path.starts_with("/simple")));
}

#[test]
fn localhost_is_a_server_and_no_directory() {
    let environment = Environment::new();
    let server = Index::new().add(app("1.0")).serve();
    let index = server.url("/simple/").replace("127.0.0.1", "localhost");
    install(&environment, &server, &["-i", &index, "app"]).run().expect_code(0);
    assert_eq!(environment.installed(), ["app-1.0"]);
}

#[test]
fn an_index_may_be_a_directory() {
    let environment = Environment::new();
    let wheel = app("1.0");
    let sha256 = wheel.sha256();
    environment.write("index/app/app-1.0-py3-none-any.whl", &wheel.bytes);
    let link = format!("<a href=\"app-1.0-py3-none-any.whl#sha256={sha256}\">app-1.0-py3-none-any.whl</a>");
    environment.write("index/app/index.html", link);
    let server = Index::new().serve();
    let index = format!("file://{}", environment.work().join("index").display());
    install(&environment, &server, &["-i", &index, "app"]).run().expect_code(0);
    assert_eq!(environment.installed(), ["app-1.0"]);
    assert_eq!(server.log(), [""; 0]);
    let stderr = refused(&environment, install(&environment, &server, &["-i", &index, "other"]), 1);
    assert!(stderr.contains("No matching distribution found for other"), "{stderr}");
}

#[test]
fn links_are_directories_files_and_pages() {
    let server = Index::new().serve();
    let wheel = app("1.0");
    for find_links in ["links", "links/app-1.0-py3-none-any.whl", "links/page.html", "page.html"] {
        let environment = Environment::new();
        environment.write("links/app-1.0-py3-none-any.whl", &wheel.bytes);
        environment.write("links/page.html", "<a href=\"app-1.0-py3-none-any.whl\">x</a>");
        environment.write("page.html", "<a href=\"links/app-1.0-py3-none-any.whl\">x</a>");
        install(&environment, &server, &["--no-index", "-f", find_links, "app"]).run().expect_code(0);
        assert_eq!(environment.installed(), ["app-1.0"], "{find_links}");
    }
    assert_eq!(server.log(), [""; 0]);
    let environment = Environment::new();
    let command = install(&environment, &server, &["--no-index", "-f", "http-missing", "app"]);
    let stderr = refused(&environment, command, 1);
    assert!(stderr.contains("WARNING: Location 'http-missing' is ignored"), "{stderr}");
}

#[test]
fn a_device_is_no_distribution() {
    let environment = Environment::new();
    let server = Index::new().serve();
    std::os::unix::fs::symlink("/dev/zero", environment.work().join("app-1.0-py3-none-any.whl")).unwrap();
    let stderr =
        refused(&environment, install(&environment, &server, &["--no-index", "./app-1.0-py3-none-any.whl"]), 1);
    assert!(stderr.contains("it is no file"), "{stderr}");
}

#[test]
fn sizes_and_hashes_of_a_page_are_only_claims() {
    let environment = Environment::new();
    let server = Index::new().add(ListedFile::from(app("1.0")).wrong_hash()).serve();
    let stderr = refused(&environment, install(&environment, &server, &["app"]), 10);
    assert!(stderr.contains("verify.hash-mismatch"), "{stderr}");
}
