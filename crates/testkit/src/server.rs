//! An HTTP/1.1 server on 127.0.0.1 that sends exactly what a test defines, and records the requests.

use std::collections::HashMap;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use crate::connection;
use crate::request::Request;
use crate::response::Response;

/// A running server; it stops, and every connection ends, when it is dropped.
pub struct Server {
    address: SocketAddr,
    state: Arc<State>,
    acceptor: Option<JoinHandle<()>>,
}

/// What the threads of one server share.
pub(crate) struct State {
    handler: Box<dyn Fn(&Request) -> Response + Send + Sync>,
    requests: Mutex<Vec<Request>>,
    occurrences: Mutex<HashMap<(String, String), usize>>,
    connections: Mutex<HashMap<usize, TcpStream>>,
    stopping: AtomicBool,
}

impl Server {
    /// Listens on a free port of 127.0.0.1; each connection has a thread, which calls `handler`.
    pub fn start(handler: impl Fn(&Request) -> Response + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State {
            handler: Box::new(handler),
            requests: Mutex::default(),
            occurrences: Mutex::default(),
            connections: Mutex::default(),
            stopping: AtomicBool::new(false),
        });
        let acceptor = thread::spawn({
            let state = Arc::clone(&state);
            move || accept(&listener, &state)
        });
        Self { address, state, acceptor: Some(acceptor) }
    }

    /// An absolute URL of this server; `path` starts with `/`.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The URL with `user:password@` in it.
    pub fn url_with_credentials(&self, user: &str, password: &str, path: &str) -> String {
        format!("http://{user}:{password}@{}{path}", self.address)
    }

    /// An absolute URL on 127.0.0.1 on a closed port.
    pub fn unreachable_url(path: &str) -> String {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        format!("http://{address}{path}")
    }

    /// All requests so far, in order of arrival.
    pub fn requests(&self) -> Vec<Request> {
        self.state.requests.lock().unwrap().clone()
    }

    /// The requests for one path, in any method.
    pub fn requests_for(&self, path: &str) -> Vec<Request> {
        self.requests().into_iter().filter(|request| request.path == path).collect()
    }

    /// `METHOD path` of every request, sorted, because parallel requests arrive in any order.
    pub fn log(&self) -> Vec<String> {
        let mut lines: Vec<_> =
            self.requests().iter().map(|request| format!("{} {}", request.method, request.path)).collect();
        lines.sort();
        lines
    }

    /// Clears the recorded requests; `occurrence` continues to count.
    pub fn forget_requests(&self) {
        self.state.requests.lock().unwrap().clear();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.state.stopping.store(true, Ordering::Relaxed);
        // One connection more wakes the acceptor.
        drop(TcpStream::connect(self.address));
        if let Some(acceptor) = self.acceptor.take() {
            let _ = acceptor.join();
        }
        for stream in self.state.connections.lock().unwrap().values() {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

impl State {
    pub(crate) fn stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    /// Records the request and calls the handler.
    pub(crate) fn answer(&self, mut request: Request) -> Response {
        let key = (request.method.clone(), request.path.clone());
        {
            let mut occurrences = self.occurrences.lock().unwrap();
            let count = occurrences.entry(key).or_default();
            request.occurrence = *count;
            *count += 1;
        }
        self.requests.lock().unwrap().push(request.clone());
        (self.handler)(&request)
    }
}

fn accept(listener: &TcpListener, state: &Arc<State>) {
    for (connection, stream) in listener.incoming().enumerate() {
        if state.stopping() {
            return;
        }
        let Ok(stream) = stream else { continue };
        let state = Arc::clone(state);
        let Ok(handle) = stream.try_clone() else { continue };
        state.connections.lock().unwrap().insert(connection, handle);
        thread::spawn(move || {
            // An error here is a client that disconnected, or a fault that the test defined.
            let _ = connection::serve(&stream, connection, &state);
            // The connection closes (or resets) when its last handle goes.
            state.connections.lock().unwrap().remove(&connection);
        });
    }
}
