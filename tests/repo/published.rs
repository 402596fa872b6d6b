//! An operator's directory with something published, made by the test kit instead of the program, and the program serving it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use testkit::{Environment, Index, SignedIndex, SignedServer, Wheel};

/// `app` 1.0, which needs `library`, published in `work/repository/public`.
pub struct Published {
    pub environment: Environment,
    pub server: SignedServer,
}

/// `tufpip repo serve`, ended with this.
pub struct Serving {
    child: Child,
    pub url: String,
}

/// What a server answered.
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Published {
    /// Everything as `publish` would have left it.
    pub fn new() -> Self {
        Self::of(SignedIndex::new(index()))
    }

    /// As [`Published::new`], signed in another way.
    pub fn of(index: SignedIndex) -> Self {
        let published = Self { environment: Environment::new(), server: index.serve() };
        published.environment.write(
            "repository/repo.toml",
            "base = \"https://pkgs.example.org/\"\noutput = \"public\"\nprofile = \"small\"\n",
        );
        published.write_tree();
        published
    }

    /// Writes what the server has now; what was there stays.
    pub fn write_tree(&self) {
        for (path, bytes) in self.server.files() {
            self.environment.write(&format!("repository/public{path}"), bytes);
        }
        self.environment.write("repository/root.json", &self.server.files()[&self.server.role_path("root")]);
        for project in ["app", "library"] {
            self.environment
                .write(&format!("repository/public/simple/{project}/index.json"), self.server.page(project));
            let rows: String = self.links(project);
            self.environment.write(&format!("repository/public/simple/{project}/index.html"), rows);
        }
        let projects = r#"{"meta": {"api-version": "1.1"}, "projects": [{"name": "app"}, {"name": "library"}]}"#;
        self.environment.write("repository/public/simple/index.json", projects);
        let links = "<a href=\"app/\">app</a> <a href=\"library/\">library</a>";
        self.environment.write("repository/public/simple/index.html", format!("<!DOCTYPE html>{links}"));
    }

    /// The page in HTML.
    fn links(&self, project: &str) -> String {
        let page: Value = serde_json::from_slice(&self.server.page(project)).unwrap();
        let files = page["files"].as_array().unwrap();
        let link = |file: &Value| {
            let (url, sha256) = (file["url"].as_str().unwrap(), file["hashes"]["sha256"].as_str().unwrap());
            let metadata = file["core-metadata"]["sha256"].as_str();
            let metadata =
                metadata.map(|sha256| format!(" data-core-metadata=\"sha256={sha256}\"")).unwrap_or_default();
            let name = file["filename"].as_str().unwrap();
            format!("<a href=\"{url}#sha256={sha256}\"{metadata}>{name}</a>")
        };
        files.iter().map(link).collect()
    }

    /// The operator's directory.
    pub fn directory(&self) -> PathBuf {
        self.environment.work().join("repository")
    }

    /// A published file.
    pub fn public(&self, path: &str) -> PathBuf {
        self.directory().join("public").join(path.trim_start_matches('/'))
    }

    /// `tufpip repo …` on the operator's directory.
    pub fn repo(&self, arguments: &[&str]) -> testkit::Command {
        let directory = self.directory();
        let command = self.environment.command(env!("CARGO_BIN_EXE_tufpip")).arg("repo").args(arguments);
        command.arg("--repo").arg(directory)
    }

    /// `tufpip repo serve` on any free port.
    pub fn serve(&self) -> Serving {
        let mut child = Command::new(env!("CARGO_BIN_EXE_tufpip"))
            .args(["repo", "serve", "--port", "0", "--json", "--repo"])
            .arg(self.directory())
            .env_clear()
            .env("HOME", self.environment.home())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let said: Value = serde_json::from_str(&line).unwrap();
        Serving { child, url: said["url"].as_str().unwrap().to_owned() }
    }
}

/// `app` 1.0 needs `library`.
pub fn index() -> Index {
    Index::new().add(Wheel::new("app", "1.0").requires("library>=1").build()).add(Wheel::new("library", "2.0").build())
}

impl Serving {
    /// Sends one request, byte for byte.
    pub fn request(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
        let host = self.url.trim_start_matches("http://").trim_end_matches('/');
        let mut stream = TcpStream::connect(host).unwrap();
        let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        write!(stream, "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{headers}\r\n").unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let mut lines = head.lines();
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers = lines.filter_map(|line| line.split_once(": "));
        let headers = headers.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect();
        Answer { status, headers, body: bytes[end + 4..].to_vec() }
    }

    /// A plain GET.
    pub fn get(&self, path: &str) -> Answer {
        self.request("GET", path, &[])
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Answer {
    /// A header that must be there.
    #[track_caller]
    pub fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(found, _)| found == name);
        &found.unwrap_or_else(|| panic!("no {name} in {:?}", self.headers)).1
    }
}
