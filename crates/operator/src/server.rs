//! An HTTP server for a published index, on this machine only: for trials and demonstrations.
//!
//! It answers as docs/reference/layouts.md requires of hosts: hash-named files may be cached for ever, the timestamp
//! for half a minute, and `simple/PROJECT/` is JSON or HTML according to the Accept header (PEP 691).

mod response;

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::{Arc, Mutex};

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use url::Url;

use self::response::ServedDirectory;
use crate::operator_directory::disk_failure;
use installer::error::{Code, Failure};

/// A server that runs until this value is dropped.
pub struct Server {
    url: Url,
    task: JoinHandle<()>,
}

/// Responses that replace the served files, by path; `None` is a 404.
pub type ResponseOverrides = Arc<Mutex<BTreeMap<String, Option<Vec<u8>>>>>;

impl Server {
    /// Serves the files of a directory, which may appear later, on a port of the loopback interface; on any free one
    /// for 0.
    ///
    /// # Errors
    /// When the directory is none, or the port is taken.
    pub async fn start(directory: &Path, port: u16, overrides: ResponseOverrides) -> Result<Self, Failure> {
        let directory = directory.canonicalize().map_err(|error| disk_failure(directory, error))?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await;
        let listener = listener.map_err(|error| taken(port, error))?;
        let address = listener.local_addr().map_err(|error| taken(port, error))?;
        let tree = Arc::new(ServedDirectory { directory, overrides });
        Ok(Self { url: url_of(address)?, task: tokio::spawn(accept(listener, tree)) })
    }

    /// Where the directory is now; ends in a slash.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// Serves until the process is ended.
    pub async fn run(mut self) {
        // It ends only with the runtime.
        let _ = (&mut self.task).await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, tree: Arc<ServedDirectory>) {
    loop {
        // Only this connection failed, for instance because the client closed it.
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            continue;
        };
        let tree = Arc::clone(&tree);
        tokio::spawn(async move {
            let service = service_fn(move |request| {
                let tree = Arc::clone(&tree);
                async move { Ok::<_, std::convert::Infallible>(tree.answer(&request).await) }
            });
            // A client that goes away early is no error.
            let _ =
                http1::Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

fn url_of(address: SocketAddr) -> Result<Url, Failure> {
    let text = format!("http://{address}/");
    text.parse().map_err(|error| Failure::new(Code::Internal, format!("{text}: {error}")).caused_by(error))
}

fn taken(port: u16, error: std::io::Error) -> Failure {
    let message = format!("Could not serve at port {port} of this machine: {error}");
    Failure::new(Code::RepoPort, message)
        .caused_by(error)
        .hint("name another port with --port, or any free one with --port 0")
}
