//! A signed index over HTTP: what its owner does, and where things are. What others do to it is in `attacker`.

use std::collections::BTreeMap;
use std::fs;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use serde_json::json;
use sha2::Digest as _;
use tuf::UnixTime;

use crate::attacker::Interception;
use crate::digest::HashName;
use crate::forgery::Forged;
use crate::index::{Index, JSON};
use crate::request::Request;
use crate::response::Response;
use crate::server::Server;
use crate::signed_index::SignedIndex;
use crate::signed_layout::{SignedLayout, content, file_path, linked};
use crate::signed_repository::{SignedRepository, in_seconds};
use crate::wheel_maker::normalized;

/// A running signed index: `/simple/` and files as [`Index`] has them, metadata below `/tuf/`, and hash-named pages.
///
/// It is a [`Server`] too: `url`, `requests`, `log` and the like are that one's.
pub struct SignedServer {
    server: Server,
    pub(crate) shared: Arc<Shared>,
}

/// What the owner, the attacker and the threads of the server share.
pub(crate) struct Shared {
    pub(crate) honest: Mutex<Honest>,
    /// The last one is called first.
    pub(crate) interceptions: Mutex<Vec<Interception>>,
    pub(crate) forged: Mutex<Forged>,
}

/// What the owner has published.
pub(crate) struct Honest {
    pub(crate) setup: SignedIndex,
    pub(crate) repository: SignedRepository,
    /// Pages and files by path.
    files: BTreeMap<String, Vec<u8>>,
    origin: String,
}

/// Everything a signed index served at one time.
#[derive(Clone, Debug)]
pub struct Recording {
    /// Files that are the same for everybody, by path.
    pub files: BTreeMap<String, Vec<u8>>,
    /// Responses for the pages that depend on the request.
    index: Index,
}

impl SignedServer {
    pub(crate) fn start(mut setup: SignedIndex) -> Self {
        setup.index = linked(setup.index, setup.layout);
        let mut repository = SignedRepository::new(setup.signing.clone());
        if setup.layout == SignedLayout::InBand {
            let layout = setup.trust.in_band(repository.consistent_snapshot());
            repository.set_field_of_targets("x-pyindex", &layout);
        }
        let honest = Honest { setup, repository, files: BTreeMap::new(), origin: String::new() };
        let shared =
            Arc::new(Shared { honest: Mutex::new(honest), interceptions: Mutex::default(), forged: Mutex::default() });
        let server = Server::start({
            let shared = Arc::clone(&shared);
            move |request| shared.respond(request)
        });
        shared.honest.lock().unwrap().origin = server.url("");
        let started = Self { server, shared };
        started.publish(|index| index);
        started
    }

    // ---- what the owner does
    // ------------------------------------------------------------------------------------------

    /// Changes the index and publishes what follows: new pages, new versions of the roles that sign for them, a
    /// snapshot and a timestamp. What was published stays.
    pub fn publish(&self, edit: impl FnOnce(Index) -> Index) {
        let mut honest = self.shared.honest.lock().unwrap();
        let honest = &mut *honest;
        let setup = &mut honest.setup;
        setup.index = linked(edit(std::mem::take(&mut setup.index)), setup.layout);
        let content = honest.content();
        honest.files.extend(content.files);
        honest.repository.set_targets(content.targets);
        honest.repository.publish();
    }

    /// Signs a new timestamp, and nothing else.
    pub fn refresh(&self) {
        self.shared.honest.lock().unwrap().repository.refresh();
    }

    /// Gives a role new keys: `root`, `timestamp`, `snapshot`, `targets`, `index`, `bins`, or `bins-*` for all bins.
    pub fn rotate(&self, role: &str) {
        self.shared.honest.lock().unwrap().repository.rotate(role);
    }

    /// So many new roots, each with new keys.
    pub fn rotate_root(&self, times: usize) {
        for _ in 0..times {
            self.rotate("root");
        }
    }

    /// Publishes a role again with this expiry date; see [`in_seconds`].
    pub fn set_expiry(&self, role: &str, expires: UnixTime) {
        self.shared.honest.lock().unwrap().repository.set_expiry(role, expires);
    }

    /// Removes all but the newest version of everything; roots stay.
    pub fn garbage_collect(&self) {
        let mut honest = self.shared.honest.lock().unwrap();
        honest.files = honest.content().files;
        honest.repository.garbage_collect();
    }

    // ---- trust
    // --------------------------------------------------------------------------------------------------------

    /// The URL of the index, in canonical form.
    pub fn index_url(&self) -> String {
        self.url("/simple/")
    }

    /// The URL of the metadata.
    pub fn metadata_url(&self) -> String {
        self.url("/tuf/")
    }

    /// The first root, which a client has from elsewhere.
    pub fn root(&self) -> Vec<u8> {
        self.shared.honest.lock().unwrap().repository.files()["1.root.json"].clone()
    }

    /// The SHA-256 of the first root in hex.
    pub fn root_sha256(&self) -> String {
        HashName::Sha256.hex(&self.root())
    }

    /// The directory of this index below a store of trust: the SHA-224 of its URL.
    pub fn trust_directory(&self, store: &Path) -> PathBuf {
        trust_directory(store, &self.index_url())
    }

    /// Changes the `trust.json` that [`SignedServer::write_trust`] put into a store, as its user may.
    pub fn edit_trust(&self, store: &Path, edit: impl FnOnce(&mut serde_json::Value)) {
        let path = self.trust_directory(store).join("trust.json");
        let mut trust = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        edit(&mut trust);
        std::fs::write(path, trust.to_string()).unwrap();
    }

    /// Puts the first root and `trust.json` into a store of trust, as if the user had added it; the directory of this
    /// index.
    pub fn write_trust(&self, store: &Path) -> PathBuf {
        self.write_trust_at(store, &self.index_url(), &self.metadata_url())
    }

    /// As [`write_trust`](Self::write_trust), for a copy of this index that is elsewhere; both URLs end in a slash.
    pub fn write_trust_at(&self, store: &Path, index_url: &str, metadata_url: &str) -> PathBuf {
        let directory = trust_directory(store, index_url);
        fs::create_dir_all(directory.join("root_history")).unwrap();
        fs::write(directory.join("root_history/1.root.json"), self.root()).unwrap();
        let mut trust = json!({
            "index_url": index_url,
            "metadata_url": metadata_url,
            "anchor": {
                "kind": "file",
                "source": "1.root.json",
                "sha256": self.root_sha256(),
                "version": 1,
                "added": in_seconds(0).to_string(),
            },
            "mirrors": [],
            "rewrite": [],
        });
        if let Some(preset) = self.layout().preset() {
            trust["layout"] = preset.into();
        }
        fs::write(directory.join("trust.json"), trust.to_string()).unwrap();
        directory
    }

    // ---- what is where
    // ------------------------------------------------------------------------------------------------

    /// The names that targets and pages have.
    pub fn layout(&self) -> SignedLayout {
        self.shared.honest.lock().unwrap().setup.layout
    }

    /// Everything that has a path of its own, as published: metadata, hash-named pages, files.
    pub fn files(&self) -> BTreeMap<String, Vec<u8>> {
        self.shared.honest.lock().unwrap().all_files()
    }

    /// Everything, to be replayed another day.
    pub fn day(&self) -> Recording {
        let honest = self.shared.honest.lock().unwrap();
        Recording { files: honest.all_files(), index: honest.setup.index.clone() }
    }

    /// The path of a role's newest file, such as `/tuf/3.snapshot.json`.
    pub fn role_path(&self, role: &str) -> String {
        let honest = self.shared.honest.lock().unwrap();
        format!("/tuf/{}", honest.repository.file_name(role, honest.repository.version(role)))
    }

    /// The path of a root of this version, existing or not.
    pub fn root_path(&self, version: u64) -> String {
        format!("/tuf/{version}.root.json")
    }

    /// The newest version of a role.
    pub fn version(&self, role: &str) -> u64 {
        self.shared.honest.lock().unwrap().repository.version(role)
    }

    /// The path of the signed page of a project, as of now.
    pub fn page_path(&self, project: &str) -> String {
        let honest = self.shared.honest.lock().unwrap();
        let (project, layout) = (normalized(project), honest.setup.layout);
        let target =
            honest.content().targets.remove(&layout.page(&project)).expect("a page of a project that is there");
        layout.page_paths(&project, &target, honest.repository.consistent_snapshot()).remove(0)
    }

    /// The bytes of the signed page of a project, as of now.
    pub fn page(&self, project: &str) -> Vec<u8> {
        let path = self.page_path(project);
        let honest = self.shared.honest.lock().unwrap();
        let page = honest.files.get(&path).cloned();
        page.unwrap_or_else(|| honest.setup.index.json_page(&normalized(project), &honest.origin).into_bytes())
    }

    /// The target path of the page of a project.
    pub fn page_target(&self, project: &str) -> String {
        self.layout().page(&normalized(project))
    }

    /// The path of a file, such as `/files/app-1.0-py3-none-any.whl`.
    pub fn wheel_path(&self, filename: &str) -> String {
        let honest = self.shared.honest.lock().unwrap();
        let mut files = honest.setup.index.projects.values().flatten();
        file_path(files.find(|file| file.filename == filename).expect("a file of the index"), honest.setup.layout)
    }

    /// The target path of a file.
    pub fn distribution_target(&self, filename: &str) -> String {
        let honest = self.shared.honest.lock().unwrap();
        let mut files =
            honest.setup.index.projects.iter().flat_map(|(name, files)| files.iter().map(move |f| (name, f)));
        let (project, file) = files.find(|(_, file)| file.filename == filename).expect("a file of the index");
        honest.setup.layout.distribution(project, file).expect("a layout with targets for files")
    }

    /// The role that signs for a target path.
    pub fn role_of(&self, target: &str) -> String {
        self.shared.honest.lock().unwrap().repository.role_of(target)
    }
}

impl Deref for SignedServer {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}

impl Shared {
    fn respond(&self, request: &Request) -> Response {
        // Not held during the calls: an interception may send requests to the server.
        let interceptions = self.interceptions.lock().unwrap().clone();
        let intercepted = interceptions.iter().rev().find_map(|interception| interception(request));
        intercepted.unwrap_or_else(|| self.honest_response(request))
    }

    pub(crate) fn honest_response(&self, request: &Request) -> Response {
        let honest = self.honest.lock().unwrap();
        let index = &honest.setup.index;
        if index.options.basic_auth.is_some() && request.basic_auth() != index.options.basic_auth {
            return Response::unauthorized();
        }
        let path = decoded_path(&request.path);
        let name = path.strip_prefix("/tuf/");
        let file = name.map_or_else(|| honest.files.get(&path), |name| honest.repository.files().get(name));
        match file {
            Some(bytes) => serve_file(index, request, &path, bytes),
            None if path.starts_with("/simple/") => index.respond(request),
            None => Response::not_found(),
        }
    }
}

impl Honest {
    fn content(&self) -> crate::signed_layout::Content {
        let (setup, consistent) = (&self.setup, self.repository.consistent_snapshot());
        content(&setup.index, setup.layout, setup.trust_in_force(), consistent, &self.origin)
    }

    fn all_files(&self) -> BTreeMap<String, Vec<u8>> {
        let metadata = self.repository.files().iter().map(|(name, bytes)| (format!("/tuf/{name}"), bytes));
        let files = self.files.iter().map(|(path, bytes)| (path.clone(), bytes));
        metadata.chain(files).map(|(path, bytes)| (path, bytes.clone())).collect()
    }
}

impl Recording {
    /// The answer on that day.
    pub fn respond(&self, request: &Request) -> Response {
        let path = decoded_path(&request.path);
        match self.files.get(&path) {
            Some(bytes) => serve_file(&self.index, request, &path, bytes),
            None if path.starts_with("/simple/") => self.index.respond(request),
            None => Response::not_found(),
        }
    }
}

fn trust_directory(store: &Path, index_url: &str) -> PathBuf {
    store.join(hex::encode(sha2::Sha224::digest(index_url)))
}

/// A file under its path, with the headers that a careful operator gives it.
pub(crate) fn serve_file(index: &Index, request: &Request, path: &str, bytes: &[u8]) -> Response {
    let (content_type, cache_control) = match path {
        _ if path.ends_with("timestamp.json") => ("application/json", "max-age=30, must-revalidate"),
        _ if path.starts_with("/tuf/") => ("application/json", "max-age=31536000, immutable"),
        _ if path.ends_with("simple.v1.json") => (JSON, "max-age=31536000, immutable"),
        _ if path.starts_with("/simple/") => ("text/html; charset=utf-8", "max-age=31536000, immutable"),
        _ => return index.content(request, bytes),
    };
    Response::ok(content_type, bytes).header("Cache-Control", cache_control)
}

/// The path of a request without query, decoded.
pub(crate) fn decoded_path(target: &str) -> String {
    let mut decoded = Vec::new();
    let mut rest = target.split('?').next().unwrap_or_default().as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let digits = after.get(..2).filter(|_| first == b'%').and_then(|digits| hex::decode(digits).ok());
        match digits {
            Some(byte) => {
                decoded.extend(byte);
                rest = &after[2..];
            }
            None => {
                decoded.push(first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}
