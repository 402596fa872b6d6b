//! User names and passwords: who gets them, what happens without them, and that nobody reads them afterwards.

use std::path::Path;

use testkit::{Environment, Index, IndexBehavior, Links, Outcome, Server, Wheel};

use super::scene::{install, refused, tufpip};

const USER: &str = "me";
const PASSWORD: &str = "s3cr3t-w0rd";

fn pair() -> Option<(String, String)> {
    Some((USER.to_owned(), PASSWORD.to_owned()))
}

fn app() -> testkit::WheelFile {
    Wheel::new("app", "1.0").build()
}

/// An index that answers nobody without the password.
fn private() -> Server {
    Index::new().add(app()).options(IndexBehavior { basic_auth: pair(), ..IndexBehavior::default() }).serve()
}

fn authorized(server: &Server) -> usize {
    server.requests().iter().filter(|request| request.basic_auth() == pair()).count()
}

/// Nothing that was printed or written has the password, in plain text or in the form of the header.
#[track_caller]
fn nothing_told(environment: &Environment, outcome: &Outcome) {
    // As it is, and as it stands in the header.
    for secret in [PASSWORD, "bWU6czNjcjN0LXcwcmQ="] {
        assert!(!outcome.stdout.contains(secret), "{}", outcome.stdout);
        assert!(!outcome.stderr.contains(secret), "{}", outcome.stderr);
        for place in [environment.venv(), environment.cache(), environment.temporary(), environment.work()] {
            not_below(&place, secret);
        }
    }
}

#[track_caller]
fn not_below(directory: &Path, secret: &str) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        assert!(!path.to_string_lossy().contains(secret), "{}", path.display());
        if path.is_symlink() {
            continue;
        }
        if path.is_dir() {
            not_below(&path, secret);
        } else {
            let bytes = std::fs::read(&path).unwrap();
            assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()), "{}", path.display());
        }
    }
}

#[test]
fn an_index_gets_the_credentials_in_its_url_and_nobody_reads_them() {
    let environment = Environment::new();
    let server = private();
    let index = server.url_with_credentials(USER, PASSWORD, "/simple/");
    let words = ["-v", "-v", "--log", "log.txt", "--report", "report.json", "-i", &index, "app"];
    let outcome = install(&environment, &server, &words).run().expect_code(0);
    assert_eq!(environment.installed(), ["app-1.0"]);
    assert_eq!(authorized(&server), server.requests().len());
    assert!(environment.work().join("log.txt").exists() && environment.work().join("report.json").exists());
    nothing_told(&environment, &outcome);
}

#[test]
fn credentials_in_the_environment_and_in_files_are_as_secret() {
    let server = private();
    let index = server.url_with_credentials(USER, PASSWORD, "/simple/");
    let environment = Environment::new();
    let command = install(&environment, &server, &["-vv", "--log", "log.txt", "app"]);
    let outcome = command.env("PIP_INDEX_URL", &index).run().expect_code(0);
    nothing_told(&environment, &outcome);

    let environment = Environment::new();
    let file = environment.home().join("requirements.txt");
    std::fs::write(&file, format!("--index-url {index}\napp\n")).unwrap();
    let words = ["-vv", "--log", "log.txt", "-r", file.to_str().unwrap()];
    let outcome = install(&environment, &server, &words).run().expect_code(0);
    nothing_told(&environment, &outcome);
}

#[test]
fn files_elsewhere_do_not_get_them() {
    let environment = Environment::new();
    let files = Index::new().add(app()).serve();
    let link = files.url("/files/app-1.0-py3-none-any.whl");
    let file = testkit::ListedFile::from(app()).raw_link(&link);
    let server =
        Index::new().add(file).options(IndexBehavior { basic_auth: pair(), ..IndexBehavior::default() }).serve();
    let index = server.url_with_credentials(USER, PASSWORD, "/simple/");
    install(&environment, &server, &["-i", &index, "app"]).run().expect_code(0);
    assert_eq!(authorized(&server), 1);
    assert!(!files.requests().is_empty());
    assert!(files.requests().iter().all(|request| request.header("authorization").is_none()));
}

#[test]
fn links_of_every_kind_get_them() {
    for links in [Links::Relative, Links::RelativeToHost, Links::Absolute] {
        let environment = Environment::new();
        let options = IndexBehavior { basic_auth: pair(), links, json: false, ..IndexBehavior::default() };
        let server = Index::new().add(app()).options(options).serve();
        let index = server.url_with_credentials(USER, PASSWORD, "/simple/");
        let outcome = install(&environment, &server, &["-vv", "-i", &index, "app"]).run().expect_code(0);
        nothing_told(&environment, &outcome);
    }
}

#[test]
fn a_page_of_links_has_credentials_of_its_own() {
    let environment = Environment::new();
    let server = private();
    let page = server.url_with_credentials(USER, PASSWORD, "/find-links/");
    let words = ["-vv", "--log", "log.txt", "--no-index", "-f", &page, "app"];
    let outcome = install(&environment, &server, &words).run().expect_code(0);
    nothing_told(&environment, &outcome);
    // The same where the page is not there.
    let page = server.url_with_credentials(USER, PASSWORD, "/nowhere/");
    let outcome = install(&environment, &server, &["-vv", "--no-index", "-f", &page, "other"]).run().expect_code(1);
    nothing_told(&environment, &outcome);
}

#[test]
fn netrc_is_read() {
    let environment = Environment::new();
    let server = private();
    let netrc = format!(
        "machine pkgs.example.org login x password y\nmachine 127.0.0.1\n  login {USER}\n  password {PASSWORD}\n"
    );
    std::fs::write(environment.home().join(".netrc"), &netrc).unwrap();
    let outcome = install(&environment, &server, &["-vv", "app"]).run().expect_code(0);
    nothing_told(&environment, &outcome);

    let environment = Environment::new();
    let elsewhere = environment.home().join("elsewhere");
    std::fs::write(&elsewhere, &netrc).unwrap();
    install(&environment, &server, &["app"]).env("NETRC", &elsewhere).run().expect_code(0);
}

/// Writes a netrc file and holds that nobody got its passwords but `server`, if anybody.
#[track_caller]
fn netrc_stays_here(netrc: &str, words: &[&str], named: &Server, others: &[&Server]) {
    let environment = Environment::new();
    std::fs::write(environment.home().join(".netrc"), netrc).unwrap();
    install(&environment, named, words).run().expect_code(0);
    assert_eq!(authorized(named), named.requests().len(), "who was named got nothing");
    for other in others {
        assert!(!other.requests().is_empty());
        assert!(other.requests().iter().all(|request| request.header("authorization").is_none()), "told a stranger");
    }
}

#[test]
fn netrc_is_for_the_servers_that_the_user_named() {
    // A netrc file cannot name ports: both servers have the same host.
    for netrc in [
        format!("machine 127.0.0.1 login {USER} password {PASSWORD}"),
        format!("default login {USER} password {PASSWORD}"),
    ] {
        // A file elsewhere, and where a redirect leads.
        let files = Index::new().add(app()).serve();
        let link = files.url("/files/app-1.0-py3-none-any.whl");
        let linking = Index::new().add(testkit::ListedFile::from(app()).raw_link(&link)).serve();
        netrc_stays_here(&netrc, &["app"], &linking, &[&files]);

        let target = Index::new().add(app()).serve();
        let origin = target.url("");
        let moved =
            Server::start(move |request| testkit::Response::redirect(302, &format!("{origin}{}", request.path)));
        netrc_stays_here(&netrc, &["app"], &moved, &[&target]);

        // The URL of a dependency, with a user name to make it look like a question for a password.
        let strange = Index::new().add(Wheel::new("extra", "1.0").build()).serve();
        let url = strange.url("/files/extra-1.0-py3-none-any.whl");
        let needy = Wheel::new("app", "1.0").requires(&format!("extra @ {url}")).build();
        netrc_stays_here(&netrc, &["app"], &Index::new().add(needy).serve(), &[&strange]);

        // A page of links, a file, and a requirements file are named as an index is.
        let named = Index::new().add(app()).serve();
        netrc_stays_here(&netrc, &["--no-index", "-f", &named.url("/find-links/"), "app"], &named, &[]);
        let named = Index::new().add(app()).serve();
        netrc_stays_here(&netrc, &[&named.url("/files/app-1.0-py3-none-any.whl")], &named, &[]);
        let index = Index::new().add(app());
        let named = Server::start(move |request| match request.path.as_str() {
            "/r.txt" => testkit::Response::ok("text/plain", "app\n"),
            _ => index.respond(request),
        });
        netrc_stays_here(&netrc, &["-r", &named.url("/r.txt")], &named, &[]);
    }
}

#[test]
fn the_url_is_stronger_than_netrc_but_a_name_alone_is_not() {
    let environment = Environment::new();
    let server = private();
    std::fs::write(environment.home().join(".netrc"), "machine 127.0.0.1 login other password wrong").unwrap();
    let index = server.url_with_credentials(USER, PASSWORD, "/simple/");
    install(&environment, &server, &["-i", &index, "app"]).run().expect_code(0);

    let environment = Environment::new();
    let netrc = format!("machine 127.0.0.1 login {USER} password {PASSWORD}");
    std::fs::write(environment.home().join(".netrc"), netrc).unwrap();
    let index = server.url("/simple/").replace("http://", "http://me@");
    install(&environment, &server, &["-i", &index, "app"]).run().expect_code(0);
}

#[test]
fn a_token_may_stand_alone() {
    let environment = Environment::new();
    let server = Index::new().add(app()).serve();
    let index = server.url("/simple/").replace("http://", "http://t0ken@");
    install(&environment, &server, &["-i", &index, "app"]).run().expect_code(0);
    assert_eq!(server.requests()[0].basic_auth(), Some(("t0ken".to_owned(), String::new())));
}

#[test]
fn special_characters_are_decoded() {
    let environment = Environment::new();
    let server = Index::new().add(app()).serve();
    let index = server.url_with_credentials("m%40e", "s%3Ac%2F%25%C3%A9", "/simple/");
    install(&environment, &server, &["-i", &index, "app"]).run().expect_code(0);
    assert_eq!(server.requests()[0].basic_auth(), Some(("m@e".to_owned(), "s:c/%é".to_owned())));
}

#[test]
fn an_index_that_wants_a_password_stops_everything() {
    let other = Index::new().add(Wheel::new("app", "9.0").build()).serve();
    let extra = other.url("/simple/");
    let server = private();
    for user_info in ["", "me:wrong@", "me@"] {
        let environment = Environment::new();
        let index = server.url("/simple/").replace("http://", &format!("http://{user_info}"));
        let command = install(&environment, &server, &["-i", &index, "--extra-index-url", &extra, "app"]);
        let stderr = refused(&environment, command, 1);
        let shown = index.replace("me:wrong@", "****@").replace("me@", "****@");
        assert!(stderr.contains(&format!("Could not fetch {shown}app/: the server answered 401")), "{stderr}");
        assert!(stderr.contains("net.unauthorized"), "{stderr}");
        assert!(!stderr.contains("wrong"), "{stderr}");
    }
    // Nor does it help when the extra index is the one that refuses.
    let environment = Environment::new();
    let first = other.url("/simple/");
    let second = server.url("/simple/");
    refused(&environment, install(&environment, &server, &["-i", &first, "--extra-index-url", &second, "app"]), 1);
}

#[test]
fn failures_do_not_tell_credentials() {
    let environment = Environment::new();
    let server = private();
    let wrong = server.url_with_credentials(USER, PASSWORD, "/files/app-7.0-py3-none-any.whl");
    let good = server.url_with_credentials(USER, PASSWORD, "/files/app-1.0-py3-none-any.whl");
    let gone = Server::unreachable_url("/simple/").replace("http://", &format!("http://{USER}:{PASSWORD}@"));
    let bad_port = format!("http://{USER}:{PASSWORD}@127.0.0.1:port/simple/");
    let named = |url: &str| format!("app @ {url}");
    let other_name = format!("other @ {good}");
    let cases: &[&[&str]] = &[
        &[&wrong],
        &[&named(&wrong)],
        &[&other_name],
        &[&good, &named(&wrong)],
        &[&good, "app==2"],
        &["-i", &gone, "app"],
        &["-i", &bad_port, "app"],
        &["-i", &server.url_with_credentials(USER, PASSWORD, "/simple/"), "missing"],
        &["--extra-index-url", &bad_port, "missing"],
        &["-f", &bad_port, "--no-index", "missing"],
        &["-r", &server.url_with_credentials(USER, PASSWORD, "/requirements.txt")],
        &["-c", &gone, "app"],
        &[&format!("git+http://{USER}:{PASSWORD}@127.0.0.1/repository")],
        &["--proxy", &gone, "app"],
        &["--proxy", &bad_port, "app"],
        &["--proxy", &format!("socks5://{USER}:{PASSWORD}@127.0.0.1:1"), "app"],
        &["--proxy", &format!("{USER}:{PASSWORD}@127.0.0.1:1"), "app"],
    ];
    for words in cases {
        let outcome = install(&environment, &server, &["-vv", "--retries=0", "--log", "log.txt"]).args(*words).run();
        assert!(outcome.code != Some(0) && outcome.code.is_some(), "{words:?}");
        nothing_told(&environment, &outcome);
    }
}

#[test]
fn a_direct_url_is_written_down_without_credentials() {
    let environment = Environment::new();
    let server = private();
    let url = server.url_with_credentials(USER, PASSWORD, "/files/app-1.0-py3-none-any.whl");
    let words = ["-vv", "--log", "log.txt", "--report", "report.json", &url];
    let outcome = install(&environment, &server, &words).run().expect_code(0);
    let direct_url = environment.site_packages().join("app-1.0.dist-info/direct_url.json");
    let direct_url = std::fs::read_to_string(direct_url).unwrap();
    assert!(direct_url.contains(&server.url("/files/app-1.0-py3-none-any.whl")), "{direct_url}");
    nothing_told(&environment, &outcome);
    let outcome = tufpip(&environment, &server).args(["freeze"]).run();
    nothing_told(&environment, &outcome);
    let outcome = install(&environment, &server, &["-vv", "--dry-run", "--force-reinstall", &url]).run();
    nothing_told(&environment, &outcome);
}

#[test]
fn a_download_does_not_tell_credentials() {
    let environment = Environment::new();
    let server = private();
    let index = server.url_with_credentials(USER, PASSWORD, "/simple/");
    let command = tufpip(&environment, &server).args(["download", "-vv", "--log", "log.txt", "-i", &index, "app"]);
    let outcome = command.run().expect_code(0);
    assert!(environment.work().join("app-1.0-py3-none-any.whl").exists());
    nothing_told(&environment, &outcome);
}
