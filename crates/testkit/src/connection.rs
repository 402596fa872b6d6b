//! One connection: reads requests, writes responses with their faults, keeps alive while both sides allow it.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use socket2::SockRef;

use crate::body;
use crate::request::Request;
use crate::response::{Framing, Response, Stop};
use crate::server::State;

/// How often a slow or silent response looks whether the server is being dropped.
const TICK: Duration = Duration::from_millis(20);

/// Serves requests until the client disconnects, a fault ends the connection, or the server is dropped.
pub(crate) fn serve(stream: &TcpStream, connection: usize, state: &State) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream.try_clone()?);
    while let Some(request) = read_request(&mut reader, connection)? {
        let asked_to_close = request.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
        let response = state.answer(request.clone());
        let kept = write_response(stream, &request, &response, state)?;
        if asked_to_close || !kept {
            break;
        }
    }
    Ok(())
}

/// The next request, or `None` at the end of the connection.
fn read_request(reader: &mut BufReader<TcpStream>, connection: usize) -> io::Result<Option<Request>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut words = line.split_whitespace();
    let (method, path) = (words.next().unwrap_or_default().to_owned(), words.next().unwrap_or_default().to_owned());
    let mut headers = Vec::new();
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        match line.trim_end().split_once(':') {
            Some((name, value)) => headers.push((name.to_owned(), value.trim().to_owned())),
            None => break,
        }
    }
    let mut request = Request { method, path, headers, body: Arc::default(), occurrence: 0, connection };
    let body_length = request.header("content-length").and_then(|value| value.parse().ok()).unwrap_or(0);
    let mut body = Vec::new();
    reader.take(body_length).read_to_end(&mut body)?;
    // A client that was killed while it sent has made no request.
    if (body.len() as u64) < body_length {
        return Ok(None);
    }
    request.body = body.into();
    Ok(Some(request))
}

/// Sends everything; true when the connection may serve another request.
fn write_response(stream: &TcpStream, request: &Request, response: &Response, state: &State) -> io::Result<bool> {
    let faults = &response.faults;
    if !wait(faults.delay, state) {
        return Ok(false);
    }
    if faults.silent {
        wait(Duration::MAX, state);
        return Ok(false);
    }
    let mut writer = Pace { stream, bytes_per_second: faults.bytes_per_second, state };
    for _ in 0..faults.interim_responses {
        writer.write(b"HTTP/1.1 103 Early Hints\r\nLink: </style>; rel=preload\r\n\r\n")?;
    }
    if response.framing != Framing::Raw {
        match head(response) {
            head if faults.head_at_full_speed => writer.stream.write_all(head.as_bytes())?,
            head => writer.write(head.as_bytes())?,
        }
    }
    if request.method == "HEAD" {
        return Ok(true);
    }
    let mut wire = match response.framing {
        Framing::Chunked => body::chunked(&response.body, true),
        Framing::ChunkedWithoutEnd | Framing::Endless => body::chunked(&response.body, false),
        _ => response.body.clone(),
    };
    if let Some((count, _)) = faults.stop_after {
        wire.truncate(count);
    }
    writer.write(&wire)?;
    if let Some((_, stop)) = faults.stop_after {
        match stop {
            Stop::Close => {}
            Stop::Reset => SockRef::from(stream).set_linger(Some(Duration::ZERO))?,
            Stop::Hang => {
                wait(Duration::MAX, state);
            }
        }
        return Ok(false);
    }
    while response.framing == Framing::Endless && !state.stopping() {
        writer.write(&wire)?;
    }
    Ok(matches!(response.framing, Framing::ContentLength | Framing::Chunked))
}

/// Status line and headers.
fn head(response: &Response) -> String {
    let mut head = format!("HTTP/1.1 {} {}\r\n", response.status, reason(response.status));
    for (name, value) in &response.headers {
        head += &format!("{name}: {value}\r\n");
    }
    head += &match response.framing {
        Framing::ContentLength if response.status == 304 || response.status == 204 => String::new(),
        Framing::ContentLength => format!("Content-Length: {}\r\n", response.body.len()),
        Framing::Claimed(length) => format!("Content-Length: {length}\r\n"),
        Framing::Chunked | Framing::ChunkedWithoutEnd | Framing::Endless => "Transfer-Encoding: chunked\r\n".into(),
        Framing::UntilClose => "Connection: close\r\n".into(),
        Framing::Raw => String::new(),
    };
    head + "\r\n"
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        206 => "Partial Content",
        301 => "Moved Permanently",
        302 => "Found",
        304 => "Not Modified",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        412 => "Precondition Failed",
        416 => "Range Not Satisfiable",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        _ => "Status",
    }
}

/// Sleeps; false when the server is dropped before the end.
fn wait(duration: Duration, state: &State) -> bool {
    let start = Instant::now();
    loop {
        if state.stopping() {
            return false;
        }
        let left = duration.saturating_sub(start.elapsed());
        if left.is_zero() {
            return true;
        }
        thread::sleep(left.min(TICK));
    }
}

/// Writes at full speed or at a set number of bytes a second.
struct Pace<'a> {
    stream: &'a TcpStream,
    bytes_per_second: Option<usize>,
    state: &'a State,
}

impl Pace<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let Some(rate) = self.bytes_per_second else { return self.stream.write_all(bytes) };
        // A tenth of a second's worth at a time, at least one byte.
        let portion = (rate / 10).max(1);
        for part in bytes.chunks(portion) {
            self.stream.write_all(part)?;
            let pause = Duration::from_secs_f64(part.len() as f64 / rate.max(1) as f64);
            if !wait(pause, self.state) {
                return Err(io::Error::other("the server is being dropped"));
            }
        }
        Ok(())
    }
}
