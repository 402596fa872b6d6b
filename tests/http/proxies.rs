//! Proxies, plain http to other machines, and files of certificates.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use testkit::{Command, Environment, Index, IndexBehavior, ListedFile, MetadataMode, Request, Response, Server, Wheel};

use super::scene::{install, refused};

/// Nobody has this name; only the proxy is ever asked for it.
const INDEX: &str = "http://pkgs.example.org/simple/";

/// A proxy that knows an index behind that name: it is asked with whole URLs.
fn proxy() -> Server {
    let index = Index::new().add(Wheel::new("app", "1.0").build());
    Server::start(move |request| {
        let path = request.path.strip_prefix("http://pkgs.example.org").unwrap_or(&request.path).to_owned();
        index.respond(&Request { path, ..request.clone() })
    })
}

fn behind(environment: &Environment, server: &Server, words: &[&str]) -> Command {
    let words = [&["-i", INDEX, "app"], words].concat();
    install(environment, server, &words).env_remove("NO_PROXY")
}

fn proxy_credentials(server: &Server) -> Vec<Option<String>> {
    let requests = server.requests();
    requests.iter().map(|request| request.header("proxy-authorization").map(str::to_owned)).collect()
}

#[test]
fn plain_http_to_another_machine_is_ignored() {
    let environment = Environment::new();
    let server = proxy();
    for words in [&[][..], &["-f", "http://pkgs.example.org/find-links/"], &["--trusted-host", "example.org"]] {
        let address = server.url("");
        let words = [&["--proxy", &address], words].concat();
        let stderr = refused(&environment, behind(&environment, &server, &words), 1);
        let warning =
            "WARNING: The repository located at pkgs.example.org is not a trusted or secure host and is being ignored.";
        assert!(stderr.contains(warning), "{stderr}");
        assert!(stderr.contains("'--trusted-host pkgs.example.org'"), "{stderr}");
        assert!(stderr.contains("No matching distribution found for app"), "{stderr}");
    }
    assert_eq!(server.log(), [""; 0]);
}

#[test]
fn a_trusted_host_may_be_plain() {
    for trusted in ["pkgs.example.org", "PKGS.example.org:80"] {
        let environment = Environment::new();
        let server = proxy();
        let words = ["--proxy", &server.url(""), "--trusted-host", trusted];
        let outcome = behind(&environment, &server, &words).run().expect_code(0);
        assert_eq!(environment.installed(), ["app-1.0"]);
        assert!(!outcome.stderr.contains("WARNING"), "{}", outcome.stderr);
        assert!(server.requests().iter().all(|request| request.path.starts_with("http://pkgs.example.org/")));
    }
    let environment = Environment::new();
    let server = proxy();
    environment.write("requirements.txt", "--trusted-host pkgs.example.org\napp\n");
    behind(&environment, &server, &["--proxy", &server.url(""), "-r", "requirements.txt"]).run().expect_code(0);
}

/// What anybody on the way could have written is forgotten with the command that accepted it.
#[test]
fn pages_of_a_trusted_host_are_not_kept() {
    for metadata in [MetadataMode::Announced, MetadataMode::Absent] {
        let day = Arc::new(AtomicUsize::new(1));
        let answers = Arc::clone(&day);
        let server = Server::start(move |request| {
            let path = request.path.strip_prefix("http://pkgs.example.org").unwrap_or(&request.path).to_owned();
            let cache_control = Some("max-age=31536000, immutable".to_owned());
            let version = if answers.load(Ordering::SeqCst) == 1 { "1.0" } else { "2.0" };
            let app = ListedFile::from(Wheel::new("app", version).build()).core_metadata(metadata);
            let options = IndexBehavior { cache_control, ..IndexBehavior::default() };
            Index::new().add(app).options(options).respond(&Request { path, ..request.clone() })
        });
        let environment = Environment::new();
        let address = server.url("");
        let words = ["--proxy", &address, "--trusted-host", "pkgs.example.org", "-U"];
        for version in ["1.0", "2.0"] {
            behind(&environment, &server, &words).run().expect_code(0);
            assert_eq!(environment.installed(), [format!("app-{version}")]);
            let kept = testkit::tree(&environment.cache());
            let kept: Vec<_> = kept.into_iter().filter(|line| line.contains("/pages/")).collect();
            assert_eq!(kept, [""; 0]);
            day.fetch_add(1, Ordering::SeqCst);
        }
    }
}

#[test]
fn metadata_of_a_trusted_host_is_kept_only_by_its_hash() {
    let wheel = Wheel::new("app", "1.0").build();
    let evil = Wheel::new("app", "1.0").requires("nothing-of-this-name").build();
    let is_evil = Arc::new(AtomicUsize::new(1));
    let answers = Arc::clone(&is_evil);
    // Somebody on the way changes what is asked for in parts.
    let server = Server::start(move |request| {
        let path = request.path.strip_prefix("http://pkgs.example.org").unwrap_or(&request.path).to_owned();
        let file = ListedFile::from(wheel.clone()).core_metadata(MetadataMode::Absent);
        if request.header("range").is_some() && answers.load(Ordering::SeqCst) == 1 {
            return Response::ranged(request, "application/octet-stream", &evil.bytes, None);
        }
        Index::new().add(file).respond(&Request { path, ..request.clone() })
    });
    let environment = Environment::new();
    let address = server.url("");
    let words = ["--proxy", &address, "--trusted-host", "pkgs.example.org"];
    refused(&environment, behind(&environment, &server, &words), 1);
    is_evil.store(0, Ordering::SeqCst);
    behind(&environment, &server, &words).run().expect_code(0);
}

#[test]
fn links_to_plain_http_on_another_machine_are_ignored() {
    let wheel = Wheel::new("app", "1.0").build();
    let linked = ListedFile::from(wheel).raw_link("http://pkgs.example.org/files/app-1.0-py3-none-any.whl");
    let index = Index::new().add(linked).serve();
    let proxy = proxy();
    let environment = Environment::new();
    let (simple, links) = (index.url("/simple/"), index.url("/find-links/"));
    for place in [&["-i", simple.as_str()][..], &["--no-index", "-f", &links]] {
        let run = |words: &[&str]| {
            let command = install(&environment, &index, place).args(words).arg("app");
            command.env("NO_PROXY", "127.0.0.1").env("HTTP_PROXY", proxy.url(""))
        };
        let stderr = refused(&environment, run(&[]), 1);
        assert!(stderr.contains("The repository located at pkgs.example.org is not a trusted"), "{stderr}");
        assert_eq!(proxy.log(), [""; 0]);
        run(&["--force-reinstall", "--trusted-host", "pkgs.example.org"]).run().expect_code(0);
        proxy.forget_requests();
        let uninstall = super::scene::tufpip(&environment, &index).args(["uninstall", "-y", "app"]);
        uninstall.run().expect_code(0);
        std::fs::remove_dir_all(environment.cache()).unwrap();
    }
}

#[test]
fn redirects_to_plain_http_on_another_machine_are_not_followed() {
    let proxy = proxy();
    let moved = Server::start(|request| Response::redirect(302, &format!("http://pkgs.example.org{}", request.path)));
    let environment = Environment::new();
    let run = |words: &[&str]| {
        let command = install(&environment, &moved, &["app"]).args(words);
        command.env("NO_PROXY", "127.0.0.1").env("HTTP_PROXY", proxy.url(""))
    };
    let stderr = refused(&environment, run(&[]), 10);
    assert!(stderr.contains("net.unsafe-redirect") && stderr.contains("not trusted"), "{stderr}");
    assert_eq!(proxy.log(), [""; 0]);
    run(&["--trusted-host", "pkgs.example.org"]).run().expect_code(0);
}

#[test]
fn the_environment_names_proxies() {
    for variable in ["http_proxy", "HTTP_PROXY", "ALL_PROXY"] {
        let environment = Environment::new();
        let server = proxy();
        let words = ["--trusted-host", "pkgs.example.org"];
        behind(&environment, &server, &words).env(variable, server.url("")).run().expect_code(0);
    }
    // What the user says here is stronger, and nothing is said by an empty word.
    let environment = Environment::new();
    let (server, other) = (proxy(), proxy());
    let words = ["--trusted-host", "pkgs.example.org", "--proxy", &server.url("")];
    behind(&environment, &server, &words).env("HTTP_PROXY", other.url("")).run().expect_code(0);
    assert_eq!(other.log(), [""; 0]);
    for switched_off in [&["--proxy", ""][..], &["--no-proxy-env"]] {
        let environment = Environment::new();
        let index = Index::new().add(Wheel::new("app", "1.0").build()).serve();
        let command = install(&environment, &index, &["app"]).args(switched_off).env_remove("NO_PROXY");
        command.env("HTTP_PROXY", Server::unreachable_url("")).run().expect_code(0);
    }
}

#[test]
fn no_proxy_is_obeyed() {
    let environment = Environment::new();
    let index = Index::new().add(Wheel::new("app", "1.0").build()).serve();
    let command = install(&environment, &index, &["app"]).env("NO_PROXY", "127.0.0.1");
    command.env("HTTP_PROXY", Server::unreachable_url("")).run().expect_code(0);
}

#[test]
fn a_proxy_gets_its_password_and_nobody_reads_it() {
    let environment = Environment::new();
    let server = proxy();
    let address = server.url_with_credentials("me", "s3cr3t", "");
    let words = ["-vv", "--log", "log.txt", "--trusted-host", "pkgs.example.org", "--proxy", &address];
    let outcome = behind(&environment, &server, &words).run().expect_code(0);
    assert!(proxy_credentials(&server).iter().all(|value| value.as_deref() == Some("Basic bWU6czNjcjN0")));
    let log = std::fs::read_to_string(environment.work().join("log.txt")).unwrap();
    for text in [outcome.stdout, outcome.stderr, log] {
        assert!(!text.contains("s3cr3t") && !text.contains("bWU6czNjcjN0"), "{text}");
    }
}

#[test]
fn a_proxy_that_is_down_is_an_error() {
    let environment = Environment::new();
    let server = proxy();
    let address = Server::unreachable_url("").replace("http://", "http://me:s3cr3t@");
    let words = ["-vv", "--trusted-host", "pkgs.example.org", "--proxy", &address];
    let stderr = refused(&environment, behind(&environment, &server, &words), 13);
    assert!(stderr.contains("net.unreachable") && !stderr.contains("s3cr3t"), "{stderr}");
}

#[test]
fn a_proxy_nobody_can_use_is_a_wrong_option() {
    let environment = Environment::new();
    let server = proxy();
    for address in ["http://me:s3cr3t@127.0.0.1:port", "socks5://me:s3cr3t@127.0.0.1:1", "http://"] {
        let words = ["--trusted-host", "pkgs.example.org", "--proxy", address];
        let stderr = refused(&environment, behind(&environment, &server, &words), 2);
        assert!(stderr.contains("the address given to --proxy is not usable"), "{stderr}");
        assert!(!stderr.contains("s3cr3t"), "{stderr}");
    }
}

/// Asks an index over TLS; nothing gets that far.
#[track_caller]
fn certificates_refused(words: &[&str], variable: Option<&str>, pieces: &[&str]) {
    let environment = Environment::new();
    let server = Index::new().serve();
    environment.write("empty.pem", "");
    environment.write("text.pem", "no certificate");
    environment.write("broken.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    environment.write("directory/readme", "no certificate");
    let index = server.url("/simple/").replace("http:", "https:");
    let mut command = install(&environment, &server, &["-i", &index, "app"]).args(words);
    if let Some((name, value)) = variable.and_then(|variable| variable.split_once('=')) {
        command = command.env(name, value);
    }
    let stderr = refused(&environment, command, 1);
    for piece in pieces {
        assert!(stderr.contains(piece), "no `{piece}` in\n{stderr}");
    }
    assert_eq!(server.log(), [""; 0]);
}

#[test]
fn a_bundle_without_certificates_is_no_reason_to_believe_others() {
    const MESSAGE: &str = "Could not find a suitable TLS CA certificate bundle, invalid path: ";
    for file in ["missing.pem", "empty.pem", "text.pem", "broken.pem", "directory"] {
        certificates_refused(&["--cert", file], None, &[MESSAGE, file, "net.certificate-file"]);
        for variable in ["PIP_CERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"] {
            certificates_refused(&[], Some(&format!("{variable}={file}")), &[MESSAGE, file]);
        }
    }
    certificates_refused(&[], Some("SSL_CERT_FILE=missing.pem"), &["net.settings"]);
}

#[test]
fn a_client_certificate_must_be_one() {
    const MESSAGE: &str = "Could not find the TLS certificate file, invalid path: ";
    for file in ["missing.pem", "empty.pem", "text.pem", "broken.pem"] {
        certificates_refused(&["--client-cert", file], None, &[MESSAGE, file, "net.certificate-file"]);
    }
}

#[test]
fn certificates_are_not_read_for_plain_http() {
    let environment = Environment::new();
    let server = Index::new().add(Wheel::new("app", "1.0").build()).serve();
    install(&environment, &server, &["--cert", "missing.pem", "--client-cert", "missing.pem", "app"])
        .run()
        .expect_code(0);
}
