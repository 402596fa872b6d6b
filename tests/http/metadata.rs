//! The metadata of a wheel: from where it is taken, and that it must be that of the wheel.

use testkit::{Environment, Index, IndexBehavior, ListedFile, MetadataMode, Response, Server, Wheel};

use super::scene::{install, refused};

const WHEEL: &str = "/files/app-1.0-py3-none-any.whl";
const METADATA: &str = "/files/app-1.0-py3-none-any.whl.metadata";

fn app() -> ListedFile {
    Wheel::new("app", "1.0").requires("library").build().into()
}

fn index(file: ListedFile) -> Index {
    Index::new().add(file).add(Wheel::new("library", "1.0").build()).add(Wheel::new("evil", "1.0").build())
}

/// An index whose wheel of `app` has no metadata beside it, and is answered by `file`.
fn without_metadata(file: impl Fn(&testkit::Request, Response) -> Response + Send + Sync + 'static) -> Server {
    let index = index(app().core_metadata(MetadataMode::Absent));
    Server::start(move |request| {
        let proper = index.respond(request);
        if request.path == WHEEL { file(request, proper) } else { proper }
    })
}

/// Installs `app` with its dependency; gives the Range headers of the requests for its wheel.
#[track_caller]
fn installed(server: &Server) -> Vec<String> {
    let environment = Environment::new();
    install(&environment, server, &["app"]).run().expect_code(0);
    assert_eq!(environment.installed(), ["app-1.0", "library-1.0"]);
    let requests = server.requests_for(WHEEL);
    requests.iter().map(|request| request.header("range").unwrap_or("-").to_owned()).collect()
}

#[test]
fn announced_metadata_saves_the_wheel_until_it_is_installed() {
    for kind in [MetadataMode::Announced, MetadataMode::OldName, MetadataMode::WithoutHash] {
        for json in [true, false] {
            if json && kind == MetadataMode::OldName {
                // The old name has no meaning in JSON.
                continue;
            }
            let server =
                index(app().core_metadata(kind)).options(IndexBehavior { json, ..IndexBehavior::default() }).serve();
            assert_eq!(installed(&server), ["-"]);
            assert_eq!(server.requests_for(METADATA).len(), 1);
        }
    }
}

#[test]
fn metadata_with_another_hash_is_refused() {
    let environment = Environment::new();
    let server = index(app().core_metadata(MetadataMode::WrongHash)).serve();
    let stderr = refused(&environment, install(&environment, &server, &["app"]), 10);
    assert!(stderr.contains("verify.metadata-hash-mismatch"), "{stderr}");
    assert_eq!(server.requests_for(WHEEL).len(), 0);
}

#[test]
fn announced_metadata_that_is_missing_is_taken_from_the_wheel() {
    let server = index(app().core_metadata(MetadataMode::Missing)).serve();
    assert_eq!(installed(&server), ["bytes=-16384", "-"]);
}

#[test]
fn a_part_of_the_wheel_is_enough() {
    let server = without_metadata(|_, proper| proper);
    assert_eq!(installed(&server), ["bytes=-16384", "-"]);
}

#[test]
fn servers_without_ranges_send_the_wheel() {
    let bytes = app().bytes;
    let server = without_metadata(move |_, _| Response::ok("application/octet-stream", bytes.clone()));
    assert_eq!(installed(&server), ["bytes=-16384", "-"]);
    for status in [400, 403, 416, 501] {
        let server = without_metadata(move |request, proper| match request.header("range") {
            Some(_) => Response::new(status),
            None => proper,
        });
        assert_eq!(installed(&server), ["bytes=-16384", "-"]);
    }
}

#[test]
fn ranges_that_lie_are_not_believed() {
    let bytes = app().bytes;
    let length = bytes.len();
    let lies: Vec<Response> = vec![
        // Another part, none at all, a file of another length, an unknown length, several parts.
        Response::ok("x/y", bytes.clone()).partial(1, length, length + 1),
        Response::ok("x/y", "").partial(0, length - 1, length),
        Response::ok("x/y", bytes.clone()).partial(0, length - 1, length + 100_000),
        Response::ok("x/y", bytes.clone()).partial(0, length - 1, length).without_header("Content-Range"),
        Response::ok("x/y", bytes.clone())
            .partial(0, length - 1, length)
            .without_header("Content-Range")
            .header("Content-Range", "bytes 0-9/*"),
        Response::ok("multipart/byteranges; boundary=x", "--x\r\n\r\n--x--")
            .partial(0, 0, 1)
            .without_header("Content-Range"),
        Response::ok("x/y", vec![0; 1000]).partial(length, length + 999, length + 1000),
        Response::ok("x/y", vec![b'P'; 1 << 16]).partial(usize::MAX - (1 << 16), usize::MAX - 1, usize::MAX),
    ];
    for lie in lies {
        let lie = lie.clone();
        let server = without_metadata(
            move |request, proper| if request.header("range").is_some() { lie.clone() } else { proper },
        );
        assert_eq!(installed(&server).last().map(String::as_str), Some("-"));
    }
}

#[test]
fn a_large_wheel_is_read_from_its_end() {
    let environment = Environment::new();
    let files = (0..600).fold(Wheel::new("app", "1.0").requires("library"), |wheel, number| {
        wheel.file(&format!("app/a_module_with_quite_a_long_name_{number}.py"), format!("x = {number}\n"))
    });
    let server = index(ListedFile::from(files.build()).core_metadata(MetadataMode::Absent)).serve();
    install(&environment, &server, &["--dry-run", "app"]).run().expect_code(0);
    let requests = server.requests_for(WHEEL);
    assert!(requests.len() >= 2 && requests.iter().all(|request| request.header("range").is_some()));
}

#[test]
fn an_index_cannot_show_other_dependencies_than_the_wheel_has() {
    let mut file = app();
    file.metadata =
        String::from_utf8(file.metadata).unwrap().replace("Requires-Dist: library", "Requires-Dist: evil").into();
    for kind in [MetadataMode::Announced, MetadataMode::WithoutHash] {
        let environment = Environment::new();
        let server = index(file.clone().core_metadata(kind)).serve();
        // Not by trying again either, when the wheel and its metadata are in the cache.
        for _ in 0..2 {
            let stderr = refused(&environment, install(&environment, &server, &["app"]), 10);
            let message = "The metadata inside app-1.0-py3-none-any.whl is not what the index showed";
            assert!(stderr.contains(message), "{stderr}");
            assert!(stderr.contains("verify.metadata-mismatch"), "{stderr}");
            if kind == MetadataMode::WithoutHash {
                // The wheel is there, and its own metadata is taken then.
                break;
            }
        }
    }
}

#[test]
fn wrong_metadata_of_one_index_spoils_nothing_for_another() {
    let mut wrong = app();
    wrong.metadata =
        String::from_utf8(wrong.metadata).unwrap().replace("Requires-Dist: library", "Requires-Dist: evil").into();
    for kind in [MetadataMode::Announced, MetadataMode::WithoutHash] {
        let environment = Environment::new();
        let liar = index(wrong.clone().core_metadata(kind)).serve();
        refused(&environment, install(&environment, &liar, &["app"]), 10);
        let honest = index(app()).serve();
        install(&environment, &honest, &["app"]).run().expect_code(0);
        assert_eq!(environment.installed(), ["app-1.0", "library-1.0"]);
    }
}

#[test]
fn metadata_of_another_project_or_version_is_none() {
    for (found, instead) in [("Name: app", "Name: other"), ("Version: 1.0", "Version: 2.0")] {
        let environment = Environment::new();
        let mut file = app();
        file.metadata = String::from_utf8(file.metadata).unwrap().replace(found, instead).into();
        let server = index(file).serve();
        for _ in 0..2 {
            refused(&environment, install(&environment, &server, &["app"]), 1);
        }
    }
}

#[test]
fn metadata_has_a_largest_size() {
    let environment = Environment::new();
    let index = index(app().core_metadata(MetadataMode::WithoutHash));
    let server = Server::start(move |request| match request.path.as_str() {
        METADATA => Response::ok("text/plain", vec![b'x'; 1 << 20]).endless(),
        _ => index.respond(request),
    });
    let stderr = refused(&environment, install(&environment, &server, &["app"]), 10);
    assert!(stderr.contains("more than 16777216 bytes"), "{stderr}");
}

#[test]
fn what_is_in_the_store_needs_no_metadata_from_the_index() {
    let environment = Environment::new();
    let server = Index::new().add(Wheel::new("app", "1.0").build()).options(IndexBehavior::default()).serve();
    install(&environment, &server, &["app"]).run().expect_code(0);
    std::fs::remove_dir_all(environment.cache().join("tufpip/metadata")).unwrap();
    server.forget_requests();
    install(&environment, &server, &["--force-reinstall", "app"]).run().expect_code(0);
    assert_eq!(server.log(), [""; 0]);
}
