//! Redirects: which are followed, how many, and what stays behind.

use std::sync::atomic::{AtomicUsize, Ordering};

use testkit::{Environment, Index, Response, Server, Wheel};

use super::scene::{install, refused};

fn index() -> Index {
    Index::new().add(Wheel::new("app", "1.0").build())
}

/// Everything moved, as `location` says for a path.
fn moved(status: u16, location: impl Fn(&str) -> String + Send + Sync + 'static) -> Server {
    Server::start(move |request| Response::redirect(status, &location(&request.path)))
}

#[test]
fn a_moved_index_is_followed() {
    for status in [301, 302, 303, 307, 308] {
        let environment = Environment::new();
        let target = index().serve();
        let origin = target.url("");
        let server = moved(status, move |path| format!("{origin}{path}"));
        install(&environment, &server, &["app"]).run().expect_code(0);
        assert_eq!(environment.installed(), ["app-1.0"]);
    }
}

#[test]
fn a_relative_redirect_stays_on_its_server() {
    let environment = Environment::new();
    let index = index();
    let server = Server::start(move |request| match request.path.as_str() {
        "/simple/app/" => Response::redirect(302, "../../mirror/app/"),
        "/mirror/app/" => index.respond(&testkit::Request { path: "/simple/app/".to_owned(), ..request.clone() }),
        _ => index.respond(request),
    });
    install(&environment, &server, &["app"]).run().expect_code(0);
    assert_eq!(server.requests_for("/mirror/app/").len(), 1);
}

#[test]
fn a_loop_ends_after_ten_redirects() {
    let environment = Environment::new();
    let server = moved(302, |path| path.to_owned());
    let stderr = refused(&environment, install(&environment, &server, &["app"]), 13);
    assert!(stderr.contains("more than 10 redirects"), "{stderr}");
    assert_eq!(server.requests().len(), 11);
}

#[test]
fn a_chain_without_end_is_not_followed() {
    let environment = Environment::new();
    let count = AtomicUsize::new(0);
    let server = moved(302, move |_| format!("/{}", count.fetch_add(1, Ordering::Relaxed)));
    let stderr = refused(&environment, install(&environment, &server, &["app"]), 13);
    assert!(stderr.contains("net.redirect"), "{stderr}");
    assert_eq!(server.requests().len(), 11);
}

#[test]
fn ten_redirects_are_allowed() {
    let environment = Environment::new();
    let index = index();
    let server = Server::start(move |request| match request.path.strip_prefix("/simple/app/") {
        Some("") => Response::redirect(302, "/simple/app/1"),
        Some("10") => index.respond(&testkit::Request { path: "/simple/app/".to_owned(), ..request.clone() }),
        Some(step) => Response::redirect(302, &format!("/simple/app/{}", step.parse::<u8>().unwrap() + 1)),
        None => index.respond(request),
    });
    install(&environment, &server, &["app"]).run().expect_code(0);
}

#[test]
fn nothing_leads_out_of_http() {
    let environment = Environment::new();
    let wheel = Wheel::new("app", "1.0").build();
    let page = format!("<a href=\"{}\">x</a>", wheel.filename);
    environment.write(&wheel.filename, &wheel.bytes);
    let page = environment.write("index.html", page);
    for location in [format!("file://{}", page.display()), "ftp://127.0.0.1/".to_owned(), "data:text/html,x".to_owned()]
    {
        let server = moved(302, move |_| location.clone());
        let stderr = refused(&environment, install(&environment, &server, &["app"]), 10);
        assert!(stderr.contains("a redirect from http to"), "{stderr}");
        assert!(stderr.contains("net.unsafe-redirect"), "{stderr}");
    }
}

#[test]
fn a_redirect_to_nowhere_is_an_error() {
    let environment = Environment::new();
    for response in [Response::new(302), Response::redirect(302, "http://[bad")] {
        let server = Server::start(move |_| response.clone());
        let stderr = refused(&environment, install(&environment, &server, &["app"]), 13);
        assert!(stderr.contains("without a usable destination"), "{stderr}");
    }
}

#[test]
fn credentials_stay_behind_when_the_host_changes() {
    let environment = Environment::new();
    let target = index().serve();
    let origin = target.url("");
    let server = moved(302, move |path| format!("{origin}{path}"));
    let index_url = server.url_with_credentials("me", "s3cret", "/simple/");
    install(&environment, &server, &["-i", &index_url, "app"]).run().expect_code(0);
    assert_eq!(server.requests()[0].basic_auth(), Some(("me".to_owned(), "s3cret".to_owned())));
    assert!(target.requests().iter().all(|request| request.header("authorization").is_none()));
    assert!(!target.requests().is_empty());
}

#[test]
fn credentials_in_a_destination_are_not_repeated() {
    let environment = Environment::new();
    let server = moved(302, |_| "gopher://me:s3cret@127.0.0.1/".to_owned());
    let stderr = refused(&environment, install(&environment, &server, &["-v", "-v", "app"]), 10);
    assert!(!stderr.contains("s3cret"), "{stderr}");
}
