//! Servers that fail, fall silent, drip, flood or lie: everything ends soon, and small.

use std::time::Duration;

use testkit::{Environment, Index, Response, Server, Wheel};

use super::scene::{install, refused, serving};

const PAGE: &str = "/simple/app/";

fn app() -> testkit::WheelFile {
    Wheel::new("app", "1.0").build()
}

/// An index whose page of `app` is answered by `page`.
fn with_page(page: impl Fn(usize, Response) -> Response + Send + Sync + 'static) -> Server {
    let index = Index::new().add(app());
    Server::start(move |request| {
        let proper = index.respond(request);
        if request.path == PAGE { page(request.occurrence, proper) } else { proper }
    })
}

/// Runs into `code` with these words in the message.
#[track_caller]
fn refused_with(server: &Server, words: &[&str], code: i32, pieces: &[&str]) {
    refused_within(Duration::from_secs(20), server, words, code, pieces);
}

#[track_caller]
fn refused_within(limit: Duration, server: &Server, words: &[&str], code: i32, pieces: &[&str]) {
    let environment = Environment::new();
    let command = install(&environment, server, words).time_limit(limit);
    let stderr = refused(&environment, command, code);
    for piece in pieces {
        assert!(stderr.contains(piece), "no `{piece}` in\n{stderr}");
    }
}

#[test]
fn a_server_that_recovers_is_asked_again() {
    for status in [408, 429, 500, 502, 503, 504] {
        let environment = Environment::new();
        let server = with_page(move |occurrence, proper| if occurrence == 0 { Response::new(status) } else { proper });
        let outcome = install(&environment, &server, &["app"]).run().expect_code(0);
        outcome.expect_stderr(&[&format!("the server answered {status}; trying again in")]);
        assert_eq!(environment.installed(), ["app-1.0"]);
    }
}

#[test]
fn retries_are_bounded_and_0_means_none() {
    for (retries, requests) in [("0", 1), ("2", 3)] {
        let server = with_page(|_, _| Response::new(503));
        refused_with(&server, &["--retries", retries, "app"], 13, &["the server answered 503", "net.status"]);
        assert_eq!(server.requests_for(PAGE).len(), requests);
    }
}

#[test]
fn statuses_that_stay_are_not_asked_again() {
    for status in [400, 403, 405, 451, 501] {
        let server = with_page(move |_, _| Response::new(status));
        let code = if status == 403 { 1 } else { 13 };
        refused_with(&server, &["app"], code, &[&format!("the server answered {status}")]);
        assert_eq!(server.requests_for(PAGE).len(), 1);
    }
}

#[test]
fn a_server_may_say_when_to_come_back() {
    let environment = Environment::new();
    let server = with_page(
        |occurrence, proper| {
            if occurrence == 0 { Response::new(503).header("Retry-After", "1") } else { proper }
        },
    );
    let outcome = install(&environment, &server, &["app"]).run().expect_code(0);
    assert!(outcome.elapsed >= Duration::from_secs(1));
    outcome.expect_stderr(&["trying again in 1.0 s"]);
}

#[test]
fn a_server_that_asks_for_more_than_a_minute_is_not_waited_for() {
    for (wait, said) in [("61", "61 seconds"), ("86400", "24 hours"), ("99999999999999999999", "")] {
        let server = with_page(move |_, _| Response::new(503).header("Retry-After", wait));
        let said =
            if said.is_empty() { "answered 503".to_owned() } else { format!("answered 503 and asks to wait {said}") };
        refused_with(&server, &["--retries=5", "app"], 13, &[&said, "net.status"]);
        let asked = server.requests_for(PAGE).len();
        assert!(asked == 1 || said == "answered 503", "{asked}");
        // The same for a file, whose retries are counted apart.
        let server = serving(move |_, _| Response::new(429).header("Retry-After", wait));
        refused_with(&server, &["--retries=5", "app"], 13, &["answered 429"]);
    }
}

#[test]
fn a_download_is_tried_again_when_the_server_fails() {
    let environment = Environment::new();
    let server = serving(|request, proper| if request.occurrence == 0 { Response::new(502) } else { proper });
    install(&environment, &server, &["app"]).run().expect_code(0);
    let server = serving(|_, _| Response::new(502));
    refused_with(&server, &["--retries=0", "--resume-retries=5", "app"], 13, &["the server answered 502"]);
    assert_eq!(server.requests_for("/files/app-1.0-py3-none-any.whl").len(), 1);
}

#[test]
fn nobody_listens() {
    let environment = Environment::new();
    let server = Index::new().serve();
    let index = Server::unreachable_url("/simple/");
    let stderr = refused(&environment, install(&environment, &server, &["-i", &index, "app"]), 13);
    assert!(stderr.contains("Connection refused"), "{stderr}");
    assert!(stderr.contains("net.unreachable"), "{stderr}");
}

#[test]
fn silence_ends_after_the_time_out() {
    let words = ["--timeout=1", "--retries=1", "--resume-retries=1", "app"];
    let server = with_page(|_, _| Response::never());
    refused_with(&server, &words, 13, &["no answer in time", "net.timeout"]);
    assert_eq!(server.requests_for(PAGE).len(), 2);
    let server = serving(|_, proper| proper.hang_after(1000));
    refused_with(&server, &words, 13, &["no answer in time"]);
}

#[test]
fn dripping_bodies_are_given_up() {
    // The headers come at the same pace: some 200 bytes in half a second.
    let drip = |proper: Response| proper.slow(400);
    let words = ["--timeout=1", "app"];
    let server = with_page(move |_, proper| drip(proper.body(vec![b' '; 100_000])));
    refused_with(&server, &words, 13, &["less than 1 KiB per second", "net.too-slow"]);
    assert_eq!(server.requests_for(PAGE).len(), 1, "trying again would only take as long");
    let server = serving(move |_, proper| drip(proper));
    refused_with(&server, &words, 13, &["less than 1 KiB per second"]);
}

#[test]
fn pages_have_a_largest_size() {
    let endless = || Response::ok("text/html", vec![b' '; 1 << 20]).endless();
    let server = with_page(move |_, _| endless());
    refused_with(&server, &["app"], 10, &["more than 67108864 bytes", "net.too-large"]);
    let server = with_page(|_, _| Response::ok("text/html", "").claimed_length(1 << 40));
    refused_with(&server, &["app"], 10, &["net.too-large"]);
    assert_eq!(server.requests_for(PAGE).len(), 1);
}

#[test]
fn a_bomb_does_not_go_off() {
    let server = with_page(|_, _| Response::gzip_bomb("text/html", 2000));
    refused_with(&server, &["app"], 10, &["more than 67108864 bytes", "net.too-large"]);
}

/// What several pages of half a megabyte cost that were made to fill the memory.
#[test]
fn pages_cost_little_memory() {
    const ALLOWED: u64 = 256 << 10;
    let rows = |row: &dyn Fn(usize) -> String, count: usize| {
        let rows: Vec<String> = (0..count).map(row).collect();
        let page = format!(r#"{{"meta": {{"api-version": "1.0"}}, "name": "app", "files": [{}]}}"#, rows.join(","));
        Response::ok("application/vnd.pypi.simple.v1+json", page).gzip()
    };
    let link = |name: &str| format!(r#"{{"filename": "{name}", "url": "x", "hashes": {{}}}}"#);
    let page = |body: String| Response::ok("text/html", body).gzip();
    let cases = [
        ("rows that are no objects", rows(&|_| "1".to_owned(), 3_000_000), "resolve.no-match"),
        ("files of another project", rows(&|_| link("other-1.0-py3-none-any.whl"), 500_000), "resolve.no-match"),
        ("one file again and again", rows(&|_| link("app-1.0-py3-none-any.whl"), 500_000), "index.page"),
        ("versions", rows(&|n| link(&format!("app-{n}-py3-none-any.whl")), 31_000), "index.page"),
        (
            "fields",
            rows(&|_| format!(r#"{{"hashes": {{{}"a": "b"}}}}"#, r#""a": "b", "#.repeat(1_000_000)), 1),
            "resolve.no-match",
        ),
        ("links", page("<a href=x>".repeat(2_000_000)), "resolve.no-match"),
    ];
    for (case, page, code) in cases {
        let environment = Environment::new();
        let server = Server::start(move |_| page.clone());
        let outcome =
            install(&environment, &server, &["app"]).time_limit(Duration::from_secs(120)).run().expect_code(1);
        let peak = outcome.peak_memory.unwrap_or_default();
        outcome.expect_stderr(&[code]);
        assert!(peak < ALLOWED, "{case}: {peak} KiB");
    }
    // Together they cost as much as one.
    let environment = Environment::new();
    let large = page(" ".repeat(60 << 20));
    let server = Server::start(move |_| large.clone());
    let names = ["a", "b", "c", "d", "e", "f"];
    let outcome = install(&environment, &server, &names).time_limit(Duration::from_secs(120)).run().expect_code(1);
    assert!(outcome.peak_memory.unwrap_or_default() < ALLOWED, "{:?} KiB", outcome.peak_memory);
}

#[test]
fn compressed_pages_are_read_when_they_are_whole() {
    let environment = Environment::new();
    let server = with_page(|_, proper| proper.gzip());
    install(&environment, &server, &["app"]).run().expect_code(0);
    assert_eq!(server.requests_for(PAGE)[0].header("accept-encoding"), Some("gzip"));
    for missing in [1, 4, 8, 9, 30] {
        let server = with_page(move |_, proper| proper.truncated_gzip(missing));
        refused_with(&server, &["--retries=0", "app"], 13, &["not whole as gzip", "net.incomplete"]);
    }
    let server = with_page(|_, proper| proper.header("Content-Encoding", "gzip"));
    refused_with(&server, &["--retries=0", "app"], 13, &["not whole as gzip"]);
}

#[test]
fn encodings_nobody_asked_for_are_refused() {
    for encoding in ["br", "deflate", "gzip, gzip", "\u{1b}[31m"] {
        let server = with_page(move |_, proper| proper.header("Content-Encoding", encoding));
        refused_with(&server, &["app"], 13, &["net.protocol"]);
    }
}

#[test]
fn a_page_shorter_than_its_length_is_incomplete() {
    let server = with_page(|_, proper| {
        let length = proper.body_bytes().len();
        proper.claimed_length(length + 1)
    });
    refused_with(&server, &["app"], 13, &["net.incomplete"]);
    assert_eq!(server.requests_for(PAGE).len(), 2);
    let server = with_page(|_, proper| proper.chunked_without_end());
    refused_with(&server, &["app"], 13, &["net.incomplete"]);
}

#[test]
fn what_is_no_http_is_said_to_be_none() {
    for bytes in ["SSH-2.0-OpenSSH_9.6\r\n", "HTTP/9.9 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"]
    {
        let server = with_page(move |_, _| Response::raw(bytes));
        refused_with(&server, &["app"], 13, &["breaks the rules of HTTP", "net.protocol"]);
        assert_eq!(server.requests_for(PAGE).len(), 1);
    }
}

#[test]
fn a_flood_of_headers_is_cut_off() {
    let server =
        with_page(|_, proper| (0..100_000).fold(proper, |proper, n| proper.header(&format!("X-{n}"), "flood")));
    refused_with(&server, &["app"], 13, &["net.protocol"]);
    let server = with_page(|_, proper| proper.header("X-Long", &"x".repeat(2_000_000)));
    refused_with(&server, &["app"], 13, &["net.protocol"]);
}

#[test]
fn interim_responses_without_end_are_given_up() {
    let words = ["--timeout=1", "--retries=1", "--resume-retries=1", "app"];
    // They come in megabytes, and a debug build reads them slowly.
    let limit = Duration::from_secs(120);
    let server = with_page(|_, proper| proper.interim_responses(usize::MAX));
    refused_within(limit, &server, &words, 13, &["net."]);
    let server = serving(|_, proper| proper.interim_responses(usize::MAX));
    refused_within(limit, &server, &words, 13, &["net."]);
}

#[test]
fn interim_responses_do_not_disturb() {
    let environment = Environment::new();
    let server = with_page(|_, proper| proper.interim_responses(10));
    install(&environment, &server, &["app"]).run().expect_code(0);
}
