//! A store that speaks the part of S3 a publisher needs, with one bucket that anybody may read.
//!
//! ```
//! let store = testkit::S3Server::start("published");
//! store.put("simple/index.html", b"<!DOCTYPE html>");
//! assert!(store.public_url("simple/index.html").ends_with("/published/simple/index.html"));
//! ```

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use crate::request::Request;
use crate::response::Response;
use crate::s3_bucket::{Bucket, Object, error, query};
use crate::s3_signature;
use crate::server::Server;
use crate::signed_server::decoded_path;

const KEY_ID: &str = "test-key-id";
const SECRET: &str = "test-secret";

/// A running store. Writing needs the key; reading without any is what a website would answer.
pub struct S3Server {
    server: Server,
    bucket: String,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    bucket: Bucket,
    writes: Vec<Write>,
    faults: Vec<(usize, bool, Fault)>,
    page: usize,
}

/// A request with a valid signature that could have changed something.
#[derive(Clone, Debug)]
pub struct Write {
    /// `PUT KEY`, `DELETE KEY`, or for a file in parts `START KEY`, `PART KEY`, `COMPLETE KEY` and `ABORT KEY`.
    pub action: String,
    /// Names as sent.
    pub headers: Vec<(String, String)>,
    /// What was answered, or would have been: 412 if a condition did not hold.
    pub status: u16,
}

/// The fault of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing happens, and this is the answer. Clients try again after 500 and 503, not after 403.
    Status(u16),
    /// Nothing happens, and the connection ends.
    Dropped,
    /// It happens, and the connection ends before the answer.
    AnswerLost,
}

impl Write {
    /// The first header with this name, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

impl S3Server {
    /// A store with one empty bucket.
    pub fn start(bucket: &str) -> Self {
        let state = Arc::new(Mutex::new(State { page: 1000, ..State::default() }));
        let server = Server::start({
            let (state, bucket) = (Arc::clone(&state), bucket.to_owned());
            move |request| state.lock().unwrap().answer(request, &bucket)
        });
        Self { server, bucket: bucket.to_owned(), state }
    }

    /// The environment variables that lead a client here, with the key that may write.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        vec![
            ("AWS_ENDPOINT_URL", self.server.url("")),
            ("AWS_ALLOW_HTTP", "true".into()),
            ("AWS_REGION", "us-east-1".into()),
            ("AWS_ACCESS_KEY_ID", KEY_ID.into()),
            ("AWS_SECRET_ACCESS_KEY", SECRET.into()),
        ]
    }

    /// `s3://BUCKET`.
    pub fn location(&self) -> String {
        format!("s3://{}", self.bucket)
    }

    /// Where everybody can read the object; `""` is the URL of the bucket, with `/` at its end.
    pub fn public_url(&self, key: &str) -> String {
        self.server.url(&format!("/{}/{key}", self.bucket))
    }

    /// The object with this key.
    pub fn object(&self, key: &str) -> Option<Object> {
        self.state().bucket.objects.get(key).cloned()
    }

    /// All keys, sorted.
    pub fn keys(&self) -> Vec<String> {
        self.state().bucket.objects.keys().cloned().collect()
    }

    /// Writes an object by another hand than the client's.
    pub fn put(&self, key: &str, bytes: &[u8]) {
        self.state().bucket.objects.insert(key.to_owned(), Object::new(bytes, Vec::new()));
    }

    /// Removes an object by another hand than the client's.
    pub fn remove(&self, key: &str) {
        self.state().bucket.objects.remove(key);
    }

    /// Makes every object look as if it had been written that much earlier.
    pub fn age(&self, by: Duration) {
        for object in self.state().bucket.objects.values_mut() {
            object.modified -= by.as_secs() as i64;
        }
    }

    /// Files in parts that were begun and neither completed nor given up.
    pub fn unfinished_uploads(&self) -> usize {
        self.state().bucket.unfinished_uploads()
    }

    /// Every write so far, in the order in which they took effect, those that failed as well.
    pub fn writes(&self) -> Vec<Write> {
        self.state().writes.clone()
    }

    /// Forgets the writes so far: the next one is number 0.
    pub fn forget_writes(&self) {
        self.state().writes.clear();
    }

    /// All requests so far, including reads and refused ones.
    pub fn requests(&self) -> Vec<Request> {
        self.server.requests()
    }

    /// Lets one write fail, counted from 0.
    pub fn fail_write(&self, number: usize, fault: Fault) {
        self.state().faults.push((number, false, fault));
    }

    /// Lets this write, counted from 0, and all later ones fail.
    pub fn fail_writes_from(&self, number: usize, fault: Fault) {
        self.state().faults.push((number, true, fault));
    }

    /// Nothing fails any more.
    pub fn heal(&self) {
        self.state().faults.clear();
    }

    /// Lists at most this number of keys at once; S3 lists 1000.
    pub fn list_in_pages_of(&self, keys: usize) {
        self.state().page = keys;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

impl State {
    fn answer(&mut self, request: &Request, bucket: &str) -> Response {
        let path = decoded_path(&request.path);
        let path = path.trim_start_matches('/');
        let (asked_bucket, key) = path.split_once('/').unwrap_or((path, ""));
        let is_read = matches!(request.method.as_str(), "GET" | "HEAD");
        if request.header("authorization").is_none() {
            // Everybody may read objects, and nobody may list them.
            return match is_read && !key.is_empty() && asked_bucket == bucket {
                true => self.bucket.get(request, key),
                false => error(403, "AccessDenied", key),
            };
        }
        if let Err((code, _)) = s3_signature::check(request, KEY_ID, SECRET) {
            return error(403, code, key);
        }
        match () {
            () if asked_bucket != bucket => error(404, "NoSuchBucket", key),
            () if is_read && key.is_empty() => self.bucket.list(request, bucket, self.page),
            () if is_read => self.bucket.get(request, key),
            () => self.write(request, key),
        }
    }

    fn write(&mut self, request: &Request, key: &str) -> Response {
        let number = self.writes.len();
        let fault = self.faults.iter().find(|(from, onwards, _)| *from == number || (*onwards && *from < number));
        let response = match fault.map(|(_, _, fault)| *fault) {
            None => self.bucket.write(request, key),
            Some(Fault::Status(status)) => error(status, "Fault", key),
            Some(Fault::Dropped) => Response::raw([]),
            Some(Fault::AnswerLost) => {
                self.bucket.write(request, key);
                Response::raw([])
            }
        };
        let is_part = query(request, "uploadId").is_some();
        let verb = match (request.method.as_str(), is_part) {
            ("PUT", true) => "PART",
            ("POST", false) => "START",
            ("POST", true) => "COMPLETE",
            ("DELETE", true) => "ABORT",
            (other, _) => other,
        };
        let (action, headers) = (format!("{verb} {key}"), request.headers.clone());
        self.writes.push(Write { action, headers, status: response.status() });
        response
    }
}
