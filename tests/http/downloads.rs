//! Downloads that break off, are continued, or are not what was announced.

use testkit::{Environment, Index, IndexBehavior, ListedFile, Response, Server, Wheel};

use super::scene::{install, large_app, nothing_unfinished, ranges, refused, serving};

const HALF: usize = 150_000;

#[test]
fn a_download_that_is_cut_goes_on_where_it_ended() {
    let environment = Environment::new();
    let server = serving(|request, proper| if request.occurrence == 0 { proper.close_after(HALF) } else { proper });
    let outcome = install(&environment, &server, &["app"]).run().expect_code(0);
    assert_eq!(environment.installed(), ["app-1.0"]);
    let [first, second] = ranges(&server).try_into().unwrap();
    assert_eq!(first, "- -");
    assert!(second.starts_with(&format!("bytes={HALF}- \"")), "{second}");
    outcome.expect_stderr(&["WARNING: Could not fetch http://127.0.0.1", "trying again"]);
    nothing_unfinished(&environment);
}

#[test]
fn a_reset_connection_is_like_a_cut_one() {
    let environment = Environment::new();
    let server = serving(|request, proper| if request.occurrence == 0 { proper.reset_after(HALF) } else { proper });
    install(&environment, &server, &["app"]).run().expect_code(0);
    assert_eq!(server.requests_for("/files/app-1.0-py3-none-any.whl").len(), 2);
}

#[test]
fn a_server_that_cannot_continue_sends_the_whole_file_again() {
    let environment = Environment::new();
    let bytes = large_app().bytes;
    let server = serving(move |request, proper| match request.occurrence {
        0 => proper.close_after(HALF),
        _ => Response::ok("application/octet-stream", bytes.clone()),
    });
    install(&environment, &server, &["app"]).run().expect_code(0);
    assert_eq!(environment.installed(), ["app-1.0"]);
}

#[test]
fn without_a_validator_nothing_is_continued() {
    let environment = Environment::new();
    let server = serving(|request, proper| {
        let proper = proper.without_header("ETag");
        if request.occurrence == 0 { proper.close_after(HALF) } else { proper }
    });
    install(&environment, &server, &["app"]).run().expect_code(0);
    assert_eq!(ranges(&server), ["- -", "- -"]);
}

#[test]
fn a_weak_validator_does_not_promise_the_same_bytes() {
    let environment = Environment::new();
    let server = serving(|request, proper| {
        let proper = proper.without_header("ETag").header("ETag", "W/\"1\"");
        if request.occurrence == 0 { proper.close_after(HALF) } else { proper }
    });
    install(&environment, &server, &["app"]).run().expect_code(0);
    assert_eq!(ranges(&server), ["- -", "- -"]);
}

#[test]
fn a_file_that_changed_meanwhile_is_fetched_from_the_start() {
    let environment = Environment::new();
    let server = serving(|request, proper| match request.occurrence {
        // Not the file that the second request gets.
        0 => Response::ok("application/octet-stream", vec![b'x'; 250_000]).header("ETag", "\"old\"").close_after(HALF),
        _ => proper,
    });
    install(&environment, &server, &["app"]).run().expect_code(0);
    assert!(ranges(&server)[1].ends_with(" \"old\""));
    assert_eq!(environment.installed(), ["app-1.0"]);
}

#[test]
fn a_part_that_begins_elsewhere_is_not_joined() {
    let environment = Environment::new();
    let bytes = large_app().bytes;
    let server = serving(move |request, proper| match request.occurrence {
        0 => proper.close_after(HALF),
        1 => proper.partial(HALF - 7, bytes.len() - 1, bytes.len()).body(&bytes[HALF - 7..]),
        _ => proper,
    });
    install(&environment, &server, &["--resume-retries=2", "app"]).run().expect_code(0);
    assert_eq!(ranges(&server)[2], "- -");
    assert_eq!(environment.installed(), ["app-1.0"]);
}

#[test]
fn a_refused_range_starts_over() {
    let environment = Environment::new();
    let server = serving(|request, proper| match request.occurrence {
        0 => proper.close_after(HALF),
        1 => Response::new(416),
        _ => proper,
    });
    install(&environment, &server, &["app"]).run().expect_code(0);
    assert_eq!(ranges(&server).len(), 3);
    assert_eq!(ranges(&server)[2], "- -");
}

#[test]
fn a_part_that_nobody_asked_for_is_no_file() {
    let environment = Environment::new();
    let server = serving(|_, proper| {
        let length = proper.body_bytes().len();
        proper.partial(0, length - 1, length)
    });
    let stderr = refused(&environment, install(&environment, &server, &["app"]), 13);
    assert!(stderr.contains("the server answered 206"), "{stderr}");
}

#[test]
fn cuts_without_end_are_given_up() {
    let environment = Environment::new();
    let server = serving(|_, proper| proper.close_after(1000));
    let stderr = refused(&environment, install(&environment, &server, &["app"]), 13);
    assert!(stderr.contains("damaged or incomplete"), "{stderr}");
    assert!(stderr.contains("net.incomplete"), "{stderr}");
    assert_eq!(ranges(&server).len(), 2);
}

#[test]
fn resume_retries_0_means_none() {
    let environment = Environment::new();
    let server = serving(|_, proper| proper.close_after(1000));
    refused(&environment, install(&environment, &server, &["--resume-retries=0", "--retries=5", "app"]), 13);
    assert_eq!(ranges(&server).len(), 1);
}

#[test]
fn the_end_of_a_connection_is_not_the_end_of_a_file_of_known_size() {
    let environment = Environment::new();
    let server = serving(|request, proper| match request.occurrence {
        0 => {
            let half = proper.body_bytes()[..HALF].to_vec();
            proper.body(half).until_close()
        }
        _ => proper,
    });
    install(&environment, &server, &["app"]).run().expect_code(0);
    assert!(ranges(&server)[1].starts_with(&format!("bytes={HALF}-")));
}

#[test]
fn a_truncated_file_of_unknown_size_has_the_wrong_hash() {
    let environment = Environment::new();
    let index = Index::new().add(large_app()).options(IndexBehavior { size: false, ..IndexBehavior::default() });
    let server = Server::start(move |request| {
        let proper = index.respond(request);
        if !request.path.ends_with(".whl") {
            return proper;
        }
        let half = proper.body_bytes()[..HALF].to_vec();
        proper.body(half).until_close()
    });
    let stderr = refused(&environment, install(&environment, &server, &["app"]), 10);
    assert!(stderr.contains("DO NOT MATCH THE HASHES"), "{stderr}");
}

#[test]
fn a_chunked_body_without_its_last_chunk_is_incomplete() {
    let environment = Environment::new();
    let server = serving(|_, proper| proper.chunked_without_end());
    let stderr = refused(&environment, install(&environment, &server, &["app"]), 13);
    assert!(stderr.contains("net.incomplete"), "{stderr}");
}

#[test]
fn a_file_larger_than_announced_is_not_read_to_its_end() {
    let environment = Environment::new();
    let file = ListedFile::from(large_app());
    let longer = [file.bytes.clone(), vec![0; 5_000_000]].concat();
    let server = Index::new().add(file.served_as(longer)).serve();
    let stderr = refused(&environment, install(&environment, &server, &["app"]), 10);
    assert!(stderr.contains("net.too-large"), "{stderr}");
}

#[test]
fn an_endless_file_is_stopped_at_its_announced_size() {
    let environment = Environment::new();
    let server = serving(|_, proper| proper.endless());
    let stderr = refused(&environment, install(&environment, &server, &["app"]), 10);
    assert!(stderr.contains("net.too-large"), "{stderr}");
}

#[test]
fn a_shorter_file_than_announced_is_refused() {
    let environment = Environment::new();
    let file = ListedFile::from(large_app());
    let shorter = file.bytes[..HALF].to_vec();
    let server = Index::new().add(file.served_as(shorter)).serve();
    let stderr = refused(&environment, install(&environment, &server, &["app"]), 10);
    assert!(stderr.contains("Got        150000 bytes"), "{stderr}");
    assert_eq!(ranges(&server).len(), 1);
}

#[test]
fn another_file_of_the_same_size_is_refused() {
    let environment = Environment::new();
    let file = ListedFile::from(large_app());
    let mut other = file.bytes.clone();
    other[1000] ^= 1;
    let server = Index::new().add(file.served_as(other)).serve();
    let stderr = refused(&environment, install(&environment, &server, &["app"]), 10);
    assert!(stderr.contains("DO NOT MATCH THE HASHES GIVEN BY THE INDEX"), "{stderr}");
    assert!(stderr.contains("verify.hash-mismatch"), "{stderr}");
}

#[test]
fn the_encoding_of_a_file_is_left_alone() {
    let environment = Environment::new();
    // What is sent are the bytes of the wheel, whatever the server says about them.
    let server = serving(|_, proper| proper.header("Content-Encoding", "gzip"));
    install(&environment, &server, &["app"]).run().expect_code(0);
    let requests = server.requests_for("/files/app-1.0-py3-none-any.whl");
    assert_eq!(requests[0].header("accept-encoding"), Some("identity"));

    let environment = Environment::new();
    let server = serving(|_, proper| proper.gzip());
    refused(&environment, install(&environment, &server, &["app"]), 10);
}

#[test]
fn a_hash_on_a_page_is_no_path() {
    let environment = Environment::new();
    let victim = environment.write("victim", "precious");
    let mut file = ListedFile::from(Wheel::new("app", "1.0").build());
    file.claimed_hashes = Some(vec![("sha256".to_owned(), victim.display().to_string())]);
    let server = Index::new().add(file).serve();
    refused(&environment, install(&environment, &server, &["app"]), 10);
    assert_eq!(std::fs::read(victim).unwrap(), b"precious");
}

#[test]
fn a_damaged_file_in_the_cache_is_fetched_again() {
    let environment = Environment::new();
    let server = Index::new().add(large_app()).serve();
    install(&environment, &server, &["app"]).run().expect_code(0);
    let archives = environment.cache().join("tufpip/archives");
    let cached = std::fs::read_dir(archives).unwrap().next().unwrap().unwrap().path();
    let mut bytes = std::fs::read(&cached).unwrap();
    bytes[HALF] ^= 1;
    std::fs::write(&cached, bytes).unwrap();
    std::fs::remove_dir_all(environment.cache().join("tufpip/wheels")).unwrap();
    install(&environment, &server, &["--force-reinstall", "app"]).run().expect_code(0);
    assert_eq!(ranges(&server).len(), 2);
    environment.run_python("import app");
}
