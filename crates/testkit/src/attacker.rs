//! Between a signed index and its clients: a network that answers in its place. Needs no keys.
//!
//! Every method adds to the attack; [`SignedServer::honest`] ends it.

use std::sync::Arc;

use crate::request::Request;
use crate::response::Response;
use crate::signed_server::{Recording, SignedServer, decoded_path};

/// Answers a request in the place of the server, or lets it pass.
pub(crate) type Interception = Arc<dyn Fn(&Request) -> Option<Response> + Send + Sync>;

impl SignedServer {
    /// Asks this before anything else, earlier interceptions included.
    pub fn intercept(&self, interception: impl Fn(&Request) -> Option<Response> + Send + Sync + 'static) {
        self.shared.interceptions.lock().unwrap().push(Arc::new(interception));
    }

    /// Ends the attack: nothing is intercepted, nothing forged is served.
    pub fn honest(&self) {
        self.shared.interceptions.lock().unwrap().clear();
        *self.shared.forged.lock().unwrap() = Default::default();
    }

    /// Serves these bytes under a path.
    pub fn replace(&self, path: &str, bytes: impl Into<Vec<u8>>) {
        let bytes = bytes.into();
        self.alter(path, move |answer| {
            let content_type = answer.content_type().filter(|_| answer.status() == 200);
            Response::ok(content_type.unwrap_or("application/octet-stream"), bytes.clone())
        });
    }

    /// 404 for a path.
    pub fn remove(&self, path: &str) {
        self.status(path, 404);
    }

    /// This status and no content for a path.
    pub fn status(&self, path: &str, status: u16) {
        self.intercept_path(path, move |_| Response::new(status));
    }

    /// Spaces without end under a path.
    pub fn endless(&self, path: &str) {
        self.intercept_path(path, |_| Response::ok("application/octet-stream", vec![b' '; 8192]).endless());
    }

    /// What is served under a path comes at this pace.
    pub fn slow(&self, path: &str, bytes_per_second: usize) {
        self.alter(path, move |response| response.slow(bytes_per_second));
    }

    /// Changes the owner's answer for a path.
    pub fn alter(&self, path: &str, change: impl Fn(Response) -> Response + Send + Sync + 'static) {
        // Weak: the server that holds the interception must not be held by it.
        let shared = Arc::downgrade(&self.shared);
        self.intercept_path(path, move |request| match shared.upgrade() {
            Some(shared) => change(shared.honest_response(request)),
            None => Response::not_found(),
        });
    }

    /// The index as it was on an earlier day, in everything; newer files are 404.
    pub fn replay(&self, day: &Recording) {
        let day = day.clone();
        self.intercept(move |request| Some(day.respond(request)));
    }

    /// One file as it was on an earlier day.
    pub fn replay_file(&self, day: &Recording, path: &str) {
        self.replace(path, day.files[path].clone());
    }

    fn intercept_path(&self, path: &str, answer: impl Fn(&Request) -> Response + Send + Sync + 'static) {
        let path = path.to_owned();
        self.intercept(move |request| (decoded_path(&request.path) == path).then(|| answer(request)));
    }
}
