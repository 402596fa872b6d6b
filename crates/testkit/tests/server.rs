//! What the server puts on the wire, read with a bare socket.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use testkit::{Response, Server};

fn connect(server: &Server) -> TcpStream {
    let stream = TcpStream::connect(server.url("").trim_start_matches("http://")).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    stream
}

/// Sends one request with `Connection: close` and reads to the end.
fn get(server: &Server, path: &str, headers: &str) -> Vec<u8> {
    let mut stream = connect(server);
    write!(stream, "GET {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n{headers}\r\n").unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    answer
}

fn get_text(server: &Server, path: &str, headers: &str) -> String {
    String::from_utf8(get(server, path, headers)).unwrap()
}

fn body(answer: &[u8]) -> &[u8] {
    let end = answer.windows(4).position(|part| part == b"\r\n\r\n").unwrap();
    &answer[end + 4..]
}

#[test]
fn a_plain_answer_is_exact() {
    let server = Server::start(|_| Response::ok("text/plain", "hello").header("X-Test", "1"));
    assert_eq!(
        get_text(&server, "/", ""),
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nX-Test: 1\r\nContent-Length: 5\r\n\r\nhello"
    );
}

#[test]
fn connections_are_kept_alive_and_requests_recorded() {
    let server = Server::start(|_| Response::ok("text/plain", "hello"));
    let mut stream = connect(&server);
    for _ in 0..2 {
        stream.write_all(b"GET /a?b=%20 HTTP/1.1\r\nHost: test\r\nX-Name: value\r\n\r\n").unwrap();
        let mut answer = [0; 69];
        stream.read_exact(&mut answer).unwrap();
        assert!(answer.ends_with(b"hello"), "{}", String::from_utf8_lossy(&answer));
    }
    let requests = server.requests_for("/a?b=%20");
    let counted: Vec<_> = requests.iter().map(|request| (request.connection, request.occurrence)).collect();
    assert_eq!(counted, [(0, 0), (0, 1)]);
    assert_eq!(requests[0].header("x-name"), Some("value"));
    assert_eq!(server.log(), ["GET /a?b=%20", "GET /a?b=%20"]);
}

#[test]
fn the_first_answers_can_fail() {
    let server = Server::start(|request| match request.occurrence {
        0 | 1 => Response::new(503).header("Retry-After", "1"),
        _ => Response::ok("text/plain", "fine"),
    });
    let statuses = [(); 3].map(|()| get_text(&server, "/", "")[9..12].to_owned());
    assert_eq!(statuses, ["503", "503", "200"]);
}

#[test]
fn the_connection_closes_or_resets_after_some_bytes() {
    let server = Server::start(|request| {
        let response = Response::ok("text/plain", "0123456789");
        if request.path == "/reset" { response.reset_after(4) } else { response.close_after(4) }
    });
    let answer = get_text(&server, "/", "");
    assert!(answer.contains("Content-Length: 10\r\n") && answer.ends_with("\r\n\r\n0123"), "{answer}");

    let mut stream = connect(&server);
    stream.write_all(b"GET /reset HTTP/1.1\r\nHost: test\r\n\r\n").unwrap();
    let error = stream.read_to_end(&mut Vec::new()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
}

#[test]
fn lengths_may_lie() {
    let server = Server::start(|_| Response::ok("text/plain", "hello").claimed_length(99));
    let answer = get_text(&server, "/", "");
    assert!(answer.contains("Content-Length: 99\r\n") && answer.ends_with("\r\n\r\nhello"), "{answer}");
}

#[test]
fn chunks_with_and_without_an_end() {
    let server = Server::start(|request| {
        let response = Response::ok("text/plain", "hello");
        if request.path == "/whole" { response.chunked() } else { response.chunked_without_end() }
    });
    assert!(get_text(&server, "/whole", "").ends_with("\r\n\r\n5\r\nhello\r\n0\r\n\r\n"));
    assert!(get_text(&server, "/cut", "").ends_with("\r\n\r\n5\r\nhello\r\n"));
}

#[test]
fn raw_bytes_and_interim_answers() {
    let server = Server::start(|request| match request.path.as_str() {
        "/raw" => Response::raw("not HTTP"),
        _ => Response::ok("text/plain", "x").interim_responses(3),
    });
    assert_eq!(get_text(&server, "/raw", ""), "not HTTP");
    assert_eq!(get_text(&server, "/", "").matches("HTTP/1.1 103 ").count(), 3);
}

#[test]
fn slow_and_late_answers_take_their_time() {
    let server = Server::start(|request| match request.path.as_str() {
        "/slow" => Response::raw([b'x'; 50]).slow(100),
        _ => Response::ok("text/plain", "x").delay(Duration::from_millis(300)),
    });
    let start = Instant::now();
    get(&server, "/slow", "");
    assert!(start.elapsed() >= Duration::from_millis(400), "{:?}", start.elapsed());
    let start = Instant::now();
    get(&server, "/late", "");
    assert!(start.elapsed() >= Duration::from_millis(300), "{:?}", start.elapsed());
}

#[test]
fn dropping_the_server_ends_silent_and_endless_answers() {
    let server = Server::start(|request| match request.path.as_str() {
        "/endless" => Response::ok("text/plain", [b'x'; 1000]).endless(),
        "/hang" => Response::ok("text/plain", "hello").hang_after(2),
        _ => Response::never(),
    });
    let mut streams = ["/never", "/endless", "/hang"].map(|path| {
        let mut stream = connect(&server);
        write!(stream, "GET {path} HTTP/1.1\r\nHost: test\r\n\r\n").unwrap();
        stream
    });
    let mut many = vec![0; 1_000_000];
    streams[1].read_exact(&mut many).unwrap();
    while server.requests().len() < 3 {
        std::thread::sleep(Duration::from_millis(5));
    }
    drop(server);
    for stream in &mut streams {
        // An end or a reset, but never the time-out of the socket.
        if let Err(error) = stream.read_to_end(&mut Vec::new()) {
            assert_eq!(error.kind(), ErrorKind::ConnectionReset);
        }
    }
}

#[test]
fn ranges_follow_the_standard() {
    let server =
        Server::start(|request| Response::ranged(request, "application/octet-stream", b"0123456789", Some("\"v1\"")));
    for (headers, status, content_range, content) in [
        ("", "200", None, "0123456789"),
        ("Range: bytes=2-4\r\n", "206", Some("bytes 2-4/10"), "234"),
        ("Range: bytes=7-\r\n", "206", Some("bytes 7-9/10"), "789"),
        ("Range: bytes=-3\r\n", "206", Some("bytes 7-9/10"), "789"),
        ("Range: bytes=-30\r\n", "206", Some("bytes 0-9/10"), "0123456789"),
        ("Range: bytes=8-99\r\n", "206", Some("bytes 8-9/10"), "89"),
        ("Range: bytes=10-\r\n", "416", Some("bytes */10"), ""),
        ("Range: nonsense\r\n", "200", None, "0123456789"),
        ("Range: bytes=2-4\r\nIf-Range: \"v1\"\r\n", "206", Some("bytes 2-4/10"), "234"),
        ("Range: bytes=2-4\r\nIf-Range: \"v0\"\r\n", "200", None, "0123456789"),
    ] {
        let answer = get_text(&server, "/", headers);
        let found = answer.lines().find_map(|line| line.strip_prefix("Content-Range: "));
        assert_eq!((&answer[9..12], found, body(answer.as_bytes())), (status, content_range, content.as_bytes()));
    }
}

#[test]
fn gzip_is_correct_cut_or_a_bomb() {
    let server = Server::start(|request| match request.path.as_str() {
        "/gzip" => Response::ok("text/plain", "hello").gzip(),
        "/cut" => Response::ok("text/plain", "hello").truncated_gzip(8),
        _ => Response::gzip_bomb("text/plain", 64),
    });
    let inflate = |path| {
        let answer = get(&server, path, "");
        let mut text = Vec::new();
        let length = body(&answer).len();
        flate2::read::GzDecoder::new(body(&answer)).read_to_end(&mut text).map(|_| (length, text))
    };
    assert_eq!(inflate("/gzip").unwrap().1, b"hello");
    assert_eq!(inflate("/cut").unwrap_err().kind(), ErrorKind::UnexpectedEof);
    let (length, zeros) = inflate("/bomb").unwrap();
    assert!(length < 100_000 && zeros.len() == 64 << 20, "{length} bytes became {}", zeros.len());
}

#[test]
fn basic_authentication_is_decoded() {
    let server = Server::start(|request| match request.basic_auth() {
        Some((user, password)) if user == "me" && password == "a:b" => Response::ok("text/plain", "in"),
        _ => Response::unauthorized(),
    });
    assert_eq!(&get_text(&server, "/", "")[9..12], "401");
    assert_eq!(&get_text(&server, "/", "Authorization: Basic bWU6YTpi\r\n")[9..12], "200");
}
