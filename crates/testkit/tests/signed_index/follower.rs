//! The smallest client that follows an index: HTTP by hand, a store in memory.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use testkit::{SignedServer, in_seconds};
use tuf::{Check, Client, Error, Event, Fetched, Limits, LookUp, Mode, Request, Target};

/// What a client keeps from one run to the next.
#[derive(Clone)]
pub struct Follower {
    root: Vec<u8>,
    store: BTreeMap<String, Vec<u8>>,
}

impl Follower {
    pub fn of(server: &SignedServer) -> Self {
        Self { root: server.root(), store: BTreeMap::new() }
    }

    /// Refreshes and looks up targets, `None` for those that nobody signs for.
    pub fn look_up(&mut self, server: &SignedServer, paths: &[&str]) -> Result<Vec<Option<Target>>, Error> {
        let mut client = Client::new(&self.root, in_seconds(0), Mode::Online, Limits::default())?;
        let ids: Vec<_> = paths.iter().map(|path| client.look_up(*path)).collect();
        let mut found = BTreeMap::new();
        loop {
            while let Some(request) = client.poll_request() {
                match request {
                    Request::Load { id, file } => {
                        client.loaded(id, self.store.get(&file.file_name()).map(Vec::as_slice));
                    }
                    Request::Fetch { id, file } => {
                        let (status, body) = get(server, &format!("/tuf/{}", file.name));
                        match status {
                            200 => client.fetched(id, Fetched::Body(&body)),
                            403 | 404 => client.fetched(id, Fetched::Absent),
                            _ => client.fetched(id, Fetched::Failed("status")),
                        }
                    }
                    Request::Store { file, bytes, .. } => {
                        self.store.insert(file.file_name(), bytes.to_vec());
                    }
                    Request::Delete { file, .. } => {
                        self.store.remove(&file.file_name());
                    }
                }
            }
            let mut quiet = true;
            while let Some(event) = client.poll_event() {
                quiet = false;
                match event {
                    Event::Failed(error) => return Err(error),
                    Event::Refreshed => {}
                    Event::LookedUp { id, result } => {
                        found.insert(id, result?);
                    }
                }
            }
            if quiet {
                let target = |id| match &found[&id] {
                    LookUp::Found(target) => Some(target.clone()),
                    LookUp::NotFound { .. } => None,
                };
                return Ok(ids.into_iter().map(target).collect());
            }
        }
    }

    /// Refreshes and finds all of these, whose bytes must verify at the places given with them.
    #[track_caller]
    pub fn finds(&mut self, server: &SignedServer, expected: &[(String, String)]) {
        let targets: Vec<_> = expected.iter().map(|(target, _)| target.as_str()).collect();
        let found = self.look_up(server, &targets).unwrap();
        for (found, (target, path)) in found.iter().zip(expected) {
            let found = found.as_ref().unwrap_or_else(|| panic!("no target {target}"));
            let (status, body) = get(server, &path.replace('+', "%2B"));
            assert_eq!(status, 200, "{path}");
            let mut verifier = found.verifier().unwrap();
            verifier.update(&body).unwrap();
            verifier.finish().unwrap_or_else(|error| panic!("{path}: {error}"));
        }
    }

    /// Refreshes, looks up the page of `app`, and is refused by this check.
    #[track_caller]
    pub fn is_refused(&mut self, server: &SignedServer, check: Check) {
        let error = self.look_up(server, &[&server.page_target("app")]).expect_err("refused");
        assert_eq!(error.check(), check, "{error}");
    }
}

/// Status and body.
pub fn get(server: &SignedServer, path: &str) -> (u16, Vec<u8>) {
    get_as(server, path, "application/vnd.pypi.simple.v1+json")
}

pub fn get_as(server: &SignedServer, path: &str, accept: &str) -> (u16, Vec<u8>) {
    let host = server.url("").replace("http://", "");
    let mut stream = TcpStream::connect(&host).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {host}\r\nAccept: {accept}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let head = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    let status = std::str::from_utf8(&answer[9..12]).unwrap().parse().unwrap();
    (status, answer[head + 4..].to_vec())
}
