//! A simple index (PEP 503, 629, 658, 691, 700, 714) as plain data that answers requests.
//!
//! `/simple/` and `/simple/PROJECT/` are the index, `/files/NAME` the files, `/find-links/` one flat page of all of them.

use std::collections::BTreeMap;

use crate::digest::HashName;
use crate::listing::{IndexBehavior, ListedFile, MetadataMode};
use crate::pages::{encoded, find_links_html, project_html, project_json, root_html, root_json};
use crate::request::Request;
use crate::response::Response;
use crate::server::Server;
use crate::wheel_maker::normalized;

/// Content type of PEP 691 pages.
pub(crate) const JSON: &str = "application/vnd.pypi.simple.v1+json";

/// An index and its files.
#[derive(Clone, Debug, Default)]
pub struct Index {
    pub(crate) projects: BTreeMap<String, Vec<ListedFile>>,
    pub(crate) options: IndexBehavior,
}

impl Index {
    /// An index without projects that does everything right.
    pub fn new() -> Self {
        Self::default()
    }

    /// Replaces the options, for instance `IndexBehavior { json: false, ..IndexBehavior::default() }`.
    pub fn options(mut self, options: IndexBehavior) -> Self {
        self.options = options;
        self
    }

    /// Adds a file to the project that its filename names.
    #[expect(clippy::should_implement_trait, reason = "an index is not a number; `add` is the word of a story")]
    pub fn add(mut self, file: impl Into<ListedFile>) -> Self {
        let file = file.into();
        let project = normalized(file.filename.split('-').next().unwrap_or_default());
        self.projects.entry(project).or_default().push(file);
        self
    }

    /// Adds a yanked file.
    pub fn add_yanked(self, file: impl Into<ListedFile>, reason: &str) -> Self {
        self.add(file.into().yanked(reason))
    }

    /// Adds a project without files.
    pub fn add_empty(mut self, project: &str) -> Self {
        self.projects.entry(normalized(project)).or_default();
        self
    }

    /// Serves the index on its own.
    pub fn serve(self) -> Server {
        Server::start(move |request| self.respond(request))
    }

    /// The answer to a request; a test with faults answers some paths itself and passes the rest on.
    pub fn respond(&self, request: &Request) -> Response {
        if self.options.basic_auth.is_some() && request.basic_auth() != self.options.basic_auth {
            return Response::unauthorized();
        }
        if !matches!(request.method.as_str(), "GET" | "HEAD") {
            return Response::new(405);
        }
        let path = request.path.split('?').next().unwrap_or_default();
        if let Some(filename) = path.strip_prefix("/files/") {
            return self.file_response(filename, request);
        }
        match path {
            "/simple/" => self.page(request, |json| {
                let projects = self.projects.keys();
                if json { root_json(projects, &self.options) } else { root_html(projects, &self.options) }
            }),
            "/find-links/" => {
                let files = self.projects.values().flatten();
                self.cached(
                    request,
                    Response::ok("text/html", find_links_html(files, &self.options, &request.origin())),
                )
            }
            _ => self.project_response(path, request),
        }
    }

    /// The PEP 503 page of a project as it is served at `origin`, such as `http://127.0.0.1:40001`.
    pub fn html_page(&self, project: &str, origin: &str) -> String {
        project_html(project, self.files(project), &self.options, origin)
    }

    /// The PEP 691 page of a project as it is served at `origin`.
    pub fn json_page(&self, project: &str, origin: &str) -> String {
        project_json(project, self.files(project), &self.options, origin)
    }

    fn files(&self, project: &str) -> &[ListedFile] {
        self.projects.get(project).map(Vec::as_slice).unwrap_or_default()
    }

    fn project_response(&self, path: &str, request: &Request) -> Response {
        let Some(rest) = path.strip_prefix("/simple/") else { return Response::not_found() };
        let project = rest.trim_end_matches('/');
        if !self.projects.contains_key(&normalized(project)) {
            return Response::not_found();
        }
        if project != normalized(project) || !rest.ends_with('/') {
            return Response::redirect(301, &format!("/simple/{}/", normalized(project)));
        }
        let origin = request.origin();
        self.page(
            request,
            |json| if json { self.json_page(project, &origin) } else { self.html_page(project, &origin) },
        )
    }

    fn page(&self, request: &Request, render: impl Fn(bool) -> String) -> Response {
        let json = self.options.json && request.accepts(JSON);
        let content_type = if json { JSON } else { "text/html; charset=utf-8" };
        self.cached(request, Response::ok(content_type, render(json)).header("Vary", "Accept"))
    }

    /// Adds the caching headers; 304 when the client has this page.
    fn cached(&self, request: &Request, mut page: Response) -> Response {
        if let Some(cache_control) = &self.options.cache_control {
            page = page.header("Cache-Control", cache_control);
        }
        if !self.options.etag {
            return page;
        }
        let etag = etag(page.body_bytes());
        if request.header("if-none-match") == Some(etag.as_str()) {
            return Response::new(304).header("ETag", &etag);
        }
        page.header("ETag", &etag)
    }

    fn file_response(&self, path: &str, request: &Request) -> Response {
        for file in self.projects.values().flatten() {
            let name = encoded(&file.filename);
            if path == name || path == file.filename {
                return self.content(request, &file.bytes);
            }
            let served = !matches!(file.metadata_setting(&self.options), MetadataMode::Missing | MetadataMode::Absent);
            if served && path == format!("{name}.metadata") {
                return self.content(request, &file.metadata);
            }
        }
        Response::not_found()
    }

    /// A file as this index answers for it: with ranges and entity tags as the options say.
    pub(crate) fn content(&self, request: &Request, bytes: &[u8]) -> Response {
        let etag = self.options.etag.then(|| etag(bytes));
        let whole = || Response::ok("application/octet-stream", bytes);
        match (&etag, self.options.range) {
            (Some(etag), _) if request.header("if-none-match") == Some(etag.as_str()) => {
                Response::new(304).header("ETag", etag)
            }
            (_, true) => Response::ranged(request, "application/octet-stream", bytes, etag.as_deref()),
            (Some(etag), false) => whole().header("ETag", etag),
            (None, false) => whole(),
        }
    }
}

fn etag(bytes: &[u8]) -> String {
    let hash = HashName::Sha256.hex(bytes);
    format!("\"{}\"", hash.get(..16).unwrap_or_default())
}
